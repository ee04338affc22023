//! No system but Linux has pidfd_open(2) and pidfd_send_signal(2).

use libc::{c_int, c_uint, pid_t};
use nix::errno::Errno;

pub(crate) fn open(_pid: pid_t, _flags: c_uint) -> Result<c_int, Errno> {
    Err(Errno::ENOSYS)
}

pub(crate) fn send_signal(_pidfd: c_int, _signum: c_int, _flags: c_uint) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}
