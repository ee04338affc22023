//! What a failing call tells: a status, an errno, and a sentence.

use crate::runtime::text::Text;
use crate::sys::errno::Described;
use crate::sys::signals::Named;
use libc::c_int;
use nix::errno::Errno;
use std::cell::UnsafeCell;
use std::ffi::c_char;
use std::fmt;

/// What every function that can fail returns when it does; zero and above are results.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rsig_status {
    /// No error.
    RSIG_OK = 0,
    /// An argument is out of range or NULL (Python: ValueError, TypeError). errno: EINVAL.
    RSIG_ERROR_VALUE = -1,
    /// Only the main thread may do this (Python: ValueError). errno: EPERM.
    RSIG_ERROR_THREAD = -2,
    /// The system refused (Python: OSError). errno: the system's.
    RSIG_ERROR_OS = -3,
    /// A timer was refused (Python: signal.ItimerError, a subtype of OSError). errno: the system's.
    RSIG_ERROR_ITIMER = -4,
    /// A handler refused: it returned something other than 0, which rsig_raised() tells (Python: whatever
    /// the handler raised). errno: EINTR.
    RSIG_ERROR_HANDLER = -5,
    /// rsig_init() was not called, or rsig_fini() undid it. errno: ENXIO.
    RSIG_ERROR_STATE = -6,
    /// This kernel or platform does not have it (Python: AttributeError). errno: ENOSYS.
    RSIG_ERROR_UNSUPPORTED = -7,
}

use rsig_status::*;

/// A failure on its way to the caller; its sentence is already where rsig_error_message() finds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Error {
    pub(crate) status: rsig_status,
    pub(crate) errno: Errno,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn value(message: fmt::Arguments<'_>) -> Self {
        Self::new(RSIG_ERROR_VALUE, Errno::EINVAL, message)
    }

    pub(crate) fn null(parameter: &str) -> Self {
        Self::value(format_args!("{parameter} must not be NULL"))
    }

    pub(crate) fn signum(signum: c_int) -> Self {
        let highest = crate::sys::signals::MAX;
        Self::value(format_args!("signal number {signum} is out of range: 1 to {highest}"))
    }

    pub(crate) fn thread() -> Self {
        Self::new(
            RSIG_ERROR_THREAD,
            Errno::EPERM,
            format_args!(
                "only the main thread may do this: the one that called rsig_init or rsig_set_main_thread"
            ),
        )
    }

    pub(crate) fn state() -> Self {
        Self::new(RSIG_ERROR_STATE, Errno::ENXIO, format_args!("rsig_init has not been called"))
    }

    /// The same without a sentence. Async-signal-safe.
    pub(crate) const STATE: Self = Self { status: RSIG_ERROR_STATE, errno: Errno::ENXIO };

    /// The system said `errno`, without a sentence. Async-signal-safe.
    pub(crate) fn os_without_message(errno: Errno) -> Self {
        Self { status: RSIG_ERROR_OS, errno }
    }

    /// `what` was attempted, and the system said `errno`.
    pub(crate) fn os(errno: Errno, what: fmt::Arguments<'_>) -> Self {
        Self::new(RSIG_ERROR_OS, errno, format_args!("{what}: {}", Described(errno)))
    }

    /// The same, with a system call that not every kernel has, or that a sandbox may not let through.
    #[cold]
    pub(crate) fn os_or_unsupported(errno: Errno, what: fmt::Arguments<'_>) -> Self {
        match errno {
            Errno::ENOSYS => Self::unsupported(format_args!("{what}: {}", Described(errno))),
            errno => Self::os(errno, what),
        }
    }

    pub(crate) fn itimer(errno: Errno, what: fmt::Arguments<'_>) -> Self {
        Self::new(RSIG_ERROR_ITIMER, errno, format_args!("{what}: {}", Described(errno)))
    }

    pub(crate) fn unsupported(message: fmt::Arguments<'_>) -> Self {
        Self::new(RSIG_ERROR_UNSUPPORTED, Errno::ENOSYS, message)
    }

    pub(crate) fn refused(signum: c_int, raised: c_int) -> Self {
        let name = Named(signum);
        Self::new(
            RSIG_ERROR_HANDLER,
            Errno::EINTR,
            format_args!("the handler of {name} refused with {raised}"),
        )
    }

    fn new(status: rsig_status, errno: Errno, message: fmt::Arguments<'_>) -> Self {
        let text = Text::format(message);
        // A thread that is coming to its end has no place for it any more; the status stands.
        let _ = MESSAGE.try_with(|place| {
            // SAFETY: the place is this thread's own, and nobody holds a Rust reference to it.
            unsafe { place.get().write(text) }
        });
        Self { status, errno }
    }
}

thread_local! {
    static MESSAGE: UnsafeCell<Text> = const { UnsafeCell::new(Text::new()) };
}

/// Before a lock that fork() waits for: in a library that was loaded later, a thread's place is allocated when it is first looked at, and
/// a fork can hold the allocator's lock already.
#[inline(never)]
pub(crate) fn make_place() {
    // SAFETY: the place is this thread's own. Volatile, so that it is looked at although nobody wants to know.
    let _ = MESSAGE.try_with(|place| unsafe { place.get().cast::<u8>().read_volatile() });
}

/// The calling thread's last sentence, empty before the first.
pub(crate) fn message() -> *const c_char {
    MESSAGE
        // SAFETY: the place is this thread's own; the pointer is read by the same thread.
        .try_with(|place| unsafe { (*place.get()).as_ptr() })
        .unwrap_or(c"".as_ptr())
}
