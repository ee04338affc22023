//! rsig_die.

use super::status;
use crate::runtime::die;
use libc::c_int;

/// Ends the process by a signal's default action, whatever its disposition and the mask, so that its parent sees of which
/// it died: WIFSIGNALED() and WTERMSIG(), and a shell 128 + signum. What a program owes its parent that has cleaned up
/// after SIGINT or SIGTERM.
///
/// As with any death by signal, no atexit function runs and stdio is not flushed: fflush() before. A signal whose default
/// action dumps core does so, as the system is set up. Where the kernel does not let the signal kill, as it does not in
/// process 1 of a container, the process ends by _exit(128 + signum).
///
/// @param signum  a signal whose default action ends a process: of rsig_valid_signals() all but SIGCHLD, SIGCONT, SIGURG,
///                SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU
/// @return only on failure: RSIG_ERROR_VALUE for any other number, and then nothing is changed
///
/// Any thread, before rsig_init() too. Async-signal-safe with a number that is right, and then also right in a vfork()ed
/// child.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_die(signum: c_int) -> c_int {
    status(die::die(signum).map(|never| match never {}))
}
