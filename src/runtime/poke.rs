//! Which number the pokes have, and what becomes of it otherwise.

use crate::async_safe::handler::{self, Role};
use crate::async_safe::poke::{self, Use};
use crate::async_safe::stub;
use crate::runtime::dispositions::Change;
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::main_thread;
use crate::runtime::state::State;
use crate::sys::action::{self, Disposition};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::{mask, signals};
use libc::c_int;

impl State {
    /// Takes the highest real-time signal that nobody uses for pokes, or else one that has rsig's handler; one that is blocked, and
    /// so waits for somebody's sigwait(), only where there is no other. Then the one there is stays, unless it is `contended`.
    /// Without one, signals that land on other threads do not interrupt the main thread's system call.
    pub(crate) fn install_poke(&mut self, blocked: rsig_sigset_t, contended: bool) {
        let numbers = || signals::real_time_numbers().rev();
        let is_in = |set: rsig_sigset_t, signum: c_int| set & sigset::one(signum) != 0;
        let before = poke::number();
        let needed = contended || before == 0 || !poke::is_installed();
        let pending = mask::pending().unwrap_or(0);
        let unblocked = || numbers().filter(|&signum| !is_in(blocked, signum));
        let quiet = || {
            numbers().filter(|&signum| {
                needed && signum != before && is_in(blocked, signum) && !is_in(pending, signum)
            })
        };
        let _ = unblocked().any(|signum| self.take_free(signum))
            || unblocked().any(share)
            || quiet().any(|signum| self.take_free(signum))
            || quiet().any(share)
            || unblocked().any(|signum| self.share_heard(signum))
            || unblocked().any(|signum| self.take_ignored(signum))
            || quiet().any(|signum| self.share_heard(signum))
            || quiet().any(|signum| self.take_ignored(signum));
    }

    /// Where nobody uses it.
    fn take_free(&mut self, signum: c_int) -> bool {
        let found = action::get(signum).ok().filter(|now| {
            let is_default = || {
                let action = self.own_action(signum, now).map(|action| action.handler());
                matches!(action, Some(Handler::Default))
            };
            now.handler() == libc::SIG_DFL || handler::has_role(now, Role::Handler) && is_default()
        });
        found.is_some_and(|found| self.take(signum, &found, &Disposition::DEFAULT, Use::Default))
    }

    /// Where it is ignored, as it goes on to be.
    fn take_ignored(&mut self, signum: c_int) -> bool {
        let found = action::get(signum).ok().filter(|now| now.handler() == libc::SIG_IGN);
        found.is_some_and(|found| self.take(signum, &found, &Disposition::IGNORED, Use::Ignored))
    }

    fn take(
        &mut self,
        signum: c_int,
        found: &Disposition,
        action: &'static Disposition,
        of_the_program: Use,
    ) -> bool {
        let is_taken =
            matches!(self.take_unused(signum, found, action, disposition), Ok(Change::Made));
        if is_taken {
            poke::set_use(signum, of_the_program);
            poke::set_number(signum);
        }
        is_taken
    }

    /// Where channels alone listen to it: their handler knows a poke too. Not where somebody else's would be back when they are
    /// closed, who does not.
    fn share_heard(&self, signum: c_int) -> bool {
        let is_free = action::get(signum).is_ok_and(|now| {
            let action = self.own_action(signum, &now).map(|action| action.handler());
            handler::has_role(&now, Role::StandIn)
                && matches!(action, Some(Handler::Default | Handler::Ignore))
        });
        if is_free {
            poke::set_number(signum);
        }
        is_free
    }
}

/// Where the program has it, through rsig.
fn share(signum: c_int) -> bool {
    let is_handled = action::get(signum).is_ok_and(|now| handler::has_role(&now, Role::Handler));
    if is_handled {
        poke::set_number(signum);
    }
    is_handled
}

/// When a number that is or was a poke's has a new action, and in the kernel a new disposition.
pub(crate) fn set_use(signum: c_int, action: &rsig_action_t, is_heard: bool, new: &Disposition) {
    if !poke::was_number(signum) {
        return;
    }
    let of_the_program = match action.handler() {
        _ if is_heard => Use::Handled,
        _ if !handler::has_role(new, Role::Handler) => Use::Handled,
        _ => use_of(action),
    };
    poke::set_use(signum, of_the_program);
}

pub(crate) fn use_of(action: &rsig_action_t) -> Use {
    match action.handler() {
        Handler::Default => Use::Default,
        Handler::Ignore => Use::Ignored,
        _ => Use::Handled,
    }
}

/// Whether a number that was a poke's, and is not any more, can be somebody else's. A poke that still waits would find the default
/// action, death, or a handler that does not know it.
pub(crate) fn is_over(signum: c_int) -> bool {
    poke::is_over(signum, main_thread::is_current())
}

/// Pokes are for rsig's own calls; those of the program's that can be restarted are. Where there is no stub that could end rsig's,
/// EINTR has to.
pub(crate) fn disposition(level: usize) -> Disposition {
    let mut disposition = Disposition::with_handler(handler::address(Role::Handler, level));
    disposition.set_restart(stub::IS_RACE_FREE);
    disposition
}
