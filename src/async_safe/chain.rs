//! What rsig's handler stands for, where that is not a function of rsig_signal()'s: what somebody has set the signal to. A handler
//! of theirs is called as the kernel would have done it, after the delivery is recorded for the channels.
//!
//! That is so for each address of rsig's handler, which others have saved, by role and level, and can put back at any time; and it
//! stays so as long as they can, whatever the kernel has now.
//!
//! That handler may have displaced rsig's own once, and call it in turn. Then rsig's handler runs within itself, at a lower
//! level (see `displaced`), for a delivery that is recorded already. It is known by the context, which is passed on: while a
//! displaced handler runs, `uc_link`, which the kernel leaves NULL in a signal handler's context, leads to a note of who is at
//! it. Who passes on no context was called by rsig if the kernel has rsig's handler, at no lower level.
//!
//! What is displaced is left noted when the channels are closed: deliveries may still be on their way through rsig's handler.

use crate::async_safe::atomic::{AtomicPtr, Ordering};
use crate::async_safe::displaced::{self, LEVELS};
use crate::async_safe::given_back;
use crate::async_safe::handler::{self, Role};
use crate::sys::action::{self, Disposition};
use crate::sys::signals;
use libc::{c_int, siginfo_t, ucontext_t};
use std::ptr;

/// By role, level and signal; NULL where it is for the pump.
static STANDS_FOR: [ByLevel; 2] =
    [const { [const { [const { AtomicPtr::new(ptr::null_mut()) }; signals::COUNT] }; LEVELS] }; 2];

type ByLevel = [[AtomicPtr<Disposition>; signals::COUNT]; LEVELS];

fn place(signum: c_int, role: Role, level: usize) -> Option<&'static AtomicPtr<Disposition>> {
    // Out of range where it is 0 or less, too: shorter than signals::index(), for each delivery.
    STANDS_FOR.get(role as usize)?.get(level)?.get(signum.wrapping_sub(1) as usize)
}

/// None where it is for the pump.
pub(crate) fn get(signum: c_int, role: Role, level: usize) -> Option<&'static Disposition> {
    // Acquire: pairs with `set`, so that the record behind the pointer is seen whole.
    let pointer = place(signum, role, level)?.load(Ordering::Acquire);
    // SAFETY: NULL, or a record that lives for ever.
    unsafe { pointer.as_ref() }
}

pub(crate) fn set(
    signum: c_int,
    role: Role,
    level: usize,
    stands_for: Option<&'static Disposition>,
) {
    if let Some(place) = place(signum, role, level) {
        let pointer = stands_for.map_or(ptr::null(), ptr::from_ref);
        // Release: pairs with `get`.
        place.store(pointer.cast_mut(), Ordering::Release);
    }
}

/// Put on the stack of rsig's handler while a displaced one runs.
#[repr(C)]
struct Note {
    kind: u64,
    /// Which copy of the library.
    copy: *const [ByLevel; 2],
    before: *mut ucontext_t,
    /// Which level called it.
    level: usize,
    /// The context that leads to it. A copy of that, which somebody passes on later, is another one.
    of: *const ucontext_t,
}

/// The same in each copy of the library, whichever its version: "rsigNote".
const KIND: u64 = 0x7273_6967_4e6f_7465;
/// How far a note can be from who looks for it, in bytes: what the handlers in between have on the stack.
const FAR: usize = 1 << 16;

/// Where a delivery has been.
pub(crate) struct Way {
    /// The level at which it is now: beneath all that have passed it on, also where it comes in above them once more, by somebody
    /// who has installed one function twice. None where there is nothing beneath.
    pub(crate) level: Option<usize>,
    /// Whether it is recorded already: it comes from a displaced handler that calls rsig's.
    pub(crate) is_known: bool,
}

/// Of a delivery that comes in at `level`.
pub(crate) fn way(signum: c_int, level: usize, context: Option<&ucontext_t>) -> Way {
    let lowest = match context {
        Some(context) => lowest_noted(context),
        None => installed(signum).filter(|&installed| installed >= level),
    };
    match lowest {
        None => Way { level: Some(level), is_known: false },
        Some(lowest) => {
            let beneath = lowest.checked_sub(1);
            let level = beneath.map(|beneath| beneath.min(level));
            Way { level, is_known: true }
        }
    }
}

/// The lowest level that has passed this delivery on.
fn lowest_noted(context: &ucontext_t) -> Option<usize> {
    let mut next = context.uc_link;
    while let Some(note) = note_at(next, context) {
        if note.copy == &raw const STANDS_FOR {
            return Some(note.level);
        }
        next = note.before;
    }
    None
}

/// None where it is NULL, as the kernel makes it, or anything that somebody who makes up a context has left there.
fn note_at(link: *mut ucontext_t, context: &ucontext_t) -> Option<&Note> {
    if link.is_null() {
        return None;
    }
    let here = 0u8;
    let distance = link.addr().wrapping_sub((&raw const here).addr());
    if distance > FAR || !link.cast::<Note>().is_aligned() {
        return None;
    }
    // SAFETY: not far above on this very stack, which is in use. What is there is looked at before it is believed.
    let note = unsafe { &*link.cast::<Note>() };
    (note.kind == KIND && ptr::eq(note.of, context)).then_some(note)
}

/// The level at which the kernel has a handler that passes deliveries on.
fn installed(signum: c_int) -> Option<usize> {
    let own = handler::own(&action::get(signum).ok()?)?;
    (own.role == Role::StandIn).then_some(own.level)
}

/// Calls the handler that it stands for; false where there is none. `is_first`: the kernel seems to have called rsig's handler.
pub(crate) fn call(
    signum: c_int,
    role: Role,
    level: usize,
    info: *mut siginfo_t,
    context: Option<&mut ucontext_t>,
    is_first: bool,
) -> bool {
    let handler = get(signum, role, level).filter(|stands_for| stands_for.is_function());
    let Some(handler) = handler else { return false };
    // One that may know this very level, and is installed, is the one that calls us.
    let may_be_caller = context.is_none() || displaced::may_be_known(signum, level);
    if may_be_caller && is_caller(signum, handler, is_first) {
        let Some(beneath) = level.checked_sub(1) else { return false };
        return call(signum, Role::StandIn, beneath, info, context, is_first);
    }
    if handler.is_one_shot() && !take(signum, role, level, handler) {
        return false;
    }
    call_noted(handler, signum, level, info, context);
    true
}

/// Whether it is installed. But where rsig has just put it back, and was called by the kernel, it did not know yet of a delivery
/// that was on its way. (One that jumps to rsig's handler at its end looks like the kernel, and is called once more: better twice
/// than never. Its second call of rsig's is known by the note.)
#[cold]
#[inline(never)]
fn is_caller(signum: c_int, handler: &Disposition, is_first: bool) -> bool {
    let is_installed = action::get(signum).is_ok_and(|now| now.handler() == handler.handler());
    is_installed && !(is_first && given_back::is_given_back(signum, handler.handler()))
}

/// So that it is known if it calls rsig's.
fn call_noted(
    handler: &Disposition,
    signum: c_int,
    level: usize,
    info: *mut siginfo_t,
    context: Option<&mut ucontext_t>,
) {
    let Some(context) = context else {
        // SAFETY: as below; whoever called us without a context would have called it so.
        unsafe { handler.call(signum, info, ptr::null_mut()) };
        return;
    };
    let (before, of) = (context.uc_link, &raw const *context);
    let mut note = Note { kind: KIND, copy: &raw const STANDS_FOR, before, level, of };
    context.uc_link = (&raw mut note).cast();
    // SAFETY: it is what the kernel would have called with the same arguments.
    unsafe { handler.call(signum, info, ptr::from_mut(context).cast()) };
    context.uc_link = note.before;
}

/// As the kernel does it for SA_RESETHAND: from now on the signal has its default action. Whether nobody else was faster.
fn take(signum: c_int, role: Role, level: usize, handler: &'static Disposition) -> bool {
    let (handler, default) = (ptr::from_ref(handler), ptr::from_ref(&Disposition::DEFAULT));
    // Relaxed, both: what is behind the new pointer has always been there.
    let taken = place(signum, role, level).is_some_and(|place| {
        place
            .compare_exchange(
                handler.cast_mut(),
                default.cast_mut(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    });
    if taken {
        displaced::note(signum, level, Some(&Disposition::DEFAULT));
    }
    taken
}
