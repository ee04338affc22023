//! siginfo_t as the kernel lays it out. This is the one place that knows its union.

use crate::sys::siginfo::Origin;
pub(crate) use libc::{SI_QUEUE, SI_TIMER, SI_TKILL};
use libc::{c_int, c_long, siginfo_t};

/// Whether the processor raised it at the interrupted instruction, which would fault again for ever if
/// the signal were deferred. A memory error that nobody has touched yet (BUS_MCEERR_AO) is no such thing.
pub(crate) fn is_fault(signum: c_int, code: c_int) -> bool {
    match signum {
        libc::SIGSEGV | libc::SIGFPE | libc::SIGILL => code > 0,
        libc::SIGBUS => code > 0 && code != libc::BUS_MCEERR_AO,
        _ => false,
    }
}

impl Origin {
    /// Async-signal-safe.
    pub(crate) fn read(info: &siginfo_t) -> Self {
        // SAFETY: `Raw` is siginfo_t as the kernel lays it out (asm-generic/siginfo.h), and no larger.
        let raw = unsafe { &*std::ptr::from_ref(info).cast::<Raw>() };
        let mut origin = Self { code: raw.code, error: raw.error, ..Self::UNKNOWN };
        // SAFETY: every member is made of plain integers, and the kernel clears what it does not fill.
        unsafe {
            match layout(raw.signo, raw.code) {
                Layout::Kill => origin.sender(raw.fields.sender),
                Layout::Queue => {
                    origin.sender(raw.fields.queue.sender);
                    origin.payload(raw.fields.queue.value);
                }
                Layout::Timer => {
                    origin.overrun = raw.fields.timer.overrun;
                    origin.payload(raw.fields.timer.value);
                }
                Layout::Child => {
                    origin.sender(raw.fields.child.sender);
                    origin.status = raw.fields.child.status;
                }
                Layout::Poll => {
                    origin.band = i64::from(raw.fields.poll.band);
                    origin.fd = raw.fields.poll.fd;
                }
                Layout::Fault => {}
            }
        }
        origin
    }

    fn sender(&mut self, sender: Sender) {
        (self.pid, self.uid) = (sender.pid, sender.uid);
    }

    fn payload(&mut self, value: Value) {
        // SAFETY: both members are plain integers here, and the kernel copies the whole union.
        unsafe { (self.value_int, self.value_ptr) = (value.int, value.ptr as u64) };
    }
}

/// Fills in what sigqueue(3) would: SI_QUEUE, the sender, the payload.
pub(crate) fn write_queued(info: &mut siginfo_t, signum: c_int, payload: u64) {
    // SAFETY: as in `Origin::read`; getpid() and getuid() have no arguments.
    unsafe {
        let sender = Sender { pid: libc::getpid(), uid: libc::getuid() };
        let raw = &mut *std::ptr::from_mut(info).cast::<Raw>();
        (raw.signo, raw.code) = (signum, libc::SI_QUEUE);
        raw.fields.queue = Queue { sender, value: Value { ptr: payload as usize } };
    }
}

enum Layout {
    Kill,
    Queue,
    Timer,
    Child,
    Poll,
    Fault,
}

/// Which member of the union is filled: `siginfo_layout()` in the kernel's kernel/signal.c. Where a process has forged
/// its own, a code that no kernel uses counts as kill()'s there, and does here. A USB device's SI_ASYNCIO, which has an
/// address in the sender's place, cannot be told from that of the C library's aio_read().
fn layout(signo: c_int, code: c_int) -> Layout {
    /// SIGPOLL's codes, POLL_IN to POLL_HUP, which F_SETSIG puts into any signal that has no codes of its own.
    const POLL_CODES: std::ops::RangeInclusive<c_int> = 1..=6;
    const CHILD_CODES: std::ops::RangeInclusive<c_int> = libc::CLD_EXITED..=libc::CLD_CONTINUED;
    match (signo, code) {
        (_, libc::SI_TIMER) => Layout::Timer,
        (_, libc::SI_SIGIO) => Layout::Poll,
        // tgkill() has no payload, and its record none to show.
        (_, libc::SI_USER | libc::SI_KERNEL | libc::SI_TKILL) => Layout::Kill,
        (_, ..0) => Layout::Queue,
        (
            libc::SIGILL
            | libc::SIGFPE
            | libc::SIGSEGV
            | libc::SIGBUS
            | libc::SIGTRAP
            | libc::SIGSYS,
            _,
        ) => Layout::Fault,
        (libc::SIGCHLD, code) if CHILD_CODES.contains(&code) => Layout::Child,
        (libc::SIGCHLD, _) => Layout::Kill,
        (_, code) if POLL_CODES.contains(&code) => Layout::Poll,
        _ => Layout::Kill,
    }
}

#[repr(C)]
struct Raw {
    signo: c_int,
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
    error: c_int,
    code: c_int,
    #[cfg(any(target_arch = "mips", target_arch = "mips64"))]
    error: c_int,
    /// Aligned as a pointer is.
    fields: Fields,
}

#[repr(C)]
union Fields {
    sender: Sender,
    queue: Queue,
    timer: Timer,
    child: Child,
    poll: Poll,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Sender {
    pid: i32,
    uid: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Queue {
    sender: Sender,
    value: Value,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Timer {
    _id: c_int,
    overrun: c_int,
    value: Value,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Child {
    sender: Sender,
    status: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Poll {
    band: c_long,
    fd: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
union Value {
    int: c_int,
    ptr: usize,
}

const _: () = assert!(size_of::<Raw>() <= size_of::<siginfo_t>());
