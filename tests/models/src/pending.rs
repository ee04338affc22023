//! Bit and slot together: whoever sees the bit finds the delivery, and a bit that is not set hides nothing.

use crate::async_safe::pending::Pending;
use crate::async_safe::slot::Slot;
use crate::model::{self, origin};
use crate::slot::Had;
use crate::sys::sigset;
use libc::c_int;
use libtest_mimic::Trial;
use loom::thread;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("pending_of_two_writers", two_writers),
        model::trial("pending_of_two_signals", two_signals),
        model::trial("pending_bit_shows_the_slot", bit_and_slot),
    ]
}

pub(crate) type Small = Pending<[Slot; 2]>;

pub(crate) const A: c_int = 10;
pub(crate) const B: c_int = 12;

pub(crate) fn new() -> Small {
    Pending::new(sigset::one(A) | sigset::one(B), [const { Slot::new() }; 2])
}

pub(crate) fn shared() -> Arc<Small> {
    let pending = Arc::new(new());
    pending.clear();
    pending
}

fn two_writers() {
    let pending = shared();
    let writers = [1, 2].map(|writer| {
        let pending = pending.clone();
        thread::spawn(move || pending.deliver(A, origin(writer, 0)))
    });
    let mut had = Had::default();
    let take = |had: &mut Had| pending.take(A).map(|batch| had.add(&batch)).is_some();
    take(&mut had);
    take(&mut had);
    for writer in writers {
        writer.join().unwrap();
    }
    // A batch that counts two leaves the bit of the second, with nothing behind it.
    while pending.tripped() != 0 {
        take(&mut had);
    }
    assert_eq!(had.count, 2);
    assert_eq!(pending.take(A), None);
}

fn two_signals() {
    let pending = shared();
    let writer = pending.clone();
    let writer = thread::spawn(move || {
        writer.deliver(A, origin(1, 0));
        writer.deliver(B, origin(1, 0));
    });
    // Written after the other, so that must be there as well.
    if pending.tripped() & sigset::one(B) != 0 {
        assert_eq!(pending.take(A).map(|batch| batch.count), Some(1));
    }
    writer.join().unwrap();
    assert_eq!(pending.take(B).map(|batch| batch.count), Some(1));
}

fn bit_and_slot() {
    let pending = shared();
    let writer = pending.clone();
    let writer = thread::spawn(move || {
        // The first of all that are tripped.
        assert!(writer.deliver(A, origin(1, 0)));
    });
    if pending.tripped() != 0 {
        let batch = pending.take(A).expect("the bit is set after the slot is full");
        assert_eq!((batch.origin, batch.count), (origin(1, 0), 1));
        assert_eq!(pending.tripped(), 0);
    }
    writer.join().unwrap();
}
