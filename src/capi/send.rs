//! rsig_raise_signal, rsig_pthread_kill, rsig_get_ident, and what runs no handlers: rsig_kill, rsig_sigqueue,
//! rsig_thread_kill, rsig_pidfd_open, rsig_pidfd_send_signal.

use super::{answer, status};
use crate::runtime::error::Error;
use crate::runtime::{main_thread, send};
use crate::sys::thread;
use libc::{c_int, c_uint, c_void, pid_t, pthread_t};

/// Sends a signal to the calling thread. On the main thread its handler has run when this returns, unless the signal
/// is blocked.
///
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_ERROR_HANDLER if a handler refused;
///         RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. See raise(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rsig_raise_signal(signum: c_int) -> c_int {
    status(send::raise(signum))
}

/// Sends a signal to a thread of this process. Wherever it lands, its handler runs on the main thread. Called on the
/// main thread, pending handlers run before this returns.
///
/// @param thread  a thread that has not been joined, nor has ended detached: for such a one the behaviour is
///                undefined, as with pthread_kill(3)
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_OK or ESRCH, as the system has it, for a thread
///         that has ended and has not been joined;
///         RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsig_pthread_kill(thread: pthread_t, signum: c_int) -> c_int {
    // SAFETY: the contract above.
    status(unsafe { send::kill_thread(thread, signum) })
}

/// The calling thread, as rsig_pthread_kill() takes it: pthread_self(). (Python: threading.get_ident().)
///
/// Any thread. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_get_ident() -> pthread_t {
    thread::current()
}

/// Sends a signal to a process or a group of processes.
///
/// @param pid     above 0: that process; 0: the caller's process group; -1: every process that the caller may send to, but
///                process 1 and, on Linux, itself; below -1: the process group -pid
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number, ESRCH for no such process or group, EPERM without
///         permission for any of them; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Runs no handlers, also where the caller is among the receivers: what it sends to its
/// own process waits for rsig_pump(). A process that has ended and has not been waited for takes signals; after that its
/// number may be another's, which rsig_pidfd_send_signal() rules out. Python: os.kill(), os.killpg(). See kill(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_kill(pid: pid_t, signum: c_int) -> c_int {
    status(send::kill(pid, signum))
}

/// Sends a signal with a payload to a process. Of a real-time signal (SIGRTMIN to SIGRTMAX) each one arrives, in order, and
/// none without its payload.
///
/// @param pid     the process; groups cannot be sent to
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @param value   the payload, which the receiver finds in `value_ptr` (si_value.sival_ptr); a process of 32 bits sees the low 32
///                bits. `value_int` (sival_int) is its low 32 bits, on big-endian processors of 64 bits the high ones
/// @return RSIG_OK; RSIG_ERROR_OS with EAGAIN where the receiver's queue of signals is full (RLIMIT_SIGPENDING): nothing was
///         sent, and what was queued before stays; EINVAL for an invalid number, ESRCH for no such process, EPERM without
///         permission; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Runs no handlers: what it sends to its own process waits for rsig_pump(). Of the
/// other signals (below SIGRTMIN) the kernel keeps one at a time: while one is pending, RSIG_OK does not mean that this payload
/// arrives; nor does it where the queue is full, as then the receiver gets such a signal with neither payload nor sender.
/// See sigqueue(3).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_sigqueue(pid: pid_t, signum: c_int, value: u64) -> c_int {
    status(send::queue(pid, signum, value))
}

/// Sends a signal to a thread of this process by the kernel's number for it, which may be that of a thread that has ended.
/// Wherever it lands, its handler runs on the main thread.
///
/// @param tid     from gettid(2)
/// @param signum  1 to NSIG-1; 0 checks and sends nothing
/// @return RSIG_OK; RSIG_ERROR_OS with ESRCH where this process has no such thread (any more), even if another process has it;
///         EINVAL for a tid of 0 or less, an invalid number, and the C library's own signals between SIGSYS and SIGRTMIN; EAGAIN,
///         for a real-time signal, where the queue of signals is full (RLIMIT_SIGPENDING), and then nothing was sent;
///         RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Unlike rsig_pthread_kill(), it is defined for a thread that has ended, and runs no
/// handlers: what is pending waits for rsig_pump(). The kernel may give a dead thread's number to a new thread, of this process
/// too. See tgkill(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_thread_kill(tid: pid_t, signum: c_int) -> c_int {
    status(send::kill_thread_id(tid, signum))
}

/// Opens a descriptor that stands for a process: for rsig_pidfd_send_signal(); readable for poll() when the process has ended.
///
/// @param pid    the process, above 0
/// @param flags  0, or what the kernel defines: PIDFD_NONBLOCK (O_NONBLOCK, Linux 5.10), PIDFD_THREAD (O_EXCL, Linux 6.9), with
///               which `pid` is a thread's number
/// @return the descriptor, close-on-exec, to be closed with close(); RSIG_ERROR_OS with ESRCH for no such process, EINVAL
///         for a pid of 0 or less or flags that this kernel does not know, EINVAL or ENOENT, as the kernel has it, for a thread's
///         number without PIDFD_THREAD, EMFILE, ENFILE, ENODEV, ENOMEM; RSIG_ERROR_UNSUPPORTED before Linux 5.3;
///         RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Runs no handlers. Race-free for the caller's own child that has not been waited for; any
/// other number may be another process's by now. Python: os.pidfd_open(). See pidfd_open(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_pidfd_open(pid: pid_t, flags: c_uint) -> c_int {
    answer(send::open_pidfd(pid, flags))
}

/// Sends a signal to the process behind a descriptor, which cannot have become another one's meanwhile.
///
/// @param pidfd    from rsig_pidfd_open(), clone(2), or an open /proc/PID directory
/// @param signum   1 to NSIG-1; 0 checks and sends nothing
/// @param siginfo  NULL; for later
/// @param flags    0: what the descriptor stands for, a process or (PIDFD_THREAD) a thread. From Linux 6.9 one of
///                 PIDFD_SIGNAL_THREAD (1): that one thread; PIDFD_SIGNAL_THREAD_GROUP (2): its process;
///                 PIDFD_SIGNAL_PROCESS_GROUP (4): the process group that it leads. They and later ones are passed through; a
///                 kernel that does not know them says EINVAL and sends nothing
/// @return RSIG_OK; RSIG_ERROR_VALUE for a siginfo that is not NULL; RSIG_ERROR_OS with EBADF for no pidfd, EINVAL for an
///         invalid number or flags, EPERM without permission, ESRCH when the process has ended and been waited for;
///         RSIG_ERROR_UNSUPPORTED before Linux 5.1; RSIG_ERROR_STATE
///
/// Any thread. Not async-signal-safe. Runs no handlers, as in Python: what it sends to its own process waits for
/// rsig_pump(). See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub extern "C" fn rsig_pidfd_send_signal(
    pidfd: c_int,
    signum: c_int,
    siginfo: *const c_void,
    flags: c_uint,
) -> c_int {
    let result = main_thread::require_init().and_then(|()| {
        if siginfo.is_null() {
            send::kill_pidfd(pidfd, signum, flags)
        } else {
            Err(Error::value(format_args!("siginfo must be NULL")))
        }
    });
    status(result)
}
