//! rsig_strsignal, rsig_signame, rsig_signum, rsig_constant, rsig_valid_signals.

use super::{answer, require, status, store};
use crate::runtime::error::{Error, Result};
use crate::sys::errno;
use crate::sys::signals;
use crate::sys::sigset::rsig_sigset_t;
use libc::c_int;
use std::ffi::{CStr, c_char};

/// What a signal says, in English: "Interrupt", "Segmentation fault", "Real-time signal 3".
///
/// @param signum  1 to NSIG-1
/// @return a static string, never localised; NULL with errno 0 for the C library's own real-time signals, which have
///         no description; NULL with EINVAL for a number out of range
///
/// Any thread, before rsig_init() too. Not async-signal-safe. Unlike strsignal(3) it is thread-safe and knows no
/// "Unknown signal".
#[unsafe(no_mangle)]
pub extern "C" fn rsig_strsignal(signum: c_int) -> *const c_char {
    text(signum, signals::description)
}

/// A signal's name: "SIGINT", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-2". A number with several names has the one that
/// Python shows: SIGCHLD, SIGIO, SIGABRT.
///
/// @param signum  1 to NSIG-1
/// @return a static string; NULL with errno 0 for the C library's own real-time signals, which have no name; NULL with
///         EINVAL for a number out of range
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_signame(signum: c_int) -> *const c_char {
    text(signum, signals::name)
}

fn text(signum: c_int, lookup: fn(c_int) -> Option<&'static CStr>) -> *const c_char {
    if signals::index(signum).is_none() {
        answer(Err(Error::signum(signum)));
        return std::ptr::null();
    }
    match lookup(signum) {
        Some(text) => text.as_ptr(),
        None => {
            errno::set(0);
            std::ptr::null()
        }
    }
}

/// The number of a signal's name.
///
/// @param name  a name with its SIG, in capitals: those of rsig_signame(), SIGCLD, SIGPOLL and SIGIOT, SIGRTMIN+k and
///              SIGRTMAX-k, k from 0 with one or two digits
/// @return the number; RSIG_ERROR_VALUE for NULL or a name that no signal of this platform has
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_signum(name: *const c_char) -> c_int {
    // SAFETY: NULL or a C string, by contract.
    answer(unsafe { c_str(name) }.and_then(|name| {
        signals::number(name)
            .ok_or_else(|| Error::value(format_args!("no signal is called {}", Shown(name))))
    }))
}

/// The value of a constant of Python's signal module, for callers that cannot read C headers: each SIG name of
/// rsig_signum(), SIG_DFL, SIG_IGN, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF and
/// NSIG. SIG_DFL and SIG_IGN are also the values of RSIG_DFL and RSIG_IGN.
///
/// @param name   the constant's name
/// @param value  room for its value
/// @return RSIG_OK; RSIG_ERROR_UNSUPPORTED for a constant that only other platforms have (CTRL_C_EVENT, CTRL_BREAK_EVENT,
///         SIGBREAK, SIGEMT, SIGINFO, SIGLOST); RSIG_ERROR_VALUE for an unknown name or NULL
///
/// Any thread, before rsig_init() too. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_constant(name: *const c_char, value: *mut c_int) -> c_int {
    // SAFETY: NULL or a C string, by contract.
    let result = unsafe { c_str(name) }
        .and_then(|name| require(value, "value").and_then(|()| constant(name)));
    // SAFETY: NULL or room, by contract.
    status(result.map(|found| unsafe { store(value, found) }))
}

fn constant(name: &CStr) -> Result<c_int> {
    match name.to_bytes() {
        b"SIG_DFL" => Ok(libc::SIG_DFL as c_int),
        b"SIG_IGN" => Ok(libc::SIG_IGN as c_int),
        b"SIG_BLOCK" => Ok(libc::SIG_BLOCK),
        b"SIG_UNBLOCK" => Ok(libc::SIG_UNBLOCK),
        b"SIG_SETMASK" => Ok(libc::SIG_SETMASK),
        b"ITIMER_REAL" => Ok(libc::ITIMER_REAL as c_int),
        b"ITIMER_VIRTUAL" => Ok(libc::ITIMER_VIRTUAL as c_int),
        b"ITIMER_PROF" => Ok(libc::ITIMER_PROF as c_int),
        b"NSIG" => Ok(signals::MAX.saturating_add(1)),
        b"CTRL_C_EVENT" | b"CTRL_BREAK_EVENT" | b"SIGBREAK" | b"SIGEMT" | b"SIGINFO"
        | b"SIGLOST" => {
            Err(Error::unsupported(format_args!("this platform has no {}", Shown(name))))
        }
        _ => signals::number(name)
            .ok_or_else(|| Error::value(format_args!("no constant is called {}", Shown(name)))),
    }
}

/// All signals that a program may use on this platform: 1 to NSIG-1 but for the C library's own real-time signals.
///
/// @return the set
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_valid_signals() -> rsig_sigset_t {
    signals::valid()
}

/// # Safety
/// `name` is NULL or a C string that lives until the call from C returns.
unsafe fn c_str<'a>(name: *const c_char) -> Result<&'a CStr> {
    require(name, "name")?;
    // SAFETY: not NULL, and else the caller's promise.
    Ok(unsafe { CStr::from_ptr(name) })
}

/// A caller's string in a message, whatever bytes it has.
struct Shown<'a>(&'a CStr);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "\"{}\"", self.0.to_bytes().escape_ascii())
    }
}
