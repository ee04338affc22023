//! The low-level handler, which rsig gives to sigaction(2), under an address for each role and level.

use crate::async_safe::chain::{self, Way};
use crate::async_safe::displaced::{self, LEVELS};
use crate::async_safe::poke::{self, Meaning};
use crate::async_safe::{call, channel, deliveries, given_back, notify, pending, waker, wakeup};
use crate::sys::action::{self, Disposition, LowLevelHandler};
use crate::sys::errno;
use crate::sys::siginfo::{self, Origin};
use crate::sys::{thread, trapped_call};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
#[cfg(known_frame)]
use std::arch::naked_asm;
use std::ptr;

/// What a delivery is for. It has an address of its own, so that one that is on its way while the disposition changes goes where
/// it would have gone before.
#[derive(Clone, Copy, PartialEq)]
#[repr(usize)]
pub(crate) enum Role {
    /// For a function of rsig_signal()'s; or a poke.
    Handler,
    /// Only channels listen to it: whoever had it before goes on.
    StandIn,
}

static HANDLERS: [LowLevelHandler; LEVELS] = [
    low_level::<0>,
    low_level::<1>,
    low_level::<2>,
    low_level::<3>,
    low_level::<4>,
    low_level::<5>,
    low_level::<6>,
    low_level::<7>,
];
static STAND_INS: [LowLevelHandler; LEVELS] = [
    stand_in::<0>,
    stand_in::<1>,
    stand_in::<2>,
    stand_in::<3>,
    stand_in::<4>,
    stand_in::<5>,
    stand_in::<6>,
    stand_in::<7>,
];

/// What rsig gives to the kernel; for what the levels are see `displaced`.
pub(crate) fn address(role: Role, level: usize) -> LowLevelHandler {
    let (addresses, lowest) = match role {
        Role::Handler => (&HANDLERS, low_level::<0> as LowLevelHandler),
        Role::StandIn => (&STAND_INS, stand_in::<0> as LowLevelHandler),
    };
    addresses.get(level).copied().unwrap_or(lowest)
}

/// Which of rsig's handlers it is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Own {
    pub(crate) role: Role,
    pub(crate) level: usize,
}

/// How rsig knows its own disposition when the kernel shows it.
pub(crate) fn own(disposition: &Disposition) -> Option<Own> {
    let levels = || HANDLERS.iter().zip(&STAND_INS).enumerate();
    levels().find_map(|(level, (&handler, &stand_in))| {
        if disposition.is(handler) {
            Some(Own { role: Role::Handler, level })
        } else if disposition.is(stand_in) {
            Some(Own { role: Role::StandIn, level })
        } else {
            None
        }
    })
}

pub(crate) fn is_own(disposition: &Disposition) -> bool {
    own(disposition).is_some()
}

/// Whether the kernel calls one.
pub(crate) fn has(signum: c_int) -> bool {
    action::get(signum).is_ok_and(|now| is_own(&now))
}

pub(crate) fn has_role(disposition: &Disposition, role: Role) -> bool {
    own(disposition).is_some_and(|own| own.role == role)
}

/// What the kernel calls: goes on to the function of this name with the place where the kernel has its ucontext when it calls,
/// on x86-64 directly above the return address, on AArch64 above the siginfo, which the stack pointer leads to, and on 32-bit x86
/// above the siginfo, which the arguments lead to.
#[cfg(known_frame)]
macro_rules! entry {
    ($name:ident, $goes_on:ident) => {
        #[unsafe(naked)]
        extern "C-unwind" fn $name<const LEVEL: usize>(
            _: c_int,
            _: *mut siginfo_t,
            _: *mut c_void,
        ) {
            #[cfg(target_arch = "x86_64")]
            naked_asm!("lea rcx, [rsp + 8]", "jmp {}", sym $goes_on::<LEVEL>);
            // The hint is a landing pad (BTI).
            #[cfg(target_arch = "aarch64")]
            naked_asm!("hint #34", "add x3, sp, #128", "b {}", sym $goes_on::<LEVEL>);
            // The arguments once more, as there is no room for a fourth, on a stack that is aligned as a call's is.
            #[cfg(target_arch = "x86")]
            naked_asm!(
                ".cfi_startproc",
                "lea eax, [esp + 144]",
                "sub esp, 12",
                "push eax",
                "push dword ptr [esp + 28]",
                "push dword ptr [esp + 28]",
                "push dword ptr [esp + 28]",
                ".cfi_adjust_cfa_offset 28",
                "call {}",
                "add esp, 28",
                ".cfi_adjust_cfa_offset -28",
                "ret",
                ".cfi_endproc",
                sym $goes_on::<LEVEL>,
            );
        }
    };
}

/// On other machines and systems, whoever passes on a context could be the kernel.
#[cfg(not(known_frame))]
macro_rules! entry {
    ($name:ident, $goes_on:ident) => {
        extern "C-unwind" fn $name<const LEVEL: usize>(
            signum: c_int,
            info: *mut siginfo_t,
            context: *mut c_void,
        ) {
            $goes_on::<LEVEL>(signum, info, context, context.cast());
        }
    };
}

entry!(low_level, low_level_at);
entry!(stand_in, stand_in_at);

extern "C-unwind" fn low_level_at<const LEVEL: usize>(
    signum: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    entry: *const ucontext_t,
) {
    // Asked here, where the level is a constant.
    let is_for_pump = chain::get(signum, Role::Handler, LEVEL).is_none();
    let this = const { &Own { role: Role::Handler, level: LEVEL } };
    receive(signum, info, context, entry, this, is_for_pump);
}

/// A displaced handler may leave it by unwinding, so no frame from here to there has anything to drop.
extern "C-unwind" fn stand_in_at<const LEVEL: usize>(
    signum: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    entry: *const ucontext_t,
) {
    let this = const { &Own { role: Role::StandIn, level: LEVEL } };
    receive(signum, info, context, entry, this, false);
}

fn receive(
    signum: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    entry: *const ucontext_t,
    this: &'static Own,
    is_for_pump: bool,
) {
    errno::preserved(|| {
        // SAFETY: with SA_SIGINFO the kernel passes a whole siginfo_t; another library that chains to
        // this handler without one may pass NULL.
        let record = unsafe { info.as_ref() };
        let origin = record.map_or(Origin::UNKNOWN, Origin::read);
        // SAFETY: with SA_SIGINFO the kernel passes the interrupted context, which nobody else uses; another library that
        // chains to this handler may pass NULL.
        let context = unsafe { context.cast::<ucontext_t>().as_mut() };
        let way = chain::way(signum, this.level, context.as_deref());
        if siginfo::is_fault(signum, origin.code) {
            return fault(signum, this, &way, info, context, entry);
        }
        match (poke::meaning(signum, &origin), context) {
            (Meaning::Poke, context) => {
                poke::count(&origin);
                call::end_poked(signum, poke::is_reminder(&origin), context);
            }
            (Meaning::Delivery | Meaning::Death | Meaning::Nothing, mut context) if is_for_pump => {
                if way.is_known {
                    wait_for_pump(signum, origin);
                } else {
                    deliver(signum, origin);
                }
                if signum == libc::SIGSYS {
                    refuse_trapped_call(record, context.as_deref_mut(), entry);
                }
                call::end(signum, context);
            }
            (Meaning::Delivery, context) => {
                pass_on(signum, origin, this, &way, info, context, entry);
            }
            (Meaning::Death, Some(context)) => poke::die(signum, context),
            (Meaning::Held, Some(context)) => {
                if let Some(record) = record {
                    poke::hold_back(signum, record, context);
                }
                call::end(signum, Some(context));
            }
            _ => {}
        }
    });
}

/// Where nobody else's function makes the result of the call: neither one that rsig's handler stands for nor one that has passed the
/// signal on.
#[cold]
fn refuse_trapped_call(
    record: Option<&siginfo_t>,
    context: Option<&mut ucontext_t>,
    entry: *const ucontext_t,
) {
    if let (Some(record), Some(context)) = (record, context)
        && is_first(Some(context), entry)
    {
        trapped_call::refuse(record, context);
    }
}

/// Whether the kernel seems to have called rsig's handler.
fn is_first(context: Option<&ucontext_t>, entry: *const ucontext_t) -> bool {
    context.is_some_and(|context| ptr::eq(context, entry))
}

/// A delivery of a signal that rsig_signal() has given a function.
pub(crate) fn deliver(signum: c_int, origin: Origin) {
    record_for(signum, origin, true);
}

/// Records a delivery, and tells all who wait: after it is recorded, as whoever wakes up must find it.
fn record_for(signum: c_int, origin: Origin, pump: bool) {
    if !pending::is_open() {
        return;
    }
    deliveries::count(signum);
    if pump {
        wait_for_pump(signum, origin);
    }
    channel::deliver(signum, origin);
    wakeup::write(signum);
    notify::call(signum);
}

fn wait_for_pump(signum: c_int, origin: Origin) {
    waker::WAKER.deliver(|| pending::PENDING.deliver(signum, origin));
}

/// To the channels, and to whom rsig's handler stands for. Where there is neither, because somebody has put back what they had
/// displaced and rsig has no more use for it, the signal goes its own way again.
#[inline(never)]
fn pass_on(
    signum: c_int,
    origin: Origin,
    this: &'static Own,
    way: &Way,
    info: *mut siginfo_t,
    mut context: Option<&mut ucontext_t>,
    entry: *const ucontext_t,
) {
    let is_heard = channel::is_heard(signum);
    if is_heard && !way.is_known {
        record_for(signum, origin, false);
    }
    let Some(beneath) = way.level else { return };
    let role = if beneath == this.level { this.role } else { Role::StandIn };
    let is_first = is_first(context.as_deref(), entry);
    let is_called = chain::call(signum, role, beneath, info, context.as_deref_mut(), is_first);
    if signum == libc::SIGSYS && !is_called {
        // SAFETY: as in `receive`.
        refuse_trapped_call(unsafe { info.as_ref() }, context.as_deref_mut(), entry);
    }
    if !is_called && !is_heard && !way.is_known {
        leave(signum, this, info, context);
    }
}

/// Puts the default action or SIG_IGN, for which rsig's handler stands, in its place, and raises the signal again.
#[cold]
#[inline(never)]
fn leave(
    signum: c_int,
    this: &'static Own,
    info: *mut siginfo_t,
    context: Option<&mut ucontext_t>,
) {
    let is_this = |disposition: &Disposition| own(disposition) == Some(*this);
    let stands_for =
        || chain::get(signum, this.role, this.level).filter(|_| !channel::is_heard(signum));
    let Some(next) = stands_for().filter(|next| !next.is_function()) else { return };
    if poke::was_number(signum) {
        // It must stay there, for the pokes. So it does itself what it stands for.
        if let Some(context) = context
            && next.handler() == libc::SIG_DFL
        {
            poke::die(signum, context);
        }
        return;
    }
    if !action::get(signum).is_ok_and(|now| is_this(&now)) {
        return;
    }
    // Who wants rsig's handler again says so first, and then installs it. The kernel accepted both the number and the
    // disposition before.
    given_back::leave(signum, this.level, next, || {
        let mut is_own = false;
        let is_left = |now: &Disposition| {
            // Another thread may have left it at the same time.
            is_own = is_this(now) || now.same(next);
            is_own && stands_for().is_some()
        };
        let _ = action::replace(signum, next, is_left);
        // Where the main thread has just taken it again, it may have put this back for somebody else's.
        is_own
    });
    // SAFETY: as in `receive`.
    if let Some(info) = unsafe { info.as_ref() } {
        // Where the queue of signals is full, without its siginfo.
        let _ = thread::queue_info(thread::id(), signum, info).or_else(|_| thread::raise(signum));
    }
}

/// To whom rsig's handler stands for.
#[cold]
#[inline(never)]
fn fault(
    signum: c_int,
    this: &'static Own,
    way: &Way,
    info: *mut siginfo_t,
    mut context: Option<&mut ucontext_t>,
    entry: *const ucontext_t,
) {
    let is_first = is_first(context.as_deref(), entry);
    let mut pass_on = |level| {
        let context = context.as_deref_mut();
        chain::call(signum, Role::StandIn, level, info, context, is_first)
    };
    if this.role == Role::Handler || !way.level.is_some_and(&mut pass_on) {
        // SAFETY: as in `receive`.
        let info = unsafe { info.as_ref() };
        let context = context.map_or(ptr::null(), |context| ptr::from_ref(context));
        hand_back(signum, way.level, is_first, &Fault { info, context });
    }
}

struct Fault<'a> {
    info: Option<&'a siginfo_t>,
    context: *const ucontext_t,
}

impl Fault<'_> {
    /// The same for the next one only where one thread accesses one address at one depth of its stack.
    fn number(&self) -> usize {
        // SAFETY: a fault has this field.
        let address = self.info.map_or(0, |info| unsafe { info.si_addr() }.addr());
        address ^ self.context.addr().rotate_left(usize::BITS / 2)
    }
}

/// Puts back what rsig displaced and returns: the instruction faults again, and the signal goes where it
/// would have gone without rsig. Where that has brought us here already, because it calls the handler that it
/// displaced itself (this one, installed twice), only the default action ends the circle. But where the kernel
/// called us, another thread has been faster to put it back, unless it is the same fault once more.
#[cold]
#[inline(never)]
fn hand_back(signum: c_int, level: Option<usize>, is_first: bool, fault: &Fault) {
    let installed = action::get(signum).map(|installed| installed.handler());
    let displaced = level.and_then(|level| displaced::get(signum, level));
    let next = displaced.filter(|displaced| installed != Ok(displaced.handler()));
    let is_there = next.is_none()
        && is_first
        && displaced.is_some_and(|there| given_back::is_given_back(signum, there.handler()));
    if is_there && given_back::notice(signum, fault.number()) {
        return;
    }
    let next = next.unwrap_or(&Disposition::DEFAULT);
    given_back::give_back(signum, next);
    // The kernel accepted both the number and the disposition before.
    let _ = action::set(signum, next);
}
