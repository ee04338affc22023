//! rsig_alarm, rsig_setitimer, rsig_getitimer.

use super::{require, status, store};
use crate::runtime::error::{Error, Result};
use crate::runtime::main_thread;
use crate::sys::timer::{self, Seconds};
use libc::{c_int, c_uint};

const TIMERS: &str = "0 to 2: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF";

/// An interval timer, in seconds.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rsig_itimer {
    /// Until it fires; 0: it is off.
    pub delay: f64,
    /// Between two firings from then on; 0: it fires once.
    pub interval: f64,
}

/// The same, as POSIX names its types.
#[allow(non_camel_case_types)]
pub type rsig_itimer_t = rsig_itimer;

/// Has SIGALRM sent to the process after a time; an alarm that was set before is forgotten.
///
/// @param seconds  0 sets none
/// @return the seconds that were left of the alarm before, rounded by the system to at least 1; 0 if there was none.
///         There is no failure.
///
/// Any thread, before rsig_init() too. Async-signal-safe. See alarm(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_alarm(seconds: c_uint) -> c_uint {
    timer::alarm(seconds)
}

/// Sets an interval timer of the process: ITIMER_REAL counts time and sends SIGALRM, ITIMER_VIRTUAL counts processor
/// time spent in the program and sends SIGVTALRM, ITIMER_PROF also counts what the kernel spends for it and sends
/// SIGPROF. rsig_alarm() and ITIMER_REAL are the same timer.
///
/// @param which     ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF
/// @param delay     seconds until it fires, 0 to turn it off; rounded up to the microsecond, so that any delay above 0
///                  arms it
/// @param interval  seconds between two firings from then on, 0 for none; rounded up likewise
/// @param old       room for the timer before; may be NULL
/// @return RSIG_OK; RSIG_ERROR_ITIMER with EINVAL, and the timer as it was, for another `which` or a time that is NaN,
///         infinite, negative or too large for the system's time_t; RSIG_ERROR_STATE. More than 285 years count as that.
///
/// Any thread. Not async-signal-safe. See setitimer(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_setitimer(
    which: c_int,
    delay: f64,
    interval: f64,
    old: *mut rsig_itimer_t,
) -> c_int {
    let result = main_thread::require_init().and_then(|()| {
        timer::set(which, Seconds { delay, interval }).map_err(|errno| {
            Error::itimer(
                errno,
                format_args!(
                    "cannot set interval timer {which} (of {TIMERS}) to {delay:?} s, then {interval:?} s (of 0 or more)"
                ),
            )
        })
    });
    // SAFETY: NULL or room, by contract.
    unsafe { tell(result, old) }
}

/// Tells what an interval timer stands at.
///
/// @param which  ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF
/// @param now    room for the seconds until it fires, 0 if it is off, and its interval
/// @return RSIG_OK; RSIG_ERROR_ITIMER with EINVAL for another `which`; RSIG_ERROR_VALUE for NULL; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. See getitimer(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_getitimer(which: c_int, now: *mut rsig_itimer_t) -> c_int {
    let result = main_thread::require_init().and_then(|()| require(now, "now")).and_then(|()| {
        timer::get(which).map_err(|errno| {
            Error::itimer(errno, format_args!("cannot read interval timer {which} (of {TIMERS})"))
        })
    });
    // SAFETY: NULL or room, by contract.
    unsafe { tell(result, now) }
}

/// # Safety
/// `place` is NULL or room for a timer.
unsafe fn tell(result: Result<Seconds>, place: *mut rsig_itimer_t) -> c_int {
    status(result.map(|Seconds { delay, interval }| {
        // SAFETY: the caller's promise.
        unsafe { store(place, rsig_itimer_t { delay, interval }) }
    }))
}
