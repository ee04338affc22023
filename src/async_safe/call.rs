//! The main thread's blocking system call, and how a delivery ends it.
//!
//! On the main thread itself, the stub's program counter is moved (see `stub`). A signal that landed on another thread
//! pokes the main thread, whose low-level handler then does the same. A handler that is not rsig's, interrupted inside the
//! stub's window and then by rsig's, is passed by a poke as well: blocked in that handler's own context, it arrives when
//! the kernel goes back to the stub. (musl does the same with its cancellation signal.)

use crate::async_safe::pending::PENDING;
use crate::async_safe::poke;
use crate::async_safe::stub::{self, Position};
use crate::sys::{sigset, thread};
use libc::{c_int, c_long, ucontext_t};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

/// The kernel's id of the main thread while it is in a call, else 0.
static CALLER: AtomicI32 = AtomicI32::new(0);
/// The same thread as pthread_self() has it, so that a handler can tell without a system call whether it is its own.
static THREAD: AtomicUsize = AtomicUsize::new(0);
/// Whether a poke was blocked in the context that a handler interrupted.
static POKE_BLOCKED: AtomicBool = AtomicBool::new(false);

/// One system call of the main thread: the kernel's answer; or -EINTR without any effect, where something is tripped
/// before it begins.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn run(tid: c_int, number: c_long, arguments: &[c_long; 6]) -> c_long {
    // Relaxed: read by handlers that see CALLER, which is stored after it.
    THREAD.store(thread::current() as usize, Ordering::Relaxed);
    // SeqCst: our half of Dekker, as in `waker`: the stub's test of the flags must not pass it.
    CALLER.store(tid, Ordering::SeqCst);
    // SAFETY: the caller's promise; the flags are static.
    let result = unsafe { stub::call(PENDING.flags(), number, arguments) };
    // Relaxed: a handler that still sees it sends a poke that finds nothing to do.
    CALLER.store(0, Ordering::Relaxed);
    result
}

/// The low-level handler's part, after the delivery is recorded.
pub(crate) fn end(context: Option<&mut ucontext_t>) {
    // SeqCst: the handler's half of Dekker; not before the tripped bit is set. It includes the acquire for THREAD.
    let caller = CALLER.load(Ordering::SeqCst);
    if caller == 0 {
        return;
    }
    if THREAD.load(Ordering::Relaxed) != thread::current() as usize {
        poke::send(caller);
    } else if let Some(context) = context
        && PENDING.tripped() != 0
        && let Position::Nested = stub::leave(context)
    {
        block_poke(context);
        poke::send(caller);
    }
}

fn block_poke(context: &mut ucontext_t) {
    let poke = sigset::one(poke::number());
    let mask = sigset::from_posix(&context.uc_sigmask);
    if poke & mask == 0 {
        sigset::write_posix(&mut context.uc_sigmask, mask | poke);
        // Relaxed: for this very thread.
        POKE_BLOCKED.store(true, Ordering::Relaxed);
    }
}

/// Whether a poke was blocked since the last time this was asked. Normally the interrupted handler has returned and its
/// mask is gone; but it may have left by siglongjmp(), stub and all.
pub(crate) fn take_poke_blocked() -> bool {
    // Relaxed: see `block_poke`.
    let blocked = POKE_BLOCKED.swap(false, Ordering::Relaxed);
    if blocked {
        stub::abandon();
    }
    blocked
}

/// In a forked child, whose only thread has another id. It may have forked in a handler that interrupted its own call.
pub(crate) fn reset(tid: c_int) {
    // Relaxed: there is one thread.
    let own = THREAD.load(Ordering::Relaxed) == thread::current() as usize;
    let in_call = own && CALLER.load(Ordering::Relaxed) != 0;
    CALLER.store(if in_call { tid } else { 0 }, Ordering::Relaxed);
}
