//! The platform's signals: numbers, names, descriptions.

use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::system::signals::{HARMLESS, MORE, highest_real_time, lowest_real_time};
use libc::c_int;
use std::ffi::CStr;
use std::fmt;
use std::ops::RangeInclusive;

/// The highest signal number; `NSIG` is one more.
pub(crate) const MAX: c_int = 64;
/// The number of signals, for arrays with one place each.
pub(crate) const COUNT: usize = MAX as usize;

/// Where `signum` stands in an array of `COUNT`; none where it is out of range.
pub(crate) fn index(signum: c_int) -> Option<usize> {
    match signum {
        1..=MAX => usize::try_from(signum.wrapping_sub(1)).ok(),
        _ => None,
    }
}

pub(crate) struct Standard {
    number: c_int,
    name: &'static CStr,
    description: &'static CStr,
}

pub(crate) const fn standard(
    number: c_int,
    name: &'static CStr,
    description: &'static CStr,
) -> Standard {
    Standard { number, name, description }
}

/// The descriptions are the C library's English ones, so that they never follow the locale.
static POSIX: [Standard; 29] = [
    standard(libc::SIGHUP, c"SIGHUP", c"Hangup"),
    standard(libc::SIGINT, c"SIGINT", c"Interrupt"),
    standard(libc::SIGQUIT, c"SIGQUIT", c"Quit"),
    standard(libc::SIGILL, c"SIGILL", c"Illegal instruction"),
    standard(libc::SIGTRAP, c"SIGTRAP", c"Trace/breakpoint trap"),
    standard(libc::SIGABRT, c"SIGABRT", c"Aborted"),
    standard(libc::SIGBUS, c"SIGBUS", c"Bus error"),
    standard(libc::SIGFPE, c"SIGFPE", c"Floating point exception"),
    standard(libc::SIGKILL, c"SIGKILL", c"Killed"),
    standard(libc::SIGUSR1, c"SIGUSR1", c"User defined signal 1"),
    standard(libc::SIGSEGV, c"SIGSEGV", c"Segmentation fault"),
    standard(libc::SIGUSR2, c"SIGUSR2", c"User defined signal 2"),
    standard(libc::SIGPIPE, c"SIGPIPE", c"Broken pipe"),
    standard(libc::SIGALRM, c"SIGALRM", c"Alarm clock"),
    standard(libc::SIGTERM, c"SIGTERM", c"Terminated"),
    standard(libc::SIGCHLD, c"SIGCHLD", c"Child exited"),
    standard(libc::SIGCONT, c"SIGCONT", c"Continued"),
    standard(libc::SIGSTOP, c"SIGSTOP", c"Stopped (signal)"),
    standard(libc::SIGTSTP, c"SIGTSTP", c"Stopped"),
    standard(libc::SIGTTIN, c"SIGTTIN", c"Stopped (tty input)"),
    standard(libc::SIGTTOU, c"SIGTTOU", c"Stopped (tty output)"),
    standard(libc::SIGURG, c"SIGURG", c"Urgent I/O condition"),
    standard(libc::SIGXCPU, c"SIGXCPU", c"CPU time limit exceeded"),
    standard(libc::SIGXFSZ, c"SIGXFSZ", c"File size limit exceeded"),
    standard(libc::SIGVTALRM, c"SIGVTALRM", c"Virtual timer expired"),
    standard(libc::SIGPROF, c"SIGPROF", c"Profiling timer expired"),
    standard(libc::SIGWINCH, c"SIGWINCH", c"Window changed"),
    standard(libc::SIGIO, c"SIGIO", c"I/O possible"),
    standard(libc::SIGSYS, c"SIGSYS", c"Bad system call"),
];

static ALIASES: [(&CStr, c_int); 3] =
    [(c"SIGCLD", libc::SIGCHLD), (c"SIGPOLL", libc::SIGIO), (c"SIGIOT", libc::SIGABRT)];

/// Name and description of SIGRTMIN+k, counted from below; `kill -l` of bash counts the upper half
/// from SIGRTMAX.
static REAL_TIME: [(&CStr, &CStr); 31] = [
    (c"SIGRTMIN", c"Real-time signal 0"),
    (c"SIGRTMIN+1", c"Real-time signal 1"),
    (c"SIGRTMIN+2", c"Real-time signal 2"),
    (c"SIGRTMIN+3", c"Real-time signal 3"),
    (c"SIGRTMIN+4", c"Real-time signal 4"),
    (c"SIGRTMIN+5", c"Real-time signal 5"),
    (c"SIGRTMIN+6", c"Real-time signal 6"),
    (c"SIGRTMIN+7", c"Real-time signal 7"),
    (c"SIGRTMIN+8", c"Real-time signal 8"),
    (c"SIGRTMIN+9", c"Real-time signal 9"),
    (c"SIGRTMIN+10", c"Real-time signal 10"),
    (c"SIGRTMIN+11", c"Real-time signal 11"),
    (c"SIGRTMIN+12", c"Real-time signal 12"),
    (c"SIGRTMIN+13", c"Real-time signal 13"),
    (c"SIGRTMIN+14", c"Real-time signal 14"),
    (c"SIGRTMIN+15", c"Real-time signal 15"),
    (c"SIGRTMAX-14", c"Real-time signal 16"),
    (c"SIGRTMAX-13", c"Real-time signal 17"),
    (c"SIGRTMAX-12", c"Real-time signal 18"),
    (c"SIGRTMAX-11", c"Real-time signal 19"),
    (c"SIGRTMAX-10", c"Real-time signal 20"),
    (c"SIGRTMAX-9", c"Real-time signal 21"),
    (c"SIGRTMAX-8", c"Real-time signal 22"),
    (c"SIGRTMAX-7", c"Real-time signal 23"),
    (c"SIGRTMAX-6", c"Real-time signal 24"),
    (c"SIGRTMAX-5", c"Real-time signal 25"),
    (c"SIGRTMAX-4", c"Real-time signal 26"),
    (c"SIGRTMAX-3", c"Real-time signal 27"),
    (c"SIGRTMAX-2", c"Real-time signal 28"),
    (c"SIGRTMAX-1", c"Real-time signal 29"),
    (c"SIGRTMAX", c"Real-time signal 30"),
];

/// How far a real-time signal is from SIGRTMIN and from SIGRTMAX; none for any other.
fn real_time(signum: c_int) -> Option<(usize, usize)> {
    let above_lowest = usize::try_from(signum.checked_sub(lowest_real_time())?).ok()?;
    let below_highest = usize::try_from(highest_real_time().checked_sub(signum)?).ok()?;
    Some((above_lowest, below_highest))
}

fn all_standard() -> impl Iterator<Item = &'static Standard> {
    POSIX.iter().chain(&MORE)
}

fn by_number(signum: c_int) -> Option<&'static Standard> {
    all_standard().find(|signal| signal.number == signum)
}

/// The canonical name; none for the numbers that the C library keeps for itself.
pub(crate) fn name(signum: c_int) -> Option<&'static CStr> {
    if let Some(signal) = by_number(signum) {
        return Some(signal.name);
    }
    // The C library may keep another number of signals for itself, so each half counts from its own end.
    let place = match real_time(signum)? {
        (above_lowest @ 0..=15, _) => above_lowest,
        (_, below_highest) => REAL_TIME.len().checked_sub(1)?.checked_sub(below_highest)?,
    };
    REAL_TIME.get(place).map(|&(name, _)| name)
}

/// What the signal says, in English.
pub(crate) fn description(signum: c_int) -> Option<&'static CStr> {
    if let Some(signal) = by_number(signum) {
        return Some(signal.description);
    }
    let (above_lowest, _) = real_time(signum)?;
    REAL_TIME.get(above_lowest).map(|&(_, description)| description)
}

/// The number behind a name: canonical, alias, SIGRTMIN+k or SIGRTMAX-k.
pub(crate) fn number(name: &CStr) -> Option<c_int> {
    if let Some(signal) = all_standard().find(|signal| signal.name == name) {
        return Some(signal.number);
    }
    if let Some(&(_, number)) = ALIASES.iter().find(|&&(alias, _)| alias == name) {
        return Some(number);
    }
    let name = name.to_bytes();
    let (lowest, highest) = (lowest_real_time(), highest_real_time());
    let number = if let Some(rest) = name.strip_prefix(b"SIGRTMIN") {
        lowest.checked_add(distance(rest, b'+')?)?
    } else {
        highest.checked_sub(distance(name.strip_prefix(b"SIGRTMAX")?, b'-')?)?
    };
    (lowest <= number && number <= highest).then_some(number)
}

/// Reads "" as 0, and `sign` with one or two digits as their number.
fn distance(text: &[u8], sign: u8) -> Option<c_int> {
    let digit =
        |byte: u8| char::from(byte).to_digit(10).and_then(|digit| c_int::try_from(digit).ok());
    match *text {
        [] => Some(0),
        [first, low] if first == sign => digit(low),
        [first, high, low] if first == sign => {
            digit(high)?.checked_mul(10)?.checked_add(digit(low)?)
        }
        _ => None,
    }
}

/// All signals but those that the C library keeps for itself, between the standard ones and SIGRTMIN.
pub(crate) fn valid() -> rsig_sigset_t {
    const STANDARD_SIGNALS: rsig_sigset_t = 0x7fff_ffff;
    let below_lowest = u32::try_from(lowest_real_time().wrapping_sub(1)).unwrap_or(0);
    STANDARD_SIGNALS | u64::MAX.checked_shl(below_lowest).unwrap_or(0)
}

/// Whether the C library keeps it for itself.
pub(crate) fn is_the_c_librarys(signum: c_int) -> bool {
    sigset::one(signum) & !valid() != 0
}

/// Whether the C library leaves it to its callers to keep off those; glibc refuses to send them and leaves them out of masks.
pub(crate) const CALLERS_KEEP_OFF: bool = cfg!(target_env = "musl");

/// Whether the default action of a valid signal ends the process. Async-signal-safe.
pub(crate) fn is_deadly(signum: c_int) -> bool {
    let lives_on = matches!(
        signum,
        libc::SIGCHLD
            | libc::SIGCONT
            | libc::SIGURG
            | libc::SIGWINCH
            | libc::SIGSTOP
            | libc::SIGTSTP
            | libc::SIGTTIN
            | libc::SIGTTOU
    );
    !lives_on && !HARMLESS.contains(&signum) && valid() & sigset::one(signum) != 0
}

/// The real-time ones.
pub(crate) fn real_time_numbers() -> RangeInclusive<c_int> {
    lowest_real_time()..=highest_real_time()
}

pub(crate) fn all_real_time() -> rsig_sigset_t {
    real_time_numbers().fold(0, |set, signum| set | sigset::one(signum))
}

/// Those whose action can be changed.
pub(crate) fn changeable() -> rsig_sigset_t {
    valid() & !(sigset::one(libc::SIGKILL) | sigset::one(libc::SIGSTOP))
}

/// A signal as a message names it: "SIGINT (2)", or the number alone.
pub(crate) struct Named(pub(crate) c_int);

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.0).and_then(|name| name.to_str().ok()) {
            Some(name) => write!(out, "{name} ({})", self.0),
            None => write!(out, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_number() {
        for signum in 1..=MAX {
            match name(signum) {
                Some(found) => assert_eq!(number(found), Some(signum), "{found:?}"),
                None => assert!((32..libc::SIGRTMIN()).contains(&signum), "{signum}"),
            }
        }
    }

    #[test]
    fn aliases_and_distances() {
        for (name, expected) in [
            (c"SIGCLD", Some(libc::SIGCHLD)),
            (c"SIGPOLL", Some(libc::SIGIO)),
            (c"SIGIOT", Some(libc::SIGABRT)),
            (c"SIGRTMIN+0", Some(libc::SIGRTMIN())),
            (c"SIGRTMIN+30", Some(libc::SIGRTMIN() + 30)),
            (c"SIGRTMAX-30", Some(libc::SIGRTMAX() - 30)),
            (c"SIGRTMIN+31", None),
            (c"SIGRTMAX-31", None),
            (c"SIGRTMIN+", None),
            (c"SIGRTMIN-1", None),
            (c"SIGRTMAX+1", None),
            (c"SIGRTMIN+ 1", None),
            (c"SIGRTMIN++1", None),
            (c"SIGRTMIN+001", None),
            (c"sigint", None),
            (c"INT", None),
            (c"SIGINT ", None),
            (c"", None),
        ] {
            assert_eq!(number(name), expected, "{name:?}");
        }
    }

    #[test]
    fn valid_are_those_with_a_name() {
        for signum in 1..=MAX {
            let valid = valid() & crate::sys::sigset::one(signum) != 0;
            assert_eq!(valid, name(signum).is_some(), "{signum}");
        }
    }

    #[test]
    fn out_of_range_has_no_name() {
        for bad in [0, -1, 65, c_int::MIN, c_int::MAX] {
            assert!(name(bad).is_none() && description(bad).is_none() && index(bad).is_none());
        }
    }
}
