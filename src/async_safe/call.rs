//! The main thread's blocking system call, and how a delivery ends it.
//!
//! On the main thread itself, the stub's program counter is moved (see `stub`). A signal that landed on another thread
//! pokes the main thread, whose low-level handler then does the same. A handler that is not rsig's, interrupted inside the
//! stub's window and then by rsig's, is passed by a poke as well: blocked in that handler's own context, it arrives when
//! the kernel goes back to the stub. (musl does the same with its cancellation signal.)

use crate::async_safe::atomic::{
    AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use crate::async_safe::stub::{self, Position};
use crate::async_safe::{handler, poke};
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::{mask, thread};
use libc::{c_int, c_long, ucontext_t};

/// The kernel's id of the main thread while it is in a call, else 0.
static CALLER: AtomicI32 = AtomicI32::new(0);
/// The same thread as pthread_self() has it, so that a handler can tell without a system call whether it is its own.
static THREAD: AtomicUsize = AtomicUsize::new(0);
/// Whether the call has seen to it that a poke can reach it.
static REACHABLE: AtomicBool = AtomicBool::new(false);
/// What was blocked in the context that a handler interrupted, for a poke to arrive later.
static PUT_OFF: AtomicU64 = AtomicU64::new(0);
/// What that context had blocked before; of several, as a handler that waits by sigsuspend() can be interrupted again, what all had.
static CONTEXT_MASK: AtomicU64 = AtomicU64::new(0);
/// How often the call looked as if it had been left. A handler on a stack of its own can look so too, but will return before long;
/// a program that waits for something after it has left by siglongjmp() must not be poked for ever.
static LEFT: AtomicU32 = AtomicU32::new(0);
const ENOUGH: u32 = 8;

/// One system call of the main thread: the kernel's answer; or -EINTR without any effect, where a delivery has come after
/// `stub::allow` and before it begins. `is_reachable`: a poke's number is not blocked, and has rsig's handler.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn run(
    tid: c_int,
    is_reachable: bool,
    number: c_long,
    arguments: &[c_long; 6],
) -> c_long {
    // Relaxed, all: read by handlers that see CALLER, which is stored after them, and on this very thread.
    THREAD.store(thread::current() as usize, Ordering::Relaxed);
    REACHABLE.store(is_reachable, Ordering::Relaxed);
    PUT_OFF.store(0, Ordering::Relaxed);
    CONTEXT_MASK.store(rsig_sigset_t::MAX, Ordering::Relaxed);
    LEFT.store(0, Ordering::Relaxed);
    poke::receive();
    // SeqCst: our half of Dekker, as in `waker`: the stub's look must not pass it.
    CALLER.store(tid, Ordering::SeqCst);
    // SAFETY: the caller's promise.
    let result = unsafe { stub::call(number, arguments) };
    // Relaxed: a handler that still sees it sends a poke that finds nothing to do.
    CALLER.store(0, Ordering::Relaxed);
    // The call was not left, so no handler is interrupted any more, and what was put off for one has come.
    forget_put_off();
    result
}

/// The low-level handler's part, after the delivery is recorded.
pub(crate) fn end(signum: c_int, context: Option<&mut ucontext_t>) {
    // Before CALLER is read: one of the two sees the other.
    stub::interrupt();
    // SeqCst: the handler's half of Dekker. It includes the acquire for THREAD.
    let caller = CALLER.load(Ordering::SeqCst);
    if caller == 0 {
        return;
    }
    if is_own() { end_own(signum, caller, false, context) } else { poke::send(caller) }
}

/// The same for a poke, which ends nothing that another delivery would not.
/// A reminder is a delivery's own poke, or for a call that began although something was tripped.
pub(crate) fn end_poked(signum: c_int, is_reminder: bool, mut context: Option<&mut ucontext_t>) {
    if is_reminder {
        stub::interrupt();
    }
    if is_own() {
        poke::receive();
    }
    // One that was put off for an interrupted handler has come: it is blocked no more, but for a handler that has left by
    // siglongjmp() to a sigsuspend(), which blocks it again.
    let was_put_off = take_put_off(signum);
    if was_put_off
        && !(poke::is_held() && signum == poke::number())
        && let Some(context) = context.as_deref_mut()
    {
        let mask = sigset::from_posix(&context.uc_sigmask);
        sigset::write_posix(&mut context.uc_sigmask, mask & !sigset::one(signum));
    }
    // Acquire: for THREAD. On another thread it was meant for one that is gone, and must not go round.
    let caller = CALLER.load(Ordering::Acquire);
    if caller != 0 && is_own() && stub::is_interrupted() {
        end_own(signum, caller, was_put_off, context);
    }
}

/// Whether a delivery can be a poke that found the queue full, and lost its siginfo. If it is the program's own, it comes while
/// another one waits for the pump, and merges with that.
pub(crate) fn is_put_off(signum: c_int) -> bool {
    // Relaxed: for this very thread.
    PUT_OFF.load(Ordering::Relaxed) & sigset::one(signum) != 0 && is_own()
}

fn take_put_off(signum: c_int) -> bool {
    let bit = sigset::one(signum);
    // Relaxed: as above.
    is_own() && PUT_OFF.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}

/// Whether the call is the interrupted thread's.
fn is_own() -> bool {
    // Relaxed: see `run`.
    THREAD.load(Ordering::Relaxed) == thread::current() as usize
}

/// `too_early`: by a poke that was put off, and found the interrupted handler at work still.
fn end_own(signum: c_int, caller: c_int, too_early: bool, context: Option<&mut ucontext_t>) {
    match context {
        // Called by another party's handler without its context.
        None if stub::is_active() => poke_later(None, caller, too_early, None),
        None => {}
        Some(context) => match stub::leave(context) {
            // Relaxed: the main thread's own, handlers on it included.
            Position::Left if LEFT.fetch_add(1, Ordering::Relaxed) >= ENOUGH => {}
            // Not by a signal of the program's own, which ordinary code would find blocked.
            Position::Left => poke_later(None, caller, false, Some(context)),
            Position::Nested => poke_later(Some(signum), caller, too_early, Some(context)),
            _ => {}
        },
    }
}

/// `own` can be sent again, as it came from the kernel.
fn poke_later(
    own: Option<c_int>,
    caller: c_int,
    too_early: bool,
    context: Option<&mut ucontext_t>,
) {
    let blocked = match &context {
        Some(context) => sigset::from_posix(&context.uc_sigmask),
        None => mask::get().unwrap_or(0),
    };
    let poke = poke::number();
    // Relaxed: for this very thread.
    let is_reachable = REACHABLE.load(Ordering::Relaxed)
        || blocked & sigset::one(poke) == 0 && poke::is_installed();
    match own.filter(|&own| !is_reachable && handler::has(own)) {
        // Unless that handler has unblocked it, the stub has not blocked it either.
        Some(own) => {
            put_off(own, blocked, context);
            poke::send_own(caller, own);
        }
        None => {
            put_off(poke, blocked, context);
            if !(too_early && poke::send_later()) {
                poke::send(caller);
            }
        }
    }
}

/// Blocks it in the handler that was interrupted, which has `blocked`, and in this one until it returns.
fn put_off(signum: c_int, blocked: rsig_sigset_t, context: Option<&mut ucontext_t>) {
    let bit = sigset::one(signum);
    // Relaxed, both: for this very thread.
    PUT_OFF.fetch_or(bit, Ordering::Relaxed);
    CONTEXT_MASK.fetch_and(blocked, Ordering::Relaxed);
    if let Some(context) = context {
        sigset::write_posix(&mut context.uc_sigmask, blocked | bit);
    }
    let _ = mask::change(libc::SIG_BLOCK, bit);
}

/// The interrupted handler has left by siglongjmp(), stub and all.
fn abandon() {
    stub::abandon();
    // Relaxed: a handler that still sees it sends a poke that finds nothing to do.
    CALLER.store(0, Ordering::Relaxed);
}

/// What a call has left behind that never returned, as a handler that is not rsig's has left it by siglongjmp().
pub(crate) struct Abandoned {
    /// Was put off until that handler's end, and perhaps is blocked still.
    pub(crate) put_off: rsig_sigset_t,
    /// What the handler itself had blocked.
    pub(crate) context_mask: rsig_sigset_t,
}

/// Whether a call, on whichever thread, has left something behind, or is still on.
pub(crate) fn is_unsettled() -> bool {
    // Relaxed: for the main thread, and what it does not see is another's.
    CALLER.load(Ordering::Relaxed) != 0
        || PUT_OFF.load(Ordering::Relaxed) != 0
        || poke::is_anyone_held()
}

/// Asked by ordinary code, which the calling thread cannot run while it is in a call.
pub(crate) fn take_abandoned() -> Option<Abandoned> {
    // Relaxed: asked is only whether it was this very thread. A poke may have given the call up already.
    let left = CALLER.load(Ordering::Relaxed) != 0 || PUT_OFF.load(Ordering::Relaxed) != 0;
    let own = left && is_own();
    own.then(|| {
        abandon();
        // Relaxed: see `put_off`.
        Abandoned {
            put_off: PUT_OFF.load(Ordering::Relaxed),
            context_mask: CONTEXT_MASK.load(Ordering::Relaxed),
        }
    })
}

/// What was put off has come, or was taken back.
pub(crate) fn forget_put_off() {
    // Relaxed: see `put_off`.
    PUT_OFF.store(0, Ordering::Relaxed);
}

/// In a forked child, whose only thread has another id. It may have forked in a handler that interrupted its own call.
pub(crate) fn reset(tid: c_int) {
    // Relaxed, all: there is one thread.
    if is_own() && CALLER.load(Ordering::Relaxed) != 0 {
        CALLER.store(tid, Ordering::Relaxed);
    } else {
        abandon();
        forget_put_off();
        poke::set_held(false);
    }
}
