//! What FreeBSD has and macOS does not. eventfd(2) came with FreeBSD 13.

use libc::{c_int, clockid_t, pid_t, timespec};
pub(super) use libc::{ppoll, sigqueue, sigtimedwait};

/// The calling thread's number.
pub(super) fn thread_id() -> c_int {
    // SAFETY: no arguments, no failure.
    unsafe { libc::pthread_getthreadid_np() }
}

/// thr_kill2(2), to a thread of this process.
pub(super) fn kill_thread(tid: pid_t, signum: c_int) -> c_int {
    // SAFETY: any numbers are allowed; getpid() has no arguments.
    unsafe { libc::thr_kill2(libc::getpid(), tid.into(), signum) }
}

pub(super) fn eventfd() -> c_int {
    // SAFETY: no pointers.
    unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }
}

pub(super) fn dup_close_on_exec(fd: c_int, number: c_int) -> c_int {
    // SAFETY: no pointers.
    unsafe { libc::dup3(fd, number, libc::O_CLOEXEC) }
}

/// # Safety
/// `time` is one.
pub(super) unsafe fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
) -> c_int {
    // SAFETY: the caller's promise; what is left is not wanted.
    unsafe { libc::clock_nanosleep(clock, flags, time, std::ptr::null_mut()) }
}
