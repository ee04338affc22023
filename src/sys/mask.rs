//! The calling thread's signal mask, and what is pending for it.

use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;
use nix::errno::Errno;
use std::mem::MaybeUninit;

/// pthread_sigmask(3): the mask before.
pub(crate) fn change(how: c_int, set: rsig_sigset_t) -> Result<rsig_sigset_t, Errno> {
    let allowed = if signals::CALLERS_KEEP_OFF { signals::valid() } else { rsig_sigset_t::MAX };
    let new = sigset::to_posix(set & allowed);
    let mut old = sigset::to_posix(0);
    // SAFETY: both are whole sets on this stack.
    match unsafe { libc::pthread_sigmask(how, &new, &mut old) } {
        0 => Ok(sigset::from_posix(&old)),
        code => Err(Errno::from_raw(code)),
    }
}

/// The mask now.
pub(crate) fn get() -> Result<rsig_sigset_t, Errno> {
    change(libc::SIG_BLOCK, 0)
}

/// sigpending(2): blocked and waiting, for the thread or the process.
pub(crate) fn pending() -> Result<rsig_sigset_t, Errno> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is room for a whole set, which a zeroed one already is.
    Errno::result(unsafe { libc::sigpending(set.as_mut_ptr()) })?;
    // SAFETY: as above.
    Ok(sigset::from_posix(unsafe { set.assume_init_ref() }))
}
