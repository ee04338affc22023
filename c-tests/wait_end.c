/*
 * Signals that arrive just when the system call of a wait is over: a tracer holds the child there.
 * What the wait has accepted by then is neither lost nor overtaken, handlers that are pending by
 * the end of the time run, and the mask stays.
 */
#include "step.h"
#include <stdatomic.h>
#include <sys/mman.h>

enum { REFUSED = 7 };

/* By convention here: SIGUSR1 is blocked and waited for, SIGUSR2 has a handler. */
static const rsig_sigset_t awaited = RSIG_SIGSET(SIGUSR1);
static struct check_calls usr1, usr2;

/* Between the child and its tracer. */
static struct shared {
    atomic_int worker_tid, worker_handled;
} *shared;

/* ---- the tracer ---- */

static void start(void (*child)(void)) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    CHECK_SYS(step_tid = fork());
    if (step_tid == 0) {
        step_allow();
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
        CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
        child();
        _exit(0);
    }
    CHECK_INT(step_await(0), SIGSTOP);
    step_begin();
}

static struct __ptrace_syscall_info system_call(void) {
    struct __ptrace_syscall_info info;
    CHECK_SYS(ptrace(PTRACE_GET_SYSCALL_INFO, step_tid, (void *)sizeof info, &info));
    return info;
}

/* Its third argument is NULL, or not 0: it does not only look. */
static int waits(struct __ptrace_syscall_info call) {
    const long *timeout = (const long *)(size_t)call.entry.args[2];
    return !timeout || ptrace(PTRACE_PEEKDATA, step_tid, timeout, NULL) ||
           ptrace(PTRACE_PEEKDATA, step_tid, timeout + 1, NULL);
}

/* From the child's step_tell() to where it would go to sleep. */
static void to_wait(long number) {
    for (;;) {
        step_to_system_call();
        struct __ptrace_syscall_info call = system_call();
        if ((long)call.entry.nr == number && waits(call)) return;
        step_to_system_call();
    }
}

/* The result of the system call that it waits in. */
static long to_end_of_wait(void) {
    step_to_system_call();
    return (long)system_call().exit.rval;
}

static void send_to(pid_t tid, int signum) {
    CHECK_SYS(syscall(SYS_tgkill, step_tid, tid, signum));
}

static void queue(int signum, int value) {
    CHECK_SYS(sigqueue(step_tid, signum, (union sigval){.sival_int = value}));
}

static void queue_to_main(int signum, int value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    CHECK_SYS(syscall(SYS_rt_tgsigqueueinfo, step_tid, step_tid, signum, &info));
}

/* To its end, with all signals that are for it. */
static void finish(void) {
    for (int stopped = SIGTRAP; stopped != 0; stopped = step_await(0))
        step_go_on(stopped == SIGTRAP ? 0 : stopped);
}

/* ---- the child ---- */

static void block(rsig_sigset_t set) {
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
}

static rsig_sigset_t mask(void) {
    sigset_t now;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK_INT(rsig_sigset_from_posix(&now, &set), RSIG_OK);
    return set;
}

static rsig_sigset_t pending(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    return set;
}

/* ---- the end of the time ---- */

static const double timeout = 0.001;

static int sigtimedwait_by_rsig(void) { return rsig_sigtimedwait(awaited, timeout, NULL); }
static int dispatch_by_rsig(void) { return rsig_dispatch(awaited, timeout); }
static int wait_by_rsig(void) { return rsig_wait(timeout); }

static int (*timed_call)(void);
static int expected;

static void run_timed_call(void) {
    block(awaited);
    usr2.result = expected == RSIG_ERROR_HANDLER ? REFUSED : 0;
    step_tell();
    CHECK_INT(timed_call(), expected);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(usr2.deliveries, 1);
    CHECK_INT(rsig_tripped(), 0);
}

/* The handled signal is sent when nothing can end the system call any more. */
static void just_in_time(int (*call)(void), long number, long timed_out, int result) {
    timed_call = call;
    expected = result;
    start(run_timed_call);
    to_wait(number);
    CHECK_INT(to_end_of_wait(), timed_out);
    send_to(step_tid, SIGUSR2);
    finish();
}

static const long sigwait_timed_out = RSIG_RACE_FREE ? -EAGAIN : 0;

TEST(sigtimedwait_runs,
     "rsig_sigtimedwait(): a handler that is pending by the end of the time has run") {
    just_in_time(sigtimedwait_by_rsig, CHECK_SYS_SIGWAIT, sigwait_timed_out, 0);
}

TEST(sigtimedwait_is_refused, "and it may refuse") {
    just_in_time(sigtimedwait_by_rsig, CHECK_SYS_SIGWAIT, sigwait_timed_out, RSIG_ERROR_HANDLER);
}

TEST(dispatch_runs, "the same of rsig_dispatch(), which tells how many have run") {
    just_in_time(dispatch_by_rsig, CHECK_SYS_SIGWAIT, sigwait_timed_out, 1);
    just_in_time(dispatch_by_rsig, CHECK_SYS_SIGWAIT, sigwait_timed_out, RSIG_ERROR_HANDLER);
}

TEST(wait_runs, "and of rsig_wait()") {
    just_in_time(wait_by_rsig, SYS_ppoll, 0, 1);
    just_in_time(wait_by_rsig, SYS_ppoll, 0, RSIG_ERROR_HANDLER);
}

/* ---- what was accepted goes back for a handler to run first ---- */

enum { COUNT = 4 };

static void accept_in_order(void) {
    rsig_siginfo_t info;
    block(RSIG_SIGSET(SIGRTMIN));
    step_tell();
    for (int i = 1; i <= COUNT; i++) {
        CHECK_INT(rsig_sigwaitinfo(RSIG_SIGSET(SIGRTMIN), &info), SIGRTMIN);
        CHECK_INT(info.value_int, i);
        CHECK_INT(info.code, SI_QUEUE);
        CHECK_INT(info.pid, getppid());
        CHECK_INT(usr2.calls, 1);
    }
    CHECK_INT(pending(), 0);
}

/* The first is accepted when a handled signal and the others arrive. */
static void keeps_order(void (*send)(int signum, int value)) {
    start(accept_in_order);
    to_wait(CHECK_SYS_SIGWAIT);
    send(SIGRTMIN, 1);
    CHECK(to_end_of_wait() > 0);
    send_to(step_tid, SIGUSR2);
    for (int i = 2; i <= COUNT; i++) send(SIGRTMIN, i);
    finish();
}

TEST(order, "real-time signals keep their order where a handler runs before an accepted one") {
    keeps_order(queue);
}

TEST(order_on_main, "also such as were sent to the main thread") { keeps_order(queue_to_main); }

static void *accept_elsewhere(void *result) {
    static const struct timespec now;
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int *accepted = result;
    *accepted = sigtimedwait(&set, &info, &now);
    if (*accepted == SIGUSR1) CHECK_INT(info.si_pid, getppid());
    return NULL;
}

/* What a thread that waits for it gets; it blocks what the main thread does. */
static int accepted_elsewhere(void) {
    int accepted = 0;
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, accept_elsewhere, &accepted), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    return accepted;
}

static void wait_to_be_refused(void) {
    block(awaited);
    usr2.result = REFUSED;
    step_tell();
    CHECK_INT(rsig_sigwait(awaited), RSIG_ERROR_HANDLER);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(pending(), awaited);
}

static void accept_there(void) {
    wait_to_be_refused();
    CHECK_INT(accepted_elsewhere(), SIGUSR1);
    CHECK_INT(pending(), 0);
}

static void accept_here(void) {
    wait_to_be_refused();
    CHECK_INT(accepted_elsewhere(), -1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(pending(), 0);
}

static void refused(void (*child)(void), void (*send)(void)) {
    start(child);
    to_wait(CHECK_SYS_SIGWAIT);
    send();
    CHECK(to_end_of_wait() > 0);
    send_to(step_tid, SIGUSR2);
    finish();
}

static void kill_process(void) { CHECK_SYS(kill(step_tid, SIGUSR1)); }
static void queue_to_process(void) { queue(SIGUSR1, 42); }
static void kill_thread(void) { send_to(step_tid, SIGUSR1); }

TEST(refused_and_accepted_elsewhere,
     "what was sent to the process, and goes back as a handler refuses, any thread may accept") {
    refused(accept_there, kill_process);
    refused(accept_there, queue_to_process);
}

TEST(refused_and_accepted_here, "what was sent to the main thread goes back to it alone") {
    refused(accept_here, kill_thread);
}

/* ---- the mask ---- */

static void raising_handler(int signum) {
    (void)signum;
    raise(SIGHUP);
}

static void *worker(void *unused) {
    sigset_t none;
    sigemptyset(&none);
    shared->worker_tid = check_gettid();
    for (;;) {
        sigsuspend(&none);
        shared->worker_handled++;
    }
    return unused;
}

static void wait_for_numbers(void) {
    rsig_sigset_t numbers = 0;
    struct sigaction action = {.sa_handler = raising_handler, .sa_flags = SA_NODEFER};
    sigset_t all;
    pthread_t thread;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) numbers |= RSIG_SIGSET(n);
    CHECK_INT(rsig_signal(SIGHUP, check_handler, &usr2, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
    CHECK_INT(pthread_create(&thread, NULL, worker, NULL), 0);
    while (shared->worker_tid == 0) sched_yield();
    check_await_syscall(shared->worker_tid, SYS_rt_sigsuspend);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, numbers | awaited, NULL), RSIG_OK);
    usr1.result = REFUSED;

    step_tell();
    CHECK_INT(rsig_sigwait(numbers), RSIG_ERROR_HANDLER);
    while (rsig_tripped()) CHECK(rsig_pump() >= 0);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(mask(), numbers | awaited);
    CHECK_INT(pending(), 0);
}

TEST(mask_stays,
     "a wait for the signal that rsig uses itself, whose end a plain handler interrupts in which "
     "one of rsig's lands: the program's mask stays") {
    check_needs_stub();
    start(wait_for_numbers);
    to_wait(CHECK_SYS_SIGWAIT);
    send_to(shared->worker_tid, SIGUSR1);
    while (!shared->worker_handled) sched_yield();
    CHECK(to_end_of_wait() > 0);
    send_to(step_tid, SIGUSR2);
    finish();
}
