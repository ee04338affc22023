//! Which thread runs the handlers. Known exactly while rsig is initialised.

use crate::runtime::error::{Error, Result};
use crate::runtime::state::State;
use crate::sys::thread;
use libc::c_int;
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// Its token, 0 while rsig is not initialised. Not its pthread_t, which another thread may get after its end.
static MAIN: AtomicU64 = AtomicU64::new(0);
/// How many tokens have been given away.
static TOKENS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The token that this thread got when it became the main one; each has another, so one that is over counts no more.
    static TOKEN: Cell<u64> = const { Cell::new(0) };
}

/// The kernel's id of it.
static TID: AtomicI32 = AtomicI32::new(0);

/// The kernel's id of the main thread.
pub(crate) fn id() -> c_int {
    // Relaxed: asked for by the main thread, which has stored it.
    TID.load(Ordering::Relaxed)
}

/// Whether rsig is initialised. Async-signal-safe.
pub(crate) fn is_known() -> bool {
    main() != 0
}

/// Fails where rsig is not initialised.
pub(crate) fn require_init() -> Result<()> {
    if is_known() { Ok(()) } else { Err(Error::state()) }
}

/// Fails where rsig is not initialised, or the caller is not the main thread.
pub(crate) fn require() -> Result<()> {
    match main() {
        0 => Err(Error::state()),
        main if main == token() => Ok(()),
        _ => Err(Error::thread()),
    }
}

pub(crate) fn is_current() -> bool {
    match main() {
        0 => false,
        main => main == token(),
    }
}

impl State {
    /// Makes the calling thread the main one. With the lock, so that it cannot undo a fini.
    pub(crate) fn take_main_thread(&mut self) {
        // Relaxed: with the lock.
        let token = TOKENS.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        TOKEN.set(token);
        // Relaxed: the store after it releases this one.
        TID.store(thread::id(), Ordering::Relaxed);
        // Release: pairs with `main`; a thread that sees rsig initialised sees all that init did.
        MAIN.store(token, Ordering::Release);
    }

    pub(crate) fn forget_main_thread(&mut self) {
        // Release: as above.
        MAIN.store(0, Ordering::Release);
    }
}

fn main() -> u64 {
    // Acquire: pairs with `take_main_thread`.
    MAIN.load(Ordering::Acquire)
}

fn token() -> u64 {
    TOKEN.get()
}
