//! The system calls that are made by number, each by its library function. These systems keep their own numbers to
//! themselves, so rsig_syscall() is ENOSYS.

#![allow(non_upper_case_globals, reason = "Linux's names")]

use super::own;
use crate::sys::errno;
use crate::sys::sigset::{self, rsig_sigset_t};
use libc::{c_int, c_long, c_uint};

/// Far below the numbers of any system.
const FIRST: c_long = c_long::MIN;
pub(crate) const SYS_accept4: c_long = FIRST;
pub(crate) const SYS_clock_nanosleep: c_long = FIRST + 1;
pub(crate) const SYS_connect: c_long = FIRST + 2;
pub(crate) const SYS_openat: c_long = FIRST + 3;
pub(crate) const SYS_ppoll: c_long = FIRST + 4;
pub(crate) const SYS_read: c_long = FIRST + 5;
pub(crate) const SYS_recvfrom: c_long = FIRST + 6;
pub(crate) const SYS_rt_sigtimedwait: c_long = FIRST + 7;
pub(crate) const SYS_sendto: c_long = FIRST + 8;
pub(crate) const SYS_wait4: c_long = FIRST + 9;
pub(crate) const SYS_write: c_long = FIRST + 10;

/// As FreeBSD has it.
pub(crate) const TIMER_ABSTIME: c_int = 1;
/// The file offset is large always.
pub(crate) const O_LARGEFILE: c_int = 0;

/// The result, or -1 and errno. Async-signal-safe.
///
/// # Safety
/// The arguments are such as Linux's system call allows.
pub(crate) unsafe fn make(number: c_long, arguments: &[c_long; 6]) -> c_long {
    let [a, b, c, d, e, f] = *arguments;
    let (int, size) = (a as c_int, c as usize);
    // SAFETY: the caller's promise.
    unsafe {
        match number {
            // Its flags are 0, always.
            SYS_accept4 => libc::accept(int, b as _, c as _).into(),
            SYS_clock_nanosleep => match own::clock_nanosleep(a as _, b as c_int, c as _) {
                0 => 0,
                error => fail(error),
            },
            SYS_connect => libc::connect(int, b as _, c as _).into(),
            SYS_openat => libc::openat(int, b as _, c as c_int, d as c_uint).into(),
            SYS_ppoll => {
                let mask = of_linux(d);
                own::ppoll(a as _, b as _, c as _, pointer(&mask)).into()
            }
            SYS_read => libc::read(int, b as _, size) as c_long,
            SYS_recvfrom => libc::recvfrom(int, b as _, size, d as c_int, e as _, f as _) as c_long,
            SYS_rt_sigtimedwait => {
                let set = of_linux(a);
                own::sigtimedwait(pointer(&set), b as _, c as _).into()
            }
            SYS_sendto => libc::sendto(int, b as _, size, d as c_int, e as _, f as _) as c_long,
            SYS_wait4 => libc::wait4(int, b as _, c as c_int, d as _).into(),
            SYS_write => libc::write(int, b as _, size) as c_long,
            _ => fail(libc::ENOSYS),
        }
    }
}

fn fail(error: c_int) -> c_long {
    errno::set(error);
    -1
}

/// The set at an address, which may be 0.
///
/// # Safety
/// It is one that Linux would read.
unsafe fn of_linux(address: c_long) -> Option<libc::sigset_t> {
    // SAFETY: the caller's promise.
    unsafe { (address as *const rsig_sigset_t).as_ref() }.map(|&set| sigset::to_posix(set))
}

fn pointer(set: &Option<libc::sigset_t>) -> *const libc::sigset_t {
    set.as_ref().map_or(std::ptr::null(), std::ptr::from_ref)
}
