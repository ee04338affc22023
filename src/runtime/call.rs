//! Blocking system calls: one attempt without a race, and PEP 475's way to go on until there is a result.

use crate::async_safe::{call, pending, poke, stub};
use crate::runtime::error::Result;
use crate::runtime::{main_thread, pump, state};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use crate::sys::{errno, mask};
use libc::{c_int, c_long};
use nix::errno::Errno;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A system call's result, or its errno: a number, as the kernel can answer one that has no name.
pub(crate) type Answer = std::result::Result<c_long, c_int>;

/// One attempt. On the main thread it is EINTR, without any effect, where something is tripped before it begins, and no
/// handler runs; elsewhere it is the plain system call.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn once(number: c_long, arguments: &[c_long; 6]) -> Answer {
    if main_thread::is_current() {
        // SAFETY: the caller's promise.
        unsafe { attempt(number, arguments, pending::is_tripped) }
    } else {
        // SAFETY: the caller's promise.
        unsafe { plain(number, arguments) }
    }
}

/// One attempt of the main thread's, which a delivery ends that comes after `may_not_begin` was asked.
///
/// # Safety
/// The arguments are such as the system call allows.
unsafe fn attempt(number: c_long, arguments: &[c_long; 6], may_not_begin: fn() -> bool) -> Answer {
    let mut contended = false;
    loop {
        stub::allow();
        if may_not_begin() {
            return Err(libc::EINTR);
        }
        let reachable = Reachable::make(contended);
        // SAFETY: the caller's promise.
        let result = unsafe { call::run(main_thread::id(), number, arguments) };
        reachable.undo();
        contended = poke::take_contended();
        match result {
            INTERRUPTED if contended && !pending::is_tripped() => {}
            // The kernel's errors; no result is in this range.
            -4095..0 => return Err(result.wrapping_neg() as c_int),
            result => return Ok(result),
        }
    }
}

const INTERRUPTED: c_long = -(libc::EINTR as c_long);

/// rt_sigtimedwait(2) by `once`.
pub(crate) fn accept(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    wait::accept_by(set, timeout, |number, arguments| {
        // SAFETY: the arguments are those of the system call.
        unsafe { once(number, &arguments) }.map_err(Errno::from_raw)
    })
}

/// ppoll(2) for reading, by `once`.
pub(crate) fn readable(fd: c_int, timeout: Option<Duration>) -> std::result::Result<(), Errno> {
    wait::readable_by([fd], timeout, |number, arguments| {
        // SAFETY: the arguments are those of the system call.
        unsafe { once(number, &arguments) }.map_err(Errno::from_raw)
    })
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
) -> Result<Answer> {
    let mut stuck: u32 = 0;
    loop {
        pump::run_if_main()?;
        let tripped = main_thread::is_current() && pending::is_tripped();
        stuck = if tripped { stuck.saturating_add(1) } else { 0 };
        let answer = if stuck > 1 && !would_block() {
            // What they have made pending does not keep it from beginning; what comes now ends it.
            // SAFETY: the caller's promise.
            unsafe { attempt(number, arguments, || false) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { once(number, arguments) }
        };
        if answer != Err(libc::EINTR) {
            return Ok(answer);
        }
    }
}

/// # Safety
/// As for `once`.
pub(crate) unsafe fn plain(number: c_long, arguments: &[c_long; 6]) -> Answer {
    let [a, b, c, d, e, f] = *arguments;
    // SAFETY: the caller's promise.
    match unsafe { libc::syscall(number, a, b, c, d, e, f) } {
        -1 => Err(errno::get()),
        result => Ok(result),
    }
}

/// Takes back what a call has left behind that another party's handler has left by siglongjmp(). The main thread's.
pub(crate) fn clear_abandoned() {
    let abandoned = call::take_abandoned();
    let held = poke::is_held();
    if abandoned.is_none() && !held {
        return;
    }
    let poke = sigset::one(poke::number());
    if held {
        // Unless the program has had its own way with the mask since. Relaxed: the main thread's own.
        let before = BLOCKED.load(Ordering::Relaxed);
        let blocked = mask::get().unwrap_or(0) | poke;
        if blocked & before == before {
            // With a valid set this cannot fail.
            let _ = mask::change(libc::SIG_BLOCK, poke);
        }
        poke::set_held(false);
    } else if abandoned.is_some_and(|call| call.poke_blocked) {
        // As above.
        let _ = mask::change(libc::SIG_UNBLOCK, poke);
    }
    poke::drain(poke);
}

/// What the main thread had blocked before rsig unblocked its own number.
static BLOCKED: AtomicU64 = AtomicU64::new(0);

/// That a poke can reach the main thread: it has a number, and the thread does not block it.
struct Reachable {
    /// What to block again.
    unblocked: rsig_sigset_t,
}

impl Reachable {
    /// `contended`: the number that it has is one that the program is sent. Where there is no other, the call goes on without.
    fn make(contended: bool) -> Self {
        clear_abandoned();
        let blocked = mask::get().unwrap_or(0);
        let before = poke::number();
        if blocked & sigset::one(before) != 0 || !poke::is_installed() {
            state::lock().install_poke(blocked, contended);
        }
        poke::reserve(main_thread::id());
        let number = poke::number();
        let mut unblocked = blocked & sigset::one(number);
        if contended && number == before {
            unblocked = 0;
        }
        if unblocked != 0 {
            // Every number is. What the program itself is sent of this one meanwhile is held back by the handler.
            // Relaxed: the main thread's own.
            BLOCKED.store(blocked, Ordering::Relaxed);
            poke::set_held(true);
            let _ = mask::change(libc::SIG_UNBLOCK, unblocked);
        }
        Self { unblocked }
    }

    /// Not by a destructor: no frame of rsig's has one while a handler can throw.
    fn undo(self) {
        if self.unblocked != 0 {
            // With a valid set this cannot fail.
            let _ = mask::change(libc::SIG_BLOCK, self.unblocked);
            poke::set_held(false);
            poke::drain(self.unblocked);
        }
    }
}
