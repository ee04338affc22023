//! Signals that have rsig's low-level handler only because a channel listens. Whoever had them before goes on: a handler that was
//! there is called as the kernel would have done it, after the delivery is recorded.
//!
//! That handler may have displaced rsig's own once, and call it in turn. Then the low-level handler runs within itself, for the
//! same delivery, and calling the other again would go round for ever. It is known by the context, which is passed on: while a
//! displaced handler runs, `uc_link`, which the kernel leaves NULL in a signal handler's context, leads to a note of
//! who is at it. What comes back goes to who was there before the other: a handler of rsig_signal()'s, or one that rsig had
//! displaced for a channel then.

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
static HANDLERS: Handlers = [const { AtomicPtr::new(ptr::null_mut()) }; signals::COUNT];
/// And the handlers that rsig had displaced before those came.
static EARLIER: Handlers = [const { AtomicPtr::new(ptr::null_mut()) }; signals::COUNT];

type Handlers = [AtomicPtr<Disposition>; signals::COUNT];

/// Who has a signal, beside the channels.
pub(crate) enum Owner {
    /// A handler of rsig_signal()'s, or nobody listens.
    Rsig,
    /// The default action, or ignored: nothing, while a channel listens.
    Nobody,
    /// Somebody else's handler; and to whom rsig gives what that one may pass on.
    Other { handler: &'static Disposition, beneath: Beneath },
}

/// Whom rsig stood for before somebody came over it.
#[derive(Clone, Copy)]
pub(crate) enum Beneath {
    Nobody,
    /// A handler of rsig_signal()'s.
    Rsig,
    Other(&'static Disposition),
}

impl Beneath {
    /// When rsig puts back what came over it, it may still be passed deliveries.
    pub(crate) fn owner(self) -> Owner {
        match self {
            Self::Other(handler) => Owner::Other { handler, beneath: Self::Nobody },
            _ => Owner::Rsig,
        }
    }
}

/// With the lock under which channels are opened and closed.
pub(crate) fn set_owner(signum: c_int, owner: &Owner) {
    let (handler, beneath) = match *owner {
        Owner::Other { handler, beneath } => (Some(handler), beneath),
        _ => (None, Beneath::Nobody),
    };
    let earlier = if let Beneath::Other(earlier) = beneath { Some(earlier) } else { None };
    store(&HANDLERS, signum, handler);
    store(&EARLIER, signum, earlier);
    put(&BENEATH, signum, matches!(beneath, Beneath::Rsig));
    put(&QUIET, signum, !matches!(owner, Owner::Rsig));
}

fn store(handlers: &Handlers, signum: c_int, handler: Option<&'static Disposition>) {
    let pointer = handler.map_or(ptr::null_mut(), |handler| ptr::from_ref(handler).cast_mut());
    if let Some(place) = signals::index(signum).and_then(|index| handlers.get(index)) {
        // Release: pairs with `call`.
        place.store(pointer, Ordering::Release);
    }
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

/// How often this delivery has come back from a displaced handler.
pub(crate) fn depth(context: &ucontext_t) -> usize {
    let mut depth: usize = 0;
    let mut next = context.uc_link;
    // SAFETY: the kernel makes it NULL; else it is a note on this very stack.
    while let Some(note) = unsafe { next.cast::<Note>().as_ref() } {
        if note.kind != KIND {
            break;
        }
        if note.copy == &raw const QUIET {
            depth = depth.saturating_add(1);
        }
        next = note.before;
    }
    depth
}

/// Calls the displaced handler; false where there is none, or none any more.
pub(crate) fn call(signum: c_int, info: *mut siginfo_t, context: &mut ucontext_t) -> bool {
    call_one(&HANDLERS, signum, info, context)
}

/// The same for the one that was displaced before it.
pub(crate) fn call_earlier(signum: c_int, info: *mut siginfo_t, context: &mut ucontext_t) -> bool {
    call_one(&EARLIER, signum, info, context)
}

fn call_one(
    handlers: &Handlers,
    signum: c_int,
    info: *mut siginfo_t,
    context: &mut ucontext_t,
) -> bool {
    let Some(place) = signals::index(signum).and_then(|index| handlers.get(index)) else {
        return false;
    };
    // Acquire: pairs with `store`, so that the record behind the pointer is seen whole.
    let pointer = place.load(Ordering::Acquire);
    // SAFETY: NULL, or a record that lives for ever.
    let Some(handler) = (unsafe { pointer.as_ref() }) else { return false };
    if handler.is_one_shot() {
        // Relaxed, both: whoever changes it first calls the handler, and has seen the record already.
        let taken =
            place.compare_exchange(pointer, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_err() {
            return false;
        }
    }
    let mut note = Note { kind: KIND, copy: &raw const QUIET, before: context.uc_link };
    context.uc_link = (&raw mut note).cast();
    // SAFETY: it is what the kernel would have called with the same arguments.
    unsafe { handler.call(signum, info, ptr::from_mut(context).cast()) };
    context.uc_link = note.before;
    true
}
