//! What rsig_signal() was told of each signal, at each level (see `async_safe::displaced`). Counts only while the kernel has rsig's
//! own handler of that level, or somebody else's that may pass deliveries on to it.
//!
//! Written with the state's lock, and read by the pump without: a plain handler may leave a blocking call, and the pump in it,
//! by siglongjmp().

use crate::async_safe::displaced::LEVELS;
use crate::async_safe::handler;
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::sys::action;
use crate::sys::signals;
use libc::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

struct Told {
    handler: AtomicUsize,
    arg: AtomicPtr<c_void>,
}

struct Signal {
    /// By level.
    told: [Told; LEVELS],
    /// The level at which rsig has installed something last.
    top: AtomicUsize,
}

static SIGNALS: [Signal; signals::COUNT] = [const { Signal::new() }; signals::COUNT];

impl Told {
    const fn new() -> Self {
        Self { handler: AtomicUsize::new(0), arg: AtomicPtr::new(ptr::null_mut()) }
    }
}

impl Signal {
    const fn new() -> Self {
        Self { told: [const { Told::new() }; LEVELS], top: AtomicUsize::new(0) }
    }

    fn get(&self, level: usize) -> rsig_action_t {
        let Some(told) = self.told.get(level) else { return rsig_action_t::DEFAULT };
        // Relaxed, both: functions are set on the main thread, which is the one that asks without the lock.
        let (handler, arg) =
            (told.handler.load(Ordering::Relaxed), told.arg.load(Ordering::Relaxed));
        rsig_action_t::special(handler, arg)
    }

    /// With several levels.
    #[cold]
    fn now(&self, signum: c_int, top: usize) -> rsig_action_t {
        // Somebody may have put back a lower one.
        let own = action::get(signum).ok().and_then(|installed| handler::own(&installed));
        let mut level = own.map_or(top, |own| own.level);
        // What somebody else's handler has passed on is for the one beneath.
        while let Handler::Foreign = self.get(level).handler()
            && let Some(beneath) = level.checked_sub(1)
        {
            level = beneath;
        }
        self.get(level)
    }
}

fn signal(signum: c_int) -> Option<&'static Signal> {
    SIGNALS.get(signals::index(signum)?)
}

pub(crate) fn get(signum: c_int, level: usize) -> rsig_action_t {
    signal(signum).map_or(rsig_action_t::DEFAULT, |signal| signal.get(level))
}

pub(crate) fn set(signum: c_int, level: usize, action: &rsig_action_t) {
    if let Some(told) = signal(signum).and_then(|signal| signal.told.get(level)) {
        // Relaxed, both: see `Signal::get`.
        told.handler.store(action.number(), Ordering::Relaxed);
        told.arg.store(action.arg, Ordering::Relaxed);
    }
}

pub(crate) fn set_top(signum: c_int, level: usize) {
    if let Some(signal) = signal(signum) {
        // Relaxed: as in `Signal::get`.
        signal.top.store(level, Ordering::Relaxed);
    }
}

/// What the pump shall do with a delivery.
pub(crate) fn now(signum: c_int) -> rsig_action_t {
    let Some(signal) = signal(signum) else { return rsig_action_t::DEFAULT };
    // Relaxed: as in `Signal::get`.
    match signal.top.load(Ordering::Relaxed) {
        0 => signal.get(0),
        top => signal.now(signum, top),
    }
}
