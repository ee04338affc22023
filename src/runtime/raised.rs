//! What the last refusing handler returned, and for which signal.

use libc::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

/// Signal in the upper half, value in the lower.
static RAISED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn note(signum: c_int, value: c_int) {
    let word = u64::from(signum as u32) << 32 | u64::from(value as u32);
    // Relaxed: the word is all there is to see.
    RAISED.store(word, Ordering::Relaxed);
}

/// Signal and value; both 0 where no handler has refused yet.
pub(crate) fn get() -> (c_int, c_int) {
    // Relaxed: see `note`.
    let word = RAISED.load(Ordering::Relaxed);
    ((word >> 32) as c_int, word as c_int)
}
