//! rsig_pthread_sigmask.

use super::{status, store};
use crate::runtime::send;
use crate::sys::sigset::rsig_sigset_t;
use libc::c_int;

/// Changes which signals are blocked for the calling thread. On the main thread, handlers that this made pending run
/// before it returns.
///
/// @param how  SIG_BLOCK to add the set, SIG_UNBLOCK to remove it, SIG_SETMASK to make it the mask. To read only:
///             SIG_BLOCK with an empty set.
/// @param set  the signals; SIGKILL, SIGSTOP and the C library's own are left out silently, as by the system
/// @param old  room for the mask before; may be NULL
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for a wrong `how`; RSIG_ERROR_HANDLER if a handler refused, and then the
///         mask is changed and `old` is set all the same; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. See pthread_sigmask(3).
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_pthread_sigmask(
    how: c_int,
    set: rsig_sigset_t,
    old: *mut rsig_sigset_t,
) -> c_int {
    // SAFETY: NULL or room, by contract.
    status(send::change_mask(how, set, |before| unsafe { store(old, before) }))
}
