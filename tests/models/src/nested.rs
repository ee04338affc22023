//! What interrupts what on one thread: before each step of the first in turn, the second; before each step of that, a third.

use crate::async_safe::ring::{Ring, Taken};
use crate::async_safe::{call, channel, poke};
use crate::call::stub;
use crate::channel::Open;
use crate::model::{self, origin};
use crate::pending::{self, A};
use crate::ring::record;
use crate::{call as call_model, eventfd, kernel, ring, slot, steps};
use libtest_mimic::Trial;
use std::cell::Cell;
use std::rc::Rc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::counted("nested_pushes", nested_pushes),
        model::counted("nested_pushes_in_a_pop", pushes_in_a_pop),
        model::counted("nested_deliveries_to_a_slot", deliveries_to_a_slot),
        model::counted("nested_deliveries_in_a_take", deliveries_in_a_take),
        model::counted("nested_deliveries_to_a_channel_while_it_is_read", in_a_read),
        model::counted("nested_deliveries_to_a_channel_in_one_another", in_one_another),
        model::counted("nested_delivery_in_a_call", |n| in_a_call(n, false)),
        model::counted("nested_delivery_in_a_handler_in_a_call", |n| in_a_call(n, true)),
        model::counted("nested_reminder_in_a_call", reminded),
    ]
}

/// All steps of the second, for `body` that says whether the first has the step at which it is interrupted, and the second this one;
/// whether the first has.
fn each(body: impl Fn(u32) -> (bool, bool)) -> bool {
    for second in 0.. {
        match body(second) {
            (false, _) => return false,
            (true, false) => {
                assert!(second > 0);
                return true;
            }
            (true, true) => {}
        }
    }
    unreachable!()
}

/// `third` interrupts `second`, which interrupts `first`.
fn nest(
    (n, m): (u32, u32),
    first: impl FnOnce(),
    second: impl FnOnce() + 'static,
    third: impl FnOnce() + 'static,
) -> (bool, bool) {
    let has_second = Rc::new(Cell::new(false));
    let inner = has_second.clone();
    let has_first =
        steps::interrupt(n, move || inner.set(steps::interrupt(m, third, second)), first);
    (has_first, has_second.get())
}

fn pop_all(ring: &Ring, taken: &mut Taken, had: &mut ring::Had) {
    while let Some(record) = ring.pop(taken) {
        had.add(&record);
    }
}

fn nested_pushes(n: u32) -> bool {
    (1..=3).fold(false, |is_left, cells| {
        is_left
            | each(|m| {
                let ring = Rc::new(ring::new(cells));
                let pushed = Rc::new(Cell::new(0));
                let push = |writer, number| {
                    let (ring, pushed) = (ring.clone(), pushed.clone());
                    move || {
                        let is_there = ring.push(record(writer, number)).is_some();
                        pushed.set(pushed.get() + u32::from(is_there));
                    }
                };
                // The innermost is written first.
                let found = nest((n, m), push(1, 0), push(2, 1), push(2, 0));
                let mut had = ring::Had::default();
                let mut taken = Taken::NONE;
                pop_all(&ring, &mut taken, &mut had);
                assert_eq!(had.count(), pushed.get());
                if found == (true, true) {
                    assert_eq!(pushed.get(), cells as u32);
                }
                found
            })
    })
}

fn pushes_in_a_pop(n: u32) -> bool {
    (1..=3).fold(false, |is_left, cells| {
        is_left
            | each(|m| {
                let ring = Rc::new(ring::new(cells));
                ring.push(record(1, 0));
                let pushed = Rc::new(Cell::new(1));
                let push = |writer, number| {
                    let (ring, pushed) = (ring.clone(), pushed.clone());
                    move || {
                        let is_there = ring.push(record(writer, number)).is_some();
                        pushed.set(pushed.get() + u32::from(is_there));
                    }
                };
                let (mut taken, mut had) = (Taken::NONE, ring::Had::default());
                let pop = || had.add(&ring.pop(&mut taken).expect("the first is there"));
                let found = nest((n, m), pop, push(2, 1), push(2, 0));
                pop_all(&ring, &mut taken, &mut had);
                assert_eq!(had.count(), pushed.get());
                found
            })
    })
}

fn deliveries_to_a_slot(n: u32) -> bool {
    each(|m| {
        let slot = Rc::new(slot::new());
        let deliver = |writer, number| {
            let slot = slot.clone();
            move || slot.deliver(origin(writer, number))
        };
        let found = nest((n, m), deliver(1, 0), deliver(2, 1), deliver(2, 0));
        let mut had = slot::Had::default();
        while let Some(batch) = slot.take() {
            had.add(&batch);
        }
        assert_eq!(had.count, 1 + u32::from(found.0) + u32::from(found.1));
        found
    })
}

fn deliveries_in_a_take(n: u32) -> bool {
    each(|m| {
        let slot = Rc::new(slot::new());
        slot.deliver(origin(1, 0));
        let deliver = |number| {
            let slot = slot.clone();
            move || slot.deliver(origin(2, number))
        };
        let mut had = slot::Had::default();
        let take = || had.add(&slot.take().expect("the first is there"));
        let found = nest((n, m), take, deliver(1), deliver(0));
        while let Some(batch) = slot.take() {
            had.add(&batch);
        }
        assert_eq!(had.count, 1 + u32::from(found.0) + u32::from(found.1));
        found
    })
}

fn deliver(writer: i32, number: i32) -> impl FnOnce() + 'static {
    move || channel::deliver(A, origin(writer, number))
}

/// What is to hold when all have come back.
fn assert_exact(mut open: Open, fd: i32, deliveries: u32) {
    if open.count() < deliveries {
        assert!(eventfd::is_readable(fd), "there is something, and nobody is woken");
    }
    while open.read() {}
    open.settle();
    assert!(!eventfd::is_readable(fd));
    assert_eq!(open.count(), deliveries);
}

fn in_a_read(n: u32) -> bool {
    (1..=2).fold(false, |is_left, capacity| {
        is_left
            | each(|m| {
                let mut open = Open::new(capacity);
                let fd = open.arm();
                deliver(1, 0)();
                let read = || {
                    assert!(open.read());
                    open.settle();
                };
                let found = nest((n, m), read, deliver(2, 0), deliver(3, 0));
                assert_exact(open, fd, 1 + u32::from(found.0) + u32::from(found.1));
                found
            })
    })
}

fn in_one_another(n: u32) -> bool {
    (1..=2).fold(false, |is_left, capacity| {
        is_left
            | each(|m| {
                let open = Open::new(capacity);
                let fd = open.arm();
                let found = nest((n, m), deliver(1, 0), deliver(2, 0), deliver(3, 0));
                assert_exact(open, fd, 1 + u32::from(found.0) + u32::from(found.1));
                found
            })
    })
}

/// The low-level handler on the main thread itself, before each step of a call; `is_nested`: where another party's handler has begun,
/// so that the poke that the thread sends itself arrives when that one returns.
fn in_a_call(n: u32, is_nested: bool) -> bool {
    let _alone = model::alone();
    let pending = pending::shared();
    kernel::begin(true, 9);
    let kernel = kernel::get();
    let (inside, caller) = (kernel.clone(), pending.clone());
    let was_asleep = Rc::new(Cell::new(false));
    let late = was_asleep.clone();
    let handler = move || {
        late.set(inside.slept.get());
        inside.is_nested.set(is_nested);
        pending.deliver(A, origin(1, 0));
        call::end(A, Some(&mut stub::context()));
        inside.is_nested.set(false);
        inside.arrive();
    };
    let is_interrupted = steps::interrupt(n, handler, || _ = call_model::attempt(&caller));
    // A signal that lands when the call is over cannot end it.
    assert_eq!(kernel.slept.get(), !is_interrupted || was_asleep.get());
    is_interrupted
}

/// A call that begins although something is tripped, of which it is reminded before each of its steps.
fn reminded(n: u32) -> bool {
    let _alone = model::alone();
    kernel::begin(true, 9);
    let kernel = kernel::get();
    assert!(poke::remind());
    let inside = kernel.clone();
    let is_interrupted = steps::interrupt(n, move || inside.arrive(), call_model::run);
    assert!(!kernel.slept.get());
    is_interrupted
}
