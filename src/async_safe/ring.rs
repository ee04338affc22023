//! A bounded queue of deliveries, in the order in which they were recorded. Handlers write on any thread, on several at once,
//! one nested in another, and one may never come to its end; one reader reads meanwhile. Nobody ever waits for anybody.
//!
//! All memory is a fixed number of cells. A writer takes a free one, fills it, and links it to those that are ready, in one
//! step: before it, nobody sees the cell, and nobody waits for it; a writer that never comes back costs its cell and no more.
//! (In a ring where writers claim the places first, a reader would have to wait for the slowest.) The reader takes all that are
//! ready in one step, and turns them round, as the last one linked is on top.
//!
//! Both the free and the ready cells are a stack (Treiber's): a word with the index of the top one, each of which names the
//! next. Taking one off needs care: between reading the top one's next and replacing the top, other writers can have taken
//! it, the next one too, and have put the first one back, so that the word looks the same and the next one is wrong. So
//! the word also counts how often something was taken off.

use crate::async_safe::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::async_safe::share::Shared;
use crate::sys::siginfo::Origin;
use libc::c_int;

/// One delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) signum: c_int,
    pub(crate) origin: Origin,
}

pub(crate) struct Ring {
    cells: &'static [Cell],
    free: AtomicU64,
    ready: AtomicU64,
}

pub(crate) struct Cell {
    /// The one below it in the stack where it is.
    next: AtomicU32,
    record: Shared<Record>,
}

impl Cell {
    pub(crate) fn new() -> Self {
        let record = Record { signum: 0, origin: Origin::UNKNOWN };
        Self { next: AtomicU32::new(NONE), record: Shared::new(record) }
    }
}

/// No cell. An index has 20 bits, the count the other 44.
const NONE: u32 = INDEX as u32;
const INDEX: u64 = (1 << 20) - 1;
const ONCE: u64 = 1 << 20;
/// How many cells a ring can have.
pub(crate) const MAX: u32 = 1 << 16;

fn index(word: u64) -> u32 {
    (word & INDEX) as u32
}

/// The reader's own: what it has taken and not read yet, the oldest first.
pub(crate) struct Taken {
    first: u32,
}

impl Taken {
    pub(crate) const NONE: Self = Self { first: NONE };

    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

impl Ring {
    /// With at most `MAX` cells, which are the ring's alone.
    pub(crate) fn new(cells: &'static [Cell]) -> Self {
        let ring =
            Self { cells, free: AtomicU64::new(NONE.into()), ready: AtomicU64::new(NONE.into()) };
        ring.clear();
        ring
    }

    /// Forgets everything, while nobody writes; so must the reader. For a child after fork, too, where the writers of the
    /// parent do not exist.
    pub(crate) fn clear(&self) {
        // Relaxed, all: there is nobody to order with.
        let mut top = NONE;
        for (cell, index) in self.cells.iter().zip(0..) {
            cell.next.store(top, Ordering::Relaxed);
            top = index;
        }
        self.free.store(top.into(), Ordering::Relaxed);
        self.ready.store(NONE.into(), Ordering::Relaxed);
    }

    /// Whether a record is ready for the reader to take.
    pub(crate) fn is_ready(&self) -> bool {
        // SeqCst: the waiting thread's half of `waker`'s Dekker.
        index(self.ready.load(Ordering::SeqCst)) != NONE
    }

    /// The low-level handler's part: whether nothing was ready before; none where there is no room.
    pub(crate) fn push(&self, record: Record) -> Option<bool> {
        let (index, cell) = self.take_free()?;
        // SAFETY: the cell was free and we have taken it, so it is ours alone.
        unsafe { cell.record.write(record) };
        // SeqCst: the handler's half of `waker`'s Dekker. It includes the release that lets whoever takes the cell see the
        // record.
        Some(self.put(&self.ready, index, cell, Ordering::SeqCst))
    }

    /// The oldest record. One reader at a time, with what it has taken.
    pub(crate) fn pop(&self, taken: &mut Taken) -> Option<Record> {
        if taken.is_empty() {
            self.take_ready(taken);
        }
        let index = taken.first;
        let cell = self.cell(index)?;
        // Relaxed: ours since it was taken.
        taken.first = cell.next.load(Ordering::Relaxed);
        // SAFETY: it was ready and we have taken it, so it is ours alone.
        let record = unsafe { cell.record.read() };
        // Release: the next writer comes after our read.
        self.put(&self.free, index, cell, Ordering::Release);
        Some(record)
    }

    fn take_ready(&self, taken: &mut Taken) {
        // Acquire: pairs with `push`. Each change of the word is one step from the one before, so this sees what all of them
        // have written.
        let mut top = index(self.ready.swap(NONE.into(), Ordering::Acquire));
        while let Some(cell) = self.cell(top) {
            // Relaxed, both: ours since the swap.
            let below = cell.next.load(Ordering::Relaxed);
            cell.next.store(taken.first, Ordering::Relaxed);
            taken.first = top;
            top = below;
        }
    }

    fn take_free(&self) -> Option<(u32, &Cell)> {
        // Acquire: what the one who put it there has written, its next above all.
        let mut word = self.free.load(Ordering::Acquire);
        loop {
            let top = index(word);
            let cell = self.cell(top)?;
            // Relaxed: right where the word has not changed.
            let next = cell.next.load(Ordering::Relaxed);
            let taken = (word & !INDEX).wrapping_add(ONCE) | u64::from(next);
            // Acquire, both: as above.
            match self.free.compare_exchange_weak(word, taken, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => return Some((top, cell)),
                Err(now) => word = now,
            }
        }
    }

    /// Puts a cell on a stack; whether it was empty.
    fn put(&self, stack: &AtomicU64, top: u32, cell: &Cell, success: Ordering) -> bool {
        // Relaxed: what is below is only named, not looked at.
        let mut word = stack.load(Ordering::Relaxed);
        loop {
            // Relaxed: seen by whoever sees the word that names the cell.
            cell.next.store(index(word), Ordering::Relaxed);
            let put = word & !INDEX | u64::from(top);
            match stack.compare_exchange_weak(word, put, success, Ordering::Relaxed) {
                Ok(_) => return index(word) == NONE,
                Err(now) => word = now,
            }
        }
    }

    fn cell(&self, index: u32) -> Option<&Cell> {
        self.cells.get(index as usize)
    }
}
