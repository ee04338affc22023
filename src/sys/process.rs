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

/// Whether `fd` is the process's terminal, whose foreground is another process group.
pub(crate) fn is_in_background(fd: c_int) -> bool {
    // SAFETY: no pointers; what is no such descriptor is -1.
    unsafe {
        let foreground = libc::tcgetpgrp(fd);
        foreground != -1 && foreground != libc::getpgrp()
    }
}
