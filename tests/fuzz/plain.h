/*
 * The calls whose results depend on their arguments alone, so that neither a model nor the thread matters; and what all calls need.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "fuzz.h"

static void expect(long result, int error, long status, int code) {
    const char *message = rsig_error_message();
    if (!message) fail("rsig_error_message() is NULL");
    if (result != status) fail("the result is %ld, not %ld; errno %d, \"%s\"", result, status, error, message);
    if (status < 0 && error != code) fail("errno is %d, not %d; \"%s\"", error, code, message);
    if (status < 0 && !*message) fail("no message");
    if (status < 0 && strlen(message) > 255) fail("a message of %zu bytes", strlen(message));
}

#define EXPECT(call, status, code)                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result_ = (long)(call);                                                               \
        expect(result_, errno, status, code);                                                      \
    } while (0)

#define EXPECT_OS(call, code) EXPECT(call, RSIG_ERROR_OS, code)
#define EXPECT_VALUE(call) EXPECT(call, RSIG_ERROR_VALUE, EINVAL)
#define EXPECT_STATE(call) EXPECT(call, RSIG_ERROR_STATE, ENXIO)

/* --- Arguments --- */

static int some_signum(uint64_t *r) {
    static const int odd[] = {0, -1, INT_MIN, INT_MAX, SIGKILL, SIGSTOP, 32, 33, 65, 127, 256};
    return chance(r, 88) ? one_of_pool(r) : ONE_OF(r, odd);
}

static int is_signum(int signum) { return signum >= 1 && signum <= 64; }
static int is_the_c_librarys(int signum) { return signum == 32 || signum == 33; }

static int some_fd_that_is_none(uint64_t *r) {
    static const int bad[] = {-1, -2, INT_MIN, INT_MAX, 1000};
    return ONE_OF(r, bad);
}

static const double bad_times[] = {NAN, INFINITY, -INFINITY};
static const double short_times[] = {0.0, -0.0, 1e-9, 5e-324, 1e-6};

/* --- Calls --- */

static void check_text(const char *text, int error, int signum, const char *want) {
    if (!is_signum(signum)) {
        if (text || error != EINVAL) fail("\"%s\", errno %d, for %d", text, error, signum);
    } else if (is_the_c_librarys(signum)) {
        if (text || error) fail("\"%s\", errno %d, for %d", text, error, signum);
    } else if (!text || !*text || (want && !strstr(text, want))) {
        fail("\"%s\" for %s", text, name_of(signum));
    }
}

static void call_strsignal(uint64_t *r) {
    int signum = chance(r, 60) ? 1 + below(r, 64) : some_signum(r);
    trace("rsig_strsignal(%d)", signum);
    errno = 0;
    const char *text = rsig_strsignal(signum);
    check_text(text, errno, signum, signum > 0 && signum < 32 ? sigdescr_np(signum) : NULL);
}

static void call_signame(uint64_t *r) {
    int signum = chance(r, 60) ? 1 + below(r, 64) : some_signum(r);
    trace("rsig_signame(%d)", signum);
    errno = 0;
    const char *text = rsig_signame(signum);
    /* SIGIO has two names. */
    int is_plain = signum > 0 && signum < 32 && signum != SIGIO;
    check_text(text, errno, signum, is_plain ? sigabbrev_np(signum) : NULL);
    if (text && rsig_signum(text) != signum) fail("%s is %d", text, rsig_signum(text));
}

static const struct {
    const char *name;
    int value;
} names[] = {{"SIGINT", SIGINT},   {"SIGCLD", SIGCHLD}, {"SIGPOLL", SIGIO}, {"SIGIOT", SIGABRT},
             {"SIGKILL", SIGKILL}, {"SIGRTMIN+30", 64}, {"SIGRTMAX-0", 64}, {"SIGRTMAX-30", 34}};
static const char *const bad_names[] = {
    NULL, "", "SIG", "INT", "sigint", "SIGINT ", " SIGINT", "SIGRTMIN+31", "SIGRTMIN+", "SIGRTMAX+1",
    "SIGRTMIN+001", "SIGRTMIN-1", "SIGRTMAX-99", "SIGRTMIN+4294967295", "\xff\xfe", "%s%n",
};

static void call_signum(uint64_t *r) {
    int at = below(r, 8);
    trace("rsig_signum()");
    EXPECT(rsig_signum(names[at].name), names[at].value, 0);
    EXPECT_VALUE(rsig_signum(ONE_OF(r, bad_names)));
}

static void call_constant(uint64_t *r) {
    static const char *const others[] = {"CTRL_C_EVENT", "CTRL_BREAK_EVENT", "SIGBREAK", "SIGEMT",
                                         "SIGINFO", "SIGLOST"};
    int at = below(r, 8), value = -1;
    trace("rsig_constant()");
    EXPECT(rsig_constant(names[at].name, &value), RSIG_OK, 0);
    if (value != names[at].value) fail("%s is %d", names[at].name, value);
    EXPECT(rsig_constant("SIG_SETMASK", &value), RSIG_OK, 0);
    if (value != SIG_SETMASK) fail("SIG_SETMASK is %d", value);
    value = -1;
    EXPECT_VALUE(rsig_constant(ONE_OF(r, bad_names), &value));
    EXPECT_VALUE(rsig_constant("SIGINT", NULL));
    EXPECT(rsig_constant(ONE_OF(r, others), &value), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    if (value != -1) fail("a value after a failure");
}

static void call_valid_signals(uint64_t *r) {
    (void)r;
    trace("rsig_valid_signals()");
    if (rsig_valid_signals() != ~(bit(32) | bit(33))) fail("another set");
}

static void call_sigset(uint64_t *r) {
    int signum = chance(r, 60) ? 1 + below(r, 64) : some_signum(r);
    uint64_t before = draw(r), set = before;
    trace("rsig_sigset_*(%d)", signum);
    if (!is_signum(signum)) {
        EXPECT_VALUE(rsig_sigset_add(&set, signum));
        EXPECT_VALUE(rsig_sigset_remove(&set, signum));
        EXPECT_VALUE(rsig_sigset_contains(&set, signum));
        if (set != before) fail("a failure has changed the set");
    } else {
        EXPECT(rsig_sigset_contains(&set, signum), (before & bit(signum)) != 0, 0);
        EXPECT(rsig_sigset_add(&set, signum), RSIG_OK, 0);
        if (set != (before | bit(signum))) fail("rsig_sigset_add()");
        EXPECT(rsig_sigset_remove(&set, signum), RSIG_OK, 0);
        if (set != (before & ~bit(signum))) fail("rsig_sigset_remove()");
    }
    int next = 1;
    while (next < 65 && (next <= signum || !(set & bit(next)))) next++;
    EXPECT(rsig_sigset_next(set, signum), next < 65 ? next : 0, 0);
    sigset_t posix;
    uint64_t back = 0;
    EXPECT(rsig_sigset_to_posix(set, &posix), RSIG_OK, 0);
    for (int n = 1; n < 65; n++)
        if (!is_the_c_librarys(n) && sigismember(&posix, n) != ((set & bit(n)) != 0)) fail("%d", n);
    EXPECT(rsig_sigset_from_posix(&posix, &back), RSIG_OK, 0);
    if (back != set) fail("rsig_sigset_from_posix()");
    switch (below(r, 6)) {
    case 0: EXPECT_VALUE(rsig_sigset_add(NULL, signum)); break;
    case 1: EXPECT_VALUE(rsig_sigset_remove(NULL, signum)); break;
    case 2: EXPECT_VALUE(rsig_sigset_contains(NULL, signum)); break;
    case 3: EXPECT_VALUE(rsig_sigset_to_posix(set, NULL)); break;
    case 4: EXPECT_VALUE(rsig_sigset_from_posix(NULL, &back)); break;
    case 5: EXPECT_VALUE(rsig_sigset_from_posix(&posix, NULL)); break;
    }
}

static void call_error_message(uint64_t *r) {
    (void)r;
    trace("rsig_error_message()");
    if (!rsig_error_message()) fail("NULL");
}

static void call_strerror(uint64_t *r) {
    int status = chance(r, 50) ? -below(r, 9) : (int)draw(r);
    trace("rsig_strerror(%d)", status);
    const char *text = rsig_strerror(status);
    if (!text || !*text) fail("no text");
    if (status > 0 && strcmp(text, rsig_strerror(0))) fail("%s", text);
}

static void call_version(uint64_t *r) {
    (void)r;
    char want[32];
    snprintf(want, sizeof want, "%d.%d.%d", RSIG_VERSION_MAJOR, RSIG_VERSION_MINOR, RSIG_VERSION_PATCH);
    trace("rsig_version()");
    if (strcmp(rsig_version(), want)) fail("%s", rsig_version());
}

static void call_default_int_handler(uint64_t *r) {
    trace("rsig_default_int_handler()");
    EXPECT(rsig_default_int_handler((int)draw(r), NULL, r), RSIG_KEYBOARD_INTERRUPT, 0);
}

static void call_get_ident(uint64_t *r) {
    (void)r;
    trace("rsig_get_ident()");
    if (!pthread_equal(rsig_get_ident(), pthread_self())) fail("another thread's");
}

/* A child of which no SIGCHLD comes, and that runs no fork handlers. */
static pid_t quiet_child(void) { return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL); }

static int await_child(pid_t child) {
    int status;
    while (waitpid(child, &status, __WALL) != child)
        if (errno != EINTR) fail("waitpid: %s", strerror(errno));
    return status;
}

static void call_die(uint64_t *r) {
    static const int deadly[] = {SIGINT, SIGTERM, SIGKILL, SIGUSR1, SIGPIPE, 35, 64};
    static const int bad[] = {0, -1, 65, 32, 33, SIGCHLD, SIGSTOP, SIGURG, INT_MIN, INT_MAX};
    trace("rsig_die()");
    if (chance(r, 70)) {
        EXPECT_VALUE(rsig_die(ONE_OF(r, bad)));
        return;
    }
    int signum = ONE_OF(r, deadly);
    pid_t child = quiet_child();
    REQUIRE(child >= 0);
    if (child == 0) {
        rsig_die(signum);
        _exit(0);
    }
    int status = await_child(child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signum)
        fail("rsig_die(%s) has ended with %#x", name_of(signum), status);
}

#endif
