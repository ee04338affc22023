//! Sets of signals as one 64-bit word, bit n-1 for signal n: the kernel's layout.

use crate::sys::signals;
use crate::sys::system::sigset::Word;
use libc::c_int;
use std::mem::MaybeUninit;

/// A set of signals: bit n-1 is signal n, the layout of the kernel and of `SigBlk` in
/// `/proc/PID/status`. 0 is the empty set, `RSIG_SIGSET(n)` the set of signal n alone, and `|`, `&`
/// and `~` do what they say. Bits outside rsig_valid_signals() are ignored in masks and in
/// what is waited for; rsig_channel_open() refuses them.
#[allow(non_camel_case_types)]
pub type rsig_sigset_t = u64;

/// The set of `signum` alone, or the empty set where the number is out of range.
pub(crate) fn one(signum: c_int) -> rsig_sigset_t {
    match signals::index(signum) {
        Some(index) => 1u64.wrapping_shl(index as u32),
        None => 0,
    }
}

/// The lowest signal of `set` above `after`, or 0.
pub(crate) fn next(set: rsig_sigset_t, after: c_int) -> c_int {
    let above = match u32::try_from(after) {
        Ok(after) => u64::MAX.checked_shl(after).unwrap_or(0),
        Err(_) => u64::MAX,
    };
    match set & above {
        0 => 0,
        rest => rest.trailing_zeros().wrapping_add(1) as c_int,
    }
}

/// The C library's form: an array of words, signal 1 being the lowest bit of the first, so the copy goes word by word rather
/// than signal by signal.
pub(crate) fn to_posix(set: rsig_sigset_t) -> libc::sigset_t {
    // SAFETY: an all-zero sigset_t is the empty set.
    let mut posix = unsafe { MaybeUninit::<libc::sigset_t>::zeroed().assume_init() };
    write_posix(&mut posix, set);
    posix
}

/// Writes the first 64 bits alone: in a signal handler's context the kernel has put no more.
pub(crate) fn write_posix(posix: &mut libc::sigset_t, set: rsig_sigset_t) {
    let first = std::ptr::from_mut(posix).cast::<Word>();
    for (at, shift) in words() {
        // SAFETY: it stays within the first BITS, and sigset_t holds as many.
        unsafe { first.add(at).write(set.wrapping_shr(shift) as Word) };
    }
}

/// From the C library's form.
pub(crate) fn from_posix(posix: &libc::sigset_t) -> rsig_sigset_t {
    let first = std::ptr::from_ref(posix).cast::<Word>();
    let mut set = 0;
    for (at, shift) in words() {
        // SAFETY: as in to_posix; `posix` is a whole, initialised sigset_t.
        set |= u64::from(unsafe { first.add(at).read() }).wrapping_shl(shift);
    }
    set
}

/// The bits of the first 64 signals, as far as the system has so many.
const BITS: u32 = if size_of::<libc::sigset_t>() < 8 { 32 } else { 64 };

/// Index and shift of each word that they occupy.
fn words() -> impl Iterator<Item = (usize, u32)> {
    (0..).zip((0..BITS).step_by(Word::BITS as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sets_the_bit_below_the_number() {
        assert_eq!(one(1), 1);
        assert_eq!(one(64), 1 << 63);
        for bad in [0, -1, 65, c_int::MIN, c_int::MAX] {
            assert_eq!(one(bad), 0);
        }
    }

    #[test]
    fn next_walks_upwards_and_ends() {
        let set = one(1) | one(33) | one(64);
        assert_eq!(next(set, 0), 1);
        assert_eq!(next(set, c_int::MIN), 1);
        assert_eq!(next(set, 1), 33);
        assert_eq!(next(set, 33), 64);
        for end in [64, 65, c_int::MAX] {
            assert_eq!(next(set, end), 0);
        }
        assert_eq!(next(0, 0), 0);
    }

    #[test]
    fn posix_form_agrees_with_the_c_library() {
        for signum in (1..=31).chain(34..=64) {
            let posix = to_posix(one(signum));
            for other in (1..=31).chain(34..=64) {
                // SAFETY: reads a set that to_posix has made.
                assert_eq!(unsafe { libc::sigismember(&posix, other) == 1 }, other == signum);
            }
            assert_eq!(from_posix(&posix), one(signum));
        }
    }
}
