//! Signals that have rsig's low-level handler only because a channel listens. Whoever had them before goes on: a handler that was
//! there is called as the kernel would have done it, after the delivery is recorded.
//!
//! That handler may have displaced rsig's own once, and call it in turn. Then the low-level handler runs within itself, for the
//! same delivery, and calling the other again would go round for ever. It is known by the context, which is passed on: while a
//! displaced handler runs, `uc_link`, which the kernel leaves NULL in a signal handler's context, leads to a note of
//! who is at it.

use crate::sys::action::Disposition;
use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::{c_int, siginfo_t, ucontext_t};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// The signals that only channels listen to.
static QUIET: AtomicU64 = AtomicU64::new(0);
/// Those of them that have a handler of rsig's beneath the displaced one.
static BENEATH: AtomicU64 = AtomicU64::new(0);
/// Their displaced handlers.
static HANDLERS: [AtomicPtr<Disposition>; signals::COUNT] =
    [const { AtomicPtr::new(ptr::null_mut()) }; signals::COUNT];

/// Who has a signal, beside the channels.
pub(crate) enum Owner {
    /// A handler of rsig_signal()'s, or nobody listens.
    Rsig,
    /// The default action, or ignored: nothing, while a channel listens.
    Nobody,
    /// Somebody else's handler; and whether there is one of rsig_signal()'s beneath it, to which it may pass deliveries on.
    Other { handler: &'static Disposition, beneath: bool },
}

/// With the lock under which channels are opened and closed.
pub(crate) fn set_owner(signum: c_int, owner: &Owner) {
    let handler = match owner {
        Owner::Other { handler, .. } => ptr::from_ref(*handler).cast_mut(),
        _ => ptr::null_mut(),
    };
    if let Some(place) = signals::index(signum).and_then(|index| HANDLERS.get(index)) {
        // Release: pairs with `call`.
        place.store(handler, Ordering::Release);
    }
    put(&BENEATH, signum, matches!(owner, Owner::Other { beneath: true, .. }));
    put(&QUIET, signum, !matches!(owner, Owner::Rsig));
}

fn put(set: &AtomicU64, signum: c_int, on: bool) {
    // Relaxed: each bit speaks for itself; a delivery at the moment of a change may see either.
    if on {
        set.fetch_or(sigset::one(signum), Ordering::Relaxed);
    } else {
        set.fetch_and(!sigset::one(signum), Ordering::Relaxed);
    }
}

fn has(set: &AtomicU64, signum: c_int) -> bool {
    let set: rsig_sigset_t = set.load(Ordering::Relaxed);
    set & sigset::one(signum) != 0
}

pub(crate) fn is_quiet(signum: c_int) -> bool {
    has(&QUIET, signum)
}

pub(crate) fn is_beneath(signum: c_int) -> bool {
    has(&BENEATH, signum)
}

/// Put on the stack of the low-level handler while a displaced one runs.
#[repr(C)]
struct Note {
    kind: u64,
    /// Which copy of the library.
    copy: *const AtomicU64,
    before: *mut ucontext_t,
}

/// The same in each copy of the library, whichever its version: "rsigNote".
const KIND: u64 = 0x7273_6967_4e6f_7465;

/// Whether this delivery has come back from a displaced handler.
pub(crate) fn is_nested(context: &ucontext_t) -> bool {
    let mut next = context.uc_link;
    // SAFETY: the kernel makes it NULL; else it is a note on this very stack.
    while let Some(note) = unsafe { next.cast::<Note>().as_ref() } {
        if note.kind != KIND {
            return false;
        }
        if note.copy == &raw const QUIET {
            return true;
        }
        next = note.before;
    }
    false
}

/// Calls the displaced handler; false where there is none.
pub(crate) fn call(signum: c_int, info: *mut siginfo_t, context: &mut ucontext_t) -> bool {
    let Some(place) = signals::index(signum).and_then(|index| HANDLERS.get(index)) else {
        return false;
    };
    // Acquire: pairs with `set_owner`, so that the record behind the pointer is seen whole.
    // SAFETY: NULL, or a record that lives for ever.
    let Some(handler) = (unsafe { place.load(Ordering::Acquire).as_ref() }) else { return false };
    let mut note = Note { kind: KIND, copy: &raw const QUIET, before: context.uc_link };
    context.uc_link = (&raw mut note).cast();
    // SAFETY: it is what the kernel would have called with the same arguments.
    unsafe { handler.call(signum, info, ptr::from_mut(context).cast()) };
    context.uc_link = note.before;
    true
}
