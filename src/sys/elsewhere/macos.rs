//! What FreeBSD has and macOS does not.

use libc::{c_int, clockid_t, nfds_t, pid_t, pollfd, siginfo_t, sigset_t, sigval, timespec};
use nix::errno::Errno;
use std::ptr::null_mut;

fn not_there() -> c_int {
    Errno::ENOSYS.set();
    -1
}

/// The thread's Mach port, as its own number does not fit an int.
pub(super) fn thread_id() -> c_int {
    // SAFETY: the calling thread.
    unsafe { libc::pthread_mach_thread_np(libc::pthread_self()) as c_int }
}

pub(super) fn kill_thread(_tid: pid_t, _signum: c_int) -> c_int {
    not_there()
}

pub(super) fn eventfd() -> c_int {
    not_there()
}

pub(super) fn dup_close_on_exec(_fd: c_int, _number: c_int) -> c_int {
    not_there()
}

pub(super) unsafe fn sigqueue(_pid: pid_t, _signum: c_int, _value: sigval) -> c_int {
    not_there()
}

pub(super) unsafe fn sigtimedwait(
    _set: *const sigset_t,
    _info: *mut siginfo_t,
    _timeout: *const timespec,
) -> c_int {
    not_there()
}

pub(super) unsafe fn clock_nanosleep(
    _clock: clockid_t,
    _flags: c_int,
    _time: *const timespec,
) -> c_int {
    libc::ENOSYS
}

/// For no descriptor, by pselect(2).
///
/// # Safety
/// `timeout` and `mask` are such as ppoll() allows.
pub(super) unsafe fn ppoll(
    _fds: *mut pollfd,
    n: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> c_int {
    if n != 0 {
        return not_there();
    }
    // SAFETY: the caller's promise.
    unsafe { libc::pselect(0, null_mut(), null_mut(), null_mut(), timeout, mask) }
}
