//! rsig_syscall, and the calls of PEP 475: rsig_open, rsig_read, rsig_write, rsig_accept, rsig_connect, rsig_recv,
//! rsig_send, rsig_waitpid, rsig_poll, rsig_sleep.

use crate::runtime::blocking;
use crate::runtime::call::{self, Answer};
use crate::runtime::error::Result;
use crate::sys::{errno, system_call};
use libc::{
    c_char, c_int, c_long, c_void, mode_t, nfds_t, pid_t, pollfd, size_t, sockaddr, socklen_t,
    ssize_t,
};

/// One attempt at a system call, interruptible without a race. On the main thread it fails with EINTR, without any effect,
/// when something is tripped before it begins; a signal that arrives at whatever instruction before or during the call ends
/// it the same way, also one that lands on another thread, and also where siginterrupt() asked for a restart. No handler
/// runs: call rsig_pump(). A call that has taken effect is never lost or repeated. On other threads, and before rsig_init(), it
/// is syscall(2); where RSIG_RACE_FREE is 0, it is that after a look at what is tripped. On other systems than Linux it is ENOSYS.
///
/// @param nr  SYS_read and so on, from <sys/syscall.h>
/// @param a   the call's arguments, as syscall(2) takes them; the unused ones are ignored
/// @return the call's result; -1 and errno as it has them
///
/// Any thread, before rsig_init() too. Not async-signal-safe, nor a cancellation point. Not for calls that do not return to
/// the caller's stack as it was (vfork, clone, rt_sigreturn). A call with a mask or set of its own (ppoll, pselect6, epoll_pwait,
/// rt_sigsuspend, rt_sigtimedwait) must leave the real-time signal that rsig has taken out of it, or signals that land on other
/// threads do not end it, and rt_sigtimedwait may answer with that number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_syscall(
    nr: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    // SAFETY: the caller's own system call.
    answer(Ok(unsafe { call::once(nr, &[a, b, c, d, e, f]) }))
}

/// open(2) that signals do not end: their handlers run, and it goes on. All functions from here to rsig_sleep() do so, and
/// what is said here holds for each of them: with RSIG_RACE_FREE, a signal that arrives just before the system call is seen by
/// it; on the main thread pending handlers run before and during the call; it ends early only where a handler refuses, and
/// then it is -1, EINTR, and rsig_raised() tells the rest. On other threads, and before rsig_init(), it is the system's call,
/// repeated after EINTR. Such a call has had no effect when it ends with EINTR. A socket's own time limit (SO_RCVTIMEO,
/// SO_SNDTIMEO) begins anew after a signal. The system's own failures leave rsig_error_message() as it was.
///
/// @param path   the file
/// @param flags  O_RDONLY and so on
/// @param mode   permissions, with O_CREAT; else ignored
/// @return a descriptor; -1 and errno as open(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_open(
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) -> c_int {
    // The kernel's own default where a long has 64 bits; elsewhere large files could not be opened.
    let flags = flags | system_call::O_LARGEFILE;
    let arguments = [libc::AT_FDCWD.into(), path as c_long, flags.into(), mode as c_long, 0, 0];
    // SAFETY: the contract of open().
    answer(unsafe { call::retried(system_call::SYS_openat, &arguments) }) as c_int
}

/// read(2); see rsig_open().
///
/// @param fd      a descriptor
/// @param buffer  room for `size` bytes
/// @param size    bytes
/// @return how many were read, 0 at the end; -1 and errno as read(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_read(fd: c_int, buffer: *mut c_void, size: size_t) -> ssize_t {
    let arguments = [fd.into(), buffer as c_long, size as c_long, 0, 0, 0];
    // SAFETY: the contract of read().
    answer(unsafe { call::retried(system_call::SYS_read, &arguments) }) as ssize_t
}

/// write(2); see rsig_open(). What was written in part before a signal is a result, as with the system's.
///
/// @param fd      a descriptor
/// @param buffer  `size` bytes
/// @param size    bytes
/// @return how many were written; -1 and errno as write(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_write(
    fd: c_int,
    buffer: *const c_void,
    size: size_t,
) -> ssize_t {
    let arguments = [fd.into(), buffer as c_long, size as c_long, 0, 0, 0];
    // SAFETY: the contract of write().
    answer(unsafe { call::retried(system_call::SYS_write, &arguments) }) as ssize_t
}

/// accept(2); see rsig_open().
///
/// @param fd       a listening socket
/// @param address  room for the peer's address; may be NULL
/// @param length   the room's size, then the address's; may be NULL with it
/// @return a descriptor; -1 and errno as accept(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_accept(
    fd: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
) -> c_int {
    let arguments = [fd.into(), address as c_long, length as c_long, 0, 0, 0];
    // SAFETY: the contract of accept(). Not every machine has an accept(2) beside accept4(2), which is the same without flags.
    answer(unsafe { call::retried(system_call::SYS_accept4, &arguments) }) as c_int
}

/// connect(2); see rsig_open(). A connection that was being made when a signal came goes on being made, as POSIX wants it, and
/// this waits for it. Where a handler refuses, that is also what EINTR means: it may yet be made.
///
/// @param fd       a socket
/// @param address  the peer's
/// @param length   its size in bytes
/// @return 0; -1 and errno as connect(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_connect(
    fd: c_int,
    address: *const sockaddr,
    length: socklen_t,
) -> c_int {
    // SAFETY: the contract of connect().
    answer(unsafe { blocking::connect(fd, address, length) }) as c_int
}

/// recv(2); see rsig_open().
///
/// @param fd      a socket
/// @param buffer  room for `size` bytes
/// @param size    bytes
/// @param flags   MSG_PEEK and so on
/// @return how many were received, 0 at the end; -1 and errno as recv(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_recv(
    fd: c_int,
    buffer: *mut c_void,
    size: size_t,
    flags: c_int,
) -> ssize_t {
    let arguments = [fd.into(), buffer as c_long, size as c_long, flags.into(), 0, 0];
    // SAFETY: the contract of recv().
    answer(unsafe { call::retried(system_call::SYS_recvfrom, &arguments) }) as ssize_t
}

/// send(2); see rsig_open(). What was sent in part before a signal is a result, as with the system's.
///
/// @param fd      a socket
/// @param buffer  `size` bytes
/// @param size    bytes
/// @param flags   MSG_NOSIGNAL and so on
/// @return how many were sent; -1 and errno as send(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_send(
    fd: c_int,
    buffer: *const c_void,
    size: size_t,
    flags: c_int,
) -> ssize_t {
    let arguments = [fd.into(), buffer as c_long, size as c_long, flags.into(), 0, 0];
    // SAFETY: the contract of send().
    answer(unsafe { call::retried(system_call::SYS_sendto, &arguments) }) as ssize_t
}

/// waitpid(2); see rsig_open().
///
/// @param pid      a child; -1 for any, and so on
/// @param status   room for its status; may be NULL
/// @param options  WNOHANG and so on
/// @return the child's pid; 0 with WNOHANG when there is none; -1 and errno as waitpid(2) has it
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_waitpid(
    pid: pid_t,
    status: *mut c_int,
    options: c_int,
) -> pid_t {
    let arguments = [pid.into(), status as c_long, options.into(), 0, 0, 0];
    // SAFETY: the contract of waitpid().
    answer(unsafe { call::retried(system_call::SYS_wait4, &arguments) }) as pid_t
}

/// poll(2); see rsig_open(). After a signal it goes on with the time that is left, on the monotonic clock.
///
/// @param fds      the descriptors
/// @param n        how many
/// @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
/// @return how many are ready; 0 when the time is over; -1 and errno as poll(2) has it, or EINVAL for a timeout that is NaN or
///         infinite
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_poll(fds: *mut pollfd, n: nfds_t, timeout: f64) -> c_int {
    let result = match blocking::limit(timeout) {
        // SAFETY: the contract of poll().
        Ok(timeout) => unsafe { blocking::poll(fds, n, timeout) },
        Err(error) => Err(error),
    };
    answer(result) as c_int
}

/// Sleeps; see rsig_open(). After a signal it goes on with the time that is left, on the monotonic clock.
///
/// @param seconds  0 or more, rounded up to the nanosecond
/// @return 0; -1 and errno: EINTR where a handler refused, EINVAL for a time that is negative, NaN or infinite
///
/// Any thread. Not async-signal-safe, nor a cancellation point.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_sleep(seconds: f64) -> c_int {
    let result = match blocking::duration(seconds, "time") {
        Ok(duration) => blocking::sleep(duration),
        Err(error) => Err(error),
    };
    answer(result) as c_int
}

/// A system call's result as C has it: -1 and errno for the system's failure and for rsig's alike.
fn answer(result: Result<Answer>) -> c_long {
    let number = match result {
        Ok(Ok(value)) => return value,
        Ok(Err(number)) => number,
        Err(error) => error.errno as c_int,
    };
    errno::set(number);
    -1
}
