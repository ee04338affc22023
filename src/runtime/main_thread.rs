//! Which thread runs the handlers. Known exactly while rsig is initialised.

use crate::runtime::error::{Error, Result};
use crate::runtime::state::State;
use crate::sys::thread;
use libc::{c_int, pthread_t};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Its pthread_t, 0 while rsig is not initialised: no thread has that one.
static MAIN: AtomicUsize = AtomicUsize::new(0);

/// The kernel's id of it.
static TID: AtomicI32 = AtomicI32::new(0);

/// The kernel's id of the main thread.
pub(crate) fn id() -> c_int {
    // Relaxed: asked for by the main thread, which has stored it.
    TID.load(Ordering::Relaxed)
}

/// Fails where rsig is not initialised.
pub(crate) fn require_init() -> Result<()> {
    if main() == 0 { Err(Error::state()) } else { Ok(()) }
}

/// Fails where rsig is not initialised, or the caller is not the main thread.
pub(crate) fn require() -> Result<()> {
    match main() {
        0 => Err(Error::state()),
        main if main == current() => Ok(()),
        _ => Err(Error::thread()),
    }
}

pub(crate) fn is_current() -> bool {
    main() == current()
}

impl State {
    /// Makes the calling thread the main one. With the lock, so that it cannot undo a fini.
    pub(crate) fn take_main_thread(&mut self) {
        // Release: pairs with `main`; a thread that sees rsig initialised sees all that init did.
        // Relaxed: the store after it releases this one.
        TID.store(thread::id(), Ordering::Relaxed);
        MAIN.store(current(), Ordering::Release);
    }

    pub(crate) fn forget_main_thread(&mut self) {
        // Release: as above.
        MAIN.store(0, Ordering::Release);
    }
}

fn main() -> usize {
    // Acquire: pairs with `take_main_thread`.
    MAIN.load(Ordering::Acquire)
}

fn current() -> usize {
    const _: () = assert!(size_of::<pthread_t>() == size_of::<usize>());
    thread::current() as usize
}
