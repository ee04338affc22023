//! rsig_sigset_add, _remove, _contains, _next, _to_posix, _from_posix.

use super::{answer, require, status, store};
use crate::runtime::error::{Error, Result};
use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;

/// Adds a signal to a set.
///
/// @param set     the set
/// @param signum  1 to NSIG-1
/// @return RSIG_OK; RSIG_ERROR_VALUE for NULL or a number out of range
///
/// Any thread, before rsig_init() too. Not async-signal-safe: use RSIG_SIGSET() in signal context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigset_add(set: *mut rsig_sigset_t, signum: c_int) -> c_int {
    // SAFETY: checked to be not NULL, and then a set by contract.
    status(bit(set, signum).map(|bit| unsafe { *set |= bit }))
}

/// Removes a signal from a set; it need not be in it.
///
/// @param set     the set
/// @param signum  1 to NSIG-1
/// @return RSIG_OK; RSIG_ERROR_VALUE for NULL or a number out of range
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigset_remove(set: *mut rsig_sigset_t, signum: c_int) -> c_int {
    // SAFETY: as in rsig_sigset_add.
    status(bit(set, signum).map(|bit| unsafe { *set &= !bit }))
}

/// Whether a signal is in a set.
///
/// @param set     the set
/// @param signum  1 to NSIG-1
/// @return 1 or 0; RSIG_ERROR_VALUE for NULL or a number out of range
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigset_contains(set: *const rsig_sigset_t, signum: c_int) -> c_int {
    // SAFETY: as in rsig_sigset_add.
    answer(bit(set, signum).map(|bit| c_int::from(unsafe { *set } & bit != 0)))
}

fn bit(set: *const rsig_sigset_t, signum: c_int) -> Result<rsig_sigset_t> {
    require(set, "set")?;
    match signals::index(signum) {
        Some(_) => Ok(sigset::one(signum)),
        None => Err(Error::signum(signum)),
    }
}

/// The next signal of a set, to walk through it:
/// `for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n))`.
///
/// @param set    the set
/// @param after  any number
/// @return the lowest signal above `after`; 0 when there is none
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_sigset_next(set: rsig_sigset_t, after: c_int) -> c_int {
    sigset::next(set, after)
}

/// Makes the C library's form of a set.
///
/// @param set    the set
/// @param posix  room for a sigset_t
/// @return RSIG_OK; RSIG_ERROR_VALUE for NULL
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigset_to_posix(
    set: rsig_sigset_t,
    posix: *mut libc::sigset_t,
) -> c_int {
    // SAFETY: NULL or room, by contract.
    status(require(posix, "posix").map(|()| unsafe { store(posix, sigset::to_posix(set)) }))
}

/// Makes a set from the C library's form.
///
/// @param posix  a set
/// @param set    room for the result
/// @return RSIG_OK; RSIG_ERROR_VALUE for NULL
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_sigset_from_posix(
    posix: *const libc::sigset_t,
    set: *mut rsig_sigset_t,
) -> c_int {
    let result = require(posix, "posix").and_then(|()| require(set, "set"));
    // SAFETY: neither is NULL, and both are what the contract says.
    status(result.map(|()| unsafe { store(set, sigset::from_posix(&*posix)) }))
}
