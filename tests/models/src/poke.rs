//! Pokes: one is sent where one is needed, and none is on its way to a number that has been given back.

use crate::async_safe::poke;
use crate::kernel::{self, MAIN, POKE};
use crate::model;
use crate::steps;
use crate::sys::sigset;
use libtest_mimic::Trial;
use loom::thread;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("poke_number_given_back", || given_back(2)),
        model::trial("poke_number_given_back_by_another_main_thread", || given_back_elsewhere(1)),
        model::trial("poke_number_given_back_two_senders", || given_back_elsewhere(2)),
        model::trial("poke_that_comes_too_late", late),
        model::trial("poke_one_on_its_way", one_on_its_way),
        model::counted("poke_sender_that_never_comes_back", abandoned_sender),
    ]
}

fn senders(count: usize) -> Vec<thread::JoinHandle<()>> {
    (0..count).map(|_| thread::spawn(|| poke::send(MAIN))).collect()
}

fn given_back(count: usize) {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let senders = senders(count);
    poke::set_number(0);
    if poke::is_over(POKE, true) {
        kernel::get().uninstall();
    }
    for sender in senders {
        sender.join().unwrap();
    }
}

/// The thread that was the main one takes its pokes, sooner or later, and `drain` does not find them.
fn given_back_elsewhere(count: usize) {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let senders = senders(count);
    let former = thread::spawn(|| {
        if let Some(origin) = kernel::get().take() {
            poke::count(&origin);
        }
    });
    kernel::get().is_former.set(true);
    poke::leave_thread();
    poke::set_number(0);
    if poke::is_over(POKE, true) {
        kernel::get().uninstall();
    }
    for sender in senders {
        sender.join().unwrap();
    }
    former.join().unwrap();
    // Nor is it kept for nothing.
    while let Some(origin) = kernel::get().take() {
        poke::count(&origin);
    }
    assert!(poke::is_over(POKE, true));
}

/// Of a number that rsig had unblocked: what is there when it is blocked again does not stay there.
fn late() {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let sender = thread::spawn(|| poke::send(MAIN));
    let is_there = kernel::get().queued() > 0;
    poke::drain_late(sigset::one(POKE));
    assert!(!is_there || kernel::get().queued() == 0);
    sender.join().unwrap();
}

/// A main thread that is slow has no more of them in its queue than were sent at once.
fn one_on_its_way() {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let other = thread::spawn(|| poke::send(MAIN));
    poke::send(MAIN);
    other.join().unwrap();
    let before = kernel::get().queued();
    assert!((1..=2).contains(&before));
    poke::send(MAIN);
    assert_eq!(kernel::get().queued(), before);
}

/// The other one's poke is sent all the same.
fn abandoned_sender(step: u32) -> bool {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let lost = thread::spawn(move || steps::abandon(step, || poke::send(MAIN)));
    poke::send(MAIN);
    let is_left = lost.join().unwrap();
    assert!(kernel::get().queued() > 0);
    is_left
}
