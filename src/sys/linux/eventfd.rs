//! eventfd(2): a descriptor that is readable while its counter is not zero.
//!
//! By syscall(2): the C library's read(), write() and close() are cancellation points. A signal handler that interrupted just
//! any code must not be one, and a cancelled thread must not be unwound through Rust's frames.

use crate::sys::errno;
use libc::{c_int, c_uint};
use nix::errno::Errno;

pub(crate) fn open() -> Result<c_int, Errno> {
    const EMPTY: c_uint = 0;
    let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
    // SAFETY: no pointers.
    let fd = result(|| unsafe { libc::eventfd(EMPTY, flags) })?;
    if fd > libc::STDERR_FILENO {
        return Ok(fd);
    }
    // Where a program has closed one of the standard streams, what others still write there is none of ours. SAFETY: as above.
    let moved =
        result(|| unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) });
    close(fd);
    moved
}

fn result(call: impl Fn() -> c_int) -> Result<c_int, Errno> {
    Errno::result(errno::retried(|| call().into())).map(|fd| fd as c_int)
}

/// Makes it readable. A full counter is readable already, so nothing can be lost. Async-signal-safe.
pub(crate) fn raise(fd: c_int) {
    let one: u64 = 1;
    // SAFETY: reads the eight bytes of `one`.
    let write = || unsafe { libc::syscall(libc::SYS_write, fd, &raw const one, size_of::<u64>()) };
    errno::retried(write);
}

/// Makes it unreadable.
pub(crate) fn lower(fd: c_int) {
    let mut count: u64 = 0;
    let count = &raw mut count;
    // SAFETY: writes at most the eight bytes of `count`; the descriptor does not block.
    let _ =
        errno::retried(|| unsafe { libc::syscall(libc::SYS_read, fd, count, size_of::<u64>()) });
}

pub(crate) fn close(fd: c_int) {
    // SAFETY: the caller owns the descriptor.
    unsafe { libc::syscall(libc::SYS_close, fd) };
}

/// Opens a new one under the number of `fd`, which another process shares. For a process with one thread: that number is
/// free for a moment, and so is there with a full table too.
pub(crate) fn replace(fd: c_int) -> Result<(), Errno> {
    close(fd);
    let new = open()?;
    if new == fd {
        return Ok(());
    }
    // SAFETY: both descriptors are the caller's.
    let result = result(|| unsafe { libc::dup3(new, fd, libc::O_CLOEXEC) });
    close(new);
    result.map(|_| ())
}
