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

use crate::async_safe::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::sys::action::Disposition;
use crate::sys::signals;
use crate::sys::sigset;
use libc::c_int;

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
