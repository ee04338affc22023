/* Nowhere to write to: a full disk, a stderr that is closed or that nobody reads. */
#include "tour.h"
#include <sys/resource.h>
#include <sys/stat.h>

static struct check_calls calls;

/* The mask is nobody's business but the program's. */
static void check_mask_is(rsig_sigset_t expected) {
    rsig_sigset_t now;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &now), RSIG_OK);
    CHECK(now == expected);
}

TEST(dump_to_a_full_disk, "is ENOSPC, each time") {
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) check_skip("no /dev/full");
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < 3; i++) {
        CHECK_ERROR(rsig_dump(full), RSIG_ERROR_OS, ENOSPC);
        CHECK_ERROR(rsig_dump_json(full), RSIG_ERROR_OS, ENOSPC);
    }
    tour_inside();
}

TEST(dump_to_a_closed_descriptor, "is EBADF, whatever SIGPIPE does") {
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    close(STDIN_FILENO);
    CHECK_ERROR(rsig_dump(STDIN_FILENO), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_dump_json(-1), RSIG_ERROR_OS, EBADF);
}

TEST(dump_to_a_full_pipe,
     "EAGAIN where it does not block; what a reader then has are whole lines") {
    int ends[2];
    char text[1 << 16];
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    CHECK_INT(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_dump_json(ends[1]), RSIG_ERROR_OS, EAGAIN);
    ssize_t got = read(ends[0], text, sizeof text);
    CHECK(got > 0);
    CHECK_INT(text[got - 1], '\n');
    check_mask_is(0);
}

/* A warning for each delivery, by the default hook: the wakeup fd has no reader. */

static void have_warnings(void) {
    int ends[2];
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, NULL), RSIG_OK);
    close(ends[0]);
}

/* CHECK could not say anything meanwhile. */
static void warn_with_stderr(int bad) {
    rsig_sigset_t blocked = RSIG_SIGSET(SIGTERM);
    have_warnings();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, blocked, NULL), RSIG_OK);
    int results[3], before = dup(STDERR_FILENO);
    CHECK_SYS(before);
    if (bad >= 0) {
        CHECK_SYS(dup2(bad, STDERR_FILENO));
    } else {
        close(STDERR_FILENO);
    }
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
        results[i] = rsig_pump();
    }
    CHECK_SYS(dup2(before, STDERR_FILENO));
    for (int i = 0; i < 3; i++) CHECK_INT(results[i], 1);
    CHECK_INT(calls.calls, 3);
    check_mask_is(blocked);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    tour();
}

TEST(warning_to_a_full_disk, "a warning that finds the disk full is lost, and nothing else") {
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) check_skip("no /dev/full");
    warn_with_stderr(full);
}

TEST(warning_to_a_closed_stderr, "nor does a stderr that is closed do any harm") {
    warn_with_stderr(-1);
}

TEST(warning_without_reader, "nor one that is a pipe without a reader: nobody dies of SIGPIPE") {
    int ends[2];
    CHECK_SYS(pipe(ends));
    close(ends[0]);
    warn_with_stderr(ends[1]);
}

TEST(warning_to_a_full_pipe, "nor one that is full and does not block") {
    int ends[2];
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    while (write(ends[1], "x", 1) == 1) continue;
    CHECK_INT(errno, EAGAIN);
    warn_with_stderr(ends[1]);
}

TEST(file_too_large, "nor one that is a file at its limit: nobody dies of SIGXFSZ") {
    FILE *file = tmpfile();
    CHECK(file);
    struct rlimit limit;
    CHECK_SYS(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    warn_with_stderr(fileno(file));
}

TEST(dump_to_a_file_too_large, "is EFBIG, and no SIGXFSZ that would kill") {
    FILE *file = tmpfile();
    CHECK(file);
    struct rlimit limit;
    CHECK_SYS(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_ERROR(rsig_dump(fileno(file)), RSIG_ERROR_OS, EFBIG);
}

static int pending(int signum) {
    sigset_t set;
    CHECK_SYS(sigpending(&set));
    return sigismember(&set, signum);
}

TEST(wakeup_to_a_file_too_large,
     "so is a wakeup fd's, and the SIGXFSZ that was pending before stays") {
    FILE *file = tmpfile();
    struct rlimit limit;
    CHECK(file);
    CHECK_SYS(fcntl(fileno(file), F_SETFL, O_NONBLOCK));
    CHECK_SYS(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(tour_hook, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_set_wakeup_fd(fileno(file), 1, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGXFSZ), NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK(!pending(SIGXFSZ));
    CHECK_INT(raise(SIGXFSZ), 0);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK(pending(SIGXFSZ));
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGXFSZ), 0, NULL), SIGXFSZ);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGXFSZ), 0, NULL), 0);
    CHECK_INT(calls.calls, 3);
}
