//! rsig_raise_signal, rsig_pthread_kill, rsig_get_ident, rsig_pidfd_send_signal.

use super::status;
use crate::runtime::error::Error;
use crate::runtime::{main_thread, send};
use crate::sys::thread;
use libc::{c_int, c_uint, c_void, pthread_t};

/// Sends a signal to the calling thread. On the main thread its handler has run when this returns, unless the signal
/// is blocked.
///
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_ERROR_HANDLER if a handler refused;
///         RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. See raise(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_raise_signal(signum: c_int) -> c_int {
    status(send::raise(signum))
}

/// Sends a signal to a thread of this process. Wherever it lands, its handler runs on the main thread. Called on the
/// main thread, pending handlers run before this returns.
///
/// @param thread  a thread that has not been joined, nor has ended detached: for such a one the behaviour is
///                undefined, as with pthread_kill(3)
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_OK or ESRCH, as the system has it, for a thread
///         that has ended and has not been joined;
///         RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_pthread_kill(thread: pthread_t, signum: c_int) -> c_int {
    // SAFETY: the contract above.
    status(unsafe { send::kill_thread(thread, signum) })
}

/// The calling thread, as rsig_pthread_kill() takes it: pthread_self(). (Python: threading.get_ident().)
///
/// Any thread. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_get_ident() -> pthread_t {
    thread::current()
}

/// Sends a signal to the process behind a descriptor, which cannot have become another one's meanwhile.
///
/// @param pidfd    from pidfd_open(2), clone(2), or an open /proc/PID directory
/// @param signum   1 to NSIG-1; 0 checks and sends nothing
/// @param siginfo  NULL; for later
/// @param flags    0, or what the kernel defines
/// @return RSIG_OK; RSIG_ERROR_VALUE for a siginfo that is not NULL; RSIG_ERROR_OS with EBADF for no pidfd, EINVAL for an
///         invalid number or flags, EPERM without permission, ESRCH when the process has ended and been waited for;
///         RSIG_ERROR_UNSUPPORTED before Linux 5.1; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Runs no handlers, as in Python: what it sends to its own process waits for
/// rsig_pump(). See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_pidfd_send_signal(
    pidfd: c_int,
    signum: c_int,
    siginfo: *const c_void,
    flags: c_uint,
) -> c_int {
    let result = main_thread::require_init().and_then(|()| {
        if siginfo.is_null() {
            send::kill_pidfd(pidfd, signum, flags)
        } else {
            Err(Error::value(format_args!("siginfo must be NULL")))
        }
    });
    status(result)
}
