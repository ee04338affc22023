//! The system calls that wait for a signal. All by syscall(2): the C library's wrappers are cancellation
//! points, whose unwinding must not start in a signal handler nor cross Rust's frames, and its
//! sigtimedwait(3) rewrites SI_TKILL to SI_USER.

use crate::sys::siginfo::Origin;
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::{clock, signals, system_call, thread};
use libc::{c_int, c_long, pollfd, siginfo_t, timespec};
use nix::errno::Errno;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

/// The size of the kernel's signal set, which those system calls want to hear.
pub(crate) const SET_SIZE: usize = size_of::<rsig_sigset_t>();

/// A signal taken from the kernel's pending set.
#[derive(Clone, Copy)]
pub(crate) struct Accepted {
    raw: siginfo_t,
}

// SAFETY: the pointers in a record are payload, which nobody here follows.
unsafe impl Send for Accepted {}

impl Accepted {
    pub(crate) fn signum(&self) -> c_int {
        self.raw.si_signo
    }

    pub(crate) fn info(&self) -> &siginfo_t {
        &self.raw
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::read(&self.raw)
    }

    /// Makes it pending again, for the calling thread, with the same siginfo.
    pub(crate) fn put_back(&self) -> Result<(), Errno> {
        thread::queue_info(thread::id(), self.signum(), &self.raw)
    }
}

/// rt_sigtimedwait(2), without the signals that the C library needs for itself: no timeout is no limit. EAGAIN where time ran out, EINTR where a handler ran.
/// Async-signal-safe.
pub(crate) fn accept(set: rsig_sigset_t, timeout: Option<Duration>) -> Result<Accepted, Errno> {
    accept_by(set, timeout, |number, arguments| {
        // SAFETY: the arguments are those of the system call.
        Errno::result(unsafe { system_call::make(number, &arguments) })
    })
}

/// The same by another way to make a system call.
pub(crate) fn accept_by(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
    call: impl FnOnce(c_long, [c_long; 6]) -> Result<c_long, Errno>,
) -> Result<Accepted, Errno> {
    let set = set & signals::valid();
    let mut raw = MaybeUninit::<siginfo_t>::zeroed();
    let timeout = timeout.map(clock::to_timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref::<timespec>);
    let arguments = [
        (&raw const set) as c_long,
        raw.as_mut_ptr() as c_long,
        timeout as c_long,
        SET_SIZE as c_long,
        0,
        0,
    ];
    call(system_call::SYS_rt_sigtimedwait, arguments)?;
    // SAFETY: the kernel filled it; what it left is zero, a value for every field.
    Ok(Accepted { raw: unsafe { raw.assume_init() } })
}

/// ppoll(2) for reading, without a mask, by some way to make a system call: whether one is readable; no timeout is no limit.
/// EINTR where a handler ran.
pub(crate) fn readable_by<const N: usize>(
    fds: [c_int; N],
    timeout: Option<Duration>,
    call: impl FnOnce(c_long, [c_long; 6]) -> Result<c_long, Errno>,
) -> Result<bool, Errno> {
    let mut fds = fds.map(|fd| pollfd { fd, events: libc::POLLIN, revents: 0 });
    let mut timeout = timeout.map(clock::to_timespec);
    let timeout = timeout.as_mut().map_or(ptr::null_mut(), ptr::from_mut::<timespec>);
    const NO_MASK: c_long = 0;
    let arguments = [fds.as_mut_ptr() as c_long, N as c_long, timeout as c_long, NO_MASK, 0, 0];
    call(system_call::SYS_ppoll, arguments).map(|ready| ready > 0)
}
