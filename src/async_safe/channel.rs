//! Channels: each delivery goes to each open channel whose set has the signal.
//!
//! A channel is memory that goes away when it is closed, and a handler that has found it may be slow. So a handler counts
//! itself at the channel's place, which is for ever, before it looks what is there; and who closes a channel takes it from
//! its place first, then looks at the count: only where that is 0 can nobody have found it.

use crate::async_safe::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::async_safe::pending::Pending;
use crate::async_safe::ring::{self, Record, Ring, Taken};
use crate::async_safe::slot::Slot;
use crate::async_safe::waker::Waker;
use crate::sys::siginfo::Origin;
use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;
use std::ptr;

/// How many can be open at once.
pub(crate) const MAX: usize = WORDS * BITS;
const WORDS: usize = 4;
const BITS: usize = u64::BITS as usize;

pub(crate) struct Channel {
    set: rsig_sigset_t,
    ring: Ring,
    /// What has found no room in the ring.
    folded: Pending<&'static [Slot]>,
    waker: Waker,
}

/// The reader's own: one thread at a time.
pub(crate) struct Reader {
    taken: Taken,
    /// The signal whose folded record was read last.
    last: c_int,
}

impl Reader {
    pub(crate) const NEW: Self = Self { taken: Taken::NONE, last: 0 };
}

impl Channel {
    /// With a slot for each signal of the set; both are the channel's alone.
    pub(crate) fn new(
        set: rsig_sigset_t,
        cells: &'static [ring::Cell],
        slots: &'static [Slot],
    ) -> Self {
        Self { set, ring: Ring::new(cells), folded: Pending::new(set, slots), waker: Waker::new() }
    }

    pub(crate) fn set(&self) -> rsig_sigset_t {
        self.set
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether a record waits.
    pub(crate) fn is_readable(&self, reader: &Reader) -> bool {
        !reader.taken.is_empty() || self.ring.is_ready() || self.folded.tripped() != 0
    }

    /// The next record, and how many deliveries it stands for. While anything is folded new deliveries fold as well, so what
    /// is in the ring then is older.
    pub(crate) fn read(&self, reader: &mut Reader) -> Option<(Record, u32)> {
        let folded = self.folded.tripped();
        if let Some(record) = self.ring.pop(&mut reader.taken) {
            return Some((record, 1));
        }
        // From the one after the last, so that a signal which comes all the time does not hide the others.
        for after in [reader.last, 0] {
            let mut signum = sigset::next(folded, after);
            while signum != 0 {
                if let Some(batch) = self.folded.take(signum) {
                    reader.last = signum;
                    return Some((Record { signum, origin: batch.origin }, batch.count));
                }
                signum = sigset::next(folded, signum);
            }
        }
        None
    }

    /// Forgets everything. For a child after fork.
    pub(crate) fn clear(&self) {
        self.ring.clear();
        self.folded.clear();
        self.waker.reset();
    }

    fn deliver(&self, record: Record) {
        if self.set & sigset::one(record.signum) != 0 {
            self.waker.deliver(|| self.record(record));
        }
    }

    /// Whether nothing was there before.
    fn record(&self, record: Record) -> bool {
        if self.folded.tripped() == 0
            && let Some(first) = self.ring.push(record)
        {
            return first;
        }
        self.folded.deliver(record.signum, record.origin)
    }
}

/// Where a channel can be.
pub(crate) struct Place {
    channel: AtomicPtr<Channel>,
    /// How many handlers and readers may be looking at it.
    users: AtomicU32,
}

static PLACES: [Place; MAX] = [const { Place::new() }; MAX];
/// For each signal, at which places there are channels whose set has it.
static LISTENERS: [[AtomicU64; WORDS]; signals::COUNT] =
    [const { [const { AtomicU64::new(0) }; WORDS] }; signals::COUNT];

pub(crate) fn place(index: usize) -> Option<&'static Place> {
    PLACES.get(index)
}

/// The low-level handler's part.
pub(crate) fn deliver(signum: c_int, origin: Origin) {
    let Some(words) = signals::index(signum).and_then(|index| LISTENERS.get(index)) else { return };
    for (word, places) in words.iter().zip(PLACES.chunks(BITS)) {
        // Relaxed: a hint; the channel knows its set.
        let mut left = word.load(Ordering::Relaxed);
        while left != 0 {
            if let Some(place) = places.get(left.trailing_zeros() as usize) {
                place.with(|channel| channel.deliver(Record { signum, origin }));
            }
            left &= left.wrapping_sub(1);
        }
    }
}

/// How many channels listen to the signal.
pub(crate) fn listeners(signum: c_int) -> u32 {
    let words = signals::index(signum).and_then(|index| LISTENERS.get(index));
    // Relaxed: with the lock under which channels are opened and closed.
    let count = |word: &AtomicU64| word.load(Ordering::Relaxed).count_ones();
    words.map_or(0, |words| words.iter().map(count).sum())
}

pub(crate) fn is_heard(signum: c_int) -> bool {
    let words = signals::index(signum).and_then(|index| LISTENERS.get(index));
    // Relaxed: with the lock under which channels are opened and closed, or as in `deliver`.
    words.is_some_and(|words| words.iter().any(|word| word.load(Ordering::Relaxed) != 0))
}

/// Deliveries of the signals of `set` look at the place, or no more.
pub(crate) fn listen(index: usize, set: rsig_sigset_t, on: bool) {
    let bit = 1u64.wrapping_shl((index % BITS) as u32);
    for (words, signum) in LISTENERS.iter().zip(1..) {
        if let Some(word) = words.get(index / BITS)
            && set & sigset::one(signum) != 0
        {
            // Relaxed, both: see `deliver`.
            if on {
                word.fetch_or(bit, Ordering::Relaxed);
            } else {
                word.fetch_and(!bit, Ordering::Relaxed);
            }
        }
    }
}

impl Place {
    const fn new() -> Self {
        Self { channel: AtomicPtr::new(ptr::null_mut()), users: AtomicU32::new(0) }
    }

    /// Looks at the channel, if there is one.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&Channel) -> R) -> Option<R> {
        // SeqCst: counted before the pointer is read, so that `is_idle` speaks the truth.
        self.users.fetch_add(1, Ordering::SeqCst);
        let channel = self.channel.load(Ordering::SeqCst);
        // SAFETY: NULL, or a channel that lives while somebody is counted.
        let result = unsafe { channel.as_ref() }.map(look);
        // Release: we have done with the channel before it goes away. A fork in a handler that interrupted this has set the
        // number to 0 in the child, and it must not wrap.
        let _ = self.users.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
        result
    }

    /// From now on the channel is here; NULL: none. It lives until `is_idle` after another is here.
    pub(crate) fn set(&self, channel: *mut Channel) {
        // SeqCst: not after the load in `is_idle`. It includes the release of what the channel is made of.
        self.channel.store(channel, Ordering::SeqCst);
    }

    /// After `set`: whether nobody can look at the channel before it any more.
    pub(crate) fn is_idle(&self) -> bool {
        // SeqCst: who counts himself after this sees what `set` has put here; acquire, for what the others have done.
        self.users.load(Ordering::SeqCst) == 0
    }

    /// In a forked child, where the parent's other threads do not exist.
    pub(crate) fn reset(&self) {
        // Relaxed: there is one thread.
        self.users.store(0, Ordering::Relaxed);
    }
}
