//! A channel: what the ring has no room for is folded, in order, and the reader is woken.

use crate::async_safe::channel::{self, Channel, Reader};
use crate::async_safe::ring::Cell;
use crate::async_safe::slot::Slot;
use crate::model::{self, Lent, origin};
use crate::pending::{A, B};
use crate::sys::sigset;
use crate::{eventfd, waker};
use libc::c_int;
use libtest_mimic::Trial;
use loom::thread;
use std::sync::MutexGuard;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("channel_order_of_one_writer", || one_writer(1, 3)),
        model::trial("channel_order_of_one_writer_with_room_for_two", || one_writer(2, 4)),
        model::trial("channel_of_two_writers", || two_writers([2, 1])),
        model::trial("channel_of_two_signals", two_signals),
        model::trial("channel_wakes_its_reader", || wakes(&[2])),
        model::bounded("channel_wakes_its_reader_of_two_writers", 1, || wakes(&[1, 1])),
    ]
}

/// An open channel, at the first place, and its reader.
pub(crate) struct Open {
    channel: *mut Channel,
    pub(crate) reader: Reader,
    count: u32,
    /// By writer and signal.
    next: [[i32; 2]; 4],
    _memory: (Lent<Cell>, Lent<Slot>),
    _alone: MutexGuard<'static, ()>,
}

impl Open {
    pub(crate) fn new(capacity: usize) -> Self {
        let alone = model::alone();
        let set = sigset::one(A) | sigset::one(B);
        // The one before, of the same run.
        channel::listen(0, set, false);
        // Touches all words of each signal; nobody listens yet.
        assert!(!channel::is_heard(A) && !channel::is_heard(B));
        let (cells, slots) = (Lent::new(capacity, Cell::new), Lent::new(2, Slot::new));
        let channel = Box::new(Channel::new(set, cells.get(), slots.get()));
        channel.clear();
        waker::touch(channel.waker());
        let channel = Box::into_raw(channel);
        let place = channel::place(0).unwrap();
        place.reset();
        place.set(channel);
        channel::listen(0, set, true);
        Self {
            channel,
            reader: Reader::NEW,
            count: 0,
            next: [[0; 2]; 4],
            _memory: (cells, slots),
            _alone: alone,
        }
    }

    pub(crate) fn get(&self) -> &Channel {
        // SAFETY: from `new`.
        unsafe { &*self.channel }
    }

    /// One record, of a writer of `origin`s; whether there was one.
    pub(crate) fn read(&mut self) -> bool {
        // SAFETY: from `new`.
        let read = unsafe { &*self.channel }.read(&mut self.reader);
        let Some((record, count)) = read else { return false };
        let (writer, number) = (record.origin.pid as usize, record.origin.value_int);
        assert!((1..4).contains(&writer), "nobody wrote {record:?}");
        let next = &mut self.next[writer][usize::from(record.signum == B)];
        assert!(number >= *next, "{record:?} is late, or comes twice");
        *next = number + 1;
        self.count += count;
        true
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The runtime's `arm`.
    pub(crate) fn arm(&self) -> c_int {
        let fd = eventfd::open();
        let waker = self.get().waker();
        waker.arm(fd);
        waker.lower(fd, || self.get().is_readable(&self.reader));
        fd
    }

    pub(crate) fn settle(&self) {
        self.get().waker().settle(|| self.get().is_readable(&self.reader));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: from `new`, and all threads are over.
        drop(unsafe { Box::from_raw(self.channel) });
    }
}

fn deliver_all(writer: i32, deliveries: i32) {
    for number in 0..deliveries {
        channel::deliver(A, origin(writer, number));
    }
}

/// With one writer all is known: each record begins where the one before has ended.
fn one_writer(capacity: usize, deliveries: i32) {
    let open = Open::new(capacity);
    let writer = thread::spawn(move || deliver_all(1, deliveries));
    let (mut reader, mut total) = (Reader::NEW, 0);
    let mut read = || {
        let read = open.get().read(&mut reader);
        if let Some((record, count)) = read {
            assert_eq!(record.origin, origin(1, total));
            total += count as i32;
        }
        read.is_some()
    };
    for _ in 0..=capacity {
        read();
    }
    writer.join().unwrap();
    while read() {}
    assert_eq!(total, deliveries);
}

fn two_writers(deliveries: [i32; 2]) {
    let mut open = Open::new(1);
    let writers = [(1, deliveries[0]), (2, deliveries[1])]
        .map(|(writer, deliveries)| thread::spawn(move || deliver_all(writer, deliveries)));
    open.read();
    for writer in writers {
        writer.join().unwrap();
    }
    // A bit can be left with nothing behind it.
    while open.get().is_readable(&open.reader) {
        open.read();
    }
    assert_eq!(open.count() as i32, deliveries.iter().sum());
}

fn two_signals() {
    let mut open = Open::new(1);
    let writer = thread::spawn(|| {
        for (number, signum) in [A, B, A].into_iter().enumerate() {
            channel::deliver(signum, origin(1, number as i32));
        }
    });
    open.read();
    open.read();
    writer.join().unwrap();
    while open.read() {}
    assert_eq!(open.count(), 3);
}

fn wakes(deliveries: &[i32]) {
    let mut open = Open::new(1);
    let writers: Vec<_> = (1..)
        .zip(deliveries)
        .map(|(writer, &deliveries)| thread::spawn(move || deliver_all(writer, deliveries)))
        .collect();
    let fd = open.arm();
    loop {
        open.read();
        open.settle();
        if open.count() == 2 {
            break;
        }
        eventfd::wait(fd);
    }
    for writer in writers {
        writer.join().unwrap();
    }
    while open.read() {}
    open.settle();
    assert!(!eventfd::is_readable(fd));
}
