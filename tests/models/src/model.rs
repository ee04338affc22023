//! Runs a model: in each order, and with each stand-in for SeqCst.

use crate::sys::siginfo::Origin;
use libtest_mimic::Trial;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often in a run a thread is put aside that could go on.
const PREEMPTIONS: usize = 2;

/// What a SeqCst access is, as loom has no such thing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// A load sees the newest store there is. So it catches a load that should be SeqCst and is not: it sees older ones. That
    /// a store should be SeqCst does not show. It makes nobody see anything else: acquire and release count as what they are.
    NewestLoads,
    /// A store, or what does both, has a fence behind it; a load is an acquire: as a compiler for x86-64 has it. It catches a store
    /// that should be SeqCst and is not, and not a load.
    FencedStores,
}

thread_local! {
    // loom runs all threads of a model on one of the system's.
    static NOW: Cell<(Mode, u64)> = const { Cell::new((Mode::NewestLoads, 0)) };
}

pub(crate) fn mode() -> Mode {
    NOW.get().0
}

/// A number of its own for each run of a model, in which what `const fn` and statics have made is made anew.
pub(crate) fn run() -> u64 {
    NOW.get().1
}

/// A model to be listed.
pub(crate) fn trial(name: &str, body: fn()) -> Trial {
    bounded(name, PREEMPTIONS, body)
}

pub(crate) fn bounded(name: &str, preemptions: usize, body: fn()) -> Trial {
    Trial::test(name, move || {
        check(preemptions, body);
        Ok(())
    })
}

/// For a model that uses statics of the library's, which no other may do meanwhile.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The model, with each `n` up to the first for which it says that there is nothing (more) of that number.
pub(crate) fn counted(name: &str, body: fn(u32) -> bool) -> Trial {
    Trial::test(name, move || {
        let mut n = 0;
        while check(PREEMPTIONS, move || body(n)) {
            n += 1;
        }
        assert!(n > 0);
        Ok(())
    })
}

/// Whether one of the runs said so.
fn check<R: Answer + 'static>(
    preemptions: usize,
    body: impl Fn() -> R + Copy + Send + Sync + 'static,
) -> bool {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let yes = Arc::new(AtomicBool::new(false));
    for mode in [Mode::NewestLoads, Mode::FencedStores] {
        let mut builder = loom::model::Builder::new();
        builder.max_branches = 100_000;
        builder.preemption_bound.get_or_insert(preemptions);
        let yes = yes.clone();
        builder.check(move || {
            NOW.set((mode, RUNS.fetch_add(1, Ordering::Relaxed)));
            crate::eventfd::forget();
            crate::steps::forget();
            crate::kernel::forget();
            if body().is_yes() {
                yes.store(true, Ordering::Relaxed);
            }
        });
    }
    yes.load(Ordering::Relaxed)
}

trait Answer {
    fn is_yes(&self) -> bool;
}

impl Answer for () {
    fn is_yes(&self) -> bool {
        true
    }
}

impl Answer for bool {
    fn is_yes(&self) -> bool {
        *self
    }
}

/// Says which delivery this is.
pub(crate) fn origin(writer: i32, number: i32) -> Origin {
    Origin { pid: writer, value_int: number, ..Origin::UNKNOWN }
}

/// Memory that the library takes for its own as long as the process lives, and that a run of a model frees.
pub(crate) struct Lent<T>(*mut [T]);

// SAFETY: as for a Box.
unsafe impl<T: Send> Send for Lent<T> {}
// SAFETY: as for a Box.
unsafe impl<T: Sync> Sync for Lent<T> {}

impl<T> Lent<T> {
    pub(crate) fn new(count: usize, new: impl FnMut() -> T) -> Self {
        let items: Box<[T]> = std::iter::repeat_with(new).take(count).collect();
        Self(Box::into_raw(items))
    }

    pub(crate) fn get(&self) -> &'static [T] {
        // SAFETY: from `new`; who uses it is gone before this is dropped.
        unsafe { &*self.0 }
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        // SAFETY: from `new`.
        drop(unsafe { Box::from_raw(self.0) });
    }
}
