//! A descriptor that is readable while there is something to take: rsig_fd()'s and a channel's.
//!
//! Whoever arms it and the handler each write their own word, then read the other's: one of them must see the other
//! (Dekker). So no delivery can fall between the last look at what is there and the first wait, and while nobody has asked
//! for the descriptor nobody pays for a system call.
//!
//! One delivery of a batch writes: the one that found nothing there before it. But a writer can be slow, or never come
//! back (a foreign handler that interrupted it can siglongjmp out), so while any is on its way the others write too.

use crate::async_safe::atomic::{AtomicI32, AtomicU32, Ordering};
use crate::sys::eventfd;
use libc::c_int;

/// The main thread's.
pub(crate) static WAKER: Waker = Waker::new();

/// Its descriptor is lowered by the reader: one thread at a time.
pub(crate) struct Waker {
    /// The descriptor, or -1 while nobody has it.
    armed: AtomicI32,
    /// How many deliveries are on their way to it.
    writers: AtomicU32,
    /// How many writes have begun, and of how many it is known that they have been read back.
    written: AtomicU32,
    read: AtomicU32,
}

impl Waker {
    pub(crate) const fn new() -> Self {
        Self {
            armed: AtomicI32::new(-1),
            writers: AtomicU32::new(0),
            written: AtomicU32::new(0),
            read: AtomicU32::new(0),
        }
    }

    /// From now on deliveries make `fd` readable. The caller looks at what is there after this.
    pub(crate) fn arm(&self, fd: c_int) {
        // SeqCst: our half of Dekker; the store must not pass the caller's look.
        self.armed.store(fd, Ordering::SeqCst);
    }

    /// Deliveries leave the descriptor alone from now on.
    pub(crate) fn disarm(&self) {
        // SeqCst: must not pass the load in `is_idle`.
        self.armed.store(-1, Ordering::SeqCst);
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.descriptor() >= 0
    }

    fn descriptor(&self) -> c_int {
        // Relaxed: the reader's own; a delivery that comes later is seen the next time.
        self.armed.load(Ordering::Relaxed)
    }

    /// After `disarm`: whether the descriptor can be closed, as no delivery will write to it any more.
    pub(crate) fn is_idle(&self) -> bool {
        // SeqCst: a delivery that counts itself after this sees the store of `disarm`.
        self.writers.load(Ordering::SeqCst) == 0
    }

    /// In a forked child, where the parent's other threads do not exist.
    pub(crate) fn reset(&self) {
        // Relaxed: there is one thread.
        self.writers.store(0, Ordering::Relaxed);
        self.read.store(self.written.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Records a delivery by `record`, which tells whether nothing was there before, and makes the descriptor readable.
    pub(crate) fn deliver(&self, record: impl FnOnce() -> bool) {
        // SeqCst: counted before anything is recorded, and before the descriptor is read.
        self.writers.fetch_add(1, Ordering::SeqCst);
        let first = record();
        // SeqCst, both: the handler's half of Dekker, not before the record is there; both after the count, so that `is_idle`
        // speaks the truth, and of two each sees the other.
        let fd = self.armed.load(Ordering::SeqCst);
        if fd >= 0 && (first || self.writers.load(Ordering::SeqCst) != 1) {
            // Release: whoever sees it sees that we are on our way.
            self.written.fetch_add(1, Ordering::Release);
            eventfd::raise(fd);
        }
        // Release: all of the above is done before the descriptor may be closed. A fork in a handler that interrupted this
        // one has set the number to 0 in the child, and it must not wrap.
        let _ =
            self.writers.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
    }

    /// Makes the descriptor unreadable, unless there is something. The reader's, when there was nothing.
    pub(crate) fn lower(&self, fd: c_int, is_more: impl FnOnce() -> bool) {
        // Acquire: who has begun one of these writes is counted, unless it is over.
        let written = self.written.load(Ordering::Acquire);
        // Acquire: what is over is read back now.
        let quiet = self.writers.load(Ordering::Acquire) == 0;
        eventfd::lower(fd);
        if quiet {
            // Relaxed: the reader's own.
            self.read.store(written, Ordering::Relaxed);
        }
        if is_more() {
            // What was delivered meanwhile may have been read back with the rest. Relaxed: the reader's own.
            self.written.fetch_add(1, Ordering::Relaxed);
            eventfd::raise(fd);
        }
    }

    /// When the reader has taken something, or found nothing: keeps the descriptor readable exactly while there is
    /// something. Costs no system call where nothing was written.
    pub(crate) fn settle(&self, is_more: impl Fn() -> bool) {
        let fd = self.descriptor();
        let unread = || {
            // Acquire: what those who are done have written is in `written`.
            self.writers.load(Ordering::Acquire) != 0
                || self.written.load(Ordering::Relaxed) != self.read.load(Ordering::Relaxed)
        };
        if fd >= 0 && !is_more() && unread() {
            self.lower(fd, is_more);
        }
    }
}
