/* rsig_pump(): which handlers run, and when. */
#include "check.h"
#include <limits.h>

static void handle(int signum, rsig_handler_t handler, void *arg) {
    CHECK_INT(rsig_signal(signum, handler, arg, NULL), RSIG_OK);
}

/* The signal numbers in the order in which their handlers ran. */
static int order[16], ordered;

static int note_order(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    order[ordered++] = signum;
    return 0;
}

TEST(returns_how_many_handlers_ran, "rsig_pump() returns the number of handlers that ran") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGHUP, check_handler, &calls);
    handle(SIGUSR1, check_handler, &calls);
    handle(SIGRTMAX, check_handler, &calls);
    CHECK_INT(rsig_pump(), 0);
    raise(SIGUSR1);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR1), raise(SIGRTMAX);
    CHECK_INT(rsig_pump(), 3);
    CHECK_INT(calls.calls, 4);
    CHECK_INT(rsig_pump(), 0);
}

TEST(ascending_order, "handlers run in ascending order of the signals' numbers") {
    const int descending[] = {SIGRTMAX, SIGRTMIN + 1, SIGRTMIN, SIGTERM, SIGUSR2, SIGUSR1, SIGHUP};
    const int n = sizeof descending / sizeof *descending;
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < n; i++) handle(descending[i], note_order, NULL);
    for (int i = 0; i < n; i++) raise(descending[i]);
    CHECK_INT(rsig_pump(), n);
    for (int i = 0; i < n; i++) CHECK_INT(order[i], descending[n - 1 - i]);
}

TEST(first_info_and_count_of_all,
     "one run for many deliveries: the first one's info, all counted") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, check_handler, &calls);
    for (int i = 1; i <= 5; i++) CHECK_SYS(sigqueue(getpid(), SIGUSR1, (union sigval){i}));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.last_info.value_int, 1);
    CHECK_INT(calls.last_info.count, 5);
    CHECK_SYS(sigqueue(getpid(), SIGUSR1, (union sigval){6}));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.value_int, 6);
    CHECK_INT(calls.last_info.count, 1);
}

static int raise_three(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info;
    ++*(int *)arg;
    raise(SIGUSR1), raise(signum), raise(SIGRTMIN);
    return 0;
}

TEST(what_arrives_meanwhile_waits, "a signal that is delivered during a pass waits for the next") {
    struct check_calls calls = {0};
    int raised = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, check_handler, &calls);
    handle(SIGUSR2, raise_three, &raised);
    handle(SIGRTMIN, check_handler, &calls);
    raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(raised, 1);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 3);
    CHECK_INT(raised, 2);
    CHECK_INT(calls.calls, 2);
}

static int raise_usr2(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    raise(SIGUSR2);
    return 0;
}

TEST(joins_what_waits, "a delivery during a pass joins those whose handler is still to run") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, raise_usr2, NULL);
    handle(SIGUSR2, check_handler, &calls);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(calls.last_info.count, 2);
    CHECK_INT(rsig_pump(), 0);
}

TEST(refusal_leaves_the_rest,
     "a handler that refuses ends the pass; the rest runs in a later one") {
    struct check_calls before = {0}, refusing = {.result = 7}, after = {0};
    int signum = -1;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_raised(&signum), 0);
    CHECK_INT(signum, 0);
    handle(SIGHUP, check_handler, &before);
    handle(SIGUSR1, check_handler, &refusing);
    handle(SIGUSR2, check_handler, &after);
    handle(SIGRTMIN, check_handler, &after);
    raise(SIGRTMIN), raise(SIGUSR2), raise(SIGUSR2), raise(SIGUSR1), raise(SIGHUP);

    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    CHECK(strstr(rsig_error_message(), "SIGUSR1"));
    CHECK(strstr(rsig_error_message(), "7"));
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(rsig_raised(NULL), 7);
    CHECK_INT(before.calls, 1);
    CHECK_INT(refusing.calls, 1);
    CHECK_INT(after.calls, 0);

    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(refusing.calls, 1);
    CHECK_INT(after.deliveries, 3);
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(rsig_pump(), 0);
}

TEST(any_value_refuses, "every value but 0 refuses, and rsig_raised() tells it") {
    const int values[] = {1, -1, RSIG_ERROR_HANDLER, INT_MAX, INT_MIN};
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGRTMAX, check_handler, &calls);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int signum = 0;
        calls.result = values[i];
        raise(SIGRTMAX);
        CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
        CHECK_INT(rsig_raised(&signum), values[i]);
        CHECK_INT(signum, SIGRTMAX);
    }
}

static int pump_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    rsig_siginfo_t before = *info;
    (void)signum;
    *(int *)arg = rsig_pump();
    CHECK(!memcmp(&before, info, sizeof before));
    return 0;
}

TEST(nested_pump_runs_the_rest,
     "a handler that pumps runs the rest itself; the outer pass does not") {
    struct check_calls calls = {0};
    int nested = -1;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, pump_inside, &nested);
    handle(SIGUSR2, check_handler, &calls);
    handle(SIGRTMIN, check_handler, &calls);
    raise(SIGUSR1), raise(SIGUSR2), raise(SIGRTMIN);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(nested, 2);
    CHECK_INT(calls.calls, 2);
}

TEST(nested_refusal_stays_inside,
     "a refusal ends the pump that ran the handler, not the ones around it") {
    struct check_calls refusing = {.result = 1}, rest = {0};
    int nested = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, pump_inside, &nested);
    handle(SIGUSR2, check_handler, &refusing);
    handle(SIGRTMIN, check_handler, &rest);
    raise(SIGUSR1), raise(SIGUSR2), raise(SIGRTMIN);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(nested, RSIG_ERROR_HANDLER);
    CHECK_INT(rest.calls, 1);
}

static int pump_then_raise_usr2(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_pump(), 1);
    raise(SIGUSR2);
    return 0;
}

TEST(nested_pump_starts_no_second_run,
     "what arrives after a nested pump has run its handler waits for the next pass too") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, pump_then_raise_usr2, NULL);
    handle(SIGUSR2, check_handler, &calls);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 2);
}

static int raise_itself(int signum, const rsig_siginfo_t *info, void *arg) {
    int *depth = (int *)arg;
    CHECK_INT(info->count, 1);
    if (++*depth < 10) CHECK_INT(rsig_raise_signal(signum), RSIG_OK);
    return 0;
}

TEST(handler_raises_its_own_signal, "a handler that raises its own signal is entered again") {
    int depth = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, raise_itself, &depth);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(depth, 10);
    CHECK_INT(rsig_pump(), 0);
}

static struct check_calls old_calls, new_calls;

static int change_usr2(int signum, const rsig_siginfo_t *info, void *arg) {
    rsig_action_t old;
    (void)info, (void)arg;
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &new_calls, &old), RSIG_OK);
    CHECK(old.handler == check_handler && old.arg == &old_calls);
    CHECK_INT(rsig_signal(signum, RSIG_IGN, NULL, &old), RSIG_OK);
    CHECK(old.handler == change_usr2);
    return 0;
}

TEST(handler_changes_handlers, "a handler may change its own handler and one that is pending") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, change_usr2, NULL);
    handle(SIGUSR2, check_handler, &old_calls);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(old_calls.calls, 1);
    CHECK_INT(new_calls.calls, 0);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(old_calls.calls, 1);
    CHECK_INT(new_calls.calls, 1);
}

static int init_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_init(0), RSIG_OK);
    return 0;
}

static int fini_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_fini(), RSIG_OK);
    return 0;
}

TEST(handler_calls_init, "rsig_init() in a handler counts, and what is pending stays pending") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, init_inside, NULL);
    handle(SIGUSR2, check_handler, &calls);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
}

TEST(handler_calls_fini, "rsig_fini() in a handler runs the rest first, and ends rsig") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, fini_inside, NULL);
    handle(SIGUSR2, check_handler, &calls);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
}

TEST(fini_under_rsig_signal,
     "rsig_signal() whose pending handler ended rsig fails and changes nothing") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, fini_inside, NULL);
    raise(SIGUSR1);
    CHECK_ERROR(rsig_signal(SIGUSR2, RSIG_IGN, NULL, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK(check_kernel_handler(SIGUSR2) == (void *)SIG_DFL);
}

static struct warnings {
    int calls;
    char last[256];
} warned;

static void note_warning(const char *message, void *arg) {
    struct warnings *warnings = (struct warnings *)arg;
    warnings->calls++;
    snprintf(warnings->last, sizeof warnings->last, "%s", message);
}

/*
 * Leaves SIGUSR2 pending, twice, while it has `instead` of its handler: rsig_signal() runs
 * SIGUSR1's handler, which delivers SIGUSR2 after the pass has begun.
 */
static int raise_usr2_twice(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    raise(SIGUSR2), raise(SIGUSR2);
    return 0;
}

static void lose_handler(rsig_handler_t instead, struct check_calls *calls) {
    handle(SIGUSR1, raise_usr2_twice, NULL);
    handle(SIGUSR2, check_handler, calls);
    raise(SIGUSR1);
    handle(SIGUSR2, instead, NULL);
    CHECK_INT(calls->calls, 0);
}

static void check_dropped(rsig_handler_t instead) {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(note_warning, &warned), RSIG_OK);
    lose_handler(instead, &calls);
    CHECK_INT(warned.calls, 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(warned.calls, 1);
    CHECK(strstr(warned.last, "SIGUSR2"));
    CHECK(strstr(warned.last, "2 delivered"));
    CHECK(!strchr(warned.last, '\n'));
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(warned.calls, 1);
}

TEST(dropped_for_default, "pending when its handler became the default action: dropped, and said") {
    check_dropped(RSIG_DFL);
}

TEST(dropped_for_ignore, "pending when it became ignored: dropped, and said") {
    check_dropped(RSIG_IGN);
}

TEST(new_handler_gets_what_the_old_missed,
     "pending when its handler was changed: the new one runs") {
    struct check_calls old = {0}, new = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, raise_usr2_twice, NULL);
    handle(SIGUSR2, check_handler, &old);
    raise(SIGUSR1);
    handle(SIGUSR2, check_handler, &new);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(old.calls, 0);
    CHECK_INT(new.deliveries, 2);
}

TEST(drop_ends_no_pass, "after a dropped signal the pass goes on") {
    struct check_calls lost = {0}, calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(note_warning, &warned), RSIG_OK);
    handle(SIGRTMIN, check_handler, &calls);
    lose_handler(RSIG_IGN, &lost);
    raise(SIGRTMIN);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(warned.calls, 1);
    CHECK_INT(calls.calls, 1);
}

/* Standard error becomes a pipe. */
static int capture_stderr(void) {
    int ends[2];
    CHECK_SYS(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    CHECK_SYS(dup2(ends[1], STDERR_FILENO));
    return ends[0];
}

static void check_line(int fd) {
    char line[512] = "";
    ssize_t length = read(fd, line, sizeof line - 1);
    CHECK(length > 0);
    CHECK(strstr(line, "rsig"));
    CHECK(strstr(line, "SIGUSR2"));
    CHECK(strchr(line, '\n') == line + length - 1);
}

TEST(default_hook_writes_a_line, "without a hook a warning is one line on standard error") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    lose_handler(RSIG_DFL, &calls);
    int fd = capture_stderr();
    CHECK_INT(rsig_pump(), 0);
    check_line(fd);
}

TEST(null_hook_is_the_default, "a NULL hook takes back the one before") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(note_warning, &warned), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
    lose_handler(RSIG_DFL, &calls);
    int fd = capture_stderr();
    CHECK_INT(rsig_pump(), 0);
    check_line(fd);
    CHECK_INT(warned.calls, 0);
}

TEST(fini_forgets_the_hook, "rsig_fini() forgets the hook") {
    struct check_calls calls = {0};
    CHECK_ERROR(rsig_set_warning_hook(note_warning, &warned), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(note_warning, &warned), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    lose_handler(RSIG_DFL, &calls);
    int fd = capture_stderr();
    CHECK_INT(rsig_pump(), 0);
    check_line(fd);
    CHECK_INT(warned.calls, 0);
}

static void use_rsig(const char *message, void *arg) {
    rsig_action_t action;
    (void)message;
    CHECK_INT(rsig_getsignal(SIGUSR2, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    CHECK_INT(rsig_raise_signal(SIGRTMIN), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(note_warning, arg), RSIG_OK);
}

TEST(hook_may_use_rsig, "the hook may call anything in rsig, and change itself") {
    struct check_calls lost = {0}, calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(use_rsig, &warned), RSIG_OK);
    handle(SIGRTMIN, check_handler, &calls);
    lose_handler(RSIG_DFL, &lost);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.calls, 1);
    lose_handler(RSIG_DFL, &lost);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(warned.calls, 1);
}

static void *pump_elsewhere(void *arg) {
    (void)arg;
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    return NULL;
}

TEST(main_thread_only, "another thread's rsig_pump() fails and runs nothing") {
    struct check_calls calls = {0};
    pthread_t thread;
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, check_handler, &calls);
    raise(SIGUSR1);
    CHECK_INT(pthread_create(&thread, NULL, pump_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
}
