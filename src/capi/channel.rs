//! rsig_channel_open, rsig_channel_fd, rsig_channel_read, rsig_channel_wait, rsig_channel_close.

use super::{answer, require, status, store};
use crate::runtime::blocking::limit;
use crate::runtime::channel::{self, Handle};
use crate::runtime::main_thread;
use crate::runtime::siginfo::rsig_siginfo_t;
use crate::sys::sigset::rsig_sigset_t;
use libc::{c_int, size_t};

/// A listener to signals, opaque: what points to it is a number, not an address. One that is closed is known as such for ever,
/// whatever is open by then; with pointers of 32 bits until 16 million others have been open, one after the other.
#[allow(non_camel_case_types)]
pub struct rsig_channel {
    _private: [u8; 0],
}

/// The same, as POSIX names its types.
#[allow(non_camel_case_types)]
pub type rsig_channel_t = rsig_channel;

/// Opens a channel: from now on it gets its own copy of each delivery of the signals of a set, on whichever thread, with its
/// siginfo, in the order in which they were recorded, whether or not a handler is registered. (Signals that become unblocked
/// together are recorded in the order in which the kernel runs their handlers, and the last one's begins first: often the higher
/// numbers come before the lower.) Each part of a program, each
/// thread and each event loop can have its own; none takes anything from the others.
///
/// For a signal that has no handler of rsig's, its low-level handler is installed until the last channel for it is closed. The
/// default action does not happen meanwhile, nor is the signal ignored; a handler that somebody else has installed is called
/// all the same, with its own mask and flags and on its own stack, after the delivery is recorded, a one-shot one
/// (SA_RESETHAND) once; where there is none the program's own system calls are restarted where they can be (SA_RESTART), but
/// for SIGTTIN and SIGTTOU: the kernel would refuse a background job's call again, for ever, and it fails with EINTR, rsig_read() and its
/// kin too. What
/// the sigwait family accepts was not delivered, and no channel has it; what rsig_dispatch() accepts was. rsig_getsignal() and rsig_signal() see and change what would be there without
/// channels. A child that does exec has the default action where the signal was ignored, unless it calls rsig_restore_signals().
///
/// The memory is bounded. When `capacity` records wait, later deliveries are folded into one record for each signal number,
/// with their `count`, until the reader has read all that was before: no number is lost, and the counts add up to the
/// deliveries. A forked child's channels are open and empty; rsig_fini() closes all.
///
/// @param set       the signals; not SIGKILL or SIGSTOP
/// @param capacity  records, 1 to 65536
/// @param channel   room for the channel
/// @return RSIG_OK; RSIG_ERROR_VALUE for an empty set, a capacity out of range, or NULL; RSIG_ERROR_OS with EINVAL for a signal
///         that cannot be handled, EMFILE where 256 channels are open, ENOMEM; RSIG_ERROR_STATE. After a failure
///         nothing has changed.
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_channel_open(
    set: rsig_sigset_t,
    capacity: u32,
    channel: *mut *mut rsig_channel_t,
) -> c_int {
    let result = main_thread::require_init()
        .and_then(|()| require(channel, "channel"))
        .and_then(|()| channel::open(set, capacity));
    // SAFETY: NULL or room, by contract.
    status(result.map(|handle| unsafe { store(channel, handle.number() as *mut rsig_channel_t) }))
}

/// A descriptor for event loops that is readable exactly while a record waits, level-triggered: give it to poll, epoll or a
/// library's loop, and call rsig_channel_read() when it is readable. There is nothing to read from it, and nothing to write to
/// it or close. A batch of signals costs one write, however many they are; without this call, none. A record that is read while
/// its signal is still being delivered on another thread can leave it readable with nothing there: until the next read, which
/// returns 0. A forked child has its own under the same number; an epoll descriptor that was made before the fork still watches the
/// parent's.
///
/// @param channel  an open channel
/// @return the descriptor, the same each time, until rsig_channel_close(); RSIG_ERROR_VALUE for a channel that is not open;
///         RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_channel_fd(channel: *const rsig_channel_t) -> c_int {
    answer(channel::fd(Handle::of(channel.addr())))
}

/// Takes records from a channel, the oldest first. Never blocks. Several threads may read the same channel: each record goes to
/// one of them.
///
/// @param channel  an open channel
/// @param infos    room for `max` records; may be NULL where `max` is 0
/// @param max      how many at most
/// @return how many were taken; 0: none waits; RSIG_ERROR_VALUE for a channel that is not open, or NULL; RSIG_ERROR_STATE
///
/// Any thread. Runs no handlers. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsig_channel_read(
    channel: *mut rsig_channel_t,
    infos: *mut rsig_siginfo_t,
    max: size_t,
) -> c_int {
    let checked = main_thread::require_init()
        .and_then(|()| if max == 0 { Ok(()) } else { require(infos, "infos") });
    let max = max.min(c_int::MAX as usize);
    // SAFETY: room for `max` records, by contract.
    let put = |index, info| unsafe { infos.add(index).write(info) };
    let handle = Handle::of(channel.addr());
    answer(checked.and_then(|()| channel::read(handle, max, put)).map(|count| count as c_int))
}

/// Waits for a record and takes it. On the main thread pending handlers run before and meanwhile, signals that land just before it
/// sleeps included, and it goes on with the time that is left; a handler that refuses ends it.
///
/// @param channel  an open channel; closed meanwhile, it ends the wait
/// @param info     room for the record
/// @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
/// @return 1; 0 when the time is over; RSIG_ERROR_HANDLER if a handler refused, and then no record was taken; RSIG_ERROR_VALUE for a
///         channel that is not open, a timeout that is NaN or infinite, or NULL; RSIG_ERROR_OS for EMFILE, ENFILE or
///         ENOMEM: it waits with the channel's descriptor; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_channel_wait(
    channel: *mut rsig_channel_t,
    info: *mut rsig_siginfo_t,
    timeout: f64,
) -> c_int {
    let handle = Handle::of(channel.addr());
    let limit = main_thread::require_init()
        .and_then(|()| require(info, "info"))
        .and_then(|()| limit(timeout));
    answer(limit.and_then(|timeout| channel::wait(handle, timeout)).map(|next| match next {
        None => 0,
        Some(record) => {
            // SAFETY: room, by contract.
            unsafe { store(info, record) };
            1
        }
    }))
}

/// Closes a channel. What waits in it is gone; deliveries on their way to it do no harm. For signals that no other channel listens
/// to, what was there before is put back. A handler that somebody else has installed over rsig's stays; who puts rsig's back
/// later gets the action that it stood for when it was saved.
///
/// @param channel  an open channel
/// @return RSIG_OK; RSIG_ERROR_VALUE for a channel that is not open; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_channel_close(channel: *mut rsig_channel_t) -> c_int {
    status(channel::close(Handle::of(channel.addr())))
}
