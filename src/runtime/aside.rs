//! A signal that the main thread has accepted, set aside while handlers run: one that refuses must not cost it.
//!
//! Not on the stack, as a handler can leave by throwing or by longjmp(). Whatever of rsig's the main thread calls before it is taken
//! again, in that handler or after it has left, first makes it pending again.

use crate::async_safe::share::Shared;
use crate::sys::wait::Accepted;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_THERE: AtomicBool = AtomicBool::new(false);
static PLACE: Shared<Option<Accepted>> = Shared::new(None);

pub(crate) fn is_there() -> bool {
    // Relaxed: the main thread's own.
    IS_THERE.load(Ordering::Relaxed)
}

/// There is none yet.
pub(crate) fn set(accepted: Accepted) {
    // SAFETY: the main thread's alone while nothing is there.
    unsafe { PLACE.write(Some(accepted)) };
    // Release: pairs with `take`, where another thread has become the main one.
    IS_THERE.store(true, Ordering::Release);
}

pub(crate) fn take() -> Option<Accepted> {
    // Acquire: pairs with `set`.
    if !IS_THERE.swap(false, Ordering::Acquire) {
        return None;
    }
    // SAFETY: whoever has made it false may read it, until a next one is set.
    unsafe { PLACE.read() }
}
