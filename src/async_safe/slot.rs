//! The deliveries of one signal folded into one record: the siginfo of the first, and how many. Handlers write here on any
//! thread, on several at once, one nested in another, and one may never come to its end (a foreign handler that
//! interrupted it can `siglongjmp` out, a thread can be cancelled).
//!
//! The count and the state of the cells that hold a siginfo are one 64-bit word, changed as one:
//!
//! ```text
//!   63         32 31        16 15         0
//!  +-------------+------------+------------+
//!  |    count    |    full    |    busy    |
//!  +-------------+------------+------------+
//! ```
//!
//! A cell is *free*, or *busy* with one writer or one reader; at most one is *full*: the first delivery that
//! no reader has taken. A writer that finds one full adds to the count and is done. One that finds none takes
//! a free cell, fills it, and then, in one step, makes it full and counts itself; if another was faster, its own
//! cell becomes free again. A reader takes count and full cell in one step, so each delivery is counted once,
//! with its own batch, and a siginfo is never older than the batch it stands for. A writer that never comes
//! back keeps its cell busy; when all are, deliveries are counted without a siginfo rather than lost.

use crate::async_safe::atomic::{AtomicU64, Ordering};
use crate::async_safe::share::Shared;
use crate::sys::siginfo::Origin;

/// What is known of the deliveries since the last run of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The first one's.
    pub(crate) origin: Origin,
    /// How many, at least 1; stops at its maximum.
    pub(crate) count: u32,
}

const CELLS: usize = 16;

pub(crate) struct Slot {
    word: AtomicU64,
    cells: [Shared<Origin>; CELLS],
}

impl Slot {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU64::new(0), cells: [const { Shared::new(Origin::UNKNOWN) }; CELLS] }
    }

    pub(crate) fn deliver(&self, origin: Origin) {
        // Acquire: the reader before us has finished with the cell that we are going to write.
        let claim = |word: Word| match word.free_cell() {
            Some(cell) if word.full_cell().is_none() => word.with_busy(cell),
            _ => word.counted(),
        };
        let before = self.update(Ordering::Acquire, claim);
        let Some(cell) = before.free_cell().filter(|_| before.full_cell().is_none()) else {
            return;
        };
        if let Some(place) = self.cells.get(cell as usize) {
            // SAFETY: the cell was free and we made it busy, so it is ours alone.
            unsafe { place.write(origin) };
        }
        // Release: who takes the cell from full sees what was written.
        self.update(Ordering::Release, |word| match word.full_cell() {
            None => word.with_full(cell).counted(),
            Some(_) => word.with_free(cell).counted(),
        });
    }

    pub(crate) fn take(&self) -> Option<Batch> {
        // Acquire: pairs with the writer's release.
        let before = self.update(Ordering::Acquire, Word::taken);
        let count = before.count();
        if count == 0 {
            return None;
        }
        let origin = match before.full_cell() {
            Some(cell) => {
                let place = self.cells.get(cell as usize)?;
                // SAFETY: it was full, and taking it left it busy with us alone.
                let origin = unsafe { place.read() };
                // Release: the next writer comes after our read.
                self.update(Ordering::Release, |word| word.with_free(cell));
                origin
            }
            None => Origin::UNKNOWN,
        };
        Some(Batch { origin, count })
    }

    /// Forgets everything, while nobody writes.
    pub(crate) fn clear(&self) {
        // Relaxed: there is nobody to order with.
        self.word.store(0, Ordering::Relaxed);
    }

    /// Changes the word in one step; the word before.
    fn update(&self, success: Ordering, change: impl Fn(Word) -> Word) -> Word {
        // Relaxed: what is only looked at and then found changed orders nothing.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let changed = change(Word(word)).0;
            match self.word.compare_exchange_weak(word, changed, success, Ordering::Relaxed) {
                Ok(before) => return Word(before),
                Err(now) => word = now,
            }
        }
    }
}

/// Count and states of the cells, see the top of this file.
#[derive(Clone, Copy)]
struct Word(u64);

impl Word {
    const BUSY: u64 = 0xffff;
    const FULL_SHIFT: u32 = 16;
    const COUNT_SHIFT: u32 = 32;

    fn count(self) -> u32 {
        (self.0 >> Self::COUNT_SHIFT) as u32
    }

    fn full_cell(self) -> Option<u32> {
        let full = (self.0 >> Self::FULL_SHIFT) & Self::BUSY;
        (full != 0).then(|| full.trailing_zeros())
    }

    fn free_cell(self) -> Option<u32> {
        let free = !self.0 & Self::BUSY;
        (free != 0).then(|| free.trailing_zeros())
    }

    fn with_busy(self, cell: u32) -> Self {
        Self(self.0 | 1u64.wrapping_shl(cell))
    }

    fn with_free(self, cell: u32) -> Self {
        Self(self.0 & !1u64.wrapping_shl(cell))
    }

    /// Full, and not to be claimed by a writer.
    fn with_full(self, cell: u32) -> Self {
        Self(self.with_busy(cell).0 | 1u64.wrapping_shl(cell).wrapping_shl(Self::FULL_SHIFT))
    }

    fn counted(self) -> Self {
        let count = u64::from(self.count().saturating_add(1));
        Self(self.0 & !(u64::MAX << Self::COUNT_SHIFT) | count << Self::COUNT_SHIFT)
    }

    /// Nothing counted and nothing full; what was full stays busy, with the reader.
    fn taken(self) -> Self {
        Self(self.0 & Self::BUSY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pid: i32) -> Origin {
        Origin { pid, ..Origin::UNKNOWN }
    }

    #[test]
    fn a_writer_that_never_returns_costs_only_its_cell() {
        let slot = Slot::new();
        for abandoned in 0..CELLS as u32 {
            slot.deliver(from(7));
            assert_eq!(slot.take(), Some(Batch { origin: from(7), count: 1 }), "{abandoned}");
            slot.update(Ordering::Relaxed, |word| word.with_busy(abandoned));
        }
        slot.deliver(from(7));
        slot.deliver(from(7));
        assert_eq!(slot.take(), Some(Batch { origin: Origin::UNKNOWN, count: 2 }));
        assert_eq!(slot.take(), None);
    }

    #[test]
    fn a_writer_overtaken_by_another_is_counted_and_frees_its_cell() {
        let slot = Slot::new();
        slot.update(Ordering::Relaxed, |word| word.with_busy(0));
        slot.deliver(from(2));
        // The first writer goes on where it was interrupted.
        slot.update(Ordering::Relaxed, |word| match word.full_cell() {
            None => word.with_full(0).counted(),
            Some(_) => word.with_free(0).counted(),
        });
        assert_eq!(slot.take(), Some(Batch { origin: from(2), count: 2 }));
        assert_eq!(slot.word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_delivery_while_the_reader_reads_starts_the_next_batch() {
        let slot = Slot::new();
        slot.deliver(from(1));
        let before = slot.update(Ordering::Relaxed, Word::taken);
        assert_eq!((before.count(), before.full_cell()), (1, Some(0)));
        slot.deliver(from(2));
        slot.update(Ordering::Relaxed, |word| word.with_free(0));
        assert_eq!(slot.take(), Some(Batch { origin: from(2), count: 1 }));
        assert_eq!(slot.word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_count_stops_at_its_maximum() {
        let slot = Slot::new();
        slot.deliver(from(1));
        slot.update(Ordering::Relaxed, |word| Word(word.0 | u64::MAX << Word::COUNT_SHIFT));
        slot.deliver(from(2));
        assert_eq!(slot.take(), Some(Batch { origin: from(1), count: u32::MAX }));
    }
}
