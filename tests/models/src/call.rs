//! The main thread's system call: none that begins after a delivery goes on sleeping.
//!
//! The stub is written in assembly, so here is one that does the same: it looks at the word, then the call begins. The kernel is
//! a model as well: a poke ends the call where the low-level handler, which it runs, finds that it must.

use crate::async_safe::call;
use crate::model::{self, origin};
use crate::pending::{self, A, Small};
use libc::c_long;
use libtest_mimic::Trial;
use loom::sync::atomic::{AtomicI32, AtomicU32};
use loom::sync::{Condvar, Mutex};
use loom::thread as loom_thread;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        model::trial("call_ends_when_a_signal_lands_elsewhere", || elsewhere(1)),
        model::trial("call_ends_each_time", || elsewhere(2)),
    ]
}

/// The main thread as the kernel sees it.
struct Kernel {
    poked: Mutex<bool>,
    arrived: Condvar,
    /// Whether the program counter has been moved to the way out, or the call has been interrupted.
    is_over: Cell<bool>,
    /// Where no other thread can poke: whether it would sleep for ever.
    slept: Cell<bool>,
    is_alone: bool,
    /// As in poke.rs: to whom a poke is on its way, and how many may be about to send one.
    on_its_way: AtomicI32,
    senders: AtomicU32,
}

thread_local! {
    static KERNEL: RefCell<Option<Rc<Kernel>>> = const { RefCell::new(None) };
    static THREADS: RefCell<Vec<loom_thread::ThreadId>> = const { RefCell::new(Vec::new()) };
}

/// Those of the run before.
pub(crate) fn forget() {
    KERNEL.take();
    THREADS.take();
}

fn kernel() -> Rc<Kernel> {
    KERNEL.with_borrow(|kernel| kernel.clone().unwrap())
}

/// The main thread may be poked from now on; or it is `alone`.
pub(crate) fn begin(is_alone: bool) {
    KERNEL.set(Some(Rc::new(Kernel {
        poked: Mutex::new(false),
        arrived: Condvar::new(),
        is_over: Cell::new(false),
        slept: Cell::new(false),
        is_alone,
        on_its_way: AtomicI32::new(0),
        senders: AtomicU32::new(0),
    })));
    stub::allow();
    call::reset(MAIN);
}

/// Whether it would have slept for ever.
pub(crate) fn slept() -> bool {
    kernel().slept.get()
}

const MAIN: i32 = 1;

/// The runtime's `attempt`, with a call that nothing but a signal ends; whether it began.
pub(crate) fn attempt(pending: &Small) -> bool {
    stub::allow();
    if pending.tripped() != 0 {
        return false;
    }
    // SAFETY: no system call is made.
    let result = unsafe { call::run(MAIN, 0, &[0; 6]) };
    assert_eq!(result, -c_long::from(libc::EINTR));
    true
}

fn elsewhere(deliveries: u32) {
    let _alone = model::alone();
    let pending = pending::shared();
    begin(false);
    let handlers: Vec<_> = (0..deliveries)
        .map(|number| {
            let pending = pending.clone();
            loom_thread::spawn(move || {
                pending.deliver(A, origin(1, number as i32));
                call::end(None);
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
    use super::kernel;
    use crate::async_safe::call;
    pub(crate) use crate::async_safe::interrupt::{allow, interrupt, is_interrupted};
    use crate::steps;
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
        let kernel = kernel();
        kernel.is_over.set(false);
        if !is_interrupted() {
            // Here is the window, and then the call.
            steps::step();
            sleep(&kernel);
        }
        -c_long::from(libc::EINTR)
    }

    fn sleep(kernel: &super::Kernel) {
        while !kernel.is_over.get() {
            if kernel.is_alone {
                kernel.slept.set(true);
                return;
            }
            let mut poked = kernel.poked.lock().unwrap();
            while !*poked {
                poked = kernel.arrived.wait(poked).unwrap();
            }
            *poked = false;
            drop(poked);
            call::end_poked(false, Some(&mut context()));
        }
    }

    /// Any: `leave` does not look at it.
    pub(crate) fn context() -> ucontext_t {
        // SAFETY: zero is a value for every field.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }

    pub(crate) fn leave(_context: &mut ucontext_t) -> Position {
        kernel().is_over.set(true);
        Position::Moved
    }

    pub(crate) fn is_active() -> bool {
        false
    }

    pub(crate) fn abandon() {}
}

pub(crate) mod poke {
    use super::{MAIN, kernel};
    use libc::c_int;
    use loom::sync::atomic::Ordering;

    pub(crate) fn number() -> c_int {
        0
    }

    pub(crate) fn is_held() -> bool {
        false
    }

    pub(crate) fn set_held(_held: bool) {}

    /// The same rule as the library's.
    pub(crate) fn send(tid: c_int) {
        assert_eq!(tid, MAIN);
        let kernel = kernel();
        kernel.senders.fetch_add(1, Ordering::SeqCst);
        if kernel.on_its_way.swap(tid, Ordering::SeqCst) != tid
            || kernel.senders.load(Ordering::SeqCst) != 1
        {
            *kernel.poked.lock().unwrap() = true;
            kernel.arrived.notify_all();
        }
        kernel.senders.fetch_sub(1, Ordering::Release);
    }

    pub(crate) fn receive() {
        kernel().on_its_way.swap(0, Ordering::AcqRel);
    }
}

pub(crate) mod mask {
    use crate::sys::sigset::rsig_sigset_t;
    use libc::c_int;

    pub(crate) fn change(_how: c_int, _set: rsig_sigset_t) -> Result<rsig_sigset_t, ()> {
        Ok(0)
    }
}

pub(crate) mod thread {
    use super::THREADS;
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
}
