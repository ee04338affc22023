//! The calling thread's errno, as an lvalue; and the one that means: once more.

use libc::{c_int, c_long};
use nix::errno::Errno;

/// Runs `body` and leaves errno as it was before: what a signal handler owes the code it interrupted.
pub(crate) fn preserved(body: impl FnOnce()) {
    let saved = get();
    body();
    set(saved);
}

pub(crate) fn get() -> c_int {
    Errno::last_raw()
}

pub(crate) fn set(value: c_int) {
    Errno::set_raw(value);
}

/// Makes a system call until it is not interrupted. (Under a supervisor, seccomp's SECCOMP_RET_USER_NOTIF, any can be, also one
/// that never blocks.) Async-signal-safe.
pub(crate) fn retried(mut call: impl FnMut() -> c_long) -> Result<c_long, Errno> {
    loop {
        match Errno::result(call()) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
