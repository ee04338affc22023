/*
 * rsig_read(), left by a plain handler's siglongjmp() before each of its instructions, those of the
 * pump before it among them: no lock stays held and nothing is wrong afterwards.
 */
#include "step.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* What the child has made ready for each position. */
struct scenario {
    int used;        /* the call is not rsig's first: the number of the pokes is there */
    int tripped;     /* the pump before it has something to do */
    int data;        /* a byte is in the pipe */
    int all_blocked; /* but for the plain handler's signal */
    int save_mask;   /* siglongjmp() puts the mask back */
};

#if RSIG_RACE_FREE

enum { REFUSED = 7 };

static const struct scenario *scenario;
static int pipe_fds[2], worker_fds[2];

/* Between the child and its tracer. */
static struct shared {
    atomic_int worker_tid, last, reads;
} *shared;

/* ---- the child ---- */

static struct check_calls calls;
static sigjmp_buf out;

static void leave(int signum) {
    (void)signum;
    siglongjmp(out, 1);
}

static void set_mask(int how, rsig_sigset_t set) {
    sigset_t posix;
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(pthread_sigmask(how, &posix, NULL), 0);
}

static rsig_sigset_t mask(void) {
    sigset_t now;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK_INT(rsig_sigset_from_posix(&now, &set), RSIG_OK);
    return set;
}

static long read_byte(void) {
    char byte;
    shared->reads++;
    return rsig_read(pipe_fds[0], &byte, 1);
}

static void write_byte(void) { CHECK_INT(write(pipe_fds[1], "x", 1), 1); }

/* For each byte: SIGUSR1 here, when the main thread sleeps in the call. */
static void *worker(void *unused) {
    char byte;
    set_mask(SIG_SETMASK, ~RSIG_SIGSET(SIGUSR1));
    shared->worker_tid = check_gettid();
    while (read(worker_fds[0], &byte, 1) == 1) {
        while (!step_sleeps(getpid(), SYS_read, pipe_fds[0])) sched_yield();
        CHECK_INT(raise(SIGUSR1), 0);
    }
    return unused;
}

static void begin(void) {
    calls = (struct check_calls){0};
    set_mask(SIG_SETMASK, 0);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    if (scenario->used) {
        write_byte();
        CHECK_INT(read_byte(), 1);
    }
    if (scenario->tripped) CHECK_INT(raise(SIGUSR1), 0);
    if (scenario->all_blocked)
        set_mask(SIG_SETMASK, ~(RSIG_SIGSET(SIGUSR2) | RSIG_SIGSET(SIGTRAP)));
    if (scenario->data) write_byte();
}

static void nothing_is_left(rsig_sigset_t mask_before) {
    rsig_sigset_t pending;
    CHECK(rsig_pump() >= 0);
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(mask(), mask_before);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, 0);
}

/* The lock is free, and calls have results and are interrupted, by signals on other threads too. */
static void all_goes_on(void) {
    rsig_action_t action;
    int left;
    CHECK_SYS(ioctl(pipe_fds[0], FIONREAD, &left));
    while (left-- > 0) CHECK_INT(read_byte(), 1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, &action), RSIG_OK);
    CHECK(action.handler == check_handler && action.arg == &calls);
    write_byte();
    CHECK_INT(read_byte(), 1);
    int calls_before = calls.calls;
    calls.result = REFUSED;
    CHECK_INT(write(worker_fds[1], "x", 1), 1);
    CHECK_INT(read_byte(), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, calls_before + 1);
    /* Left between taking a delivery and the handler's first instruction, the pump forgets it. */
    CHECK(calls.deliveries == 1 || calls.deliveries == 1 + scenario->tripped);
}

static void end(void) {
    /* It has sent its poke, for which rsig_fini() would keep the number. */
    while (!step_sleeps(shared->worker_tid, SYS_read, worker_fds[0])) sched_yield();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == SIG_DFL);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == SIG_DFL);
}

static void call(void) {
    begin();
    rsig_sigset_t mask_before = mask();
    if (sigsetjmp(out, scenario->save_mask) == 0) {
        step_tell();
        read_byte();
        for (;;) pause(); /* it has arrived, at the latest just after the call */
    }
    nothing_is_left(mask_before);
    all_goes_on();
    nothing_is_left(mask_before);
    end();
}

static void child(void) {
    struct sigaction action = {.sa_handler = leave, .sa_flags = SA_NODEFER};
    pthread_t thread;
    step_allow();
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    set_mask(SIG_SETMASK, ~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, worker, NULL), 0);
    while (shared->worker_tid == 0) sched_yield();
    do call();
    while (!shared->last);
    _exit(0);
}

/* ---- its tracer ---- */

static int sleeps(long number, int fd) { return step_sleeps(step_tid, number, fd); }

/*
 * Why it will never go on, where it runs freely; NULL where it may. The order matters, and that it
 * is all in the same call.
 */
static const char *stuck(void) {
    int reads = shared->reads;
    if (sleeps(SYS_futex, -1)) return "a lock is held";
    if (step_has_tripped(step_tid) &&
        step_sleeps(shared->worker_tid, SYS_read, worker_fds[0]) &&
        sleeps(SYS_read, pipe_fds[0]) && shared->reads == reads)
        return "the call sleeps although a signal is tripped";
    return NULL;
}

/* Lets it run, with all signals that are for it, to its next call (SIGSTOP) or its end (0). */
static int run_free(int stopped) {
    while (stopped != 0 && stopped != SIGSTOP) {
        if (stopped > 0) step_go_on(stopped == SIGTRAP ? 0 : stopped);
        stopped = step_await(WNOHANG);
        if (stopped >= 0) continue;
        const char *why = stuck();
        /* Not because it waits for its tracer. */
        if (why && (stopped = step_await(WNOHANG)) < 0)
            CHECK_FAIL("after position %d: %s", step_position.count, why);
        if (stopped < 0) sched_yield();
    }
    return stopped;
}

static int reads_empty_pipe(struct step_registers now) {
    return !scenario->data && now.number == SYS_read &&
           now.argument == (unsigned long)pipe_fds[0];
}

static enum step_place land(void) {
    step_to_entry((void (*)(void))rsig_read);
    enum step_place place = step_walk(reads_empty_pipe);
    if (place == STEP_SLEEPS) {
        step_go_on(0);
        while (!sleeps(SYS_read, pipe_fds[0])) sched_yield();
    }
    CHECK_SYS(syscall(SYS_tgkill, step_tid, step_tid, SIGUSR2));
    return place;
}

static void everywhere(struct scenario what) {
    scenario = &what;
    step_stay_on_one_processor();
    CHECK_SYS(pipe2(pipe_fds, O_CLOEXEC));
    CHECK_SYS(pipe2(worker_fds, O_CLOEXEC));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    write_byte();
    CHECK_INT(read_byte(), 1); /* that the loader has found it */
    CHECK_SYS(step_tid = fork());
    if (step_tid == 0) child();
    int stopped = step_await(0);
    step_begin();
    CHECK_INT(run_free(stopped), SIGSTOP);
    while (!shared->last) {
        enum step_place place = land();
        shared->last = place != STEP_INSIDE;
        CHECK_INT(run_free(place == STEP_SLEEPS ? -1 : SIGTRAP), shared->last ? 0 : SIGSTOP);
    }
    printf("%d positions\n", step_position.count);
}

#else
static void everywhere(struct scenario what) {
    (void)what;
    check_skip("RSIG_RACE_FREE is 0 here");
}
#endif

TEST(left, "a call that reads at once") {
    everywhere((struct scenario){.used = 1, .data = 1, .save_mask = 1});
}

TEST(left_asleep, "a call that sleeps") {
    everywhere((struct scenario){.used = 1, .save_mask = 1});
}

TEST(left_in_the_pump, "a call before which a handler runs") {
    everywhere((struct scenario){.used = 1, .tripped = 1, .save_mask = 1});
}

TEST(left_first, "the first call, which sets up what later ones use") {
    everywhere((struct scenario){.tripped = 1, .data = 1, .save_mask = 1});
}

TEST(left_with_all_blocked, "a call where the program blocks all other signals") {
    everywhere((struct scenario){.used = 1, .tripped = 1, .all_blocked = 1, .save_mask = 1});
}

TEST(left_first_with_all_blocked, "the first call there") {
    everywhere((struct scenario){.tripped = 1, .data = 1, .all_blocked = 1, .save_mask = 1});
}

TEST(left_without_mask, "siglongjmp() does not put the mask back there") {
    everywhere((struct scenario){.used = 1, .tripped = 1, .all_blocked = 1});
}
