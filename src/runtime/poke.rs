//! Which number the pokes have, and what becomes of it otherwise.

use crate::async_safe::handler::{self, Role};
use crate::async_safe::poke::{self, Use};
use crate::async_safe::stub;
use crate::runtime::handler::{Handler, rsig_action_t};
use crate::runtime::state::State;
use crate::sys::action::{self, Disposition};
use crate::sys::mask;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::c_int;

impl State {
    /// Takes the highest real-time signal that nobody uses for pokes, or else one that has rsig's handler; one that is blocked, and
    /// so waits for somebody's sigwait(), only where there is no other. Then the one there is stays, unless it is `contended`.
    /// Without one, signals that land on other threads do not interrupt the main thread's system call.
    pub(crate) fn install_poke(&mut self, blocked: rsig_sigset_t, contended: bool) {
        let numbers = || (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
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
            || quiet().any(|signum| self.share_heard(signum));
    }

    /// Where nobody uses it.
    fn take_free(&mut self, signum: c_int) -> bool {
        let free = action::get(signum).ok().filter(|now| {
            now.handler() == libc::SIG_DFL
                || handler::has_role(now, Role::Handler) && poke::is_left_over(signum)
        });
        let is_taken =
            free.is_some_and(|found| self.take_unused(signum, &found, disposition).is_ok());
        if is_taken {
            poke::set_use(signum, Use::Default);
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
        _ if !handler::has_role(new, Role::Handler) => {
            if signum == poke::number() {
                poke::set_number(0);
            }
            Use::Handled
        }
        Handler::Function(_) => Use::Handled,
        Handler::Ignore => Use::Ignored,
        _ => Use::Default,
    };
    poke::set_use(signum, of_the_program);
}

/// Pokes are for rsig's own calls; those of the program's that can be restarted are. Where there is no stub that could end rsig's,
/// EINTR has to.
pub(crate) fn disposition(level: usize) -> Disposition {
    let mut disposition = Disposition::with_handler(handler::address(Role::Handler, level));
    disposition.set_restart(stub::IS_RACE_FREE);
    disposition
}
