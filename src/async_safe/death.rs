//! Dying of a signal, so that the parent sees of which.

use crate::sys::action::{self, Disposition};
use crate::sys::{mask, process, sigset, thread};
use libc::c_int;

/// Each step may fail, where it was not needed (SIGKILL has its default action always) or is forbidden; what then does not
/// kill leaves the exit status by which a shell would have told of the signal.
pub(crate) fn of(signum: c_int) -> ! {
    let _ = action::set(signum, &Disposition::plain(libc::SIG_DFL));
    let _ = mask::change(libc::SIG_UNBLOCK, sigset::one(signum));
    let _ = thread::kill_self(signum);
    process::exit_now(signum.saturating_add(128))
}
