/*
 * For the tests of signals that land on another thread than the main one: a call of the main thread,
 * and the thread that interrupts it.
 */
#ifndef LANDING_H
#define LANDING_H

#include "check.h"
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>

enum { REFUSED = 3 };

static struct check_calls calls;
static int pipe_fds[2];
static pid_t main_tid;
static pthread_t main_thread;

static inline void set_up(void) {
    main_tid = check_gettid();
    main_thread = pthread_self();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static inline void set_mask(rsig_sigset_t set) {
    sigset_t posix;
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &posix, NULL), 0);
}

static inline rsig_sigset_t mask(void) {
    sigset_t posix;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &posix), 0);
    CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
    return set;
}

static inline void nothing_is_left(rsig_sigset_t mask_before) {
    rsig_sigset_t pending;
    CHECK_INT(mask(), mask_before);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, 0);
}

static inline long read_byte(void) {
    char byte;
    return rsig_read(pipe_fds[0], &byte, 1);
}

/* A call that does not wait: from then on rsig has its number. */
static inline void read_ready_byte(void) {
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(read_byte(), 1);
}

/* Takes SIGUSR1 when the main thread sleeps in the system call. */
static rsig_sigset_t worker_mask;

static inline void *take_signal(void *number) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, (long)(size_t)number);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    return NULL;
}

/* The handler refuses: the call ends. */
static inline void ends(long number, long (*call)(void)) {
    pthread_t thread;
    rsig_sigset_t before = mask();
    int signum;
    calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(pthread_create(&thread, NULL, take_signal, (void *)(size_t)number), 0);
    errno = 0;
    CHECK(call() < 0);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 1);
    CHECK_INT(rsig_raised(&signum), REFUSED);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(mask(), before);
    CHECK_INT(rsig_pump(), 0);
    calls.result = 0;
}

static inline long poll_pipe(void) {
    struct pollfd wait = {.fd = pipe_fds[0], .events = POLLIN};
    return rsig_poll(&wait, 1, -1);
}

static inline long sleep_long(void) { return rsig_sleep(1e6); }

static inline long wait_for_handlers(void) { return rsig_wait(-1); }

static inline long dispatch(void) {
    return rsig_dispatch(RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2), -1);
}

static inline long pause_here(void) { return rsig_pause(); }

static inline long wait_for_usr2(void) {
    return rsig_sigtimedwait(RSIG_SIGSET(SIGUSR2), 1e6, NULL);
}

/* Only such signals are delivered then as need no place in the queue. */
static inline void fill_the_queue(void) {
    const struct rlimit none = {0, 0};
    read_ready_byte();
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &none));
    CHECK_INT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), -1);
    CHECK_INT(errno, EAGAIN);
}

static atomic_int plain_calls;

static inline void plain_handler(int signum) {
    (void)signum;
    plain_calls++;
}

static inline void own(int signum) {
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_RESTART};
    CHECK_SYS(sigaction(signum, &action, NULL));
}

/* So many are pending, and nothing else. */
static inline void accept_in_order(int count) {
    static const struct timespec now;
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    for (int i = 1; i <= count; i++) {
        CHECK_INT(sigtimedwait(&set, &info, &now), SIGRTMAX);
        CHECK_INT(info.si_value.sival_int, i);
    }
    CHECK_INT(sigtimedwait(&set, &info, &now), -1);
    CHECK_INT(errno, EAGAIN);
}

/* All but what arrives on the main thread in these cases. */
static const rsig_sigset_t nearly_all =
    ~(RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2) | RSIG_SIGSET(SIGALRM) | RSIG_SIGSET(SIGTERM));

/* With nothing blocked, and with as much as can be. */
static inline void under_each_mask(void (*body)(void)) {
    set_up();
    for (int i = 0; i < 2; i++) {
        set_mask(i ? nearly_all : 0);
        rsig_sigset_t before = mask();
        body();
        nothing_is_left(before);
    }
}

#endif
