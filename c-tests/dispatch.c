/* rsig_dispatch(): accepts blocked signals and runs their handlers, without a signal frame. */
#include "check.h"
#include <stdatomic.h>

static pthread_t main_thread;
static pid_t main_tid;
static struct check_calls usr1, usr2;

/* Blocks the signals in this thread, and so in those that it starts. */
static void block(rsig_sigset_t set) {
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
}

static const rsig_sigset_t both = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2);

static void start(void) {
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
}

static pthread_t spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

static double now(void) {
    struct timespec time;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static rsig_sigset_t pending(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    return set;
}

TEST(one_in_a_call, "accepts one signal in a call, and runs its handler") {
    start();
    block(both);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(rsig_dispatch(both, 0), 1);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(usr1.last_info.pid, getpid());
    CHECK_INT(usr1.last_info.uid, getuid());
    CHECK_INT(rsig_dispatch(both, 0), 0);
    CHECK_INT(pending(), 0);
}

TEST(only_of_the_set, "what is not in the set stays pending") {
    start();
    block(both);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR2), -1), 1);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR2), 0), 0);
    CHECK_INT(rsig_dispatch(0, 0.001), 0);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR1));
}

/* A low-level handler would run on this stack. */
static char signal_stack[65536];
static int notified, on_signal_stack, fds[2];

static void note_the_stack(int signum, void *arg) {
    char here;
    (void)signum, (void)arg;
    notified++;
    on_signal_stack = (size_t)&here - (size_t)signal_stack < sizeof signal_stack;
}

static int look_at_the_mask(int signum, const rsig_siginfo_t *info, void *arg) {
    rsig_sigset_t mask;
    (void)info;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &mask), RSIG_OK);
    CHECK_INT(mask, both);
    CHECK(signum == SIGUSR1);
    ++*(int *)arg;
    return 0;
}

TEST(no_signal_frame, "what is accepted is recorded like a delivery, outside signal context") {
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    char bytes[8];
    int calls = 0;
    CHECK_SYS(sigaltstack(&stack, NULL));
    start();
    CHECK_INT(rsig_signal(SIGUSR1, look_at_the_mask, &calls, NULL), RSIG_OK);
    CHECK_SYS(pipe2(fds, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(fds[1], 1, NULL), RSIG_OK);
    CHECK_INT(rsig_set_notify(note_the_stack, NULL), RSIG_OK);
    /* So that the check below is known to tell the difference. */
    raise(SIGUSR2);
    CHECK_INT(on_signal_stack, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(read(fds[0], bytes, sizeof bytes), 1);

    block(both);
    raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(calls, 1);
    CHECK_INT(notified, 2);
    CHECK_INT(on_signal_stack, 0);
    CHECK_INT(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_INT(bytes[0], SIGUSR1);
    rsig_sigset_t mask;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &mask), RSIG_OK);
    CHECK_INT(mask, both);
}

static int is_readable(int fd) {
    struct pollfd now = {.fd = fd, .events = POLLIN};
    return poll(&now, 1, 0);
}

static int see_nothing_left(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info;
    CHECK_INT(is_readable(rsig_fd()), 0);
    CHECK_INT(rsig_tripped(), 0);
    ++*(int *)arg;
    return 0;
}

TEST(descriptor, "rsig_fd() is not readable afterwards, nor in the handler") {
    int calls = 0;
    start();
    CHECK_INT(rsig_signal(SIGUSR1, see_nothing_left, &calls, NULL), RSIG_OK);
    CHECK(rsig_fd() >= 0);
    block(both);
    raise(SIGUSR1);
    CHECK_INT(is_readable(rsig_fd()), 0); /* blocked is not tripped */
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(calls, 1);
    CHECK_INT(is_readable(rsig_fd()), 0);
}

/* Each payload of each real-time signal. */

enum { PAYLOADS = 5 };

static void payloads_of(int signum) {
    struct check_calls calls = {0};
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
    block(RSIG_SIGSET(signum));
    for (int i = 1; i <= PAYLOADS; i++) {
        union sigval value = {.sival_int = 1000 * signum + i};
        CHECK_SYS(sigqueue(getpid(), signum, value));
    }
    for (int i = 1; i <= PAYLOADS; i++) {
        CHECK_INT(rsig_dispatch(RSIG_SIGSET(signum), -1), 1);
        CHECK_INT(calls.calls, i);
        CHECK_INT(calls.last_info.signo, signum);
        CHECK_INT(calls.last_info.count, 1);
        CHECK_INT(calls.last_info.code, SI_QUEUE);
        CHECK_INT(calls.last_info.value_int, 1000 * signum + i);
    }
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(signum), 0), 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(signum), NULL), RSIG_OK);
    CHECK_INT(rsig_signal(signum, RSIG_DFL, NULL, NULL), RSIG_OK);
}

TEST(payloads, "each of a real-time signal's payloads reaches the handler, in order") {
    start();
    for (int signum = SIGRTMIN; signum <= SIGRTMAX; signum++) payloads_of(signum);
}

TEST(payloads_in_reverse, "whatever signal comes first") {
    start();
    for (int signum = SIGRTMAX; signum >= SIGRTMIN; signum--) payloads_of(signum);
}

TEST(lowest_first, "the lowest pending signal comes first") {
    start();
    CHECK_INT(rsig_signal(SIGRTMIN, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMIN + 1, check_handler, &usr1, NULL), RSIG_OK);
    const rsig_sigset_t set = both | RSIG_SIGSET(SIGRTMIN) | RSIG_SIGSET(SIGRTMIN + 1);
    block(set);
    raise(SIGRTMIN + 1), raise(SIGRTMIN), raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    CHECK_INT(usr1.last_signum, SIGUSR1);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    CHECK_INT(usr1.last_signum, SIGRTMIN);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    CHECK_INT(usr1.last_signum, SIGRTMIN + 1);
}

TEST(without_a_handler, "signals without a handler stay pending") {
    start();
    const rsig_sigset_t set = both | RSIG_SIGSET(SIGTERM) | RSIG_SIGSET(SIGHUP);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL), RSIG_OK);
    block(set);
    raise(SIGTERM), raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(set, 0), 0);
    CHECK_INT(rsig_dispatch(~(rsig_sigset_t)0, 0.01), 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGTERM) | RSIG_SIGSET(SIGUSR1));
    raise(SIGUSR2);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(pending(), RSIG_SIGSET(SIGTERM) | RSIG_SIGSET(SIGUSR1));
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 0, NULL), SIGTERM);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR1), 0, NULL), SIGUSR1);
}

TEST(pending_handlers_first, "what was delivered already runs, and then nothing is accepted") {
    start();
    raise(SIGUSR1);
    block(both);
    raise(SIGUSR2);
    CHECK_INT(rsig_tripped(), 0); /* the change of the mask has run SIGUSR1's */
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(usr1.calls, 2);
    CHECK_INT(usr2.calls, 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR2));
}

/* Once the main thread sleeps: a signal to the process, to it, or on this thread. */
static void *send_to_process(void *signum) {
    check_await_syscall(main_tid, CHECK_SYS_SIGWAIT);
    CHECK_SYS(kill(getpid(), *(int *)signum));
    return NULL;
}

static void *send_to_main(void *signum) {
    check_await_syscall(main_tid, CHECK_SYS_SIGWAIT);
    CHECK_INT(pthread_kill(main_thread, *(int *)signum), 0);
    return NULL;
}

static void *send_here(void *signum) {
    sigset_t none;
    sigemptyset(&none);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
    check_await_syscall(main_tid, CHECK_SYS_SIGWAIT);
    raise(*(int *)signum);
    return NULL;
}

static void sent_later(void *(*sender)(void *), int signum, double timeout) {
    start();
    block(RSIG_SIGSET(SIGUSR1));
    for (int i = 1; i <= 3; i++) {
        pthread_t thread = spawn(sender, &signum);
        CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR1), timeout), 1);
        join(thread);
        CHECK_INT(usr1.calls + usr2.calls, i);
    }
    CHECK_INT(signum == SIGUSR1 ? usr1.calls : usr2.calls, 3);
}

TEST(sent_to_the_process, "a signal that comes later is accepted") {
    sent_later(send_to_process, SIGUSR1, -1);
}

TEST(sent_to_the_thread, "so is one that is sent to the thread, within a limit") {
    sent_later(send_to_main, SIGUSR1, 1e6);
}

TEST(unblocked_signal, "a handled signal outside the set ends it too") {
    sent_later(send_to_main, SIGUSR2, -1);
}

TEST(unblocked_signal_elsewhere, "so does one that lands on another thread") {
    sent_later(send_here, SIGUSR2, 1e300);
}

TEST(of_the_set_elsewhere, "so does one of the set that another thread has not blocked") {
    sent_later(send_here, SIGUSR1, -1);
}

TEST(restarting_handlers, "SA_RESTART does not restart it") {
    int signum = SIGUSR2;
    start();
    CHECK_INT(rsig_siginterrupt(SIGUSR2, 0), RSIG_OK);
    pthread_t thread = spawn(send_to_main, &signum);
    CHECK_INT(rsig_dispatch(0, -1), 1);
    join(thread);
}

TEST(time_over, "0 when the time is over, and not before") {
    start();
    block(both);
    double began = now();
    CHECK_INT(rsig_dispatch(both, 0.05), 0);
    CHECK(now() - began >= 0.05);
    CHECK_INT(rsig_dispatch(both, 5e-324), 0);
    CHECK_INT(rsig_dispatch(both, -0.0), 0);
}

static atomic_int foreign_calls;

static void count_foreign(int signum) { (void)signum, atomic_fetch_add(&foreign_calls, 1); }

TEST(time_left, "handlers that are not rsig's neither end it nor make it shorter") {
    struct sigaction action = {.sa_handler = count_foreign};
    start();
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.002, 0.002, NULL), RSIG_OK);
    double began = now();
    CHECK_INT(rsig_dispatch(both, 0.1), 0);
    CHECK(now() - began >= 0.1);
    CHECK(atomic_load(&foreign_calls) > 0);
}

TEST(displaced_handler, "a handler that sigaction() has displaced since still runs, and the other does not") {
    struct sigaction action = {.sa_handler = count_foreign};
    start();
    block(both);
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(pending(), 0);
    CHECK_INT(atomic_load(&foreign_calls), 0);
}

TEST(refusal, "a refusal is returned, and the rest stays pending") {
    int signum;
    start();
    usr1.result = 7;
    block(both);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_ERROR(rsig_dispatch(both, -1), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), 7);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR2));
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(usr2.calls, 1);
}

TEST(pending_refusal, "a pending handler that refuses ends it, and nothing is accepted") {
    start();
    usr2.result = 7;
    block(RSIG_SIGSET(SIGUSR1));
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_ERROR(rsig_dispatch(RSIG_SIGSET(SIGUSR1), -1), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR1));
}

static int dispatch_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(usr2.calls, 1);
    return 0;
}

TEST(inside_a_handler, "a handler may accept others") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, dispatch_inside, NULL, NULL), RSIG_OK);
    block(both);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(rsig_dispatch(both, 0), 0);
}

static void dispatch_as_a_child(void) {
    raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(both, -1), 1);
    CHECK_INT(usr1.last_info.pid, getpid());
}

TEST(after_fork, "it works in a forked child, where nothing of the parent's is pending") {
    start();
    block(both);
    raise(SIGUSR2);
    CHECK_CHILD_OK(check_child(dispatch_as_a_child));
    CHECK_INT(rsig_dispatch(both, 0), 1);
    CHECK_INT(usr1.calls, 0);
}

TEST(no_number, "NaN and an infinite timeout are errors, and nothing runs") {
    start();
    block(both);
    raise(SIGUSR1);
    CHECK_ERROR(rsig_dispatch(both, NAN), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_dispatch(both, INFINITY), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGUSR1));
}

static void *dispatch_elsewhere(void *arg) {
    CHECK_ERROR(rsig_dispatch(both, 0), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_dispatch(both, -1), RSIG_ERROR_THREAD, EPERM);
    return arg;
}

TEST(wrong_thread, "only the main thread may") {
    start();
    block(both);
    CHECK_SYS(kill(getpid(), SIGUSR1));
    join(spawn(dispatch_elsewhere, NULL));
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_dispatch(both, 0), 1);
}

TEST(before_init, "before rsig_init() and after rsig_fini() it is an error") {
    CHECK_ERROR(rsig_dispatch(both, 0), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_dispatch(both, -1), RSIG_ERROR_STATE, ENXIO);
}
