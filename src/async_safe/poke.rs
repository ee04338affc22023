//! The signal with which rsig interrupts its own main thread: from another thread on which a signal landed, and past a
//! handler that is not rsig's.
//!
//! It is a real-time signal, as the kernel never merges two of those into one, and its handler is rsig's low-level one. A
//! poke is told from a delivery by its siginfo, so the program may use the same number through rsig; where it never did,
//! the number still has its default action, carried out by hand.

use crate::async_safe::handler::LOW_LEVEL;
use crate::sys::action::{self, Disposition};
use crate::sys::siginfo::Origin;
use crate::sys::thread;
use libc::c_int;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Its number, 0 while rsig has none.
static NUMBER: AtomicI32 = AtomicI32::new(0);
/// What the program has made of the number: one of the three below.
static USE: AtomicU32 = AtomicU32::new(DEFAULT);
pub(crate) const DEFAULT: u32 = 0;
pub(crate) const IGNORED: u32 = 1;
pub(crate) const HANDLED: u32 = 2;
/// How many handlers may be about to send one.
static SENDERS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn number() -> c_int {
    // SeqCst: not before a sender has counted itself, see `send`.
    NUMBER.load(Ordering::SeqCst)
}

/// From now on pokes have this number, whose low-level handler is installed; 0: there are none.
pub(crate) fn set_number(signum: c_int) {
    // SeqCst: not after the load in `is_idle`.
    NUMBER.store(signum, Ordering::SeqCst);
}

pub(crate) fn set_use(of_the_program: u32) {
    // Relaxed: the number is all there is to see.
    USE.store(of_the_program, Ordering::Relaxed);
}

/// After `set_number(0)`: whether no poke is on its way any more.
pub(crate) fn is_idle() -> bool {
    // SeqCst: a sender that counts itself after this sees the number 0.
    SENDERS.load(Ordering::SeqCst) == 0
}

/// In a forked child, where the parent's other threads do not exist.
pub(crate) fn reset() {
    // Relaxed: there is one thread.
    SENDERS.store(0, Ordering::Relaxed);
}

/// Pokes a thread of this process. Not where the program has taken the number for itself behind rsig's back.
pub(crate) fn send(tid: c_int) {
    // SeqCst: counted before the number is read, so that `is_idle` speaks the truth.
    SENDERS.fetch_add(1, Ordering::SeqCst);
    let signum = number();
    if signum != 0 && action::get(signum).is_ok_and(|now| now.is(LOW_LEVEL)) {
        // It fails only where the queue of signals is full; then the wait ends with the next signal.
        let _ = thread::queue(tid, signum, mark());
    }
    // Release: sent before the disposition may be changed. A fork in a handler that interrupted this one has set the
    // number to 0 in the child, and it must not wrap.
    let _ = SENDERS.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
}

/// What becomes of a delivery of this number.
pub(crate) enum Meaning {
    Poke,
    Delivery,
    Nothing,
}

/// The low-level handler's question. A delivery that the program knows nothing of has the default action: death.
pub(crate) fn meaning(signum: c_int, origin: &Origin) -> Meaning {
    if signum != number() {
        return Meaning::Delivery;
    }
    if origin.code == libc::SI_QUEUE && origin.value_ptr == mark() {
        return Meaning::Poke;
    }
    // Relaxed: see `set_use`.
    match USE.load(Ordering::Relaxed) {
        HANDLED => Meaning::Delivery,
        DEFAULT => {
            let _ = action::set(signum, &Disposition::plain(libc::SIG_DFL));
            // Blocked until the low-level handler returns, and then it ends the process.
            let _ = thread::raise(signum);
            Meaning::Nothing
        }
        _ => Meaning::Nothing,
    }
}

/// A payload that nobody else sends by chance: an address of this copy of the library.
fn mark() -> u64 {
    (&raw const NUMBER) as u64
}
