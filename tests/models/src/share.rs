//! `Shared` with loom's eyes: it fails where two use the value at once, or one without having seen what the other did.

use crate::atomic::PerRun;
use crate::steps;
use loom::cell::UnsafeCell;

pub(crate) struct Shared<T> {
    initial: T,
    made: PerRun<UnsafeCell<T>>,
}

impl<T: Copy> Shared<T> {
    pub(crate) const fn new(initial: T) -> Self {
        Self { initial, made: PerRun::new() }
    }

    fn step(&self) -> &UnsafeCell<T> {
        steps::step();
        self.made.get(|| UnsafeCell::new(self.initial))
    }

    /// # Safety
    /// The value is the caller's alone; loom makes sure.
    pub(crate) unsafe fn read(&self) -> T {
        // SAFETY: the caller's promise.
        self.step().with(|value| unsafe { value.read() })
    }

    /// # Safety
    /// As for `read`.
    pub(crate) unsafe fn write(&self, value: T) {
        // SAFETY: the caller's promise.
        self.step().with_mut(|place| unsafe { place.write(value) });
    }
}
