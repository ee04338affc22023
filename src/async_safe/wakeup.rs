//! The wakeup descriptor: one byte, the signal's number, for each delivery.

use crate::async_safe::atomic::{AtomicI32, Ordering};
use crate::sys::write;
use libc::c_int;
use nix::errno::Errno;

/// Where the bytes go; -1 for nowhere.
static FD: AtomicI32 = AtomicI32::new(-1);
/// The errno of a write that failed, for the pump to tell; 0 for none.
static FAILED: AtomicI32 = AtomicI32::new(0);

/// The descriptor that was set before.
pub(crate) fn set(fd: c_int) -> c_int {
    // Relaxed: the number is all there is to see.
    let old = FD.swap(fd, Ordering::Relaxed);
    FAILED.store(0, Ordering::Relaxed);
    old
}

/// The low-level handler's part.
pub(crate) fn write(signum: c_int) {
    // Relaxed: see `set`.
    let fd = FD.load(Ordering::Relaxed);
    if fd < 0 {
        return;
    }
    // Signal numbers fit a byte.
    if let Err(error) = write::all(fd, &[signum as u8]) {
        // Relaxed: the errno is all there is to see. A full buffer does not hide what is worse.
        if error == Errno::EAGAIN {
            let full = error as c_int;
            let _ = FAILED.compare_exchange(0, full, Ordering::Relaxed, Ordering::Relaxed);
        } else {
            FAILED.store(error as c_int, Ordering::Relaxed);
        }
    }
}

pub(crate) fn has_failed() -> bool {
    // Relaxed: see `write`.
    FAILED.load(Ordering::Relaxed) != 0
}

/// The failure since the last call of this, if there was one.
pub(crate) fn take_failure() -> Option<Errno> {
    // The load first, as it is cheap and there is hardly ever one.
    if !has_failed() {
        return None;
    }
    // Relaxed: see `write`.
    match FAILED.swap(0, Ordering::Relaxed) {
        0 => None,
        code => Some(Errno::from_raw(code)),
    }
}

/// In a forked child: the failure was the parent's.
pub(crate) fn reset() {
    // Relaxed: there is one thread.
    FAILED.store(0, Ordering::Relaxed);
}
