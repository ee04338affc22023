//! How often each signal was delivered since init.

use crate::async_safe::atomic::{AtomicU64, Ordering};
use crate::sys::signals;
use libc::c_int;

static DELIVERIES: [AtomicU64; signals::COUNT] = [const { AtomicU64::new(0) }; signals::COUNT];

fn place(signum: c_int) -> Option<&'static AtomicU64> {
    DELIVERIES.get(signals::index(signum)?)
}

/// The low-level handler's part, before the delivery is recorded: who sees the signal tripped sees it counted too.
pub(crate) fn count(signum: c_int) {
    if let Some(place) = place(signum) {
        // Relaxed: the number is all there is to see.
        place.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn get(signum: c_int) -> u64 {
    // Relaxed: as above.
    place(signum).map_or(0, |place| place.load(Ordering::Relaxed))
}

/// For init, and for a child after fork.
pub(crate) fn clear() {
    for place in &DELIVERIES {
        // Relaxed: nothing is delivered meanwhile.
        place.store(0, Ordering::Relaxed);
    }
}
