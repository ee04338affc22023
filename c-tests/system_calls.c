/* A blocking call asks the kernel nothing that it knows from the call before. */
#include "step.h"

static int pipe_fds[2];

static void plain_handler(int signum) { (void)signum; }

static long read_ready_byte(void) {
    char byte;
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return rsig_read(pipe_fds[0], &byte, 1);
}

/* Two calls, each announced, and the end. */
static void child(rsig_sigset_t blocked) {
    sigset_t mask;
    step_allow();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(read_ready_byte(), 1); /* from then on rsig has the highest number */
    for (int n = SIGRTMIN; n < SIGRTMAX; n++) CHECK(signal(n, plain_handler) != SIG_ERR);
    CHECK_INT(rsig_sigset_to_posix(blocked, &mask), RSIG_OK);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    for (int i = 0; i < 2; i++) {
        step_tell();
        CHECK_INT(read_ready_byte(), 1);
    }
    step_tell();
    _exit(0);
}

/* How many system calls the child makes from one step_tell() to the next. */
static int count(void) {
    for (int stops = 0;; stops++) {
        CHECK_SYS(ptrace(PTRACE_SYSCALL, step_tid, NULL, NULL));
        int stopped = step_await(0);
        if (stopped == SIGSTOP) return stops / 2;
        CHECK_INT(stopped, STEP_AT_SYSTEM_CALL);
    }
}

/* Fewer than it takes to ask for each number whether it is free. */
static void searches_once(rsig_sigset_t blocked) {
    CHECK_SYS(step_tid = fork());
    if (step_tid == 0) child(blocked);
    CHECK_INT(step_await(0), SIGSTOP);
    step_begin();
    int first = count(), second = count();
    if (second >= SIGRTMAX - SIGRTMIN)
        CHECK_FAIL("%d system calls in the first call, %d in the second", first, second);
    step_go_on(0);
    CHECK_INT(step_await(0), 0);
}

TEST(number_blocked,
     "where rsig's number is blocked and the program has all others, the second call knows that") {
    searches_once(RSIG_SIGSET(SIGRTMAX));
}

TEST(all_numbers_blocked, "and where all of them are blocked") {
    rsig_sigset_t all = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) all |= RSIG_SIGSET(n);
    searches_once(all);
}
