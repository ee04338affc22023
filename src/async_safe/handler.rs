//! The low-level handler, which rsig gives to sigaction(2), under two addresses.

use crate::async_safe::poke::{self, Meaning};
use crate::async_safe::{
    call, chain, channel, deliveries, displaced, notify, pending, waker, wakeup,
};
use crate::sys::action::{self, Disposition, LowLevelHandler};
use crate::sys::errno;
use crate::sys::siginfo::Origin;
use crate::sys::thread;
use libc::{c_int, c_void, siginfo_t, ucontext_t};

/// For signals that rsig_signal() has given a function, and for pokes. Its address is how rsig knows its own disposition when
/// the kernel shows it.
pub(crate) const LOW_LEVEL: LowLevelHandler = low_level;
/// For signals that only channels listen to: whoever had them before goes on. Another address, so that a delivery
/// that is on its way while the disposition changes goes where it would have gone before.
pub(crate) const STAND_IN: LowLevelHandler = stand_in;

/// Whether it is rsig's, one or the other.
pub(crate) fn is_own(disposition: &Disposition) -> bool {
    disposition.is(LOW_LEVEL) || disposition.is(STAND_IN)
}

/// Whether the kernel calls it.
pub(crate) fn has(signum: c_int) -> bool {
    action::get(signum).is_ok_and(|now| is_own(&now))
}

extern "C-unwind" fn low_level(signum: c_int, info: *mut siginfo_t, context: *mut c_void) {
    receive(signum, info, context, Role::Handler);
}

/// A displaced handler may leave it by unwinding, so no frame from here to there has anything to drop.
extern "C-unwind" fn stand_in(signum: c_int, info: *mut siginfo_t, context: *mut c_void) {
    receive(signum, info, context, Role::StandIn);
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Handler,
    StandIn,
}

fn receive(signum: c_int, info: *mut siginfo_t, context: *mut c_void, role: Role) {
    errno::preserved(|| {
        // SAFETY: with SA_SIGINFO the kernel passes a whole siginfo_t; another library that chains to
        // this handler without one may pass NULL.
        let record = unsafe { info.as_ref() };
        let origin = record.map_or(Origin::UNKNOWN, Origin::read);
        // SAFETY: with SA_SIGINFO the kernel passes the interrupted context, which nobody else uses; another library that
        // chains to this handler may pass NULL.
        let mut context = unsafe { context.cast::<ucontext_t>().as_mut() };
        let depth = depth(signum, context.as_deref());
        if is_fault(signum, origin.code) {
            if role == Role::Handler || !chain::call(signum, info, context, depth) {
                hand_back(signum);
            }
            return;
        }
        if depth > 0 {
            match role {
                Role::Handler => come_back(signum, origin, context),
                Role::StandIn => _ = chain::call(signum, info, context, depth),
            }
            return;
        }
        match (poke::meaning(signum, &origin), context.as_deref_mut()) {
            (Meaning::Delivery, again) if !pending::is_open() => {
                let called = role == Role::StandIn && chain::call(signum, info, again, depth);
                if !called {
                    pass_by(signum, info, context);
                }
            }
            (Meaning::Delivery, _) => match role {
                Role::Handler => {
                    deliver(signum, origin);
                    call::end(signum, context);
                }
                Role::StandIn => {
                    record_for(signum, origin, false);
                    chain::call(signum, info, context, depth);
                }
            },
            (Meaning::Poke, context) => {
                call::end_poked(signum, poke::is_reminder(&origin), context);
            }
            (Meaning::Death, Some(context)) => poke::die(signum, context),
            (Meaning::Held, Some(context)) => {
                if let Some(record) = record {
                    poke::hold_back(signum, record, context);
                }
                call::end(signum, Some(context));
            }
            _ => {}
        }
    });
}

/// How often this delivery has been here before: it comes back from a displaced handler that calls rsig's.
fn depth(signum: c_int, context: Option<&ucontext_t>) -> u32 {
    match context {
        Some(context) => chain::depth(context),
        None => action::get(signum).is_ok_and(|installed| installed.is(STAND_IN)).into(),
    }
}

/// A delivery of a signal that rsig_signal() has given a function.
pub(crate) fn deliver(signum: c_int, origin: Origin) {
    record_for(signum, origin, true);
}

/// Records a delivery, and tells all who wait: after it is recorded, as whoever wakes up must find it.
fn record_for(signum: c_int, origin: Origin, pump: bool) {
    if !pending::is_open() {
        return;
    }
    deliveries::count(signum);
    if pump {
        wait_for_pump(signum, origin);
    }
    channel::deliver(signum, origin);
    wakeup::write(signum);
    notify::call(signum);
}

/// From a handler that was displaced: the channels have this delivery already.
fn come_back(signum: c_int, origin: Origin, context: Option<&mut ucontext_t>) {
    if pending::is_open() && chain::is_beneath(signum) {
        wait_for_pump(signum, origin);
        call::end(signum, context);
    }
}

fn wait_for_pump(signum: c_int, origin: Origin) {
    waker::WAKER.deliver(|| pending::PENDING.deliver(signum, origin));
}

/// After rsig_fini(), to whom rsig had displaced: from a handler that still calls rsig's; or where somebody has put that back, which
/// they had displaced.
fn pass_by(signum: c_int, info: *mut siginfo_t, context: Option<&mut ucontext_t>) {
    let displaced = displaced::get(signum);
    match displaced.filter(|displaced| displaced.is_function()) {
        // Without a context it could be the caller, and go round for ever.
        Some(handler) if context.is_some() => chain::call_noted(handler, signum, info, context),
        Some(_) => {}
        // Asked anew whether rsig has it: another rsig_init() opens before it installs.
        None if has(signum) && !pending::is_open() => {
            // The kernel accepted both the number and the disposition before.
            let _ = action::set(signum, displaced.unwrap_or(&Disposition::DEFAULT));
            // SAFETY: as in `receive`.
            if let Some(info) = unsafe { info.as_ref() } {
                // Where the queue of signals is full, without its siginfo.
                let _ = thread::queue_info(thread::id(), signum, info)
                    .or_else(|_| thread::raise(signum));
            }
        }
        None => {}
    }
}

/// Whether the processor raised it at the interrupted instruction, which would fault again for ever if
/// the signal were deferred. A memory error that nobody has touched yet (BUS_MCEERR_AO) is no such thing.
fn is_fault(signum: c_int, code: c_int) -> bool {
    match signum {
        libc::SIGSEGV | libc::SIGFPE | libc::SIGILL => code > 0,
        libc::SIGBUS => code > 0 && code != libc::BUS_MCEERR_AO,
        _ => false,
    }
}

/// Puts back what rsig displaced and returns: the instruction faults again, and the signal goes where it
/// would have gone without rsig. Where that has brought us here already, because it calls the handler that it
/// displaced itself (this one, installed twice), only the default action ends the circle.
fn hand_back(signum: c_int) {
    let installed = action::get(signum).map(|installed| installed.handler());
    let next = displaced::get(signum)
        .filter(|displaced| installed != Ok(displaced.handler()))
        .unwrap_or(&Disposition::DEFAULT);
    // The kernel accepted both the number and the disposition before.
    let _ = action::set(signum, next);
}
