//! The main thread's blocking system call, and how a delivery ends it.
//!
//! On the main thread itself, the stub's program counter is moved (see `stub`). A signal that landed on another thread
//! pokes the main thread, whose low-level handler then does the same. A handler that is not rsig's, interrupted inside the
//! stub's window and then by rsig's, is passed by a poke as well: blocked in that handler's own context, it arrives when
//! the kernel goes back to the stub. (musl does the same with its cancellation signal.)

use crate::async_safe::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};
use crate::async_safe::poke;
use crate::async_safe::stub::{self, Position};
use crate::sys::{mask, sigset, thread};
use libc::{c_int, c_long, ucontext_t};

/// The kernel's id of the main thread while it is in a call, else 0.
static CALLER: AtomicI32 = AtomicI32::new(0);
/// The same thread as pthread_self() has it, so that a handler can tell without a system call whether it is its own.
static THREAD: AtomicUsize = AtomicUsize::new(0);
/// Whether a poke was blocked in the context that a handler interrupted.
static POKE_BLOCKED: AtomicBool = AtomicBool::new(false);
/// How often the call looked as if it had been left. A handler on a stack of its own can look so too, but will return before long;
/// a program that waits for something after it has left by siglongjmp() must not be poked for ever.
static LEFT: AtomicU32 = AtomicU32::new(0);
const ENOUGH: u32 = 8;

/// One system call of the main thread: the kernel's answer; or -EINTR without any effect, where a delivery has come after
/// `stub::allow` and before it begins.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn run(tid: c_int, number: c_long, arguments: &[c_long; 6]) -> c_long {
    // Relaxed, all: read by handlers that see CALLER, which is stored after them, and on this very thread.
    THREAD.store(thread::current() as usize, Ordering::Relaxed);
    POKE_BLOCKED.store(false, Ordering::Relaxed);
    LEFT.store(0, Ordering::Relaxed);
    poke::receive();
    // SeqCst: our half of Dekker, as in `waker`: the stub's look must not pass it.
    CALLER.store(tid, Ordering::SeqCst);
    // SAFETY: the caller's promise.
    let result = unsafe { stub::call(number, arguments) };
    // Relaxed: a handler that still sees it sends a poke that finds nothing to do.
    CALLER.store(0, Ordering::Relaxed);
    result
}

/// The low-level handler's part, after the delivery is recorded.
pub(crate) fn end(context: Option<&mut ucontext_t>) {
    // Before CALLER is read: one of the two sees the other.
    stub::interrupt();
    // SeqCst: the handler's half of Dekker. It includes the acquire for THREAD.
    let caller = CALLER.load(Ordering::SeqCst);
    if caller == 0 {
        return;
    }
    if is_own() { end_own(caller, context) } else { poke::send(caller) }
}

/// The same for a poke, which ends nothing that another delivery would not.
/// A reminder is a delivery's own poke, or for a call that began although something was tripped.
pub(crate) fn end_poked(is_reminder: bool, mut context: Option<&mut ucontext_t>) {
    if is_reminder {
        stub::interrupt();
    }
    if is_own() {
        poke::receive();
    }
    // Relaxed: for this very thread. One that was blocked for an interrupted handler has come: it is blocked no more,
    // but for a handler that has left by siglongjmp() to a sigsuspend(), which blocks it again.
    if POKE_BLOCKED.swap(false, Ordering::Relaxed)
        && !poke::is_held()
        && let Some(context) = context.as_deref_mut()
    {
        let mask = sigset::from_posix(&context.uc_sigmask);
        sigset::write_posix(&mut context.uc_sigmask, mask & !sigset::one(poke::number()));
    }
    // Acquire: for THREAD. On another thread it was meant for one that is gone, and must not go round.
    let caller = CALLER.load(Ordering::Acquire);
    if caller != 0 && is_own() && stub::is_interrupted() {
        end_own(caller, context);
    }
}

/// Whether the call is the interrupted thread's.
fn is_own() -> bool {
    // Relaxed: see `run`.
    THREAD.load(Ordering::Relaxed) == thread::current() as usize
}

fn end_own(caller: c_int, context: Option<&mut ucontext_t>) {
    match context {
        // Called by another party's handler without its context.
        None if stub::is_active() => block_poke(None),
        None => return,
        Some(context) => match stub::leave(context) {
            Position::Left if LEFT.fetch_add(1, Ordering::Relaxed) >= ENOUGH => return,
            Position::Nested | Position::Left => block_poke(Some(context)),
            _ => return,
        },
    }
    poke::send(caller);
}

/// In the handler that was interrupted, and in this one until it returns.
fn block_poke(context: Option<&mut ucontext_t>) {
    let poke = sigset::one(poke::number());
    if let Some(context) = context {
        let mask = sigset::from_posix(&context.uc_sigmask);
        sigset::write_posix(&mut context.uc_sigmask, mask | poke);
    }
    let _ = mask::change(libc::SIG_BLOCK, poke);
    // Relaxed: for this very thread.
    POKE_BLOCKED.store(true, Ordering::Relaxed);
}

/// The interrupted handler has left by siglongjmp(), stub and all.
fn abandon() {
    stub::abandon();
    // Relaxed: a handler that still sees it sends a poke that finds nothing to do.
    CALLER.store(0, Ordering::Relaxed);
}

/// What a call has left behind that never returned, as a handler that is not rsig's has left it by siglongjmp().
pub(crate) struct Abandoned {
    /// The poke was blocked for that handler, and perhaps still is.
    pub(crate) poke_blocked: bool,
}

/// Whether a call, on whichever thread, has left something behind, or is still on.
pub(crate) fn is_unsettled() -> bool {
    // Relaxed: for the main thread, and what it does not see is another's.
    CALLER.load(Ordering::Relaxed) != 0
        || POKE_BLOCKED.load(Ordering::Relaxed)
        || poke::is_anyone_held()
}

/// Asked by ordinary code, which the calling thread cannot run while it is in a call.
pub(crate) fn take_abandoned() -> Option<Abandoned> {
    // Relaxed: asked is only whether it was this very thread. A poke may have given the call up already.
    let left = CALLER.load(Ordering::Relaxed) != 0 || POKE_BLOCKED.load(Ordering::Relaxed);
    let own = left && is_own();
    own.then(|| {
        abandon();
        // Relaxed: see `block_poke`.
        Abandoned { poke_blocked: POKE_BLOCKED.swap(false, Ordering::Relaxed) }
    })
}

/// In a forked child, whose only thread has another id. It may have forked in a handler that interrupted its own call.
pub(crate) fn reset(tid: c_int) {
    // Relaxed, all: there is one thread.
    if is_own() && CALLER.load(Ordering::Relaxed) != 0 {
        CALLER.store(tid, Ordering::Relaxed);
    } else {
        abandon();
        POKE_BLOCKED.store(false, Ordering::Relaxed);
        poke::set_held(false);
    }
}
