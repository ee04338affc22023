/* rsig_pause(): what ends the wait, what does not, and that no signal slips past it. */
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct check_calls usr1, usr2;
static pthread_t main_thread;
static atomic_int foreign_calls;

static void foreign_handler(int signum) {
    (void)signum;
    foreign_calls++;
}

static void start(void) {
    main_thread = pthread_self();
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

/* Once the main thread (the process's first) sleeps: sends it the signal. */
static void *signal_main(void *signum) {
    check_await_syscall(getpid(), SYS_ppoll);
    CHECK_INT(pthread_kill(main_thread, *(int *)signum), 0);
    return NULL;
}

/* Once the main thread sleeps: lets the signal land on this thread. */
static void *signal_self(void *signum) {
    check_await_syscall(getpid(), SYS_ppoll);
    CHECK_INT(pthread_kill(pthread_self(), *(int *)signum), 0);
    return NULL;
}

static int number_usr1 = SIGUSR1, number_usr2 = SIGUSR2;

TEST(runs_what_is_pending_and_returns, "pending handlers run, all of them, and end the wait") {
    start();
    raise(SIGUSR2);
    raise(SIGUSR1);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr2.calls, 1);
}

TEST(returns_after_a_handler_ran, "a signal that comes later runs its handler and ends the wait") {
    start();
    pthread_t sender = spawn(signal_main, &number_usr1);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    join(sender);
}

TEST(ends_with_restarting_handlers, "SA_RESTART does not restart the wait") {
    start();
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    pthread_t sender = spawn(signal_main, &number_usr1);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    join(sender);
}

TEST(refusal_ends_it, "a refusal is returned, and what else is pending stays pending") {
    start();
    usr1.result = 7;
    raise(SIGUSR1);
    raise(SIGUSR2);
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_HANDLER, EINTR);
    int signum = 0;
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(usr2.calls, 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(usr1.calls, 1);
}

TEST(refusal_during_the_wait_ends_it, "a handler that runs during the wait may refuse") {
    start();
    usr1.result = -3;
    pthread_t sender = spawn(signal_main, &number_usr1);
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(NULL), -3);
    join(sender);
}

TEST(foreign_handler_ends_it, "a handler that rsig did not install ends the wait") {
    start();
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = foreign_handler;
    action.sa_flags = SA_RESTART;
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    pthread_t sender = spawn(signal_main, &number_usr2);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(foreign_calls, 1);
    CHECK_INT(usr2.calls, 0);
    join(sender);
}

static void pause_with_blocked(rsig_sigset_t blocked) {
    start();
    pthread_t worker = spawn(signal_self, &number_usr1);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, blocked, NULL), RSIG_OK);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    join(worker);
}

TEST(landing_elsewhere_ends_it, "a signal that lands on another thread ends the wait") {
    pause_with_blocked(0);
}

TEST(landing_elsewhere_ends_it_blocked,
     "the same while the main thread has that signal blocked") {
    pause_with_blocked(RSIG_SIGSET(SIGUSR1));
}

TEST(landing_elsewhere_ends_it_all_blocked,
     "the same while the main thread has all signals blocked") {
    pause_with_blocked(~(rsig_sigset_t)0);
}

TEST(blocked_signal_does_not_end_it, "a signal that is blocked stays pending and ends nothing") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    raise(SIGUSR1);
    pthread_t sender = spawn(signal_main, &number_usr2);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(usr2.calls, 1);
    join(sender);
}

static void pause_in_child(void) {
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
}

TEST(stop_and_continue_do_not_end_it, "to be stopped and continued is no end of the wait") {
    start();
    fflush(NULL);
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        pause_in_child();
        _exit(0);
    }
    int status;
    check_await_syscall(child, SYS_ppoll);
    CHECK_SYS(kill(child, SIGSTOP));
    CHECK_SYS(waitpid(child, &status, WUNTRACED));
    CHECK(WIFSTOPPED(status));
    CHECK_SYS(kill(child, SIGCONT));
    CHECK_SYS(waitpid(child, &status, WCONTINUED));
    CHECK(WIFCONTINUED(status));
    check_await_syscall(child, SYS_ppoll);
    CHECK_SYS(kill(child, SIGUSR1));
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK_CHILD_OK(status);
}

TEST(no_race_with_a_timer, "a signal on its way into the wait is never missed") {
    enum { ROUNDS = 20000 };
    struct itimerval timer = {{0, 0}, {0, 0}};
    start();
    CHECK_INT(rsig_signal(SIGALRM, check_handler, &usr1, NULL), RSIG_OK);
    for (int i = 1; i <= ROUNDS; i++) {
        timer.it_value.tv_usec = 1 + i % 40;
        CHECK_SYS(setitimer(ITIMER_REAL, &timer, NULL));
        CHECK_INT(rsig_pause(), RSIG_OK);
        CHECK_INT(usr1.calls, i);
    }
}

static atomic_int turn;

/* In each turn, after a while that differs, lets a signal land on this thread. */
static void *raise_each_turn(void *rounds) {
    for (int i = 1; i <= *(int *)rounds; i++) {
        while (turn < i) sched_yield();
        for (volatile int spin = i * 7 % 600; spin > 0; spin--) continue;
        raise(SIGUSR1);
    }
    return NULL;
}

TEST(no_race_with_another_thread, "a signal that lands on another thread is never missed") {
    int rounds = 50000;
    start();
    pthread_t worker = spawn(raise_each_turn, &rounds);
    for (int i = 1; i <= rounds; i++) {
        turn = i;
        /* Without the stub, what interrupts the main thread may come when the call is over, and end the next. */
        do CHECK_INT(rsig_pause(), RSIG_OK);
        while (!RSIG_RACE_FREE && usr1.calls < i);
        CHECK_INT(usr1.calls, i);
    }
    join(worker);
}

static atomic_int worker_tid;

static void *pause_on_worker(void *unused) {
    (void)unused;
    worker_tid = check_gettid();
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(usr2.calls, 0);
    return NULL;
}

TEST(on_another_thread_it_is_plain_pause,
     "off the main thread nothing pending ends it, a signal on that thread does, and none runs") {
    start();
    raise(SIGUSR1);
    pthread_t worker = spawn(pause_on_worker, NULL);
    while (!worker_tid) sched_yield();
    check_await_syscall(worker_tid, SYS_ppoll);
    CHECK_INT(pthread_kill(worker, SIGUSR2), 0);
    join(worker);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr2.calls, 1);
}

static int pauses_inside;

static int pausing_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    pauses_inside = rsig_pause();
    CHECK_INT(usr2.calls, 1);
    return 0;
}

TEST(a_handler_may_pause, "a handler may wait itself") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, pausing_handler, NULL, NULL), RSIG_OK);
    raise(SIGUSR1);
    pauses_inside = -1;
    pthread_t sender = spawn(signal_main, &number_usr2);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(pauses_inside, RSIG_OK);
    join(sender);
}

static void *cancelled_main(void *returned) {
    start();
    worker_tid = check_gettid();
    CHECK_INT(pthread_cancel(pthread_self()), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    *(int *)returned = 1;
    pthread_testcancel();
    return NULL;
}

TEST(is_no_cancellation_point, "a thread that is cancelled is not so inside the wait") {
    int returned = 0;
    void *end = NULL;
    pthread_t thread = spawn(cancelled_main, &returned);
    while (!worker_tid) sched_yield();
    check_await_syscall(worker_tid, SYS_ppoll);
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    CHECK_INT(pthread_join(thread, &end), 0);
    CHECK(returned);
    CHECK(end == PTHREAD_CANCELED);
}

TEST(needs_no_descriptor, "it waits where no descriptor is free") {
    start();
    check_send_when_asleep(SYS_ppoll, SIGUSR1);
    struct rlimit before, none;
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
    CHECK_INT(usr1.calls, 1);
}

TEST(needs_init, "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE") {
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_STATE, ENXIO);
}
