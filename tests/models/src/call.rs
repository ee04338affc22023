//! The main thread's system call: none that begins after a delivery goes on sleeping.
//!
//! The stub is written in assembly, so here is one that does the same: it looks at the word, then the call begins. The kernel is
//! a model as well (see `kernel`): a poke ends the call where the library finds that it must.

use crate::async_safe::{call, poke};
use crate::kernel::{self, MAIN, POKE};
use crate::model::{self, origin};
use crate::pending::{self, A, Small};
use crate::steps;
use crate::sys::sigset;
use libc::c_long;
use libtest_mimic::Trial;
use loom::thread;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("call_ends_when_a_signal_lands_elsewhere", || _ = elsewhere(1, 9, None)),
        model::trial("call_ends_each_time", || _ = elsewhere(2, 9, None)),
        model::trial("call_ends_though_the_queue_is_full", || _ = elsewhere(2, 0, None)),
        model::bounded("call_ends_by_a_poke_of_another", 3, another_poke),
        model::bounded("call_ends_though_the_pokes_before_were_drained", 1, drained),
        model::counted("call_ends_though_its_poke_comes_early", |n| elsewhere(1, 9, Some(n))),
    ]
}

/// The runtime's `attempt`, with a call that nothing but a signal ends; whether it began.
pub(crate) fn attempt(pending: &Small) -> bool {
    stub::allow();
    if pending.tripped() != 0 {
        return false;
    }
    run();
    true
}

pub(crate) fn run() {
    // SAFETY: no system call is made.
    let result = unsafe { call::run(MAIN, true, 0, &[0; 6]) };
    assert_eq!(result, -c_long::from(libc::EINTR));
}

/// Pokes arrive when the call sleeps, and at its `early` step; whether it has so many.
fn elsewhere(deliveries: u32, room: usize, early: Option<u32>) -> bool {
    let mut has_step = false;
    each_ends(deliveries, room, |pending| match early {
        None => _ = attempt(pending),
        Some(n) => {
            let arrive = || kernel::get().arrive();
            has_step |= steps::interrupt(n, arrive, || _ = attempt(pending));
        }
    });
    has_step
}

/// That one is late, for a delivery that was taken before the call; this delivery sends none where it is on its way.
fn another_poke() {
    let _alone = model::alone();
    kernel::begin(false, 9);
    let late = thread::spawn(|| poke::send(MAIN));
    let handler = thread::spawn(|| call::end(A, None));
    run();
    late.join().unwrap();
    handler.join().unwrap();
}

/// As the runtime does where it had to unblock the pokes' number: those that come too late never reach the handler.
fn drained() {
    each_ends(2, 9, |pending| {
        attempt(pending);
        kernel::get().queued();
        poke::drain_late(sigset::one(POKE));
    });
}

fn each_ends(deliveries: u32, room: usize, mut attempt: impl FnMut(&Small)) {
    let _alone = model::alone();
    let pending = pending::shared();
    kernel::begin(false, room);
    let handlers: Vec<_> = (0..deliveries)
        .map(|number| {
            let pending = pending.clone();
            thread::spawn(move || {
                pending.deliver(A, origin(1, number as i32));
                call::end(A, None);
            })
        })
        .collect();
    let mut count = 0;
    while {
        count += pending.take(A).map_or(0, |batch| batch.count);
        count < deliveries
    } {
        attempt(&pending);
    }
    for handler in handlers {
        handler.join().unwrap();
    }
}

pub(crate) mod stub {
    pub(crate) use crate::async_safe::interrupt::{allow, interrupt, is_interrupted};
    use crate::{kernel, steps};
    use libc::{c_long, ucontext_t};
    use std::mem::MaybeUninit;

    #[allow(dead_code)]
    pub(crate) enum Position {
        Elsewhere,
        Moved,
        Nested,
        Left,
    }

    /// # Safety
    /// None needed: it is a model.
    pub(crate) unsafe fn call(_number: c_long, _arguments: &[c_long; 6]) -> c_long {
        let kernel = kernel::get();
        kernel.is_over.set(false);
        if !is_interrupted() {
            // Here is the window, and then the call.
            steps::step();
            kernel.sleep();
        }
        -c_long::from(libc::EINTR)
    }

    /// Any: `leave` does not look at it.
    pub(crate) fn context() -> ucontext_t {
        // SAFETY: zero is a value for every field.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }

    pub(crate) fn leave(_context: &mut ucontext_t) -> Position {
        let kernel = kernel::get();
        if kernel.is_nested.get() {
            return Position::Nested;
        }
        kernel.is_over.set(true);
        Position::Moved
    }

    pub(crate) fn is_active() -> bool {
        false
    }

    pub(crate) fn abandon() {}
}
