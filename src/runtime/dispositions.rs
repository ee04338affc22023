//! Who handles which signal: the user's handlers, what the kernel says, and what was there before.

use crate::async_safe::chain::{self, Beneath, Owner};
use crate::async_safe::handler::LOW_LEVEL;
use crate::async_safe::poke::{self, Use};
use crate::async_safe::{channel, displaced};
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::{self, State};
use crate::runtime::{self, main_thread, pump};
use crate::sys::action::{self, Disposition};
use crate::sys::signals::{self, Named};
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::{c_int, sighandler_t};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// What rsig knows of one signal.
pub(crate) struct Entry {
    /// What rsig_signal() was told last. Counts only while the kernel has rsig's own handler.
    action: rsig_action_t,
    /// What rsig gave to the kernel last; none where it never touched the signal. Anything else found there
    /// is somebody else's, and is left to them.
    installed: Option<sighandler_t>,
    /// What `action` was when rsig displaced somebody's handler that may chain to it.
    beneath: rsig_action_t,
}

impl Entry {
    pub(crate) const NEW: Self =
        Self { action: rsig_action_t::DEFAULT, installed: None, beneath: rsig_action_t::DEFAULT };

    /// Whether rsig has put there what was found.
    fn is_ours(&self, found: &Disposition) -> bool {
        self.installed == Some(found.handler())
    }
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

/// What the pump shall do with a delivery: one that somebody else's handler has passed on is for the handler beneath.
pub(crate) fn action(signum: c_int) -> rsig_action_t {
    let state = state::lock();
    let entry = signals::index(signum).and_then(|index| state.entries.get(index));
    entry.map_or(rsig_action_t::DEFAULT, |entry| match entry.action.handler() {
        Handler::Foreign => entry.beneath,
        _ => entry.action,
    })
}

/// The signals that rsig_signal() has given a function.
pub(crate) fn handled() -> rsig_sigset_t {
    // Relaxed: a handler that is set on another thread meanwhile may be seen or not.
    HANDLED.load(Ordering::Relaxed)
}

static HANDLED: AtomicU64 = AtomicU64::new(0);

fn set_handled(signum: c_int, handled: bool) {
    // Relaxed: see `handled`.
    if handled {
        HANDLED.fetch_or(sigset::one(signum), Ordering::Relaxed);
    } else {
        HANDLED.fetch_and(!sigset::one(signum), Ordering::Relaxed);
    }
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
        let entry = self.entry(signum)?;
        // Where rsig did not put it, somebody has copied it from another signal.
        if found.is(LOW_LEVEL) && entry.installed.is_some() {
            return Ok(entry.action);
        }
        let number = match found.handler() {
            libc::SIG_DFL => 0,
            libc::SIG_IGN => 1,
            _ => 2,
        };
        let note = if found.is_plain() { ptr::null() } else { ptr::from_ref(self.save(found)?) };
        Ok(rsig_action_t::special(number, note.cast()))
    }

    /// `found` is what the kernel has now.
    pub(crate) fn set_action(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: rsig_action_t,
    ) -> Result<()> {
        let is_heard = channel::is_heard(signum);
        let own = self.own_disposition(&action)?;
        let new = match own {
            Some(own) if is_heard => own.stand_in(signum, LOW_LEVEL),
            // Pokes must go on, so the low-level handler does what the action says.
            Some(own) if poke::is_taken(signum) && !own.is_function() => {
                runtime::poke::disposition()
            }
            Some(own) => *own,
            None => Disposition::with_handler(LOW_LEVEL),
        };
        let beneath = self.entry(signum)?.beneath;
        if is_heard {
            // Before the first delivery can come.
            self.set_owner(signum, found, own)?;
        }
        if let Err(error) = self.install(signum, found, &new) {
            chain::set_owner(signum, &Owner::Rsig);
            return Err(error);
        }
        // A handler that is put back may chain to the one that it displaced.
        let is_back = !is_heard && own.is_some_and(Disposition::is_function);
        let action = if is_back { beneath } else { action };
        if !is_heard {
            let left = if is_back { self.beneath(&beneath) } else { Beneath::Nobody };
            chain::set_owner(signum, &left.owner());
        }
        self.entry(signum)?.action = action;
        set_handled(signum, action.is_function() && new.is(LOW_LEVEL));
        runtime::poke::set_use(signum, &action, is_heard, &new);
        Ok(())
    }

    /// What an action other than a function of rsig_signal()'s is to the kernel.
    fn own_disposition(&mut self, action: &rsig_action_t) -> Result<Option<&'static Disposition>> {
        let noted = self.saved.find(|kept| ptr::from_ref(kept).cast() == action.arg.cast_const());
        let special = match action.handler() {
            Handler::Function(_) => return Ok(None),
            Handler::Default => libc::SIG_DFL,
            Handler::Ignore => libc::SIG_IGN,
            Handler::Foreign => {
                let error =
                    || Error::value(format_args!("arg is not one that came with RSIG_FOREIGN"));
                return noted.ok_or_else(error).map(Some);
            }
            Handler::Error => return Err(Error::value(format_args!("the handler is SIG_ERR"))),
        };
        match noted.filter(|noted| noted.handler() == special) {
            Some(noted) => Ok(Some(noted)),
            None if special == libc::SIG_DFL => Ok(Some(&Disposition::DEFAULT)),
            None => Ok(Some(&Disposition::IGNORED)),
        }
    }

    /// Of a signal that a channel listens to.
    fn set_owner(
        &mut self,
        signum: c_int,
        found: &Disposition,
        own: Option<&'static Disposition>,
    ) -> Result<()> {
        let entry = self.entry(signum)?;
        let beneath = if entry.is_ours(found) { entry.beneath } else { entry.action };
        let owner = match own {
            None => Owner::Rsig,
            Some(handler) if handler.is_function() => {
                Owner::Other { handler, beneath: self.beneath(&beneath) }
            }
            Some(_) => Owner::Nobody,
        };
        chain::set_owner(signum, &owner);
        Ok(())
    }

    fn beneath(&mut self, action: &rsig_action_t) -> Beneath {
        match self.own_disposition(action) {
            Ok(None) => Beneath::Rsig,
            Ok(Some(handler)) if handler.is_function() => Beneath::Other(handler),
            _ => Beneath::Nobody,
        }
    }

    /// When the first channel listens to a signal, or the last one does no more: the action stays as it is. What somebody else
    /// has installed over rsig's handler stays too.
    pub(crate) fn hear(&mut self, signum: c_int) -> Result<()> {
        let found = get(signum)?;
        let action = self.describe(signum, &found)?;
        let is_ours = self.entry(signum)?.is_ours(&found) && found.is(LOW_LEVEL);
        if is_ours && action.is_function() {
            return Ok(());
        }
        if channel::is_heard(signum) || is_ours {
            self.set_action(signum, &found, action)?;
        }
        Ok(())
    }

    /// For a signal that had the default action when rsig took it for itself.
    pub(crate) fn forget_action(&mut self, signum: c_int) {
        if let Ok(entry) = self.entry(signum) {
            entry.action = rsig_action_t::DEFAULT;
        }
    }

    /// The kept record that equals `disposition`.
    fn save(&mut self, disposition: &Disposition) -> Result<&'static Disposition> {
        match self.saved.find(|kept| kept.same(disposition)) {
            Some(kept) => Ok(kept),
            None => self
                .saved
                .keep(*disposition)
                .map_err(|errno| Error::os(errno, format_args!("cannot note a disposition"))),
        }
    }

    /// The one place that changes a disposition. What rsig did not put there itself is noted before, to be put
    /// back by `restore_all`, or by the low-level handler.
    pub(crate) fn install(
        &mut self,
        signum: c_int,
        found: &Disposition,
        new: &Disposition,
    ) -> Result<()> {
        let noted_before = displaced::get(signum);
        if !self.entry(signum)?.is_ours(found) {
            let note = self.save(found)?;
            displaced::note(signum, Some(note));
            let entry = self.entry(signum)?;
            entry.beneath = entry.action;
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
        // Relaxed: see `handled`.
        HANDLED.store(0, Ordering::Relaxed);
        poke::set_number(0);
        let none_left = main_thread::is_current() && poke::is_idle();
        for signum in 1..=signals::MAX {
            if poke::is_taken(signum) {
                // A poke on its way would find the default action, death; and so would one that waits, blocked.
                if !none_left {
                    continue;
                }
                poke::drain(sigset::one(signum));
            }
            poke::set_use(signum, Use::Handled);
            let Ok(entry) = self.entry(signum) else { continue };
            let entry = std::mem::replace(entry, Entry::NEW);
            let found = action::get(signum).map(|found| found.handler()).ok();
            let left = match (entry.installed, displaced::get(signum)) {
                (Some(installed), Some(before)) if Some(installed) == found => {
                    // The kernel has had this disposition for this signal before.
                    let _ = action::set(signum, before);
                    self.beneath(&entry.beneath)
                }
                (Some(_), Some(before)) if before.is_function() => Beneath::Other(before),
                _ => Beneath::Nobody,
            };
            // What others still pass on, now and after another rsig_init().
            chain::set_owner(signum, &left.owner());
            if let (Beneath::Other(handler), Ok(entry)) = (left, self.entry(signum)) {
                entry.action = rsig_action_t::special(2, ptr::from_ref(handler).cast());
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
