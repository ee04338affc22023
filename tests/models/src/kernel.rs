//! The kernel's part of a poke: the main thread's queue of signals, its timer, and the disposition of the poke's number.
//!
//! It lends the library as little order as it can: the disposition none at all, the queue what a lock does.

use crate::async_safe::{call, poke};
use crate::call::stub;
use crate::sys::siginfo::Origin;
use libc::c_int;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The main thread's number, and that of the pokes.
pub(crate) const MAIN: c_int = 1;
pub(crate) const POKE: c_int = 64;

pub(crate) struct Kernel {
    queue: Mutex<Vec<Origin>>,
    arrived: Condvar,
    /// How many have a place in the queue; the timer has one of its own.
    room: usize,
    timer: Cell<u64>,
    /// Whether the queue is a thread's that was the main one before.
    pub(crate) is_former: Cell<bool>,
    is_installed: AtomicBool,
    /// Whether the program counter has been moved to the way out, or the call has been interrupted.
    pub(crate) is_over: Cell<bool>,
    /// Whether rsig's handler has interrupted another party's, which has interrupted the stub.
    pub(crate) is_nested: Cell<bool>,
    /// Where no other thread can poke: whether it would sleep for ever.
    pub(crate) slept: Cell<bool>,
    is_alone: bool,
}

thread_local! {
    static KERNEL: RefCell<Option<Rc<Kernel>>> = const { RefCell::new(None) };
    static THREADS: RefCell<Vec<loom::thread::ThreadId>> = const { RefCell::new(Vec::new()) };
}

/// Those of the run before.
pub(crate) fn forget() {
    KERNEL.take();
    THREADS.take();
}

pub(crate) fn get() -> Rc<Kernel> {
    KERNEL.with_borrow(|kernel| kernel.clone().unwrap())
}

/// The main thread may be poked from now on; or it is `alone`.
pub(crate) fn begin(is_alone: bool, room: usize) {
    KERNEL.set(Some(Rc::new(Kernel {
        queue: Mutex::new(Vec::new()),
        arrived: Condvar::new(),
        room,
        timer: Cell::new(0),
        is_former: Cell::new(false),
        is_installed: AtomicBool::new(true),
        is_over: Cell::new(false),
        is_nested: Cell::new(false),
        slept: Cell::new(false),
        is_alone,
    })));
    poke::reset();
    poke::set_number(POKE);
    poke::reserve(MAIN);
    stub::allow();
    call::reset(MAIN);
}

impl Kernel {
    /// How many there are; orders what follows after them, as a change of the mask does.
    pub(crate) fn queued(&self) -> usize {
        self.queue.lock().unwrap().len()
    }

    /// Whether there was room.
    fn push(&self, origin: Origin, room: usize) -> bool {
        assert!(self.is_installed(), "a poke finds the default action, death");
        let mut queue = self.queue.lock().unwrap();
        let has_room = queue.len() < room;
        if has_room {
            queue.push(origin);
            self.arrived.notify_all();
        }
        has_room
    }

    fn is_installed(&self) -> bool {
        // What changes it always sees the newest.
        self.is_installed.fetch_and(true, Ordering::Relaxed)
    }

    /// The number's disposition is somebody else's from now on.
    pub(crate) fn uninstall(&self) {
        self.is_installed.swap(false, Ordering::Relaxed);
        assert_eq!(self.queued(), 0, "a poke is on its way, and finds the default action, death");
    }

    /// One is taken from the queue.
    pub(crate) fn take(&self) -> Option<Origin> {
        self.queue.lock().unwrap().pop()
    }

    /// What is queued reaches the main thread, which this is.
    pub(crate) fn arrive(&self) {
        while let Some(origin) = self.take() {
            receive(&origin);
        }
    }

    /// Until the call is over.
    pub(crate) fn sleep(&self) {
        while !self.is_over.get() {
            let mut queue = self.queue.lock().unwrap();
            if self.is_alone && queue.is_empty() {
                self.slept.set(true);
                return;
            }
            while queue.is_empty() {
                queue = self.arrived.wait(queue).unwrap();
            }
            drop(queue);
            self.arrive();
        }
    }
}

/// The low-level handler's part.
fn receive(origin: &Origin) {
    assert!(poke::is_poke(origin));
    poke::count(origin);
    call::end_poked(POKE, poke::is_reminder(origin), Some(&mut stub::context()));
}

pub(crate) mod handler {
    use libc::c_int;

    pub(crate) fn has(signum: c_int) -> bool {
        signum == super::POKE && super::get().is_installed()
    }
}

pub(crate) mod action {
    use libc::{c_int, sighandler_t};

    pub(crate) struct Disposition;

    impl Disposition {
        pub(crate) fn plain(_handler: sighandler_t) -> Self {
            Self
        }
    }

    pub(crate) fn set(_signum: c_int, _new: &Disposition) -> Result<(), ()> {
        unimplemented!()
    }
}

pub(crate) mod mask {
    use crate::sys::sigset::rsig_sigset_t;
    use libc::c_int;

    pub(crate) fn change(_how: c_int, _set: rsig_sigset_t) -> Result<rsig_sigset_t, ()> {
        Ok(0)
    }

    pub(crate) fn get() -> Result<rsig_sigset_t, ()> {
        Ok(0)
    }
}

pub(crate) mod process {
    pub(crate) fn is_first() -> bool {
        false
    }
}

pub(crate) mod thread {
    use super::{MAIN, THREADS};
    use crate::sys::siginfo::Origin;
    use libc::{c_int, siginfo_t};
    use loom::thread;

    /// pthread_self(), never 0.
    pub(crate) fn current() -> usize {
        let id = thread::current().id();
        THREADS.with_borrow_mut(|threads| {
            if let Some(index) = threads.iter().position(|thread| *thread == id) {
                return index + 1;
            }
            threads.push(id);
            threads.len()
        })
    }

    pub(crate) fn is_alone() -> bool {
        super::get().is_alone
    }

    pub(crate) fn id() -> c_int {
        MAIN
    }

    /// 0 is no signal: nothing is sent, and that is no error.
    pub(crate) fn queue(tid: c_int, signum: c_int, payload: u64) -> Result<(), ()> {
        assert_eq!(tid, MAIN);
        let kernel = super::get();
        if signum == 0 {
            return Ok(());
        }
        let origin = Origin { code: libc::SI_QUEUE, value_ptr: payload, ..Origin::UNKNOWN };
        if kernel.push(origin, kernel.room) { Ok(()) } else { Err(()) }
    }

    pub(crate) fn queue_info(_tid: c_int, _signum: c_int, _info: &siginfo_t) -> Result<(), ()> {
        unimplemented!()
    }

    pub(crate) fn queue_info_for_process(_signum: c_int, _info: &siginfo_t) -> Result<(), ()> {
        unimplemented!()
    }

    pub(crate) fn kill_own_process(_signum: c_int) -> Result<(), ()> {
        unimplemented!()
    }

    pub(crate) fn raise(_signum: c_int) -> Result<(), ()> {
        unimplemented!()
    }
}

pub(crate) mod thread_timer {
    use crate::sys::siginfo::Origin;
    use libc::c_int;
    use std::time::Duration;

    const TIMER: c_int = 0;

    pub(crate) fn create(_tid: c_int, _signum: c_int, payload: u64) -> Result<c_int, ()> {
        super::get().timer.set(payload);
        Ok(TIMER)
    }

    pub(crate) fn delete(_timer: c_int) {}

    /// Whatever the delay, it has passed: who gets it is late enough.
    pub(crate) fn fire(timer: c_int, delay: Duration) -> Result<(), ()> {
        let kernel = super::get();
        if timer != TIMER {
            return Err(());
        }
        if !delay.is_zero() {
            let value_ptr = kernel.timer.get();
            kernel.push(Origin { code: libc::SI_TIMER, value_ptr, ..Origin::UNKNOWN }, usize::MAX);
        }
        Ok(())
    }
}

pub(crate) mod wait {
    use crate::sys::siginfo::Origin;
    use crate::sys::sigset::rsig_sigset_t;
    use libc::{c_int, siginfo_t};
    use std::time::Duration;

    pub(crate) struct Accepted(Origin);

    impl Accepted {
        pub(crate) fn signum(&self) -> c_int {
            super::POKE
        }

        pub(crate) fn info(&self) -> &siginfo_t {
            unimplemented!()
        }

        pub(crate) fn origin(&self) -> Origin {
            self.0
        }
    }

    pub(crate) fn accept(_set: rsig_sigset_t, _time: Option<Duration>) -> Result<Accepted, ()> {
        let kernel = super::get();
        let own = if kernel.is_former.get() { None } else { kernel.take() };
        own.map(Accepted).ok_or(())
    }
}
