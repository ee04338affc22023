//! A signal that the main thread has accepted, set aside while handlers run: one that refuses must not cost it.
//!
//! Not on the stack, as a handler can leave by throwing or by longjmp(). Whatever of rsig's the thread calls before it is taken
//! again, in that handler or after it has left, first makes it pending again.

use crate::async_safe::share::Shared;
use crate::sys::thread;
use crate::sys::wait::Accepted;
use nix::errno::Errno;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

/// The thread that has set it aside, as pthread_self() has it; 0: nothing is there.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// The same as the kernel numbers it.
static OWNER_ID: AtomicI32 = AtomicI32::new(0);
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
    // Relaxed, both: for this very thread, or one that finds this one ended.
    OWNER_ID.store(thread::id(), Ordering::Relaxed);
    OWNER.store(thread::current() as usize, Ordering::Relaxed);
    Some(Ticket(number))
}

pub(crate) fn take(ticket: &Ticket) -> Option<Accepted> {
    // Relaxed: as above.
    if NUMBER.load(Ordering::Relaxed) == ticket.0 { take_own() } else { None }
}

pub(crate) fn take_own() -> Option<Accepted> {
    if is_own() { take_any() } else { None }
}

fn take_any() -> Option<Accepted> {
    // SAFETY: it is there, and the calling thread's, or nobody's.
    let accepted = unsafe { PLACE.read() };
    // Release: pairs with `set`.
    OWNER.store(0, Ordering::Release);
    accepted
}

/// What a thread has left that has ended.
pub(crate) fn take_left() -> Option<Accepted> {
    // Acquire: pairs with `set`. Relaxed: asked when the owner may be gone, and is right if it is.
    let is_left = OWNER.load(Ordering::Acquire) != 0
        && thread::kill_by_id(OWNER_ID.load(Ordering::Relaxed), 0) == Err(Errno::ESRCH);
    is_left.then(take_any).flatten()
}

/// In a forked child, which has none.
pub(crate) fn forget() {
    // Relaxed: there is one thread.
    OWNER.store(0, Ordering::Relaxed);
}
