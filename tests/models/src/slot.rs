//! The slot: counts add up, and a siginfo is one of its batch's.

use crate::async_safe::slot::{Batch, Slot};
use crate::model::{self, origin};
use crate::steps;
use libtest_mimic::Trial;
use loom::thread;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::bounded("slot_of_two_writers", 3, || two_writers([1, 1])),
        model::trial("slot_of_two_writers_one_of_whom_goes_on", || two_writers([2, 1])),
        model::bounded("slot_of_one_writer", 4, one_writer),
        model::counted("slot_writer_that_never_comes_back", abandoned_writer),
    ]
}

pub(crate) fn new() -> Slot {
    let slot = Slot::new();
    slot.clear();
    slot
}

/// What the reader has had of two writers.
#[derive(Default)]
pub(crate) struct Had {
    next: [i32; 3],
    pub(crate) count: u32,
}

impl Had {
    pub(crate) fn add(&mut self, batch: &Batch) {
        let (writer, number) = (batch.origin.pid as usize, batch.origin.value_int);
        assert!((1..3).contains(&writer), "nobody wrote {batch:?}");
        assert!(number >= self.next[writer], "{batch:?} was of another batch");
        self.next[writer] = number + 1;
        self.count += batch.count;
    }
}

fn deliver_all(slot: &Slot, writer: i32, deliveries: i32) {
    for number in 0..deliveries {
        slot.deliver(origin(writer, number));
    }
}

fn two_writers(deliveries: [i32; 2]) {
    let slot = Arc::new(new());
    let writers = [(1, deliveries[0]), (2, deliveries[1])].map(|(writer, deliveries)| {
        let slot = slot.clone();
        thread::spawn(move || deliver_all(&slot, writer, deliveries))
    });
    let mut had = Had::default();
    let take = |had: &mut Had| slot.take().map(|batch| had.add(&batch)).is_some();
    take(&mut had);
    take(&mut had);
    for writer in writers {
        writer.join().unwrap();
    }
    take(&mut had);
    assert_eq!(had.count, deliveries.iter().sum::<i32>() as u32);
    assert_eq!(slot.take(), None);
    assert_has_cells(&slot, 16);
}

/// That no fewer are free: each of them can be lost but the last, which then still holds a siginfo.
fn assert_has_cells(slot: &Slot, free: u32) {
    /// The one at which a writer, who is alone, fills the cell that he has taken.
    const FILL: u32 = 2;
    for _ in 1..free {
        assert!(steps::abandon(FILL, || slot.deliver(origin(1, 7))));
    }
    slot.deliver(origin(1, 8));
    assert_eq!(slot.take(), Some(Batch { origin: origin(1, 8), count: 1 }));
}

/// With one writer all is known: the siginfo is the first one's that no batch before has counted.
fn one_writer() {
    let slot = Arc::new(new());
    let writer = slot.clone();
    let writer = thread::spawn(move || deliver_all(&writer, 1, 3));
    let mut count = 0;
    let take = |count: &mut u32| {
        if let Some(batch) = slot.take() {
            assert_eq!(batch.origin, origin(1, *count as i32));
            *count += batch.count;
        }
    };
    take(&mut count);
    take(&mut count);
    writer.join().unwrap();
    take(&mut count);
    assert_eq!(count, 3);
}

fn abandoned_writer(step: u32) -> bool {
    let slot = Arc::new(new());
    let (lost, other) = (slot.clone(), slot.clone());
    let lost = thread::spawn(move || steps::abandon(step, || lost.deliver(origin(1, 0))));
    let other = thread::spawn(move || deliver_all(&other, 2, 1));
    let mut had = Had::default();
    let take = |had: &mut Had| slot.take().map(|batch| had.add(&batch)).is_some();
    take(&mut had);
    let is_left = lost.join().unwrap();
    other.join().unwrap();
    take(&mut had);
    assert!((1..=2).contains(&had.count));
    // It costs no more than its cell.
    assert_has_cells(&slot, 15);
    is_left
}
