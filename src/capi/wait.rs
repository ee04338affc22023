//! rsig_pause, rsig_wait, rsig_dispatch, rsig_sigwait, rsig_sigwaitinfo, rsig_sigtimedwait, rsig_sigpending.

use super::{answer, require, status, store};
use crate::runtime::blocking::{duration, limit};
use crate::runtime::error::Result;
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::runtime::{main_thread, wait};
use crate::sys::errno;
use crate::sys::sigset::rsig_sigset_t;
use libc::c_int;
use std::time::Duration;

/// Waits until a signal's handler has run, on the main thread by itself. What is pending already runs, and ends the
/// wait: the race of pause(2) is not there. A signal that lands on another thread ends the main thread's wait too.
/// On other threads it is pause(2): it ends after any signal handler on that thread, and no handler of rsig's runs. As with
/// pause(2), look in a loop for what you wait for: right after another of rsig's waits, or when a signal that only a channel has
/// lands on the waiting thread, it can end without any (see docs/limits.md).
///
/// @return RSIG_OK; RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_pause() -> c_int {
    status(wait::pause())
}

/// Waits for one of a set of signals and accepts it: it is no longer pending and no handler runs for it. The signals
/// should be blocked in all threads, else they may be delivered instead, here or elsewhere.
///
/// A signal outside the set that interrupts the wait is handled, and the wait goes on. On the main thread, pending
/// handlers run before this returns; if one refuses, nothing has been accepted. (An accepted signal that was not blocked cannot
/// be given back to the system; a handler that became pending together with it is then the next rsig_pump()'s.)
///
/// @param set  what to wait for; with no valid signal in it, the wait ends only by a refusal
/// @return the signal's number; RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE; where RSIG_RACE_FREE is 0,
///         RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM, as the main thread waits with a descriptor there
///
/// Any thread. Not async-signal-safe, nor a cancellation point. See sigwait(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_sigwait(set: rsig_sigset_t) -> c_int {
    // SAFETY: NULL is allowed.
    unsafe { accept(set, Ok(None), std::ptr::null_mut()) }
}

/// rsig_sigwait() that also tells where the signal came from.
///
/// @param set   what to wait for
/// @param info  room for the record; may be NULL
/// @return as rsig_sigwait()
///
/// Any thread. Not async-signal-safe, nor a cancellation point. See sigwaitinfo(2); unlike the C library's, it does
/// not change a code of SI_TKILL to SI_USER.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_sigwaitinfo(
    set: rsig_sigset_t,
    info: *mut rsig_siginfo_t,
) -> c_int {
    // SAFETY: NULL or room, by contract.
    unsafe { accept(set, Ok(None), info) }
}

/// rsig_sigwaitinfo() for a limited time. When a handler interrupts it, it goes on with the time that is left,
/// measured on the monotonic clock.
///
/// @param set      what to wait for
/// @param timeout  seconds, 0 or more, rounded up to the nanosecond; 0 only looks. No number is too large.
/// @param info     room for the record; may be NULL
/// @return the signal's number; 0 when the time is over (errno is left alone); RSIG_ERROR_VALUE for a timeout that is
///         negative, infinite or NaN; else as rsig_sigwait()
///
/// Any thread. Not async-signal-safe, nor a cancellation point. See sigtimedwait(2).
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_sigtimedwait(
    set: rsig_sigset_t,
    timeout: f64,
    info: *mut rsig_siginfo_t,
) -> c_int {
    let timeout = main_thread::require_init().and_then(|()| duration(timeout, "timeout").map(Some));
    // SAFETY: NULL or room, by contract.
    unsafe { accept(set, timeout, info) }
}

/// # Safety
/// `info` is NULL or room for a record.
unsafe fn accept(
    set: rsig_sigset_t,
    timeout: Result<Option<Duration>>,
    info: *mut rsig_siginfo_t,
) -> c_int {
    let before = errno::get();
    answer(timeout.and_then(|timeout| wait::sigwait(set, timeout)).map(|accepted| match accepted {
        None => {
            errno::set(before);
            0
        }
        Some(accepted) => {
            let signum = accepted.signum();
            // SAFETY: NULL or room, the caller's promise.
            unsafe { store(info, rsig_siginfo_t::new(signum, &accepted.origin(), 1)) };
            signum
        }
    }))
}

/// Waits until handlers have run, for so long: rsig_pause() with a timeout. What is pending already runs, and ends the wait. A
/// signal that lands on another thread ends it too.
///
/// @param timeout  seconds, rounded up to the nanosecond; 0 only runs what is pending; negative: no limit
/// @return how many handlers ran; 0 when the time is over; RSIG_ERROR_HANDLER if one refused; RSIG_ERROR_VALUE for a timeout that
///         is NaN or infinite; RSIG_ERROR_THREAD; RSIG_ERROR_STATE
///
/// Main thread only. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_wait(timeout: f64) -> c_int {
    answer(main_thread::require().and_then(|()| limit(timeout)).and_then(wait::wait))
}

/// rsig_wait() that also accepts a signal which is blocked, and runs its handler, without any signal frame: the cheapest way to
/// handle signals. At most one is accepted in a call, so that each real-time signal's payload reaches the handler. Block the
/// set in all threads, set the handlers with rsig_signal(), and call this in a loop. Like sigtimedwait(2) it does not ask what a
/// delivery would have done: where somebody has called sigaction(2) since, the handler that rsig_signal() was given runs.
///
/// @param set      the signals to accept; those without a handler stay pending
/// @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
/// @return as rsig_wait(); where RSIG_RACE_FREE is 0, the errors of rsig_sigwait() too
///
/// Main thread only. Not async-signal-safe, nor a cancellation point. See sigtimedwait(2).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_dispatch(set: rsig_sigset_t, timeout: f64) -> c_int {
    let limit = main_thread::require().and_then(|()| limit(timeout));
    answer(limit.and_then(|timeout| wait::dispatch(set, timeout)))
}

/// Tells which signals are blocked and waiting to be delivered, for the calling thread or the process. What was
/// delivered and waits for rsig_pump() is not among them.
///
/// @param set  room for the set
/// @return RSIG_OK; RSIG_ERROR_VALUE for NULL; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. See sigpending(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigpending(set: *mut rsig_sigset_t) -> c_int {
    let result = main_thread::require_init()
        .and_then(|()| require(set, "set"))
        .and_then(|()| wait::pending());
    // SAFETY: NULL or room, by contract.
    status(result.map(|pending| unsafe { store(set, pending) }))
}
