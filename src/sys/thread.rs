//! Threads, and signals sent to them.

use libc::{c_int, pthread_t};
use nix::errno::Errno;

/// The calling thread. Async-signal-safe.
pub(crate) fn current() -> pthread_t {
    // SAFETY: no arguments, no failure.
    unsafe { libc::pthread_self() }
}

/// pthread_kill(3).
///
/// # Safety
/// `thread` has not been joined, nor has it ended detached.
pub(crate) unsafe fn kill(thread: pthread_t, signum: c_int) -> Result<(), Errno> {
    // SAFETY: the caller's promise.
    match unsafe { libc::pthread_kill(thread, signum) } {
        0 => Ok(()),
        code => Err(Errno::from_raw(code)),
    }
}

/// raise(3).
pub(crate) fn raise(signum: c_int) -> Result<(), Errno> {
    // SAFETY: any number is allowed; a wrong one is EINVAL.
    Errno::result(unsafe { libc::raise(signum) }).map(|_| ())
}
