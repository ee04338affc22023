//! Threads, and signals sent to them and to processes.

use crate::sys::signals;
pub(crate) use crate::sys::system::thread::{
    id, kill_by_id, kill_self, queue, queue_for_process, queue_info, queue_info_for_process,
};
use libc::{c_int, pid_t, pthread_t};
use nix::errno::Errno;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Where glibc, from 2.32 on, tells that there is one thread (its manual: Single-Threaded); elsewhere NULL.
static SINGLE_THREADED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Before `is_alone` can tell; takes the loader's lock. Looked up by name: where the C library does not have it, the program must run all the same.
pub(crate) fn learn_alone() {
    // SAFETY: a whole string.
    let place = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    // Relaxed: the C library's own, there from the start.
    SINGLE_THREADED.store(place.cast(), Ordering::Relaxed);
}

/// Whether the process has no other thread, for sure. Async-signal-safe.
pub(crate) fn is_alone() -> bool {
    // Relaxed: as above.
    let place = SINGLE_THREADED.load(Ordering::Relaxed);
    // SAFETY: a char of the C library's, which only a thread that is alone sees other than 0; volatile, as it changes elsewhere.
    !place.is_null() && unsafe { place.read_volatile() } != 0
}

/// The calling thread. Async-signal-safe.
pub(crate) fn current() -> pthread_t {
    // SAFETY: no arguments, no failure.
    unsafe { libc::pthread_self() }
}

/// pthread_kill(3).
///
/// # Safety
/// `thread` has not been joined, nor has it ended detached.
pub(crate) unsafe fn kill(thread: pthread_t, signum: c_int) -> Result<(), Errno> {
    check(signum)?;
    // SAFETY: the caller's promise.
    match unsafe { libc::pthread_kill(thread, signum) } {
        0 => Ok(()),
        code => Err(Errno::from_raw(code)),
    }
}

/// raise(3).
pub(crate) fn raise(signum: c_int) -> Result<(), Errno> {
    check(signum)?;
    // SAFETY: any number is allowed; a wrong one is EINVAL.
    Errno::result(unsafe { libc::raise(signum) }).map(|_| ())
}

fn check(signum: c_int) -> Result<(), Errno> {
    let is_kept = signals::CALLERS_KEEP_OFF && signals::is_the_c_librarys(signum);
    if is_kept { Err(Errno::EINVAL) } else { Ok(()) }
}

/// kill(2). Async-signal-safe.
pub(crate) fn kill_process(pid: pid_t, signum: c_int) -> Result<(), Errno> {
    // SAFETY: any numbers are allowed.
    Errno::result(unsafe { libc::kill(pid, signum) }).map(|_| ())
}

/// kill(2) to this process. Async-signal-safe.
pub(crate) fn kill_own_process(signum: c_int) -> Result<(), Errno> {
    // SAFETY: no arguments, no failure.
    kill_process(unsafe { libc::getpid() }, signum)
}
