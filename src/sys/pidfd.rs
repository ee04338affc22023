//! pidfd_send_signal(2), for which the C library has a wrapper only since glibc 2.36.

use libc::{c_int, c_uint, siginfo_t};
use nix::errno::Errno;

pub(crate) fn send_signal(pidfd: c_int, signum: c_int, flags: c_uint) -> Result<(), Errno> {
    let info = std::ptr::null::<siginfo_t>();
    // SAFETY: the kernel checks all four; a NULL siginfo makes it write its own.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signum, info, flags) };
    Errno::result(result).map(|_| ())
}
