/* Statuses, errno, rsig_error_message() and rsig_strerror(). */
#include "check.h"

#include <limits.h>
#include <sys/time.h>

/* The call fails, and its message has each of these in it. */
#define CHECK_SAYS(call, status, code, ...)                                                        \
    do {                                                                                           \
        CHECK_ERROR(call, status, code);                                                           \
        const char *const check_parts[] = {__VA_ARGS__};                                           \
        for (size_t check_i = 0; check_i < sizeof check_parts / sizeof *check_parts; check_i++)    \
            if (!strstr(rsig_error_message(), check_parts[check_i]))                               \
                CHECK_FAIL("%s: the message lacks \"%s\"", #call, check_parts[check_i]);           \
    } while (0)

static struct check_calls calls;

static void start(void) { CHECK_INT(rsig_init(0), RSIG_OK); }

TEST(no_message_yet, "before the first failure the message is empty, not NULL") {
    CHECK_STR(rsig_error_message(), "");
    start();
    CHECK_STR(rsig_error_message(), "");
}

TEST(success_leaves_it, "a call that succeeds leaves the message alone") {
    start();
    CHECK_ERROR(rsig_signum("SIGFOO"), RSIG_ERROR_VALUE, EINVAL);
    char before[256];
    snprintf(before, sizeof before, "%s", rsig_error_message());
    CHECK_INT(rsig_signum("SIGINT"), SIGINT);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR2), 0, NULL), 0);
    CHECK(!rsig_strsignal(SIGRTMIN - 1));
    CHECK(rsig_strerror(RSIG_ERROR_OS));
    CHECK_STR(rsig_error_message(), before);
}

TEST(the_last_failure, "the message is the last failure's, whole") {
    CHECK_ERROR(rsig_signum("SIGFOOFOOFOOFOOFOOFOOFOOFOOFOOFOOFOOFOO"), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_signum("X"), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "\"X\"") && !strstr(rsig_error_message(), "FOO"));
}

static void *fail_on_thread(void *unused) {
    CHECK_STR(rsig_error_message(), "");
    CHECK_SAYS(rsig_signum("SIGTHREAD"), RSIG_ERROR_VALUE, EINVAL, "SIGTHREAD");
    return unused;
}

TEST(thread_local, "each thread has its own message") {
    pthread_t thread;
    CHECK_SAYS(rsig_signum("SIGMAIN"), RSIG_ERROR_VALUE, EINVAL, "SIGMAIN");
    CHECK_INT(pthread_create(&thread, NULL, fail_on_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(strstr(rsig_error_message(), "SIGMAIN"));
}

TEST(not_initialised, "without rsig_init() whatever needs it is RSIG_ERROR_STATE, ENXIO") {
    for (int round = 0; round < 2; round++) {
        rsig_sigset_t set;
        rsig_action_t action;
        rsig_itimer_t timer;
        CHECK_SAYS(rsig_fini(), RSIG_ERROR_STATE, ENXIO, "rsig_init");
        CHECK_ERROR(rsig_set_main_thread(), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pthread_sigmask(SIG_BLOCK, 0, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_set_warning_hook(NULL, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_raise_signal(0), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pthread_kill(pthread_self(), 0), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pidfd_send_signal(-1, 0, NULL, 0), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_getsignal(SIGUSR1, &action), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_siginterrupt(SIGUSR1, 1), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_setitimer(ITIMER_REAL, 0, 0, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_getitimer(ITIMER_REAL, &timer), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pause(), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigwait(RSIG_SIGSET(SIGUSR1)), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigwaitinfo(RSIG_SIGSET(SIGUSR1), NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR1), 0, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigpending(&set), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_ERROR_STATE, ENXIO);
        start();
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

TEST(before_init, "the lookups, sets and alarm work without rsig_init()") {
    rsig_sigset_t set = 0;
    sigset_t posix;
    int value;
    CHECK_INT(rsig_signum("SIGINT"), SIGINT);
    CHECK_STR(rsig_signame(SIGINT), "SIGINT");
    CHECK_STR(rsig_strsignal(SIGINT), "Interrupt");
    CHECK_INT(rsig_constant("NSIG", &value), RSIG_OK);
    CHECK(rsig_valid_signals() != 0);
    CHECK_INT(rsig_sigset_add(&set, SIGINT), RSIG_OK);
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(rsig_alarm(0), 0);
    CHECK(pthread_equal(rsig_get_ident(), pthread_self()));
    CHECK_INT(rsig_default_int_handler(0, NULL, NULL), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(rsig_raised(&value), 0);
    CHECK_INT(value, 0);
    CHECK_STR(rsig_error_message(), "");
}

TEST(bad_signal_numbers,
     "a number out of range is RSIG_ERROR_VALUE, EINVAL; the message has both it and the range") {
    const int bad[] = {0, -1, NSIG, 4711, INT_MIN, INT_MAX};
    start();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char number[32];
        rsig_action_t action;
        snprintf(number, sizeof number, " %d ", bad[i]);
        CHECK_SAYS(rsig_signal(bad[i], RSIG_IGN, NULL, NULL), RSIG_ERROR_VALUE, EINVAL, number,
                   "1 to 64");
        CHECK_SAYS(rsig_getsignal(bad[i], &action), RSIG_ERROR_VALUE, EINVAL, number, "1 to 64");
        CHECK_SAYS(rsig_siginterrupt(bad[i], 1), RSIG_ERROR_VALUE, EINVAL, number, "1 to 64");
    }
}

TEST(other_bad_values,
     "every other bad argument is RSIG_ERROR_VALUE, EINVAL, and the message names it") {
    rsig_action_t unknown = {RSIG_FOREIGN, &unknown};
    start();
    CHECK_SAYS(rsig_init(0x80000002), RSIG_ERROR_VALUE, EINVAL, "0x80000002", "0x1");
    CHECK_SAYS(rsig_getsignal(SIGINT, NULL), RSIG_ERROR_VALUE, EINVAL, "action", "NULL");
    CHECK_SAYS(rsig_getitimer(ITIMER_REAL, NULL), RSIG_ERROR_VALUE, EINVAL, "now", "NULL");
    CHECK_SAYS(rsig_sigpending(NULL), RSIG_ERROR_VALUE, EINVAL, "set", "NULL");
    CHECK_SAYS(rsig_signal(SIGUSR1, RSIG_FOREIGN, &unknown, NULL), RSIG_ERROR_VALUE, EINVAL, "arg",
               "RSIG_FOREIGN");
    CHECK_SAYS(rsig_signal(SIGUSR1, RSIG_FOREIGN, NULL, NULL), RSIG_ERROR_VALUE, EINVAL, "arg",
               "RSIG_FOREIGN");
    CHECK_SAYS(rsig_pidfd_send_signal(0, SIGUSR1, &unknown, 0), RSIG_ERROR_VALUE, EINVAL, "siginfo",
               "NULL");
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR1);
    CHECK_SAYS(rsig_sigtimedwait(set, -0.5, NULL), RSIG_ERROR_VALUE, EINVAL, "-0.5", "0 or more");
    CHECK_SAYS(rsig_sigtimedwait(set, NAN, NULL), RSIG_ERROR_VALUE, EINVAL, "NaN", "0 or more");
    CHECK_SAYS(rsig_sigtimedwait(set, INFINITY, NULL), RSIG_ERROR_VALUE, EINVAL, "inf",
               "0 or more");
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void *call_off_main_thread(void *unused) {
    CHECK_SAYS(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_ERROR_THREAD, EPERM, "main thread");
    CHECK_SAYS(rsig_pump(), RSIG_ERROR_THREAD, EPERM, "main thread");
    CHECK_SAYS(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_ERROR_THREAD, EPERM, "main thread");
    return unused;
}

TEST(wrong_thread, "what only the main thread may do is RSIG_ERROR_THREAD, EPERM elsewhere") {
    pthread_t thread;
    start();
    CHECK_INT(pthread_create(&thread, NULL, call_off_main_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(unchangeable_signals,
     "signals that cannot be changed are RSIG_ERROR_OS, EINVAL; the message names them") {
    rsig_action_t old = {check_handler, &old};
    start();
    CHECK_SAYS(rsig_signal(SIGKILL, RSIG_IGN, NULL, &old), RSIG_ERROR_OS, EINVAL, "SIGKILL",
               "EINVAL");
    CHECK_SAYS(rsig_signal(SIGSTOP, RSIG_IGN, NULL, &old), RSIG_ERROR_OS, EINVAL, "SIGSTOP");
    CHECK_SAYS(rsig_siginterrupt(SIGKILL, 0), RSIG_ERROR_OS, EINVAL, "SIGKILL", "the kernel keeps");
    for (int n = SIGSYS + 1; n < SIGRTMIN; n++) {
        char number[32];
        snprintf(number, sizeof number, " %d", n);
        CHECK_SAYS(rsig_signal(n, RSIG_IGN, NULL, &old), RSIG_ERROR_OS, EINVAL, number);
        CHECK_SAYS(rsig_getsignal(n, &old), RSIG_ERROR_OS, EINVAL, number);
        CHECK_SAYS(rsig_siginterrupt(n, 0), RSIG_ERROR_OS, EINVAL, number, "the C library keeps");
    }
    CHECK(old.handler == check_handler && old.arg == &old);
}

TEST(cannot_send, "a signal that cannot be sent is RSIG_ERROR_OS with the system's errno") {
    start();
    CHECK_SAYS(rsig_raise_signal(4711), RSIG_ERROR_OS, EINVAL, "4711", "EINVAL");
    CHECK_SAYS(rsig_raise_signal(-1), RSIG_ERROR_OS, EINVAL, "-1");
    CHECK_SAYS(rsig_pthread_kill(pthread_self(), 4711), RSIG_ERROR_OS, EINVAL, "4711");
    CHECK_SAYS(rsig_pidfd_send_signal(STDERR_FILENO, SIGUSR1, NULL, 0), RSIG_ERROR_OS, EBADF,
               "SIGUSR1", "EBADF");
}

TEST(cannot_send_says_range,
     "the message about a signal number that cannot be sent has the range") {
    start();
    CHECK_SAYS(rsig_raise_signal(4711), RSIG_ERROR_OS, EINVAL, "1 to 64");
    CHECK_SAYS(rsig_pthread_kill(pthread_self(), -1), RSIG_ERROR_OS, EINVAL, "1 to 64");
}

TEST(bad_pidfd_is_named, "the message about a descriptor that is no pidfd has its number") {
    start();
    CHECK_SAYS(rsig_pidfd_send_signal(4711, SIGUSR1, NULL, 0), RSIG_ERROR_OS, EBADF, "4711",
               "EBADF: Bad file number");
}

TEST(bad_how, "a wrong `how` is RSIG_ERROR_OS, EINVAL; the message has it and what it may be") {
    rsig_sigset_t old = 99;
    start();
    CHECK_SAYS(rsig_pthread_sigmask(4711, 0, &old), RSIG_ERROR_OS, EINVAL, "4711");
    CHECK_INT(old, 99);
    CHECK(strstr(rsig_error_message(), "SIG_BLOCK"));
}

TEST(bad_timer,
     "a refused timer is RSIG_ERROR_ITIMER, EINVAL; the message has what was asked for") {
    rsig_itimer_t old = {99, 99};
    start();
    CHECK_SAYS(rsig_setitimer(4711, 1, 0, &old), RSIG_ERROR_ITIMER, EINVAL, "4711");
    CHECK_SAYS(rsig_getitimer(4711, &old), RSIG_ERROR_ITIMER, EINVAL, "4711");
    CHECK_SAYS(rsig_setitimer(ITIMER_REAL, -0.5, 0, &old), RSIG_ERROR_ITIMER, EINVAL, "-0.5");
    CHECK_SAYS(rsig_setitimer(ITIMER_REAL, 1, -0.5, &old), RSIG_ERROR_ITIMER, EINVAL, "-0.5");
    CHECK_SAYS(rsig_setitimer(ITIMER_REAL, NAN, 0, &old), RSIG_ERROR_ITIMER, EINVAL, "NaN");
    CHECK_SAYS(rsig_setitimer(ITIMER_REAL, INFINITY, 0, &old), RSIG_ERROR_ITIMER, EINVAL, "inf");
    CHECK(old.delay == 99 && old.interval == 99);
}

TEST(bad_timer_says_range, "the message about a refused timer has what is allowed") {
    rsig_itimer_t now;
    start();
    CHECK_SAYS(rsig_setitimer(4711, 1, 0, NULL), RSIG_ERROR_ITIMER, EINVAL, "0 to 2");
    CHECK_SAYS(rsig_getitimer(4711, &now), RSIG_ERROR_ITIMER, EINVAL, "0 to 2");
    CHECK_SAYS(rsig_setitimer(ITIMER_REAL, -0.5, 0, NULL), RSIG_ERROR_ITIMER, EINVAL, "0 or more");
}

TEST(refusal, "a refusal is RSIG_ERROR_HANDLER, EINTR; the message has the signal and the value") {
    start();
    calls.result = -4711;
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SAYS(rsig_raise_signal(SIGUSR1), RSIG_ERROR_HANDLER, EINTR, "SIGUSR1", "-4711");
    raise(SIGUSR1);
    CHECK_SAYS(rsig_pump(), RSIG_ERROR_HANDLER, EINTR, "SIGUSR1", "-4711");
    CHECK_SAYS(rsig_raise_signal(SIGINT), RSIG_ERROR_HANDLER, EINTR, "SIGINT", "130");
}

TEST(unsupported, "what this platform lacks is RSIG_ERROR_UNSUPPORTED, ENOSYS") {
    int value = 99;
    CHECK_SAYS(rsig_constant("SIGBREAK", &value), RSIG_ERROR_UNSUPPORTED, ENOSYS, "SIGBREAK");
    CHECK_INT(value, 99);
}

TEST(strerror_of_each, "each status has a description of its own") {
    for (int status = RSIG_OK; status >= RSIG_ERROR_UNSUPPORTED; status--) {
        CHECK(rsig_strerror(status) && *rsig_strerror(status));
        CHECK(rsig_strerror(status) == rsig_strerror(status));
        for (int other = RSIG_OK; other > status; other--)
            CHECK(strcmp(rsig_strerror(status), rsig_strerror(other)));
    }
}

TEST(strerror_of_results, "a result counts as RSIG_OK") {
    CHECK_STR(rsig_strerror(1), rsig_strerror(RSIG_OK));
    CHECK_STR(rsig_strerror(INT_MAX), rsig_strerror(RSIG_OK));
}

TEST(strerror_of_unknown,
     "a status that does not exist has a description too, and not a known one") {
    const int unknown[] = {RSIG_ERROR_UNSUPPORTED - 1, -4711, INT_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK(rsig_strerror(unknown[i]) && *rsig_strerror(unknown[i]));
        for (int status = RSIG_OK; status >= RSIG_ERROR_UNSUPPORTED; status--)
            CHECK(strcmp(rsig_strerror(unknown[i]), rsig_strerror(status)));
    }
}

TEST(status_numbers, "the statuses have the contract's numbers") {
    CHECK_INT(RSIG_OK, 0);
    CHECK_INT(RSIG_ERROR_VALUE, -1);
    CHECK_INT(RSIG_ERROR_THREAD, -2);
    CHECK_INT(RSIG_ERROR_OS, -3);
    CHECK_INT(RSIG_ERROR_ITIMER, -4);
    CHECK_INT(RSIG_ERROR_HANDLER, -5);
    CHECK_INT(RSIG_ERROR_STATE, -6);
    CHECK_INT(RSIG_ERROR_UNSUPPORTED, -7);
}
