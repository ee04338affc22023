/*
 * A thread forks while another is stopped at some instruction of a function of rsig's, at every
 * k-th one in turn: the child can use the whole library.
 *
 * Where the stopped thread has a lock the fork waits for it; then that thread goes on, step by
 * step, until it has given the lock back.
 */
#include "step.h"
#include "tour.h"
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#if RSIG_RACE_FREE

/* ---- the process in which it happens ---- */

static struct shared {
    atomic_int tids[2], asked, forked;
} *shared;

static int turn_fds[2];
static void (*body)(void);
static struct check_calls calls;
static rsig_channel_t *channel;

/* Is the one that is stopped. */
static void *steps(void *unused) {
    body(); /* what only the first one does */
    step_allow();
    shared->tids[1] = check_gettid();
    step_tell();
    body();
    step_tell();
    return unused;
}

static void child(void) {
    tour_inside();
    CHECK_INT(rsig_channel_read(channel, NULL, 0), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    tour();
    _exit(0);
}

/* Forks when asked to, until the pipe is closed. */
static void forks(void) {
    char byte;
    int status;
    while (tour_read(turn_fds[0], &byte) == 1) {
        pid_t pid = fork();
        CHECK_SYS(pid);
        if (pid == 0) child();
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_CHILD_OK(status);
        shared->forked++;
    }
}

static void process(void) {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR2), 4, &channel), RSIG_OK);
    CHECK(rsig_fd() >= 0 && rsig_channel_fd(channel) >= 0);
    close(turn_fds[1]);
    shared->tids[0] = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, steps, NULL), 0);
    forks();
    CHECK_INT(pthread_join(thread, NULL), 0);
    _exit(0);
}

/* ---- its tracer ---- */

/* One instruction, with whatever signal has come; whether there is another. */
static int step(void) {
    static int signum;
    CHECK_SYS(ptrace(PTRACE_SINGLESTEP, step_tid, NULL, (void *)(long)signum));
    signum = step_await(0);
    if (signum == SIGTRAP) signum = 0;
    return signum != SIGSTOP;
}

static int is_done(void) { return shared->forked == shared->asked; }

/* Nor is it on its way: it waits for a lock. */
static int waits_for_lock(void) { return check_sleeps(shared->tids[0], SYS_futex, NULL); }

/* Until the other thread has forked, and its child has ended well. */
static void fork_there(pid_t pid) {
    int status;
    shared->asked++;
    CHECK_INT(write(turn_fds[1], "x", 1), 1);
    while (!is_done()) {
        if (waits_for_lock() && !is_done()) {
            if (!step()) CHECK_FAIL("it has no lock any more, and the fork waits");
            step_position.count++;
        } else if (waitpid(pid, &status, WNOHANG) == pid) {
            CHECK_FAIL("instruction %d: wait status %#x", step_position.count, (unsigned)status);
        }
        sched_yield();
    }
}

/* The kernel's own code for clock_gettime() begins anew after each tick, so it must not last. */
static int is_in_vdso(void) {
    enum { AT_MOST = 4 * 4096 };
    return step_registers().counter - getauxval(AT_SYSINFO_EHDR) < AT_MOST;
}

static void at_every(int stride, void (*of)(void)) {
    int status;
    body = of;
    CHECK_SYS(pipe(turn_fds));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) process();
    close(turn_fds[0]);
    while (!shared->tids[1]) sched_yield();
    step_tid = shared->tids[1];
    CHECK_INT(step_await(0), SIGSTOP);
    step_begin();
    for (int next = 0; step(); step_position.count++) {
        if (step_position.count < next || is_in_vdso()) continue;
        fork_there(pid);
        next = step_position.count + stride;
    }
    printf("%d forks at %d instructions\n", shared->forked, step_position.count);
    CHECK(shared->forked > 10);
    close(turn_fds[1]);
    step_go_on(0);
    CHECK_INT(step_await(0), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_CHILD_OK(status);
}

#else
static struct check_calls calls;
static rsig_channel_t *channel;
static void at_every(int stride, void (*of)(void)) {
    (void)stride, (void)of, (void)calls, (void)channel;
    check_skip("there are no registers to be read here");
}
#endif

static void open_and_close(void) {
    rsig_channel_t *other;
    rsig_sigset_t set = RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGUSR1);
    CHECK_INT(rsig_channel_open(set, 4, &other), RSIG_OK);
    CHECK_INT(rsig_channel_close(other), RSIG_OK);
}
TEST(opening_and_closing, "a fork while another thread opens and closes a channel") {
    at_every(5, open_and_close);
}

static void read_and_look(void) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    CHECK(rsig_channel_fd(channel) >= 0);
}
TEST(reading, "while it receives a signal and reads it from a channel") {
    at_every(5, read_and_look);
}

static void raise_one(void) { CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK); }
TEST(raising, "while it raises a signal, handler and all") { at_every(3, raise_one); }

static void set_handler(void) {
    rsig_action_t old;
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &calls, &old), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGTERM, 0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, old.handler, old.arg, NULL), RSIG_OK);
}
TEST(setting_handlers, "while it becomes the main thread and sets handlers") {
    at_every(5, set_handler);
}

static void pump_and_wait(void) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_wait(1e-9), 0);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 0, NULL), 0);
}
TEST(waiting, "while it pumps and waits as the main thread") { at_every(5, pump_and_wait); }

