/*
 * rsig_channel_open() and rsig_channel_close() on a thread of their own, one instruction at a time, over a handler that passes on
 * to a function of rsig_signal()'s. Before each instruction the main thread gets a signal and runs the pump: the function runs for
 * each of them, exactly once.
 */
#include "step.h"
#include <stdatomic.h>
#include <sys/mman.h>

#if RSIG_RACE_FREE

/* The thread that is to be stopped. */
static atomic_int *opener;
/* To the child's main thread, a byte for each round, and back. */
static int to_child[2], to_tracer[2];

static struct check_calls calls;
static struct sigaction displaced;

static void passing_handler(int signum, siginfo_t *info, void *context) {
    displaced.sa_sigaction(signum, info, context);
}

static void *open_and_close(void *unused) {
    rsig_channel_t *channel;
    step_allow();
    *opener = check_gettid();
    step_tell();
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 1, &channel), RSIG_OK);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    step_tell();
    return unused;
}

static void child(void) {
    pthread_t thread;
    struct sigaction action;
    char byte;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = passing_handler;
    action.sa_flags = SA_SIGINFO;
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, &action, &displaced));
    CHECK_INT(pthread_create(&thread, NULL, open_and_close, NULL), 0);
    CHECK_SYS(close(to_child[1]));
    for (int round = 1; read(to_child[0], &byte, 1) == 1; round++) {
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, round);
        CHECK_INT(write(to_tracer[1], "", 1), 1);
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    _exit(0);
}

static void everywhere(void) {
    pid_t pid;
    int status;
    char byte;
    opener = mmap(NULL, sizeof *opener, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(opener != MAP_FAILED);
    CHECK_SYS(pipe(to_child));
    CHECK_SYS(pipe(to_tracer));
    step_stay_on_one_processor();
    CHECK_SYS(pid = fork());
    if (pid == 0) child();
    CHECK_SYS(close(to_tracer[1]));
    while (*opener == 0) sched_yield();
    step_tid = *opener;
    CHECK_INT(step_await(0), SIGSTOP);
    step_begin();
    for (;;) {
        CHECK_SYS(ptrace(PTRACE_SINGLESTEP, step_tid, NULL, NULL));
        if (step_await(0) != SIGTRAP) break;
        step_position.count++;
        CHECK_INT(write(to_child[1], "", 1), 1);
        /* 0 where the child has failed. */
        CHECK_INT(read(to_tracer[0], &byte, 1), 1);
    }
    step_go_on(0);
    CHECK_INT(step_await(0), 0);
    CHECK_SYS(close(to_child[1]));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_CHILD_OK(status);
    printf("%d positions\n", step_position.count);
}

#else
static void everywhere(void) { check_skip("RSIG_RACE_FREE is 0 here"); }
#endif

TEST(opened, "the function runs at each instruction of another thread that opens and closes a channel over it") {
    everywhere();
}
