//! Blocking system calls: one attempt without a race, and PEP 475's way to go on until there is a result.

use crate::async_safe::{call, poke};
use crate::runtime::error::Result;
use crate::runtime::{main_thread, pump, state};
use crate::sys::mask;
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use libc::{c_int, c_long};
use nix::errno::Errno;
use std::time::Duration;

/// One attempt. On the main thread it is EINTR, without any effect, where something is tripped before it begins, and no
/// handler runs; elsewhere it is the plain system call.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn once(
    number: c_long,
    arguments: &[c_long; 6],
) -> std::result::Result<c_long, Errno> {
    if !main_thread::is_current() {
        let [a, b, c, d, e, f] = *arguments;
        // SAFETY: the caller's promise.
        return Errno::result(unsafe { libc::syscall(number, a, b, c, d, e, f) });
    }
    let reachable = Reachable::make();
    // SAFETY: the caller's promise.
    let result = unsafe { call::run(main_thread::id(), number, arguments) };
    reachable.undo();
    match result {
        // The kernel's errors; no result is in this range.
        -4095..0 => Err(Errno::from_raw(result.wrapping_neg() as c_int)),
        result => Ok(result),
    }
}

/// rt_sigtimedwait(2) by `once`.
pub(crate) fn accept(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    // SAFETY: the arguments are those of the system call.
    wait::accept_by(set, timeout, |number, arguments| unsafe { once(number, &arguments) })
}

/// Until there is a result that is not EINTR. On the main thread pending handlers run before each attempt; one that refuses
/// is the error, and its errno is EINTR.
///
/// # Safety
/// The arguments are such as the system call allows, more than once.
pub(crate) unsafe fn retried(
    number: c_long,
    arguments: &[c_long; 6],
) -> Result<std::result::Result<c_long, Errno>> {
    loop {
        pump::run_if_main()?;
        // SAFETY: the caller's promise.
        match unsafe { once(number, arguments) } {
            Err(Errno::EINTR) => {}
            result => return Ok(result),
        }
    }
}

/// That a poke can reach the main thread: it has a number, and the thread does not block it.
struct Reachable {
    blocked_before: bool,
}

impl Reachable {
    fn make() -> Self {
        if poke::number() == 0 {
            state::lock().install_poke();
        }
        let poke = sigset::one(poke::number());
        let blocked = mask::get().is_ok_and(|blocked| blocked & poke != 0);
        if blocked {
            // With a mask that was just read this cannot fail.
            let _ = mask::change(libc::SIG_UNBLOCK, poke);
        }
        // Where rsig has blocked it, it stays unblocked.
        Self { blocked_before: blocked && !call::take_poke_blocked() }
    }

    /// Not by a destructor: no frame of rsig's has one while a handler can throw.
    fn undo(self) {
        if self.blocked_before {
            // As above.
            let _ = mask::change(libc::SIG_BLOCK, sigset::one(poke::number()));
        }
    }
}
