//! The signals that not every system has.

use crate::sys::signals::{MAX, Standard, standard};
use libc::c_int;

pub(crate) static MORE: [Standard; 2] = [
    standard(libc::SIGEMT, c"SIGEMT", c"EMT trap"),
    standard(libc::SIGINFO, c"SIGINFO", c"Information request"),
];

/// Those that do nothing by default, beside POSIX's.
pub(crate) const HARMLESS: [c_int; 2] = [libc::SIGIO, libc::SIGINFO];

/// There is none: macOS has no real-time signals, and FreeBSD's begin above the 64 that a set can hold.
pub(crate) fn lowest_real_time() -> c_int {
    MAX.wrapping_add(1)
}

pub(crate) fn highest_real_time() -> c_int {
    MAX
}
