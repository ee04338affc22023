/*
 * The race between the last look at the pending signals and the system call that then sleeps, by
 * statistics: a timer fires at a random moment around the beginning of each of very many blocking
 * calls. A call that slept through its signal is told from one that waits for it by an event: it
 * sleeps, in the same call, while the signal is tripped, or waits in the kernel.
 */
#include "check.h"
#include <stdatomic.h>

enum { REFUSED = 1 };

/* The moments are spread from now to so much later: from well before the call to well into it. */
enum { SPREAD_NS = 16000 };

static struct check_calls calls;
static timer_t timer;
static int pipe_fds[2];
static pid_t main_tid;
/* How many calls have begun, and in which system call each would hang. */
static atomic_long begun;
static long hangs_in;
/* What the watcher does about a call that hangs. */
static void (*on_hang)(void);

static unsigned random_below(unsigned limit) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 16) % limit;
}

static void fire_soon(void) {
    struct itimerspec soon = {.it_value = {.tv_nsec = 1 + random_below(SPREAD_NS)}};
    begun++;
    CHECK_SYS(timer_settime(timer, 0, &soon, NULL));
}

/* The thread that takes the signal, where it is not the main one. */
static atomic_int worker_tid;

static int worker_is_done(void) { return worker_tid == 0 || check_sleeps(worker_tid, SYS_rt_sigsuspend, NULL); }

/* Tripped, or pending: who is to take it from there is awake from that moment on. */
static int has_come(void) {
    sigset_t pending;
    CHECK_SYS(sigpending(&pending));
    return rsig_tripped() || sigismember(&pending, SIGUSR1);
}

/*
 * Asleep, the signal there, by a handler that has returned, asleep, and all that in the same call: it
 * has slept through its signal.
 */
static void *watcher(void *unused) {
    (void)unused;
    for (;;) {
        long call = begun;
        if (check_sleeps(main_tid, hangs_in, NULL) && has_come() && worker_is_done() &&
            check_sleeps(main_tid, hangs_in, NULL) && begun == call)
            on_hang();
        poll(NULL, 0, 1);
    }
    return NULL;
}

static void fail(void) {
    CHECK_FAIL("call %ld sleeps although its signal has come", (long)begun);
}

static void set_up(long number, void (*what)(void), int result) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    sigset_t set;
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    calls.result = result;
    hangs_in = number;
    on_hang = what;
    main_tid = check_gettid();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    CHECK_INT(pthread_create(&thread, NULL, watcher, NULL), 0);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void refused(long result, long expected) {
    int signum;
    CHECK_INT(result, expected);
    CHECK_INT(errno, EINTR);
    CHECK_INT(rsig_raised(&signum), REFUSED);
    CHECK_INT(signum, SIGUSR1);
}

static long once(void) {
    char byte;
    return rsig_syscall(SYS_read, pipe_fds[0], (long)&byte, 1, 0, 0, 0);
}

TEST(syscall_once, "20000 times rsig_syscall()") {
    check_needs_stub();
    set_up(SYS_read, fail, 0);
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        CHECK_INT(once(), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(reads, "100000 times rsig_read()") {
    check_needs_stub();
    char byte;
    set_up(SYS_read, fail, REFUSED);
    for (int i = 1; i <= 100000; i++) {
        fire_soon();
        refused(rsig_read(pipe_fds[0], &byte, 1), -1);
        CHECK_INT(calls.deliveries, i);
    }
}

static void *worker(void *unused) {
    sigset_t none;
    (void)unused;
    sigemptyset(&none);
    worker_tid = check_gettid();
    for (;;) sigsuspend(&none);
    return NULL;
}

TEST(reads_while_it_lands_elsewhere, "20000 times rsig_read(), the signal on another thread") {
    check_needs_stub();
    char byte;
    sigset_t all;
    pthread_t thread;
    set_up(SYS_read, fail, REFUSED);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    CHECK_INT(pthread_create(&thread, NULL, worker, NULL), 0);
    while (worker_tid == 0) sched_yield();
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        refused(rsig_read(pipe_fds[0], &byte, 1), -1);
        CHECK_INT(calls.deliveries, i);
    }
}

static void wake(void) { CHECK_INT(write(pipe_fds[1], "", 1), 1); }

TEST(naive, "a pump and then a plain read sleeps through its signal, before long") {
    char byte;
    ssize_t got = 0;
    set_up(SYS_read, wake, 0);
    while (got != 1) {
        fire_soon();
        if (rsig_pump() == 1) continue;
        /* A byte is written only to a call that hangs. */
        got = read(pipe_fds[0], &byte, 1);
        if (got < 0) CHECK_INT(errno, EINTR);
        CHECK_INT(rsig_pump(), 1);
    }
    printf("seen in call %ld\n", (long)begun);
}

/* What the C library makes of poll(). */
#ifdef SYS_poll
#define SYS_OF_POLL SYS_poll
#else
#define SYS_OF_POLL SYS_ppoll
#endif

TEST(pollable_fd, "100000 times poll() of rsig_fd(), then rsig_pump()") {
    struct pollfd wait = {.events = POLLIN};
    set_up(SYS_OF_POLL, fail, 0);
    CHECK((wait.fd = rsig_fd()) >= 0);
    for (int i = 1; i <= 100000; i++) {
        fire_soon();
        if (poll(&wait, 1, -1) != 1) {
            CHECK_INT(errno, EINTR);
            CHECK_INT(poll(&wait, 1, -1), 1);
        }
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, i);
        CHECK_INT(poll(&wait, 1, 0), 0);
    }
}

TEST(wait_for_handlers, "100000 times rsig_wait()") {
    set_up(SYS_ppoll, fail, 0);
    for (int i = 1; i <= 100000; i++) {
        fire_soon();
        CHECK_INT(rsig_wait(-1), 1);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(pauses, "20000 times rsig_pause()") {
    set_up(SYS_ppoll, fail, 0);
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        CHECK_INT(rsig_pause(), RSIG_OK);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(polls, "100000 times rsig_poll()") {
    struct pollfd wait = {.events = POLLIN};
    set_up(SYS_ppoll, fail, REFUSED);
    wait.fd = pipe_fds[0];
    for (int i = 1; i <= 100000; i++) {
        fire_soon();
        refused(rsig_poll(&wait, 1, -1), -1);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(sleeps_long, "20000 times rsig_sleep()") {
    check_needs_stub();
    set_up(SYS_clock_nanosleep, fail, REFUSED);
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        refused(rsig_sleep(1e6), -1);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(waits_for_another_signal, "100000 times rsig_sigtimedwait() for something else") {
    set_up(CHECK_SYS_SIGWAIT, fail, REFUSED);
    for (int i = 1; i <= 100000; i++) {
        fire_soon();
        refused(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR2), 1e6, NULL), RSIG_ERROR_HANDLER);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(dispatches_another_signal, "20000 times rsig_dispatch() of something else") {
    set_up(CHECK_SYS_SIGWAIT, fail, 0);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR2), NULL), RSIG_OK);
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR2), -1), 1);
        CHECK_INT(calls.deliveries, i);
        CHECK_INT(calls.last_signum, SIGUSR1);
    }
}

TEST(dispatches_the_signal, "20000 times rsig_dispatch() of the signal itself, blocked") {
    set_up(CHECK_SYS_SIGWAIT, fail, 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    for (int i = 1; i <= 20000; i++) {
        fire_soon();
        CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR1), -1), 1);
        CHECK_INT(calls.deliveries, i);
    }
}
