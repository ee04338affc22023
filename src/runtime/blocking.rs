//! The calls of PEP 475 that are more than one system call repeated.

use crate::runtime::call::{self, Answer, Rounds};
use crate::runtime::error::{Error, Result};
use crate::sys::{clock, system_call};
use libc::{c_int, c_long, nfds_t, pollfd, sockaddr, socklen_t, timespec};
use std::ptr;
use std::time::Duration;

/// connect(2). Interrupted, the connection goes on being made, and a second call waits for it, or says EISCONN when it is
/// there.
///
/// # Safety
/// `address` is such as connect() allows.
pub(crate) unsafe fn connect(
    fd: c_int,
    address: *const sockaddr,
    length: socklen_t,
) -> Result<Answer> {
    let arguments = [fd.into(), address as c_long, length as c_long, 0, 0, 0];
    // For such a one EISCONN is an error, whatever interrupted the call.
    let connected_before = is_connected(fd);
    let mut interrupted = false;
    let mut rounds = Rounds::default();
    loop {
        // SAFETY: the caller's promise.
        match unsafe { rounds.next(system_call::SYS_connect, || arguments) }? {
            Err(libc::EINTR) => interrupted = !connected_before,
            Err(libc::EISCONN) if interrupted => return Ok(Ok(0)),
            // The socket's own time limit (SO_SNDTIMEO) is over, for which the first call would have said this.
            Err(libc::EALREADY) if interrupted && !is_nonblocking(fd) => {
                return Ok(Err(libc::EINPROGRESS));
            }
            result => return Ok(result),
        }
    }
}

fn is_connected(fd: c_int) -> bool {
    // SAFETY: zero is a value for every field.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as socklen_t;
    // SAFETY: room for any address, and its size.
    unsafe { libc::getpeername(fd, (&raw mut address).cast(), &raw mut length) == 0 }
}

fn is_nonblocking(fd: c_int) -> bool {
    // SAFETY: F_GETFL takes no third argument.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    flags != -1 && flags & libc::O_NONBLOCK != 0
}

/// ppoll(2) without a mask, for the time that is left; no timeout is no limit.
///
/// # Safety
/// `fds` has room for `n`.
pub(crate) unsafe fn poll(
    fds: *mut pollfd,
    n: nfds_t,
    timeout: Option<Duration>,
) -> Result<Answer> {
    let deadline = timeout.map(clock::deadline);
    let arguments = |left: *mut timespec| [fds as c_long, n as c_long, left as c_long, 0, 0, 0];
    let mut rounds = Rounds::default();
    loop {
        let mut time = None;
        let next = || {
            time = deadline.map(|deadline| clock::to_timespec(clock::left(deadline)));
            arguments(time.as_mut().map_or(ptr::null_mut(), ptr::from_mut::<timespec>))
        };
        // SAFETY: the caller's promise, and a time on this stack or NULL.
        match unsafe { rounds.next(system_call::SYS_ppoll, next) }? {
            Err(libc::EINTR) => {}
            answer => return Ok(answer),
        }
    }
}

/// Sleeps until a moment of the monotonic clock.
pub(crate) fn sleep(duration: Duration) -> Result<Answer> {
    let deadline = clock::deadline(duration);
    let until = clock::to_timespec(deadline);
    let until = (&raw const until) as c_long;
    let arguments =
        [libc::CLOCK_MONOTONIC.into(), system_call::TIMER_ABSTIME.into(), until, 0, 0, 0];
    // SAFETY: reads the time on this stack.
    unsafe { call::retried(system_call::SYS_clock_nanosleep, &arguments) }
}

/// `seconds` as a timeout.
pub(crate) fn duration(seconds: f64, what: &str) -> Result<Duration> {
    clock::duration(seconds).ok_or_else(|| {
        Error::value(format_args!("{what} {seconds:?} is out of range: seconds, 0 or more"))
    })
}

/// `seconds` as a timeout, where a negative one is no limit.
pub(crate) fn limit(seconds: f64) -> Result<Option<Duration>> {
    if seconds < 0.0 && seconds.is_finite() {
        return Ok(None);
    }
    clock::duration(seconds).map(Some).ok_or_else(|| {
        let valid = "finite seconds, where any negative number is no limit";
        Error::value(format_args!("timeout {seconds:?} is out of range: {valid}"))
    })
}
