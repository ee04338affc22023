/*
 * rsig: signal handlers as ordinary code. Made from the library's source by cbindgen; do not edit.
 *
 * The kernel's handler only records. rsig_pump(), called on the main thread wherever the program can
 * be interrupted, runs the handlers that rsig_signal() has set: as ordinary code, which may allocate,
 * lock, print, throw. Link with `pkg-config --cflags --libs rsig`.
 *
 * Conventions, not repeated below:
 * - A function that can fail returns an int: negative is an rsig_status, zero or more is the result.
 *   On failure errno is set too, and rsig_error_message() has a sentence for it. What a function would
 *   have stored is then left untouched.
 * - The main thread is the one that called rsig_init(), or rsig_set_main_thread() since. After fork() it
 *   is, in the child, the thread that forked; the child starts with nothing pending. vfork(), clone() and
 *   _Fork() run no fork handlers: between them and exec, call nothing of rsig's but rsig_restore_signals()
 *   and rsig_die().
 * - rsig_fd() opens an eventfd, close-on-exec, and keeps it until rsig_fini(). Leave it open, whatever else
 *   the program closes.
 * - rsig_syscall(), rsig_open() to rsig_sleep() and the waits take a real-time signal to interrupt the main
 *   thread with: the highest that has its default action, and is not blocked if there is such a one. Through
 *   rsig the program may use that number like any other. rsig_fini() gives it back.
 * - RSIG_ERROR_STATE: rsig_init() was not called. RSIG_ERROR_THREAD: this is not the main thread.
 *   RSIG_ERROR_HANDLER: a handler that ran meanwhile refused; see rsig_raised(). RSIG_ERROR_UNSUPPORTED: this kernel,
 *   or a sandbox that answers ENOSYS, does not have a system call that it takes.
 * - Functions that can return RSIG_ERROR_HANDLER let a handler's C++ exception or longjmp() through, and
 *   so do rsig_open() to rsig_sleep().
 * - The functions that the comments call async-signal-safe may be called in a real signal handler, the
 *   others may not. A handler given to rsig_signal() never runs in signal context.
 * - Sets of signals are passed by value; times are seconds, as double.
 */


#ifndef RSIG_H
#define RSIG_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

/** The default action (Python: SIG_DFL). */
#define RSIG_DFL ((rsig_handler_t)0)
/** Ignore the signal (Python: SIG_IGN). */
#define RSIG_IGN ((rsig_handler_t)1)
/** A handler that rsig did not install (Python: None). */
#define RSIG_FOREIGN ((rsig_handler_t)2)

/** The set of signal n alone, 1 <= n < NSIG. */
#define RSIG_SIGSET(n) ((rsig_sigset_t)1 << ((n) - 1))

/** 1 where a signal that arrives just before rsig_syscall()'s system call is seen by it; 0 where it is seen after it. */
#if defined(__linux__) && defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))
#define RSIG_RACE_FREE 1
#else
#define RSIG_RACE_FREE 0
#endif

/** This header's version; rsig_version() tells the library's. */
#define RSIG_VERSION_MAJOR 0
#define RSIG_VERSION_MINOR 1
#define RSIG_VERSION_PATCH 0


/**
 * For rsig_init(): leave SIGPIPE, SIGXFSZ and SIGINT as they are.
 */
#define RSIG_INIT_NO_DEFAULTS 1

/**
 * What rsig_default_int_handler() returns, and so what rsig_raised() tells after a Ctrl-C: 128 + SIGINT, the
 * status that a shell reports for a program that SIGINT killed.
 */
#define RSIG_KEYBOARD_INTERRUPT 130

/**
 * What every function that can fail returns when it does; zero and above are results.
 */
typedef enum rsig_status {
  /**
   * No error.
   */
  RSIG_OK = 0,
  /**
   * An argument is out of range or NULL (Python: ValueError, TypeError). errno: EINVAL.
   */
  RSIG_ERROR_VALUE = -1,
  /**
   * Only the main thread may do this (Python: ValueError). errno: EPERM.
   */
  RSIG_ERROR_THREAD = -2,
  /**
   * The system refused (Python: OSError). errno: the system's.
   */
  RSIG_ERROR_OS = -3,
  /**
   * A timer was refused (Python: signal.ItimerError, a subtype of OSError). errno: the system's.
   */
  RSIG_ERROR_ITIMER = -4,
  /**
   * A handler refused: it returned something other than 0, which rsig_raised() tells (Python: whatever
   * the handler raised). errno: EINTR.
   */
  RSIG_ERROR_HANDLER = -5,
  /**
   * rsig_init() was not called, or rsig_fini() undid it. errno: ENXIO.
   */
  RSIG_ERROR_STATE = -6,
  /**
   * This kernel or platform does not have it (Python: AttributeError). errno: ENOSYS.
   */
  RSIG_ERROR_UNSUPPORTED = -7
} rsig_status;

/**
 * A listener to signals, opaque: what points to it is a number, not an address. One that is closed is known as such for ever,
 * whatever is open by then; with pointers of 32 bits until 16 million others have been open, one after the other.
 */
typedef struct rsig_channel rsig_channel;

/**
 * A set of signals: bit n-1 is signal n, the layout of the kernel and of `SigBlk` in
 * `/proc/PID/status`. 0 is the empty set, `RSIG_SIGSET(n)` the set of signal n alone, and `|`, `&`
 * and `~` do what they say. Bits outside rsig_valid_signals() are ignored in masks and in
 * what is waited for; rsig_channel_open() refuses them.
 */
typedef uint64_t rsig_sigset_t;

/**
 * The same, as POSIX names its types.
 */
typedef struct rsig_channel rsig_channel_t;

/**
 * Where a signal came from: the seven fields that Python documents, without their `si_`, then what rsig adds.
 * A field that this kind of signal does not define is 0. 128 bytes; see sigaction(2). The same event has the same
 * record, whether a handler gets it or the sigwait family.
 *
 * | `code` | from | fields |
 * |---|---|---|
 * | SI_USER | kill() | pid, uid |
 * | SI_TKILL | raise(), pthread_kill(), tgkill() | pid, uid |
 * | SI_QUEUE | sigqueue() | pid, uid, value_int, value_ptr |
 * | SI_TIMER | timer_create() | value_int, value_ptr, overrun |
 * | SI_MESGQ | mq_notify() | pid, uid (who sent the message), value_int, value_ptr |
 * | SI_ASYNCIO | aio_read() and the like | pid, uid, value_int, value_ptr |
 * | CLD_EXITED and the like | SIGCHLD | pid, uid (the child's), status |
 * | POLL_IN and the like, SI_SIGIO | a descriptor with O_ASYNC and F_SETSIG | band, fd |
 * | SI_KERNEL | alarm(), setitimer(), the terminal, O_ASYNC without F_SETSIG | none |
 * | above 0 | the processor's faults, SIGTRAP, SIGSYS | none |
 *
 * Where the kernel's queue is full (RLIMIT_SIGPENDING), a signal below SIGRTMIN arrives without its siginfo: SI_USER, from
 * process 0. Who says SI_USER or SI_TKILL is who the kernel says; with the other codes below 0 the sender may have written
 * the whole record itself, by rt_sigqueueinfo(2), so do not take its word for a permission.
 */
typedef struct rsig_siginfo {
  /**
   * The signal's number.
   */
  int32_t signo;
  /**
   * Why it was sent: SI_USER, SI_QUEUE, SI_TIMER, CLD_EXITED ...
   */
  int32_t code;
  /**
   * An errno value that belongs to the signal; Linux hardly uses it.
   */
  int32_t error;
  /**
   * The sending process, or the child.
   */
  int32_t pid;
  /**
   * The sending process's real user, or the child's.
   */
  uint32_t uid;
  /**
   * SIGCHLD: the exit status, or the signal that killed, stopped or continued the child.
   */
  int32_t status;
  /**
   * SIGIO, where F_SETSIG has asked for a siginfo: the events, as poll() has them.
   */
  int64_t band;
  /**
   * The payload of sigqueue() or of a timer, as an int.
   */
  int32_t value_int;
  /**
   * A POSIX timer: how many more times it expired before the signal was delivered; see timer_getoverrun(2).
   */
  int32_t overrun;
  /**
   * The same payload, as a pointer.
   */
  uint64_t value_ptr;
  /**
   * How many deliveries this record stands for, at least 1; 4294967295 stands for that many or more.
   */
  uint32_t count;
  /**
   * The descriptor that `band` tells of.
   */
  int32_t fd;
  /**
   * For later; 0.
   */
  uint32_t reserved[18];
} rsig_siginfo;

/**
 * The same, as POSIX names its types.
 */
typedef struct rsig_siginfo rsig_siginfo_t;

/**
 * A function for signal context: it may do only what a signal handler may.
 *
 * @param signum  the signal that was delivered
 * @param arg     what was given to rsig_set_notify()
 */
typedef void (*rsig_notify_t)(int signum, void *arg);

/**
 * Hears rsig's warnings.
 *
 * @param message  a sentence without a line end, valid until the hook returns
 * @param arg      what was given to rsig_set_warning_hook()
 */
typedef void (*rsig_warning_hook_t)(const char *message, void *arg);

/**
 * A handler: ordinary code that rsig_pump() calls on the main thread. It may allocate, lock, print, call any
 * function of rsig, throw a C++ exception or longjmp() out.
 *
 * @param signum  the signal, 1 to NSIG-1
 * @param info    the first delivery since this handler ran last, and in `count` the number of all; never
 *                NULL, valid until the handler returns
 * @param arg     what was given to rsig_signal()
 * @return 0 to go on. Anything else refuses, as a Python handler does that raises: the function that ran the
 *         handler returns RSIG_ERROR_HANDLER, rsig_raised() tells the value, and what else is pending stays
 *         pending.
 */
typedef int (*rsig_handler_t)(int signum, const rsig_siginfo_t *info, void *arg);

/**
 * A signal's handler: a function, RSIG_DFL, RSIG_IGN or RSIG_FOREIGN; and its argument. For RSIG_FOREIGN the
 * argument is rsig's own note of what was found, and it may be for RSIG_DFL and RSIG_IGN. Give both back to
 * rsig_signal() to restore what they stand for.
 */
typedef struct rsig_action {
  /**
   * Whom to call, or one of the three.
   */
  rsig_handler_t handler;
  /**
   * What to call it with.
   */
  void *arg;
} rsig_action;

/**
 * The same, as POSIX names its types.
 */
typedef struct rsig_action rsig_action_t;

/**
 * An interval timer, in seconds.
 */
typedef struct rsig_itimer {
  /**
   * Until it fires; 0: it is off.
   */
  double delay;
  /**
   * Between two firings from then on; 0: it fires once.
   */
  double interval;
} rsig_itimer;

/**
 * The same, as POSIX names its types.
 */
typedef struct rsig_itimer rsig_itimer_t;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * One attempt at a system call, interruptible without a race. On the main thread it fails with EINTR, without any effect,
 * when something is tripped before it begins; a signal that arrives at whatever instruction before or during the call ends
 * it the same way, also one that lands on another thread, and also where siginterrupt() asked for a restart. No handler
 * runs: call rsig_pump(). A call that has taken effect is never lost or repeated. On other threads, and before rsig_init(), it
 * is syscall(2); where RSIG_RACE_FREE is 0, it is that after a look at what is tripped. On other systems than Linux it is ENOSYS.
 *
 * @param nr  SYS_read and so on, from <sys/syscall.h>
 * @param a   the call's arguments, as syscall(2) takes them; the unused ones are ignored
 * @return the call's result; -1 and errno as it has them
 *
 * Any thread, before rsig_init() too. Not async-signal-safe, nor a cancellation point. Not for calls that do not return to
 * the caller's stack as it was (vfork, clone, rt_sigreturn). A call with a mask or set of its own (ppoll, pselect6, epoll_pwait,
 * rt_sigsuspend, rt_sigtimedwait) must leave the real-time signal that rsig has taken out of it, or signals that land on other
 * threads do not end it, and rt_sigtimedwait may answer with that number.
 */
long rsig_syscall(long nr,
                  long a,
                  long b,
                  long c,
                  long d,
                  long e,
                  long f);

/**
 * open(2) that signals do not end: their handlers run, and it goes on. All functions from here to rsig_sleep() do so, and
 * what is said here holds for each of them: with RSIG_RACE_FREE, a signal that arrives just before the system call is seen by
 * it; on the main thread pending handlers run before and during the call; it ends early only where a handler refuses, and
 * then it is -1, EINTR, and rsig_raised() tells the rest. On other threads, and before rsig_init(), it is the system's call,
 * repeated after EINTR. Such a call has had no effect when it ends with EINTR. A socket's own time limit (SO_RCVTIMEO,
 * SO_SNDTIMEO) begins anew after a signal. The system's own failures leave rsig_error_message() as it was.
 *
 * @param path   the file
 * @param flags  O_RDONLY and so on
 * @param mode   permissions, with O_CREAT; else ignored
 * @return a descriptor; -1 and errno as open(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_open(const char *path,
              int flags,
              mode_t mode);

/**
 * read(2); see rsig_open().
 *
 * @param fd      a descriptor
 * @param buffer  room for `size` bytes
 * @param size    bytes
 * @return how many were read, 0 at the end; -1 and errno as read(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
ssize_t rsig_read(int fd, void *buffer, size_t size);

/**
 * write(2); see rsig_open(). What was written in part before a signal is a result, as with the system's.
 *
 * @param fd      a descriptor
 * @param buffer  `size` bytes
 * @param size    bytes
 * @return how many were written; -1 and errno as write(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
ssize_t rsig_write(int fd,
                   const void *buffer,
                   size_t size);

/**
 * accept(2); see rsig_open().
 *
 * @param fd       a listening socket
 * @param address  room for the peer's address; may be NULL
 * @param length   the room's size, then the address's; may be NULL with it
 * @return a descriptor; -1 and errno as accept(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_accept(int fd, struct sockaddr *address, socklen_t *length);

/**
 * connect(2); see rsig_open(). A connection that was being made when a signal came goes on being made, as POSIX wants it, and
 * this waits for it. Where a handler refuses, that is also what EINTR means: it may yet be made.
 *
 * @param fd       a socket
 * @param address  the peer's
 * @param length   its size in bytes
 * @return 0; -1 and errno as connect(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_connect(int fd,
                 const struct sockaddr *address,
                 socklen_t length);

/**
 * recv(2); see rsig_open().
 *
 * @param fd      a socket
 * @param buffer  room for `size` bytes
 * @param size    bytes
 * @param flags   MSG_PEEK and so on
 * @return how many were received, 0 at the end; -1 and errno as recv(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
ssize_t rsig_recv(int fd, void *buffer, size_t size, int flags);

/**
 * send(2); see rsig_open(). What was sent in part before a signal is a result, as with the system's.
 *
 * @param fd      a socket
 * @param buffer  `size` bytes
 * @param size    bytes
 * @param flags   MSG_NOSIGNAL and so on
 * @return how many were sent; -1 and errno as send(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
ssize_t rsig_send(int fd,
                  const void *buffer,
                  size_t size,
                  int flags);

/**
 * waitpid(2); see rsig_open().
 *
 * @param pid      a child; -1 for any, and so on
 * @param status   room for its status; may be NULL
 * @param options  WNOHANG and so on
 * @return the child's pid; 0 with WNOHANG when there is none; -1 and errno as waitpid(2) has it
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
pid_t rsig_waitpid(pid_t pid, int *status, int options);

/**
 * poll(2); see rsig_open(). After a signal it goes on with the time that is left, on the monotonic clock.
 *
 * @param fds      the descriptors
 * @param n        how many
 * @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
 * @return how many are ready; 0 when the time is over; -1 and errno as poll(2) has it, or EINVAL for a timeout that is NaN or
 *         infinite
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_poll(struct pollfd *fds,
              nfds_t n,
              double timeout);

/**
 * Sleeps; see rsig_open(). After a signal it goes on with the time that is left, on the monotonic clock.
 *
 * @param seconds  0 or more, rounded up to the nanosecond
 * @return 0; -1 and errno: EINTR where a handler refused, EINVAL for a time that is negative, NaN or infinite
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_sleep(double seconds);

/**
 * Opens a channel: from now on it gets its own copy of each delivery of the signals of a set, on whichever thread, with its
 * siginfo, in the order in which they were recorded, whether or not a handler is registered. (Signals that become unblocked
 * together are recorded in the order in which the kernel runs their handlers, and the last one's begins first: often the higher
 * numbers come before the lower.) Each part of a program, each
 * thread and each event loop can have its own; none takes anything from the others.
 *
 * For a signal that has no handler of rsig's, its low-level handler is installed until the last channel for it is closed. The
 * default action does not happen meanwhile, nor is the signal ignored; a handler that somebody else has installed is called
 * all the same, with its own mask and flags and on its own stack, after the delivery is recorded, a one-shot one
 * (SA_RESETHAND) once; where there is none the program's own system calls are restarted where they can be (SA_RESTART), but
 * for SIGTTIN and SIGTTOU: the kernel would refuse a background job's call again, for ever, and it fails with EINTR, rsig_read() and its
 * kin too. What
 * the sigwait family accepts was not delivered, and no channel has it; what rsig_dispatch() accepts was. rsig_getsignal() and rsig_signal() see and change what would be there without
 * channels. A child that does exec has the default action where the signal was ignored, unless it calls rsig_restore_signals().
 *
 * The memory is bounded. When `capacity` records wait, later deliveries are folded into one record for each signal number,
 * with their `count`, until the reader has read all that was before: no number is lost, and the counts add up to the
 * deliveries. A forked child's channels are open and empty; rsig_fini() closes all.
 *
 * @param set       the signals; not SIGKILL or SIGSTOP
 * @param capacity  records, 1 to 65536
 * @param channel   room for the channel
 * @return RSIG_OK; RSIG_ERROR_VALUE for an empty set, a capacity out of range, or NULL; RSIG_ERROR_OS with EINVAL for a signal
 *         that cannot be handled, EMFILE where 256 channels are open, ENOMEM; RSIG_ERROR_STATE. After a failure
 *         nothing has changed.
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_channel_open(rsig_sigset_t set,
                      uint32_t capacity,
                      rsig_channel_t **channel);

/**
 * A descriptor for event loops that is readable exactly while a record waits, level-triggered: give it to poll, epoll or a
 * library's loop, and call rsig_channel_read() when it is readable. There is nothing to read from it, and nothing to write to
 * it or close. A batch of signals costs one write, however many they are; without this call, none. A record that is read while
 * its signal is still being delivered on another thread can leave it readable with nothing there: until the next read, which
 * returns 0. A forked child has its own under the same number; an epoll descriptor that was made before the fork still watches the
 * parent's.
 *
 * @param channel  an open channel
 * @return the descriptor, the same each time, until rsig_channel_close(); RSIG_ERROR_VALUE for a channel that is not open;
 *         RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_channel_fd(const rsig_channel_t *channel);

/**
 * Takes records from a channel, the oldest first. Never blocks. Several threads may read the same channel: each record goes to
 * one of them.
 *
 * @param channel  an open channel
 * @param infos    room for `max` records; may be NULL where `max` is 0
 * @param max      how many at most
 * @return how many were taken; 0: none waits; RSIG_ERROR_VALUE for a channel that is not open, or NULL; RSIG_ERROR_STATE
 *
 * Any thread. Runs no handlers. Not async-signal-safe.
 */
int rsig_channel_read(rsig_channel_t *channel,
                      rsig_siginfo_t *infos,
                      size_t max);

/**
 * Waits for a record and takes it. On the main thread pending handlers run before and meanwhile, signals that land just before it
 * sleeps included, and it goes on with the time that is left; a handler that refuses ends it.
 *
 * @param channel  an open channel; closed meanwhile, it ends the wait
 * @param info     room for the record
 * @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
 * @return 1; 0 when the time is over; RSIG_ERROR_HANDLER if a handler refused, and then no record was taken; RSIG_ERROR_VALUE for a
 *         channel that is not open, a timeout that is NaN or infinite, or NULL; RSIG_ERROR_OS for EMFILE, ENFILE or
 *         ENOMEM: it waits with the channel's descriptor; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_channel_wait(rsig_channel_t *channel,
                      rsig_siginfo_t *info,
                      double timeout);

/**
 * Closes a channel. What waits in it is gone; deliveries on their way to it do no harm. For signals that no other channel listens
 * to, what was there before is put back. A handler that somebody else has installed over rsig's stays; who puts rsig's back
 * later gets the action that it stood for when it was saved.
 *
 * @param channel  an open channel
 * @return RSIG_OK; RSIG_ERROR_VALUE for a channel that is not open; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_channel_close(rsig_channel_t *channel);

/**
 * Gives a child, between fork() and exec, the signals that the process had before rsig_init(), so that the program which
 * it executes does not start with SIGPIPE ignored, or with the parent's mask. (Python: subprocess's restore_signals.)
 *
 * Each signal that rsig has touched gets the disposition that rsig found there first, where it now has rsig's handler, is
 * ignored, or has its default action: what the program itself made of it meanwhile, by rsig_signal(signum, RSIG_IGN) too,
 * is undone, so ignore in the child after this what the new program shall ignore. A function that somebody else has
 * installed over rsig's stays, and so does what rsig has never touched; exec resets functions to the default action. Then
 * the calling thread's mask becomes that of the thread that called the first rsig_init(), as it was at that moment: a
 * signal that was held back until now finds the old dispositions. In a signal handler the mask is that until the handler
 * returns.
 *
 * It writes no memory but errno, not even a message on failure, and may therefore be called in a vfork()ed child, whose
 * memory is the parent's; the parent's signals stay as they are. Until this has returned, a signal that the child gets
 * would run rsig's handler, or the program's own, in the parent's memory: so block all signals before vfork(), and let the
 * parent unblock them after it; in the child, this does. The same is wise before fork().
 *
 * The child then executes or dies (rsig_die(), _exit()). In one that fork() made and that goes on instead, rsig is
 * initialised still, and no signal has a handler of rsig's.
 *
 * @return RSIG_OK; RSIG_ERROR_STATE; RSIG_ERROR_OS with the system's errno where it has refused something, and then the
 *         rest is put back all the same
 *
 * Any thread, while no other one is in rsig_init() or rsig_fini(). Async-signal-safe. No rsig_error_message().
 */
int rsig_restore_signals(void);

/**
 * Ends the process by a signal's default action, whatever its disposition and the mask, so that its parent sees of which
 * it died: WIFSIGNALED() and WTERMSIG(), and a shell 128 + signum. What a program owes its parent that has cleaned up
 * after SIGINT or SIGTERM.
 *
 * As with any death by signal, no atexit function runs and stdio is not flushed: fflush() before. A signal whose default
 * action dumps core does so, as the system is set up. Where the kernel does not let the signal kill, as it does not in
 * process 1 of a container, the process ends by _exit(128 + signum).
 *
 * @param signum  a signal whose default action ends a process: of rsig_valid_signals() all but SIGCHLD, SIGCONT, SIGURG,
 *                SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU
 * @return only on failure: RSIG_ERROR_VALUE for any other number, and then nothing is changed
 *
 * Any thread, before rsig_init() too. Async-signal-safe with a number that is right, and then also right in a vfork()ed
 * child.
 */
int rsig_die(int signum);

/**
 * Writes the state of every signal as a table: a heading, then a line for each of rsig_valid_signals(), in ascending
 * order. For people; programs read rsig_dump_json(). The columns:
 *
 * - NO, NAME: the number, and the name as rsig_signame() has it
 * - DISPOSITION: asked of the kernel now, in rsig_getsignal()'s terms: "default", "ignored", "rsig" for a function that
 *   rsig_signal() has set, "foreign" for a handler that is not rsig's; channels change nothing here
 * - RESTART: whether that handler lets system calls go on (SA_RESTART)
 * - BLOCKED: by the calling thread
 * - PENDING: blocked and waiting in the kernel, for the calling thread or for the process
 * - TRIPPED: delivered and waiting for rsig_pump()
 * - DELIVERIES: how many rsig has recorded since rsig_init(), in a forked child since the fork; for standard signals, of
 *   which the kernel merges what it has not delivered yet, fewer than were sent
 * - CHANNELS: how many listen
 * - NOTE: "-", or that this is the signal with which rsig interrupts its own main thread; its disposition is then shown as
 *   the program has made it, while /proc/PID/status has it as caught. Later versions may have other notes, and other
 *   columns before this one.
 *
 * The facts are taken before the first line is written. Each line is one write(), which goes on where it was partial or
 * interrupted; a descriptor that blocks makes this wait, and handlers do not run meanwhile. A pipe without a reader is EPIPE
 * and never SIGPIPE, a file at its limit (RLIMIT_FSIZE) EFBIG and never SIGXFSZ.
 *
 * @param fd  where to write
 * @return RSIG_OK; RSIG_ERROR_OS with what write(2) says, such as EBADF, EPIPE, EAGAIN or ENOSPC, and then a part of the
 *         table may be written; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_dump(int fd);

/**
 * Writes what rsig_dump() does for programs: an object of JSON (RFC 8259) on a line for each signal, without a heading.
 * Its members are "signum", a number; "name" and "disposition", strings; "restart", "blocked", "pending" and "tripped",
 * true or false; "deliveries" and "channels", numbers; "note", a string or null. Later versions may add others.
 *
 * @param fd  where to write
 * @return as rsig_dump()
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_dump_json(int fd);

/**
 * A sentence about the calling thread's last failure: the offending value, the valid range, what the system said. Failures of
 * rsig_syscall() and of the functions from rsig_open() to rsig_sleep() that are the system call's own leave it as it was.
 *
 * @return a string of at most 255 bytes, valid until the thread's next failing call of rsig; "" before the first
 *         failure; never NULL
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
const char *rsig_error_message(void);

/**
 * What a status means.
 *
 * @param status  an rsig_status; a result, zero or more, counts as RSIG_OK
 * @return a static string, never NULL
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
const char *rsig_strerror(int status);

/**
 * A descriptor for event loops that is readable exactly while something waits for rsig_pump(). Give it to poll, epoll or
 * a library's loop, and call rsig_pump() when it is readable: there is nothing to read from it, and nothing to write to it or
 * close. A batch of signals costs one write, however many they are. What is pumped while it is still being delivered on another
 * thread can leave it readable with nothing there: until the next pump, which returns 0. It is never 0, 1 or 2, where those are closed. A forked child has one of its own under the same number;
 * an epoll descriptor that was made before the fork still watches the parent's. With EPOLLET, pump until rsig_tripped() is 0: what
 * a handler that refused has left pending makes no new edge.
 *
 * @return the descriptor, the same each time, until rsig_fini(); RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_fd(void);

/**
 * Whether something waits for rsig_pump(): cheap enough for an interpreter's loop.
 *
 * @return 1 or 0
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
int rsig_tripped(void);

/**
 * The word that rsig_tripped() looks at, for those to whom even a call is too much: bit n-1 is set while signal n waits for
 * rsig_pump(). Read it as a volatile or relaxed atomic.
 *
 * @return its address, which never changes; never NULL
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
const uint64_t *rsig_tripped_flags(void);

/**
 * Sets a function that each delivery calls in signal context, on whichever thread it lands, after it is recorded: to tell a
 * runtime by its own means (PyErr_SetInterruptEx, Tcl_AsyncMark, lua_sethook, uv_async_send). It may do only what
 * signal-safety(7) allows, and errno is kept for it. After a change, one that is running on another thread comes to its end.
 *
 * Each pair of function and argument is remembered until the process ends, so do not make a new one each time.
 *
 * @param fn   the function; NULL for none
 * @param arg  passed to it
 * @return RSIG_OK; RSIG_ERROR_OS for ENOMEM; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. rsig_fini() forgets it.
 */
int rsig_set_notify(rsig_notify_t fn,
                    void *arg);

/**
 * Sets rsig up; the calling thread becomes the main thread, on which handlers run. Counted: several parts of a
 * process may each call rsig_init() and later rsig_fini(); the first one's thread and flags count.
 *
 * Unless told otherwise it gives the program Python's defaults, each only where the signal has its default
 * action, so that what a parent ignores stays ignored and a handler that somebody has installed stays theirs:
 * SIGPIPE and SIGXFSZ are ignored, so that a write fails with EPIPE or EFBIG; SIGINT goes to
 * rsig_default_int_handler().
 *
 * @param flags  0, or RSIG_INIT_NO_DEFAULTS to leave those three signals as they are
 * @return RSIG_OK; RSIG_ERROR_VALUE for an unknown flag; RSIG_ERROR_OS for ENOMEM, or EOVERFLOW after 4294967295
 *         calls
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_init(uint32_t flags);

/**
 * Undoes one rsig_init(). The last one puts everything back: each signal gets the disposition that rsig found
 * (one that somebody else installed over rsig's stays), the wakeup fd and the warning hook are forgotten.
 * rsig_init() may be called again afterwards. What the program itself has set meanwhile to just what rsig had set, such as
 * SIGPIPE to SIG_IGN, cannot be told from it, and is undone too. No other thread may be inside a call of rsig
 * that waits or runs handlers. A handler may call it: the function that ran the handler then runs no others, and what it still
 * needs rsig for fails with RSIG_ERROR_STATE.
 *
 * On the main thread the last one first runs pending handlers; if one refuses, nothing is undone. On another
 * thread, pending signals lose their handlers, and each is told to the warning hook.
 *
 * @return RSIG_OK; RSIG_ERROR_STATE without rsig_init(); RSIG_ERROR_HANDLER if a handler refused
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_fini(void);

/**
 * Makes the calling thread the main thread. For languages whose "main" is not the thread that loaded the
 * library. The old main thread must not be inside a call of rsig that waits or runs handlers.
 *
 * @return RSIG_OK; RSIG_ERROR_STATE without rsig_init()
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_set_main_thread(void);

/**
 * Changes which signals are blocked for the calling thread. On the main thread, handlers that this made pending run
 * before it returns.
 *
 * @param how  SIG_BLOCK to add the set, SIG_UNBLOCK to remove it, SIG_SETMASK to make it the mask. To read only:
 *             SIG_BLOCK with an empty set.
 * @param set  the signals; SIGKILL, SIGSTOP and the C library's own are left out silently, as by the system
 * @param old  room for the mask before; may be NULL
 * @return RSIG_OK; RSIG_ERROR_OS with EINVAL for a wrong `how`; RSIG_ERROR_HANDLER if a handler refused, and then the
 *         mask is changed and `old` is set all the same; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. See pthread_sigmask(3).
 */
int rsig_pthread_sigmask(int how,
                         rsig_sigset_t set,
                         rsig_sigset_t *old);

/**
 * What a signal says, in English: "Interrupt", "Segmentation fault", "Real-time signal 3".
 *
 * @param signum  1 to NSIG-1
 * @return a static string, never localised; NULL with errno 0 for the C library's own real-time signals, which have
 *         no description; NULL with EINVAL for a number out of range
 *
 * Any thread, before rsig_init() too. Not async-signal-safe. Unlike strsignal(3) it is thread-safe and knows no
 * "Unknown signal".
 */
const char *rsig_strsignal(int signum);

/**
 * A signal's name: "SIGINT", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-2". A number with several names has the one that
 * Python shows: SIGCHLD, SIGIO, SIGABRT.
 *
 * @param signum  1 to NSIG-1
 * @return a static string; NULL with errno 0 for the C library's own real-time signals, which have no name; NULL with
 *         EINVAL for a number out of range
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
const char *rsig_signame(int signum);

/**
 * The number of a signal's name.
 *
 * @param name  a name with its SIG, in capitals: those of rsig_signame(), SIGCLD, SIGPOLL and SIGIOT, SIGRTMIN+k and
 *              SIGRTMAX-k, k from 0 with one or two digits
 * @return the number; RSIG_ERROR_VALUE for NULL or a name that no signal of this platform has
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_signum(const char *name);

/**
 * The value of a constant of Python's signal module, for callers that cannot read C headers: each SIG name of
 * rsig_signum(), SIG_DFL, SIG_IGN, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF and
 * NSIG. SIG_DFL and SIG_IGN are also the values of RSIG_DFL and RSIG_IGN.
 *
 * @param name   the constant's name
 * @param value  room for its value
 * @return RSIG_OK; RSIG_ERROR_UNSUPPORTED for a constant that only other platforms have (CTRL_C_EVENT, CTRL_BREAK_EVENT,
 *         SIGBREAK, SIGEMT, SIGINFO, SIGLOST); RSIG_ERROR_VALUE for an unknown name or NULL
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_constant(const char *name,
                  int *value);

/**
 * All signals that a program may use on this platform: 1 to NSIG-1 but for the C library's own real-time signals.
 *
 * @return the set
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
rsig_sigset_t rsig_valid_signals(void);

/**
 * Runs the handlers of the signals that were delivered: one pass, in ascending order of the numbers, over what was
 * pending when it began. A handler runs at most once in a pass, with the first delivery's info and the count of
 * all. What is delivered meanwhile waits for the next call. With nothing pending this costs a few instructions, so
 * call it wherever the program can be interrupted.
 *
 * A handler may call any function of rsig, this one included. If it refuses, by a return value or by leaving with
 * a C++ exception or longjmp(), the rest stays pending.
 *
 * @return how many handlers ran; RSIG_ERROR_HANDLER if one refused, see rsig_raised(); RSIG_ERROR_THREAD;
 *         RSIG_ERROR_STATE
 *
 * Main thread only. Not async-signal-safe.
 */
int rsig_pump(void);

/**
 * What the last handler that refused has returned, and for which signal. Like errno it is there to be read after
 * RSIG_ERROR_HANDLER, and stays until the next refusal. (Python: the exception.)
 *
 * @param signum  room for the signal's number; may be NULL
 * @return the handler's value, never 0 after a refusal; 0, and 0 for the number, where none has refused yet
 *
 * Any thread. Async-signal-safe.
 */
int rsig_raised(int *signum);

/**
 * Sets who hears what went wrong where no caller could be told: the wakeup fd failed, or a handler was removed while
 * its signal was pending. The hook runs as ordinary code, with no lock of rsig's held, on the thread that pumps,
 * that sets another wakeup fd, or that calls rsig_fini(), which forgets it.
 *
 * @param hook  a function; NULL for the default, a line on the standard error stream
 * @param arg   passed to the hook
 * @return RSIG_OK; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_set_warning_hook(rsig_warning_hook_t hook,
                          void *arg);

/**
 * Sends a signal to the calling thread. On the main thread its handler has run when this returns, unless the signal
 * is blocked.
 *
 * @param signum  1 to NSIG-1; 0 checks and sends nothing
 * @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_ERROR_HANDLER if a handler refused;
 *         RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. See raise(3).
 */
int rsig_raise_signal(int signum);

/**
 * Sends a signal to a thread of this process. Wherever it lands, its handler runs on the main thread. Called on the
 * main thread, pending handlers run before this returns.
 *
 * @param thread  a thread that has not been joined, nor has ended detached: for such a one the behaviour is
 *                undefined, as with pthread_kill(3)
 * @param signum  1 to NSIG-1; 0 checks and sends nothing
 * @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number; RSIG_OK or ESRCH, as the system has it, for a thread
 *         that has ended and has not been joined;
 *         RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_pthread_kill(pthread_t thread,
                      int signum);

/**
 * The calling thread, as rsig_pthread_kill() takes it: pthread_self(). (Python: threading.get_ident().)
 *
 * Any thread. Async-signal-safe.
 */
pthread_t rsig_get_ident(void);

/**
 * Sends a signal to a process or a group of processes.
 *
 * @param pid     above 0: that process; 0: the caller's process group; -1: every process that the caller may send to, but
 *                process 1 and, on Linux, itself; below -1: the process group -pid
 * @param signum  1 to NSIG-1; 0 checks and sends nothing
 * @return RSIG_OK; RSIG_ERROR_OS with EINVAL for an invalid number, ESRCH for no such process or group, EPERM without
 *         permission for any of them; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. Runs no handlers, also where the caller is among the receivers: what it sends to its
 * own process waits for rsig_pump(). A process that has ended and has not been waited for takes signals; after that its
 * number may be another's, which rsig_pidfd_send_signal() rules out. Python: os.kill(), os.killpg(). See kill(2).
 */
int rsig_kill(pid_t pid,
              int signum);

/**
 * Sends a signal with a payload to a process. Of a real-time signal (SIGRTMIN to SIGRTMAX) each one arrives, in order, and
 * none without its payload.
 *
 * @param pid     the process; groups cannot be sent to
 * @param signum  1 to NSIG-1; 0 checks and sends nothing
 * @param value   the payload, which the receiver finds in `value_ptr` (si_value.sival_ptr); a process of 32 bits sees the low 32
 *                bits. `value_int` (sival_int) is its low 32 bits, on big-endian processors of 64 bits the high ones
 * @return RSIG_OK; RSIG_ERROR_OS with EAGAIN where the receiver's queue of signals is full (RLIMIT_SIGPENDING): nothing was
 *         sent, and what was queued before stays; EINVAL for an invalid number, ESRCH for no such process, EPERM without
 *         permission; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. Runs no handlers: what it sends to its own process waits for rsig_pump(). Of the
 * other signals (below SIGRTMIN) the kernel keeps one at a time: while one is pending, RSIG_OK does not mean that this payload
 * arrives; nor does it where the queue is full, as then the receiver gets such a signal with neither payload nor sender.
 * See sigqueue(3).
 */
int rsig_sigqueue(pid_t pid,
                  int signum,
                  uint64_t value);

/**
 * Sends a signal to a thread of this process by the kernel's number for it, which may be that of a thread that has ended.
 * Wherever it lands, its handler runs on the main thread.
 *
 * @param tid     from gettid(2)
 * @param signum  1 to NSIG-1; 0 checks and sends nothing
 * @return RSIG_OK; RSIG_ERROR_OS with ESRCH where this process has no such thread (any more), even if another process has it;
 *         EINVAL for a tid of 0 or less, an invalid number, and the C library's own signals between SIGSYS and SIGRTMIN; EAGAIN,
 *         for a real-time signal, where the queue of signals is full (RLIMIT_SIGPENDING), and then nothing was sent;
 *         RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. Unlike rsig_pthread_kill(), it is defined for a thread that has ended, and runs no
 * handlers: what is pending waits for rsig_pump(). The kernel may give a dead thread's number to a new thread, of this process
 * too. See tgkill(2).
 */
int rsig_thread_kill(pid_t tid,
                     int signum);

/**
 * Opens a descriptor that stands for a process: for rsig_pidfd_send_signal(); readable for poll() when the process has ended.
 *
 * @param pid    the process, above 0
 * @param flags  0, or what the kernel defines: PIDFD_NONBLOCK (O_NONBLOCK, Linux 5.10), PIDFD_THREAD (O_EXCL, Linux 6.9), with
 *               which `pid` is a thread's number
 * @return the descriptor, close-on-exec, to be closed with close(); RSIG_ERROR_OS with ESRCH for no such process, EINVAL
 *         for a pid of 0 or less or flags that this kernel does not know, EINVAL or ENOENT, as the kernel has it, for a thread's
 *         number without PIDFD_THREAD, EMFILE, ENFILE, ENODEV, ENOMEM; RSIG_ERROR_UNSUPPORTED before Linux 5.3;
 *         RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. Runs no handlers. Race-free for the caller's own child that has not been waited for; any
 * other number may be another process's by now. Python: os.pidfd_open(). See pidfd_open(2).
 */
int rsig_pidfd_open(pid_t pid,
                    unsigned int flags);

/**
 * Sends a signal to the process behind a descriptor, which cannot have become another one's meanwhile.
 *
 * @param pidfd    from rsig_pidfd_open(), clone(2), or an open /proc/PID directory
 * @param signum   1 to NSIG-1; 0 checks and sends nothing
 * @param siginfo  NULL; for later
 * @param flags    0: what the descriptor stands for, a process or (PIDFD_THREAD) a thread. From Linux 6.9 one of
 *                 PIDFD_SIGNAL_THREAD (1): that one thread; PIDFD_SIGNAL_THREAD_GROUP (2): its process;
 *                 PIDFD_SIGNAL_PROCESS_GROUP (4): the process group that it leads. They and later ones are passed through; a
 *                 kernel that does not know them says EINVAL and sends nothing
 * @return RSIG_OK; RSIG_ERROR_VALUE for a siginfo that is not NULL; RSIG_ERROR_OS with EBADF for no pidfd, EINVAL for an
 *         invalid number or flags, EPERM without permission, ESRCH when the process has ended and been waited for;
 *         RSIG_ERROR_UNSUPPORTED before Linux 5.1; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. Runs no handlers, as in Python: what it sends to its own process waits for
 * rsig_pump(). See pidfd_send_signal(2).
 */
int rsig_pidfd_send_signal(int pidfd,
                           int signum,
                           const void *siginfo,
                           unsigned int flags);

/**
 * Sets the handler of a signal. From then on a delivery, on whichever thread, is recorded, and rsig_pump() calls
 * the handler on the main thread. The handler stays until it is changed, and the signal interrupts system calls
 * (see rsig_siginterrupt()). Handlers that are pending run before the change.
 *
 * Who calls sigaction() over rsig's handler may put that back later, or pass signals on to it: then the function runs again that
 * it stood for, also where rsig_signal() has set another action over theirs meanwhile. So where others use the signal, a function and its arg
 * must stay valid until rsig_fini().
 *
 * A SIGSEGV, SIGBUS, SIGFPE or SIGILL that the processor raised cannot be deferred: rsig then puts back the
 * disposition that it found, and the instruction faults again into that one. Sent by kill() they are deferred
 * like any other. A system call that a seccomp filter answers with SIGSYS (SECCOMP_RET_TRAP) fails with ENOSYS, on x86 and aarch64,
 * as a handler that runs later cannot make its result; one of somebody else's that is called as well makes it alone.
 *
 * @param signum   1 to NSIG-1
 * @param handler  a function; RSIG_DFL for the default action; RSIG_IGN to ignore; RSIG_FOREIGN, with its arg, to
 *                 restore what rsig_getsignal() or `old` has shown
 * @param arg      passed to the handler
 * @param old      room for the action before, as rsig_getsignal() tells it; may be NULL
 * @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range, or for RSIG_FOREIGN with an arg that rsig did not
 *         give, or for SIG_ERR; RSIG_ERROR_OS with EINVAL for SIGKILL, SIGSTOP and the C library's own real-time signals, or
 *         ENOMEM; RSIG_ERROR_HANDLER if a pending handler refused, and then nothing is changed; RSIG_ERROR_THREAD;
 *         RSIG_ERROR_STATE
 *
 * Main thread only. Not async-signal-safe. See sigaction(2).
 */
int rsig_signal(int signum,
                rsig_handler_t handler,
                void *arg,
                rsig_action_t *old);

/**
 * Tells what a signal does now. It asks the kernel, so it is right after somebody else has called sigaction().
 *
 * @param signum  1 to NSIG-1
 * @param action  room for the handler and its arg: a function that rsig_signal() has set; RSIG_DFL; RSIG_IGN; or
 *                RSIG_FOREIGN for a handler that is not rsig's (Python: None), of which each other one is remembered
 *                until the process ends
 * @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range or a NULL action; RSIG_ERROR_OS with EINVAL for the C
 *         library's own real-time signals, or ENOMEM; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_getsignal(int signum,
                   rsig_action_t *action);

/**
 * Whether a signal interrupts system calls (EINTR) or lets them go on. rsig_signal() makes it interrupt again.
 * Like siginterrupt(3), it works on whatever handler the signal has.
 *
 * @param signum  1 to NSIG-1
 * @param flag    0: system calls are restarted after the low-level handler (SA_RESTART); otherwise: they are
 *                interrupted
 * @return RSIG_OK; RSIG_ERROR_VALUE for a number out of range; RSIG_ERROR_OS with EINVAL for SIGKILL, SIGSTOP and the
 *         C library's own real-time signals, or ENOMEM; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe.
 */
int rsig_siginterrupt(int signum,
                      int flag);

/**
 * The handler of SIGINT after rsig_init(): refuses with RSIG_KEYBOARD_INTERRUPT, where Python's raises
 * KeyboardInterrupt. May be given to rsig_signal() for any signal.
 *
 * @param signum  ignored
 * @param info    ignored; may be NULL
 * @param arg     ignored
 * @return RSIG_KEYBOARD_INTERRUPT
 *
 * Any thread. Async-signal-safe.
 */
int rsig_default_int_handler(int signum,
                             const rsig_siginfo_t *info,
                             void *arg);

/**
 * Adds a signal to a set.
 *
 * @param set     the set
 * @param signum  1 to NSIG-1
 * @return RSIG_OK; RSIG_ERROR_VALUE for NULL or a number out of range
 *
 * Any thread, before rsig_init() too. Not async-signal-safe: use RSIG_SIGSET() in signal context.
 */
int rsig_sigset_add(rsig_sigset_t *set, int signum);

/**
 * Removes a signal from a set; it need not be in it.
 *
 * @param set     the set
 * @param signum  1 to NSIG-1
 * @return RSIG_OK; RSIG_ERROR_VALUE for NULL or a number out of range
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_sigset_remove(rsig_sigset_t *set, int signum);

/**
 * Whether a signal is in a set.
 *
 * @param set     the set
 * @param signum  1 to NSIG-1
 * @return 1 or 0; RSIG_ERROR_VALUE for NULL or a number out of range
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_sigset_contains(const rsig_sigset_t *set, int signum);

/**
 * The next signal of a set, to walk through it:
 * `for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n))`.
 *
 * @param set    the set
 * @param after  any number
 * @return the lowest signal above `after`; 0 when there is none
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
int rsig_sigset_next(rsig_sigset_t set, int after);

/**
 * Makes the C library's form of a set.
 *
 * @param set    the set
 * @param posix  room for a sigset_t
 * @return RSIG_OK; RSIG_ERROR_VALUE for NULL
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_sigset_to_posix(rsig_sigset_t set, sigset_t *posix);

/**
 * Makes a set from the C library's form.
 *
 * @param posix  a set
 * @param set    room for the result
 * @return RSIG_OK; RSIG_ERROR_VALUE for NULL
 *
 * Any thread, before rsig_init() too. Not async-signal-safe.
 */
int rsig_sigset_from_posix(const sigset_t *posix, rsig_sigset_t *set);

/**
 * Has SIGALRM sent to the process after a time; an alarm that was set before is forgotten.
 *
 * @param seconds  0 sets none
 * @return the seconds that were left of the alarm before, rounded by the system to at least 1; 0 if there was none.
 *         There is no failure.
 *
 * Any thread, before rsig_init() too. Async-signal-safe. See alarm(2).
 */
unsigned int rsig_alarm(unsigned int seconds);

/**
 * Sets an interval timer of the process: ITIMER_REAL counts time and sends SIGALRM, ITIMER_VIRTUAL counts processor
 * time spent in the program and sends SIGVTALRM, ITIMER_PROF also counts what the kernel spends for it and sends
 * SIGPROF. rsig_alarm() and ITIMER_REAL are the same timer.
 *
 * @param which     ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF
 * @param delay     seconds until it fires, 0 to turn it off; rounded up to the microsecond, so that any delay above 0
 *                  arms it
 * @param interval  seconds between two firings from then on, 0 for none; rounded up likewise
 * @param old       room for the timer before; may be NULL
 * @return RSIG_OK; RSIG_ERROR_ITIMER with EINVAL, and the timer as it was, for another `which` or a time that is NaN,
 *         infinite, negative or too large for the system's time_t; RSIG_ERROR_STATE. More than 285 years count as that.
 *
 * Any thread. Not async-signal-safe. See setitimer(2).
 */
int rsig_setitimer(int which,
                   double delay,
                   double interval,
                   rsig_itimer_t *old);

/**
 * Tells what an interval timer stands at.
 *
 * @param which  ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF
 * @param now    room for the seconds until it fires, 0 if it is off, and its interval
 * @return RSIG_OK; RSIG_ERROR_ITIMER with EINVAL for another `which`; RSIG_ERROR_VALUE for NULL; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. See getitimer(2).
 */
int rsig_getitimer(int which,
                   rsig_itimer_t *now);

/**
 * The version of the library that is loaded, which may be newer than the header's RSIG_VERSION_MAJOR, _MINOR and
 * _PATCH.
 *
 * @return a static string such as "0.1.0"
 *
 * Any thread, before rsig_init() too. Async-signal-safe.
 */
const char *rsig_version(void);

/**
 * Waits until a signal's handler has run, on the main thread by itself. What is pending already runs, and ends the
 * wait: the race of pause(2) is not there. A signal that lands on another thread ends the main thread's wait too.
 * On other threads it is pause(2): it ends after any signal handler on that thread, and no handler of rsig's runs. As with
 * pause(2), look in a loop for what you wait for: right after another of rsig's waits, or when a signal that only a channel has
 * lands on the waiting thread, it can end without any (see docs/limits.md).
 *
 * @return RSIG_OK; RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe, nor a cancellation point.
 */
int rsig_pause(void);

/**
 * Waits for one of a set of signals and accepts it: it is no longer pending and no handler runs for it. The signals
 * should be blocked in all threads, else they may be delivered instead, here or elsewhere.
 *
 * A signal outside the set that interrupts the wait is handled, and the wait goes on. On the main thread, pending
 * handlers run before this returns; if one refuses, nothing has been accepted. (An accepted signal that was not blocked cannot
 * be given back to the system; a handler that became pending together with it is then the next rsig_pump()'s.)
 *
 * @param set  what to wait for; with no valid signal in it, the wait ends only by a refusal
 * @return the signal's number; RSIG_ERROR_HANDLER if a handler refused; RSIG_ERROR_STATE; where RSIG_RACE_FREE is 0,
 *         RSIG_ERROR_OS for EMFILE, ENFILE or ENOMEM, as the main thread waits with a descriptor there
 *
 * Any thread. Not async-signal-safe, nor a cancellation point. See sigwait(3).
 */
int rsig_sigwait(rsig_sigset_t set);

/**
 * rsig_sigwait() that also tells where the signal came from.
 *
 * @param set   what to wait for
 * @param info  room for the record; may be NULL
 * @return as rsig_sigwait()
 *
 * Any thread. Not async-signal-safe, nor a cancellation point. See sigwaitinfo(2); unlike the C library's, it does
 * not change a code of SI_TKILL to SI_USER.
 */
int rsig_sigwaitinfo(rsig_sigset_t set,
                     rsig_siginfo_t *info);

/**
 * rsig_sigwaitinfo() for a limited time. When a handler interrupts it, it goes on with the time that is left,
 * measured on the monotonic clock.
 *
 * @param set      what to wait for
 * @param timeout  seconds, 0 or more, rounded up to the nanosecond; 0 only looks. No number is too large.
 * @param info     room for the record; may be NULL
 * @return the signal's number; 0 when the time is over (errno is left alone); RSIG_ERROR_VALUE for a timeout that is
 *         negative, infinite or NaN; else as rsig_sigwait()
 *
 * Any thread. Not async-signal-safe, nor a cancellation point. See sigtimedwait(2).
 */
int rsig_sigtimedwait(rsig_sigset_t set,
                      double timeout,
                      rsig_siginfo_t *info);

/**
 * Waits until handlers have run, for so long: rsig_pause() with a timeout. What is pending already runs, and ends the wait. A
 * signal that lands on another thread ends it too.
 *
 * @param timeout  seconds, rounded up to the nanosecond; 0 only runs what is pending; negative: no limit
 * @return how many handlers ran; 0 when the time is over; RSIG_ERROR_HANDLER if one refused; RSIG_ERROR_VALUE for a timeout that
 *         is NaN or infinite; RSIG_ERROR_THREAD; RSIG_ERROR_STATE
 *
 * Main thread only. Not async-signal-safe, nor a cancellation point.
 */
int rsig_wait(double timeout);

/**
 * rsig_wait() that also accepts a signal which is blocked, and runs its handler, without any signal frame: the cheapest way to
 * handle signals. At most one is accepted in a call, so that each real-time signal's payload reaches the handler. Block the
 * set in all threads, set the handlers with rsig_signal(), and call this in a loop. Like sigtimedwait(2) it does not ask what a
 * delivery would have done: where somebody has called sigaction(2) since, the handler that rsig_signal() was given runs.
 *
 * @param set      the signals to accept; those without a handler stay pending
 * @param timeout  seconds, rounded up to the nanosecond; 0 only looks; negative: no limit
 * @return as rsig_wait(); where RSIG_RACE_FREE is 0, the errors of rsig_sigwait() too
 *
 * Main thread only. Not async-signal-safe, nor a cancellation point. See sigtimedwait(2).
 */
int rsig_dispatch(rsig_sigset_t set,
                  double timeout);

/**
 * Tells which signals are blocked and waiting to be delivered, for the calling thread or the process. What was
 * delivered and waits for rsig_pump() is not among them.
 *
 * @param set  room for the set
 * @return RSIG_OK; RSIG_ERROR_VALUE for NULL; RSIG_ERROR_STATE
 *
 * Any thread. Not async-signal-safe. See sigpending(2).
 */
int rsig_sigpending(rsig_sigset_t *set);

/**
 * Sets a descriptor to which each delivery writes one byte, the signal's number: for event loops that poll. Only
 * signals that rsig has write, on whichever thread they land: those with a handler of rsig_signal()'s, and those that only a
 * channel listens to, for which no handler runs. The loop reads the bytes and calls rsig_pump().
 *
 * What goes wrong with a write is told by the next pump, or the next call of this, to the warning hook: a full pipe only with
 * `warn_on_full_buffer`; a descriptor that was closed, or whose reader is gone, always. No write raises SIGPIPE or SIGXFSZ.
 * Turn it off (-1) before you close the descriptor: while another thread receives a signal, its byte could otherwise
 * go to a file that has got the same number since. A forked child keeps the descriptor, and writes to the same pipe.
 *
 * @param fd                   a pipe or socket in non-blocking mode; -1 for none
 * @param warn_on_full_buffer  0: bytes that find no room are dropped silently
 * @param old_fd               room for the descriptor before, -1 if none; may be NULL
 * @return RSIG_OK; RSIG_ERROR_OS with EBADF for a descriptor that is not open; RSIG_ERROR_VALUE for a blocking one or one
 *         that is open for reading only;
 *         RSIG_ERROR_THREAD; RSIG_ERROR_STATE; after a failure the old one stays
 *
 * Main thread only. Not async-signal-safe.
 */
int rsig_set_wakeup_fd(int fd,
                       int warn_on_full_buffer,
                       int *old_fd);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* RSIG_H */
