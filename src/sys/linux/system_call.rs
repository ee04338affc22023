//! The system calls that are made by number.

use libc::c_long;
pub(crate) use libc::{
    O_LARGEFILE, SYS_accept4, SYS_clock_nanosleep, SYS_connect, SYS_openat, SYS_ppoll, SYS_read,
    SYS_recvfrom, SYS_rt_sigtimedwait, SYS_sendto, SYS_wait4, SYS_write, TIMER_ABSTIME,
};

/// syscall(2): the result, or -1 and errno. Async-signal-safe.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn make(number: c_long, arguments: &[c_long; 6]) -> c_long {
    let [a, b, c, d, e, f] = *arguments;
    // SAFETY: the caller's promise.
    unsafe { libc::syscall(number, a, b, c, d, e, f) }
}
