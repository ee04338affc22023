/* rsig_signal() and rsig_getsignal(): setting a handler, what was before, and every refusal. */
#include "check.h"

#include <limits.h>

static rsig_action_t action_of(int signum) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(signum, &action), RSIG_OK);
    return action;
}

#define CHECK_ACTION(action, expected_handler, expected_arg)                                       \
    do {                                                                                           \
        rsig_action_t check_action = (action);                                                     \
        CHECK(check_action.handler == (expected_handler));                                         \
        CHECK(check_action.arg == (void *)(expected_arg));                                         \
    } while (0)

/* What a failing call must leave as it is. */
static const rsig_action_t UNTOUCHED = {check_handler, (void *)&UNTOUCHED};

static int other_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    return check_handler(signum, info, arg);
}

static void foreign_handler(int signum) { (void)signum; }

/* --- setting and telling --- */

TEST(handler_and_arg_are_told, "rsig_getsignal tells the handler and the arg that were set") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_ACTION(action_of(SIGUSR1), check_handler, &calls);
    CHECK_INT(rsig_signal(SIGUSR1, other_handler, NULL, NULL), RSIG_OK);
    CHECK_ACTION(action_of(SIGUSR1), other_handler, NULL);
    CHECK_ACTION(action_of(SIGUSR2), RSIG_DFL, NULL);
}

TEST(old_is_the_action_before, "rsig_signal stores the action before, at each change") {
    int first, second;
    rsig_action_t old = UNTOUCHED;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &first, &old), RSIG_OK);
    CHECK_ACTION(old, RSIG_DFL, NULL);
    CHECK_INT(rsig_signal(SIGUSR1, other_handler, &second, &old), RSIG_OK);
    CHECK_ACTION(old, check_handler, &first);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, &old), RSIG_OK);
    CHECK_ACTION(old, other_handler, &second);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, &old), RSIG_OK);
    CHECK_ACTION(old, RSIG_IGN, NULL);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, &old), RSIG_OK);
    CHECK_ACTION(old, RSIG_DFL, NULL);
}

TEST(old_restores_a_handler, "an old action given back is the handler again, with its arg") {
    struct check_calls first = {0}, second = {0};
    rsig_action_t old;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &first, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &second, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(first.calls, 1);
    CHECK_INT(second.calls, 0);
}

TEST(every_valid_signal,
     "every valid signal can be asked for, and set but for SIGKILL and SIGSTOP") {
    rsig_sigset_t valid = rsig_valid_signals();
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    for (int n = rsig_sigset_next(valid, 0); n > 0; n = rsig_sigset_next(valid, n)) {
        CHECK_ACTION(action_of(n), RSIG_DFL, NULL);
        if (n == SIGKILL || n == SIGSTOP) continue;
        struct check_calls calls = {0};
        rsig_action_t old = UNTOUCHED;
        CHECK_INT(rsig_signal(n, check_handler, &calls, &old), RSIG_OK);
        CHECK_ACTION(old, RSIG_DFL, NULL);
        CHECK_ACTION(action_of(n), check_handler, &calls);
        CHECK_INT(rsig_raise_signal(n), RSIG_OK);
        CHECK_INT(calls.calls, 1);
        CHECK_INT(calls.last_signum, n);
        CHECK_INT(calls.last_info.signo, n);
        CHECK_INT(rsig_signal(n, RSIG_DFL, NULL, NULL), RSIG_OK);
        CHECK_ACTION(action_of(n), RSIG_DFL, NULL);
    }
}

TEST(handler_is_persistent, "a handler stays until it is changed") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    for (int i = 1; i <= 5; i++) {
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.calls, i);
        CHECK_ACTION(action_of(SIGUSR1), check_handler, &calls);
    }
}

TEST(ignored_means_ignored, "RSIG_IGN: the signal neither kills nor is recorded") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK(check_kernel_handler(SIGTERM) == (void *)SIG_IGN);
    CHECK_INT(raise(SIGTERM), 0);
    CHECK_INT(rsig_pump(), 0);
}

static void die_by_default_action(void) {
    CHECK_INT(rsig_signal(SIGTERM, RSIG_DFL, NULL, NULL), RSIG_OK);
    raise(SIGTERM);
}

TEST(default_means_default, "RSIG_DFL after a handler: the signal kills again") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, NULL, NULL), RSIG_OK);
    CHECK_CHILD_KILLED(check_child(die_by_default_action), SIGTERM);
}

TEST(kernel_sees_one_kind_of_handler,
     "the kernel has SA_SIGINFO and SA_ONSTACK, no SA_RESTART, an empty mask") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMAX, other_handler, NULL, NULL), RSIG_OK);
    int signals[] = {SIGUSR1, SIGRTMAX, SIGINT};
    for (int i = 0; i < 3; i++) {
        struct sigaction now;
        CHECK_SYS(sigaction(signals[i], NULL, &now));
        int known = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_NOCLDSTOP |
                    SA_NOCLDWAIT | (int)SA_RESETHAND;
        CHECK_INT(now.sa_flags & known, SA_SIGINFO | SA_ONSTACK);
        rsig_sigset_t mask;
        CHECK_INT(rsig_sigset_from_posix(&now.sa_mask, &mask), RSIG_OK);
        CHECK_INT(mask, 0);
    }
}

TEST(default_int_handler_for_any_signal,
     "rsig_default_int_handler can be given to any signal, and refuses") {
    int signum = 0;
    CHECK_INT(rsig_default_int_handler(SIGINT, NULL, NULL), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, rsig_default_int_handler, NULL, NULL), RSIG_OK);
    CHECK_ACTION(action_of(SIGTERM), rsig_default_int_handler, NULL);
    CHECK_ERROR(rsig_raise_signal(SIGTERM), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(signum, SIGTERM);
}

/* --- the truth, from the kernel --- */

TEST(getsignal_asks_the_kernel,
     "after somebody else's sigaction rsig_getsignal tells what is there") {
    struct check_calls calls = {0};
    struct sigaction rsigs;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &rsigs));

    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_ACTION(action_of(SIGUSR1), RSIG_IGN, NULL);
    CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
    CHECK_ACTION(action_of(SIGUSR1), RSIG_DFL, NULL);
    CHECK(signal(SIGUSR1, foreign_handler) != SIG_ERR);
    CHECK(action_of(SIGUSR1).handler == RSIG_FOREIGN);

    CHECK_SYS(sigaction(SIGUSR1, &rsigs, NULL));
    CHECK_ACTION(action_of(SIGUSR1), check_handler, &calls);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

TEST(old_asks_the_kernel,
     "rsig_signal's old action is what the kernel had, not what rsig set last") {
    rsig_action_t old;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK_ACTION(old, RSIG_IGN, NULL);
    CHECK(signal(SIGUSR1, foreign_handler) != SIG_ERR);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK(old.handler == RSIG_FOREIGN);
}

/* --- pending handlers run before the change --- */

TEST(pending_runs_before_change, "a delivery goes to the handler that was set when it came") {
    struct check_calls before = {0}, after = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &before, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &after, NULL), RSIG_OK);
    CHECK_INT(before.calls, 1);
    CHECK_INT(after.calls, 0);
    CHECK_INT(rsig_pump(), 0);

    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL), RSIG_OK);
    CHECK_INT(after.calls, 1);
}

TEST(refusal_leaves_the_handler, "when a pending handler refuses, nothing is changed") {
    struct check_calls refuses = {0}, never = {0};
    rsig_action_t old = UNTOUCHED;
    int signum = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    refuses.result = 7;
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &refuses, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_ERROR(rsig_signal(SIGUSR1, check_handler, &never, &old), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(signum, SIGUSR1);
    CHECK_ACTION(old, UNTOUCHED.handler, UNTOUCHED.arg);
    CHECK_ACTION(action_of(SIGUSR1), check_handler, &refuses);

    refuses.result = 0;
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(refuses.calls, 2);
    CHECK_INT(never.calls, 0);
}

TEST(refusal_of_another_signal,
     "a refusal by another signal's handler keeps the change from happening too") {
    struct check_calls refuses = {0};
    refuses.result = -1;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &refuses, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_ERROR(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(NULL), -1);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    CHECK_ACTION(action_of(SIGUSR1), RSIG_DFL, NULL);
}

static int sets_other_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info;
    CHECK_INT(rsig_signal(signum, other_handler, arg, NULL), RSIG_OK);
    return 0;
}

TEST(old_is_read_after_the_pending_handlers,
     "old is what the pending handlers have left, as the change comes after them") {
    int arg;
    rsig_action_t old;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, sets_other_handler, &arg, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK_ACTION(old, other_handler, &arg);
    CHECK_ACTION(action_of(SIGUSR1), check_handler, NULL);
}

static int ends_rsig(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_fini(), RSIG_OK);
    return 0;
}

TEST(pending_handler_that_ends_rsig,
     "a pending handler may call rsig_fini: the change is then refused") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, ends_rsig, NULL, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_ERROR(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

/* --- refusals --- */

TEST(numbers_out_of_range,
     "a number out of range is RSIG_ERROR_VALUE, and the message tells it and the range") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    int numbers[] = {0, -1, -SIGINT, NSIG, NSIG + 1, 256 + SIGUSR1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char number[16], range[16];
        snprintf(number, sizeof number, "%d", numbers[i]);
        snprintf(range, sizeof range, "1 to %d", NSIG - 1);
        rsig_action_t action = UNTOUCHED;
        CHECK_ERROR(rsig_signal(numbers[i], RSIG_IGN, NULL, &action), RSIG_ERROR_VALUE, EINVAL);
        CHECK(strstr(rsig_error_message(), number));
        CHECK(strstr(rsig_error_message(), range));
        CHECK_ERROR(rsig_signal(numbers[i], RSIG_DFL, NULL, &action), RSIG_ERROR_VALUE, EINVAL);
        CHECK_ERROR(rsig_getsignal(numbers[i], &action), RSIG_ERROR_VALUE, EINVAL);
        CHECK(strstr(rsig_error_message(), number));
        CHECK_ACTION(action, UNTOUCHED.handler, UNTOUCHED.arg);
    }
}

TEST(sigkill_and_sigstop,
     "SIGKILL and SIGSTOP are RSIG_ERROR_OS with EINVAL, whatever they shall be set to") {
    int signals[] = {SIGKILL, SIGSTOP};
    rsig_handler_t handlers[] = {check_handler, RSIG_IGN, RSIG_DFL};
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) {
            rsig_action_t old = UNTOUCHED;
            CHECK_ERROR(rsig_signal(signals[i], handlers[k], NULL, &old), RSIG_ERROR_OS, EINVAL);
            CHECK(strstr(rsig_error_message(), rsig_signame(signals[i])));
            CHECK_ACTION(old, UNTOUCHED.handler, UNTOUCHED.arg);
        }
        CHECK_ACTION(action_of(signals[i]), RSIG_DFL, NULL);
    }
}

TEST(the_c_librarys_own_signals,
     "the C library's real-time signals are RSIG_ERROR_OS with EINVAL, to set and to ask for") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(SIGRTMIN > 32);
    for (int n = 32; n < SIGRTMIN; n++) {
        rsig_action_t action = UNTOUCHED;
        CHECK_ERROR(rsig_signal(n, check_handler, NULL, &action), RSIG_ERROR_OS, EINVAL);
        CHECK_ERROR(rsig_signal(n, RSIG_DFL, NULL, &action), RSIG_ERROR_OS, EINVAL);
        CHECK_ERROR(rsig_getsignal(n, &action), RSIG_ERROR_OS, EINVAL);
        CHECK_ACTION(action, UNTOUCHED.handler, UNTOUCHED.arg);
    }
}

TEST(foreign_with_a_wrong_arg, "RSIG_FOREIGN with an arg that rsig did not give changes nothing") {
    struct check_calls calls = {0};
    rsig_action_t old = UNTOUCHED;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    void *args[] = {NULL, &calls, (void *)1, (void *)UINTPTR_MAX};
    for (int i = 0; i < 4; i++) {
        CHECK_ERROR(rsig_signal(SIGUSR1, RSIG_FOREIGN, args[i], &old), RSIG_ERROR_VALUE, EINVAL);
        CHECK_ACTION(old, UNTOUCHED.handler, UNTOUCHED.arg);
        CHECK_ACTION(action_of(SIGUSR1), check_handler, &calls);
    }
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

TEST(getsignal_null, "rsig_getsignal without room for the action is RSIG_ERROR_VALUE") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_getsignal(SIGUSR1, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "action"));
}

static void *set_on_wrong_thread(void *calls) {
    rsig_action_t old = UNTOUCHED;
    CHECK_ERROR(rsig_signal(SIGUSR1, RSIG_DFL, NULL, &old), RSIG_ERROR_THREAD, EPERM);
    CHECK_ACTION(old, UNTOUCHED.handler, UNTOUCHED.arg);
    CHECK_ACTION(action_of(SIGUSR1), check_handler, calls);
    return NULL;
}

TEST(wrong_thread, "off the main thread rsig_signal changes nothing, and rsig_getsignal works") {
    struct check_calls calls = {0};
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(pthread_create(&thread, NULL, set_on_wrong_thread, &calls), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    /* Nor did the refused call run what was pending. */
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
}
