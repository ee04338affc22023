//! Who handles which signal: the user's handlers, what the kernel says, and what was there before.

use crate::async_safe::displaced;
use crate::async_safe::handler::LOW_LEVEL;
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::{self, State};
use crate::runtime::{main_thread, pump};
use crate::sys::action::{self, Disposition};
use crate::sys::signals::{self, Named};
use libc::{c_int, sighandler_t};

/// What rsig knows of one signal.
pub(crate) struct Entry {
    /// What rsig_signal() was told last. Counts only while the kernel has rsig's own handler.
    action: rsig_action_t,
    /// What rsig gave to the kernel last; none where it never touched the signal. Anything else found there
    /// is somebody else's, and is left to them.
    installed: Option<sighandler_t>,
}

impl Entry {
    pub(crate) const NEW: Self = Self { action: rsig_action_t::DEFAULT, installed: None };
}

/// Registers `action`, after the pending handlers have run; the action before.
pub(crate) fn set_action(signum: c_int, action: rsig_action_t) -> Result<rsig_action_t> {
    main_thread::require()?;
    check(signum)?;
    pump::run()?;
    let mut state = state::lock();
    // A handler may have called rsig_fini(), or handed the main thread on.
    main_thread::require()?;
    let found = get(signum)?;
    let old = state.describe(signum, &found)?;
    state.set_action(signum, &found, action)?;
    Ok(old)
}

/// What the kernel does with the signal now, in rsig's terms.
pub(crate) fn get_action(signum: c_int) -> Result<rsig_action_t> {
    main_thread::require_init()?;
    check(signum)?;
    state::lock().describe(signum, &get(signum)?)
}

/// What the pump shall do with a delivery.
pub(crate) fn action(signum: c_int) -> rsig_action_t {
    let state = state::lock();
    let entry = signals::index(signum).and_then(|index| state.entries.get(index));
    entry.map_or(rsig_action_t::DEFAULT, |entry| entry.action)
}

/// siginterrupt(3), for whatever handler the signal has.
pub(crate) fn set_interrupting(signum: c_int, interrupting: bool) -> Result<()> {
    main_thread::require_init()?;
    check(signum)?;
    let mut state = state::lock();
    let found = get(signum)?;
    let mut new = found;
    new.set_restart(!interrupting);
    state.install(signum, &found, &new)
}

impl State {
    fn entry(&mut self, signum: c_int) -> Result<&mut Entry> {
        signals::index(signum)
            .and_then(|index| self.entries.get_mut(index))
            .ok_or_else(|| Error::signum(signum))
    }

    /// What a disposition that the kernel has shown is in rsig's terms.
    fn describe(&mut self, signum: c_int, found: &Disposition) -> Result<rsig_action_t> {
        if found.handler() == LOW_LEVEL as *const () as sighandler_t {
            return Ok(self.entry(signum)?.action);
        }
        let number = match found.handler() {
            libc::SIG_DFL => 0,
            libc::SIG_IGN => 1,
            _ => 2,
        };
        let note =
            if found.is_plain() { std::ptr::null() } else { std::ptr::from_ref(self.save(found)?) };
        Ok(rsig_action_t::special(number, note.cast()))
    }

    /// `found` is what the kernel has now.
    pub(crate) fn set_action(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: rsig_action_t,
    ) -> Result<()> {
        let noted = self.saved_at(action.arg);
        let plain = |handler| match noted {
            Some(noted) if noted.handler() == handler => *noted,
            _ => Disposition::plain(handler),
        };
        let new = match action.handler() {
            Handler::Function(_) => Disposition::with_handler(LOW_LEVEL),
            Handler::Default => plain(libc::SIG_DFL),
            Handler::Ignore => plain(libc::SIG_IGN),
            Handler::Foreign => *noted.ok_or_else(|| {
                Error::value(format_args!("arg is not one that came with RSIG_FOREIGN"))
            })?,
        };
        self.install(signum, found, &new)?;
        self.entry(signum)?.action = action;
        Ok(())
    }

    /// The one place that changes a disposition. What rsig did not put there itself is noted before, to be put
    /// back by `restore_all`, or by the low-level handler.
    fn install(&mut self, signum: c_int, found: &Disposition, new: &Disposition) -> Result<()> {
        let noted_before = displaced::get(signum);
        if self.entry(signum)?.installed != Some(found.handler()) {
            let note = self.save(found)?;
            displaced::note(signum, Some(note));
        }
        if let Err(errno) = action::set(signum, new) {
            displaced::note(signum, noted_before);
            let name = Named(signum);
            return Err(Error::os(errno, format_args!("cannot change the action of {name}")));
        }
        self.entry(signum)?.installed = Some(new.handler());
        Ok(())
    }

    /// Puts back what rsig found. Where somebody else has come after rsig, theirs stays. The notes stay too: a
    /// handler that chains to rsig's may still bring a fault here.
    pub(crate) fn restore_all(&mut self) {
        for signum in 1..=signals::MAX {
            let Ok(entry) = self.entry(signum) else { continue };
            let installed = std::mem::replace(entry, Entry::NEW).installed;
            let found = action::get(signum).map(|found| found.handler()).ok();
            if let (Some(_), true, Some(before)) =
                (installed, installed == found, displaced::get(signum))
            {
                // The kernel has had this disposition for this signal before.
                let _ = action::set(signum, before);
            }
        }
    }
}

fn check(signum: c_int) -> Result<()> {
    signals::index(signum).map(|_| ()).ok_or_else(|| Error::signum(signum))
}

pub(crate) fn get(signum: c_int) -> Result<Disposition> {
    action::get(signum).map_err(|errno| {
        let name = Named(signum);
        Error::os(errno, format_args!("cannot read the action of {name}"))
    })
}
