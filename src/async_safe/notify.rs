//! The one function of the user's that runs in signal context, because it was made for that: to tell a runtime.

use crate::async_safe::atomic::{AtomicPtr, Ordering};
use libc::{c_int, c_void};

/// What to call with what. Kept for ever, as a handler may have just read its address.
pub(crate) struct Notify {
    pub(crate) function: unsafe extern "C" fn(signum: c_int, arg: *mut c_void),
    pub(crate) arg: *mut c_void,
}

// SAFETY: rsig carries `arg` around and never looks behind it.
unsafe impl Send for Notify {}
// SAFETY: as above.
unsafe impl Sync for Notify {}

impl Notify {
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.function as usize == other.function as usize && self.arg == other.arg
    }
}

static NOTIFY: AtomicPtr<Notify> = AtomicPtr::new(std::ptr::null_mut());

pub(crate) fn set(notify: Option<&'static Notify>) {
    let pointer = notify.map_or(std::ptr::null_mut(), |n| std::ptr::from_ref(n).cast_mut());
    // Release: pairs with `call`.
    NOTIFY.store(pointer, Ordering::Release);
}

/// The low-level handler's part.
pub(crate) fn call(signum: c_int) {
    // Acquire: the pair behind the pointer is seen whole.
    // SAFETY: NULL, or what `set` was given, which lives for ever.
    if let Some(notify) = unsafe { NOTIFY.load(Ordering::Acquire).as_ref() } {
        // SAFETY: the user's own function, for which the user has promised that it is async-signal-safe.
        unsafe { (notify.function)(signum, notify.arg) }
    }
}
