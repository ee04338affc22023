//! pidfd_open(2) and pidfd_send_signal(2), for which the C library has wrappers only since glibc 2.36.

use libc::{c_int, c_uint, pid_t, siginfo_t};
use nix::errno::Errno;

/// The kernel makes it close-on-exec.
pub(crate) fn open(pid: pid_t, flags: c_uint) -> Result<c_int, Errno> {
    // SAFETY: the kernel checks both.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) };
    Errno::result(result).map(|fd| fd as c_int)
}

pub(crate) fn send_signal(pidfd: c_int, signum: c_int, flags: c_uint) -> Result<(), Errno> {
    let info = std::ptr::null::<siginfo_t>();
    // SAFETY: the kernel checks all four; a NULL siginfo makes it write its own.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signum, info, flags) };
    Errno::result(result).map(|_| ())
}
