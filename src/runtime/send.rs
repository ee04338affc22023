//! Sending signals, and the mask that holds them back. What Python runs pending handlers in does so here before it
//! returns: raise, pthread_kill and the mask. The rest sends, and no more.

use crate::runtime::error::{Error, Result};
use crate::runtime::{call, main_thread, pump};
use crate::sys::signals::{self, Named};
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::{mask, pidfd, thread};
use libc::{c_int, c_uint, pid_t, pthread_t};
use nix::errno::Errno;
use std::fmt;

pub(crate) fn raise(signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    thread::raise(signum).map_err(|errno| cannot_send(errno, signum))?;
    pump::run_if_main().map(|_| ())
}

/// # Safety
/// `thread` has not been joined, nor has it ended detached.
pub(crate) unsafe fn kill_thread(thread: pthread_t, signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    if thread as usize == 0 {
        // No thread has this number, and the C library would follow it.
        return Err(cannot_send(Errno::ESRCH, signum));
    }
    // SAFETY: the caller's promise.
    unsafe { thread::kill(thread, signum) }.map_err(|errno| cannot_send(errno, signum))?;
    pump::run_if_main().map(|_| ())
}

pub(crate) fn kill(pid: pid_t, signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    thread::kill_process(pid, signum)
        .map_err(|errno| cannot_send_to(errno, signum, format_args!("process {pid}")))
}

pub(crate) fn queue(pid: pid_t, signum: c_int, payload: u64) -> Result<()> {
    main_thread::require_init()?;
    thread::queue_for_process(pid, signum, payload).map_err(|errno| match errno {
        Errno::EAGAIN => {
            let name = Named(signum);
            let full = "the receiver's queue of signals is full (RLIMIT_SIGPENDING)";
            Error::os(errno, format_args!("cannot queue {name} for process {pid}: {full}"))
        }
        errno => cannot_send_to(errno, signum, format_args!("process {pid}")),
    })
}

pub(crate) fn kill_thread_id(tid: pid_t, signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    // Its handler takes such a signal, when this very process sends it to a thread, for its own, and acts on requests that
    // nobody has made. raise(3) and pthread_kill(3) refuse it too.
    let result = if signals::is_the_c_librarys(signum) {
        Err(Errno::EINVAL)
    } else {
        thread::kill_by_id(tid, signum)
    };
    result.map_err(|errno| {
        cannot_send_to(errno, signum, format_args!("thread {tid} of this process"))
    })
}

pub(crate) fn open_pidfd(pid: pid_t, flags: c_uint) -> Result<c_int> {
    main_thread::require_init()?;
    pidfd::open(pid, flags).map_err(|errno| match errno {
        Errno::ENOSYS => {
            Error::unsupported(format_args!("this kernel has no pidfd_open (Linux 5.3)"))
        }
        errno => Error::os(
            errno,
            format_args!("cannot open a pidfd for process {pid} with flags {flags:#x}"),
        ),
    })
}

pub(crate) fn kill_pidfd(fd: c_int, signum: c_int, flags: c_uint) -> Result<()> {
    main_thread::require_init()?;
    pidfd::send_signal(fd, signum, flags).map_err(|errno| match errno {
        Errno::ENOSYS => {
            Error::unsupported(format_args!("this kernel has no pidfd_send_signal (Linux 5.1)"))
        }
        errno => cannot_send_to(errno, signum, format_args!("pidfd {fd} with flags {flags:#x}")),
    })
}

/// Changes the calling thread's mask, and tells `before` the old one: also where a handler that this let through
/// refuses.
pub(crate) fn change_mask(
    how: c_int,
    set: rsig_sigset_t,
    before: impl FnOnce(rsig_sigset_t),
) -> Result<()> {
    main_thread::require_init()?;
    let old = mask::change(how, set).map_err(|errno| {
        let hows = "SIG_BLOCK, SIG_UNBLOCK and SIG_SETMASK";
        Error::os(errno, format_args!("cannot change the signal mask by {how} (of {hows})"))
    })?;
    before(old);
    if main_thread::is_current() {
        call::forget_mask();
    }
    pump::run_if_main().map(|_| ())
}

fn cannot_send(errno: Errno, signum: c_int) -> Error {
    let (name, highest) = (Named(signum), signals::MAX);
    Error::os(errno, format_args!("cannot send {name} (of 1 to {highest})"))
}

fn cannot_send_to(errno: Errno, signum: c_int, whom: fmt::Arguments<'_>) -> Error {
    let (name, highest) = (Named(signum), signals::MAX);
    Error::os_or_unsupported(
        errno,
        format_args!("cannot send {name} (of 1 to {highest}) to {whom}"),
    )
}
