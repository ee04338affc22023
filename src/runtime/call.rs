//! Blocking system calls: one attempt without a race, and PEP 475's way to go on until there is a result.

use crate::async_safe::{call, channel, pending, poke, stub};
use crate::runtime::error::Result;
use crate::runtime::{aside, main_thread, pump, state, told};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use crate::sys::{errno, eventfd, mask, process, signalfd, signals, system_call, thread};
use libc::{c_int, c_long};
use nix::errno::Errno;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
        unsafe { attempt(number, arguments, false) }
    } else {
        // SAFETY: the caller's promise.
        unsafe { plain(number, arguments) }
    }
}

/// One attempt of the main thread's, which a delivery ends; `begins_tripped`: also one for which something is tripped before. That
/// one is reminded of it soon, and then is EINTR as well.
///
/// # Safety
/// The arguments are such as the system call allows.
unsafe fn attempt(number: c_long, arguments: &[c_long; 6], begins_tripped: bool) -> Answer {
    stub::allow();
    if !begins_tripped && pending::is_tripped() {
        return Err(libc::EINTR);
    }
    clear_abandoned();
    // Relaxed: the main thread's own.
    UNSETTLED.store(true, Ordering::Relaxed);
    let is_alone = is_alone() && !begins_tripped;
    let reachable = if is_alone { Reachable::UNASKED } else { Reachable::make() };
    if begins_tripped && !poke::remind() {
        reachable.undo();
        return Err(libc::EINTR);
    }
    // SAFETY: the caller's promise.
    let result = unsafe { call::run(main_thread::id(), reachable.is_reachable, number, arguments) };
    poke::forget();
    reachable.undo();
    note_unsettled();
    match result {
        // The kernel's errors; no result is in this range.
        -4095..0 => Err(result.wrapping_neg() as c_int),
        result => Ok(result),
    }
}

/// Whether an attempt is its own system call and no other.
pub(crate) fn is_one_system_call() -> bool {
    stub::IS_RACE_FREE && is_alone()
}

/// Whether the main thread is for sure the only one, and all is there for the poke that it may need itself.
fn is_alone() -> bool {
    thread::is_alone() && is_ready()
}

/// rt_sigtimedwait(2) by `once`.
pub(crate) fn accept(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    if !stub::IS_RACE_FREE {
        return accept_by_poll(set, timeout);
    }
    wait::accept_by(set, timeout, |number, arguments| {
        // SAFETY: the arguments are those of the system call.
        unsafe { once(number, &arguments) }.map_err(Errno::from_raw)
    })
}

/// The same where only ppoll(2) has no race.
fn accept_by_poll(
    set: rsig_sigset_t,
    timeout: Option<Duration>,
) -> std::result::Result<Accepted, Errno> {
    let before = mask::change(libc::SIG_BLOCK, set)?;
    let result = signalfd::open(set).and_then(|fd| {
        let ready = readable([fd], timeout);
        eventfd::close(fd);
        match ready {
            Ok(false) => Err(Errno::EAGAIN),
            // Another thread may have been faster.
            Ok(true) => wait::accept(set, Some(Duration::ZERO)).map_err(|_| Errno::EINTR),
            Err(errno) => Err(errno),
        }
    });
    // With a mask that was just read this cannot fail.
    let _ = mask::change(libc::SIG_SETMASK, before);
    result
}

/// ppoll(2) for reading, by `once`: whether one is readable.
pub(crate) fn readable<const N: usize>(
    fds: [c_int; N],
    timeout: Option<Duration>,
) -> std::result::Result<bool, Errno> {
    wait::readable_by(fds, timeout, |number, arguments| {
        // SAFETY: the arguments are those of the system call.
        unsafe { once(number, &arguments) }.map_err(Errno::from_raw)
    })
}

/// Until there is a result that is not EINTR, as `Rounds` has it, unless that would be for ever.
///
/// # Safety
/// The arguments are such as the system call allows, more than once.
pub(crate) unsafe fn retried(number: c_long, arguments: &[c_long; 6]) -> Result<Answer> {
    let mut rounds = Rounds::default();
    loop {
        // SAFETY: the caller's promise.
        match unsafe { rounds.next(number, || *arguments) }? {
            Err(libc::EINTR) if !is_refused(number, arguments) => {}
            answer => return Ok(answer),
        }
    }
}

/// Whether the kernel refuses the call to a background job by a signal of which only channels hear: it would again, for ever.
#[cold]
fn is_refused(number: c_long, arguments: &[c_long; 6]) -> bool {
    let signum = match number {
        system_call::SYS_read => libc::SIGTTIN,
        system_call::SYS_write => libc::SIGTTOU,
        _ => return false,
    };
    let has_function = || told::now(signum).is_some_and(|action| action.is_function());
    channel::is_heard(signum)
        && !has_function()
        && process::is_in_background(arguments.first().map_or(-1, |&fd| fd as c_int))
}

/// Attempts at one call. On the main thread pending handlers run before each; one that refuses is the error, and its errno is
/// EINTR. Handlers that make themselves pending again cannot keep the call from its result.
#[derive(Default)]
pub(crate) struct Rounds {
    /// How often in a row the handlers have left something tripped.
    stuck: u32,
}

impl Rounds {
    /// # Safety
    /// The arguments, asked for after the handlers have run, are such as the system call allows.
    pub(crate) unsafe fn next(
        &mut self,
        number: c_long,
        arguments: impl FnOnce() -> [c_long; 6],
    ) -> Result<Answer> {
        pump::run_if_main()?;
        let tripped = main_thread::is_current() && pending::is_tripped();
        self.stuck = if tripped { self.stuck.saturating_add(1) } else { 0 };
        let arguments = arguments();
        // SAFETY: the caller's promise.
        Ok(unsafe {
            if self.stuck > 1 {
                attempt(number, &arguments, true)
            } else {
                once(number, &arguments)
            }
        })
    }
}

/// # Safety
/// As for `once`.
pub(crate) unsafe fn plain(number: c_long, arguments: &[c_long; 6]) -> Answer {
    // SAFETY: the caller's promise.
    match unsafe { system_call::make(number, arguments) } {
        -1 => Err(errno::get()),
        result => Ok(result),
    }
}

/// Whether a call has left something behind, as far as the main thread knows.
static UNSETTLED: AtomicBool = AtomicBool::new(false);

/// Whether there can be something for `clear_abandoned`.
pub(crate) fn is_unsettled() -> bool {
    // Relaxed: the main thread's own.
    UNSETTLED.load(Ordering::Relaxed)
}

pub(crate) fn note_unsettled() {
    // Relaxed: as above.
    UNSETTLED.store(call::is_unsettled() || aside::is_own(), Ordering::Relaxed);
}

/// Takes back what a call has left behind that another party's handler has left by siglongjmp(), or a handler in any way. The main
/// thread's.
pub(crate) fn clear_abandoned() {
    if is_unsettled() {
        take_back();
        // Only now: a plain handler may leave this as well.
        note_unsettled();
    }
}

fn take_back() {
    put_back_aside();
    poke::forget();
    let abandoned = call::take_abandoned();
    let blocked = |set| mask::get().is_ok_and(|blocked| blocked & set == set);
    let poke = sigset::one(poke::number());
    let held = poke::is_held();
    if held {
        // Unless the program has had its own way with the mask since. Relaxed: the main thread's own.
        if blocked(BLOCKED.load(Ordering::Relaxed) & !poke) {
            // With a valid set this cannot fail.
            let _ = mask::change(libc::SIG_BLOCK, poke);
        }
        poke::set_held(false);
        poke::drain_late(poke);
    }
    if let Some(call::Abandoned { put_off, context_mask }) = abandoned {
        // It may stay blocked, and that by rsig.
        forget_mask();
        poke::drain(put_off | poke);
        if blocked(context_mask) {
            // As above.
            let _ = mask::change(libc::SIG_UNBLOCK, if held { put_off & !poke } else { put_off });
        }
        call::forget_put_off();
    }
}

/// On whichever thread: it may have been the main one when it set something aside.
pub(crate) fn put_back_aside() {
    if let Some(accepted) = aside::take_own() {
        poke::put_back_first(accepted);
    }
}

/// What the thread that was the main one before has left at its end.
pub(crate) fn put_back_left() {
    if let Some(left) = aside::take_left() {
        poke::put_back_first(left);
    }
}

/// With all signals blocked, so that no plain handler can leave by siglongjmp() while the lock is held.
fn install_poke(blocked: rsig_sigset_t, contended: bool) {
    let all = mask::change(libc::SIG_BLOCK, rsig_sigset_t::MAX);
    state::lock().install_poke(blocked, contended);
    if all.is_ok() {
        // With a mask that was just read this cannot fail.
        let _ = mask::change(libc::SIG_SETMASK, blocked);
    }
}

/// Whether the main thread has not blocked its number, as far as is known.
static UNBLOCKED: AtomicBool = AtomicBool::new(false);

/// Whether all is there that a poke needs, so that a thread that is alone need not look whether it is still so.
fn is_ready() -> bool {
    // Relaxed, here and below: the main thread's own.
    UNBLOCKED.load(Ordering::Relaxed) && poke::is_ready()
}

/// When the main thread's mask has changed, or may have, by rsig.
pub(crate) fn forget_mask() {
    UNBLOCKED.store(false, Ordering::Relaxed);
}

/// What the main thread blocked when no number could be found that it does not block, else 0.
static VAIN: AtomicU64 = AtomicU64::new(0);
/// What the main thread had blocked before rsig unblocked its own number.
static BLOCKED: AtomicU64 = AtomicU64::new(0);

/// That a poke can reach the main thread: it has a number, and the thread does not block it.
struct Reachable {
    /// Whether it can.
    is_reachable: bool,
    /// What to block again.
    unblocked: rsig_sigset_t,
}

impl Reachable {
    /// Where no other thread is there to poke the main one, which can poke itself as far as is known.
    const UNASKED: Self = Self { is_reachable: true, unblocked: 0 };

    fn make() -> Self {
        // The number that it has is one that the program is sent. Where there is no other, the call goes on without.
        let contended = poke::take_contended();
        let blocked = mask::get().unwrap_or(0);
        let before = poke::number();
        // Relaxed, here and below: the main thread's own.
        let is_better = blocked & sigset::one(before) != 0
            && !blocked & signals::all_real_time() != 0
            && VAIN.load(Ordering::Relaxed) != blocked;
        if before == 0 || contended || is_better || !poke::is_installed() {
            install_poke(blocked, contended);
            let is_vain = blocked & sigset::one(poke::number()) != 0;
            VAIN.store(if is_vain { blocked } else { 0 }, Ordering::Relaxed);
        }
        poke::reserve(main_thread::id());
        let number = poke::number();
        let mut unblocked = blocked & sigset::one(number);
        UNBLOCKED.store(unblocked == 0, Ordering::Relaxed);
        if contended && number == before {
            unblocked = 0;
        }
        if unblocked != 0 {
            // Every number is. What the program itself is sent of this one meanwhile is held back by the handler.
            BLOCKED.store(blocked, Ordering::Relaxed);
            poke::set_held(true);
            let _ = mask::change(libc::SIG_UNBLOCK, unblocked);
        }
        let is_blocked = blocked & sigset::one(number) != unblocked;
        Self { is_reachable: number != 0 && !is_blocked, unblocked }
    }

    /// Not by a destructor: no frame of rsig's has one while a handler can throw.
    fn undo(self) {
        if self.unblocked != 0 {
            // With a valid set this cannot fail.
            let _ = mask::change(libc::SIG_BLOCK, self.unblocked);
            poke::set_held(false);
            poke::drain_late(self.unblocked);
        }
    }
}
