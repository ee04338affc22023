//! Threads by the kernel's numbers, and signals with a siginfo.

use libc::{c_int, pid_t, siginfo_t};
use nix::errno::Errno;
use std::mem::MaybeUninit;

/// The calling thread, as the kernel numbers it. Async-signal-safe.
pub(crate) fn id() -> c_int {
    // SAFETY: no arguments, no failure.
    unsafe { libc::syscall(libc::SYS_gettid) as c_int }
}

/// Sends the calling thread a signal, also in a vfork()ed child, whose thread some C libraries take for the parent's.
/// Async-signal-safe.
pub(crate) fn kill_self(signum: c_int) -> Result<(), Errno> {
    kill_by_id(id(), signum)
}

/// tgkill(2) to a thread of this process, which the kernel never takes for another process's. Async-signal-safe.
pub(crate) fn kill_by_id(tid: pid_t, signum: c_int) -> Result<(), Errno> {
    // SAFETY: any numbers are allowed; getpid() has no arguments.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, signum) })
        .map(|_| ())
}

/// sigqueue(3). Async-signal-safe.
pub(crate) fn queue_for_process(pid: pid_t, signum: c_int, payload: u64) -> Result<(), Errno> {
    rt_sigqueueinfo(pid, signum, &queued(signum, payload))
}

/// Queues a signal with a payload for one thread of this process. Async-signal-safe.
pub(crate) fn queue(tid: c_int, signum: c_int, payload: u64) -> Result<(), Errno> {
    queue_info(tid, signum, &queued(signum, payload))
}

fn queued(signum: c_int, payload: u64) -> siginfo_t {
    // SAFETY: zero is a value for every field of a siginfo_t.
    let mut info: siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    crate::sys::system::siginfo::write_queued(&mut info, signum, payload);
    info
}

/// The same with any siginfo, which the kernel allows a thread towards itself. Async-signal-safe.
pub(crate) fn queue_info(tid: c_int, signum: c_int, info: &siginfo_t) -> Result<(), Errno> {
    // SAFETY: `info` is a whole siginfo_t, and getpid() has no arguments.
    let result = unsafe {
        let pid = libc::getpid();
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, tid, signum, info)
    };
    Errno::result(result).map(|_| ())
}

/// The same for whichever thread of this process will have it. Async-signal-safe.
pub(crate) fn queue_info_for_process(signum: c_int, info: &siginfo_t) -> Result<(), Errno> {
    // SAFETY: no arguments, no failure.
    rt_sigqueueinfo(unsafe { libc::getpid() }, signum, info)
}

fn rt_sigqueueinfo(pid: pid_t, signum: c_int, info: &siginfo_t) -> Result<(), Errno> {
    // SAFETY: `info` is a whole siginfo_t.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid, signum, info) };
    Errno::result(result).map(|_| ())
}
