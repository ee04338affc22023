//! The signal with which rsig interrupts its own main thread: from another thread on which a signal landed, and past a
//! handler that is not rsig's.
//!
//! It is a real-time signal, as the kernel never merges two of those into one, and its handler is rsig's low-level one. A
//! poke is told from a delivery by its siginfo, so the program may use the same number through rsig; where it never did,
//! the number still has its default action, carried out by hand. Where the main thread blocks every number, rsig unblocks
//! this one for a call, and holds back what the program itself is sent of it meanwhile.

use crate::async_safe::atomic::{
    AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use crate::async_safe::{call, handler};
use crate::sys::action::{self, Disposition};
use crate::sys::siginfo::{Origin, SI_QUEUE, SI_TIMER, SI_TKILL};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::wait::{self, Accepted};
use crate::sys::{process, thread, thread_timer};
use libc::{c_int, siginfo_t, ucontext_t};
use std::time::Duration;

/// Its number, 0 while rsig has none.
static NUMBER: AtomicI32 = AtomicI32::new(0);
/// The numbers that are or were it.
static EVER: AtomicU64 = AtomicU64::new(0);
/// Those of them that the program has made nothing of, or ignores. What it handles is in neither.
static DEFAULT: AtomicU64 = AtomicU64::new(0);
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// The thread for which rsig has unblocked the number, as pthread_self() has it, else 0.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// The timer that pokes the main thread where the kernel's queue is full, -1 while there is none.
static TIMER: AtomicI32 = AtomicI32::new(-1);
/// Whether the number is one that the program is sent while rsig has unblocked it.
static CONTENDED: AtomicBool = AtomicBool::new(false);
/// The thread to which one was sent, or is about to be, that has not come yet; 0: none.
static ON_ITS_WAY: AtomicI32 = AtomicI32::new(0);
/// Whether the timer is to fire a moment from now.
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether that is to remind the main thread's call.
static REMINDING: AtomicBool = AtomicBool::new(false);
/// How many were queued, and how many of those have come. An end of the thread can make the difference stay.
static SENT: AtomicU32 = AtomicU32::new(0);
static RECEIVED: AtomicU32 = AtomicU32::new(0);
/// Whether the timer has fired, which can be for nothing.
static TIMED: AtomicBool = AtomicBool::new(false);
/// Whether another thread was the main one before.
static MOVED: AtomicBool = AtomicBool::new(false);
/// So late that a handler which waits for something is not poked all the time.
const MOMENT: Duration = Duration::from_millis(1);
/// How many handlers may be about to send one.
static SENDERS: AtomicU32 = AtomicU32::new(0);

/// What the program has made of a number that is a poke's.
pub(crate) enum Use {
    Default,
    Ignored,
    Handled,
}

pub(crate) fn number() -> c_int {
    // SeqCst: not before a sender has counted itself, see `send`.
    NUMBER.load(Ordering::SeqCst)
}

/// From now on pokes have this number, whose low-level handler is installed; 0: there are none.
pub(crate) fn set_number(signum: c_int) {
    release();
    // Relaxed: the main thread's own.
    EVER.fetch_or(sigset::one(signum), Ordering::Relaxed);
    // SeqCst: not after the load in `is_idle`.
    NUMBER.store(signum, Ordering::SeqCst);
}

/// Whether a poke of this number can be on its way.
pub(crate) fn was_number(signum: c_int) -> bool {
    // Relaxed: as above.
    EVER.load(Ordering::Relaxed) & sigset::one(signum) != 0
}

/// None is, and rsig's handler need not stay.
pub(crate) fn forget_number(signum: c_int) {
    // Relaxed: as above.
    EVER.fetch_and(!sigset::one(signum), Ordering::Relaxed);
    set_use(signum, Use::Handled);
}

/// Whether a number is or was a poke's and rsig's handler must stay there.
pub(crate) fn is_taken(signum: c_int) -> bool {
    let bit = sigset::one(signum);
    // Relaxed: the bits are all there is to see; see `set_use`.
    (DEFAULT.load(Ordering::Relaxed) | IGNORED.load(Ordering::Relaxed)) & bit != 0
        || (signum != 0 && signum == number())
}

pub(crate) fn set_use(signum: c_int, of_the_program: Use) {
    let set = |place: &AtomicU64, on: bool| {
        // Relaxed: as in `is_taken`.
        if on {
            place.fetch_or(sigset::one(signum), Ordering::Relaxed);
        } else {
            place.fetch_and(!sigset::one(signum), Ordering::Relaxed);
        }
    };
    set(&DEFAULT, matches!(of_the_program, Use::Default));
    set(&IGNORED, matches!(of_the_program, Use::Ignored));
}

/// Whether rsig's handler is still there: the program may have taken the number for itself behind rsig's back.
pub(crate) fn is_installed() -> bool {
    handler::has(number())
}

/// After `set_number`: whether nobody is about to send one of the number before.
fn is_idle() -> bool {
    // SeqCst: a sender that counts itself after this sees the number 0.
    SENDERS.load(Ordering::SeqCst) == 0
}

/// Sets the place of one poke for the main thread aside in the kernel's queue, unless that is done. Where it fails, the
/// next call tries again.
pub(crate) fn reserve(tid: c_int) {
    // Relaxed: the main thread's own, but for handlers, to which the number is all there is.
    if TIMER.load(Ordering::Relaxed) < 0
        && let Ok(timer) = thread_timer::create(tid, number(), mark())
    {
        TIMER.store(timer, Ordering::Relaxed);
    }
}

/// When the number is another. A handler that still fires the timer does nothing.
fn release() {
    // Relaxed: as above.
    let timer = TIMER.swap(-1, Ordering::Relaxed);
    if timer >= 0 {
        thread_timer::delete(timer);
    }
}

/// When another thread than before is the main one.
pub(crate) fn leave_thread() {
    release();
    // Relaxed: with the lock.
    MOVED.store(true, Ordering::Relaxed);
}

/// Whether one may wait, blocked. The kernel's own lock, which every change of the mask takes, has ordered this after a count of
/// one that is there.
fn may_wait() -> bool {
    // Relaxed, all: see above; one that comes just now is seen or not.
    TIMED.load(Ordering::Relaxed)
        || SENT.load(Ordering::Relaxed) != RECEIVED.load(Ordering::Relaxed)
}

/// Whether no poke of this number is on its way any more, nor waits, blocked. Asked with the lock, when pokes have another number.
pub(crate) fn is_over(signum: c_int, is_main: bool) -> bool {
    // Relaxed: with the lock. What waits on a thread that was the main one before, no `drain` finds.
    let is_here = is_main && !MOVED.load(Ordering::Relaxed);
    is_idle() && (!may_wait() || is_here && drain(sigset::one(signum)))
}

/// One has been taken from the kernel, whatever it is for.
pub(crate) fn count(origin: &Origin) {
    if origin.code == SI_QUEUE && origin.value_ptr == mark() {
        // Relaxed: the number is all there is to see.
        RECEIVED.fetch_add(1, Ordering::Relaxed);
    }
}

/// In a forked child, where neither the parent's other threads nor its timers exist.
pub(crate) fn reset() {
    // Relaxed: there is one thread.
    SENDERS.store(0, Ordering::Relaxed);
    TIMER.store(-1, Ordering::Relaxed);
    CONTENDED.store(false, Ordering::Relaxed);
    ON_ITS_WAY.store(0, Ordering::Relaxed);
    REMINDING.store(false, Ordering::Relaxed);
    ARMED.store(false, Ordering::Relaxed);
    MOVED.store(false, Ordering::Relaxed);
    TIMED.store(false, Ordering::Relaxed);
    SENT.store(0, Ordering::Relaxed);
    RECEIVED.store(0, Ordering::Relaxed);
}

/// Pokes the main thread, unless one is on its way: a slow main thread must not find its queue, which is the user's, full of them. A
/// sender can be slow too, or never come back (a foreign handler that interrupted it can siglongjmp out), so while any is at
/// it the others send as well.
pub(crate) fn send(tid: c_int) {
    // SeqCst: counted before the number is read, so that `is_idle` speaks the truth, and before ON_ITS_WAY is set: who finds it
    // set by a sender that has not sent finds that one counted.
    SENDERS.fetch_add(1, Ordering::SeqCst);
    // SeqCst, both: after the call was told to end, so that the poke which clears this finds that.
    let is_needed =
        ON_ITS_WAY.swap(tid, Ordering::SeqCst) != tid || SENDERS.load(Ordering::SeqCst) != 1;
    if is_needed && !queue(tid, number()) {
        // Relaxed: the next one tries again.
        ON_ITS_WAY.store(0, Ordering::Relaxed);
    }
    // Release: sent before the disposition may be changed. A fork in a handler that interrupted this one has set the
    // number to 0 in the child, and it must not wrap.
    let _ = SENDERS.fetch_update(Ordering::Release, Ordering::Relaxed, |n| n.checked_sub(1));
}

/// The number was read once: the kernel takes 0 too, and what it was counted for would never come.
fn queue(tid: c_int, number: c_int) -> bool {
    const AT_ONCE: Duration = Duration::from_nanos(1);
    // The program may have taken it for itself behind rsig's back.
    if !handler::has(number) {
        return false;
    }
    // Before it can come. Relaxed: see `count`.
    SENT.fetch_add(1, Ordering::Relaxed);
    if thread::queue(tid, number, mark()).is_ok() {
        return true;
    }
    // That fails only where the queue of signals is full.
    let _ = SENT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| sent.checked_sub(1));
    fire(AT_ONCE)
}

fn fire(delay: Duration) -> bool {
    // Relaxed, both: see `may_wait` and `reserve`.
    TIMED.store(true, Ordering::Relaxed);
    thread_timer::fire(TIMER.load(Ordering::Relaxed), delay).is_ok()
}

/// Sends the main thread, which this is, the signal that it is just handling, with the sign of a poke.
pub(crate) fn send_own(tid: c_int, signum: c_int) {
    // It fails only where the queue of signals is full. kill(2) needs no place there, and in a process with one thread it is
    // for this one.
    if thread::queue(tid, signum, own_mark()).is_err() && thread::is_alone() {
        let _ = thread::kill_own_process(signum);
    }
}

/// Pokes the calling thread, which is the main one, a moment from now; false where it has no timer.
pub(crate) fn send_later() -> bool {
    // Relaxed: the main thread's own.
    ARMED.store(true, Ordering::Relaxed);
    fire(MOMENT)
}

/// Whether it has a number and a timer.
pub(crate) fn is_ready() -> bool {
    // Relaxed: see `reserve`.
    number() != 0 && TIMER.load(Ordering::Relaxed) >= 0
}

/// One has come; or a call begins, for which none is on its way that counts.
pub(crate) fn receive() {
    // A swap, which sees what the sender did that relied on this poke: told the call to end. AcqRel: for that.
    ON_ITS_WAY.swap(0, Ordering::AcqRel);
}

/// What becomes of a delivery.
pub(crate) enum Meaning {
    Poke,
    Delivery,
    /// It is as if the thread still blocked it.
    Held,
    /// The default action.
    Death,
    Nothing,
}

/// Carries out the default action when the low-level handler returns: until then the signal is blocked. There is none for a
/// process that is the first of its container.
pub(crate) fn die(signum: c_int, context: &mut ucontext_t) {
    if process::is_first() {
        return;
    }
    let mask = sigset::from_posix(&context.uc_sigmask);
    sigset::write_posix(&mut context.uc_sigmask, mask & !sigset::one(signum));
    let _ = action::set(signum, &Disposition::plain(libc::SIG_DFL));
    let _ = thread::raise(signum);
}

/// The low-level handler's question. A delivery that the program knows nothing of has the default action: death.
pub(crate) fn meaning(signum: c_int, origin: &Origin) -> Meaning {
    let bit = sigset::one(signum);
    if is_poke(origin) || origin.is_unknown() && call::is_put_off(signum) {
        Meaning::Poke
    } else if signum == number() && is_held() {
        Meaning::Held
    // Relaxed: see `set_use`.
    } else if IGNORED.load(Ordering::Relaxed) & bit != 0 {
        Meaning::Nothing
    } else if DEFAULT.load(Ordering::Relaxed) & bit != 0 {
        Meaning::Death
    } else {
        Meaning::Delivery
    }
}

/// A payload that nobody else sends by chance: an address of this copy of the library.
fn mark() -> u64 {
    (&raw const NUMBER) as u64
}

/// Of one that the main thread has sent itself, which may merge with another signal.
fn own_mark() -> u64 {
    (&raw const TIMER) as u64
}

pub(crate) fn is_poke(origin: &Origin) -> bool {
    matches!(origin.code, SI_QUEUE | SI_TIMER)
        && (origin.value_ptr == mark() || origin.value_ptr == own_mark())
}

/// Says that rsig has unblocked the number for the calling thread, or that it has blocked it again.
pub(crate) fn set_held(held: bool) {
    // Relaxed: read by handlers on this very thread; on another it differs from their own.
    HELD.store(if held { thread::current() as usize } else { 0 }, Ordering::Relaxed);
}

pub(crate) fn is_held() -> bool {
    // Relaxed: see `set_held`.
    HELD.load(Ordering::Relaxed) == thread::current() as usize
}

pub(crate) fn is_anyone_held() -> bool {
    // Relaxed: as above.
    HELD.load(Ordering::Relaxed) != 0
}

/// Makes a delivery pending again, blocked in the context that it has interrupted. Pokes are held back with it, so the call must
/// end, and begin anew with another number.
pub(crate) fn hold_back(signum: c_int, info: &siginfo_t, context: &mut ucontext_t) {
    // Relaxed: for this very thread.
    CONTENDED.store(true, Ordering::Relaxed);
    let mask = sigset::from_posix(&context.uc_sigmask);
    sigset::write_posix(&mut context.uc_sigmask, mask | sigset::one(signum));
    put_back(signum, info);
}

/// Pokes the main thread a moment from now, by its timer; false where it has none.
pub(crate) fn remind() -> bool {
    // Relaxed, all here: for the main thread's own handlers; for TIMER see `reserve`.
    REMINDING.store(true, Ordering::Relaxed);
    let is_set = send_later();
    REMINDING.store(is_set, Ordering::Relaxed);
    is_set
}

/// Not any more.
pub(crate) fn forget() {
    // Relaxed, all: the main thread's own, handlers on it included.
    REMINDING.store(false, Ordering::Relaxed);
    if ARMED.swap(false, Ordering::Relaxed) {
        let _ = thread_timer::fire(TIMER.load(Ordering::Relaxed), Duration::ZERO);
    }
}

/// Whether a poke is one that `remind` has asked for.
pub(crate) fn is_reminder(origin: &Origin) -> bool {
    // Relaxed: as in `forget`; asked on the main thread, for which alone a timer's poke is.
    origin.code == SI_TIMER && REMINDING.load(Ordering::Relaxed)
}

/// Whether something was held back since the last time.
pub(crate) fn take_contended() -> bool {
    // Relaxed: see `hold_back`.
    CONTENDED.swap(false, Ordering::Relaxed)
}

/// For the whole process where that is allowed and it was not sent to this thread alone, so that one which waits for it gets it.
fn put_back(signum: c_int, info: &siginfo_t) {
    let for_this_thread = info.si_code == SI_TKILL;
    if (for_this_thread || thread::queue_info_for_process(signum, info).is_err())
        && thread::queue_info(thread::id(), signum, info).is_err()
    {
        // The queue is full; this alone needs no place in it. The payload is lost, and beside others of a real-time signal the
        // number is, too.
        let _ = thread::kill_own_process(signum);
    }
}

/// After the number has been blocked again: takes out of the kernel's queue what has come too late, if anything can have.
pub(crate) fn drain_late(number: rsig_sigset_t) {
    if may_wait() {
        drain(number);
    }
}

/// Takes pokes out of the kernel's queue. What else is there goes back, in its order. Whether none is left for sure.
pub(crate) fn drain(set: rsig_sigset_t) -> bool {
    next_other(set).is_none_or(|first| drain_beside(set, first))
}

/// Makes one pending again that was accepted, before the others of its number as far as there is room to keep those.
pub(crate) fn put_back_first(accepted: Accepted) {
    drain_beside(sigset::one(accepted.signum()), accepted);
}

/// Where the program's own signals are pending too; `first` was taken already.
#[cold]
fn drain_beside(set: rsig_sigset_t, first: Accepted) -> bool {
    let mut kept = [const { None }; 32];
    let mut next = Some(first);
    for place in &mut kept {
        if next.is_none() {
            break;
        }
        *place = next;
        next = next_other(set);
    }
    for other in kept.iter().flatten().chain(&next) {
        put_back(other.signum(), other.info());
    }
    next.is_none()
}

/// What is pending and no poke.
fn next_other(set: rsig_sigset_t) -> Option<Accepted> {
    loop {
        let accepted = wait::accept(set, Some(Duration::ZERO)).ok()?;
        let origin = accepted.origin();
        if !is_poke(&origin) {
            return Some(accepted);
        }
        count(&origin);
    }
}
