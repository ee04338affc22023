//! alarm(2), setitimer(2), getitimer(2).

use libc::{c_int, c_uint, itimerval, timeval};
use nix::errno::Errno;

/// Seconds until a timer fires, and from then on between two firings; 0 for never.
#[derive(Clone, Copy)]
pub(crate) struct Seconds {
    pub(crate) delay: f64,
    pub(crate) interval: f64,
}

/// alarm(2): what was left of the alarm before, in whole seconds.
pub(crate) fn alarm(seconds: c_uint) -> c_uint {
    // SAFETY: any number is allowed, and there is no failure.
    unsafe { libc::alarm(seconds) }
}

pub(crate) fn set(which: c_int, seconds: Seconds) -> Result<Seconds, Errno> {
    let new = itimerval {
        it_value: to_timeval(seconds.delay).ok_or(Errno::EINVAL)?,
        it_interval: to_timeval(seconds.interval).ok_or(Errno::EINVAL)?,
    };
    let mut old = NEVER;
    // SAFETY: both are whole structures on this stack. The cast is to the type that the C library
    // gives `which`, an enumeration in some headers.
    Errno::result(unsafe { libc::setitimer(which as _, &new, &mut old) })?;
    Ok(from_itimerval(&old))
}

pub(crate) fn get(which: c_int) -> Result<Seconds, Errno> {
    let mut now = NEVER;
    // SAFETY: as in `set`.
    Errno::result(unsafe { libc::getitimer(which as _, &mut now) })?;
    Ok(from_itimerval(&now))
}

const NEVER: itimerval = itimerval {
    it_value: timeval { tv_sec: 0, tv_usec: 0 },
    it_interval: timeval { tv_sec: 0, tv_usec: 0 },
};

/// Rounds up to the microsecond: a delay too small for the clock still arms the timer.
fn to_timeval(seconds: f64) -> Option<timeval> {
    const MICROSECONDS: libc::suseconds_t = 1_000_000;
    // The first second that time_t cannot hold; a power of two, so exact as a double.
    let limit = 2f64.powi(libc::time_t::BITS.wrapping_sub(1) as i32);
    // A NaN is in no range.
    if !(0.0..limit).contains(&seconds) {
        return None;
    }
    // Beyond this the kernel's own clocks, 64 bits of nanoseconds, overflow: getitimer() would tell nonsense.
    const LONGEST: f64 = 9e9;
    let seconds = seconds.min(LONGEST);
    let whole = seconds.trunc();
    let exact = (seconds - whole) * 1e6;
    // What is within a tenth of a nanosecond of a microsecond is that one: what was read from a timer can be given back.
    let nearest = exact.round();
    let is_near = nearest > 0.0 && (exact - nearest).abs() < 1e-4;
    let microseconds = (if is_near { nearest } else { exact.ceil() }) as libc::suseconds_t;
    let (carry, tv_usec) = if microseconds < MICROSECONDS { (0, microseconds) } else { (1, 0) };
    Some(timeval { tv_sec: (whole as libc::time_t).checked_add(carry)?, tv_usec })
}

fn from_timeval(value: timeval) -> f64 {
    value.tv_sec as f64 + value.tv_usec as f64 / 1e6
}

fn from_itimerval(value: &itimerval) -> Seconds {
    Seconds { delay: from_timeval(value.it_value), interval: from_timeval(value.it_interval) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seconds: f64) -> Option<(i64, i64)> {
        to_timeval(seconds).map(|value| (value.tv_sec as i64, value.tv_usec as i64))
    }

    #[test]
    fn rounds_up_to_the_microsecond() {
        assert_eq!(parts(0.0), Some((0, 0)));
        assert_eq!(parts(-0.0), Some((0, 0)));
        assert_eq!(parts(1e-9), Some((0, 1)));
        assert_eq!(parts(f64::from_bits(1)), Some((0, 1)));
        assert_eq!(parts(0.1), Some((0, 100_000)));
        assert_eq!(parts(2.5), Some((2, 500_000)));
        assert_eq!(parts(1.0 - f64::EPSILON), Some((1, 0)));
    }

    #[test]
    fn what_was_read_can_be_given_back() {
        for tv_usec in 0..1_000_000 {
            let tv_sec = tv_usec % 1000;
            let seconds = from_timeval(timeval { tv_sec, tv_usec });
            assert_eq!(parts(seconds), Some((tv_sec, tv_usec)));
        }
    }

    #[test]
    fn what_no_timer_can_hold() {
        let limit = 2f64.powi(libc::time_t::BITS as i32 - 1);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, -1.0, limit, 1e300] {
            assert_eq!(parts(bad), None, "{bad}");
        }
        assert_eq!(parts(limit / 2.0), parts(9e9));
    }
}
