//! Timers for pokes, of which there are none without real-time signals.

use libc::c_int;
use nix::errno::Errno;
use std::time::Duration;

pub(crate) fn create(_tid: c_int, _signum: c_int, _payload: u64) -> Result<c_int, Errno> {
    Err(Errno::ENOSYS)
}

pub(crate) fn fire(_timer: c_int, _delay: Duration) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

pub(crate) fn delete(_timer: c_int) {}
