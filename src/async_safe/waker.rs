//! The descriptor that is readable while something is tripped: rsig_fd()'s, and what the main thread's own waits sleep on.
//!
//! Whoever waits and the handler each write their own word, then read the other's: one of them must see the other
//! (Dekker). So no delivery can fall between the last look at the pending signals and the wait, and while nobody waits
//! nobody pays for a system call.
//!
//! One delivery of a batch writes: the one that found nothing tripped before it. But a writer can be slow, or never come
//! back (a foreign handler that interrupted it can siglongjmp out), so while any is on its way the others write too.

use crate::async_safe::pending::PENDING;
use crate::sys::eventfd;
use libc::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// The descriptor, or -1 while nobody waits.
static ARMED: AtomicI32 = AtomicI32::new(-1);
/// Whether it stays armed, as rsig_fd() has given it away.
static MANAGED: AtomicBool = AtomicBool::new(false);
/// How many deliveries are on their way to it.
static WRITERS: AtomicU32 = AtomicU32::new(0);
/// How many writes have begun, and of how many it is known that they have been read back.
static WRITTEN: AtomicU32 = AtomicU32::new(0);
static READ: AtomicU32 = AtomicU32::new(0);

/// From now on deliveries make `fd` readable. The caller looks at the pending signals after this.
pub(crate) fn arm(fd: c_int) {
    // SeqCst: our half of Dekker; the store must not pass the caller's load of the pending signals.
    ARMED.store(fd, Ordering::SeqCst);
}

/// Deliveries leave the descriptor alone from now on.
pub(crate) fn disarm() {
    // SeqCst: must pass neither the load in `is_idle` nor that in `stand_down`.
    ARMED.store(-1, Ordering::SeqCst);
}

/// After a wait for `fd`, which stays armed where it is managed: also where rsig_fd() on another thread makes it so just now.
pub(crate) fn stand_down(fd: c_int) {
    if is_managed() {
        return;
    }
    disarm();
    if is_managed() {
        arm(fd);
        lower(fd);
    }
}

pub(crate) fn is_managed() -> bool {
    // SeqCst: not before the store of `disarm`, see `stand_down`.
    MANAGED.load(Ordering::SeqCst)
}

/// Before the descriptor is armed.
pub(crate) fn set_managed(managed: bool) {
    // SeqCst: not after the store of `arm`, see `stand_down`.
    MANAGED.store(managed, Ordering::SeqCst);
}

/// After `disarm`: whether the descriptor can be closed, as no delivery will write to it any more.
pub(crate) fn is_idle() -> bool {
    // SeqCst: a delivery that counts itself after this sees the store of `disarm`.
    WRITERS.load(Ordering::SeqCst) == 0
}

/// In a forked child, where the parent's other threads do not exist.
pub(crate) fn reset() {
    // Relaxed: there is one thread.
    WRITERS.store(0, Ordering::Relaxed);
    READ.store(WRITTEN.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Records a delivery by `record`, which tells whether nothing was tripped before, and makes the descriptor readable.
pub(crate) fn deliver(record: impl FnOnce() -> bool) {
    // Relaxed: one that is armed later is seen below.
    let mut counted = ARMED.load(Ordering::Relaxed) >= 0;
    if counted {
        // SeqCst: counted before anything is recorded.
        WRITERS.fetch_add(1, Ordering::SeqCst);
    }
    let first = record();
    // SeqCst: the handler's half of Dekker; not before the tripped bit is set.
    if ARMED.load(Ordering::SeqCst) >= 0 {
        if !counted {
            // SeqCst: counted before the descriptor is read.
            WRITERS.fetch_add(1, Ordering::SeqCst);
            counted = true;
        }
        // SeqCst: both after the count, so that `is_idle` speaks the truth, and of two each sees the other.
        let fd = ARMED.load(Ordering::SeqCst);
        let alone = WRITERS.load(Ordering::SeqCst) == 1;
        if fd >= 0 && (first || !alone) {
            // Relaxed: `lower` reads it after WRITERS.
            WRITTEN.fetch_add(1, Ordering::Relaxed);
            eventfd::raise(fd);
        }
    }
    if counted {
        // Release: all of the above is done before the descriptor may be closed. A fork in a handler that interrupted
        // this one has set the number to 0 in the child, and it must not wrap.
        let _ = WRITERS.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
    }
}

/// Makes the descriptor unreadable, unless something is tripped. The main thread's, when nothing is.
pub(crate) fn lower(fd: c_int) {
    // Acquire: what the counted ones have written is in WRITTEN.
    let quiet = WRITERS.load(Ordering::Acquire) == 0;
    let written = WRITTEN.load(Ordering::Relaxed);
    eventfd::lower(fd);
    if quiet {
        // Relaxed: the main thread's own.
        READ.store(written, Ordering::Relaxed);
    }
    if PENDING.tripped() != 0 {
        // What was delivered meanwhile may have been read back with the rest. Relaxed: the main thread's own.
        WRITTEN.fetch_add(1, Ordering::Relaxed);
        eventfd::raise(fd);
    }
}

/// When the pump has taken something, or found nothing: keeps the managed descriptor readable exactly while something is tripped. Costs no system
/// call where nothing was written.
pub(crate) fn settle() {
    // Relaxed: the main thread's own; a write that comes later is seen the next time.
    let fd = ARMED.load(Ordering::Relaxed);
    let unread = || {
        // Acquire: see `lower`.
        WRITERS.load(Ordering::Acquire) != 0
            || WRITTEN.load(Ordering::Relaxed) != READ.load(Ordering::Relaxed)
    };
    if is_managed() && PENDING.tripped() == 0 && unread() {
        lower(fd);
    }
}
