//! The calling thread's errno, as an lvalue; the one that means: once more; and what they mean to people.

use libc::{c_int, c_long};
use nix::errno::Errno;
use std::fmt;

/// Its name, and what it means: "EBADF: Bad file number". Not by strerror(3), which opens files in search of a translation, and
/// allocates: rsig's locks may be held.
pub(crate) struct Described(pub(crate) Errno);

impl fmt::Display for Described {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.0, self.0.desc())
    }
}

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

/// The result of a system call, made until it is not interrupted; -1 and errno where it failed. (Under a supervisor, seccomp's
/// SECCOMP_RET_USER_NOTIF, any can be interrupted, also one that never blocks.) Async-signal-safe.
pub(crate) fn retried(call: impl Fn() -> c_long) -> c_long {
    match call() {
        -1 => again_while_interrupted(call),
        result => result,
    }
}

#[cold]
#[inline(never)]
fn again_while_interrupted(call: impl Fn() -> c_long) -> c_long {
    while get() == libc::EINTR {
        let result = call();
        if result != -1 {
            return result;
        }
    }
    -1
}
