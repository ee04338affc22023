//! Machines that the stub has not been written for: the word is tested, and then the call begins. A signal that lands
//! in between is seen only when the call ends. `RSIG_RACE_FREE` tells the user.

pub(crate) use crate::async_safe::interrupt::{allow, interrupt, is_interrupted};
use libc::{c_long, ucontext_t};

#[allow(dead_code)]
pub(crate) enum Position {
    Elsewhere,
    Nested,
    Left,
}

/// The kernel's answer, or -EINTR where `interrupt` was called before it.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn call(number: c_long, arguments: &[c_long; 6]) -> c_long {
    const INTERRUPTED: c_long = -(libc::EINTR as c_long);
    if is_interrupted() {
        return INTERRUPTED;
    }
    let [a, b, c, d, e, f] = *arguments;
    // SAFETY: the caller's promise.
    match unsafe { libc::syscall(number, a, b, c, d, e, f) } {
        -1 => c_long::from(crate::sys::errno::get()).wrapping_neg(),
        result => result,
    }
}

pub(crate) fn leave(_context: &mut ucontext_t) -> Position {
    Position::Elsewhere
}

pub(crate) fn is_active() -> bool {
    false
}

pub(crate) fn abandon() {}
