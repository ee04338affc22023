//! rsig_dump, rsig_dump_json.

use super::status;
use crate::runtime::dump;
use libc::c_int;

/// Writes the state of every signal as a table: a heading, then a line for each of rsig_valid_signals(), in ascending
/// order. For people; programs read rsig_dump_json(). The columns:
///
/// - NO, NAME: the number, and the name as rsig_signame() has it
/// - DISPOSITION: asked of the kernel now, in rsig_getsignal()'s terms: "default", "ignored", "rsig" for a function that
///   rsig_signal() has set, "foreign" for a handler that is not rsig's; channels change nothing here
/// - RESTART: whether that handler lets system calls go on (SA_RESTART)
/// - BLOCKED: by the calling thread
/// - PENDING: blocked and waiting in the kernel, for the calling thread or for the process
/// - TRIPPED: delivered and waiting for rsig_pump()
/// - DELIVERIES: how many rsig has recorded since rsig_init(), in a forked child since the fork; for standard signals, of
///   which the kernel merges what it has not delivered yet, fewer than were sent
/// - CHANNELS: how many listen
/// - NOTE: "-", or that this is the signal with which rsig interrupts its own main thread; its disposition is then shown as
///   the program has made it, while /proc/PID/status has it as caught. Later versions may have other notes, and other
///   columns before this one.
///
/// The facts are taken before the first line is written. Each line is one write(), which goes on where it was partial or
/// interrupted; a descriptor that blocks makes this wait, and handlers do not run meanwhile. A pipe without a reader is EPIPE
/// and never SIGPIPE, a file at its limit (RLIMIT_FSIZE) EFBIG and never SIGXFSZ.
///
/// @param fd  where to write
/// @return RSIG_OK; RSIG_ERROR_OS with what write(2) says, such as EBADF, EPIPE, EAGAIN or ENOSPC, and then a part of the
///         table may be written; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_dump(fd: c_int) -> c_int {
    status(dump::table(fd))
}

/// Writes what rsig_dump() does for programs: an object of JSON (RFC 8259) on a line for each signal, without a heading.
/// Its members are "signum", a number; "name" and "disposition", strings; "restart", "blocked", "pending" and "tripped",
/// true or false; "deliveries" and "channels", numbers; "note", a string or null. Later versions may add others.
///
/// @param fd  where to write
/// @return as rsig_dump()
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_dump_json(fd: c_int) -> c_int {
    status(dump::json(fd))
}
