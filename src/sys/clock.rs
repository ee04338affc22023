//! Durations from seconds, and the monotonic clock.

use libc::timespec;
use std::mem::MaybeUninit;
use std::time::Duration;

/// `seconds` rounded up to the nanosecond, so that a wait is never shorter than was asked for; none
/// where it is negative, infinite or NaN. What no clock can count to becomes the longest duration.
pub(crate) fn duration(seconds: f64) -> Option<Duration> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    let whole = seconds.trunc();
    // `as` saturates; a fraction is left only where `whole` is far below that.
    let nanoseconds = ((seconds - whole) * 1e9).ceil() as u64;
    Some(Duration::from_secs(whole as u64).saturating_add(Duration::from_nanos(nanoseconds)))
}

/// The monotonic clock's reading.
pub(crate) fn now() -> Duration {
    let mut now = MaybeUninit::<timespec>::zeroed();
    // SAFETY: `now` is room for a timespec; a clock that every Linux has cannot fail, and were it to,
    // zero is a timespec too.
    let now = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr());
        now.assume_init()
    };
    Duration::from_secs(u64::try_from(now.tv_sec).unwrap_or(0))
        .saturating_add(Duration::from_nanos(u64::try_from(now.tv_nsec).unwrap_or(0)))
}

/// When `timeout` from now is over: a moment of that clock, or zero for at once, which needs no clock.
pub(crate) fn deadline(timeout: Duration) -> Duration {
    match timeout {
        Duration::ZERO => Duration::ZERO,
        timeout => now().saturating_add(timeout),
    }
}

/// How long it is until `deadline`.
pub(crate) fn left(deadline: Duration) -> Duration {
    match deadline {
        Duration::ZERO => Duration::ZERO,
        deadline => difference(deadline, now()),
    }
}

/// Duration's own saturating_sub(), without the panic that the compiler cannot see to be out of reach there.
fn difference(later: Duration, earlier: Duration) -> Duration {
    let Some(seconds) = later.as_secs().checked_sub(earlier.as_secs()) else {
        return Duration::ZERO;
    };
    // With a second that is borrowed, so that it is above 0.
    let nanoseconds = 1_000_000_000u64
        .wrapping_add(later.subsec_nanos().into())
        .wrapping_sub(earlier.subsec_nanos().into());
    Duration::from_secs(seconds)
        .saturating_add(Duration::from_nanos(nanoseconds))
        .saturating_sub(Duration::from_secs(1))
}

/// For the kernel; what its clock cannot count to is cut to the longest that it can.
pub(crate) fn to_timespec(duration: Duration) -> timespec {
    timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().try_into().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_up() {
        assert_eq!(duration(0.0), Some(Duration::ZERO));
        assert_eq!(duration(-0.0), Some(Duration::ZERO));
        assert_eq!(duration(1e-12), Some(Duration::from_nanos(1)));
        assert_eq!(duration(f64::from_bits(1)), Some(Duration::from_nanos(1)));
        assert_eq!(duration(1.5), Some(Duration::from_millis(1500)));
        assert_eq!(duration(1.0 - f64::EPSILON), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_is_no_duration() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, -1.0] {
            assert_eq!(duration(bad), None);
        }
    }

    #[test]
    fn differences() {
        let moments = [(0, 0), (0, 1), (1, 999_999_999), (2, 0), (2, 1), (u64::MAX - 1, 5)]
            .map(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds));
        for later in moments {
            for earlier in moments {
                assert_eq!(difference(later, earlier), later.saturating_sub(earlier));
            }
        }
    }

    #[test]
    fn huge_saturates() {
        let longest = duration(f64::MAX).map(to_timespec);
        assert_eq!(longest.map(|longest| longest.tv_sec), Some(libc::time_t::MAX));
    }
}
