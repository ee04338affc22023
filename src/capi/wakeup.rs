//! rsig_set_wakeup_fd.

use super::{status, store};
use crate::runtime::wakeup;
use libc::c_int;

/// Sets a descriptor to which each delivery writes one byte, the signal's number: for event loops that poll. Only
/// signals that rsig has write, on whichever thread they land: those with a handler of rsig_signal()'s, and those that only a
/// channel listens to, for which no handler runs. The loop reads the bytes and calls rsig_pump().
///
/// What goes wrong with a write is told by the next pump, or the next call of this, to the warning hook: a full pipe only with
/// `warn_on_full_buffer`; a descriptor that was closed, or whose reader is gone, always. No write raises SIGPIPE or SIGXFSZ.
/// Turn it off (-1) before you close the descriptor: while another thread receives a signal, its byte could otherwise
/// go to a file that has got the same number since. A forked child keeps the descriptor, and writes to the same pipe.
///
/// @param fd                   a pipe or socket in non-blocking mode; -1 for none
/// @param warn_on_full_buffer  0: bytes that find no room are dropped silently
/// @param old_fd               room for the descriptor before, -1 if none; may be NULL
/// @return RSIG_OK; RSIG_ERROR_OS with EBADF for a descriptor that is not open; RSIG_ERROR_VALUE for a blocking one or one
///         that is open for reading only;
///         RSIG_ERROR_THREAD; RSIG_ERROR_STATE; after a failure the old one stays
///
/// Main thread only. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_set_wakeup_fd(
    fd: c_int,
    warn_on_full_buffer: c_int,
    old_fd: *mut c_int,
) -> c_int {
    let result = wakeup::set(fd, warn_on_full_buffer != 0);
    // SAFETY: NULL or room, by contract.
    status(result.map(|before| unsafe { store(old_fd, before) }))
}
