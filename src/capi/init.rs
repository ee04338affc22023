//! rsig_init, rsig_fini, rsig_set_main_thread.

use super::status;
use crate::runtime::init;
use libc::c_int;

/// Sets rsig up; the calling thread becomes the main thread, on which handlers run. Counted: several parts of a
/// process may each call rsig_init() and later rsig_fini(); the first one's thread and flags count.
///
/// Unless told otherwise it gives the program Python's defaults, each only where the signal has its default
/// action, so that what a parent ignores stays ignored and a handler that somebody has installed stays theirs:
/// SIGPIPE and SIGXFSZ are ignored, so that a write fails with EPIPE or EFBIG; SIGINT goes to
/// rsig_default_int_handler().
///
/// @param flags  0, or RSIG_INIT_NO_DEFAULTS to leave those three signals as they are
/// @return RSIG_OK; RSIG_ERROR_VALUE for an unknown flag; RSIG_ERROR_OS for ENOMEM, or EOVERFLOW after 4294967295
///         calls
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_init(flags: u32) -> c_int {
    status(init::init(flags, Some(super::signal::rsig_default_int_handler)))
}

/// Undoes one rsig_init(). The last one puts everything back: each signal gets the disposition that rsig found
/// (one that somebody else installed over rsig's stays), the wakeup fd and the warning hook are forgotten.
/// rsig_init() may be called again afterwards. What the program itself has set meanwhile to just what rsig had set, such as
/// SIGPIPE to SIG_IGN, cannot be told from it, and is undone too. No other thread may be inside a call of rsig
/// that waits or runs handlers. A handler may call it: the function that ran the handler then runs no others, and what it still
/// needs rsig for fails with RSIG_ERROR_STATE.
///
/// On the main thread the last one first runs pending handlers; if one refuses, nothing is undone. On another
/// thread, pending signals lose their handlers, and each is told to the warning hook.
///
/// @return RSIG_OK; RSIG_ERROR_STATE without rsig_init(); RSIG_ERROR_HANDLER if a handler refused
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_fini() -> c_int {
    status(init::fini())
}

/// Makes the calling thread the main thread. For languages whose "main" is not the thread that loaded the
/// library. The old main thread must not be inside a call of rsig that waits or runs handlers.
///
/// @return RSIG_OK; RSIG_ERROR_STATE without rsig_init()
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_set_main_thread() -> c_int {
    status(init::set_main_thread())
}
