//! The word by which a delivery ends the main thread's system call: both kinds of `stub` look at it, then the call begins.

use crate::async_safe::atomic::{AtomicUsize, Ordering};

/// Whether the call is to end.
pub(crate) static INTERRUPT: AtomicUsize = AtomicUsize::new(0);

/// The next call is not to end.
pub(crate) fn allow() {
    // SeqCst: what makes it end after this is in what the caller looks at next, or seen by the stub, or interrupts.
    INTERRUPT.store(0, Ordering::SeqCst);
}

/// The call is to end, or not to begin.
pub(crate) fn interrupt() {
    // SeqCst: the handler's half of Dekker, see `call`.
    INTERRUPT.store(1, Ordering::SeqCst);
}

pub(crate) fn is_interrupted() -> bool {
    // SeqCst: for a stub that looks by this, the other half: not before the call is known to handlers.
    INTERRUPT.load(Ordering::SeqCst) != 0
}
