//! The signals that not every system has.

use crate::sys::signals::{Standard, standard};
use libc::c_int;

pub(crate) static MORE: [Standard; 2] = [
    standard(libc::SIGSTKFLT, c"SIGSTKFLT", c"Stack fault"),
    standard(libc::SIGPWR, c"SIGPWR", c"Power failure"),
];

/// Those that do nothing by default, beside POSIX's.
pub(crate) const HARMLESS: [c_int; 0] = [];

pub(crate) fn lowest_real_time() -> c_int {
    libc::SIGRTMIN()
}

pub(crate) fn highest_real_time() -> c_int {
    libc::SIGRTMAX()
}
