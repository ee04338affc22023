//! Ends the main thread's wait when a signal lands, be it on another thread.
//!
//! The waiting thread and the handler each write their own word, then read the other's: one of them must
//! see the other (Dekker). So no delivery can fall between the last look at the pending signals and the
//! wait, and while nobody waits nobody pays for a system call.

use crate::sys::eventfd;
use libc::c_int;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// The descriptor to raise, or -1 while nobody waits.
static ARMED: AtomicI32 = AtomicI32::new(-1);
/// How many handlers may be about to write to what they read there.
static WRITERS: AtomicU32 = AtomicU32::new(0);

/// From now on each delivery makes `fd` readable. The caller looks at the pending signals after this.
pub(crate) fn arm(fd: c_int) {
    // SeqCst: our half of Dekker; the store must not pass the caller's load of the pending signals.
    ARMED.store(fd, Ordering::SeqCst);
}

pub(crate) fn disarm() {
    // SeqCst: must not pass the load in `is_idle`.
    ARMED.store(-1, Ordering::SeqCst);
}

/// After `disarm`: whether the descriptor can be closed, as no handler will write to it any more.
pub(crate) fn is_idle() -> bool {
    // SeqCst: a handler that counts itself after this sees the store of `disarm`.
    WRITERS.load(Ordering::SeqCst) == 0
}

/// In a forked child, where the parent's other threads do not exist.
pub(crate) fn reset() {
    disarm();
    // Relaxed: there is one thread.
    WRITERS.store(0, Ordering::Relaxed);
}

/// The low-level handler's half: the delivery has been recorded before.
pub(crate) fn wake() {
    // SeqCst: the load must not pass the store of the tripped bit.
    if ARMED.load(Ordering::SeqCst) < 0 {
        return;
    }
    // SeqCst: counted before the descriptor is read, so that `is_idle` speaks the truth.
    WRITERS.fetch_add(1, Ordering::SeqCst);
    match ARMED.load(Ordering::SeqCst) {
        -1 => {}
        fd => eventfd::raise(fd),
    }
    // Release: the write is done before the descriptor may be closed. A fork in a handler that interrupted
    // this one has set the number to 0 in the child, and it must not wrap.
    let _ = WRITERS.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
}
