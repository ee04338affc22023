//! The waker: nobody sleeps while there is something, and no descriptor is written to that is closed.

use crate::async_safe::ring::Taken;
use crate::async_safe::waker::Waker;
use crate::eventfd;
use crate::model::{self, origin};
use crate::pending::{self, A, Small};
use crate::ring::{self, record};
use crate::steps;
use libc::c_int;
use libtest_mimic::Trial;
use loom::thread;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::bounded("waker_sleeper_of_pending", 3, sleeper_of_pending),
        model::bounded("waker_sleeper_of_a_ring", 3, sleeper_of_ring),
        model::bounded("waker_armed", 1, armed),
        model::bounded("waker_armed_one_delivery", 4, || armed_one_writer(1)),
        model::trial("waker_armed_one_writer_goes_on", || armed_one_writer(2)),
        model::counted("waker_writer_that_never_comes_back", abandoned_writer),
        model::trial("waker_closed_only_when_idle", closing),
    ]
}

pub(crate) fn touch(waker: &Waker) {
    waker.reset();
    waker.disarm();
    waker.is_idle();
}

struct Bed {
    waker: Waker,
    pending: Small,
    fd: c_int,
}

fn bed() -> Arc<Bed> {
    let bed = Arc::new(Bed { waker: Waker::new(), pending: pending::new(), fd: eventfd::open() });
    touch(&bed.waker);
    bed.pending.clear();
    bed
}

impl Bed {
    fn deliver(&self, writer: i32, number: i32) {
        self.waker.deliver(|| self.pending.deliver(A, origin(writer, number)));
    }

    fn is_more(&self) -> bool {
        self.pending.tripped() != 0
    }

    fn take(&self) -> u32 {
        self.pending.take(A).map_or(0, |batch| batch.count)
    }

    /// The runtime's `waker::descriptor`, and the channels' `arm`.
    fn arm(&self) {
        self.waker.arm(self.fd);
        self.waker.lower(self.fd, || self.is_more());
    }

    /// When nobody writes: readable exactly while there is something.
    fn assert_settled(&self) {
        self.waker.settle(|| self.is_more());
        assert_eq!(eventfd::is_readable(self.fd), self.is_more());
    }
}

/// Sleeping for ever is a deadlock, which loom finds.
fn sleeper_of_pending() {
    let bed = bed();
    let writer = bed.clone();
    let writer = thread::spawn(move || writer.deliver(1, 0));
    bed.waker.arm(bed.fd);
    if !bed.is_more() {
        eventfd::wait(bed.fd);
        assert!(bed.is_more());
    }
    assert_eq!(bed.take(), 1);
    writer.join().unwrap();
}

fn sleeper_of_ring() {
    let bed = Arc::new((Waker::new(), ring::new(1), eventfd::open()));
    touch(&bed.0);
    bed.1.clear();
    let writer = bed.clone();
    let writer = thread::spawn(move || {
        let (waker, ring, _) = &*writer;
        waker.deliver(|| ring.push(record(1, 0)) == Some(true));
    });
    let (waker, ring, fd) = &*bed;
    waker.arm(*fd);
    if !ring.is_ready() {
        eventfd::wait(*fd);
        assert!(ring.is_ready());
    }
    let mut taken = Taken::NONE;
    assert_eq!(ring.pop(&mut taken), Some(record(1, 0)));
    writer.join().unwrap();
}

fn read_until(bed: &Bed, total: u32) {
    let mut count = 0;
    loop {
        count += bed.take();
        bed.waker.settle(|| bed.is_more());
        if count == total {
            return;
        }
        eventfd::wait(bed.fd);
    }
}

fn armed() {
    let bed = bed();
    let writers = [1, 2].map(|writer| {
        let bed = bed.clone();
        thread::spawn(move || bed.deliver(writer, 0))
    });
    bed.arm();
    read_until(&bed, 2);
    for writer in writers {
        writer.join().unwrap();
    }
    bed.assert_settled();
}

fn armed_one_writer(deliveries: u32) {
    let bed = bed();
    let writer = bed.clone();
    let writer = thread::spawn(move || {
        for number in 0..deliveries {
            writer.deliver(1, number as i32);
        }
    });
    bed.arm();
    read_until(&bed, deliveries);
    writer.join().unwrap();
    // A bit may be left with nothing behind it.
    bed.take();
    bed.assert_settled();
    bed.deliver(1, 9);
    assert!(eventfd::is_readable(bed.fd));
}

/// The other one's delivery makes the descriptor readable all the same.
fn abandoned_writer(step: u32) -> bool {
    let bed = bed();
    bed.arm();
    let (lost, other) = (bed.clone(), bed.clone());
    let lost = thread::spawn(move || steps::abandon(step, || lost.deliver(1, 0)));
    let other = thread::spawn(move || other.deliver(2, 0));
    let first = bed.take();
    bed.waker.settle(|| bed.is_more());
    let is_left = lost.join().unwrap();
    other.join().unwrap();
    // It may have been left before it made the descriptor readable; the other was not.
    if first == 0 {
        eventfd::wait(bed.fd);
        assert!(bed.take() > 0);
    }
    // Nor does it stay in anybody's way.
    bed.take();
    bed.waker.settle(|| bed.is_more());
    bed.deliver(2, 1);
    assert!(eventfd::is_readable(bed.fd));
    is_left
}

fn closing() {
    let bed = bed();
    bed.arm();
    let writers = [1, 2].map(|writer| {
        let bed = bed.clone();
        // Writing to a closed descriptor is a failure. What is recorded here orders nothing, so that the waker's own words must.
        thread::spawn(move || bed.waker.deliver(|| writer == 1))
    });
    bed.waker.disarm();
    if bed.waker.is_idle() {
        eventfd::close(bed.fd);
    }
    for writer in writers {
        writer.join().unwrap();
    }
    assert!(bed.waker.is_idle());
}
