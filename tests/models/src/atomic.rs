//! loom's atomics as the library uses std's: made by a `const fn`, also in statics, and with SeqCst.
//!
//! loom's own belong to one run of the model, so each is made when it is touched first, and anew in each run. Whoever touches it
//! later must know of that, or loom complains: before it starts threads a model calls the functions that
//! reset the object, as a child after fork does, and they touch all of it.

use crate::model::{self, Mode};
use crate::steps;
use loom::sync::atomic as loom_atomic;
use loom::sync::atomic::fence;
use std::cell::UnsafeCell;
pub(crate) use std::sync::atomic::Ordering;

/// What is made anew in each run.
pub(crate) struct PerRun<T>(UnsafeCell<Option<(u64, T)>>);

// SAFETY: loom runs all threads of a model on one of the system's; statics are used by one model at a time, see `call.rs`.
unsafe impl<T> Sync for PerRun<T> {}
// SAFETY: as above.
unsafe impl<T> Send for PerRun<T> {}

impl<T> PerRun<T> {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        // SAFETY: nobody else is in here, and what is handed out stays as long as the run.
        let made = unsafe { &mut *self.0.get() };
        if made.as_ref().is_none_or(|(run, _)| *run != model::run()) {
            *made = Some((model::run(), make()));
        }
        &made.as_ref().expect("made").1
    }
}

/// What loom is to take a load for; none: see `Mode::NewestLoads`.
fn load_order(order: Ordering) -> Option<Ordering> {
    match order {
        Ordering::SeqCst if model::mode() == Mode::NewestLoads => None,
        Ordering::SeqCst => Some(Ordering::Acquire),
        order => Some(order),
    }
}

fn both_order(order: Ordering) -> Ordering {
    if order == Ordering::SeqCst { Ordering::AcqRel } else { order }
}

/// After a store.
fn stored(order: Ordering) {
    if order == Ordering::SeqCst && model::mode() == Mode::FencedStores {
        fence(Ordering::SeqCst);
    }
}

macro_rules! atomic {
    ($name:ident $(<$parameter:ident>)?, $value:ty, $any:expr) => {
        pub(crate) struct $name $(<$parameter>)? {
            initial: $value,
            made: PerRun<loom_atomic::$name $(<$parameter>)?>,
        }

        // SAFETY: as std's.
        unsafe impl $(<$parameter>)? Sync for $name $(<$parameter>)? {}
        // SAFETY: as std's.
        unsafe impl $(<$parameter>)? Send for $name $(<$parameter>)? {}

        #[allow(dead_code)]
        impl $(<$parameter>)? $name $(<$parameter>)? {
            pub(crate) const fn new(initial: $value) -> Self {
                Self { initial, made: PerRun::new() }
            }

            fn step(&self) -> &loom_atomic::$name $(<$parameter>)? {
                steps::step();
                self.made.get(|| loom_atomic::$name::new(self.initial))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                let atomic = self.step();
                match load_order(order) {
                    Some(order) => atomic.load(order),
                    // What compares always sees the newest.
                    None => atomic
                        .compare_exchange($any, $any, Ordering::Acquire, Ordering::Acquire)
                        .unwrap_or_else(|newest| newest),
                }
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                match order {
                    // So that all of them are in one order, which those of loom's that are concurrent are not.
                    Ordering::SeqCst => _ = self.step().swap(value, Ordering::Release),
                    order => self.step().store(value, order),
                }
                stored(order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                let before = self.step().swap(value, both_order(order));
                stored(order);
                before
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                before: $value,
                after: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let (success, on_success) = (both_order(success), success);
                let failure = load_order(failure).unwrap_or(Ordering::Acquire);
                let result = self.step().compare_exchange(before, after, success, failure);
                if result.is_ok() {
                    stored(on_success);
                }
                result
            }

            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut change: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch);
                while let Some(after) = change(before) {
                    match self.compare_exchange_weak(before, after, set, fetch) {
                        Err(now) => before = now,
                        result => return result,
                    }
                }
                Err(before)
            }
        }
    };
}

macro_rules! integer {
    ($value:ty: $($change:ident)*) => {
        $(pub(crate) fn $change(&self, value: $value, order: Ordering) -> $value {
            let before = self.step().$change(value, both_order(order));
            stored(order);
            before
        })*
    };
    ($name:ident, $value:ty) => {
        atomic!($name, $value, 0);

        #[allow(dead_code)]
        impl $name {
            integer!($value: fetch_add fetch_sub fetch_or fetch_and);

            /// Not to be looked at: there is no such word.
            pub(crate) fn as_ptr(&self) -> *mut $value {
                std::ptr::null_mut()
            }
        }
    };
}

atomic!(AtomicBool, bool, false);
atomic!(AtomicPtr<T>, *mut T, std::ptr::null_mut());
integer!(AtomicI32, i32);
integer!(AtomicU32, u32);
integer!(AtomicU64, u64);
integer!(AtomicUsize, usize);
