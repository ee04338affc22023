//! Who handles which signal: the user's handlers, what the kernel says, and what was there before.

use crate::async_safe::displaced;
use crate::async_safe::handler::LOW_LEVEL;
use crate::async_safe::poke::{self, Use};
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::{self, State};
use crate::runtime::{main_thread, pump};
use crate::sys::action::{self, Disposition};
use crate::sys::mask;
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

/// The signals that rsig_signal() has given a function.
pub(crate) fn handled() -> rsig_sigset_t {
    // Relaxed: written by the main thread, which is also the one that asks.
    HANDLED.load(Ordering::Relaxed)
}

static HANDLED: AtomicU64 = AtomicU64::new(0);

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
        mut action: rsig_action_t,
    ) -> Result<()> {
        let noted = self.saved.find(|kept| ptr::from_ref(kept).cast() == action.arg.cast_const());
        let plain = |handler| match noted {
            Some(noted) if noted.handler() == handler => *noted,
            _ => Disposition::plain(handler),
        };
        let is_poke = poke::is_taken(signum);
        let new = match action.handler() {
            Handler::Function(_) => Disposition::with_handler(LOW_LEVEL),
            // Pokes must go on, so the low-level handler does what the action says.
            Handler::Default | Handler::Ignore if is_poke => poke_disposition(),
            Handler::Default => plain(libc::SIG_DFL),
            Handler::Ignore => plain(libc::SIG_IGN),
            Handler::Foreign => *noted.ok_or_else(|| {
                Error::value(format_args!("arg is not one that came with RSIG_FOREIGN"))
            })?,
            Handler::Error => return Err(Error::value(format_args!("the handler is SIG_ERR"))),
        };
        if let Handler::Foreign = action.handler() {
            // It may chain to the handler that it displaced.
            action = self.entry(signum)?.beneath;
        }
        self.install(signum, found, &new)?;
        self.entry(signum)?.action = action;
        let is_function = matches!(action.handler(), Handler::Function(_));
        // Relaxed: see `handled`.
        if is_function && new.is(LOW_LEVEL) {
            HANDLED.fetch_or(sigset::one(signum), Ordering::Relaxed);
        } else {
            HANDLED.fetch_and(!sigset::one(signum), Ordering::Relaxed);
        }
        if is_poke {
            match action.handler() {
                _ if !new.is(LOW_LEVEL) => {
                    poke::set_use(signum, Use::Handled);
                    poke::set_number(0);
                }
                Handler::Function(_) => poke::set_use(signum, Use::Handled),
                Handler::Ignore => poke::set_use(signum, Use::Ignored),
                _ => poke::set_use(signum, Use::Default),
            }
        }
        Ok(())
    }

    /// Takes the highest real-time signal that nobody uses for pokes; one that is blocked, and so waits for somebody's sigwait(),
    /// only where there is no other. Then the one there is stays, unless it is `contended`. Without one, signals that land
    /// on other threads do not interrupt the main thread's system call.
    pub(crate) fn install_poke(&mut self, blocked: rsig_sigset_t, contended: bool) {
        let numbers = || (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
        let is_in = |set: rsig_sigset_t, signum: c_int| set & sigset::one(signum) != 0;
        let before = poke::number();
        let needed = contended || before == 0 || !poke::is_installed();
        let pending = mask::pending().unwrap_or(0);
        let unblocked = numbers().filter(|&signum| !is_in(blocked, signum));
        let quiet = numbers().filter(|&signum| {
            needed && signum != before && is_in(blocked, signum) && !is_in(pending, signum)
        });
        for signum in unblocked.chain(quiet) {
            let free = action::get(signum).ok().filter(|now| {
                now.handler() == libc::SIG_DFL || now.is(LOW_LEVEL) && poke::is_left_over(signum)
            });
            if let Some(found) = free
                && self.install(signum, &found, &poke_disposition()).is_ok()
            {
                if let Ok(entry) = self.entry(signum) {
                    entry.action = rsig_action_t::DEFAULT;
                }
                poke::set_use(signum, Use::Default);
                poke::set_number(signum);
                return;
            }
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
    fn install(&mut self, signum: c_int, found: &Disposition, new: &Disposition) -> Result<()> {
        let noted_before = displaced::get(signum);
        if self.entry(signum)?.installed != Some(found.handler()) {
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

/// Pokes are for rsig's own calls; those of the program's that can be restarted are.
fn poke_disposition() -> Disposition {
    let mut disposition = Disposition::with_handler(LOW_LEVEL);
    disposition.set_restart(true);
    disposition
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
