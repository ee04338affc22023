//! The ring: each record is read once, and those of one writer in their order.

use crate::async_safe::ring::{Cell, Record, Ring, Taken};
use crate::model::{self, Lent, origin};
use crate::steps;
use libtest_mimic::Trial;
use loom::thread;
use std::ops::Deref;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("ring_of_1", || two_writers::<1>([2, 1])),
        model::trial("ring_of_2", || two_writers::<2>([2, 1])),
        model::trial("ring_of_2_taken_and_put_back", || two_writers::<2>([2, 2])),
        model::trial("ring_of_3", || two_writers::<3>([2, 1])),
        model::counted("ring_writer_that_never_comes_back", abandoned_writer),
        model::trial("ring_is_readable_after_push", readable),
    ]
}

/// A ring and its cells.
pub(crate) struct Small {
    ring: Ring,
    _cells: Lent<Cell>,
}

impl Deref for Small {
    type Target = Ring;

    fn deref(&self) -> &Ring {
        &self.ring
    }
}

pub(crate) fn new(cells: usize) -> Small {
    let cells = Lent::new(cells, Cell::new);
    Small { ring: Ring::new(cells.get()), _cells: cells }
}

pub(crate) fn record(writer: i32, number: i32) -> Record {
    Record { signum: 10, origin: origin(writer, number) }
}

/// What the reader has had, each record once and each writer's in order.
#[derive(Default)]
pub(crate) struct Had {
    next: [i32; 3],
    count: u32,
}

impl Had {
    pub(crate) fn add(&mut self, record: &Record) {
        let (writer, number) = (record.origin.pid as usize, record.origin.value_int);
        assert_eq!(record.signum, 10);
        assert!((1..3).contains(&writer), "nobody wrote {record:?}");
        assert!(number >= self.next[writer], "{record:?} is late, or comes twice");
        self.next[writer] = number + 1;
        self.count += 1;
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }
}

/// How many found room.
fn push_all(ring: &Ring, writer: i32, records: i32) -> u32 {
    (0..records).map(|number| u32::from(ring.push(record(writer, number)).is_some())).sum()
}

fn two_writers<const CELLS: usize>(records: [i32; 2]) {
    let ring = Arc::new(new(CELLS));
    let writers = [(1, records[0]), (2, records[1])].map(|(writer, records)| {
        let ring = ring.clone();
        thread::spawn(move || push_all(&ring, writer, records))
    });
    let (mut had, mut taken) = (Had::default(), Taken::NONE);
    let mut pop = |had: &mut Had| ring.pop(&mut taken).map(|record| had.add(&record)).is_some();
    pop(&mut had);
    pop(&mut had);
    let pushed: u32 = writers.map(|writer| writer.join().unwrap()).into_iter().sum();
    while pop(&mut had) {}
    assert_eq!(had.count(), pushed);
    // Who found no room found it full.
    assert!(pushed as usize >= CELLS.min(records.iter().sum::<i32>() as usize));
    // No cell is lost.
    for _ in 0..CELLS {
        assert!(ring.push(record(1, 9)).is_some());
    }
    assert!(ring.push(record(1, 9)).is_none());
}

fn abandoned_writer(step: u32) -> bool {
    let ring = Arc::new(new(2));
    let (lost, other) = (ring.clone(), ring.clone());
    let lost = thread::spawn(move || steps::abandon(step, || _ = lost.push(record(1, 0))));
    let other = thread::spawn(move || push_all(&other, 2, 1));
    let (mut had, mut taken) = (Had::default(), Taken::NONE);
    let mut pop = |had: &mut Had| ring.pop(&mut taken).map(|record| had.add(&record)).is_some();
    pop(&mut had);
    let is_left = lost.join().unwrap();
    // There was a cell for each.
    assert_eq!(other.join().unwrap(), 1);
    while pop(&mut had) {}
    assert_eq!(had.next[2], 1);
    // One cell is left to go on with.
    assert!(ring.push(record(2, 1)).is_some());
    assert!(pop(&mut had));
    is_left
}

/// Not one that a reader has to wait for: what is pushed is there.
fn readable() {
    let ring = Arc::new(new(2));
    let writer = ring.clone();
    let writer = thread::spawn(move || push_all(&writer, 1, 1));
    let mut taken = Taken::NONE;
    let before = ring.pop(&mut taken).is_some();
    assert_eq!(writer.join().unwrap(), 1);
    assert_eq!(ring.is_ready(), !before);
}
