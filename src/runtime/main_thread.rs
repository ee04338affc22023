//! Which thread runs the handlers. Known exactly while rsig is initialised.

use crate::async_safe::poke;
use crate::runtime::error::{Error, Result};
use crate::runtime::state::State;
use crate::runtime::thread_word;
use crate::sys::thread;
use libc::c_int;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// The token that the main thread got when it became that, in a word of its own that is 0 elsewhere; each has another, so one that
/// is over counts no more. Not its pthread_t, which another thread may get after its end.
static MAIN: AtomicUsize = AtomicUsize::new(NONE);
/// Nobody's, while rsig is not initialised.
const NONE: usize = 1;
const FIRST: usize = 2;
/// The last token.
static TOKENS: AtomicUsize = AtomicUsize::new(NONE);

/// The kernel's id of it.
static TID: AtomicI32 = AtomicI32::new(0);

/// The kernel's id of the main thread.
pub(crate) fn id() -> c_int {
    // Relaxed: asked for by the main thread, which has stored it.
    TID.load(Ordering::Relaxed)
}

/// Whether rsig is initialised. Async-signal-safe.
pub(crate) fn is_known() -> bool {
    main() != NONE
}

/// Fails where rsig is not initialised.
pub(crate) fn require_init() -> Result<()> {
    if is_known() { Ok(()) } else { Err(Error::state()) }
}

/// Fails where rsig is not initialised, or the caller is not the main thread.
pub(crate) fn require() -> Result<()> {
    if is_current() { Ok(()) } else { Err(wrong_thread()) }
}

#[cold]
fn wrong_thread() -> Error {
    if is_known() { Error::thread() } else { Error::state() }
}

pub(crate) fn is_current() -> bool {
    main() == thread_word::get()
}

impl State {
    /// Makes the calling thread the main one. With the lock, so that it cannot undo a fini.
    pub(crate) fn take_main_thread(&mut self) {
        // Relaxed: with the lock.
        let token = TOKENS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(FIRST);
        thread_word::set(token);
        let tid = thread::id();
        // Relaxed: the store after it releases this one.
        let before = TID.swap(tid, Ordering::Relaxed);
        if before != 0 && before != tid {
            poke::leave_thread();
        }
        // Release: pairs with `main`; a thread that sees rsig initialised sees all that init did.
        MAIN.store(token, Ordering::Release);
    }

    pub(crate) fn forget_main_thread(&mut self) {
        // Release: as above.
        MAIN.store(NONE, Ordering::Release);
    }
}

fn main() -> usize {
    // Acquire: pairs with `take_main_thread`.
    MAIN.load(Ordering::Acquire)
}
