//! The low-level handler: the one function that rsig ever gives to sigaction(2).

use crate::async_safe::poke::{self, Meaning};
use crate::async_safe::{call, chain, channel, displaced, notify, pending, waker, wakeup};
use crate::sys::action::{self, Disposition, LowLevelHandler};
use crate::sys::errno;
use crate::sys::siginfo::Origin;
use crate::sys::thread;
use libc::{c_int, c_void, siginfo_t, ucontext_t};

/// Its address is how rsig knows its own disposition when the kernel shows it.
pub(crate) const LOW_LEVEL: LowLevelHandler = low_level;

extern "C" fn low_level(signum: c_int, info: *mut siginfo_t, context: *mut c_void) {
    errno::preserved(|| {
        // SAFETY: with SA_SIGINFO the kernel passes a whole siginfo_t; another library that chains to
        // this handler without one may pass NULL.
        let origin = unsafe { info.as_ref() }.map_or(Origin::UNKNOWN, Origin::read);
        // SAFETY: with SA_SIGINFO the kernel passes the interrupted context, which nobody else uses; another library that
        // chains to this handler may pass NULL.
        let mut context = unsafe { context.cast::<ucontext_t>().as_mut() };
        if let Some(context) = context.as_deref_mut()
            && let depth @ 1.. = chain::depth(context)
        {
            return come_back(signum, origin, info, context, depth);
        }
        if is_fault(signum, origin.code) {
            let called = context.is_some_and(|context| chain::call(signum, info, context));
            if !called {
                hand_back(signum);
            }
            return;
        }
        match (poke::meaning(signum, &origin), context) {
            (Meaning::Delivery, mut context) => {
                deliver(signum, origin);
                if !chain::is_quiet(signum) {
                    call::end(context.as_deref_mut());
                }
                let called = context.is_some_and(|context| chain::call(signum, info, context));
                if !called && !pending::is_open() {
                    // SAFETY: as for the siginfo above.
                    leave(signum, unsafe { info.as_ref() });
                }
            }
            (Meaning::Poke, context) => call::end_poked(context),
            (Meaning::Death, Some(context)) => poke::die(signum, context),
            (Meaning::Held, Some(context)) => {
                // SAFETY: as for the siginfo above.
                if let Some(info) = unsafe { info.as_ref() } {
                    poke::hold_back(signum, info, context);
                }
                call::end(Some(context));
            }
            _ => {}
        }
    });
}

/// Records a delivery, and tells all who wait: after it is recorded, as whoever wakes up must find it.
pub(crate) fn deliver(signum: c_int, origin: Origin) {
    if !pending::is_open() {
        return;
    }
    if !chain::is_quiet(signum) {
        wait_for_pump(signum, origin);
    }
    channel::deliver(signum, origin);
    wakeup::write(signum);
    notify::call(signum);
}

/// From a handler that was displaced: the channels have this delivery already. One that comes back from the earlier one as well
/// goes round in a circle.
fn come_back(
    signum: c_int,
    origin: Origin,
    info: *mut siginfo_t,
    context: &mut ucontext_t,
    depth: usize,
) {
    if depth == 1 && chain::call_earlier(signum, info, context) {
        return;
    }
    if is_fault(signum, origin.code) {
        hand_back(signum);
    } else if depth == 1 && pending::is_open() && chain::is_beneath(signum) {
        wait_for_pump(signum, origin);
        call::end(Some(context));
    }
}

fn wait_for_pump(signum: c_int, origin: Origin) {
    waker::WAKER.deliver(|| pending::PENDING.deliver(signum, origin));
}

/// After rsig_fini(): where somebody has put back rsig's handler that they had displaced, the signal goes to what rsig displaced,
/// the default action or none.
fn leave(signum: c_int, info: Option<&siginfo_t>) {
    let is_left = action::get(signum).is_ok_and(|installed| installed.is(LOW_LEVEL))
        // Asked anew: another rsig_init() opens before it installs.
        && !pending::is_open()
        && !poke::is_taken(signum);
    if let (true, Some(info)) = (is_left, info) {
        let next = displaced::get(signum).filter(|displaced| !displaced.is_function());
        // The kernel accepted both the number and the disposition before.
        let _ = action::set(signum, next.unwrap_or(&Disposition::DEFAULT));
        let _ = thread::queue_info(thread::id(), signum, info);
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
        // It was called, and asked to be called once.
        .filter(|displaced| !(chain::is_quiet(signum) && displaced.is_one_shot()))
        .unwrap_or(&Disposition::DEFAULT);
    // The kernel accepted both the number and the disposition before.
    let _ = action::set(signum, next);
}
