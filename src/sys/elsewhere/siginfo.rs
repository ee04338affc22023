//! siginfo_t. Here it is no union, but for what is not read.

use crate::sys::siginfo::Origin;
use libc::{c_int, siginfo_t};

const SI_USER: c_int = 0x10001;
pub(crate) const SI_QUEUE: c_int = 0x10002;
pub(crate) const SI_TIMER: c_int = 0x10003;
/// FreeBSD's SI_LWP.
pub(crate) const SI_TKILL: c_int = 0x10007;

/// Whether the processor raised it at the interrupted instruction, which would fault again for ever if the signal were
/// deferred.
pub(crate) fn is_fault(signum: c_int, code: c_int) -> bool {
    matches!(signum, libc::SIGSEGV | libc::SIGFPE | libc::SIGILL | libc::SIGBUS)
        && (1..SI_USER).contains(&code)
}

impl Origin {
    /// Async-signal-safe.
    pub(crate) fn read(info: &siginfo_t) -> Self {
        let mut origin = Self { code: info.si_code, error: info.si_errno, ..Self::UNKNOWN };
        (origin.pid, origin.uid) = (info.si_pid, info.si_uid);
        if info.si_signo == libc::SIGCHLD {
            origin.status = info.si_status;
        }
        if matches!(origin.code, SI_QUEUE | SI_TIMER) {
            // SAFETY: the field is there in each record.
            let value = unsafe { info.si_value() }.sival_ptr.addr();
            (origin.value_int, origin.value_ptr) = (value as i32, value as u64);
        }
        origin
    }
}
