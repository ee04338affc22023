//! The eventfd of the main thread's waits and of rsig_fd(): readable while something is tripped, by a signal on whichever
//! thread.

use crate::async_safe::pending;
use crate::async_safe::waker::WAKER;
use crate::runtime::error::{Error, Result};
use crate::runtime::main_thread;
use crate::runtime::state::{self, State};
use crate::sys::{eventfd, wait};
use libc::c_int;
use nix::errno::Errno;
use std::time::Duration;

/// Waits until something is tripped, `also` is readable (-1: no such descriptor), the time is over, or a
/// handler that is not rsig's has interrupted it. Without a race: what is tripped already ends it at once.
pub(crate) fn sleep(also: c_int, timeout: Option<Duration>) -> Result<End> {
    let fd = state::lock().waker_fd()?;
    if !WAKER.is_managed() {
        // A late wake of the sleep before may still be in it.
        WAKER.lower(fd, pending::is_tripped);
    }
    WAKER.arm(fd);
    let result = if pending::is_tripped() { Ok(()) } else { wait::readable([fd, also], timeout) };
    WAKER.stand_down(fd, pending::is_tripped);
    match result {
        Ok(()) => Ok(End::Woken),
        Err(Errno::EINTR) => Ok(End::Interrupted),
        Err(errno) => Err(Error::os(errno, format_args!("cannot wait for a signal"))),
    }
}

/// What ended a sleep.
#[derive(PartialEq)]
pub(crate) enum End {
    /// A descriptor, the clock, or a low-level handler that was late for the sleep before.
    Woken,
    /// A handler on this thread, rsig's or somebody else's.
    Interrupted,
}

/// The descriptor, managed from now on: readable exactly while something is tripped.
pub(crate) fn managed() -> Result<c_int> {
    let mut state = state::lock();
    main_thread::require_init()?;
    let fd = state.waker_fd()?;
    if !WAKER.is_managed() {
        WAKER.set_managed(true);
        WAKER.arm(fd);
        // What a sleep has left in it goes; what is tripped already shows.
        WAKER.lower(fd, pending::is_tripped);
    }
    Ok(fd)
}

impl State {
    fn waker_fd(&mut self) -> Result<c_int> {
        if self.waker_fd < 0 {
            self.waker_fd = eventfd::open()
                .map_err(|errno| Error::os(errno, format_args!("cannot open an eventfd")))?;
        }
        Ok(self.waker_fd)
    }

    /// Unless a low-level handler, still on its way on some thread, could write to it: then it is kept for the
    /// next init.
    pub(crate) fn close_waker(&mut self) {
        WAKER.set_managed(false);
        WAKER.disarm();
        if self.waker_fd >= 0 && WAKER.is_idle() {
            eventfd::close(self.waker_fd);
            self.waker_fd = -1;
        }
    }

    /// In a forked child: parent and child must not wake each other. The number stays, as an event loop knows it.
    pub(crate) fn replace_waker(&mut self) {
        WAKER.reset();
        if self.waker_fd >= 0 && eventfd::replace(self.waker_fd).is_err() {
            // Without a descriptor of its own it has none; the next wait opens one.
            WAKER.set_managed(false);
            self.waker_fd = -1;
        }
        if !WAKER.is_managed() {
            WAKER.disarm();
        }
    }
}
