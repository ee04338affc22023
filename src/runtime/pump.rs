//! The pump: runs, as ordinary code on the main thread, the handlers of what was delivered.
//!
//! A handler may leave by C++ exception or longjmp(), straight through the frames below. So while it runs no
//! lock is held, nothing waits to be dropped, and everything is already as the next pump must find it.

use crate::async_safe::pending::{Batch, PENDING};
use crate::runtime::dispositions;
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::Handler;
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::runtime::warning::{self, Hook};
use crate::runtime::{main_thread, raised, wakeup};
use crate::sys::signals::Named;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;

/// One pass over what is tripped now, in ascending order; how many handlers ran. The caller is the main
/// thread.
pub(crate) fn run() -> Result<c_int> {
    match PENDING.tripped() {
        0 => Ok(0),
        tripped => run_set(tripped),
    }
}

/// The pump of functions that run pending handlers before they return: on the main thread only.
pub(crate) fn run_if_main() -> Result<c_int> {
    if main_thread::is_current() { run() } else { Ok(0) }
}

fn run_set(tripped: rsig_sigset_t) -> Result<c_int> {
    wakeup::tell_failure();
    let mut ran: c_int = 0;
    let mut signum = sigset::next(tripped, 0);
    while signum != 0 {
        // A nested pump, or a fork in a handler, may have left nothing of what was tripped.
        if let Some(batch) = PENDING.take(signum) {
            ran = ran.saturating_add(run_one(signum, &batch)?);
        }
        signum = sigset::next(tripped, signum);
    }
    Ok(ran)
}

fn run_one(signum: c_int, batch: &Batch) -> Result<c_int> {
    let action = dispositions::action(signum);
    let Handler::Function(function) = action.handler() else {
        warn_dropped(warning::hook(), signum, batch.count);
        return Ok(0);
    };
    let info = rsig_siginfo_t::of_batch(signum, batch);
    // SAFETY: the user's own function, called as its type says, on the thread that rsig promised.
    match unsafe { function(signum, &info, action.arg) } {
        0 => Ok(1),
        value => {
            raised::note(signum, value);
            Err(Error::refused(signum, value))
        }
    }
}

/// Says that deliveries found no handler any more.
fn warn_dropped(hook: Hook, signum: c_int, count: u32) {
    let name = Named(signum);
    hook.warn(format_args!("{name} lost its handler before it could run: {count} delivered"));
}

/// Drops what is tripped, as no pump will come, and tells `hook`. No lock may be held.
pub(crate) fn drop_all(hook: Hook) {
    let tripped = PENDING.tripped();
    let mut signum = sigset::next(tripped, 0);
    while signum != 0 {
        if let Some(batch) = PENDING.take(signum) {
            warn_dropped(hook, signum, batch.count);
        }
        signum = sigset::next(tripped, signum);
    }
}
