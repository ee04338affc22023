//! signalfd(2).

use crate::sys::signals;
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::wait::SET_SIZE;
use libc::c_int;
use nix::errno::Errno;

/// A descriptor that is readable, for the calling thread, while a signal of `set` is pending.
pub(crate) fn open(set: rsig_sigset_t) -> Result<c_int, Errno> {
    const NEW: c_int = -1;
    let set = set & signals::valid();
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: reads `set`.
    let result =
        unsafe { libc::syscall(libc::SYS_signalfd4, NEW, &raw const set, SET_SIZE, flags) };
    Errno::result(result).map(|fd| fd as c_int)
}
