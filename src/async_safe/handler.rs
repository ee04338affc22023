//! The low-level handler: the one function that rsig ever gives to sigaction(2).

use crate::async_safe::{displaced, pending, waker, wakeup};
use crate::sys::action::{self, Disposition, LowLevelHandler};
use crate::sys::errno;
use crate::sys::siginfo::Origin;
use libc::{c_int, c_void, siginfo_t};

/// Its address is how rsig knows its own disposition when the kernel shows it.
pub(crate) const LOW_LEVEL: LowLevelHandler = low_level;

extern "C" fn low_level(signum: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    errno::preserved(|| {
        // SAFETY: with SA_SIGINFO the kernel passes a whole siginfo_t; another library that chains to
        // this handler without one may pass NULL.
        let origin = unsafe { info.as_ref() }.map_or(Origin::UNKNOWN, Origin::read);
        if is_fault(signum, origin.code) {
            hand_back(signum);
        } else {
            deliver(signum, origin);
        }
    });
}

/// The byte goes out and the wait ends after the delivery is recorded: whoever wakes up must find it.
fn deliver(signum: c_int, origin: Origin) {
    pending::PENDING.deliver(signum, origin);
    wakeup::write(signum);
    waker::wake();
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
    const DEFAULT: Disposition = Disposition::plain(libc::SIG_DFL);
    let installed = action::get(signum).map(|installed| installed.handler());
    let next = displaced::get(signum)
        .filter(|displaced| installed != Ok(displaced.handler()))
        .unwrap_or(&DEFAULT);
    // The kernel accepted both the number and the disposition before.
    let _ = action::set(signum, next);
}
