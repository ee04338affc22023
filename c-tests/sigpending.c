/* rsig_sigpending(): what is blocked and waits to be delivered. */
#include "check.h"

static struct check_calls calls;

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static void block(rsig_sigset_t set) {
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
}

static rsig_sigset_t pending(void) {
    rsig_sigset_t set = ~(rsig_sigset_t)0;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    return set;
}

TEST(empty_where_nothing_waits, "with nothing pending the set is empty") {
    start();
    CHECK_INT(pending(), 0);
}

TEST(tells_what_is_blocked_and_sent,
     "for the process and for the thread, up to the highest signal") {
    start();
    const rsig_sigset_t both = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGRTMAX);
    block(both | RSIG_SIGSET(SIGHUP));
    CHECK_INT(pending(), 0);
    raise(SIGRTMAX);
    CHECK_INT(pending(), RSIG_SIGSET(SIGRTMAX));
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(pending(), both);
    CHECK_INT(calls.calls, 0);
}

TEST(no_longer_once_delivered, "a signal that is delivered or accepted is no longer pending") {
    start();
    block(RSIG_SIGSET(SIGUSR1));
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGUSR1)), SIGUSR1);
    CHECK_INT(pending(), 0);
    raise(SIGUSR1);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR1));
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    CHECK_INT(pending(), 0);
    CHECK_INT(calls.calls, 1);
}

TEST(not_what_waits_for_the_pump, "what was delivered and waits for rsig_pump() is not in it") {
    start();
    raise(SIGUSR1);
    CHECK_INT(pending(), 0);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
}

static void *look_from_another_thread(void *unused) {
    CHECK_INT(pending(), RSIG_SIGSET(SIGHUP));
    raise(SIGUSR2);
    CHECK_INT(pending(), RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGUSR2));
    return unused;
}

TEST(each_thread_sees_its_own, "what is pending for one thread alone is not told to another") {
    pthread_t thread;
    start();
    block(RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2) | RSIG_SIGSET(SIGHUP));
    raise(SIGUSR1);
    CHECK_SYS(kill(getpid(), SIGHUP));
    CHECK_INT(pthread_create(&thread, NULL, look_from_another_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGHUP));
}

TEST(null_is_an_error, "NULL is RSIG_ERROR_VALUE") {
    start();
    CHECK_ERROR(rsig_sigpending(NULL), RSIG_ERROR_VALUE, EINVAL);
}

TEST(needs_init,
     "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE, the set untouched") {
    rsig_sigset_t set = 42;
    CHECK_ERROR(rsig_sigpending(&set), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_sigpending(&set), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(set, 42);
}
