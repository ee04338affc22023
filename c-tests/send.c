/* rsig_raise_signal(), rsig_pthread_kill(), rsig_get_ident(): sending within the process. */
#include "check.h"

#include <limits.h>
#include <stdatomic.h>

static struct check_calls usr1, usr2;
static pthread_t main_thread, ran_on;

/* Counts, and notes on which thread it ran. */
static int locating_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    ran_on = pthread_self();
    return check_handler(signum, info, arg);
}

static void start(void) {
    main_thread = pthread_self();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, locating_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
}

static void on_another_thread(void *(*body)(void *)) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static int raise_signal(int signum) { return rsig_raise_signal(signum); }
static int kill_self(int signum) { return rsig_pthread_kill(pthread_self(), signum); }

/* The two ways to send a signal to the calling thread, for promises that they share. */
static int (*const to_self[])(int) = {raise_signal, kill_self};

TEST(handler_has_run,
     "on the main thread the handler has run when it returns, with the sender's record") {
    start();
    int calls = 0;
    for (int way = 0; way < 2; way++) {
        CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
        CHECK_INT(usr1.calls, ++calls);
        CHECK_INT(usr1.last_signum, SIGUSR1);
        CHECK_INT(usr1.last_info.code, SI_TKILL);
        CHECK_INT(usr1.last_info.pid, getpid());
        CHECK_INT(usr1.last_info.uid, getuid());
        CHECK_INT(usr1.last_info.count, 1);
        CHECK(pthread_equal(ran_on, main_thread));
    }
}

TEST(runs_what_was_pending, "handlers of other signals that were pending have run too") {
    start();
    for (int way = 0; way < 2; way++) {
        raise(SIGUSR2);
        CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
        CHECK_INT(usr1.calls, way + 1);
        CHECK_INT(usr2.calls, way + 1);
    }
}

TEST(blocked_waits, "a signal that is blocked stays pending, and its handler does not run") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    for (int way = 0; way < 2; way++) {
        rsig_sigset_t pending;
        CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
        CHECK_INT(usr1.calls, 0);
        CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
        CHECK_INT(pending, RSIG_SIGSET(SIGUSR1));
        CHECK_INT(rsig_sigwait(pending), SIGUSR1);
    }
}

TEST(refusal_is_returned, "a refusal comes back from the call that ran the handler") {
    start();
    usr1.result = -1;
    for (int way = 0; way < 2; way++) {
        int signum = 0;
        CHECK_ERROR(to_self[way](SIGUSR1), RSIG_ERROR_HANDLER, EINTR);
        CHECK_INT(rsig_raised(&signum), -1);
        CHECK_INT(signum, SIGUSR1);
    }
    CHECK_INT(usr1.calls, 2);
}

TEST(refusal_of_another_signal,
     "also of one that was pending; what was sent stays pending behind it") {
    start();
    usr1.result = 1;
    for (int way = 0; way < 2; way++) {
        raise(SIGUSR1);
        CHECK_ERROR(to_self[way](SIGUSR2), RSIG_ERROR_HANDLER, EINTR);
        CHECK_INT(usr2.calls, way);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(usr2.calls, way + 1);
    }
}

TEST(zero_sends_nothing, "0 only checks, and runs what was pending") {
    start();
    for (int way = 0; way < 2; way++) {
        CHECK_INT(to_self[way](0), RSIG_OK);
        CHECK_INT(usr1.calls, way);
        raise(SIGUSR1);
        CHECK_INT(to_self[way](0), RSIG_OK);
        CHECK_INT(usr1.calls, way + 1);
    }
}

TEST(invalid_numbers, "a number that is no signal is RSIG_ERROR_OS with EINVAL") {
    const int bad[] = {-1, NSIG, NSIG + 1, INT_MAX, INT_MIN};
    start();
    for (int way = 0; way < 2; way++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            CHECK_ERROR(to_self[way](bad[i]), RSIG_ERROR_OS, EINVAL);
}

TEST(the_c_librarys_own_signals, "so are the C library's own real-time signals") {
    start();
    for (int way = 0; way < 2; way++)
        for (int signum = SIGSYS + 1; signum < SIGRTMIN; signum++)
            CHECK_ERROR(to_self[way](signum), RSIG_ERROR_OS, EINVAL);
}

static void die_of_term(void) { rsig_raise_signal(SIGTERM); }
static void die_of_kill(void) { rsig_pthread_kill(pthread_self(), SIGKILL); }

TEST(default_action, "a signal without a handler does what it does by default") {
    start();
    CHECK_CHILD_KILLED(check_child(die_of_term), SIGTERM);
    CHECK_CHILD_KILLED(check_child(die_of_kill), SIGKILL);
}

/* ---- other threads ---- */

static void *send_to_self(void *unused) {
    for (int way = 0; way < 2; way++) {
        CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
        CHECK_INT(to_self[way](0), RSIG_OK);
        CHECK_ERROR(to_self[way](-1), RSIG_ERROR_OS, EINVAL);
    }
    CHECK_INT(usr1.calls, 0);
    return unused;
}

TEST(other_threads_run_no_handler,
     "off the main thread it returns before the handler, which the pump runs") {
    start();
    usr1.result = 1;
    on_another_thread(send_to_self);
    CHECK_INT(usr1.calls, 0);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr1.deliveries, 2);
    CHECK(pthread_equal(ran_on, main_thread));
}

static void *send_to_main(void *unused) {
    check_await_syscall(getpid(), SYS_ppoll);
    CHECK_INT(rsig_pthread_kill(main_thread, SIGUSR1), RSIG_OK);
    return unused;
}

TEST(from_another_thread_to_main, "what another thread sends to the main thread ends its wait") {
    pthread_t thread;
    start();
    CHECK_INT(pthread_create(&thread, NULL, send_to_main, NULL), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    CHECK(pthread_equal(ran_on, main_thread));
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static int ends[2];
static atomic_int tid;

/* Its read ends with EINTR when a signal lands here. */
static void *be_interrupted(void *unused) {
    char byte;
    tid = check_gettid();
    CHECK_INT(read(ends[0], &byte, 1), -1);
    CHECK_INT(errno, EINTR);
    return unused;
}

TEST(from_main_to_another_thread,
     "what lands on another thread has its handler on the main thread") {
    pthread_t thread;
    start();
    CHECK_SYS(pipe(ends));
    CHECK_INT(pthread_create(&thread, NULL, be_interrupted, NULL), 0);
    while (!tid) sched_yield();
    check_await_syscall(tid, SYS_read);
    CHECK_INT(rsig_pthread_kill(thread, 0), RSIG_OK);
    raise(SIGUSR2);
    CHECK_INT(rsig_pthread_kill(thread, SIGUSR1), RSIG_OK);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(usr1.calls, 1);
    CHECK(pthread_equal(ran_on, main_thread));
}

static void *nothing(void *unused) {
    tid = check_gettid();
    return unused;
}

TEST(to_a_thread_that_has_ended,
     "one that has ended and is not joined gets nothing: RSIG_OK or ESRCH, as libc has it") {
    pthread_t thread;
    start();
    CHECK_INT(pthread_create(&thread, NULL, nothing, NULL), 0);
    while (!tid || syscall(SYS_tgkill, getpid(), tid, 0) == 0) sched_yield();
    CHECK_INT(errno, ESRCH);
    errno = 0;
    int result = rsig_pthread_kill(thread, SIGUSR1);
    CHECK(result == RSIG_OK || (result == RSIG_ERROR_OS && errno == ESRCH));
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- rsig_get_ident() ---- */

static void *check_ident(void *unused) {
    CHECK(pthread_equal(rsig_get_ident(), pthread_self()));
    CHECK(!pthread_equal(rsig_get_ident(), main_thread));
    return unused;
}

TEST(get_ident_is_the_caller, "rsig_get_ident() is pthread_self(), before rsig_init() too") {
    main_thread = rsig_get_ident();
    CHECK(pthread_equal(main_thread, pthread_self()));
    on_another_thread(check_ident);
    start();
    CHECK_INT(rsig_pthread_kill(rsig_get_ident(), SIGUSR1), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
}

TEST(needs_init,
     "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE, and nothing is sent") {
    for (int way = 0; way < 2; way++) CHECK_ERROR(to_self[way](SIGTERM), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int way = 0; way < 2; way++) CHECK_ERROR(to_self[way](SIGTERM), RSIG_ERROR_STATE, ENXIO);
}
