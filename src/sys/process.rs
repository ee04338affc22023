//! The process, and its end.

use libc::c_int;

/// Whether it is process 1, which the kernel spares every default action. Async-signal-safe.
pub(crate) fn is_first() -> bool {
    // SAFETY: no arguments, no failure.
    unsafe { libc::getpid() == 1 }
}

/// _exit(2): no atexit function runs, no stdio buffer is flushed. Async-signal-safe.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: any status is allowed.
    unsafe { libc::_exit(status) }
}
