//! No system but Linux has signalfd(2).

use crate::sys::sigset::rsig_sigset_t;
use libc::c_int;
use nix::errno::Errno;

pub(crate) fn open(_set: rsig_sigset_t) -> Result<c_int, Errno> {
    Err(Errno::ENOSYS)
}
