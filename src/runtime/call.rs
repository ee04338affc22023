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
        // SAFETY: the caller's promise.
        return unsafe { plain(number, arguments) };
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
/// is the error, and its errno is EINTR. Handlers that make themselves pending again cannot keep a call from its result that
/// `would_block` says is there.
///
/// # Safety
/// The arguments are such as the system call allows, more than once.
pub(crate) unsafe fn retried(
    number: c_long,
    arguments: &[c_long; 6],
    would_block: impl Fn() -> bool,
) -> Result<std::result::Result<c_long, Errno>> {
    let mut passes: u32 = 0;
    loop {
        if pump::run_if_main()? > 0 {
            passes = passes.saturating_add(1);
        }
        // SAFETY: the caller's promise.
        match unsafe { once(number, arguments) } {
            Err(Errno::EINTR) if passes > 1 && !would_block() => {
                // SAFETY: as above.
                match unsafe { plain(number, arguments) } {
                    Err(Errno::EINTR) => {}
                    result => return Ok(result),
                }
            }
            Err(Errno::EINTR) => {}
            result => return Ok(result),
        }
    }
}

/// # Safety
/// As for `once`.
pub(crate) unsafe fn plain(
    number: c_long,
    arguments: &[c_long; 6],
) -> std::result::Result<c_long, Errno> {
    let [a, b, c, d, e, f] = *arguments;
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::syscall(number, a, b, c, d, e, f) })
}

/// Takes back what a call has left behind that another party's handler has left by siglongjmp(). The main thread's.
pub(crate) fn clear_abandoned() {
    let abandoned = call::take_abandoned();
    let held = poke::is_held();
    if abandoned.is_none() && !held {
        return;
    }
    if abandoned.is_some_and(|call| call.poke_blocked) && !held {
        // With a valid set this cannot fail.
        let _ = mask::change(libc::SIG_UNBLOCK, sigset::one(poke::number()));
    }
    poke::set_held(false);
    poke::drain();
}

/// That a poke can reach the main thread: it has a number, and the thread does not block it.
struct Reachable {
    blocked_before: bool,
}

impl Reachable {
    fn make() -> Self {
        clear_abandoned();
        let blocked = mask::get().unwrap_or(0);
        if blocked & sigset::one(poke::number()) != 0 || !poke::is_installed() {
            state::lock().install_poke(blocked);
        }
        poke::reserve(main_thread::id());
        let poke = sigset::one(poke::number());
        let blocked_before = blocked & poke != 0;
        if blocked_before {
            // Every number is. What the program itself is sent of this one meanwhile is held back by the handler.
            poke::set_held(true);
            let _ = mask::change(libc::SIG_UNBLOCK, poke);
        }
        Self { blocked_before }
    }

    /// Not by a destructor: no frame of rsig's has one while a handler can throw.
    fn undo(self) {
        if self.blocked_before {
            // As above.
            let _ = mask::change(libc::SIG_BLOCK, sigset::one(poke::number()));
            poke::set_held(false);
            poke::drain();
        }
    }
}
