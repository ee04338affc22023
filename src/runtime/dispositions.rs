//! Who handles which signal: the user's handlers, what the kernel says, and what was there before.

use crate::async_safe::displaced::{HIGHEST, LEVELS};
use crate::async_safe::handler::{self, Role};
use crate::async_safe::{before, chain, channel, displaced, given_back, poke};
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::{self, State};
use crate::runtime::{self, main_thread, pump, told};
use crate::sys::action::{self, Disposition};
use crate::sys::signals::{self, Named};
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::{c_int, sighandler_t};
use nix::errno::Errno;
use std::fmt;
use std::ptr;

/// What rsig knows of one signal.
pub(crate) struct Entry {
    /// What rsig gave to the kernel last, and at which level; none where it never touched the signal. Anything else found there
    /// is somebody else's, and is left to them.
    installed: Option<(sighandler_t, usize)>,
    /// How many levels somebody else's handlers may know. So rsig_fini() does not reset it.
    levels: usize,
}

impl Entry {
    pub(crate) const NEW: Self = Self { installed: None, levels: 0 };

    /// At which level rsig, or its handler, has put there what was found, or somebody has put rsig's own back there. None where it is somebody
    /// else's: a copy from another signal, too.
    fn own_level(&self, signum: c_int, found: &Disposition) -> Option<usize> {
        match handler::own(found) {
            Some(own) => displaced::get(signum, own.level).map(|_| own.level),
            None => {
                let last = self.installed?;
                let left = given_back::left(signum, found);
                left.or_else(|| (last.0 == found.handler()).then_some(last.1))
            }
        }
    }

    /// At which level rsig is to displace somebody else's. A function may know all that are in use, so it has the next one, or,
    /// where there is none left, the highest. SIG_DFL and SIG_IGN know nobody, and go where they were, unless who has set them for
    /// a while may put back a handler of rsig's there that stands for something else.
    fn level_over(&self, signum: c_int, found: &Disposition, means: &Means) -> usize {
        let is_there = |&level: &usize| {
            displaced::get(signum, level).is_some_and(|noted| noted.handler() == found.handler())
                && means.has_room(signum, level)
        };
        let next = self.levels.min(HIGHEST);
        if found.is_function() { next } else { (0..self.levels).find(is_there).unwrap_or(next) }
    }

    /// What was displaced is there again: the level is free, where it is the highest one. Who has saved its address all the same
    /// does not bring back a function of rsig_signal()'s.
    fn give_back(&mut self, signum: c_int, level: usize) {
        if self.levels == level.saturating_add(1) && told::get(signum, level).is_none() {
            self.levels = level;
        }
    }

    /// Ends what rsig_signal() was told: whoever still passes something on to rsig's handler means whom that has displaced.
    fn restore(&mut self, signum: c_int) {
        if displaced::get(signum, 0).is_none() {
            // It was never rsig's.
            return;
        }
        for level in 0..LEVELS {
            if let Some(displaced) = displaced::get(signum, level) {
                chain::set(signum, Role::Handler, level, Some(displaced));
                chain::set(signum, Role::StandIn, level, Some(displaced));
            }
        }
        let stays = poke::was_number(signum) && !runtime::poke::is_over(signum);
        if stays {
            self.stay(signum);
        } else {
            poke::forget_number(signum);
            self.put_back(signum);
        }
    }

    /// For a poke that may still come. All else is for what rsig has displaced, also after the next rsig_init().
    fn stay(&mut self, signum: c_int) {
        let level = self.installed.map_or(0, |last| last.1);
        let before = displaced::get(signum, level).unwrap_or(&Disposition::DEFAULT);
        poke::set_use(signum, runtime::poke::use_of(&described(before)));
        let is_own = |found: &Disposition| {
            handler::is_own(found) && self.own_level(signum, found) == Some(level)
        };
        let stand_in = before.stand_in(signum, handler::address(Role::StandIn, level));
        if before.is_function()
            && action::get(signum).is_ok_and(|found| is_own(&found))
            && action::set(signum, &stand_in).is_ok()
        {
            self.installed = Some((stand_in.handler(), level));
        }
    }

    // Not for all the signals that were never rsig's.
    #[inline(never)]
    fn put_back(&mut self, signum: c_int) {
        while let Ok(found) = action::get(signum)
            && let Some(level) = self.own_level(signum, &found)
            && let Some(before) = displaced::get(signum, level)
        {
            given_back::give_back(signum, before);
            // The kernel has had this disposition for this signal before.
            let is_overtaken = action::replace(signum, before, |now| now.same(&found)) == Ok(false);
            self.give_back(signum, level);
            if !is_overtaken {
                break;
            }
        }
        given_back::take_left(signum);
        self.installed = None;
        before::note(signum, None);
    }
}

/// What is noted of a level before it changes, for where it does not.
struct Notes {
    displaced: Option<&'static Disposition>,
    before: Option<&'static Disposition>,
    stands_for: [(Role, Option<&'static Disposition>); 2],
    told: Option<rsig_action_t>,
}

impl Notes {
    fn of(signum: c_int, level: usize) -> Self {
        let stands_for = |role| (role, chain::get(signum, role, level));
        Self {
            displaced: displaced::get(signum, level),
            before: before::get(signum),
            stands_for: [stands_for(Role::Handler), stands_for(Role::StandIn)],
            told: told::get(signum, level),
        }
    }

    fn restore(&self, signum: c_int, level: usize) {
        displaced::note(signum, level, self.displaced);
        before::note(signum, self.before);
        if let Some(told) = &self.told {
            told::set(signum, level, told);
        }
        for (role, stands_for) in self.stands_for {
            chain::set(signum, role, level, stands_for);
        }
    }
}

/// Whether rsig's handler need not stay for one that is still on its way.
fn is_free_of_pokes(signum: c_int) -> bool {
    if poke::was_number(signum) {
        if signum == poke::number() {
            poke::set_number(0);
        }
        if !runtime::poke::is_over(signum) {
            return false;
        }
        poke::forget_number(signum);
    }
    true
}

/// What somebody else's disposition is in rsig's terms: one that is kept, unless it is plain.
fn described(noted: &Disposition) -> rsig_action_t {
    let number = match noted.handler() {
        libc::SIG_DFL => 0,
        libc::SIG_IGN => 1,
        _ => 2,
    };
    let note = if noted.is_plain() { ptr::null() } else { ptr::from_ref(noted) };
    rsig_action_t::special(number, note.cast())
}

/// Registers `action`, after the pending handlers have run; the action before.
pub(crate) fn set_action(signum: c_int, action: rsig_action_t) -> Result<rsig_action_t> {
    main_thread::require()?;
    check(signum)?;
    pump::run()?;
    let mut state = state::lock();
    // A handler may have called rsig_fini(), or handed the main thread on.
    main_thread::require()?;
    let mut old = rsig_action_t::DEFAULT;
    state.change(signum, |state, found| {
        old = state.describe(signum, found)?;
        state.set_told(signum, found, action)
    })?;
    Ok(old)
}

/// What the kernel does with the signal now, in rsig's terms.
pub(crate) fn get_action(signum: c_int) -> Result<rsig_action_t> {
    main_thread::require_init()?;
    check(signum)?;
    state::lock().describe(signum, &get(signum)?)
}

/// Of `set`, the signals for which the pump has a function to call.
pub(crate) fn handled(set: rsig_sigset_t) -> rsig_sigset_t {
    let (mut handled, mut signum) = (0, sigset::next(set, 0));
    while signum != 0 {
        if told::now(signum).is_some_and(|action| action.is_function()) {
            handled |= sigset::one(signum);
        }
        signum = sigset::next(set, signum);
    }
    handled
}

/// siginterrupt(3), for whatever handler the signal has.
pub(crate) fn set_interrupting(signum: c_int, interrupting: bool) -> Result<()> {
    main_thread::require_init()?;
    check(signum)?;
    let mut state = state::lock();
    main_thread::require_init()?;
    state.change(signum, |state, found| state.set_interrupting(signum, found, interrupting))
}

/// Whether a disposition was changed.
#[must_use]
pub(crate) enum Change {
    Made,
    /// Somebody else came in between: what was found is there no more.
    Overtaken,
}

/// What the kernel is to have in place of what was found, and so what that stands for.
enum Means {
    /// rsig's handler, for a function of rsig_signal()'s.
    Function(rsig_action_t),
    /// rsig's, for this.
    For(Role, &'static Disposition),
    /// None of rsig's.
    Plain,
}

impl Means {
    /// Whether rsig's handler of this level can have this meaning, as far as anybody may put it back who knows it with another.
    fn has_room(&self, signum: c_int, level: usize) -> bool {
        match self {
            Self::Function(_) | Self::Plain => true,
            Self::For(role, new) => match chain::get(signum, *role, level) {
                Some(now) => now.handler() == new.handler(),
                None => *role == Role::StandIn || told::get(signum, level).is_none(),
            },
        }
    }

    fn set(&self, signum: c_int, level: usize) {
        match self {
            Self::Function(function) => {
                told::set(signum, level, function);
                chain::set(signum, Role::Handler, level, None);
            }
            Self::For(role, disposition) => chain::set(signum, *role, level, Some(disposition)),
            Self::Plain => {}
        }
    }
}

impl State {
    /// Changes what the kernel has, again where somebody else has come in between.
    pub(crate) fn change(
        &mut self,
        signum: c_int,
        mut change: impl FnMut(&mut Self, &Disposition) -> Result<Change>,
    ) -> Result<()> {
        while let Change::Overtaken = change(self, &get(signum)?)? {}
        Ok(())
    }

    fn set_interrupting(
        &mut self,
        signum: c_int,
        found: &Disposition,
        interrupting: bool,
    ) -> Result<Change> {
        let beneath = handler::own(found)
            .filter(|own| own.role == Role::StandIn)
            .and_then(|own| chain::get(signum, own.role, own.level))
            .filter(|beneath| beneath.is_function());
        let mut new = *beneath.unwrap_or(found);
        new.set_restart(!interrupting);
        if beneath.is_some() {
            // So that it stays when the channels are closed.
            let note = ptr::from_ref(self.save(&new)?);
            return self.set_action(signum, found, rsig_action_t::special(2, note.cast()));
        }
        let level = self.level(signum, found, &Means::Plain)?;
        let change = self.install(signum, found, level, &new, &Means::Plain)?;
        self.settle(signum, level, &new)?;
        Ok(change)
    }

    fn entry(&mut self, signum: c_int) -> Result<&mut Entry> {
        signals::index(signum)
            .and_then(|index| self.entries.get_mut(index))
            .ok_or_else(|| Error::signum(signum))
    }

    /// At which level rsig is, or will be, in place of what the kernel has shown.
    fn level(&mut self, signum: c_int, found: &Disposition, means: &Means) -> Result<usize> {
        let entry = self.entry(signum)?;
        let own = entry.own_level(signum, found);
        Ok(own.unwrap_or_else(|| entry.level_over(signum, found, means)))
    }

    /// What rsig's handler stands for, where the kernel has shown that.
    pub(crate) fn own_action(&self, signum: c_int, found: &Disposition) -> Option<rsig_action_t> {
        let own = handler::own(found)?;
        displaced::get(signum, own.level)?;
        Some(match chain::get(signum, own.role, own.level) {
            Some(other) => described(other),
            None => told::get(signum, own.level).unwrap_or(rsig_action_t::DEFAULT),
        })
    }

    /// What a disposition that the kernel has shown is in rsig's terms.
    fn describe(&mut self, signum: c_int, found: &Disposition) -> Result<rsig_action_t> {
        match self.own_action(signum, found) {
            Some(action) => Ok(action),
            None if found.is_plain() => Ok(described(found)),
            None => Ok(described(self.save(found)?)),
        }
    }

    /// As rsig_signal() was told: for the pump, too. `found` is what the kernel has now.
    pub(crate) fn set_told(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: rsig_action_t,
    ) -> Result<Change> {
        let change = self.set_action(signum, found, action)?;
        if let (Change::Made, Some((_, level))) = (&change, self.entry(signum)?.installed) {
            match action.handler() {
                Handler::Default | Handler::Ignore => told::end(signum),
                _ => told::set_top(signum, level),
            }
        }
        Ok(change)
    }

    /// `found` is what the kernel has now.
    fn set_action(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: rsig_action_t,
    ) -> Result<Change> {
        let is_heard = channel::is_heard(signum);
        let own = self.own_disposition(&action)?;
        let means = match own {
            None => Means::Function(action),
            Some(own) if is_heard || own.is_function() && !is_free_of_pokes(signum) => {
                Means::For(Role::StandIn, own)
            }
            // Pokes must go on, so the low-level handler does what the action says.
            Some(own) if poke::was_number(signum) && !own.is_function() => {
                Means::For(Role::Handler, own)
            }
            Some(_) => Means::Plain,
        };
        let level = self.level(signum, found, &means)?;
        let address = |role| handler::address(role, level);
        let new = match (&means, own) {
            (Means::For(Role::StandIn, own), _) => own.stand_in(signum, address(Role::StandIn)),
            (Means::For(Role::Handler, _), _) => runtime::poke::disposition(level),
            (Means::Plain, Some(own)) => *own,
            _ => Disposition::with_handler(address(Role::Handler)),
        };
        if let Change::Overtaken = self.install(signum, found, level, &new, &means)? {
            return Ok(Change::Overtaken);
        }
        if let (Some(_), Some(before)) = (own, handler::own(found))
            && before.level == level
        {
            // What was set before is over, also for who puts back rsig's handler.
            chain::set(signum, before.role, level, own);
        }
        self.settle(signum, level, &new)?;
        runtime::poke::set_use(signum, &action, is_heard, &new);
        Ok(Change::Made)
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

    /// When the first channel listens to a signal, or the last one does no more: the action stays as it is. What somebody else
    /// has installed over rsig's handler stays too.
    pub(crate) fn hear(&mut self, signum: c_int) -> Result<()> {
        self.change(signum, |state, found| {
            let action = state.own_action(signum, found);
            let listeners = channel::listeners(signum);
            match action {
                Some(action) if action.is_function() => Ok(Change::Made),
                // With the first one it is put there again: it may just be leaving.
                Some(_) if listeners > 1 && handler::has_role(found, Role::StandIn) => {
                    Ok(Change::Made)
                }
                None if listeners == 0 => Ok(Change::Made),
                Some(action) => state.set_action(signum, found, action),
                None => {
                    let action = state.describe(signum, found)?;
                    state.set_action(signum, found, action)
                }
            }
        })
    }

    /// The kept record that equals `disposition`. Where there is no memory for one, flags and mask that mean nothing without a
    /// handler are forgotten: a number for pokes, which makes signals that land elsewhere end the main thread's wait, is had
    /// all the same.
    fn save(&mut self, disposition: &Disposition) -> Result<&'static Disposition> {
        if let Some(kept) = self.saved.find(|kept| kept.same(disposition)) {
            return Ok(kept);
        }
        match self.saved.keep(*disposition) {
            Ok(kept) => Ok(kept),
            Err(_) if disposition.is_plain() => Ok(disposition.plainest()),
            Err(errno) => Err(Error::os(errno, format_args!("cannot note a disposition"))),
        }
    }

    /// The one place that changes a disposition, to a `new` one of that `level`. What rsig did not put there itself is noted
    /// before, to be put back by `restore_all`, or by the low-level handler; and so is what rsig's handler is to stand for.
    fn install(
        &mut self,
        signum: c_int,
        found: &Disposition,
        level: usize,
        new: &Disposition,
        means: &Means,
    ) -> Result<Change> {
        let notes = Notes::of(signum, level);
        if self.entry(signum)?.own_level(signum, found).is_none() {
            let note = self.save(found)?;
            displaced::note(signum, level, Some(note));
            before::note(signum, notes.before.or(Some(note)));
        }
        means.set(signum, level);
        let left = given_back::take_left(signum);
        if handler::is_own(found) && !handler::is_own(new) {
            given_back::give_back(signum, new);
        }
        match action::replace(signum, new, |now| now.same(found)) {
            Ok(true) => {}
            failed => {
                notes.restore(signum, level);
                given_back::set_left(signum, left);
                return failed
                    .map(|_| Change::Overtaken)
                    .map_err(|errno| cannot_change(signum, errno));
            }
        }
        let entry = self.entry(signum)?;
        entry.installed = Some((new.handler(), level));
        entry.levels = entry.levels.max(level.saturating_add(1));
        Ok(Change::Made)
    }

    /// After a change of a level: it may be free again.
    fn settle(&mut self, signum: c_int, level: usize, new: &Disposition) -> Result<()> {
        let displaced = displaced::get(signum, level);
        if displaced.is_some_and(|displaced| displaced.handler() == new.handler()) {
            self.entry(signum)?.give_back(signum, level);
        }
        Ok(())
    }

    /// Takes for rsig itself a signal that nobody handles; the action stays as it is.
    pub(crate) fn take_unused(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: &'static Disposition,
        new: impl FnOnce(usize) -> Disposition,
    ) -> Result<Change> {
        let means = Means::For(Role::Handler, action);
        let level = self.level(signum, found, &means)?;
        self.install(signum, found, level, &new(level), &means)
    }

    /// Puts back what rsig found. Where somebody else has come after rsig, theirs stays. The notes stay too: a
    /// handler that chains to rsig's may still bring a fault here.
    pub(crate) fn restore_all(&mut self) {
        poke::set_number(0);
        for signum in 1..=signals::MAX {
            if let Ok(entry) = self.entry(signum) {
                entry.restore(signum);
            }
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
    Error::os(errno, format_args!("cannot change the action of {}", Unchangeable(signum)))
}

/// A signal, and why its action cannot be had where that is known.
struct Unchangeable(c_int);

impl fmt::Display for Unchangeable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.0 {
            libc::SIGKILL | libc::SIGSTOP => ", which the kernel keeps",
            signum if signals::is_the_c_librarys(signum) => ", which the C library keeps",
            _ => "",
        };
        write!(formatter, "{}{why}", Named(self.0))
    }
}

fn check(signum: c_int) -> Result<()> {
    signals::index(signum).map(|_| ()).ok_or_else(|| Error::signum(signum))
}

pub(crate) fn get(signum: c_int) -> Result<Disposition> {
    action::get(signum).map_err(|errno| {
        Error::os(errno, format_args!("cannot read the action of {}", Unchangeable(signum)))
    })
}
