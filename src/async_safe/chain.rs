//! Who had a signal before a channel listened to it: a handler that was there is called as the kernel would have done it, after
//! the delivery is recorded.
//!
//! That handler may have displaced rsig's own once, and call it in turn. Then rsig's handler runs within itself, for the same
//! delivery, and calling the other again would go round for ever. It is known by the context, which is passed on: while a
//! displaced handler runs, `uc_link`, which the kernel leaves NULL in a signal handler's context, leads to a note of who is at
//! it. Who passes on no context was called by rsig if rsig's is the handler that the kernel has.
//!
//! What is displaced is left noted when the channels are closed: deliveries may still be on their way through rsig's handler.
//! Only a handler that may call rsig's must be forgotten then, or it would get each delivery twice.

use crate::async_safe::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::async_safe::displaced;
use crate::sys::action::Disposition;
use crate::sys::signals;
use crate::sys::sigset;
use libc::{c_int, siginfo_t, ucontext_t};
use std::ptr;

/// The displaced handlers of one signal, NULL for none.
struct Links {
    /// Whom rsig's handler calls.
    first: AtomicPtr<Disposition>,
    /// Whom it calls when `first`, which has displaced it, has called it.
    second: AtomicPtr<Disposition>,
}

static LINKS: [Links; signals::COUNT] = [const {
    Links { first: AtomicPtr::new(ptr::null_mut()), second: AtomicPtr::new(ptr::null_mut()) }
}; signals::COUNT];
/// The signals whose `first` may call rsig's stand-in.
static OVER: AtomicU64 = AtomicU64::new(0);
/// Those whose stand-in somebody has displaced, ever.
static KNOWN: AtomicU64 = AtomicU64::new(0);
/// Those that have a handler of rsig_signal()'s beneath the displaced one.
static BENEATH: AtomicU64 = AtomicU64::new(0);

fn links(signum: c_int) -> Option<&'static Links> {
    LINKS.get(signals::index(signum)?)
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
    // Relaxed: as in `put`.
    set.load(Ordering::Relaxed) & sigset::one(signum) != 0
}

fn store(place: &AtomicPtr<Disposition>, handler: Option<&'static Disposition>) {
    let handler = handler.map_or(ptr::null_mut(), |handler| ptr::from_ref(handler).cast_mut());
    // Release: pairs with `call`.
    place.store(handler, Ordering::Release);
}

/// Somebody else's handler was found in place of rsig's stand-in: it may call it.
pub(crate) fn note_displaced(signum: c_int) {
    put(&KNOWN, signum, true);
}

/// Before the stand-in is installed for `handler`, which it calls from now on; none for the default action and SIG_IGN. Where
/// it `is_new`, and not only takes the place of another, it may be one that has displaced the stand-in. `beneath`: that there is
/// a handler of rsig_signal()'s, to which it may pass deliveries on.
pub(crate) fn set(
    signum: c_int,
    handler: Option<&'static Disposition>,
    is_new: bool,
    beneath: bool,
) {
    let Some(links) = links(signum) else { return };
    if handler.is_none() {
        store(&links.second, None);
        put(&OVER, signum, false);
    } else if is_new && has(&KNOWN, signum) && !has(&OVER, signum) {
        // Relaxed: written with the lock that the caller holds.
        links.second.store(links.first.load(Ordering::Relaxed), Ordering::Release);
        put(&OVER, signum, true);
    }
    put(&BENEATH, signum, beneath);
    store(&links.first, handler);
}

/// After the stand-in has given the signal back.
pub(crate) fn unset(signum: c_int) {
    if let Some(links) = links(signum).filter(|_| has(&OVER, signum)) {
        // Relaxed: as in `set`.
        links.first.store(links.second.load(Ordering::Relaxed), Ordering::Release);
        put(&OVER, signum, false);
    }
}

/// Whether there is a handler to call: one that is called only once is gone after that.
pub(crate) fn has_handler(signum: c_int) -> bool {
    // Relaxed: whether, not what.
    links(signum).is_some_and(|links| !links.first.load(Ordering::Relaxed).is_null())
}

pub(crate) fn is_beneath(signum: c_int) -> bool {
    has(&BENEATH, signum)
}

/// Put on the stack of rsig's handler while a displaced one runs.
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
pub(crate) fn depth(context: &ucontext_t) -> u32 {
    let mut depth: u32 = 0;
    let mut next = context.uc_link;
    // SAFETY: the kernel makes it NULL; else it is a note on this very stack.
    while let Some(note) = unsafe { next.cast::<Note>().as_ref() } {
        if note.kind != KIND {
            break;
        }
        if note.copy == &raw const KNOWN {
            depth = depth.saturating_add(1);
        }
        next = note.before;
    }
    depth
}

/// Calls the displaced handler; false where there is none.
pub(crate) fn call(
    signum: c_int,
    info: *mut siginfo_t,
    context: Option<&mut ucontext_t>,
    depth: u32,
) -> bool {
    let Some(links) = links(signum) else { return false };
    let is_over = has(&OVER, signum);
    let place = match depth {
        // Without a context the one that has displaced the stand-in must not be called: it is the caller.
        0 if context.is_some() || !is_over => &links.first,
        0 | 1 if is_over => &links.second,
        _ => return false,
    };
    // Acquire: pairs with `store`, so that the record behind the pointer is seen whole.
    let pointer = place.load(Ordering::Acquire);
    // SAFETY: NULL, or a record that lives for ever.
    let Some(handler) = (unsafe { pointer.as_ref() }) else { return false };
    if handler.is_one_shot() && !take(signum, place, pointer) {
        return false;
    }
    call_noted(handler, signum, info, context);
    true
}

/// Calls somebody else's handler, so that it is known if it calls rsig's.
pub(crate) fn call_noted(
    handler: &Disposition,
    signum: c_int,
    info: *mut siginfo_t,
    context: Option<&mut ucontext_t>,
) {
    let Some(context) = context else {
        // SAFETY: as below; whoever called us without a context would have called it so.
        unsafe { handler.call(signum, info, ptr::null_mut()) };
        return;
    };
    let mut note = Note { kind: KIND, copy: &raw const KNOWN, before: context.uc_link };
    context.uc_link = (&raw mut note).cast();
    // SAFETY: it is what the kernel would have called with the same arguments.
    unsafe { handler.call(signum, info, ptr::from_mut(context).cast()) };
    context.uc_link = note.before;
}

/// As the kernel does it for SA_RESETHAND: from now on the signal has its default action. Whether nobody else was faster.
fn take(signum: c_int, place: &AtomicPtr<Disposition>, handler: *mut Disposition) -> bool {
    // Relaxed, both: nothing is seen by it but NULL.
    let taken = place
        .compare_exchange(handler, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed)
        .is_ok();
    if taken {
        displaced::note(signum, Some(&Disposition::DEFAULT));
    }
    taken
}
