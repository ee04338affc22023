//! Who handles which signal: the user's handlers, what the kernel says, and what was there before.

use crate::async_safe::chain;
use crate::async_safe::handler::{self, LOW_LEVEL, STAND_IN};
use crate::async_safe::poke;
use crate::async_safe::{before, channel, displaced};
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::{self, State};
use crate::runtime::{self, main_thread, pump};
use crate::sys::action::{self, Disposition};
use crate::sys::signals::{self, Named};
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::{c_int, c_void, sighandler_t};
use nix::errno::Errno;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

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

    /// Whether rsig has put there what was found, or somebody has put rsig's own back there.
    fn is_ours(&self, found: &Disposition) -> bool {
        self.installed == Some(found.handler())
            || self.installed.is_some() && handler::is_own(found)
    }

    /// Somebody else's handler was found in place of what rsig has put there.
    fn note_displaced(&self, signum: c_int) {
        if self.installed == Some(STAND_IN as *const () as sighandler_t) {
            chain::note_displaced(signum);
        }
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

/// What the pump shall do with a delivery. Without the lock: a plain handler may leave a blocking call, and the pump in it, by
/// siglongjmp().
pub(crate) fn action(signum: c_int) -> rsig_action_t {
    let Some(told) = signals::index(signum).and_then(|index| TOLD.get(index)) else {
        return rsig_action_t::DEFAULT;
    };
    // Relaxed, both: functions are set on the main thread, which is the one that asks.
    let (handler, arg) = (told.handler.load(Ordering::Relaxed), told.arg.load(Ordering::Relaxed));
    rsig_action_t::special(handler, arg)
}

/// What the pump was told, of each signal.
struct Told {
    handler: AtomicUsize,
    arg: AtomicPtr<c_void>,
}

static TOLD: [Told; signals::COUNT] =
    [const { Told { handler: AtomicUsize::new(0), arg: AtomicPtr::new(ptr::null_mut()) } };
        signals::COUNT];

fn tell_pump(signum: c_int, action: &rsig_action_t) {
    if let Some(told) = signals::index(signum).and_then(|index| TOLD.get(index)) {
        // Relaxed, both: see `action`.
        told.handler.store(action.number(), Ordering::Relaxed);
        told.arg.store(action.arg, Ordering::Relaxed);
    }
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
    if found.is(STAND_IN)
        && let Some(action) = state.own_action(signum, &found)
        && let Some(handler) = state.own_disposition(&action)?.filter(|own| own.is_function())
    {
        // So that it stays when the channels are closed.
        let mut new = *handler;
        new.set_restart(!interrupting);
        let note = ptr::from_ref(state.save(&new)?);
        return state.set_action(signum, &found, rsig_action_t::special(2, note.cast()));
    }
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

    /// What rsig_signal() was told last, where the kernel has shown rsig's own handler. Where rsig did not put that,
    /// somebody has copied it from another signal. Somebody else's handler may have given the signal back to rsig's meanwhile, or
    /// have been one that is called only once.
    pub(crate) fn own_action(&self, signum: c_int, found: &Disposition) -> Option<rsig_action_t> {
        let entry = self.entries.get(signals::index(signum)?)?;
        if !handler::is_own(found) || entry.installed.is_none() {
            return None;
        }
        match entry.action.handler() {
            Handler::Foreign if found.is(LOW_LEVEL) => Some(entry.beneath),
            Handler::Foreign if !chain::has_handler(signum) => Some(rsig_action_t::DEFAULT),
            _ => Some(entry.action),
        }
    }

    /// What a disposition that the kernel has shown is in rsig's terms.
    fn describe(&mut self, signum: c_int, found: &Disposition) -> Result<rsig_action_t> {
        if let Some(action) = self.own_action(signum, found) {
            return Ok(action);
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
            Some(own) if is_heard => own.stand_in(signum, STAND_IN),
            // Pokes must go on, so the low-level handler does what the action says.
            Some(own) if poke::is_taken(signum) && !own.is_function() => {
                runtime::poke::disposition()
            }
            Some(own) => *own,
            None => Disposition::with_handler(LOW_LEVEL),
        };
        if let Some(own) = own.filter(|_| is_heard) {
            // Before the first delivery can come.
            self.set_chain(signum, found, own)?;
        }
        self.install(signum, found, &new)?;
        if !new.is(STAND_IN) {
            chain::unset(signum);
        }
        let entry = self.entry(signum)?;
        let beneath = entry.beneath;
        // A handler that is put back may chain to the one that it displaced.
        let is_back = !is_heard && own.is_some_and(Disposition::is_function);
        entry.action = if is_back { beneath } else { action };
        let action = entry.action;
        // What somebody else's handler has passed on is for the handler beneath.
        let for_pump = if let Handler::Foreign = action.handler() { entry.beneath } else { action };
        tell_pump(signum, &for_pump);
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

    /// Of a signal that a channel listens to: whom rsig stands in for.
    fn set_chain(
        &mut self,
        signum: c_int,
        found: &Disposition,
        own: &'static Disposition,
    ) -> Result<()> {
        let entry = self.entry(signum)?;
        let is_ours = entry.is_ours(found);
        let beneath = match entry.action.handler() {
            Handler::Foreign => entry.beneath,
            _ if is_ours => entry.beneath,
            _ => entry.action,
        };
        if !is_ours {
            entry.note_displaced(signum);
        }
        let is_new = !found.is(STAND_IN);
        let handler = Some(own).filter(|own| own.is_function());
        chain::set(signum, handler, is_new, beneath.is_function());
        Ok(())
    }

    /// When the first channel listens to a signal, or the last one does no more: the action stays as it is. What somebody else
    /// has installed over rsig's handler stays too.
    pub(crate) fn hear(&mut self, signum: c_int) -> Result<()> {
        let found = get(signum)?;
        let action = self.describe(signum, &found)?;
        let is_ours = self.entry(signum)?.is_ours(&found) && handler::is_own(&found);
        let is_heard = channel::is_heard(signum);
        if is_ours && (action.is_function() || is_heard && found.is(STAND_IN)) {
            return Ok(());
        }
        if is_heard || is_ours {
            self.set_action(signum, &found, action)?;
        }
        Ok(())
    }

    /// For a signal that had the default action when rsig took it for itself.
    pub(crate) fn forget_action(&mut self, signum: c_int) {
        if let Ok(entry) = self.entry(signum) {
            entry.action = rsig_action_t::DEFAULT;
            tell_pump(signum, &rsig_action_t::DEFAULT);
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
        let (noted_before, found_first) = (displaced::get(signum), before::get(signum));
        if !self.entry(signum)?.is_ours(found) {
            let note = self.save(found)?;
            displaced::note(signum, Some(note));
            before::note(signum, found_first.or(Some(note)));
            let entry = self.entry(signum)?;
            // What is beneath one that is displaced already is beneath both.
            if !matches!(entry.action.handler(), Handler::Foreign) {
                entry.beneath = entry.action;
            }
        }
        if let Err(errno) = action::set(signum, new) {
            displaced::note(signum, noted_before);
            before::note(signum, found_first);
            return Err(cannot_change(signum, errno));
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
            if poke::was_number(signum) {
                // A poke on its way would find the default action, death; and so would one that waits, blocked.
                if !(none_left && poke::drain(sigset::one(signum))) {
                    continue;
                }
            }
            poke::forget_number(signum);
            let Ok(entry) = self.entry(signum) else { continue };
            let entry = std::mem::replace(entry, Entry::NEW);
            tell_pump(signum, &rsig_action_t::DEFAULT);
            match action::get(signum) {
                Ok(found) if entry.is_ours(&found) => {
                    if let Some(before) = displaced::get(signum) {
                        // The kernel has had this disposition for this signal before.
                        let _ = action::set(signum, before);
                        chain::unset(signum);
                    }
                }
                _ => entry.note_displaced(signum),
            }
            before::note(signum, None);
        }
    }
}

/// Fails for a set with a signal whose action cannot be changed.
pub(crate) fn check_set(set: rsig_sigset_t) -> Result<()> {
    match sigset::next(set & !signals::changeable(), 0) {
        0 => Ok(()),
        signum => Err(cannot_change(signum, Errno::EINVAL)),
    }
}

fn cannot_change(signum: c_int, errno: Errno) -> Error {
    let name = Named(signum);
    Error::os(errno, format_args!("cannot change the action of {name}"))
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
