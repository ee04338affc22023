//! What rsig found in place of its own handler, where the handler itself can read it.
//!
//! Others may come over rsig's handler, and rsig over them, more than once. So rsig's handler has an address for each level,
//! which tells what this one has displaced: somebody who can have saved the addresses of the levels beneath, and no other. So
//! however they pass a signal on, by a call, or by putting back what they have displaced and raising it again, it goes down
//! one level at a time and ends at the lowest.
//!
//! There is an end to the levels. The highest serves all that come after, and then displaces somebody who may know it. So may
//! another that was free again, and is taken anew. Calls go down all the same (see `chain`), but whoever puts back and raises
//! again there would go round.

use crate::async_safe::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use crate::sys::action::Disposition;
use crate::sys::signals;
use crate::sys::sigset;
use libc::{c_int, sighandler_t};

/// How many handlers of rsig's there can be over each other, with somebody else's between them, and none of those passed over.
pub(crate) const LEVELS: usize = 8;
pub(crate) const HIGHEST: usize = LEVELS - 1;

static DISPLACED: [Notes; LEVELS] = [const { Notes::new() }; LEVELS];

/// What was there before rsig; none where rsig was never at this level of the signal.
pub(crate) fn get(signum: c_int, level: usize) -> Option<&'static Disposition> {
    DISPLACED.get(level)?.get(signum)
}

pub(crate) fn note(signum: c_int, level: usize, disposition: Option<&'static Disposition>) {
    if let (Some(notes), Some(signals)) = (DISPLACED.get(level), SEVERAL.get(level)) {
        let before = notes.get(signum);
        if before.is_some_and(|b| disposition.is_some_and(|now| now.handler() != b.handler())) {
            // Relaxed: there before the handler that it is about is displaced.
            signals.fetch_or(sigset::one(signum), Ordering::Relaxed);
        }
        notes.note(signum, disposition);
    }
}

/// Whether the level has displaced others before: so whom it displaces now may have saved its address then.
pub(crate) fn may_be_known(signum: c_int, level: usize) -> bool {
    // Relaxed: see `note`.
    SEVERAL
        .get(level)
        .is_some_and(|signals| signals.load(Ordering::Relaxed) & sigset::one(signum) != 0)
}

/// For each level, the signals for which there was more than one displaced.
static SEVERAL: [AtomicU64; LEVELS] = [const { AtomicU64::new(0) }; LEVELS];

/// For each signal, the function that rsig itself has put back last.
static GIVEN_BACK: [AtomicUsize; signals::COUNT] = [const { AtomicUsize::new(0) }; signals::COUNT];

fn given_back(signum: c_int) -> Option<&'static AtomicUsize> {
    GIVEN_BACK.get(signals::index(signum)?)
}

/// Before `disposition` takes the place of rsig's handler. Deliveries that are on their way through that will find it there.
pub(crate) fn give_back(signum: c_int, disposition: &Disposition) {
    if let Some(place) = given_back(signum).filter(|_| disposition.is_function()) {
        // Relaxed, and so in `notice`: stored before the kernel, which has a lock of its own, is told.
        place.store(disposition.handler(), Ordering::Relaxed);
        notice(signum, 0);
    }
}

/// Whether rsig itself has put it there, as far as it can tell.
pub(crate) fn is_given_back(signum: c_int, handler: sighandler_t) -> bool {
    // Relaxed: see `give_back`.
    given_back(signum).is_some_and(|place| place.load(Ordering::Relaxed) == handler)
}

/// For each signal, what rsig's handler leaves it to by itself (see `handler`), and at which level: while it does so, and what it
/// has left it to last, until rsig puts something else there.
static LEAVES: [AtomicUsize; signals::COUNT] = [const { AtomicUsize::new(0) }; signals::COUNT];
static LEFT: [AtomicUsize; signals::COUNT] = [const { AtomicUsize::new(0) }; signals::COUNT];

/// SIG_DFL or SIG_IGN: one bit, and one that tells that there is something.
const LEFT_BITS: u32 = 2;

/// Has `replace` put `plain` there; whether nobody else was there. Meanwhile and afterwards, `left` knows it for rsig's own.
pub(crate) fn leave(
    signum: c_int,
    level: usize,
    plain: &Disposition,
    replace: impl FnOnce() -> bool,
) {
    let place = |of: &'static [AtomicUsize]| of.get(signals::index(signum)?);
    let (Some(leaves), Some(left)) = (place(&LEAVES), place(&LEFT)) else { return };
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
    let place = signals::index(signum).and_then(|index| LEFT.get(index));
    place.map_or(0, |place| place.swap(0, Ordering::Relaxed))
}

pub(crate) fn set_left(signum: c_int, taken: usize) {
    if let Some(place) = signals::index(signum).and_then(|index| LEFT.get(index)) {
        // Where a handler has left it meanwhile, that counts.
        let _ = place.compare_exchange(0, taken, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The level, where it is `found`.
pub(crate) fn left(signum: c_int, found: &Disposition) -> Option<usize> {
    let index = signals::index(signum)?;
    let level = |word: usize| {
        let handler = if word & 2 != 0 { libc::SIG_IGN } else { libc::SIG_DFL };
        (word != 0 && found.handler() == handler).then_some(word >> LEFT_BITS)
    };
    // In this order: it is in one of them at any time.
    let leaves = level(LEAVES.get(index)?.load(Ordering::Acquire));
    leaves.or_else(|| level(LEFT.get(index)?.load(Ordering::Relaxed)))
}

/// For each signal, the last fault that came here after that.
static NOTICED: [AtomicUsize; signals::COUNT] = [const { AtomicUsize::new(0) }; signals::COUNT];

/// Whether the last that was noticed was another one, since rsig has put something back.
pub(crate) fn notice(signum: c_int, fault: usize) -> bool {
    let place = signals::index(signum).and_then(|index| NOTICED.get(index));
    place.is_some_and(|place| place.swap(fault, Ordering::Relaxed) != fault)
}

/// A disposition for each signal, or none.
pub(crate) struct Notes([AtomicPtr<Disposition>; signals::COUNT]);

impl Notes {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicPtr::new(std::ptr::null_mut()) }; signals::COUNT])
    }

    pub(crate) fn get(&self, signum: c_int) -> Option<&'static Disposition> {
        let place = self.0.get(signals::index(signum)?)?;
        // Acquire: pairs with `note`, so that the record behind the pointer is seen whole.
        let disposition = place.load(Ordering::Acquire);
        // SAFETY: NULL, or a record that `note` was given and that lives for ever.
        unsafe { disposition.as_ref() }
    }

    pub(crate) fn note(&self, signum: c_int, disposition: Option<&'static Disposition>) {
        let pointer =
            disposition.map_or(std::ptr::null_mut(), |d| std::ptr::from_ref(d).cast_mut());
        if let Some(place) = signals::index(signum).and_then(|index| self.0.get(index)) {
            // Release: pairs with `get`.
            place.store(pointer, Ordering::Release);
        }
    }
}
