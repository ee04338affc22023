//! What went wrong where nobody could be told: a wakeup descriptor that failed, a delivery without a handler.

use crate::runtime::error::Result;
use crate::runtime::text::Text;
use crate::runtime::{main_thread, state};
use crate::sys::write;
use libc::c_void;
use std::ffi::c_char;
use std::fmt;

/// Hears rsig's warnings.
///
/// @param message  a sentence without a line end, valid until the hook returns
/// @param arg      what was given to rsig_set_warning_hook()
#[allow(non_camel_case_types)]
pub type rsig_warning_hook_t =
    Option<unsafe extern "C-unwind" fn(message: *const c_char, arg: *mut c_void)>;

#[derive(Clone, Copy)]
pub(crate) struct Hook {
    function: rsig_warning_hook_t,
    arg: *mut c_void,
}

// SAFETY: rsig carries `arg` around and never looks behind it.
unsafe impl Send for Hook {}

impl Hook {
    /// A line on the standard error stream.
    pub(crate) const DEFAULT: Self = Self { function: None, arg: std::ptr::null_mut() };

    pub(crate) fn new(function: rsig_warning_hook_t, arg: *mut c_void) -> Self {
        Self { function, arg }
    }

    /// The caller holds no lock.
    pub(crate) fn warn(self, message: fmt::Arguments<'_>) {
        match self.function {
            Some(function) => {
                let text = Text::format(message);
                // SAFETY: the user's own function with the user's own argument.
                unsafe { function(text.as_ptr(), self.arg) }
            }
            None => {
                let line = Text::format(format_args!("rsig: {message}\n"));
                // Where even this stream is closed or full, there is nobody left to tell.
                let _ = write::all(libc::STDERR_FILENO, line.as_bytes());
            }
        }
    }
}

/// The hook that is set now.
pub(crate) fn hook() -> Hook {
    state::lock().warning
}

pub(crate) fn set_hook(hook: Hook) -> Result<()> {
    let mut state = state::lock();
    main_thread::require_init()?;
    state.warning = hook;
    Ok(())
}
