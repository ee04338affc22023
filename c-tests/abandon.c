/* A plain handler that leaves by siglongjmp() what it interrupted, be it rsig's own handler. */
#include "check.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

static sigjmp_buf out;
/* Whether the main thread is where SIGALRM may throw it out of. */
static volatile sig_atomic_t may_jump;
static int jumps;
static struct sigaction rsigs;

/* What the main thread receives: SIGUSR1 and the real-time signals. */
static int signals[NSIG], signal_count;

/* SIGALRM comes from here, when about half of the signals have been recorded. */
static timer_t timer;
static long delay = 1000;
static volatile sig_atomic_t recorded; /* how many there have been, for this SIGALRM */

static void set_timer(void) {
    delay += recorded < signal_count / 2 ? 20 : -20;
    if (delay < 1) delay = 1;
    recorded = 0;
    struct itimerspec time = {{0, 0}, {0, delay}};
    if (timer_settime(timer, 0, &time, NULL)) _exit(1);
}

/*
 * Stands before rsig's low-level handler, and has that run for one signal after the other until
 * SIGALRM ends it: so it is very likely rsig's handler that is left, anywhere in it.
 */
static void chain(int signum, siginfo_t *info, void *context) {
    if (!may_jump) {
        rsigs.sa_sigaction(signum, info, context);
        return;
    }
    set_timer();
    for (;; recorded++) rsigs.sa_sigaction(signals[recorded % signal_count], info, context);
}

static void jump(int signum) {
    (void)signum;
    if (!may_jump) return;
    may_jump = 0;
    jumps++;
    siglongjmp(out, 1);
}

static void install_jump(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = jump;
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
}

static void install_chain(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = chain;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(signum, &action, &rsigs));
}

static atomic_int enough;

static void *raise_usr2(void *arg) {
    (void)arg;
    while (!atomic_load(&enough)) raise(SIGUSR2);
    return NULL;
}

enum { JUMPS = 10000 };

static struct check_calls calls[NSIG];

static void use(int signum) {
    CHECK_INT(rsig_signal(signum, check_handler, &calls[signum], NULL), RSIG_OK);
}

static void use_all(void) {
    signals[signal_count++] = SIGUSR1;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) signals[signal_count++] = n;
    for (int i = 0; i < signal_count; i++) use(signals[i]);
    use(SIGUSR2);
}

/* Leaves rsig's handler thousands of times, while another thread receives signals. */
static void abandon_thousands(void) {
    pthread_t other;
    sigset_t alarm;
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGALRM;
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    use_all();
    install_jump();
    install_chain(SIGUSR1);
    /* Blocked in the other thread from its start: it must not jump onto this one's stack. */
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &alarm, NULL), 0);
    CHECK_INT(pthread_create(&other, NULL, raise_usr2, NULL), 0);
    CHECK_INT(pthread_sigmask(SIG_UNBLOCK, &alarm, NULL), 0);
    if (sigsetjmp(out, 1)) CHECK(rsig_pump() >= 0);
    if (jumps < JUMPS || !calls[SIGUSR2].calls) {
        may_jump = 1;
        raise(SIGUSR1);
        CHECK_FAIL("raise() returned");
    }
    atomic_store(&enough, 1);
    CHECK_INT(pthread_join(other, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK(calls[SIGUSR1].calls > 0);
}

static void *raise_when_asleep(void *arg) {
    check_await_syscall(*(pid_t *)arg, SYS_ppoll);
    raise(SIGUSR1);
    return NULL;
}

/* Nothing has come of it: each delivery is recorded and handled, waits end, nothing is blocked. */
static void check_all_well(void) {
    pid_t tid = check_gettid();
    pthread_t thread;
    sigset_t mask;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK(sigisemptyset(&mask));
    /* A delivery that was left half recorded may come with the first one after it. */
    for (int i = 0; i < signal_count; i++) raise(signals[i]);
    CHECK_INT(rsig_pump(), signal_count);
    for (int i = 0; i < signal_count; i++) {
        struct check_calls *received = &calls[signals[i]];
        memset(received, 0, sizeof *received);
        for (int n = 0; n < 100; n++) raise(signals[i]);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(received->deliveries, 100);
        CHECK_INT(received->last_info.signo, signals[i]);
    }
    CHECK_INT(pthread_create(&thread, NULL, raise_when_asleep, &tid), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(calls[SIGUSR1].deliveries, 101);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)SIG_DFL);
}

TEST(in_the_handler, "siglongjmp() out of rsig's handler: signals are still recorded and handled") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    abandon_thousands();
    check_all_well();
}

static void be_silent(const char *message, void *arg) { (void)message, (void)arg; }

TEST(in_the_handler_with_wakeup_fd, "the same while it writes to a broken wakeup fd") {
    int ends[2];
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    CHECK_SYS(close(ends[0]));
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 0, NULL), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(be_silent, NULL), RSIG_OK);
    abandon_thousands();
    CHECK_INT(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_OK);
    check_all_well();
}

struct thread {
    pthread_t thread;
    pid_t tid;
};

static void *alarm_when_asleep(void *arg) {
    struct thread *main = (struct thread *)arg;
    check_await_syscall(main->tid, SYS_ppoll);
    CHECK_INT(pthread_kill(main->thread, SIGALRM), 0);
    return NULL;
}

/* Leaves a wait of rsig's that is asleep: the old way to give it a time limit. */
static void abandon_pause(void) {
    static pthread_t other;
    struct thread self = {pthread_self(), check_gettid()};
    install_jump();
    may_jump = 1;
    if (!sigsetjmp(out, 1)) {
        CHECK_INT(pthread_create(&other, NULL, alarm_when_asleep, &self), 0);
        rsig_pause();
        CHECK_FAIL("rsig_pause() returned");
    }
    CHECK_INT(pthread_join(other, NULL), 0);
}

TEST(in_pause, "siglongjmp() out of rsig_pause(): signals are still recorded and handled") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    abandon_pause();
    use_all();
    check_all_well();
}

TEST(in_pause_before_fini,
     "after that and rsig_fini() no delivery writes to a descriptor that is not rsig's") {
    int fds[16];
    uint64_t count;
    CHECK_INT(rsig_init(0), RSIG_OK);
    abandon_pause();
    CHECK_INT(rsig_fini(), RSIG_OK);
    /* These get the numbers that rsig has given up. */
    for (int i = 0; i < 16; i++) CHECK_SYS(fds[i] = eventfd(0, EFD_NONBLOCK));
    CHECK_INT(rsig_init(0), RSIG_OK);
    use(SIGUSR1);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    for (int i = 0; i < 16; i++) CHECK_INT(read(fds[i], &count, sizeof count), -1);
}
