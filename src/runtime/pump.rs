//! The pump: runs, as ordinary code on the main thread, the handlers of what was delivered.
//!
//! A handler may leave by C++ exception or longjmp(), straight through the frames below. So while it runs no
//! lock is held, nothing waits to be dropped, and everything is already as the next pump must find it.

use crate::async_safe::pending::{self, PENDING};
use crate::async_safe::slot::Batch;
use crate::async_safe::waker::WAKER;
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::runtime::warning::{self, Hook};
use crate::runtime::{call, main_thread, raised, told, wakeup};
use crate::sys::signals::{self, Named};
use crate::sys::sigset;
use libc::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

/// One pass over what is tripped now, in ascending order; how many handlers ran. The caller is the main
/// thread.
pub(crate) fn run() -> Result<c_int> {
    if is_idle() { Ok(0) } else { run_pass() }
}

/// Nothing to run, to tell or to put right: what a loop asks most of the time.
pub(crate) fn is_idle() -> bool {
    !pending::is_tripped() && !call::is_unsettled() && !wakeup::has_failed() && !WAKER.is_armed()
}

fn run_pass() -> Result<c_int> {
    call::clear_abandoned();
    wakeup::tell_failure();
    if !pending::is_tripped() {
        WAKER.settle(pending::is_tripped);
    }
    run_tripped()
}

/// The pump of functions that run pending handlers before they return: on the main thread only.
pub(crate) fn run_if_main() -> Result<c_int> {
    if main_thread::is_current() { run() } else { Ok(0) }
}

/// The pass alone. It ends where a handler, or another thread meanwhile, has made that the main one, or rsig_fini() was called: what
/// is left is not this thread's.
#[inline(never)]
pub(crate) fn run_tripped() -> Result<c_int> {
    let tripped = PENDING.tripped();
    // Relaxed: the main thread's own.
    let began = TAKEN.load(Ordering::Relaxed);
    let mut ran: c_int = 0;
    let mut signum = sigset::next(tripped, 0);
    while signum != 0 && main_thread::is_current() {
        // A nested pump, or a fork in a handler, may have left nothing of what was tripped; and what has been
        // delivered since a nested pump ran the handler waits for the next pass.
        if !taken_since(began, signum)
            && let Some(batch) = take(signum)
        {
            WAKER.settle(pending::is_tripped);
            ran = ran.saturating_add(run_one(signum, &batch)?);
        }
        signum = sigset::next(tripped, signum);
    }
    Ok(ran)
}

/// How many batches have been taken, and at which number each signal's last one was. Written by the main thread alone, and
/// right even where a handler leaves by throwing.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static LAST: [AtomicU64; signals::COUNT] = [const { AtomicU64::new(0) }; signals::COUNT];

fn last(signum: c_int) -> Option<&'static AtomicU64> {
    LAST.get(signals::index(signum)?)
}

fn taken_since(began: u64, signum: c_int) -> bool {
    // Relaxed: the main thread's own.
    last(signum).is_some_and(|last| last.load(Ordering::Relaxed) > began)
}

fn take(signum: c_int) -> Option<Batch> {
    // Relaxed: as above.
    let number = TAKEN.load(Ordering::Relaxed).wrapping_add(1);
    TAKEN.store(number, Ordering::Relaxed);
    if let Some(last) = last(signum) {
        last.store(number, Ordering::Relaxed);
    }
    PENDING.take(signum)
}

fn run_one(signum: c_int, batch: &Batch) -> Result<c_int> {
    let action = told::now(signum).unwrap_or(rsig_action_t::DEFAULT);
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

/// How often each signal was delivered for which no pump will come.
pub(crate) struct Dropped([u32; signals::COUNT]);

impl Dropped {
    pub(crate) fn take() -> Self {
        let mut counts = [0; signals::COUNT];
        for (count, signum) in counts.iter_mut().zip(1..) {
            *count = PENDING.take(signum).map_or(0, |batch| batch.count);
        }
        Self(counts)
    }

    /// No lock may be held.
    pub(crate) fn warn(&self, hook: Hook) {
        for (&count, signum) in self.0.iter().zip(1..) {
            if count > 0 {
                warn_dropped(hook, signum, count);
            }
        }
    }
}
