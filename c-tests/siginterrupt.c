/* rsig_siginterrupt(): whether a signal interrupts a blocking system call or lets it go on. */
#include "check.h"

#include <limits.h>

static int pipe_fds[2], wakeup_fds[2];
static pid_t reader;

/* Signals the reader inside its read(), and writes data once the low-level handler has run. */
static void *signal_then_write(void *unused) {
    unsigned char byte = 0;
    check_await_syscall(reader, SYS_read);
    CHECK_SYS(syscall(SYS_tgkill, getpid(), reader, SIGUSR1));
    CHECK_INT(read(wakeup_fds[0], &byte, 1), 1);
    CHECK_INT(byte, SIGUSR1);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

/* What a blocking read of this thread gives when SIGUSR1 lands in it: 1 for data, else -errno. */
static int read_with_signal(void) {
    pthread_t thread;
    char data = 0;
    CHECK_SYS(pipe(pipe_fds));
    CHECK_SYS(pipe(wakeup_fds));
    CHECK_SYS(fcntl(wakeup_fds[1], F_SETFL, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(wakeup_fds[1], 1, NULL), RSIG_OK);
    reader = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, signal_then_write, NULL), 0);
    ssize_t result = read(pipe_fds[0], &data, 1);
    int code = errno;
    CHECK_INT(pthread_join(thread, NULL), 0);
    if (result < 0) return -code;
    CHECK_INT(data, 'x');
    return (int)result;
}

static int flags_of(int signum) {
    struct sigaction now;
    CHECK_SYS(sigaction(signum, NULL, &now));
    return now.sa_flags;
}

TEST(interrupts_by_default, "a handler of rsig's interrupts a blocking read: EINTR") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(read_with_signal(), -EINTR);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
}

TEST(restarts_with_flag_0,
     "with flag 0 the read goes on and gets the data that came after the signal") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK_INT(read_with_signal(), 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
}

TEST(interrupts_again, "any other flag makes the signal interrupt again") {
    int flags[] = {1, -1, 256, INT_MIN};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &(struct check_calls){0}, NULL), RSIG_OK);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
        CHECK(flags_of(SIGUSR1) & SA_RESTART);
        CHECK_INT(rsig_siginterrupt(SIGUSR1, flags[i]), RSIG_OK);
        CHECK(!(flags_of(SIGUSR1) & SA_RESTART));
    }
    CHECK_INT(read_with_signal(), -EINTR);
}

TEST(rsig_signal_resets_it,
     "rsig_signal makes the signal interrupt again, also with the same handler") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(read_with_signal(), -EINTR);
}

TEST(handler_stays, "neither way is a handler, its arg or what is pending lost") {
    struct check_calls calls = {0};
    rsig_action_t now;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    for (int flag = 0; flag < 2; flag++) {
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(rsig_siginterrupt(SIGUSR1, flag), RSIG_OK);
        CHECK_INT(calls.calls, flag);
        CHECK_INT(rsig_getsignal(SIGUSR1, &now), RSIG_OK);
        CHECK(now.handler == check_handler && now.arg == &calls);
        CHECK_INT(rsig_pump(), 1);
    }
}

TEST(other_signals_stay, "only the signal that was named changes") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK(flags_of(SIGUSR1) & SA_RESTART);
    CHECK(!(flags_of(SIGUSR2) & SA_RESTART));
}

static void foreign_handler(int signum) { (void)signum; }

TEST(keeps_a_foreign_handler,
     "a foreign handler keeps its mask and other flags, and rsig_fini puts back what it had") {
    struct sigaction theirs, now;
    memset(&theirs, 0, sizeof theirs);
    theirs.sa_handler = foreign_handler;
    theirs.sa_flags = SA_NODEFER;
    sigaddset(&theirs.sa_mask, SIGHUP);
    CHECK_SYS(sigaction(SIGUSR1, &theirs, NULL));
    CHECK_SYS(sigaction(SIGUSR1, NULL, &theirs));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);

    CHECK_SYS(sigaction(SIGUSR1, NULL, &now));
    CHECK(now.sa_handler == foreign_handler);
    CHECK_INT(now.sa_flags, theirs.sa_flags | SA_RESTART);
    CHECK_INT(sigismember(&now.sa_mask, SIGHUP), 1);
    CHECK_INT(sigismember(&now.sa_mask, SIGUSR2), 0);

    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(flags_of(SIGUSR1), theirs.sa_flags);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)(size_t)foreign_handler);
}

TEST(pending_after_somebody_else,
     "what came before somebody else's plain signal() still runs after rsig_siginterrupt") {
    void (*others[])(int) = {SIG_IGN, SIG_DFL, foreign_handler};
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        for (int flag = 0; flag < 2; flag++) {
            struct check_calls calls = {0};
            CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
            CHECK_INT(raise(SIGUSR1), 0);
            CHECK(signal(SIGUSR1, others[i]) != SIG_ERR);
            CHECK_INT(rsig_siginterrupt(SIGUSR1, flag), RSIG_OK);
            CHECK(check_kernel_handler(SIGUSR1) == (void *)(size_t)others[i]);
            CHECK_INT(rsig_pump(), 1);
            CHECK_INT(calls.calls, 1);
        }
    }
}

TEST(no_handler, "a signal without a handler stays as it is: default or ignored") {
    rsig_action_t now;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, RSIG_IGN, NULL, NULL), RSIG_OK);
    for (int flag = 0; flag < 2; flag++) {
        CHECK_INT(rsig_siginterrupt(SIGUSR1, flag), RSIG_OK);
        CHECK_INT(rsig_getsignal(SIGUSR1, &now), RSIG_OK);
        CHECK(now.handler == RSIG_DFL);
        CHECK_INT(rsig_siginterrupt(SIGUSR2, flag), RSIG_OK);
        CHECK_INT(rsig_getsignal(SIGUSR2, &now), RSIG_OK);
        CHECK(now.handler == RSIG_IGN);
    }
}

static void *restart_elsewhere(void *unused) {
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    return unused;
}

TEST(any_thread, "any thread may change it") {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &(struct check_calls){0}, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, restart_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(read_with_signal(), 1);
}

TEST(errors,
     "a wrong number is RSIG_ERROR_VALUE; SIGKILL, SIGSTOP and the C library's own are "
     "RSIG_ERROR_OS") {
    int numbers[] = {0, -1, NSIG, INT_MIN, INT_MAX};
    CHECK_ERROR(rsig_siginterrupt(SIGUSR1, 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int flag = 0; flag < 2; flag++) {
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            CHECK_ERROR(rsig_siginterrupt(numbers[i], flag), RSIG_ERROR_VALUE, EINVAL);
        CHECK_ERROR(rsig_siginterrupt(SIGKILL, flag), RSIG_ERROR_OS, EINVAL);
        CHECK_ERROR(rsig_siginterrupt(SIGSTOP, flag), RSIG_ERROR_OS, EINVAL);
        for (int n = 32; n < SIGRTMIN; n++)
            CHECK_ERROR(rsig_siginterrupt(n, flag), RSIG_ERROR_OS, EINVAL);
    }
}
