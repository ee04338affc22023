//! rsig_set_notify().

use crate::async_safe::notify::{self, Notify};
use crate::runtime::error::{Error, Result};
use crate::runtime::{main_thread, state};
use libc::{c_int, c_void};

/// A function for signal context: it may do only what a signal handler may.
///
/// @param signum  the signal that was delivered
/// @param arg     what was given to rsig_set_notify()
#[allow(non_camel_case_types)]
pub type rsig_notify_t = Option<unsafe extern "C" fn(signum: c_int, arg: *mut c_void)>;

pub(crate) fn set(function: rsig_notify_t, arg: *mut c_void) -> Result<()> {
    let mut state = state::lock();
    main_thread::require_init()?;
    let Some(function) = function else {
        notify::set(None);
        return Ok(());
    };
    let new = Notify { function, arg };
    let kept = match state.notifies.find(|kept| kept.same(&new)) {
        Some(kept) => kept,
        None => state
            .notifies
            .keep(new)
            .map_err(|errno| Error::os(errno, format_args!("cannot keep the function")))?,
    };
    notify::set(Some(kept));
    Ok(())
}
