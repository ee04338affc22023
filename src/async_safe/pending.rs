//! Signals that were delivered and whose handlers have not run yet.
//!
//! For each signal a bit, and a slot with the siginfo of the first delivery and the number of deliveries. Handlers write
//! here on any thread, and the pump reads, while they write. Nobody ever waits for anybody.

use crate::async_safe::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::async_safe::slot::{Batch, Slot};
use crate::sys::siginfo::Origin;
use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;

/// What waits for the pump.
pub(crate) static PENDING: Pending<[Slot; signals::COUNT]> =
    Pending::new(rsig_sigset_t::MAX, [const { Slot::new() }; signals::COUNT]);

/// Deliveries of the signals of a set, folded by number.
pub(crate) struct Pending<S> {
    set: rsig_sigset_t,
    tripped: AtomicU64,
    /// One for each signal of the set, in ascending order.
    slots: S,
}

impl<S> Pending<S> {
    pub(crate) const fn new(set: rsig_sigset_t, slots: S) -> Self {
        Self { set, tripped: AtomicU64::new(0), slots }
    }

    /// The set of signals that wait.
    pub(crate) fn tripped(&self) -> rsig_sigset_t {
        // SeqCst: the waiting thread's half of `waker`'s Dekker; for everyone else the load that follows
        // a `take` orders itself.
        self.tripped.load(Ordering::SeqCst)
    }

    /// The word behind `tripped`.
    pub(crate) fn flags(&self) -> *const u64 {
        self.tripped.as_ptr()
    }
}

impl<S: AsRef<[Slot]>> Pending<S> {
    /// Records one delivery; whether nothing was tripped before. The low-level handler's part.
    pub(crate) fn deliver(&self, signum: c_int, origin: Origin) -> bool {
        let Some(slot) = self.slot(signum) else { return false };
        slot.deliver(origin);
        // SeqCst: the handler's half of `waker`'s Dekker. It includes the release that lets whoever
        // sees the bit see the slot.
        self.tripped.fetch_or(sigset::one(signum), Ordering::SeqCst) == 0
    }

    /// Takes what was recorded of one signal; none where there is nothing (left).
    pub(crate) fn take(&self, signum: c_int) -> Option<Batch> {
        let bit = sigset::one(signum);
        // The bit first: a delivery in between sets it anew, and finds itself either in this batch or
        // in the next. Acquire: pairs with `deliver`.
        if self.tripped.fetch_and(!bit, Ordering::Acquire) & bit == 0 {
            return None;
        }
        self.slot(signum)?.take()
    }

    /// Forgets everything. For a child after fork, where the writers of the parent do not exist, and for
    /// an init after fini.
    pub(crate) fn clear(&self) {
        for slot in self.slots.as_ref() {
            slot.clear();
        }
        // Relaxed: nothing else runs in the child, and nothing is recorded between fini and init.
        self.tripped.store(0, Ordering::Relaxed);
    }

    fn slot(&self, signum: c_int) -> Option<&Slot> {
        let bit = sigset::one(signum);
        let below = self.set & bit.wrapping_sub(1);
        self.slots.as_ref().get(below.count_ones() as usize).filter(|_| self.set & bit != 0)
    }
}

/// Whether anything waits for the pump.
pub(crate) fn is_tripped() -> bool {
    PENDING.tripped() != 0
}

/// Whether deliveries are recorded: between init and fini. Another party may still chain to the low-level handler after it.
static OPEN: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_open() -> bool {
    // Relaxed: init opens it before it installs a handler.
    OPEN.load(Ordering::Relaxed)
}

pub(crate) fn set_open(open: bool) {
    // Relaxed: as above.
    OPEN.store(open, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Pending<[Slot; signals::COUNT]> {
        Pending::new(rsig_sigset_t::MAX, [const { Slot::new() }; signals::COUNT])
    }

    fn from(pid: i32) -> Origin {
        Origin { pid, ..Origin::UNKNOWN }
    }

    #[test]
    fn first_origin_and_count_of_all() {
        let pending = new();
        assert_eq!(pending.take(10), None);
        for pid in 1..=3 {
            pending.deliver(10, from(pid));
        }
        pending.deliver(64, from(4));
        assert_eq!(pending.tripped(), sigset::one(10) | sigset::one(64));
        assert_eq!(pending.take(10), Some(Batch { origin: from(1), count: 3 }));
        assert_eq!(pending.tripped(), sigset::one(64));
        assert_eq!(pending.take(10), None);
        assert_eq!(pending.take(64), Some(Batch { origin: from(4), count: 1 }));
    }

    #[test]
    fn threads_and_counts_add_up() {
        const DELIVERIES: u32 = 200_000;
        let pending = new();
        let running = std::sync::atomic::AtomicU32::new(3);
        std::thread::scope(|scope| {
            for pid in 1..=3 {
                let (pending, running) = (&pending, &running);
                scope.spawn(move || {
                    for _ in 0..DELIVERIES {
                        pending.deliver(10, from(pid));
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
            let mut total = 0;
            loop {
                let last = running.load(Ordering::SeqCst) == 0;
                while let Some(batch) = pending.take(10) {
                    assert!((1..=3).contains(&batch.origin.pid) && batch.count > 0);
                    total += u64::from(batch.count);
                }
                if last {
                    break;
                }
            }
            assert_eq!(total, 3 * u64::from(DELIVERIES));
        });
    }

    #[test]
    fn a_smaller_set_has_slots_for_its_own_signals_alone() {
        let set = sigset::one(2) | sigset::one(10) | sigset::one(64);
        let pending = Pending::new(set, [const { Slot::new() }; 3]);
        for signum in [1, 2, 9, 10, 63, 64] {
            pending.deliver(signum, from(signum));
        }
        assert_eq!(pending.tripped(), set);
        for signum in [2, 10, 64] {
            assert_eq!(pending.take(signum), Some(Batch { origin: from(signum), count: 1 }));
        }
        assert_eq!(pending.take(1), None);
    }
}
