//! The C face: one file for each page that a manual would have. No logic: check the pointers, call, translate the
//! result. The doc comments are written for the C reader and become the header.
//!
//! Functions that may run a handler are `extern "C-unwind"`: a C++ exception may pass through them.

mod blocking;
mod channel;
mod child;
mod die;
mod dump;
mod errors;
mod event;
mod init;
mod mask;
mod names;
mod pump;
mod send;
mod signal;
mod sigset;
mod timer;
mod version;
mod wait;
mod wakeup;

use crate::runtime::error::{Error, Result};
use crate::sys::errno;
use libc::c_int;

/// The result as C has it: a failure as its negative status, and errno.
fn answer(result: Result<c_int>) -> c_int {
    match result {
        Ok(value) => value,
        Err(error) => {
            errno::set(error.errno as c_int);
            error.status as c_int
        }
    }
}

/// The same where there is nothing to tell but success.
fn status(result: Result<()>) -> c_int {
    answer(result.map(|()| 0))
}

/// Stores an optional result.
///
/// # Safety
/// `place` is NULL or room for a `T`.
unsafe fn store<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { place.write(value) }
    }
}

/// Fails where a parameter that must be given is NULL.
fn require<T>(pointer: *const T, parameter: &str) -> Result<()> {
    if pointer.is_null() { Err(Error::null(parameter)) } else { Ok(()) }
}
