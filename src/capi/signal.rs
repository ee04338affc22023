//! rsig_signal, rsig_getsignal, rsig_siginterrupt, rsig_default_int_handler.

use super::{require, status, store};
use crate::runtime::dispositions;
use crate::runtime::handler::{rsig_action_t, rsig_handler_t};
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::runtime::{init, main_thread};
use libc::{c_int, c_void};

/// Sets the handler of a signal. From then on a delivery, on whichever thread, is recorded, and rsig_pump() calls
/// the handler on the main thread. The handler stays until it is changed, and the signal interrupts system calls
/// (see rsig_siginterrupt()). Handlers that are pending run before the change.
///
/// Who calls sigaction() over rsig's handler may put that back later, or pass signals on to it: then the function runs again that
/// it stood for, also where rsig_signal() has set another action over theirs meanwhile. So where others use the signal, a function and its arg
/// must stay valid until rsig_fini().
///
/// A SIGSEGV, SIGBUS, SIGFPE or SIGILL that the processor raised cannot be deferred: rsig then puts back the
/// disposition that it found, and the instruction faults again into that one. Sent by kill() they are deferred
/// like any other. A system call that a seccomp filter answers with SIGSYS (SECCOMP_RET_TRAP) fails with ENOSYS, on x86 and aarch64,
/// as a handler that runs later cannot make its result; one of somebody else's that is called as well makes it alone.
///
/// @param signum   1 to NSIG-1
/// @param handler  a function; RSIG_DFL for the default action; RSIG_IGN to ignore; RSIG_FOREIGN, with its arg, to
///                 restore what rsig_getsignal() or `old` has shown
/// @param arg      passed to the handler
/// @param old      room for the action before, as rsig_getsignal() tells it; may be NULL
/// @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range, or for RSIG_FOREIGN with an arg that rsig did not
///         give, or for SIG_ERR; RSIG_ERROR_OS with EINVAL for SIGKILL, SIGSTOP and the C library's own real-time signals, or
///         ENOMEM; RSIG_ERROR_HANDLER if a pending handler refused, and then nothing is changed; RSIG_ERROR_THREAD;
///         RSIG_ERROR_STATE
///
/// Main thread only. Not async-signal-safe. See sigaction(2).
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_signal(
    signum: c_int,
    handler: rsig_handler_t,
    arg: *mut c_void,
    old: *mut rsig_action_t,
) -> c_int {
    let result = dispositions::set_action(signum, rsig_action_t { handler, arg });
    // SAFETY: NULL or room, by contract.
    status(result.map(|before| unsafe { store(old, before) }))
}

/// Tells what a signal does now. It asks the kernel, so it is right after somebody else has called sigaction().
///
/// @param signum  1 to NSIG-1
/// @param action  room for the handler and its arg: a function that rsig_signal() has set; RSIG_DFL; RSIG_IGN; or
///                RSIG_FOREIGN for a handler that is not rsig's (Python: None), of which each other one is remembered
///                until the process ends
/// @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range or a NULL action; RSIG_ERROR_OS with EINVAL for the C
///         library's own real-time signals, or ENOMEM; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_getsignal(signum: c_int, action: *mut rsig_action_t) -> c_int {
    let result = main_thread::require_init()
        .and_then(|()| require(action, "action"))
        .and_then(|()| dispositions::get_action(signum));
    // SAFETY: NULL or room, by contract.
    status(result.map(|now| unsafe { store(action, now) }))
}

/// Whether a signal interrupts system calls (EINTR) or lets them go on. rsig_signal() makes it interrupt again.
/// Like siginterrupt(3), it works on whatever handler the signal has.
///
/// @param signum  1 to NSIG-1
/// @param flag    0: system calls are restarted after the low-level handler (SA_RESTART); otherwise: they are
///                interrupted
/// @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range; RSIG_ERROR_OS with EINVAL for SIGKILL, SIGSTOP and the
///         C library's own real-time signals, or ENOMEM; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_siginterrupt(signum: c_int, flag: c_int) -> c_int {
    status(dispositions::set_interrupting(signum, flag != 0))
}

/// The handler of SIGINT after rsig_init(): refuses with RSIG_KEYBOARD_INTERRUPT, where Python's raises
/// KeyboardInterrupt. May be given to rsig_signal() for any signal.
///
/// @param signum  ignored
/// @param info    ignored; may be NULL
/// @param arg     ignored
/// @return RSIG_KEYBOARD_INTERRUPT
///
/// Any thread. Async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_default_int_handler(
    signum: c_int,
    info: *const rsig_siginfo_t,
    arg: *mut c_void,
) -> c_int {
    let _ = (signum, info, arg);
    init::RSIG_KEYBOARD_INTERRUPT
}
