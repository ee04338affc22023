//! The calling thread's errno, as an lvalue.

use libc::c_int;

/// Runs `body` and leaves errno as it was before: what a signal handler owes the code it interrupted.
pub(crate) fn preserved(body: impl FnOnce()) {
    let saved = get();
    body();
    set(saved);
}

pub(crate) fn get() -> c_int {
    nix::errno::Errno::last_raw()
}

pub(crate) fn set(value: c_int) {
    nix::errno::Errno::set_raw(value);
}
