//! What rsig_signal() was told of each signal, at each level (see `async_safe::displaced`): a function that counts where rsig's
//! handler of that level stands for nothing else (see `async_safe::chain`).
//!
//! Written with the state's lock on the main thread, and read by the pump without: a plain handler may leave a blocking call, and
//! the pump in it, by siglongjmp().

use crate::async_safe::chain;
use crate::async_safe::displaced::LEVELS;
use crate::async_safe::handler::{self, Role};
use crate::runtime::handler::rsig_action_t;
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
    /// See `set_top` and `end`.
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
}

fn signal(signum: c_int) -> Option<&'static Signal> {
    SIGNALS.get(signals::index(signum)?)
}

/// The function at this level, if there is one.
pub(crate) fn get(signum: c_int, level: usize) -> Option<rsig_action_t> {
    for_pump(signum, signal(signum)?, level).filter(rsig_action_t::is_function)
}

/// Also where there never was one.
fn for_pump(signum: c_int, signal: &Signal, level: usize) -> Option<rsig_action_t> {
    chain::get(signum, Role::Handler, level).is_none().then(|| signal.get(level))
}

/// What `get` is to tell when rsig's handler stands for nothing else.
pub(crate) fn set(signum: c_int, level: usize, function: &rsig_action_t) {
    if let Some(told) = signal(signum).and_then(|signal| signal.told.get(level)) {
        // Relaxed, both: see `Signal::get`.
        told.handler.store(function.number(), Ordering::Relaxed);
        told.arg.store(function.arg, Ordering::Relaxed);
    }
}

/// With the level of `top`: there ever was a function at another level than the lowest.
const SEVERAL: usize = 1 << 8;
/// In the level's place: none.
const NOWHERE: usize = 1 << 9;

/// The level at which rsig_signal() has set something last that deliveries can come from to the pump: a function, or somebody
/// else's handler, which may pass on to a function beneath.
pub(crate) fn set_top(signum: c_int, level: usize) {
    if let Some(signal) = signal(signum) {
        let several = if matches!(level, 0 | NOWHERE) { 0 } else { SEVERAL };
        // Relaxed, both: as in `Signal::get`, and with the lock.
        let before = signal.top.load(Ordering::Relaxed) & SEVERAL;
        signal.top.store(level | several | before, Ordering::Relaxed);
    }
}

/// rsig_signal() has set the default action or SIG_IGN: what is pending is dropped.
pub(crate) fn end(signum: c_int) {
    set_top(signum, NOWHERE);
}

/// What the pump calls for a delivery, where it is a function.
pub(crate) fn now(signum: c_int) -> Option<rsig_action_t> {
    let signal = signal(signum)?;
    // Relaxed: as in `Signal::get`.
    match signal.top.load(Ordering::Relaxed) {
        0 => for_pump(signum, signal, 0),
        top => highest(signum, top & !SEVERAL),
    }
}

/// Somebody may have put back another one; and what somebody else's handler has passed on is for the next function beneath.
#[cold]
fn highest(signum: c_int, top: usize) -> Option<rsig_action_t> {
    let own = action::get(signum).ok().and_then(|installed| handler::own(&installed));
    let level = match own {
        Some(own) if own.role == Role::Handler => own.level,
        _ if top == NOWHERE => return None,
        Some(own) => own.level,
        None => top,
    };
    (0..=level).rev().find_map(|level| get(signum, level))
}
