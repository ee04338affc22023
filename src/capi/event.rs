//! rsig_fd, rsig_tripped, rsig_tripped_flags, rsig_set_notify.

use super::{answer, status};
use crate::async_safe::pending::PENDING;
use crate::runtime::notify::rsig_notify_t;
use crate::runtime::{notify, waker};
use libc::{c_int, c_void};

/// A descriptor for event loops that is readable exactly while something waits for rsig_pump(). Give it to poll, epoll or
/// a library's loop, and call rsig_pump() when it is readable: there is nothing to read from it, and nothing to write to it or
/// close. A batch of signals costs one write, however many they are. What is pumped while it is still being delivered on another
/// thread can leave it readable with nothing there: until the next pump, which returns 0. It is never 0, 1 or 2, where those are closed. A forked child has one of its own under the same number;
/// an epoll descriptor that was made before the fork still watches the parent's. With EPOLLET, pump until rsig_tripped() is 0: what
/// a handler that refused has left pending makes no new edge.
///
/// @return the descriptor, the same each time, until rsig_fini(); RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_fd() -> c_int {
    answer(waker::descriptor())
}

/// Whether something waits for rsig_pump(): cheap enough for an interpreter's loop.
///
/// @return 1 or 0
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_tripped() -> c_int {
    c_int::from(PENDING.tripped() != 0)
}

/// The word that rsig_tripped() looks at, for those to whom even a call is too much: bit n-1 is set while signal n waits for
/// rsig_pump(). Read it as a volatile or relaxed atomic.
///
/// @return its address, which never changes; never NULL
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_tripped_flags() -> *const u64 {
    PENDING.flags()
}

/// Sets a function that each delivery calls in signal context, on whichever thread it lands, after it is recorded: to tell a
/// runtime by its own means (PyErr_SetInterruptEx, Tcl_AsyncMark, lua_sethook, uv_async_send). It may do only what
/// signal-safety(7) allows, and errno is kept for it. After a change, one that is running on another thread comes to its end.
///
/// Each pair of function and argument is remembered until the process ends, so do not make a new one each time.
///
/// @param fn   the function; NULL for none
/// @param arg  passed to it
/// @return RSIG_OK; RSIG_ERROR_OS for ENOMEM; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. rsig_fini() forgets it.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_set_notify(r#fn: rsig_notify_t, arg: *mut c_void) -> c_int {
    status(notify::set(r#fn, arg))
}
