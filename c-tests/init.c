/* rsig_init() and rsig_fini(): counted, Python's defaults, everything put back. */
#include "check.h"

#include <dirent.h>
#include <setjmp.h>
#include <sys/resource.h>

/*
 * The kernel's whole record of every signal, but for the C library's own: it installs handlers
 * there when a program makes its first thread.
 */
struct dispositions {
    struct check_disposition of[NSIG];
};

static void read_dispositions(struct dispositions *now) {
    rsig_sigset_t valid = rsig_valid_signals();
    memset(now, 0, sizeof *now);
    for (int n = rsig_sigset_next(valid, 0); n > 0; n = rsig_sigset_next(valid, n))
        now->of[n] = check_disposition(n);
}

#define CHECK_DISPOSITIONS(before)                                                                 \
    do {                                                                                           \
        struct dispositions check_now;                                                             \
        read_dispositions(&check_now);                                                             \
        for (int n = 1; n < NSIG; n++)                                                             \
            if (!check_same_disposition(check_now.of[n], (before).of[n]))                          \
                CHECK_FAIL("signal %d has another disposition than before", n);                    \
    } while (0)

static void foreign_handler(int signum) { (void)signum; }

/* What the warning hook has heard. */
struct warnings {
    int count;
    char text[4][256];
    pthread_t thread;
};

static void hear(const char *message, void *arg) {
    struct warnings *warnings = arg;
    CHECK(warnings->count < 4);
    snprintf(warnings->text[warnings->count++], sizeof *warnings->text, "%s", message);
    warnings->thread = pthread_self();
}

static void *fini_here(void *unused) {
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

static void run_on_thread(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static rsig_handler_t handler_of(int signum) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(signum, &action), RSIG_OK);
    return action.handler;
}

/* --- counting --- */

TEST(counted, "only the last of as many rsig_fini as rsig_init puts things back") {
    struct check_calls calls = {0};
    struct dispositions before;
    read_dispositions(&before);
    for (int i = 0; i < 3; i++) CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    for (int i = 1; i < 3; i++) {
        CHECK_INT(rsig_fini(), RSIG_OK);
        CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(calls.calls, i);
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
}

TEST(cycles, "init and fini can follow each other any number of times") {
    struct dispositions before;
    read_dispositions(&before);
    for (int i = 0; i < 100; i++) {
        struct check_calls calls = {0};
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK(handler_of(SIGUSR1) == RSIG_DFL);
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
        CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(calls.calls, 1);
        CHECK_INT(rsig_fini(), RSIG_OK);
        CHECK_DISPOSITIONS(before);
    }
}

TEST(fini_without_init,
     "an rsig_fini too many is RSIG_ERROR_STATE, and takes nothing from the next rsig_init") {
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void *init_and_fini(void *unused) {
    for (int i = 0; i < 500; i++) {
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
    return unused;
}

TEST(counted_across_threads, "threads that each init and fini leave nothing behind") {
    struct dispositions before;
    pthread_t threads[4];
    read_dispositions(&before);
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(threads + i, NULL, init_and_fini, NULL), 0);
    for (int i = 0; i < 4; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_DISPOSITIONS(before);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
}

/* --- flags --- */

TEST(unknown_flags,
     "an unknown flag is RSIG_ERROR_VALUE, and neither counts nor changes anything") {
    struct dispositions before;
    read_dispositions(&before);
    for (int bit = 1; bit < 32; bit++) {
        CHECK_ERROR(rsig_init(1u << bit), RSIG_ERROR_VALUE, EINVAL);
        CHECK_ERROR(rsig_init(1u << bit | RSIG_INIT_NO_DEFAULTS), RSIG_ERROR_VALUE, EINVAL);
    }
    CHECK_ERROR(rsig_init(UINT32_MAX), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "0xffffffff"));
    CHECK_DISPOSITIONS(before);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);

    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_init(2), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
}

TEST(no_defaults, "RSIG_INIT_NO_DEFAULTS changes no disposition") {
    struct dispositions before;
    read_dispositions(&before);
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_DISPOSITIONS(before);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

TEST(first_flags_count, "the flags of the first rsig_init count, those of a later one do not") {
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(handler_of(SIGINT) == RSIG_DFL);
    CHECK(handler_of(SIGPIPE) == RSIG_DFL);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);

    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK(handler_of(SIGINT) == rsig_default_int_handler);
    CHECK(handler_of(SIGPIPE) == RSIG_IGN);
}

/* --- defaults --- */

TEST(defaults,
     "SIGPIPE and SIGXFSZ are ignored, SIGINT goes to rsig_default_int_handler, all else is as "
     "it was") {
    struct dispositions before, after;
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(handler_of(SIGPIPE) == RSIG_IGN);
    CHECK(handler_of(SIGXFSZ) == RSIG_IGN);
    CHECK(handler_of(SIGINT) == rsig_default_int_handler);
    read_dispositions(&after);
    for (int n = 1; n < NSIG; n++) {
        int same = check_same_disposition(before.of[n], after.of[n]);
        CHECK_INT(same, n != SIGPIPE && n != SIGXFSZ && n != SIGINT);
    }
}

TEST(broken_pipe_is_epipe, "a write to a pipe without reader is EPIPE, not death") {
    int fds[2];
    CHECK_SYS(pipe(fds));
    close(fds[0]);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(write(fds[1], "x", 1), -1);
    CHECK_INT(errno, EPIPE);
    CHECK_INT(rsig_pump(), 0);
}

TEST(file_too_large_is_efbig, "a write beyond the file size limit is EFBIG, not death") {
    FILE *file = tmpfile();
    CHECK(file);
    struct rlimit limit = {1, 1};
    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(pwrite(fileno(file), "x", 1, 1), -1);
    CHECK_INT(errno, EFBIG);
}

TEST(interrupt_refuses, "SIGINT by default refuses with RSIG_KEYBOARD_INTERRUPT") {
    int signum = 0;
    CHECK_INT(rsig_raised(&signum), 0);
    CHECK_INT(signum, 0);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(raise(SIGINT), 0);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(signum, SIGINT);
    CHECK_INT(rsig_pump(), 0);
}

TEST(ignored_stays_ignored,
     "what is ignored before rsig_init stays exactly so, and after rsig_fini too") {
    struct dispositions before;
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_DISPOSITIONS(before);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

TEST(foreign_stays_foreign, "a handler that somebody has for one of the three stays theirs") {
    struct dispositions before;
    CHECK(signal(SIGINT, foreign_handler) != SIG_ERR);
    CHECK(signal(SIGPIPE, foreign_handler) != SIG_ERR);
    CHECK(signal(SIGXFSZ, foreign_handler) != SIG_ERR);
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_DISPOSITIONS(before);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

/*
 * The rest of `inherited_through_exec`, in the new program image. A constructor, for main() gives
 * every signal its default action.
 */
__attribute__((constructor)) static void after_exec(void) {
    if (!getenv("RSIG_TEST_AFTER_EXEC")) return;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(handler_of(SIGINT) == RSIG_IGN);
    CHECK(check_kernel_handler(SIGINT) == (void *)SIG_IGN);
    CHECK(handler_of(SIGPIPE) == RSIG_IGN);
    /* A handler does not survive exec. */
    CHECK(handler_of(SIGUSR1) == RSIG_DFL);
    CHECK_INT(raise(SIGINT), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGINT) == (void *)SIG_IGN);
    _exit(0);
}

TEST(inherited_through_exec,
     "a SIGINT that the parent ignores is ignored in a program that it executes") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGINT, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_SYS(setenv("RSIG_TEST_AFTER_EXEC", "1", 1));
    execl("/proc/self/exe", "init", "inherited_through_exec", (char *)NULL);
    CHECK_FAIL("execl: %s", strerror(errno));
}

/* --- fini puts everything back --- */

TEST(fini_restores_every_signal,
     "each signal's disposition is after rsig_fini what it was before rsig_init") {
    struct dispositions before;
    rsig_sigset_t valid = rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP));
    struct sigaction action;
    memset(&action, 0, sizeof action);
    /* Some of each kind, each with a mask and flags that rsig would not choose. */
    for (int n = rsig_sigset_next(valid, 0); n > 0; n = rsig_sigset_next(valid, n)) {
        action.sa_handler = n % 3 == 0 ? SIG_DFL : n % 3 == 1 ? SIG_IGN : foreign_handler;
        action.sa_flags = n % 2 ? SA_RESTART | SA_NOCLDSTOP : SA_NODEFER | SA_NOCLDWAIT;
        sigaddset(&action.sa_mask, n);
        CHECK_SYS(sigaction(n, &action, NULL));
    }
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int n = rsig_sigset_next(valid, 0); n > 0; n = rsig_sigset_next(valid, n)) {
        CHECK_INT(rsig_signal(n, check_handler, NULL, NULL), RSIG_OK);
        if (n % 5 == 1) CHECK_INT(rsig_signal(n, RSIG_IGN, NULL, NULL), RSIG_OK);
        if (n % 5 == 2) CHECK_INT(rsig_signal(n, RSIG_DFL, NULL, NULL), RSIG_OK);
        if (n % 5 == 3) CHECK_INT(rsig_siginterrupt(n, 0), RSIG_OK);
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

TEST(fini_restores_siginterrupt, "what only rsig_siginterrupt has changed is put back too") {
    struct dispositions before;
    CHECK(signal(SIGUSR1, foreign_handler) != SIG_ERR);
    read_dispositions(&before);
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 1), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR2, 1), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

TEST(earlier_init_is_forgotten,
     "rsig_fini leaves alone what rsig has touched only before the last rsig_init") {
    struct dispositions before;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

TEST(fini_on_another_thread,
     "any thread may undo it; what is pending is told to the warning hook there, not run") {
    struct check_calls calls = {0};
    struct warnings warnings = {0};
    struct dispositions before;
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, &warnings), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGUSR1), 0);
    run_on_thread(fini_here, NULL);
    CHECK_DISPOSITIONS(before);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(warnings.count, 2);
    CHECK(strstr(warnings.text[0], "SIGUSR1"));
    CHECK(strstr(warnings.text[0], "2"));
    CHECK(strstr(warnings.text[1], "SIGUSR2"));
    CHECK(!pthread_equal(warnings.thread, pthread_self()));
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
}

/* --- pending handlers at fini --- */

TEST(fini_runs_what_is_pending,
     "on the main thread the last rsig_fini, and only that, runs pending handlers") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

TEST(refusal_undoes_nothing,
     "when a handler refuses in rsig_fini, rsig is as before, and rsig_fini may be called again") {
    struct check_calls refuses = {0}, later = {0};
    struct dispositions before, during;
    struct warnings warnings = {0};
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, &warnings), RSIG_OK);
    refuses.result = 5;
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &refuses, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &later, NULL), RSIG_OK);
    read_dispositions(&during);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(NULL), 5);
    CHECK_DISPOSITIONS(during);
    CHECK_INT(later.calls, 0);

    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(refuses.calls, 1);
    CHECK_INT(later.calls, 1);
    CHECK_INT(warnings.count, 0);
    CHECK_DISPOSITIONS(before);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
}

static jmp_buf way_out;

static int jumps(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    longjmp(way_out, 1);
}

TEST(longjmp_undoes_nothing, "a handler that leaves rsig_fini by longjmp leaves rsig as it was") {
    struct dispositions before;
    read_dispositions(&before);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, jumps, NULL, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    if (setjmp(way_out) == 0) {
        rsig_fini();
        CHECK_FAIL("rsig_fini returned");
    }
    CHECK(handler_of(SIGUSR1) == jumps);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_DISPOSITIONS(before);
}

static int raises_usr2(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    return raise(SIGUSR2);
}

TEST(left_over_is_told,
     "a signal that is left over, as it came while the last handlers ran, is told to the warning "
     "hook") {
    struct check_calls calls = {0};
    struct warnings warnings = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, &warnings), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, raises_usr2, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    /* Run or told: never neither, never both. */
    CHECK_INT(calls.calls + warnings.count, 1);
    if (warnings.count) CHECK(strstr(warnings.text[0], "SIGUSR2"));
}

static int inits(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_init(0), RSIG_OK);
    return 0;
}

TEST(handler_may_init,
     "a handler that runs in the last rsig_fini and calls rsig_init keeps rsig going") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, inits, NULL, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(handler_of(SIGUSR1) == inits);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
}

static struct check_calls new_calls;

static void starts_anew(const char *message, void *arg) {
    hear(message, arg);
    if (((struct warnings *)arg)->count > 1) return;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &new_calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR2), 0);
}

static void *fini_then_pump(void *unused) {
    CHECK_INT(rsig_fini(), RSIG_OK);
    /* The hook has made this thread the main one. */
    CHECK_INT(rsig_pump(), 1);
    return unused;
}

TEST(hook_may_init,
     "the hook may call rsig_init: it still hears all of the old, and nothing of the new is lost") {
    struct check_calls calls = {0};
    struct warnings warnings = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(starts_anew, &warnings), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(raise(SIGUSR2), 0);
    run_on_thread(fini_then_pump, NULL);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(warnings.count, 2);
    CHECK(strstr(warnings.text[1], "SIGUSR2"));
    CHECK(strstr(warnings.text[1], "2 delivered"));
    CHECK_INT(new_calls.calls, 1);
    CHECK_INT(new_calls.deliveries, 1);
}

/* --- what else fini forgets --- */

TEST(fini_forgets_hook_and_fd, "after rsig_fini the warning hook and the wakeup fd are forgotten") {
    struct warnings warnings = {0};
    struct check_calls calls = {0};
    int fds[2], old_fd = 0;
    char byte;
    CHECK_SYS(pipe2(fds, O_NONBLOCK));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, &warnings), RSIG_OK);
    CHECK_INT(rsig_set_wakeup_fd(fds[1], 1, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);

    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(read(fds[0], &byte, 1), -1);
    CHECK_INT(errno, EAGAIN);
    CHECK_INT(rsig_set_wakeup_fd(-1, 1, &old_fd), RSIG_OK);
    CHECK_INT(old_fd, -1);
    /* Off the main thread, what is pending is warned of: to stderr, no longer to `hear`. */
    CHECK_INT(raise(SIGUSR1), 0);
    run_on_thread(fini_here, NULL);
    CHECK_INT(warnings.count, 0);
}

static int open_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void *signal_in_wait(void *tid) {
    check_await_syscall(*(pid_t *)tid, SYS_ppoll);
    CHECK_SYS(syscall(SYS_tgkill, getpid(), *(pid_t *)tid, SIGUSR1));
    return NULL;
}

TEST(no_descriptor_leaks, "cycles of init, waits of each kind and fini leave no descriptor open") {
    struct check_calls calls = {0};
    pid_t main_tid = check_gettid();
    int before = open_descriptors();
    for (int i = 1; i <= 20; i++) {
        pthread_t thread;
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
        CHECK_INT(pthread_create(&thread, NULL, signal_in_wait, &main_tid), 0);
        CHECK_INT(rsig_pause(), RSIG_OK);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(calls.calls, i);
        CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR2), 0.001, NULL), 0);
        CHECK_INT(rsig_fini(), RSIG_OK);
        CHECK_INT(open_descriptors(), before);
    }
}

/* --- init again --- */

static void *init_here(void *unused) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    return unused;
}

TEST(main_thread_is_the_first_one,
     "the thread of the first rsig_init is the main one; a later rsig_init elsewhere changes "
     "nothing") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    run_on_thread(init_here, NULL);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
}

TEST(init_again_elsewhere, "after rsig_fini a new rsig_init makes its own thread the main one") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    run_on_thread(init_here, NULL);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
}

TEST(delivered_after_fini, "what a stranger's chain brings after rsig_fini() is not recorded") {
    struct check_calls calls = {0};
    struct sigaction rsigs;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &rsigs));
    CHECK_INT(rsig_fini(), RSIG_OK);
    rsigs.sa_sigaction(SIGUSR1, NULL, NULL);
    CHECK_INT(rsig_tripped(), 0);
}
