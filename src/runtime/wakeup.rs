//! The wakeup descriptor's ordinary side: setting it, and telling what its writes ran into.

use crate::async_safe::wakeup;
pub(crate) use crate::async_safe::wakeup::has_failed;
use crate::runtime::error::{Error, Result};
use crate::runtime::{main_thread, state, warning};
use crate::sys::errno::Described;
use libc::c_int;
use nix::errno::Errno;
use std::sync::atomic::{AtomicBool, Ordering};

static WARN_ON_FULL_BUFFER: AtomicBool = AtomicBool::new(true);

/// Sets the descriptor, -1 for none; the one before.
pub(crate) fn set(fd: c_int, warn_on_full_buffer: bool) -> Result<c_int> {
    main_thread::require()?;
    if fd != -1 {
        check(fd)?;
    }
    // What the old descriptor's writes ran into is said while it is still known which it was.
    tell_failure();
    // With the lock: rsig_fini(), which the warning hook may call as well, turns it off for good.
    let _state = state::lock();
    main_thread::require()?;
    // Relaxed: written and read by the main thread alone.
    WARN_ON_FULL_BUFFER.store(warn_on_full_buffer, Ordering::Relaxed);
    Ok(wakeup::set(fd))
}

/// For fini, on whichever thread.
pub(crate) fn turn_off() {
    wakeup::set(-1);
}

fn check(fd: c_int) -> Result<()> {
    // SAFETY: F_GETFL takes no third argument, and a wrong descriptor is EBADF.
    let flags = Errno::result(unsafe { libc::fcntl(fd, libc::F_GETFL) })
        .map_err(|errno| Error::os(errno, format_args!("cannot use {fd} as wakeup fd")))?;
    if flags & libc::O_NONBLOCK == 0 {
        return Err(Error::value(format_args!("the fd {fd} must be in non-blocking mode")));
    }
    if flags & libc::O_ACCMODE == libc::O_RDONLY {
        return Err(Error::value(format_args!("the fd {fd} must be open for writing")));
    }
    Ok(())
}

/// Says, once, what the writes since the last call of this ran into. No lock may be held.
pub(crate) fn tell_failure() {
    match wakeup::take_failure() {
        None => {}
        // Relaxed: see `set`.
        Some(Errno::EAGAIN) if !WARN_ON_FULL_BUFFER.load(Ordering::Relaxed) => {}
        Some(errno) => {
            let why = Described(errno);
            warning::hook().warn(format_args!("cannot write to the wakeup fd: {why}"));
        }
    }
}
