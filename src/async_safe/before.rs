//! What the process had before rsig_init(), and how a child gets it back between fork and exec.
//!
//! A vfork()ed child runs in its parent's memory, which is in use: so putting back reads here and writes nothing, while
//! other threads of the parent may be writing.

use crate::async_safe::atomic::{AtomicU64, Ordering};
use crate::async_safe::displaced::Notes;
use crate::async_safe::handler;
use crate::sys::action::{self, Disposition};
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::{mask, signals};
use libc::c_int;
use nix::errno::Errno;

/// What rsig found where it first touched a signal since init. Not `displaced`, which is what it found last, and which
/// outlives fini.
static FOUND: Notes = Notes::new();
/// The mask of the thread that called rsig_init() first.
static MASK: AtomicU64 = AtomicU64::new(0);

pub(crate) fn get(signum: c_int) -> Option<&'static Disposition> {
    FOUND.get(signum)
}

/// Before the disposition changes: a child that another thread makes in between must not be left with rsig's.
pub(crate) fn note(signum: c_int, disposition: Option<&'static Disposition>) {
    FOUND.note(signum, disposition);
}

pub(crate) fn set_mask(mask: rsig_sigset_t) {
    // Relaxed: stored before anyone can see rsig initialised.
    MASK.store(mask, Ordering::Relaxed);
}

/// Puts back the dispositions, then the calling thread's mask: what is pending finds the old disposition. All of it, also
/// where some of it fails.
pub(crate) fn put_back() -> Result<(), Errno> {
    let mut result = Ok(());
    for signum in 1..=signals::MAX {
        if let Some(found) = get(signum) {
            result = result.and(put_back_one(signum, found));
        }
    }
    // Relaxed: as above.
    result.and(mask::change(libc::SIG_SETMASK, MASK.load(Ordering::Relaxed)).map(|_| ()))
}

/// A function that somebody has installed over rsig's stays: exec resets it anyway. SIG_IGN it would not reset.
fn put_back_one(signum: c_int, found: &Disposition) -> Result<(), Errno> {
    let now = action::get(signum)?;
    if handler::is_own(&now) || matches!(now.handler(), libc::SIG_DFL | libc::SIG_IGN) {
        action::set(signum, found)?;
    }
    Ok(())
}
