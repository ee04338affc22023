//! Threads by the kernel's numbers. What a signal brings with it can be sent to a process alone, by FreeBSD's sigqueue(3).

use super::own;
use libc::{c_int, pid_t, siginfo_t, sigval};
use nix::errno::Errno;

/// The calling thread. Async-signal-safe.
pub(crate) fn id() -> c_int {
    own::thread_id()
}

/// Sends the calling thread a signal. Async-signal-safe.
pub(crate) fn kill_self(signum: c_int) -> Result<(), Errno> {
    // SAFETY: any number is allowed; a wrong one is EINVAL.
    Errno::result(unsafe { libc::raise(signum) }).map(|_| ())
}

/// Sends a signal to a thread of this process. Async-signal-safe.
pub(crate) fn kill_by_id(tid: pid_t, signum: c_int) -> Result<(), Errno> {
    Errno::result(own::kill_thread(tid, signum)).map(|_| ())
}

/// sigqueue(3). Async-signal-safe.
pub(crate) fn queue_for_process(pid: pid_t, signum: c_int, payload: u64) -> Result<(), Errno> {
    let value = sigval { sival_ptr: std::ptr::without_provenance_mut(payload as usize) };
    // SAFETY: any numbers are allowed.
    Errno::result(unsafe { own::sigqueue(pid, signum, value) }).map(|_| ())
}

pub(crate) fn queue(_tid: c_int, _signum: c_int, _payload: u64) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

pub(crate) fn queue_info(_tid: c_int, _signum: c_int, _info: &siginfo_t) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

pub(crate) fn queue_info_for_process(_signum: c_int, _info: &siginfo_t) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}
