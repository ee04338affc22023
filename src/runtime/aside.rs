//! A signal that the main thread has accepted, set aside while handlers run: one that refuses must not cost it.
//!
//! Not on the stack, as a handler can leave by throwing or by longjmp(). Whatever of rsig's the thread calls before it is taken
//! again, in that handler or after it has left, first makes it pending again.

use crate::async_safe::share::Shared;
use crate::sys::thread;
use crate::sys::wait::Accepted;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The thread that has set it aside, as pthread_self() has it; 0: nothing is there.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// Which it is: each has another number.
static NUMBER: AtomicU64 = AtomicU64::new(0);
static PLACE: Shared<Option<Accepted>> = Shared::new(None);

/// By which whoever has set one aside takes that one, and no other.
pub(crate) struct Ticket(u64);

/// Whether there is one of the calling thread's.
pub(crate) fn is_own() -> bool {
    // Relaxed: for this very thread.
    OWNER.load(Ordering::Relaxed) == thread::current() as usize
}

/// None where another thread, which was the main one before, still has one there.
pub(crate) fn set(accepted: Accepted) -> Option<Ticket> {
    // Acquire: pairs with `take_own`.
    if OWNER.load(Ordering::Acquire) != 0 {
        return None;
    }
    // Relaxed: the main thread's own.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    // SAFETY: the main thread's alone while nothing is there.
    unsafe { PLACE.write(Some(accepted)) };
    // Relaxed: for this very thread.
    OWNER.store(thread::current() as usize, Ordering::Relaxed);
    Some(Ticket(number))
}

pub(crate) fn take(ticket: &Ticket) -> Option<Accepted> {
    // Relaxed: as above.
    if NUMBER.load(Ordering::Relaxed) == ticket.0 { take_own() } else { None }
}

pub(crate) fn take_own() -> Option<Accepted> {
    if !is_own() {
        return None;
    }
    // SAFETY: it is there, and the calling thread's.
    let accepted = unsafe { PLACE.read() };
    // Release: pairs with `set`.
    OWNER.store(0, Ordering::Release);
    accepted
}

/// In a forked child, which has none.
pub(crate) fn forget() {
    // Relaxed: there is one thread.
    OWNER.store(0, Ordering::Relaxed);
}
