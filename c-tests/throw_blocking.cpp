/* A handler that leaves a blocking call by C++ exception: all is then as after a refusal. */
#include "check.h"
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>

static bool throwing;
static int stayed; /* how often throw_it() did not throw */
static check_calls rest;
static pthread_t main_thread;
static pid_t main_tid;
static int fd, fds[2];
static char byte;

static int is_readable() {
    pollfd now = {fd, POLLIN, 0};
    return poll(&now, 1, 0);
}

static int throw_it(int, const rsig_siginfo_t *, void *) {
    if (throwing) {
        throwing = false;
        throw std::runtime_error("thrown");
    }
    stayed++;
    return 0;
}

/* SIGUSR1's handler throws; SIGUSR2's is one that must not be lost with it. SIGHUP is blocked. */
static void start() {
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, throw_it, nullptr, nullptr), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &rest, nullptr), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), nullptr), RSIG_OK);
    fd = rsig_fd();
    CHECK(fd >= 0);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    throwing = true;
}

static void *use_the_lock(void *arg) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == throw_it);
    return arg;
}

static void *interrupt_read(void *arg) {
    check_await_syscall(main_tid, SYS_read);
    raise(SIGUSR1); /* lands here, and is noticed there */
    while (*static_cast<const volatile int *>(arg) == 0) sched_yield();
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(fds[1], "x", 1), 1);
    return nullptr;
}

/* Nothing is locked, the mask is as before, what is pending shows and runs, the next calls work. */
static void check_all_well(int pending) {
    pthread_t thread;
    rsig_sigset_t mask;
    sigset_t posix;
    CHECK(!throwing);
    CHECK_INT(stayed, 0);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(rsig_tripped(), pending);
    CHECK_INT(is_readable(), pending);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, nullptr, &posix), 0);
    CHECK_INT(rsig_sigset_from_posix(&posix, &mask), RSIG_OK);
    CHECK_INT(mask, RSIG_SIGSET(SIGHUP));
    CHECK_INT(pthread_create(&thread, nullptr, use_the_lock, nullptr), 0);
    CHECK_INT(pthread_join(thread, nullptr), 0);
    CHECK_INT(rsig_pump(), pending);
    CHECK_INT(rest.deliveries, pending);
    CHECK_INT(is_readable(), 0);
    CHECK_INT(pthread_create(&thread, nullptr, interrupt_read, &stayed), 0);
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    CHECK_INT(pthread_join(thread, nullptr), 0);
    CHECK_INT(stayed, 1);
    CHECK_INT(rsig_wait(0.001), 0);
    CHECK_INT(rsig_sleep(0.001), 0);
    CHECK_INT(is_readable(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

static void *interrupt_main(void *number) {
    check_await_syscall(main_tid, *static_cast<long *>(number));
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return nullptr;
}

/* Counts the destructors that the exception passes. */
struct Passed {
    int *count;
    ~Passed() { ++*count; }
};

template <typename Call> static void check_throws(Call call) {
    int passed = 0;
    try {
        Passed here = {&passed};
        long result = call();
        CHECK_FAIL("the call returned %ld", result);
    } catch (const std::runtime_error &error) {
        CHECK_STR(error.what(), "thrown");
    }
    CHECK_INT(passed, 1);
}

/* Out of a call that sleeps in system call `number`. */
template <typename Call> static void check_throws_asleep(long number, Call call) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, nullptr, interrupt_main, &number), 0);
    check_throws(call);
    CHECK_INT(pthread_join(thread, nullptr), 0);
    check_all_well(0);
}

/* Out of a call that finds something pending. */
template <typename Call> static void check_throws_pending(Call call) {
    raise(SIGUSR1), raise(SIGUSR2);
    check_throws(call);
    check_all_well(1);
}

#define CASES(name, number, prepare, call)                                                         \
    TEST(out_of_##name, "an exception out of a call that sleeps") {                                \
        start();                                                                                   \
        prepare;                                                                                   \
        check_throws_asleep(number, [] { return call; });                                          \
    }                                                                                              \
    TEST(out_of_##name##_pending, "an exception out of a call leaves pending what else is") {      \
        start();                                                                                   \
        prepare;                                                                                   \
        check_throws_pending([] { return call; });                                                 \
    }

static char fifo[64];

static void make_fifo() {
    char folder[] = "rsig-throwing.XXXXXX", path[sizeof folder + 5];
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
static sockaddr_storage address;
static socklen_t length = sizeof address;

static void listen_here() {
    /* Without a path. valgrind reads on after the end. */
    static const sockaddr_storage any = {AF_UNIX, {}, 0};
    CHECK_SYS(listener = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(bind(listener, reinterpret_cast<const sockaddr *>(&any), sizeof any.ss_family));
    CHECK_SYS(listen(listener, 0));
    CHECK_SYS(getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length));
}

static void fill_backlog() {
    listen_here();
    CHECK_SYS(client = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(connect(client, reinterpret_cast<sockaddr *>(&address), length));
    CHECK_SYS(client = socket(AF_UNIX, SOCK_STREAM, 0));
}

static int full[2];

static void fill() {
    static char some[4096];
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, full));
    CHECK_SYS(fcntl(full[1], F_SETFL, O_NONBLOCK));
    while (write(full[1], some, sizeof some) > 0) continue;
    while (write(full[1], some, 1) > 0) continue;
    CHECK_SYS(fcntl(full[1], F_SETFL, 0));
}

static pid_t child;

static void fork_child() {
    int forever[2];
    CHECK_SYS(pipe(forever));
    CHECK_SYS(child = fork());
    if (child > 0) return;
    close(forever[1]); /* then the parent's is the last one, and its end is the child's */
    _exit((int)read(forever[0], &byte, 1));
}

static pollfd one = {-1, POLLIN, 0};

CASES(open, SYS_openat, make_fifo(), rsig_open(fifo, O_RDONLY, 0))
CASES(read, SYS_read, (void)0, rsig_read(fds[0], &byte, 1))
CASES(write, SYS_write, fill(), rsig_write(full[1], "x", 1))
CASES(accept, SYS_accept4, listen_here(), rsig_accept(listener, nullptr, nullptr))
CASES(connect, SYS_connect, fill_backlog(),
      rsig_connect(client, reinterpret_cast<sockaddr *>(&address), length))
CASES(recv, SYS_recvfrom, (void)0, rsig_recv(fds[0], &byte, 1, 0))
CASES(send, SYS_sendto, fill(), rsig_send(full[1], "x", 1, 0))
CASES(waitpid, SYS_wait4, fork_child(), rsig_waitpid(child, nullptr, 0))
CASES(poll, SYS_ppoll, one.fd = fds[0], rsig_poll(&one, 1, -1))
CASES(sleep, SYS_clock_nanosleep, (void)0, rsig_sleep(1e6))
CASES(wait, SYS_ppoll, (void)0, rsig_wait(-1))
CASES(pause, SYS_ppoll, (void)0, rsig_pause())
CASES(dispatch, CHECK_SYS_SIGWAIT, (void)0, rsig_dispatch(RSIG_SIGSET(SIGHUP), -1))
CASES(sigwait, CHECK_SYS_SIGWAIT, (void)0, rsig_sigwait(RSIG_SIGSET(SIGHUP)))
CASES(sigtimedwait, CHECK_SYS_SIGWAIT, (void)0, rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 1e6, nullptr))

TEST(out_of_raise_signal, "an exception out of rsig_raise_signal() leaves pending what else is") {
    start();
    raise(SIGUSR2);
    check_throws([] { return rsig_raise_signal(SIGUSR1); });
    check_all_well(1);
}

TEST(out_of_an_accepted_signal, "an exception out of the handler that rsig_dispatch() runs") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), nullptr), RSIG_OK);
    raise(SIGUSR1);
    check_throws([] { return rsig_dispatch(RSIG_SIGSET(SIGUSR1), -1); });
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(SIGUSR1), nullptr), RSIG_OK);
    check_all_well(0);
}

TEST(no_byte_lost, "an exception out of rsig_read() before it reads loses no byte") {
    start();
    CHECK_INT(write(fds[1], "y", 1), 1);
    raise(SIGUSR1);
    check_throws([] { return rsig_read(fds[0], &byte, 1); });
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    CHECK_INT(byte, 'y');
    check_all_well(0);
}

TEST(thousands_of_times, "an exception out of each of many reads loses no delivery") {
    static volatile int left; /* not a register, which longjmp() would put back */
    start();
    for (left = 2000; left > 0; left--) {
        throwing = true;
        raise(SIGUSR1), raise(SIGUSR2);
        check_throws([] { return rsig_read(fds[0], &byte, 1); });
        CHECK_INT(is_readable(), 1);
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 2000);
    CHECK_INT(is_readable(), 0);
}
