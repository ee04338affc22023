//! The record of a delivery, as C sees it.

use crate::async_safe::slot::Batch;
use crate::sys::siginfo::Origin;
use libc::c_int;

/// Where a signal came from: the seven fields that Python documents, without their `si_`, then what rsig adds.
/// A field that this kind of signal does not define is 0. 128 bytes; see sigaction(2). The same event has the same
/// record, whether a handler gets it or the sigwait family.
///
/// | `code` | from | fields |
/// |---|---|---|
/// | SI_USER | kill() | pid, uid |
/// | SI_TKILL | raise(), pthread_kill(), tgkill() | pid, uid |
/// | SI_QUEUE | sigqueue() | pid, uid, value_int, value_ptr |
/// | SI_TIMER | timer_create() | value_int, value_ptr, overrun |
/// | SI_MESGQ | mq_notify() | pid, uid (who sent the message), value_int, value_ptr |
/// | SI_ASYNCIO | aio_read() and the like | pid, uid, value_int, value_ptr |
/// | CLD_EXITED and the like | SIGCHLD | pid, uid (the child's), status |
/// | POLL_IN and the like, SI_SIGIO | a descriptor with O_ASYNC and F_SETSIG | band, fd |
/// | SI_KERNEL | alarm(), setitimer(), the terminal, O_ASYNC without F_SETSIG | none |
/// | above 0 | the processor's faults, SIGTRAP, SIGSYS | none |
///
/// Where the kernel's queue is full (RLIMIT_SIGPENDING), a signal below SIGRTMIN arrives without its siginfo: SI_USER, from
/// process 0. Who says SI_USER or SI_TKILL is who the kernel says; with the other codes below 0 the sender may have written
/// the whole record itself, by rt_sigqueueinfo(2), so do not take its word for a permission.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rsig_siginfo {
    /// The signal's number.
    pub signo: i32,
    /// Why it was sent: SI_USER, SI_QUEUE, SI_TIMER, CLD_EXITED ...
    pub code: i32,
    /// An errno value that belongs to the signal; Linux hardly uses it.
    pub error: i32,
    /// The sending process, or the child.
    pub pid: i32,
    /// The sending process's real user, or the child's.
    pub uid: u32,
    /// SIGCHLD: the exit status, or the signal that killed, stopped or continued the child.
    pub status: i32,
    /// SIGIO, where F_SETSIG has asked for a siginfo: the events, as poll() has them.
    pub band: i64,
    /// The payload of sigqueue() or of a timer, as an int.
    pub value_int: i32,
    /// A POSIX timer: how many more times it expired before the signal was delivered; see timer_getoverrun(2).
    pub overrun: i32,
    /// The same payload, as a pointer.
    pub value_ptr: u64,
    /// How many deliveries this record stands for, at least 1; 4294967295 stands for that many or more.
    pub count: u32,
    /// The descriptor that `band` tells of.
    pub fd: i32,
    /// For later; 0.
    pub reserved: [u32; 18],
}

// On every platform: no field needs padding before it.
const _: () = assert!(size_of::<rsig_siginfo_t>() == 128);

/// The same, as POSIX names its types.
#[allow(non_camel_case_types)]
pub type rsig_siginfo_t = rsig_siginfo;

impl rsig_siginfo {
    pub(crate) fn of_batch(signum: c_int, batch: &Batch) -> Self {
        Self::new(signum, &batch.origin, batch.count)
    }

    pub(crate) fn new(signum: c_int, origin: &Origin, count: u32) -> Self {
        Self {
            signo: signum,
            code: origin.code,
            error: origin.error,
            pid: origin.pid,
            uid: origin.uid,
            status: origin.status,
            band: origin.band,
            value_int: origin.value_int,
            overrun: origin.overrun,
            value_ptr: origin.value_ptr,
            count,
            fd: origin.fd,
            reserved: [0; 18],
        }
    }
}
