/* rsig_wait(): how many handlers ran, or that the time is over. */
#include "check.h"
#include <stdatomic.h>
#include <sys/resource.h>

static pthread_t main_thread;
static pid_t main_tid;
static struct check_calls usr1, usr2;

static void start(void) {
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
}

static pthread_t spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

static void *become_main(void *arg) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    return arg;
}

/* Once the main thread sleeps: SIGUSR1 to it. */
static void *signal_main(void *arg) {
    check_await_syscall(main_tid, SYS_ppoll);
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return arg;
}

/* Once the main thread sleeps: SIGUSR1 on this thread. */
static void *signal_self(void *arg) {
    check_await_syscall(main_tid, SYS_ppoll);
    raise(SIGUSR1);
    return arg;
}

static double now(void) {
    struct timespec time;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

TEST(runs_what_is_pending, "what is pending runs, and its handlers are counted") {
    start();
    for (int i = 0; i < 3; i++) raise(SIGUSR2);
    raise(SIGUSR1);
    CHECK_INT(rsig_wait(-1), 2);
    CHECK_INT(usr1.deliveries, 1);
    CHECK_INT(usr2.deliveries, 3);
    raise(SIGUSR1);
    CHECK_INT(rsig_wait(0), 1);
    raise(SIGUSR1);
    CHECK_INT(rsig_wait(1e300), 1);
}

TEST(nothing_pending, "with a timeout of 0 it does not wait") {
    start();
    CHECK_INT(rsig_wait(0), 0);
    CHECK_INT(rsig_wait(-0.0), 0);
}

TEST(time_over, "0 when the time is over, and not before") {
    start();
    double began = now();
    CHECK_INT(rsig_wait(0.05), 0);
    CHECK(now() - began >= 0.05);
}

TEST(tiny_time, "the smallest time is one") {
    start();
    CHECK_INT(rsig_wait(5e-324), 0);
    CHECK_INT(rsig_wait(1e-9), 0);
}

static void caught_by(void *(*sender)(void *), double timeout) {
    start();
    for (int i = 1; i <= 3; i++) {
        pthread_t thread = spawn(sender, NULL);
        CHECK_INT(rsig_wait(timeout), 1);
        join(thread);
        CHECK_INT(usr1.calls, i);
    }
}

TEST(later_signal, "a signal that comes later ends it") { caught_by(signal_main, -1); }

TEST(later_signal_in_time, "so it does where there is a limit") { caught_by(signal_main, 1e6); }

TEST(no_limit_is_too_long, "no time is too long") { caught_by(signal_main, 1e300); }

TEST(on_another_thread, "a signal that lands on another thread ends it") {
    caught_by(signal_self, -1);
}

TEST(restarting_handlers, "SA_RESTART does not restart it") {
    start();
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    pthread_t thread = spawn(signal_main, NULL);
    CHECK_INT(rsig_wait(-1), 1);
    join(thread);
}

static atomic_int foreign_calls;

static void foreign(int signum) { (void)signum, atomic_fetch_add(&foreign_calls, 1); }

static void *foreign_then_ours(void *arg) {
    for (int i = 1; i <= 3; i++) {
        check_await_syscall(main_tid, SYS_ppoll);
        CHECK_INT(pthread_kill(main_thread, SIGHUP), 0);
        while (atomic_load(&foreign_calls) < i) sched_yield();
    }
    return signal_main(arg);
}

TEST(foreign_handlers, "handlers that are not rsig's do not end it") {
    struct sigaction action = {.sa_handler = foreign};
    start();
    CHECK_SYS(sigaction(SIGHUP, &action, NULL));
    pthread_t thread = spawn(foreign_then_ours, NULL);
    CHECK_INT(rsig_wait(-1), 1);
    join(thread);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(foreign_calls, 3);
}

TEST(foreign_handlers_and_time, "nor make it shorter") {
    struct sigaction action = {.sa_handler = foreign};
    start();
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.002, 0.002, NULL), RSIG_OK);
    double began = now();
    CHECK_INT(rsig_wait(0.1), 0);
    CHECK(now() - began >= 0.1);
    CHECK(atomic_load(&foreign_calls) > 0);
}

TEST(refusal, "a refusal is returned, and the rest stays pending") {
    int signum;
    start();
    usr1.result = 7;
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_ERROR(rsig_wait(-1), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(usr2.calls, 0);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_INT(usr2.calls, 1);
}

TEST(refusal_later, "so it is by a handler of a signal that comes later") {
    start();
    usr1.result = 7;
    pthread_t thread = spawn(signal_self, NULL);
    CHECK_ERROR(rsig_wait(1e6), RSIG_ERROR_HANDLER, EINTR);
    join(thread);
    CHECK_INT(rsig_tripped(), 0);
}

static int wait_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    raise(SIGUSR1);
    CHECK_INT(rsig_wait(-1), 1);
    return 0;
}

TEST(inside_a_handler, "a handler may wait for other handlers") {
    start();
    CHECK_INT(rsig_signal(SIGHUP, wait_inside, NULL, NULL), RSIG_OK);
    raise(SIGHUP);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_INT(usr1.calls, 1);
}

static void wait_as_a_child(void) {
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(rsig_wait(0), 0); /* what is pending is the parent's */
    pthread_t thread = spawn(signal_self, NULL);
    CHECK_INT(rsig_wait(-1), 1);
    join(thread);
    CHECK_INT(rsig_wait(0.01), 0);
}

TEST(after_fork, "it works in a forked child") {
    start();
    CHECK_INT(rsig_wait(0.001), 0);
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(wait_as_a_child));
    CHECK_INT(rsig_wait(-1), 1);
}

TEST(no_number, "NaN and an infinite timeout are errors, and nothing runs") {
    start();
    raise(SIGUSR1);
    CHECK_ERROR(rsig_wait(NAN), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_wait(-NAN), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_wait(INFINITY), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_tripped(), 1);
}

static void *wait_elsewhere(void *arg) {
    CHECK_ERROR(rsig_wait(0), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_wait(-1), RSIG_ERROR_THREAD, EPERM);
    return arg;
}

TEST(wrong_thread, "only the main thread may, and a pending handler does not run elsewhere") {
    start();
    raise(SIGUSR1);
    join(spawn(wait_elsewhere, NULL));
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_wait(0), 1);
}

static int become_main_elsewhere(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    join(spawn(become_main, NULL));
    return 0;
}

TEST(main_thread_handed_on, "a handler may hand the main thread on; it is counted") {
    start();
    CHECK_INT(rsig_signal(SIGHUP, become_main_elsewhere, NULL, NULL), RSIG_OK);
    raise(SIGHUP);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_ERROR(rsig_wait(-1), RSIG_ERROR_THREAD, EPERM);
}

TEST(before_init, "before rsig_init() and after rsig_fini() it is an error") {
    CHECK_ERROR(rsig_wait(0), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_wait(-1), RSIG_ERROR_STATE, ENXIO);
}

TEST(needs_no_descriptor, "it waits where no descriptor is free") {
    struct rlimit before, none;
    start();
    check_send_when_asleep(SYS_ppoll, SIGUSR1);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
}

/* Many, from several threads. */

enum { THREADS = 3, ROUNDS = 5000 };

static void *raise_many(void *arg) {
    for (int i = 0; i < ROUNDS; i++) raise(i % 2 ? SIGUSR1 : SIGUSR2);
    return arg;
}

TEST(storm, "a loop of waits without limit misses nothing") {
    pthread_t threads[THREADS];
    start();
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(raise_many, NULL);
    /* It would hang if one were missed. */
    while (usr1.deliveries + usr2.deliveries < THREADS * ROUNDS) CHECK(rsig_wait(-1) > 0);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK_INT(usr1.deliveries + usr2.deliveries, THREADS * ROUNDS);
}

TEST(minus_infinity, "is no limit, nor a time") {
    start();
    CHECK_ERROR(rsig_wait(-INFINITY), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_dispatch(RSIG_SIGSET(SIGUSR1), -INFINITY), RSIG_ERROR_VALUE, EINVAL);
}
