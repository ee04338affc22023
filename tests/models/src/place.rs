//! A channel's place: who closes a channel and finds nobody counted may free it.

use crate::async_safe::channel::{self, Channel, Place};
use crate::async_safe::ring::Cell;
use crate::model::{self, Lent};
use libtest_mimic::Trial;
use loom::cell::UnsafeCell;
use loom::thread;
use std::ptr;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("place_closed_while_two_look", closing),
        model::trial("place_opened_while_one_looks", opening),
        model::trial("place_opened_anew", opening_anew),
    ]
}

/// What stands for the channel's memory: loom fails where it is made or freed while somebody looks at it.
struct Memory {
    is_there: UnsafeCell<bool>,
    channel: *mut Channel,
    _cells: Lent<Cell>,
}

// SAFETY: loom makes sure.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    fn new() -> Arc<Self> {
        let cells = Lent::new(1, Cell::new);
        let channel = Box::into_raw(Box::new(Channel::new(0, cells.get(), &[])));
        Arc::new(Self { is_there: UnsafeCell::new(false), channel, _cells: cells })
    }

    fn set(&self, is_there: bool) {
        // SAFETY: loom makes sure.
        self.is_there.with_mut(|place| unsafe { *place = is_there });
    }

    fn look(&self) {
        // SAFETY: loom makes sure.
        assert!(self.is_there.with(|is_there| unsafe { *is_there }), "freed");
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: from `new`, and all threads are over.
        drop(unsafe { Box::from_raw(self.channel) });
    }
}

fn place() -> &'static Place {
    let place = channel::place(0).unwrap();
    place.reset();
    place.set(ptr::null_mut());
    place
}

fn look(memory: &Memory) -> bool {
    channel::place(0).unwrap().with(|_| memory.look()).is_some()
}

fn close(place: &Place, memory: &Memory) {
    place.set(ptr::null_mut());
    if place.is_idle() {
        memory.set(false);
    }
}

fn closing() {
    let _alone = model::alone();
    let (place, memory) = (place(), Memory::new());
    memory.set(true);
    place.set(memory.channel);
    let users = [(); 2].map(|()| {
        let memory = memory.clone();
        thread::spawn(move || look(&memory))
    });
    close(place, &memory);
    for user in users {
        user.join().unwrap();
    }
    assert!(place.is_idle());
    assert!(!look(&memory));
}

fn opening() {
    let _alone = model::alone();
    let (place, memory) = (place(), Memory::new());
    let user = memory.clone();
    let user = thread::spawn(move || look(&user));
    memory.set(true);
    place.set(memory.channel);
    close(place, &memory);
    user.join().unwrap();
}

/// One that is late may be looking at the one before, or at this one.
fn opening_anew() {
    let _alone = model::alone();
    let place = place();
    let memories = [Memory::new(), Memory::new()];
    let [first, second] = &memories;
    first.set(true);
    place.set(first.channel);
    let user = memories.clone();
    let user = thread::spawn(move || {
        channel::place(0).unwrap().with(|channel| {
            user.iter().find(|memory| ptr::eq(memory.channel, channel)).unwrap().look();
        })
    });
    place.set(ptr::null_mut());
    second.set(true);
    place.set(second.channel);
    if place.is_idle() {
        first.set(false);
    }
    close(place, second);
    user.join().unwrap();
}
