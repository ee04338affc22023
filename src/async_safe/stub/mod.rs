//! One system call that a signal cannot slip in front of.
//!
//! Between the test of a flag and a system call there is always an instruction boundary, and a signal that lands there
//! sets the flag too late to be seen and too early to interrupt. The stub makes that window a few instructions of known
//! address. The low-level handler looks where it has interrupted the program: inside the window, it moves the program
//! counter to the stub's way out, and the system call never begins. A kernel that restarts an interrupted call has put
//! the program counter back into the window, so that is seen as well. A call that has taken effect leaves the program
//! counter behind the window, and its result is never touched. (musl's cancellation points do the same.)
//!
//! A handler that is not rsig's may have interrupted the stub first, and rsig's that one. Then the program counter to be
//! moved is out of reach, and `Position::Nested` says so; see `call`.

use crate::async_safe::atomic::{AtomicUsize, Ordering};
pub(crate) use crate::async_safe::interrupt::{allow, interrupt, is_interrupted};
use libc::{SS_DISABLE, c_long, ucontext_t};
use std::ptr::addr_of;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as machine;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as machine;

pub(crate) const IS_RACE_FREE: bool = true;

/// The main thread's stack pointer while it is in the stub, else 0. Written by the stub itself, read by handlers on the same
/// thread.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    fn race_free_syscall(number: c_long, arguments: *const [c_long; 6]) -> c_long;
    static race_free_window: u8;
    static race_free_window_end: u8;
    static race_free_way_out: u8;
    static race_free_end: u8;
}

/// The kernel's answer; or -EINTR, and the call has had no effect, where `interrupt` was called before it, or by a
/// handler on this thread that called `leave`. Only one thread at a time.
///
/// # Safety
/// The arguments are such as the system call allows.
pub(crate) unsafe fn call(number: c_long, arguments: &[c_long; 6]) -> c_long {
    // SAFETY: the caller's promise.
    unsafe { race_free_syscall(number, arguments) }
}

/// Where a handler has interrupted the main thread.
pub(crate) enum Position {
    /// Not in the stub, or where the stub will still look whether to end, or where the call is over.
    Elsewhere,
    /// The call has been moved to its way out.
    Moved,
    /// In another handler, which has interrupted the stub.
    Nested,
    /// Above the stub on its stack: such a handler has left it by siglongjmp().
    Left,
}

/// Ends the call that the interrupted main thread is about to begin, or to begin anew.
pub(crate) fn leave(context: &mut ucontext_t) -> Position {
    let counter = machine::program_counter(context);
    let window = addr_of!(race_free_window) as usize..addr_of!(race_free_window_end) as usize;
    let stub = race_free_syscall as *const () as usize..addr_of!(race_free_end) as usize;
    if window.contains(&counter) {
        machine::set_program_counter(context, addr_of!(race_free_way_out) as usize);
        return Position::Moved;
    }
    // Relaxed: written by this very thread.
    match ACTIVE.load(Ordering::Relaxed) {
        0 => Position::Elsewhere,
        _ if stub.contains(&counter) => Position::Elsewhere,
        stack if is_above(context, stack) => Position::Left,
        _ => Position::Nested,
    }
}

/// Whether the interrupted code is above `stack` on a stack that grows down: no handler is, unless on a stack of its own.
fn is_above(context: &ucontext_t, stack: usize) -> bool {
    let pointer = machine::stack_pointer(context);
    let alternate = &context.uc_stack;
    let on_alternate = alternate.ss_flags & SS_DISABLE == 0
        && pointer.wrapping_sub(alternate.ss_sp as usize) <= alternate.ss_size;
    pointer > stack && !on_alternate
}

/// Whether the main thread is in the stub.
pub(crate) fn is_active() -> bool {
    // Relaxed: written by this very thread.
    ACTIVE.load(Ordering::Relaxed) != 0
}

/// After a handler that is not rsig's has left the stub by siglongjmp(), and in a forked child whose thread was not in it.
pub(crate) fn abandon() {
    // Relaxed: read by this very thread.
    ACTIVE.store(0, Ordering::Relaxed);
}
