//! rsig_restore_signals.

use super::status;
use crate::runtime::child;
use libc::c_int;

/// Gives a child, between fork() and exec, the signals that the process had before rsig_init(), so that the program which
/// it executes does not start with SIGPIPE ignored, or with the parent's mask. (Python: subprocess's restore_signals.)
///
/// Each signal that rsig has touched gets the disposition that rsig found there first, where it now has rsig's handler, is
/// ignored, or has its default action: what the program itself made of it meanwhile, by rsig_signal(signum, RSIG_IGN) too,
/// is undone, so ignore in the child after this what the new program shall ignore. A function that somebody else has
/// installed over rsig's stays, and so does what rsig has never touched; exec resets functions to the default action. Then
/// the calling thread's mask becomes that of the thread that called the first rsig_init(), as it was at that moment: a
/// signal that was held back until now finds the old dispositions. In a signal handler the mask is that until the handler
/// returns.
///
/// It writes no memory but errno, not even a message on failure, and may therefore be called in a vfork()ed child, whose
/// memory is the parent's; the parent's signals stay as they are. Until this has returned, a signal that the child gets
/// would run rsig's handler, or the program's own, in the parent's memory: so block all signals before vfork(), and let the
/// parent unblock them after it; in the child, this does. The same is wise before fork().
///
/// The child then executes or dies (rsig_die(), _exit()). In one that fork() made and that goes on instead, rsig is
/// initialised still, and no signal has a handler of rsig's.
///
/// @return RSIG_OK; RSIG_ERROR_STATE; RSIG_ERROR_OS with the system's errno where it has refused something, and then the
///         rest is put back all the same
///
/// Any thread, while no other one is in rsig_init() or rsig_fini(). Async-signal-safe. No rsig_error_message().
#[unsafe(no_mangle)]
pub extern "C" fn rsig_restore_signals() -> c_int {
    status(child::restore_signals())
}
