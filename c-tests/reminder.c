/*
 * Beside handlers that make themselves pending again, a call begins although something is tripped,
 * and a timer reminds rsig of that. Without one it does not begin; and it reminds no other call.
 */
#include "check.h"
#include <setjmp.h>
#include <sys/resource.h>

enum { REFUSED = 7 };

static struct check_calls refusing_calls = {.result = REFUSED};
static pid_t main_tid;
static int pipe_fds[2];
static int is_enough;

static int raises_itself(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    if (!is_enough) raise(signum);
    return 0;
}

static void start(rsig_handler_t handler) {
    main_tid = check_gettid();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &refusing_calls, NULL), RSIG_OK);
}

/* ---- where no timer can be made ---- */

static int raises_itself_and_at_last_another(int signum, const rsig_siginfo_t *info, void *arg) {
    static int times;
    if (++times == 20) raise(SIGTERM);
    return raises_itself(signum, info, arg);
}

static void *must_not_sleep(void *number) {
    check_await_syscall(main_tid, *(const long *)number);
    CHECK_FAIL("it sleeps although something is tripped");
    return NULL;
}

static void refused_without_a_timer(void (*prepare)(void), long number, long (*call)(void)) {
    pthread_t thread;
    int signum;
    start(raises_itself_and_at_last_another);
    prepare();
    CHECK_INT(pthread_create(&thread, NULL, must_not_sleep, &number), 0);
    raise(SIGUSR1);
    errno = 0;
    CHECK_INT(call(), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(rsig_raised(&signum), REFUSED);
    CHECK_INT(signum, SIGTERM);
    _exit(0); /* with the thread */
}

static void fill_queue(void) {
    const struct rlimit none = {0, 0};
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &none));
    CHECK_INT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), -1);
    CHECK_INT(errno, EAGAIN);
}

static void plain_handler(int signum) { (void)signum; }

static void take_numbers(void) {
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(signal(n, plain_handler) != SIG_ERR);
}

static long read_byte(void) {
    char byte;
    return rsig_read(pipe_fds[0], &byte, 1);
}

static long poll_pipe(void) {
    struct pollfd fd = {.fd = pipe_fds[0], .events = POLLIN};
    return rsig_poll(&fd, 1, -1);
}

static long sleep_long(void) { return rsig_sleep(1e6); }

#define WITHOUT_A_TIMER(name, number, call)                                                        \
    TEST(name##_with_a_full_queue,                                                                 \
         "where the kernel's queue of signals is full, no call sleeps beside what is tripped") {   \
        refused_without_a_timer(fill_queue, number, call);                                         \
    }                                                                                              \
    TEST(name##_without_numbers,                                                                   \
         "nor where the program has taken all real-time signals for itself") {                     \
        refused_without_a_timer(take_numbers, number, call);                                       \
    }

WITHOUT_A_TIMER(read, SYS_read, read_byte)
WITHOUT_A_TIMER(poll, SYS_ppoll, poll_pipe)
WITHOUT_A_TIMER(sleep, SYS_clock_nanosleep, sleep_long)

/* ---- where a plain handler leaves the call by siglongjmp() ---- */

static sigjmp_buf away;

static void leave(int signum) {
    (void)signum;
    siglongjmp(away, 1);
}

/* The system call itself makes SIGPIPE leave it, long before the reminder would come. */
static void leave_a_call(void) {
    struct sigaction action = {.sa_handler = leave};
    int broken[2];
    CHECK_SYS(pipe(broken));
    CHECK_SYS(close(broken[0]));
    CHECK_SYS(sigaction(SIGPIPE, &action, NULL));
    is_enough = 0;
    if (sigsetjmp(away, 1) == 0) {
        raise(SIGUSR1);
        rsig_write(broken[1], "x", 1);
        CHECK_FAIL("nothing interrupted it");
    }
    is_enough = 1;
    CHECK_SYS(close(broken[1]));
}

/* For longer than it would take the reminder. Nothing stays blocked. */
static void sleep_undisturbed(void) {
    const struct timespec longer = {.tv_nsec = 20000000};
    rsig_sigset_t mask;
    while (rsig_tripped()) CHECK(rsig_pump() >= 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &mask), RSIG_OK);
    CHECK_INT(mask, 0);
    CHECK_INT(rsig_syscall(SYS_nanosleep, (long)&longer, 0, 0, 0, 0, 0), 0);
}

TEST(left, "a reminder does not outlive its call, and interrupts no other") {
    start(raises_itself);
    for (int i = 0; i < 20; i++) {
        leave_a_call();
        sleep_undisturbed();
    }
}

/* It comes meanwhile, and can end a plain sleep, as any handled signal can. */
static void sleep_plainly(void) {
    struct timespec left = {.tv_nsec = 5000000};
    while (nanosleep(&left, &left) < 0) CHECK_INT(errno, EINTR);
}

TEST(left_and_reminded, "nor does one that comes before the next pump") {
    start(raises_itself);
    for (int i = 0; i < 20; i++) {
        leave_a_call();
        sleep_plainly();
        sleep_undisturbed();
    }
}

/* ---- after fork ---- */

static void init_and_be_reminded(void) {
    is_enough = 0;
    start(raises_itself);
    leave_a_call();
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static int has_default_action(int signum) {
    struct sigaction action;
    CHECK_SYS(sigaction(signum, NULL, &action));
    return action.sa_handler == SIG_DFL;
}

TEST(fini_in_a_child, "a child that was reminded, too, gives the number back") {
    int status;
    init_and_be_reminded();
    const pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        init_and_be_reminded();
        for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(has_default_action(n));
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_CHILD_OK(status);
}
