//! rsig_pump, rsig_raised, rsig_set_warning_hook.

use super::{answer, status, store};
use crate::runtime::warning::{self, Hook, rsig_warning_hook_t};
use crate::runtime::{main_thread, pump, raised};
use libc::{c_int, c_void};

/// Runs the handlers of the signals that were delivered: one pass, in ascending order of the numbers, over what was
/// pending when it began. A handler runs at most once in a pass, with the first delivery's info and the count of
/// all. What is delivered meanwhile waits for the next call. With nothing pending this costs a few instructions, so
/// call it wherever the program can be interrupted.
///
/// A handler may call any function of rsig, this one included. If it refuses, by a return value or by leaving with
/// a C++ exception or longjmp(), the rest stays pending.
///
/// @return how many handlers ran; RSIG_ERROR_HANDLER if one refused, see rsig_raised(); RSIG_ERROR_THREAD;
///         RSIG_ERROR_STATE
///
/// Main thread only. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_pump() -> c_int {
    if main_thread::is_current() && pump::is_idle() { 0 } else { run() }
}

/// Not inlined, so that the above needs no stack.
#[inline(never)]
fn run() -> c_int {
    answer(main_thread::require().and_then(|()| pump::run()))
}

/// What the last handler that refused has returned, and for which signal. Like errno it is there to be read after
/// RSIG_ERROR_HANDLER, and stays until the next refusal. (Python: the exception.)
///
/// @param signum  room for the signal's number; may be NULL
/// @return the handler's value, never 0 after a refusal; 0, and 0 for the number, where none has refused yet
///
/// Any thread. Async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_raised(signum: *mut c_int) -> c_int {
    let (number, value) = raised::get();
    // SAFETY: NULL or room, by contract.
    unsafe { store(signum, number) };
    value
}

/// Sets who hears what went wrong where no caller could be told: the wakeup fd failed, or a handler was removed while
/// its signal was pending. The hook runs as ordinary code, with no lock of rsig's held, on the thread that pumps,
/// that sets another wakeup fd, or that calls rsig_fini(), which forgets it.
///
/// @param hook  a function; NULL for the default, a line on the standard error stream
/// @param arg   passed to the hook
/// @return RSIG_OK; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_set_warning_hook(hook: rsig_warning_hook_t, arg: *mut c_void) -> c_int {
    status(warning::set_hook(Hook::new(hook, arg)))
}
