/* A handler that leaves a blocking call by longjmp(): all is then as after a refusal. */
#include "check.h"
#include <setjmp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

static jmp_buf out;
static volatile int jumping;
static int stayed; /* how often jump() did not jump */
static struct check_calls rest;
static pthread_t main_thread;
static pid_t main_tid;
static int fd, fds[2];
static char byte;

static int is_readable(void) {
    struct pollfd now = {.fd = fd, .events = POLLIN};
    return poll(&now, 1, 0);
}

static int jump(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    if (jumping) {
        jumping = 0;
        longjmp(out, 1);
    }
    stayed++;
    return 0;
}

/* SIGUSR1's handler leaves; SIGUSR2's is one that must not be lost with it. SIGHUP is blocked. */
static void start(void) {
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, jump, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &rest, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    fd = rsig_fd();
    CHECK(fd >= 0);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    jumping = 1;
}

static void *use_the_lock(void *arg) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == jump);
    return arg;
}

static void *interrupt_read(void *arg) {
    check_await_syscall(main_tid, SYS_read);
    raise(SIGUSR1); /* lands here, and is noticed there */
    while (*(const volatile int *)arg == 0) sched_yield();
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(fds[1], "x", 1), 1);
    return NULL;
}

/* Nothing is locked, the mask is as before, what is pending shows and runs, the next calls work. */
static void check_all_well(int pending) {
    pthread_t thread;
    rsig_sigset_t mask;
    sigset_t posix;
    CHECK_INT(jumping, 0);
    CHECK_INT(stayed, 0);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(rsig_tripped(), pending);
    CHECK_INT(is_readable(), pending);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &posix), 0);
    CHECK_INT(rsig_sigset_from_posix(&posix, &mask), RSIG_OK);
    CHECK_INT(mask, RSIG_SIGSET(SIGHUP));
    CHECK_INT(pthread_create(&thread, NULL, use_the_lock, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), pending);
    CHECK_INT(rest.deliveries, pending);
    CHECK_INT(is_readable(), 0);
    CHECK_INT(pthread_create(&thread, NULL, interrupt_read, &stayed), 0);
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(stayed, 1);
    CHECK_INT(rsig_wait(0.001), 0);
    CHECK_INT(rsig_sleep(0.001), 0);
    CHECK_INT(is_readable(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)(size_t)SIG_DFL);
}

static void *interrupt_main(void *number) {
    check_await_syscall(main_tid, *(long *)number);
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return NULL;
}

/* Runs `call`, which must not come to its end. */
#define JUMPS_OUT_OF(call)                                                                         \
    do {                                                                                           \
        if (!setjmp(out)) {                                                                        \
            call;                                                                                  \
            CHECK_FAIL("%s returned", #call);                                                      \
        }                                                                                          \
    } while (0)

/* Out of a call that sleeps in system call `number`, and out of one that finds signals pending. */
#define CASES(name, number, prepare, call)                                                         \
    TEST(out_of_##name, "longjmp() out of a call that sleeps") {                                   \
        static long asleep_in = number;                                                            \
        static pthread_t thread;                                                                   \
        start();                                                                                   \
        prepare;                                                                                   \
        CHECK_INT(pthread_create(&thread, NULL, interrupt_main, &asleep_in), 0);                   \
        JUMPS_OUT_OF(call);                                                                        \
        CHECK_INT(pthread_join(thread, NULL), 0);                                                  \
        check_all_well(0);                                                                         \
    }                                                                                              \
    TEST(out_of_##name##_pending, "longjmp() out of a call leaves pending what else is") {         \
        start();                                                                                   \
        prepare;                                                                                   \
        raise(SIGUSR1), raise(SIGUSR2);                                                            \
        JUMPS_OUT_OF(call);                                                                        \
        check_all_well(1);                                                                         \
    }

static char fifo[64];

static void make_fifo(void) {
    char folder[] = "rsig-longjmp.XXXXXX", path[sizeof folder + 5];
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    CHECK_SYS(mkfifo(path, 0600));
    int place = open(path, O_PATH | O_CLOEXEC);
    CHECK_SYS(place);
    CHECK_SYS(unlink(path));
    CHECK_SYS(rmdir(folder));
    snprintf(fifo, sizeof fifo, "/proc/self/fd/%d", place);
}

static int listener, client;
static struct sockaddr_storage address;
static socklen_t length = sizeof address;

static void listen_here(void) {
    /* Without a path. valgrind reads on after the end. */
    static const struct sockaddr_storage any = {.ss_family = AF_UNIX};
    CHECK_SYS(listener = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(bind(listener, (const struct sockaddr *)&any, sizeof any.ss_family));
    CHECK_SYS(listen(listener, 0));
    CHECK_SYS(getsockname(listener, (struct sockaddr *)&address, &length));
}

static void fill_backlog(void) {
    listen_here();
    CHECK_SYS(client = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(connect(client, (struct sockaddr *)&address, length));
    CHECK_SYS(client = socket(AF_UNIX, SOCK_STREAM, 0));
}

static int full[2];

static void fill(void) {
    static char some[4096];
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, full));
    CHECK_SYS(fcntl(full[1], F_SETFL, O_NONBLOCK));
    while (write(full[1], some, sizeof some) > 0) continue;
    while (write(full[1], some, 1) > 0) continue;
    CHECK_SYS(fcntl(full[1], F_SETFL, 0));
}

static pid_t child;

static void fork_child(void) {
    int forever[2];
    CHECK_SYS(pipe(forever));
    CHECK_SYS(child = fork());
    if (child > 0) return;
    close(forever[1]); /* then the parent's is the last one, and its end is the child's */
    _exit((int)read(forever[0], &byte, 1));
}

static struct pollfd one = {.events = POLLIN};

CASES(open, SYS_openat, make_fifo(), rsig_open(fifo, O_RDONLY, 0))
CASES(read, SYS_read, (void)0, rsig_read(fds[0], &byte, 1))
CASES(write, SYS_write, fill(), rsig_write(full[1], "x", 1))
CASES(accept, SYS_accept4, listen_here(), rsig_accept(listener, NULL, NULL))
CASES(connect, SYS_connect, fill_backlog(),
      rsig_connect(client, (struct sockaddr *)&address, length))
CASES(recv, SYS_recvfrom, (void)0, rsig_recv(fds[0], &byte, 1, 0))
CASES(send, SYS_sendto, fill(), rsig_send(full[1], "x", 1, 0))
CASES(waitpid, SYS_wait4, fork_child(), rsig_waitpid(child, NULL, 0))
CASES(poll, SYS_ppoll, one.fd = fds[0], rsig_poll(&one, 1, -1))
CASES(sleep, SYS_clock_nanosleep, (void)0, rsig_sleep(1e6))
CASES(wait, SYS_ppoll, (void)0, rsig_wait(-1))
CASES(pause, SYS_ppoll, (void)0, rsig_pause())
CASES(dispatch, CHECK_SYS_SIGWAIT, (void)0, rsig_dispatch(RSIG_SIGSET(SIGHUP), -1))
CASES(sigwait, CHECK_SYS_SIGWAIT, (void)0, rsig_sigwait(RSIG_SIGSET(SIGHUP)))
CASES(sigtimedwait, CHECK_SYS_SIGWAIT, (void)0, rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 1e6, NULL))

TEST(out_of_raise_signal, "longjmp() out of rsig_raise_signal() leaves pending what else is") {
    start();
    raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_raise_signal(SIGUSR1));
    check_all_well(1);
}

TEST(out_of_an_accepted_signal, "longjmp() out of the handler that rsig_dispatch() runs") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    raise(SIGUSR1);
    JUMPS_OUT_OF(rsig_dispatch(RSIG_SIGSET(SIGUSR1), -1));
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    check_all_well(0);
}

TEST(no_byte_lost, "longjmp() out of rsig_read() before it reads loses no byte") {
    start();
    CHECK_INT(write(fds[1], "y", 1), 1);
    raise(SIGUSR1);
    JUMPS_OUT_OF(rsig_read(fds[0], &byte, 1));
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    CHECK_INT(byte, 'y');
    check_all_well(0);
}

TEST(thousands_of_times, "longjmp() out of each of many reads loses no delivery") {
    static volatile int left; /* not a register, which longjmp() would put back */
    start();
    for (left = 10000; left > 0; left--) {
        jumping = 1;
        raise(SIGUSR1), raise(SIGUSR2);
        JUMPS_OUT_OF(rsig_read(fds[0], &byte, 1));
        CHECK_INT(is_readable(), 1);
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 10000);
    CHECK_INT(is_readable(), 0);
}

/* ---- by a handler that is not rsig's, at any moment ---- */

enum { MOMENTS = 3000 };
static sigjmp_buf away;

static void leave(int signum) {
    (void)signum;
    siglongjmp(away, 1);
}

static void leave_soon(int microseconds) {
    const struct itimerval soon = {.it_value.tv_usec = microseconds};
    if (sigsetjmp(away, 1) == 0) {
        CHECK_SYS(setitimer(ITIMER_REAL, &soon, NULL));
        rsig_read(fds[0], &byte, 1);
        CHECK_FAIL("nothing interrupted it");
    }
}

/* Another thread can have the lock, after each; and all is well in the end. */
static void leave_at_any_moment(void) {
    struct sigaction action = {.sa_handler = leave};
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    for (int i = 0; i < MOMENTS; i++) {
        pthread_t thread;
        leave_soon(1 + i % 40);
        use_the_lock(NULL);
        if (i % 100) continue;
        CHECK_INT(pthread_create(&thread, NULL, use_the_lock, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
    }
    CHECK_INT(rsig_pump(), 0);
}

TEST(left_at_any_moment, "a plain handler may leave by siglongjmp() at any moment: no lock stays") {
    start();
    leave_at_any_moment();
    jumping = 0;
    check_all_well(0);
}

static rsig_sigset_t real_time(void) {
    rsig_sigset_t set = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) set |= RSIG_SIGSET(n);
    return set;
}

TEST(left_at_any_moment_with_numbers_blocked, "the same where all real-time signals are blocked") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, real_time(), NULL), RSIG_OK);
    leave_at_any_moment();
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, real_time(), NULL), RSIG_OK);
    jumping = 0;
    check_all_well(0);
}

/* Then each call looks for a number anew. */
TEST(left_at_any_moment_without_numbers, "the same where the program has taken all of them") {
    struct sigaction action = {.sa_handler = leave};
    start();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK_SYS(sigaction(n, &action, NULL));
    leave_at_any_moment();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(signal(n, SIG_DFL) != SIG_ERR);
    jumping = 0;
    check_all_well(0);
}
