//! What ordinary threads share, behind one lock.
//!
//! The lock is the standard library's, on Linux a single futex word: a forked child can release it whatever
//! the threads that no longer exist were doing. (A parking_lot mutex cannot promise that: its waiters queue in
//! a table with locks of its own, which a fork can catch locked.) It is never held while code of the user's runs, and
//! never where the allocator or the loader is asked for something: fork() takes it when it may hold their locks already.

use crate::async_safe::channel::MAX;
use crate::async_safe::notify::Notify;
use crate::runtime::dispositions::Entry;
use crate::runtime::kept::Kept;
use crate::runtime::warning::Hook;
use crate::runtime::{channel, error};
use crate::sys::action::Disposition;
use crate::sys::signals;
use libc::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct State {
    /// How many rsig_init() calls have no rsig_fini() yet.
    pub(crate) users: u32,
    pub(crate) entries: [Entry; signals::COUNT],
    /// Dispositions that rsig found and may have to put back. Their addresses are what RSIG_FOREIGN's `arg` is. A process
    /// has few of them.
    pub(crate) saved: Kept<Disposition>,
    pub(crate) notifies: Kept<Notify>,
    pub(crate) warning: Hook,
    /// By place.
    pub(crate) channels: [Option<channel::Kept>; MAX],
    /// rsig_fd()'s, -1 until somebody asks for it.
    pub(crate) waker_fd: c_int,
}

static STATE: Mutex<State> = Mutex::new(State {
    users: 0,
    entries: [const { Entry::NEW }; signals::COUNT],
    saved: Kept::NONE,
    notifies: Kept::NONE,
    warning: Hook::DEFAULT,
    channels: [const { None }; MAX],
    waker_fd: -1,
});

pub(crate) fn lock() -> MutexGuard<'static, State> {
    error::make_place();
    lock_for_fork()
}

/// Allocates nothing.
pub(crate) fn lock_for_fork() -> MutexGuard<'static, State> {
    // Nothing panics while it is held; and if it did, each field would be valid still.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
