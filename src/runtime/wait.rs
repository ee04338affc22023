//! pause() and the sigwait family. On the main thread they run pending handlers and go on with the time that
//! is left; elsewhere they simply go on.

use crate::async_safe::handler::deliver;
use crate::async_safe::pending::{self, PENDING};
use crate::async_safe::poke;
use crate::runtime::error::{Error, Result};
use crate::runtime::{aside, call, dispositions, main_thread, pump};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use crate::sys::{clock, mask};
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
        sleep(None)?;
        if PENDING.tripped() == 0 {
            // Another party's handler ran.
            return Ok(());
        }
    }
    sleep(None)
}

/// Until a handler has run; how many did, 0 where the time is over.
pub(crate) fn wait(timeout: Option<Duration>) -> Result<c_int> {
    let deadline = timeout.map(clock::deadline);
    loop {
        // Asked anew in each round: a handler may have handed the main thread on.
        main_thread::require()?;
        let left = deadline.map(clock::left);
        let ran = pump::run()?;
        if ran > 0 || left == Some(Duration::ZERO) {
            return Ok(ran);
        }
        sleep(left)?;
    }
}

/// Until any handler has run on this thread, something is tripped on the main one, or the time is over.
fn sleep(timeout: Option<Duration>) -> Result<()> {
    match call::readable([], timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(cannot_wait(errno)),
    }
}

/// The same, and accepts a blocked signal of `set` that has a handler.
pub(crate) fn dispatch(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<c_int> {
    let deadline = timeout.map(clock::deadline);
    loop {
        main_thread::require()?;
        let left = deadline.map(clock::left);
        let ran = pump::run()?;
        if ran > 0 {
            return Ok(ran);
        }
        // Without a handler it would be accepted and lost.
        let handled = dispositions::handled(set);
        match accept_pending_first(handled, left) {
            Ok(accepted) => deliver(accepted.signum(), accepted.origin()),
            // What became pending by the end of the time runs before we say so.
            Err(Errno::EAGAIN) => return pump::run(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot_wait(errno)),
        }
    }
}

/// Accepts a signal of `set`; none where the time is over.
pub(crate) fn sigwait(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<Option<Accepted>> {
    main_thread::require_init()?;
    let deadline = timeout.map(clock::deadline);
    let mut gave_way = false;
    // Asked anew in each round: see `pause`.
    while main_thread::is_current() {
        pump::run()?;
        let left = deadline.map(clock::left);
        let result = if left != Some(Duration::ZERO) && needs_no_look() {
            accept_without_race(set, left)
        } else {
            accept_pending_first(set, left)
        };
        match result {
            Ok(accepted) if !gave_way && is_blocked_while_tripped(&accepted) => {
                let accepted = run_handlers_beside(accepted)?;
                if accepted.is_some() {
                    return Ok(accepted);
                }
                // A handler has called something of rsig's, and it is pending again. Not twice, or handlers that make themselves
                // pending could keep us here.
                gave_way = true;
            }
            Ok(accepted) => return Ok(Some(accepted)),
            Err(Errno::EAGAIN) => {
                // What became pending by the end of the time runs before we say so.
                pump::run()?;
                return Ok(None);
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot_wait(errno)),
        }
    }
    accept_elsewhere(set, deadline)
}

/// What waits in the kernel for the calling thread.
pub(crate) fn pending() -> Result<rsig_sigset_t> {
    call::put_back_aside();
    mask::pending()
        .map_err(|errno| Error::os(errno, format_args!("cannot read the pending signals")))
}

/// Not on the main thread: no handler runs here, and the wait simply goes on after a signal.
fn accept_elsewhere(set: rsig_sigset_t, deadline: Option<Duration>) -> Result<Option<Accepted>> {
    call::put_back_aside();
    loop {
        match accept(set, deadline.map(clock::left)) {
            Ok(accepted) => return Ok(Some(accepted)),
            Err(Errno::EAGAIN) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(cannot_wait(errno)),
        }
    }
}

/// Whether a handler became pending meanwhile, which runs before we return: if it refuses, the accepted signal goes back to the
/// kernel. One that is not blocked would be delivered at once then, and one of job control would take others from the kernel; so
/// the handler is the next pump's.
fn is_blocked_while_tripped(accepted: &Accepted) -> bool {
    const JOB_CONTROL: [c_int; 4] = [libc::SIGCONT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    PENDING.tripped() != 0
        && !JOB_CONTROL.contains(&accepted.signum())
        && mask::get().is_ok_and(|blocked| blocked & sigset::one(accepted.signum()) != 0)
}

fn run_handlers_beside(accepted: Accepted) -> Result<Option<Accepted>> {
    call::put_back_left();
    let Some(ticket) = aside::set(accepted) else { return Ok(Some(accepted)) };
    call::note_unsettled();
    let result = pump::run_tripped();
    let accepted = aside::take(&ticket);
    if main_thread::is_current() {
        call::note_unsettled();
    }
    match (result, accepted) {
        (Err(error), Some(accepted)) => {
            poke::put_back_first(accepted);
            Err(error)
        }
        (result, accepted) => result.map(|_| accepted),
    }
}

fn accept(set: rsig_sigset_t, timeout: Option<Duration>) -> std::result::Result<Accepted, Errno> {
    unless_poke(wait::accept(set, timeout))
}

/// A poke that came too late for a call is nobody's signal.
fn unless_poke(
    result: std::result::Result<Accepted, Errno>,
) -> std::result::Result<Accepted, Errno> {
    match result {
        Ok(accepted) if poke::is_poke(&accepted.origin()) => {
            poke::count(&accepted.origin());
            if main_thread::is_current() {
                poke::receive();
            }
            Err(Errno::EINTR)
        }
        result => result,
    }
}

/// What is pending already needs no wait that a signal could slip in front of, and no handler that makes itself pending again can
/// keep it from us.
fn accept_pending_first(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    // What a handler has left behind by longjmp() to another one.
    call::clear_abandoned();
    match accept(set, Some(Duration::ZERO)) {
        Err(Errno::EAGAIN) if timeout != Some(Duration::ZERO) => accept_without_race(set, timeout),
        result => result,
    }
}

/// The look is for what handlers keep tripped. Where nothing is, it would be a second system call for nothing; and so would be those that
/// a wait makes beside other threads, if the signal is there already.
fn needs_no_look() -> bool {
    !pending::is_tripped() && call::is_one_system_call()
}

/// EINTR where something is tripped.
fn accept_without_race(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    unless_poke(call::accept(set, timeout))
}

fn cannot_wait(errno: Errno) -> Error {
    Error::os_or_unsupported(errno, format_args!("cannot wait for a signal"))
}
