//! rsig_fd(): an eventfd that is readable while something is tripped, by a signal on whichever thread.

use crate::async_safe::pending;
use crate::async_safe::waker::WAKER;
use crate::runtime::error::{Error, Result};
use crate::runtime::main_thread;
use crate::runtime::state::{self, State};
use crate::sys::eventfd;
use libc::c_int;

/// The descriptor, open from now on.
pub(crate) fn descriptor() -> Result<c_int> {
    let mut state = state::lock();
    main_thread::require_init()?;
    if state.waker_fd < 0 {
        state.waker_fd = eventfd::open().map_err(|errno| {
            Error::os_or_unsupported(errno, format_args!("cannot open an eventfd"))
        })?;
    }
    let fd = state.waker_fd;
    if !WAKER.is_armed() {
        WAKER.arm(fd);
        // What is tripped already shows.
        WAKER.lower(fd, pending::is_tripped);
    }
    Ok(fd)
}

impl State {
    /// Unless a low-level handler, still on its way on some thread, could write to it: then it is kept for the
    /// next init.
    pub(crate) fn close_waker(&mut self) {
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
            // Without a descriptor of its own it has none; the next rsig_fd() opens one.
            WAKER.disarm();
            self.waker_fd = -1;
        }
    }
}
