//! The end of the process.

use libc::c_int;

/// _exit(2): no atexit function runs, no stdio buffer is flushed. Async-signal-safe.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: any status is allowed.
    unsafe { libc::_exit(status) }
}
