//! rsig_error_message, rsig_strerror.

use crate::runtime::error::{self, rsig_status};
use libc::c_int;
use std::ffi::{CStr, c_char};

/// A sentence about the calling thread's last failure: the offending value, the valid range, what the system said. Failures of
/// rsig_syscall() and of the functions from rsig_open() to rsig_sleep() that are the system call's own leave it as it was.
///
/// @return a string of at most 255 bytes, valid until the thread's next failing call of rsig; "" before the first
///         failure; never NULL
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_error_message() -> *const c_char {
    error::message()
}

/// What a status means.
///
/// @param status  an rsig_status; a result, zero or more, counts as RSIG_OK
/// @return a static string, never NULL
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_strerror(status: c_int) -> *const c_char {
    text(status).as_ptr()
}

fn text(status: c_int) -> &'static CStr {
    use rsig_status::*;
    const DESCRIPTIONS: [(rsig_status, &CStr); 8] = [
        (RSIG_OK, c"success"),
        (RSIG_ERROR_VALUE, c"an argument is out of range or NULL"),
        (RSIG_ERROR_THREAD, c"only the main thread may do this"),
        (RSIG_ERROR_OS, c"the system refused"),
        (RSIG_ERROR_ITIMER, c"the interval timer was refused"),
        (RSIG_ERROR_HANDLER, c"a signal handler refused"),
        (RSIG_ERROR_STATE, c"rsig_init has not been called"),
        (RSIG_ERROR_UNSUPPORTED, c"this kernel or platform does not have it"),
    ];
    DESCRIPTIONS
        .iter()
        .find(|&&(known, _)| known as c_int == status.min(0))
        .map_or(c"unknown status", |&(_, description)| description)
}
