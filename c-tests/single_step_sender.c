/*
 * A thread that is held before each instruction of rsig's handler, while the main thread's part is
 * handed on: what lands next ends the new main thread's call.
 */
#include "step.h"
#include <stdatomic.h>
#include <sys/mman.h>

#if RSIG_RACE_FREE

enum { REFUSED = 7 };

/* The call's, the threads' to be the main one in turn, and the sender's to begin. */
static int pipe_fds[2], turn_fds[2][2], sender_fds[2];

/* Between the child and its tracer. */
static struct shared {
    atomic_int sender_tid, tids[2], rounds, last;
} *shared;

/* ---- the child ---- */

static struct check_calls calls, refusing_calls = {.result = REFUSED};

static char read_from(int fd) {
    char byte;
    CHECK_INT(read(fd, &byte, 1), 1);
    return byte;
}

static void write_to(int fd) { CHECK_INT(write(fd, "x", 1), 1); }

static long call(void) {
    char byte;
    return rsig_read(pipe_fds[0], &byte, 1);
}

/* Is the main thread every other round: from a call that ends by a refusal to one that does not. */
static void *take_turns(void *which) {
    int own = (int)(size_t)which;
    shared->tids[own] = check_gettid();
    for (int first = own == 0;; first = 0) {
        read_from(turn_fds[own][0]);
        CHECK_INT(rsig_set_main_thread(), RSIG_OK);
        if (!first) {
            CHECK_INT(call(), -1);
            CHECK_INT(errno, EINTR);
            CHECK(rsig_pump() >= 0);
            if (shared->last) _exit(0);
        }
        shared->rounds++;
        write_to(sender_fds[1]);
        CHECK_INT(call(), 1);
        write_to(turn_fds[!own][1]);
    }
    return NULL;
}

static void *sender(void *unused) {
    sigset_t none;
    sigemptyset(&none);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
    step_allow();
    shared->sender_tid = check_gettid();
    for (;;) {
        read_from(sender_fds[0]);
        raise(SIGUSR1);
        raise(SIGUSR2);
    }
    return unused;
}

static void child(void) {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &refusing_calls, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, sender, NULL), 0);
    CHECK_INT(pthread_create(&thread, NULL, take_turns, (void *)1), 0);
    write_to(turn_fds[0][1]);
    take_turns((void *)0);
}

/* ---- its tracer ---- */

static pid_t pid;

static int calls_in(pid_t tid) { return step_sleeps(tid, SYS_read, pipe_fds[0]); }

static void await_call(pid_t tid) {
    while (!calls_in(tid)) sched_yield();
}

/* The sender stops for this. */
static void await_signal(int signum) { CHECK_INT(step_await(0), signum); }

/* Where nobody has told the new main thread; and all that in the same call. The order matters. */
static int is_stuck(pid_t tid, int rounds) {
    return step_has_tripped(pid) &&
           step_sleeps(shared->sender_tid, SYS_read, sender_fds[0]) && calls_in(tid) &&
           shared->rounds == rounds;
}

/* One round: the main thread's part goes from one to the other while the sender is held. */
static enum step_place hand_over(int round) {
    pid_t from = shared->tids[round % 2], to = shared->tids[!(round % 2)];
    await_signal(SIGUSR1);
    step_begin();
    await_call(from);
    CHECK_SYS(ptrace(PTRACE_SINGLESTEP, step_tid, NULL, (void *)SIGUSR1));
    await_signal(SIGTRAP);
    enum step_place place = step_walk(NULL);
    shared->last = place == STEP_RETURNED;
    write_to(pipe_fds[1]);
    await_call(to);
    step_go_on(0);
    await_signal(SIGUSR2);
    step_go_on(SIGUSR2);
    return place;
}

static void everywhere(rsig_sigset_t blocked) {
    sigset_t mask;
    int status;
    CHECK_INT(rsig_sigset_to_posix(blocked, &mask), RSIG_OK);
    step_stay_on_one_processor();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_SYS(pipe(turn_fds[0]));
    CHECK_SYS(pipe(turn_fds[1]));
    CHECK_SYS(pipe(sender_fds));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    CHECK_SYS(pid = fork());
    if (pid == 0) child();
    /* Each thread has begun. */
    while (!shared->sender_tid || !shared->tids[0] || !shared->tids[1]) sched_yield();
    step_tid = shared->sender_tid;
    for (int round = 0; hand_over(round) == STEP_INSIDE; round++) {
        while (shared->rounds == round + 1) {
            if (is_stuck(shared->tids[!(round % 2)], round + 1))
                CHECK_FAIL("position %d: the new main thread sleeps", step_position.count);
            sched_yield();
        }
    }
    CHECK_INT(step_await(0), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_CHILD_OK(status);
    printf("%d positions\n", step_position.count);
}

#else
static void everywhere(rsig_sigset_t blocked) {
    (void)blocked;
    check_skip("RSIG_RACE_FREE is 0 here");
}
#endif

TEST(handed_on, "rsig_set_main_thread() meanwhile") { everywhere(0); }

TEST(handed_on_with_all_blocked, "both threads block all signals") {
    everywhere(~(rsig_sigset_t)0);
}
