//! The user's handler and its argument, as rsig_signal() takes them and rsig_getsignal() gives them.

use crate::runtime::siginfo::rsig_siginfo_t;
use libc::{c_int, c_void};

/// A handler: ordinary code that rsig_pump() calls on the main thread. It may allocate, lock, print, call any
/// function of rsig, throw a C++ exception or longjmp() out.
///
/// @param signum  the signal, 1 to NSIG-1
/// @param info    the first delivery since this handler ran last, and in `count` the number of all; never
///                NULL, valid until the handler returns
/// @param arg     what was given to rsig_signal()
/// @return 0 to go on. Anything else refuses, as a Python handler does that raises: the function that ran the
///         handler returns RSIG_ERROR_HANDLER, rsig_raised() tells the value, and what else is pending stays
///         pending.
#[allow(non_camel_case_types)]
pub type rsig_handler_t = Option<
    unsafe extern "C-unwind" fn(
        signum: c_int,
        info: *const rsig_siginfo_t,
        arg: *mut c_void,
    ) -> c_int,
>;

/// A signal's handler: a function, RSIG_DFL, RSIG_IGN or RSIG_FOREIGN; and its argument. For RSIG_FOREIGN the
/// argument is rsig's own note of what was found, and it may be for RSIG_DFL and RSIG_IGN. Give both back to
/// rsig_signal() to restore what they stand for.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rsig_action {
    /// Whom to call, or one of the three.
    pub handler: rsig_handler_t,
    /// What to call it with.
    pub arg: *mut c_void,
}

/// The same, as POSIX names its types.
#[allow(non_camel_case_types)]
pub type rsig_action_t = rsig_action;

// SAFETY: rsig carries `arg` around and never looks behind it; that the main thread may be another one
// later is the user's own choice (rsig_set_main_thread).
unsafe impl Send for rsig_action {}

/// The same without the numbers that stand for functions.
pub(crate) enum Handler {
    Default,
    Ignore,
    Foreign,
    /// SIG_ERR, which signal(2) returns when it fails.
    Error,
    Function(unsafe extern "C-unwind" fn(c_int, *const rsig_siginfo_t, *mut c_void) -> c_int),
}

impl rsig_action {
    pub(crate) const DEFAULT: Self = Self { handler: None, arg: std::ptr::null_mut() };

    pub(crate) fn handler(&self) -> Handler {
        match self.handler {
            None => Handler::Default,
            Some(function) => match function as usize {
                1 => Handler::Ignore,
                2 => Handler::Foreign,
                libc::SIG_ERR => Handler::Error,
                _ => Handler::Function(function),
            },
        }
    }

    /// Whether it is one that the pump calls.
    pub(crate) fn is_function(&self) -> bool {
        matches!(self.handler(), Handler::Function(_))
    }

    /// The handler as a number: a function's address, or one of the others'.
    pub(crate) fn number(&self) -> usize {
        self.handler.map_or(0, |function| function as usize)
    }

    /// RSIG_DFL, RSIG_IGN or RSIG_FOREIGN, by its number; or what `number` has told.
    pub(crate) fn special(number: usize, arg: *const c_void) -> Self {
        // SAFETY: a nullable function pointer has any address as a value; `handler` above tells these
        // three from functions before anything is called.
        let handler = unsafe { std::mem::transmute::<usize, rsig_handler_t>(number) };
        Self { handler, arg: arg.cast_mut() }
    }
}
