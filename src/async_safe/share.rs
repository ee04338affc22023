//! Memory that changes hands between handlers and readers.

use std::cell::UnsafeCell;

/// A value that belongs, at each moment, to one thread or handler, as an atomic word beside it says.
pub(crate) struct Shared<T>(UnsafeCell<T>);

// SAFETY: who reads or writes it promises that it is theirs alone, and plain values may be sent to any thread.
unsafe impl<T: Copy + Send> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    /// The value is the caller's alone.
    pub(crate) unsafe fn read(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().read() }
    }

    /// # Safety
    /// As for `read`.
    pub(crate) unsafe fn write(&self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().write(value) }
    }
}
