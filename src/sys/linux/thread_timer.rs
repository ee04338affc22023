//! POSIX timers whose expiry is a signal for one thread. The kernel gives the signal its place in the queue when the timer
//! is made, so firing it cannot fail for want of one.

use crate::sys::clock;
use libc::{c_int, itimerspec, sigevent, timespec};
use nix::errno::Errno;
use std::mem::MaybeUninit;
use std::time::Duration;

/// timer_create(2): the timer, not armed. By syscall(2), as is all here: the C library's timer_t is an address of its own.
pub(crate) fn create(tid: c_int, signum: c_int, payload: u64) -> Result<c_int, Errno> {
    // SAFETY: zero is a value for every field.
    let mut event: sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = tid;
    event.sigev_signo = signum;
    event.sigev_value.sival_ptr = payload as usize as *mut libc::c_void;
    let mut timer: c_int = 0;
    // SAFETY: a whole sigevent, and room for the kernel's number of the timer.
    let result = unsafe {
        libc::syscall(
            libc::SYS_timer_create,
            libc::CLOCK_MONOTONIC,
            &raw const event,
            &raw mut timer,
        )
    };
    Errno::result(result).map(|_| timer)
}

/// Once, after a delay; 0: never. Async-signal-safe.
pub(crate) fn fire(timer: c_int, delay: Duration) -> Result<(), Errno> {
    const NEVER: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
    let when = itimerspec { it_interval: NEVER, it_value: clock::to_timespec(delay) };
    const RELATIVE: c_int = 0;
    let old = std::ptr::null_mut::<itimerspec>();
    // SAFETY: reads the time; no old one is wanted.
    let result =
        unsafe { libc::syscall(libc::SYS_timer_settime, timer, RELATIVE, &raw const when, old) };
    Errno::result(result).map(|_| ())
}

pub(crate) fn delete(timer: c_int) {
    // SAFETY: any number is allowed. It fails where there is no such timer, and then there is nothing to do.
    unsafe { libc::syscall(libc::SYS_timer_delete, timer) };
}
