//! Machines that the stub has not been written for: the word is tested, and then the call begins. A signal that lands
//! in between is seen only when the call ends. `RSIG_RACE_FREE` tells the user. ppoll(2) alone has no such gap here, as it
//! unblocks signals itself.

pub(crate) use crate::async_safe::interrupt::{allow, interrupt, is_interrupted};
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::wait::SET_SIZE;
use crate::sys::{errno, mask, system_call};
use libc::{c_long, ucontext_t};

pub(crate) const IS_RACE_FREE: bool = false;

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
    use system_call::SYS_ppoll;
    match *arguments {
        // SAFETY: the caller's promise.
        [fds, n, timeout, 0, ..] if number == SYS_ppoll => unsafe { poll(fds, n, timeout) },
        // SAFETY: as above.
        _ => unsafe { make(number, arguments) },
    }
}

/// ppoll(2) without a mask of its own.
unsafe fn poll(fds: c_long, n: c_long, timeout: c_long) -> c_long {
    let Ok(before) = mask::change(libc::SIG_BLOCK, rsig_sigset_t::MAX) else { return INTERRUPTED };
    let arguments = [fds, n, timeout, (&raw const before) as c_long, SET_SIZE as c_long, 0];
    // SAFETY: the caller's promise, and a whole set.
    let result = unsafe { make(system_call::SYS_ppoll, &arguments) };
    // With a mask that was just read this cannot fail.
    let _ = mask::change(libc::SIG_SETMASK, before);
    result
}

const INTERRUPTED: c_long = -(libc::EINTR as c_long);

unsafe fn make(number: c_long, arguments: &[c_long; 6]) -> c_long {
    if is_interrupted() {
        return INTERRUPTED;
    }
    // SAFETY: the caller's promise.
    match unsafe { system_call::make(number, arguments) } {
        -1 => c_long::from(errno::get()).wrapping_neg(),
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
