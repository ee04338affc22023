//! Sending signals, and the mask that holds them back: what may make a handler pending, and runs it before it
//! returns.

use crate::runtime::error::{Error, Result};
use crate::runtime::{main_thread, pump};
use crate::sys::signals::{self, Named};
use crate::sys::sigset::rsig_sigset_t;
use crate::sys::{mask, pidfd, thread};
use libc::{c_int, c_uint, pthread_t};
use nix::errno::Errno;

pub(crate) fn raise(signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    thread::raise(signum).map_err(|errno| cannot_send(errno, signum))?;
    pump::run_if_main().map(|_| ())
}

/// # Safety
/// `thread` has not been joined, nor has it ended detached.
pub(crate) unsafe fn kill_thread(thread: pthread_t, signum: c_int) -> Result<()> {
    main_thread::require_init()?;
    if thread == 0 {
        // No thread has this number, and the C library would follow it.
        return Err(cannot_send(Errno::ESRCH, signum));
    }
    // SAFETY: the caller's promise.
    unsafe { thread::kill(thread, signum) }.map_err(|errno| cannot_send(errno, signum))?;
    pump::run_if_main().map(|_| ())
}

pub(crate) fn kill_pidfd(fd: c_int, signum: c_int, flags: c_uint) -> Result<()> {
    main_thread::require_init()?;
    pidfd::send_signal(fd, signum, flags).map_err(|errno| match errno {
        Errno::ENOSYS => {
            Error::unsupported(format_args!("this kernel has no pidfd_send_signal (Linux 5.1)"))
        }
        errno => {
            let (name, highest) = (Named(signum), signals::MAX);
            Error::os(
                errno,
                format_args!(
                    "cannot send {name} (of 1 to {highest}) to pidfd {fd} with flags {flags:#x}"
                ),
            )
        }
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
    pump::run_if_main().map(|_| ())
}

fn cannot_send(errno: Errno, signum: c_int) -> Error {
    let (name, highest) = (Named(signum), signals::MAX);
    Error::os(errno, format_args!("cannot send {name} (of 1 to {highest})"))
}
