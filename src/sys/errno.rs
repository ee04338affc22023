//! The calling thread's errno, as an lvalue; the one that means: once more; and what they mean to people.

use libc::{c_int, c_long};
use nix::errno::Errno;
use std::ffi::{CStr, c_char};
use std::fmt;

/// Its name, and what strerror(3) says: "EBADF: Bad file descriptor".
pub(crate) struct Described(pub(crate) Errno);

impl fmt::Display for Described {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text: [c_char; 128] = [0; 128];
        // Where the text has no room it is cut, and the room's last byte stays NUL. SAFETY: the room is as long as is said.
        unsafe {
            libc::strerror_r(self.0 as c_int, text.as_mut_ptr(), text.len().saturating_sub(1))
        };
        // SAFETY: there is a NUL.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) };
        write!(formatter, "{:?}: {}", self.0, text.to_str().unwrap_or("?"))
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
