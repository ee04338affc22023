/*
 * rsig_syscall(), one instruction at a time: a child is stopped before each of them, from the
 * call's entry to its return, and a handled signal arrives exactly there. Each time the call ends
 * by itself, no handler has run in it, the next pump runs it once, and no byte is lost or read
 * twice.
 */
#include "step.h"
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* What happens at each position, and what the child has made ready for it. */
struct scenario {
    int signum;                     /* rsig's */
    int plain;                      /* the number of a plain handler that runs there too; 0: none */
    int plain_flags;                /* its sa_flags */
    int plain_blocks_all;           /* its sa_mask */
    int raised_within;              /* it raises rsig's signal; else both are pending at once */
    int chained;                    /* the plain handler has rsig's number, and calls rsig's */
    int restart;                    /* rsig_siginterrupt(signum, 0) */
    int data;                       /* a byte is in the pipe */
    int tripped;                    /* something else is tripped before */
    int worker;                     /* rsig's signal lands on another thread */
    int all_blocked;                /* the caller blocks all signals */
    int first_call;                 /* each position in a new child, whose first call it is */
};

#if RSIG_RACE_FREE

static const struct scenario *scenario;
static int pipe_fds[2];

/* Between the child and its tracer. */
static struct shared {
    atomic_int worker_tid, worker_handled, last;
} *shared;

/* ---- the child ---- */

static struct check_calls calls, earlier_calls;
static int plain_calls;
static struct sigaction beneath;

static void plain_handler(int signum, siginfo_t *info, void *context) {
    (void)signum;
    plain_calls++;
    if (scenario->raised_within) raise(scenario->signum);
    if (scenario->chained == 1) beneath.sa_sigaction(signum, info, context);
    if (scenario->chained == 2) beneath.sa_sigaction(signum, NULL, NULL);
}

static void *worker(void *unused) {
    sigset_t none;
    (void)unused;
    sigemptyset(&none);
    shared->worker_tid = check_gettid();
    for (;;) {
        sigsuspend(&none);
        shared->worker_handled++;
    }
    return NULL;
}

static void prepare(void) {
    sigset_t all;
    pthread_t thread;
    sigfillset(&all);
    sigdelset(&all, SIGTRAP); /* the tracer's own */
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(scenario->signum, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGHUP, check_handler, &earlier_calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(scenario->signum, !scenario->restart), RSIG_OK);
    if (scenario->worker) {
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        CHECK_INT(pthread_create(&thread, NULL, worker, NULL), 0);
        while (shared->worker_tid == 0) sched_yield();
        check_await_syscall(shared->worker_tid, SYS_rt_sigsuspend);
        if (!scenario->all_blocked) pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    }
    if (scenario->plain) {
        static char stack[65536];
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
        struct sigaction action = {.sa_sigaction = plain_handler};
        action.sa_flags = SA_SIGINFO | scenario->plain_flags;
        if (scenario->plain_blocks_all) sigfillset(&action.sa_mask);
        if (scenario->plain_flags & SA_ONSTACK) CHECK_SYS(sigaltstack(&alternate, NULL));
        CHECK_SYS(sigaction(scenario->plain, &action, &beneath));
    }
    if (!scenario->first_call) {
        char byte = 0;
        CHECK_SYS(write(pipe_fds[1], "", 1));
        CHECK_INT(rsig_syscall(SYS_read, pipe_fds[0], (long)&byte, 1, 0, 0, 0), 1);
    }
}

static rsig_sigset_t mask(void) {
    sigset_t now;
    rsig_sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK_INT(rsig_sigset_from_posix(&now, &set), RSIG_OK);
    return set;
}

/* One call, with all that must hold after it. */
static void call(unsigned char sent) {
    rsig_sigset_t mask_before = mask(), pending;
    unsigned char got = (unsigned char)~sent;
    int left;
    calls.calls = calls.deliveries = earlier_calls.calls = plain_calls = 0;
    if (scenario->data) CHECK_SYS(write(pipe_fds[1], &sent, 1));
    if (scenario->tripped) raise(SIGHUP);

    errno = 0;
    step_tell();
    long result = rsig_syscall(SYS_read, pipe_fds[0], (long)&got, 1, 0, 0, 0);
    int error = errno;

    CHECK_INT(calls.calls, 0);
    if (scenario->tripped || !scenario->data || result != 1) {
        CHECK_INT(result, -1);
        CHECK_INT(error, EINTR);
    }
    CHECK_SYS(ioctl(pipe_fds[0], FIONREAD, &left));
    CHECK_INT(left, scenario->data && result != 1);
    if (left) CHECK_INT(read(pipe_fds[0], &got, 1), 1);
    if (scenario->data) CHECK_INT(got, sent);

    CHECK_INT(rsig_pump(), 1 + scenario->tripped);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 1);
    CHECK_INT(earlier_calls.calls, scenario->tripped);
    CHECK_INT(plain_calls, scenario->plain != 0);
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(mask(), mask_before);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, 0);
}

static void child(void) {
    step_allow();
    prepare();
    unsigned char sent = 0;
    do call(sent++);
    while (!shared->last);
    _exit(0);
}

/* ---- its tracer ---- */

static int sleeps(void) { return step_sleeps(step_tid, SYS_read, pipe_fds[0]); }

static void send_to(pid_t tid, int signum) {
    CHECK_SYS(syscall(SYS_tgkill, step_tid, tid, signum));
}

/* The child is stopped, or sleeps. */
static void send_signals(void) {
    if (scenario->worker) {
        int handled = shared->worker_handled;
        send_to(shared->worker_tid, scenario->signum);
        while (shared->worker_handled == handled) sched_yield();
        return;
    }
    int both = scenario->plain && !scenario->raised_within && !scenario->chained;
    int first = scenario->plain ? scenario->plain : scenario->signum;
    if (both && scenario->signum < first) first = scenario->signum;
    send_to(step_tid, first);
    if (both) send_to(step_tid, first == scenario->signum ? scenario->plain : scenario->signum);
}

/* Lets it run, with all signals that are for it, to its next call (SIGSTOP) or its end (0). */
static int run_free(int stopped) {
    for (;;) {
        if (stopped == 0 || stopped == SIGSTOP) return stopped;
        if (stopped > 0) step_go_on(stopped == SIGTRAP ? 0 : stopped);
        stopped = step_await(WNOHANG);
        /*
         * The order matters: tripped, asleep after that, and not because it waits for its tracer.
         */
        if (stopped < 0 && step_has_tripped(step_tid) && sleeps() &&
            (stopped = step_await(WNOHANG)) < 0)
            CHECK_FAIL("position %d: the call sleeps although a signal is tripped",
                       step_position.count);
        if (stopped < 0) sched_yield();
    }
}

static void start(void) {
    shared->last = scenario->first_call;
    shared->worker_tid = shared->worker_handled = 0;
    CHECK_SYS(step_tid = fork());
    if (step_tid == 0) child();
    int stopped = step_await(0);
    step_begin();
    CHECK_INT(run_free(stopped), SIGSTOP);
}

/* In the last position it is inside the kernel. */
static int reads_empty_pipe(struct step_registers now) {
    return !scenario->data && !scenario->tripped && now.number == SYS_read &&
           now.argument == (unsigned long)pipe_fds[0];
}

/* From the child's step_tell(): to the next position, and the signals there. */
static enum step_place land(void) {
    step_to_entry((void (*)(void))rsig_syscall);
    enum step_place place = step_walk(reads_empty_pipe);
    if (place == STEP_SLEEPS) {
        step_go_on(0);
        while (!sleeps()) sched_yield();
    }
    send_signals();
    return place;
}

static void everywhere(const struct scenario *what) {
    scenario = what;
    step_position = (struct step_position){0};
    step_stay_on_one_processor();
    CHECK_SYS(pipe2(pipe_fds, O_CLOEXEC));
    rsig_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0); /* that the loader has found it */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    if (!scenario->first_call) start();
    for (enum step_place place = STEP_INSIDE; place == STEP_INSIDE;) {
        if (scenario->first_call) start();
        place = land();
        if (place != STEP_INSIDE) shared->last = 1;
        int end = run_free(place == STEP_SLEEPS ? -1 : SIGTRAP);
        CHECK_INT(end, shared->last ? 0 : SIGSTOP);
    }
    printf("%d positions\n", step_position.count);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    munmap(shared, sizeof *shared);
}

#else
static void everywhere(const struct scenario *what) {
    (void)what;
    check_skip("RSIG_RACE_FREE is 0 here");
}
#endif

/* On an empty pipe, and with a byte in it. */
static void both(struct scenario what) {
    everywhere(&what);
    what.data = 1;
    everywhere(&what);
}

TEST(alone, "a signal at any instruction ends the call, or comes after its result") {
    both((struct scenario){.signum = SIGUSR1});
}

TEST(first_call, "the same in the very first call, which sets up what later ones use") {
    everywhere(&(struct scenario){.signum = SIGUSR1, .first_call = 1});
}

/* Forks on another thread than the main one, which is in a call of its own. */
static pid_t caller_tid;
static int caller_fds[2];

static void *fork_everywhere(void *what) {
    check_await_syscall(caller_tid, SYS_read);
    everywhere((const struct scenario *)what);
    CHECK_INT(write(caller_fds[1], "x", 1), 1);
    return NULL;
}

static void in_forked_child(struct scenario what) {
    pthread_t thread;
    char byte;
    caller_tid = check_gettid();
    CHECK_SYS(pipe2(caller_fds, O_CLOEXEC));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, fork_everywhere, &what), 0);
    CHECK_INT(rsig_read(caller_fds[0], &byte, 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(first_call_in_forked_child,
     "the same in a child that another thread has forked while the main one was in a call") {
    in_forked_child((struct scenario){.signum = SIGUSR1, .first_call = 1});
}

TEST(restarting, "the same where siginterrupt() asked for a restart") {
    both((struct scenario){.signum = SIGUSR1, .restart = 1});
}

TEST(tripped_before,
     "with something tripped before, the call has no effect wherever another signal arrives") {
    both((struct scenario){.signum = SIGUSR1, .tripped = 1});
}

TEST(beneath_plain_handler, "a plain handler may run on top of rsig's") {
    both((struct scenario){.signum = SIGUSR1, .plain = SIGUSR2});
    both((struct scenario){.signum = SIGUSR1, .plain = SIGUSR2,
                           .plain_flags = SA_RESTART, .restart = 1});
}

TEST(on_top_of_plain_handler,
     "rsig's handler may interrupt a plain one that has interrupted the call") {
    both((struct scenario){.signum = SIGUSR2, .plain = SIGUSR1});
    both((struct scenario){.signum = SIGUSR2, .plain = SIGUSR1,
                           .plain_flags = SA_RESTART, .restart = 1});
}

TEST(raised_within_plain_handler, "a plain handler may raise rsig's signal itself") {
    both((struct scenario){.signum = SIGUSR2, .plain = SIGUSR1, .raised_within = 1});
    both((struct scenario){.signum = SIGUSR2, .plain = SIGUSR1,
                           .plain_flags = SA_RESTART, .raised_within = 1});
}

TEST(plain_handler_on_alternate_stack, "the plain handler may run on an alternate stack") {
    both((struct scenario){.signum = SIGUSR1, .plain = SIGUSR2,
                           .plain_flags = SA_ONSTACK | SA_RESTART});
    both((struct scenario){.signum = SIGUSR2, .plain = SIGUSR1,
                           .plain_flags = SA_ONSTACK | SA_RESTART});
    both((struct scenario){
        .signum = SIGUSR2, .plain = SIGUSR1, .plain_flags = SA_ONSTACK | SA_RESTART,
        .raised_within = 1});
}

TEST(plain_handler_that_blocks_all, "the plain handler may block all signals while it runs") {
    struct scenario blocks = {
        .signum = SIGUSR2, .plain = SIGUSR1, .plain_flags = SA_RESTART, .plain_blocks_all = 1};
    both(blocks);
    blocks.raised_within = 1;
    both(blocks);
}

TEST(chained, "a handler that was installed over rsig's may pass its arguments on") {
    both((struct scenario){.signum = SIGUSR1, .plain = SIGUSR1,
                           .plain_flags = SA_RESTART, .chained = 1});
}

TEST(chained_without_context, "it may pass NULL for the siginfo and the context") {
    both((struct scenario){.signum = SIGUSR1, .plain = SIGUSR1,
                           .plain_flags = SA_RESTART, .chained = 2});
}

TEST(on_another_thread, "a signal that lands on another thread ends the call, wherever that is") {
    both((struct scenario){.signum = SIGUSR1, .worker = 1});
    both((struct scenario){.signum = SIGUSR1, .worker = 1, .restart = 1});
}

TEST(on_another_thread_with_all_blocked, "also where the caller blocks all signals") {
    both((struct scenario){.signum = SIGUSR1, .worker = 1, .all_blocked = 1});
}
