//! eventfd(2), where there is one. By the C library, whose read(), write() and close() are cancellation points.

use super::own;
use crate::sys::errno;
use libc::c_int;
use nix::errno::Errno;

pub(crate) fn open() -> Result<c_int, Errno> {
    Errno::result(own::eventfd())
}

/// Makes it readable. A full counter is readable already, so nothing can be lost. Async-signal-safe.
pub(crate) fn raise(fd: c_int) {
    let one: u64 = 1;
    // SAFETY: reads the eight bytes of `one`.
    errno::retried(|| unsafe { libc::write(fd, (&raw const one).cast(), size_of::<u64>()) } as _);
}

/// Makes it unreadable.
pub(crate) fn lower(fd: c_int) {
    let mut count: u64 = 0;
    let count = &raw mut count;
    // SAFETY: writes at most the eight bytes of `count`; the descriptor does not block.
    errno::retried(|| unsafe { libc::read(fd, count.cast(), size_of::<u64>()) } as _);
}

pub(crate) fn close(fd: c_int) {
    // SAFETY: the caller owns the descriptor.
    unsafe { libc::close(fd) };
}

/// Opens a new one under the number of `fd`, which another process shares. For a process with one thread: that number is
/// free for a moment.
pub(crate) fn replace(fd: c_int) -> Result<(), Errno> {
    close(fd);
    let new = open()?;
    if new == fd {
        return Ok(());
    }
    let result = Errno::result(own::dup_close_on_exec(new, fd));
    close(new);
    result.map(|_| ())
}
