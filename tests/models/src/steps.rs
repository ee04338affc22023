//! Something that happens just before a given step of a piece of code: a handler that interrupts it, or its end, as a handler
//! left it by siglongjmp(). A step is an access to an atomic or to shared memory.

use loom::thread::{self, ThreadId};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};

struct Plan {
    number: u64,
    thread: ThreadId,
    left: u32,
    action: Box<dyn FnOnce()>,
}

thread_local! {
    // loom runs all threads of a model on one of the system's.
    static PLANS: RefCell<Vec<Plan>> = const { RefCell::new(Vec::new()) };
}

/// Of the run before, which may have failed.
pub(crate) fn forget() {
    PLANS.with_borrow_mut(Vec::clear);
}

/// To be called before each step.
pub(crate) fn step() {
    let due = PLANS.with_borrow_mut(|plans| {
        if plans.is_empty() {
            return None;
        }
        let current = thread::current().id();
        // The innermost: who is interrupted takes no step meanwhile.
        let index = plans.iter().rposition(|plan| plan.thread == current)?;
        match plans[index].left.checked_sub(1) {
            Some(left) => {
                plans[index].left = left;
                None
            }
            None => Some(plans.remove(index)),
        }
    });
    if let Some(plan) = due {
        (plan.action)();
    }
}

/// Runs `body`, and `action` before its `n`th step; whether it has so many.
pub(crate) fn interrupt(n: u32, action: impl FnOnce() + 'static, body: impl FnOnce()) -> bool {
    let plan = plan(n, action);
    body();
    !cancel(plan)
}

/// Runs `body` up to its `n`th step, and leaves it; whether it has so many.
pub(crate) fn abandon(n: u32, body: impl FnOnce()) -> bool {
    struct Left;
    let plan = plan(n, || panic::resume_unwind(Box::new(Left)));
    match panic::catch_unwind(AssertUnwindSafe(body)) {
        Ok(()) => !cancel(plan),
        Err(left) if left.is::<Left>() => true,
        Err(failure) => panic::resume_unwind(failure),
    }
}

fn plan(left: u32, action: impl FnOnce() + 'static) -> u64 {
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    let number = NUMBER.get() + 1;
    NUMBER.set(number);
    let plan = Plan { number, thread: thread::current().id(), left, action: Box::new(action) };
    PLANS.with_borrow_mut(|plans| plans.push(plan));
    number
}

/// Whether it was still to come.
fn cancel(number: u64) -> bool {
    PLANS.with_borrow_mut(|plans| {
        let index = plans.iter().position(|plan| plan.number == number);
        index.map(|index| plans.remove(index)).is_some()
    })
}
