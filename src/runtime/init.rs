//! rsig_init() and rsig_fini(), counted: several parts of a process may each call them.

use crate::async_safe::pending::{self, PENDING};
use crate::async_safe::{before, deliveries, notify};
use crate::runtime::dispositions::Change;
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{rsig_action_t, rsig_handler_t};
use crate::runtime::pump::{self, Dropped};
use crate::runtime::state::{self, State};
use crate::runtime::warning::Hook;
use crate::runtime::{call, channel, main_thread, wakeup};
use crate::sys::{mask, thread};
use libc::c_int;
use nix::errno::Errno;

/// For rsig_init(): leave SIGPIPE, SIGXFSZ and SIGINT as they are.
pub const RSIG_INIT_NO_DEFAULTS: u32 = 1;

/// What rsig_default_int_handler() returns, and so what rsig_raised() tells after a Ctrl-C: 128 + SIGINT, the
/// status that a shell reports for a program that SIGINT killed.
pub const RSIG_KEYBOARD_INTERRUPT: c_int = 130;

/// `interrupt` is the handler that SIGINT gets.
pub(crate) fn init(flags: u32, interrupt: rsig_handler_t) -> Result<()> {
    if flags & !RSIG_INIT_NO_DEFAULTS != 0 {
        return Err(Error::value(format_args!(
            "flags {flags:#x} has bits other than RSIG_INIT_NO_DEFAULTS (0x1)"
        )));
    }
    // Without the lock: who loads a plugin that calls rsig_init() has the loader's.
    thread::learn_alone();
    let mut state = state::lock();
    if state.users == 0 {
        state.install_fork_handlers()?;
        before::set_mask(
            mask::get()
                .map_err(|errno| Error::os(errno, format_args!("cannot read the signal mask")))?,
        );
        PENDING.clear();
        deliveries::clear();
        // What others have put back since rsig_fini() is no more than what rsig had displaced.
        state.restore_all();
        pending::set_open(true);
        if flags & RSIG_INIT_NO_DEFAULTS == 0
            && let Err(error) = state.install_defaults(interrupt)
        {
            state.restore_all();
            pending::set_open(false);
            return Err(error);
        }
        state.take_main_thread();
    }
    state.users = state.users.checked_add(1).ok_or_else(|| {
        Error::os(Errno::EOVERFLOW, format_args!("rsig_init was called too often"))
    })?;
    Ok(())
}

impl State {
    /// Python's: a write to a broken pipe is EPIPE and a file too large is EFBIG, not death; Ctrl-C raises.
    /// Each only where the default action would do otherwise: what a parent ignores stays ignored, and a
    /// handler that somebody has installed stays theirs.
    fn install_defaults(&mut self, interrupt: rsig_handler_t) -> Result<()> {
        let ignore = rsig_action_t::special(1, std::ptr::null());
        let interrupt = rsig_action_t { handler: interrupt, arg: std::ptr::null_mut() };
        for (signum, action) in
            [(libc::SIGPIPE, ignore), (libc::SIGXFSZ, ignore), (libc::SIGINT, interrupt)]
        {
            self.change(signum, |state, found| match found.handler() {
                libc::SIG_DFL => state.set_told(signum, found, action),
                _ => Ok(Change::Made),
            })?;
        }
        Ok(())
    }
}

pub(crate) fn fini() -> Result<()> {
    main_thread::require_init()?;
    call::put_back_aside();
    // As before any change of a handler: what is pending runs while it has one.
    if state::lock().users == 1 {
        pump::run_if_main()?;
        wakeup::tell_failure();
    }
    let mut state = state::lock();
    state.users = state.users.checked_sub(1).ok_or_else(Error::state)?;
    if state.users > 0 {
        return Ok(());
    }
    state.close_channels();
    state.restore_all();
    pending::set_open(false);
    wakeup::turn_off();
    notify::set(None);
    state.close_waker();
    state.forget_main_thread();
    let hook = std::mem::replace(&mut state.warning, Hook::DEFAULT);
    // With the lock: after it, another init's signals could be among them.
    let dropped = Dropped::take();
    drop(state);
    channel::free_closed();
    dropped.warn(hook);
    Ok(())
}

pub(crate) fn set_main_thread() -> Result<()> {
    let mut state = state::lock();
    main_thread::require_init()?;
    if !main_thread::is_current() {
        state.take_main_thread();
    }
    drop(state);
    call::put_back_left();
    Ok(())
}
