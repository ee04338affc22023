//! What rsig itself has put in place of its own handler, and so knows again: a function that it has displaced, put back with the
//! state's lock or for a fault; or SIG_DFL and SIG_IGN, to which the handler leaves a signal when rsig has no more use for it.

use crate::async_safe::atomic::{AtomicUsize, Ordering};
use crate::sys::action::Disposition;
use crate::sys::signals;
use libc::{c_int, sighandler_t};

type BySignal = [AtomicUsize; signals::COUNT];

fn place(of: &'static BySignal, signum: c_int) -> Option<&'static AtomicUsize> {
    of.get(signals::index(signum)?)
}

/// For each signal, the function that rsig itself has put back last.
static GIVEN_BACK: BySignal = [const { AtomicUsize::new(0) }; signals::COUNT];

/// Before `disposition` takes the place of rsig's handler. Deliveries that are on their way through that will find it there.
pub(crate) fn give_back(signum: c_int, disposition: &Disposition) {
    if let Some(place) = place(&GIVEN_BACK, signum).filter(|_| disposition.is_function()) {
        // Relaxed, and so in `notice`: stored before the kernel, which has a lock of its own, is told.
        place.store(disposition.handler(), Ordering::Relaxed);
        notice(signum, 0);
    }
}

/// Whether rsig itself has put it there, as far as it can tell.
pub(crate) fn is_given_back(signum: c_int, handler: sighandler_t) -> bool {
    // Relaxed: see `give_back`.
    place(&GIVEN_BACK, signum).is_some_and(|place| place.load(Ordering::Relaxed) == handler)
}

/// For each signal, what rsig's handler leaves it to by itself (see `handler`), and at which level: while it does so, and what it
/// has left it to last, until rsig puts something else there.
static LEAVES: BySignal = [const { AtomicUsize::new(0) }; signals::COUNT];
static LEFT: BySignal = [const { AtomicUsize::new(0) }; signals::COUNT];

/// SIG_DFL or SIG_IGN: one bit, and one that tells that there is something.
const LEFT_BITS: u32 = 2;

/// Has `replace` put `plain` there; whether nobody else was there. Meanwhile and afterwards, `left` knows it for rsig's own.
pub(crate) fn leave(
    signum: c_int,
    level: usize,
    plain: &Disposition,
    replace: impl FnOnce() -> bool,
) {
    let (Some(leaves), Some(left)) = (place(&LEAVES, signum), place(&LEFT, signum)) else { return };
    let is_ignored = usize::from(plain.handler() == libc::SIG_IGN);
    let word = level << LEFT_BITS | is_ignored << 1 | 1;
    // Relaxed, all: before the kernel, which has a lock of its own, is told, or after it has told.
    leaves.store(word, Ordering::Relaxed);
    if replace() {
        left.store(word, Ordering::Relaxed);
    }
    // Release: pairs with `left`, so that who does not see it any more sees the other.
    leaves.store(0, Ordering::Release);
}

/// Before rsig puts something else there. What is to be given to `set_left` where that fails.
pub(crate) fn take_left(signum: c_int) -> usize {
    // Relaxed, here and below: the word is all there is to see.
    place(&LEFT, signum).map_or(0, |left| left.swap(0, Ordering::Relaxed))
}

pub(crate) fn set_left(signum: c_int, taken: usize) {
    if let Some(left) = place(&LEFT, signum) {
        // Where a handler has left it meanwhile, that counts.
        let _ = left.compare_exchange(0, taken, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The level, where it is `found`.
pub(crate) fn left(signum: c_int, found: &Disposition) -> Option<usize> {
    let level = |word: usize| {
        let handler = if word & 2 != 0 { libc::SIG_IGN } else { libc::SIG_DFL };
        (word != 0 && found.handler() == handler).then_some(word >> LEFT_BITS)
    };
    // In this order, by acquire: it is in one of them at any time.
    let leaves = level(place(&LEAVES, signum)?.load(Ordering::Acquire));
    leaves.or_else(|| level(place(&LEFT, signum)?.load(Ordering::Relaxed)))
}

/// For each signal, the last fault that came to rsig's handler after a function was put back.
static NOTICED: BySignal = [const { AtomicUsize::new(0) }; signals::COUNT];

/// Whether the last that was noticed was another one, since rsig has put something back.
pub(crate) fn notice(signum: c_int, fault: usize) -> bool {
    // Relaxed: as above; a thread that comes round finds what it has stored itself.
    place(&NOTICED, signum).is_some_and(|last| last.swap(fault, Ordering::Relaxed) != fault)
}
