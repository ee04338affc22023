//! pause() and the sigwait family. On the main thread they run pending handlers and go on with the time that
//! is left; elsewhere they simply go on.

use crate::async_safe::handler::deliver;
use crate::async_safe::pending::PENDING;
use crate::async_safe::poke;
use crate::runtime::error::{Error, Result};
use crate::runtime::waker::{self, End};
use crate::runtime::{call, dispositions, main_thread, pump};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use crate::sys::{clock, eventfd, mask};
use libc::c_int;
use nix::errno::Errno;
use std::time::Duration;

/// Returns when a handler has run, rsig's or somebody else's.
pub(crate) fn pause() -> Result<()> {
    main_thread::require_init()?;
    // Asked anew in each round: a handler may have handed the main thread on.
    while main_thread::is_current() {
        if pump::run()? > 0 {
            return Ok(());
        }
        if waker::sleep(NO_FD, None)? == End::Interrupted && PENDING.tripped() == 0 {
            // Another party's handler ran.
            return Ok(());
        }
    }
    match wait::readable([NO_FD], None) {
        Ok(()) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(cannot_wait(errno)),
    }
}

/// Until a handler has run; how many did, 0 where the time is over.
pub(crate) fn wait(timeout: Option<Duration>) -> Result<c_int> {
    let deadline = timeout.map(deadline);
    loop {
        // Asked anew in each round: a handler may have handed the main thread on.
        main_thread::require()?;
        let left = deadline.map(left);
        let ran = pump::run()?;
        if ran > 0 || left == Some(Duration::ZERO) {
            return Ok(ran);
        }
        waker::sleep(NO_FD, left)?;
    }
}

/// The same, and accepts a blocked signal of `set` that has a handler.
pub(crate) fn dispatch(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<c_int> {
    let deadline = timeout.map(deadline);
    loop {
        main_thread::require()?;
        let left = deadline.map(left);
        let ran = pump::run()?;
        if ran > 0 {
            return Ok(ran);
        }
        // Without a handler it would be accepted and lost.
        let handled = set & dispositions::handled();
        // What is pending already needs no wait that a signal could slip in front of.
        let accepted = match accept(handled, Some(Duration::ZERO)) {
            Err(Errno::EAGAIN) if left != Some(Duration::ZERO) => call::accept(handled, left),
            accepted => accepted,
        };
        match accepted {
            Ok(accepted) if poke::is_poke(&accepted.origin()) => {}
            Ok(accepted) => deliver(accepted.signum(), accepted.origin()),
            // What became pending by the end of the time runs before we say so.
            Err(Errno::EAGAIN) => return pump::run(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot_wait(errno)),
        }
    }
}

const NO_FD: c_int = -1;

/// Accepts a signal of `set`; none where the time is over.
pub(crate) fn sigwait(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<Option<Accepted>> {
    main_thread::require_init()?;
    let deadline = timeout.map(deadline);
    let mut gave_way = false;
    // Asked anew in each round: see `pause`.
    while main_thread::is_current() {
        pump::run()?;
        let left = deadline.map(left);
        let mut accepted = accept_now(set)?;
        if accepted.is_none() {
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            accepted = accept_later(set, left)?;
        }
        if let Some(accepted) = accepted {
            if gave_way || !give_way(&accepted) {
                return Ok(Some(accepted));
            }
            gave_way = true;
        }
    }
    accept_elsewhere(set, deadline)
}

/// Not on the main thread: no handler runs here, and the wait simply goes on after a signal.
fn accept_elsewhere(set: rsig_sigset_t, deadline: Option<Duration>) -> Result<Option<Accepted>> {
    loop {
        match accept(set, deadline.map(left)) {
            Ok(accepted) => return Ok(Some(accepted)),
            Err(Errno::EAGAIN) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot_wait(errno)),
        }
    }
}

/// Whether `accepted` went back to the kernel because a handler became pending meanwhile: that runs before we
/// return, and if it refuses, or throws, the accepted signal must not be lost. One that is not blocked cannot be
/// put back, for it would be delivered at once; then the handler is the next pump's.
fn give_way(accepted: &Accepted) -> bool {
    PENDING.tripped() != 0
        && mask::get().is_ok_and(|blocked| blocked & sigset::one(accepted.signum()) != 0)
        && accepted.put_back().is_ok()
}

/// A poke that came too late for a call is nobody's signal.
fn accept(set: rsig_sigset_t, timeout: Option<Duration>) -> std::result::Result<Accepted, Errno> {
    match wait::accept(set, timeout) {
        Ok(accepted) if poke::is_poke(&accepted.origin()) => Err(Errno::EINTR),
        result => result,
    }
}

fn accept_now(set: rsig_sigset_t) -> Result<Option<Accepted>> {
    match accept(set, Some(Duration::ZERO)) {
        Ok(accepted) => Ok(Some(accepted)),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
        Err(errno) => Err(cannot_wait(errno)),
    }
}

/// Sleeps until a signal of `set` is pending, or anything else happened. Meanwhile the set is blocked, so that
/// it is accepted and not delivered: sigtimedwait(2) does the same.
fn accept_later(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<Option<Accepted>> {
    let before = mask::change(libc::SIG_BLOCK, set).map_err(cannot_wait)?;
    let result = sleep_until_pending(set, timeout).and_then(|_| accept_now(set));
    mask::change(libc::SIG_SETMASK, before).map_err(cannot_wait)?;
    result
}

fn sleep_until_pending(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<End> {
    let fd = wait::signalfd(set).map_err(cannot_wait)?;
    let result = waker::sleep(fd, timeout);
    eventfd::close(fd);
    result
}

/// When the time is over: on the monotonic clock, or 0 for at once, which needs no clock.
fn deadline(timeout: Duration) -> Duration {
    match timeout {
        Duration::ZERO => Duration::ZERO,
        timeout => clock::now().saturating_add(timeout),
    }
}

fn left(deadline: Duration) -> Duration {
    match deadline {
        Duration::ZERO => Duration::ZERO,
        deadline => deadline.saturating_sub(clock::now()),
    }
}

fn cannot_wait(errno: Errno) -> Error {
    Error::os(errno, format_args!("cannot wait for a signal"))
}
