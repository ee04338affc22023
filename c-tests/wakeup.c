/* rsig_set_wakeup_fd(): a byte for each delivery, and what is said when it cannot be written. */
#include "check.h"

#include <sys/socket.h>

/* What the warning hook has heard. */
static struct {
    int count;
    char last[256];
    pthread_t thread;
} warnings;

static void hear(const char *message, void *arg) {
    CHECK(arg == &warnings);
    warnings.count++;
    snprintf(warnings.last, sizeof warnings.last, "%s", message);
    warnings.thread = pthread_self();
}

static struct check_calls calls;

static void start_with(uint32_t flags) {
    CHECK_INT(rsig_init(flags), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, &warnings), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
}

static void start(void) { start_with(0); }

static void open_pipe(int ends[2]) { CHECK_SYS(pipe2(ends, O_NONBLOCK | O_CLOEXEC)); }

static void set_wakeup(int fd, int warn_on_full_buffer) {
    CHECK_INT(rsig_set_wakeup_fd(fd, warn_on_full_buffer, NULL), RSIG_OK);
}

/* The bytes that are there are these, and no others. */
static void check_bytes(int fd, const unsigned char *expected, int count) {
    unsigned char bytes[256];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && errno == EAGAIN) got = 0;
    CHECK_SYS(got);
    CHECK_INT(got, count);
    for (int i = 0; i < count; i++) CHECK_INT(bytes[i], expected[i]);
}

#define CHECK_BYTES(fd, ...)                                                                       \
    do {                                                                                           \
        unsigned char check_expected[] = {__VA_ARGS__};                                            \
        check_bytes((fd), check_expected, (int)sizeof check_expected);                             \
    } while (0)

#define CHECK_NO_BYTES(fd) check_bytes((fd), NULL, 0)

/* One warning more, heard on this thread, about this errno; in one line. */
static void check_warned(int count, const char *code) {
    CHECK_INT(warnings.count, count);
    CHECK(pthread_equal(warnings.thread, pthread_self()));
    if (!strstr(warnings.last, "wakeup fd") || !strstr(warnings.last, code))
        CHECK_FAIL("the warning is \"%s\", not about the wakeup fd and %s", warnings.last, code);
    CHECK(!strchr(warnings.last, '\n'));
}

/* Leaves no room for one byte; how many went in. */
static long long fill(int fd) {
    static const char zeros[4096];
    long long filled = 0;
    for (size_t size = sizeof zeros; size > 0;) {
        ssize_t written = write(fd, zeros, size);
        if (written > 0) {
            filled += written;
        } else {
            CHECK_INT(errno, EAGAIN);
            size /= 2;
        }
    }
    return filled;
}

static void drain(int fd) {
    char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0) continue;
    CHECK_INT(errno, EAGAIN);
}

static void *raise_on_thread(void *arg) {
    raise(*(int *)arg);
    return NULL;
}

static void deliver_on_another_thread(int signum) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, raise_on_thread, &signum), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(a_pipe_gets_the_numbers, "the bytes are the signals' numbers, in the order of delivery") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, NULL), RSIG_OK);
    raise(SIGUSR2);
    raise(SIGRTMAX);
    raise(SIGUSR1);
    raise(SIGUSR2);
    CHECK_BYTES(ends[0], SIGUSR2, SIGRTMAX, SIGUSR1, SIGUSR2);
}

TEST(a_socket_gets_the_numbers, "a socket serves as well as a pipe") {
    int ends[2];
    start();
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    set_wakeup(ends[1], 1);
    raise(SIGUSR2);
    raise(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR2, SIGUSR1);
    fill(ends[1]);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 2);
    check_warned(1, "EAGAIN");
}

TEST(a_byte_for_each_delivery, "deliveries that share one run of the handler write one byte each") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    for (int i = 0; i < 5; i++) raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 5);
    CHECK_BYTES(ends[0], SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1);
    CHECK_INT(rsig_pump(), 0);
    CHECK_NO_BYTES(ends[0]);
}

TEST(another_thread, "a signal that lands on another thread writes its byte too") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    deliver_on_another_thread(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
}

static void foreign_handler(int signum) { (void)signum; }

TEST(only_handlers_of_rsig, "signals without a handler of rsig's write nothing") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK(signal(SIGUSR2, foreign_handler) != SIG_ERR);
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGCHLD);
    raise(SIGPIPE);
    CHECK_NO_BYTES(ends[0]);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR1);
}

TEST(off, "-1 turns it off") {
    int ends[2], old;
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_INT(rsig_set_wakeup_fd(-1, 1, &old), RSIG_OK);
    CHECK_INT(old, ends[1]);
    raise(SIGUSR1);
    CHECK_NO_BYTES(ends[0]);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(warnings.count, 0);
}

TEST(old, "the descriptor before is told, -1 at first") {
    int first[2], second[2], before = 99;
    start();
    open_pipe(first);
    open_pipe(second);
    CHECK_INT(rsig_set_wakeup_fd(first[1], 1, &before), RSIG_OK);
    CHECK_INT(before, -1);
    CHECK_INT(rsig_set_wakeup_fd(second[1], 1, &before), RSIG_OK);
    CHECK_INT(before, first[1]);
    raise(SIGUSR1);
    CHECK_NO_BYTES(first[0]);
    CHECK_BYTES(second[0], SIGUSR1);
    CHECK_INT(rsig_set_wakeup_fd(-1, 1, &before), RSIG_OK);
    CHECK_INT(before, second[1]);
    CHECK_INT(rsig_set_wakeup_fd(-1, 1, &before), RSIG_OK);
    CHECK_INT(before, -1);
}

/* The call that was just made has failed: the pipe is the wakeup fd still. */
static void check_unchanged(const int ends[2], int told) {
    CHECK_INT(told, 99);
    raise(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR1);
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, &told), RSIG_OK);
    CHECK_INT(told, ends[1]);
}

TEST(blocking, "a descriptor that blocks is refused, and the old one stays") {
    int ends[2], blocking[2], before = 99;
    char number[32];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_SYS(pipe(blocking));
    CHECK_ERROR(rsig_set_wakeup_fd(blocking[1], 1, &before), RSIG_ERROR_VALUE, EINVAL);
    snprintf(number, sizeof number, " %d ", blocking[1]);
    CHECK(strstr(rsig_error_message(), number));
    CHECK(strstr(rsig_error_message(), "non-blocking"));
    check_unchanged(ends, before);
}

TEST(not_open, "a descriptor that is not open is EBADF, and the old one stays") {
    int ends[2], before = 99, closed = dup(STDERR_FILENO);
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_SYS(close(closed));
    const int bad[] = {closed, -2, -1000, (int)0x80000000, 0x7fffffff};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char number[32];
        CHECK_ERROR(rsig_set_wakeup_fd(bad[i], 1, &before), RSIG_ERROR_OS, EBADF);
        snprintf(number, sizeof number, " %d ", bad[i]);
        CHECK(strstr(rsig_error_message(), number));
        check_unchanged(ends, before);
    }
}

static void *set_on_thread(void *fd) {
    int before = 99;
    CHECK_ERROR(rsig_set_wakeup_fd(*(int *)fd, 1, &before), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_set_wakeup_fd(-1, 1, &before), RSIG_ERROR_THREAD, EPERM);
    CHECK_INT(before, 99);
    return NULL;
}

TEST(wrong_thread, "only the main thread may set it") {
    int ends[2], other[2];
    pthread_t thread;
    start();
    open_pipe(ends);
    open_pipe(other);
    set_wakeup(ends[1], 1);
    CHECK_INT(pthread_create(&thread, NULL, set_on_thread, &other[1]), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    check_unchanged(ends, 99);
}

TEST(without_init, "it cannot be set without rsig_init()") {
    CHECK_ERROR(rsig_set_wakeup_fd(-1, 1, NULL), RSIG_ERROR_STATE, ENXIO);
}

TEST(full, "a full pipe is told by the pump, once for all the bytes that were dropped") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    fill(ends[1]);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    raise(SIGUSR2);
    CHECK_INT(warnings.count, 0);
    CHECK_INT(rsig_pump(), 2);
    check_warned(1, "EAGAIN");
    CHECK_INT(calls.deliveries, 4);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(warnings.count, 1);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    check_warned(2, "EAGAIN");
}

TEST(full_silent, "a full pipe is not told without warn_on_full_buffer, and no delivery is lost") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    fill(ends[1]);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 3);
    CHECK_INT(warnings.count, 0);
}

TEST(warn_on_full_buffer_anew, "each rsig_set_wakeup_fd() says anew whether a full pipe is told") {
    int ends[2];
    start();
    open_pipe(ends);
    fill(ends[1]);
    for (int round = 1; round <= 2; round++) {
        set_wakeup(ends[1], 1);
        raise(SIGUSR1);
        CHECK_INT(rsig_pump(), 1);
        check_warned(round, "EAGAIN");
        set_wakeup(ends[1], 0);
        raise(SIGUSR1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(warnings.count, round);
    }
}

TEST(drained, "a full pipe that has been read gets bytes again") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    fill(ends[1]);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EAGAIN");
    drain(ends[0]);
    raise(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(warnings.count, 1);
}

TEST(closed, "a descriptor that was closed is told whatever warn_on_full_buffer says") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    raise(SIGUSR1);
    CHECK_INT(warnings.count, 0);
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EBADF");
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(warnings.count, 1);
    /* Turning it off is all that it takes. */
    set_wakeup(-1, 0);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(warnings.count, 1);
}

static void hear_and_end(const char *message, void *arg) {
    hear(message, arg);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(ended_by_the_hook, "where the hook calls rsig_fini(), none is set") {
    int broken[2], ends[2], old_fd = -2;
    start();
    CHECK_INT(rsig_set_warning_hook(hear_and_end, &warnings), RSIG_OK);
    open_pipe(broken), open_pipe(ends);
    set_wakeup(broken[1], 0);
    CHECK_SYS(close(broken[0]));
    raise(SIGUSR1);
    CHECK_ERROR(rsig_set_wakeup_fd(ends[1], 0, &old_fd), RSIG_ERROR_STATE, ENXIO);
    check_warned(1, "EPIPE");
    CHECK_INT(old_fd, -2);
    start();
    CHECK_INT(rsig_set_wakeup_fd(-1, 0, &old_fd), RSIG_OK);
    CHECK_INT(old_fd, -1);
}

TEST(another_thread_fails, "what goes wrong on another thread is told on the main thread") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    deliver_on_another_thread(SIGUSR1);
    CHECK_INT(warnings.count, 0);
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EBADF");
}

TEST(refusal_does_not_silence, "a failure is told also where the handler refuses") {
    int ends[2];
    start();
    calls.result = 7;
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    fill(ends[1]);
    raise(SIGUSR1);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    check_warned(1, "EAGAIN");
}

TEST(changed_before_the_pump,
     "a failure is told also where the descriptor is changed before the pump") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    raise(SIGUSR1);
    set_wakeup(-1, 0);
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EBADF");
}

TEST(default_hook, "without a hook the warning is one line on the standard error stream") {
    int ends[2], standard_error[2];
    char line[256] = "";
    start();
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    open_pipe(standard_error);
    int before = dup(STDERR_FILENO);
    CHECK_SYS(dup2(standard_error[1], STDERR_FILENO));
    raise(SIGUSR1);
    CHECK(read(standard_error[0], line, sizeof line) < 0 && errno == EAGAIN);
    int ran = rsig_pump();
    CHECK_SYS(dup2(before, STDERR_FILENO));
    CHECK_INT(ran, 1);
    CHECK_SYS(read(standard_error[0], line, sizeof line - 1));
    CHECK(strstr(line, "rsig") && strstr(line, "wakeup fd") && strstr(line, "EBADF"));
    CHECK(strchr(line, '\n') == line + strlen(line) - 1);
}

TEST(default_hook_without_reader,
     "a warning that nobody can read kills nobody, and leaves the mask alone") {
    int ends[2], standard_error[2];
    sigset_t mask;
    start_with(RSIG_INIT_NO_DEFAULTS);
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    open_pipe(standard_error);
    CHECK_SYS(close(standard_error[0]));
    raise(SIGUSR1);
    int before = dup(STDERR_FILENO);
    CHECK_SYS(dup2(standard_error[1], STDERR_FILENO));
    int ran = rsig_pump();
    CHECK_SYS(dup2(before, STDERR_FILENO));
    CHECK_INT(ran, 1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    for (int n = 1; n < NSIG; n++) CHECK(sigismember(&mask, n) != 1);
}

TEST(errno_stays, "a byte that cannot be written leaves the interrupted code's errno alone") {
    int ends[2];
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[1]));
    errno = ERANGE;
    raise(SIGUSR1);
    CHECK_INT(errno, ERANGE);
}

/* A pipe whose reader is gone is the wakeup fd. */
static void break_pipe(void) {
    int ends[2];
    open_pipe(ends);
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[0]));
}

static void check_broken(void) {
    CHECK_INT(warnings.count, 0);
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EPIPE");
}

static int is_pending(int signum) {
    sigset_t pending;
    CHECK_SYS(sigpending(&pending));
    return sigismember(&pending, signum);
}

static void change_mask(int how, int signum) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signum);
    CHECK_INT(pthread_sigmask(how, &set, NULL), 0);
}

TEST(broken_default,
     "a pipe without a reader is told, and no SIGPIPE kills where that is the default") {
    start_with(RSIG_INIT_NO_DEFAULTS);
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_DFL);
    break_pipe();
    raise(SIGUSR1);
    check_broken();
    deliver_on_another_thread(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    check_warned(2, "EPIPE");
}

TEST(broken_socket, "a socket without a peer is told, and no SIGPIPE is raised") {
    int ends[2];
    start_with(RSIG_INIT_NO_DEFAULTS);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    set_wakeup(ends[1], 0);
    CHECK_SYS(close(ends[0]));
    raise(SIGUSR1);
    check_broken();
}

TEST(broken_ignored, "where SIGPIPE is ignored, the write leaves none pending either") {
    start();
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_IGN);
    break_pipe();
    change_mask(SIG_BLOCK, SIGPIPE);
    raise(SIGUSR1);
    CHECK(!is_pending(SIGPIPE));
    check_broken();
}

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int signum) {
    (void)signum;
    sigpipes++;
}

TEST(broken_with_foreign_handler, "somebody's handler of SIGPIPE hears nothing of the write") {
    start();
    CHECK(signal(SIGPIPE, count_sigpipe) != SIG_ERR);
    break_pipe();
    raise(SIGUSR1);
    CHECK_INT(sigpipes, 0);
    check_broken();
    /* It works as before. */
    raise(SIGPIPE);
    CHECK_INT(sigpipes, 1);
}

TEST(broken_with_own_handler,
     "a handler of SIGPIPE runs for those that were sent, not for the write") {
    struct check_calls pipe_calls = {0};
    start();
    CHECK_INT(rsig_signal(SIGPIPE, check_handler, &pipe_calls, NULL), RSIG_OK);
    break_pipe();
    raise(SIGUSR1);
    check_broken();
    CHECK_INT(pipe_calls.calls, 0);
    raise(SIGPIPE);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(pipe_calls.deliveries, 1);
}

TEST(broken_while_blocked, "where SIGPIPE is blocked, the write leaves none pending") {
    start();
    CHECK(signal(SIGPIPE, count_sigpipe) != SIG_ERR);
    break_pipe();
    change_mask(SIG_BLOCK, SIGPIPE);
    raise(SIGUSR1);
    CHECK(!is_pending(SIGPIPE));
    change_mask(SIG_UNBLOCK, SIGPIPE);
    CHECK_INT(sigpipes, 0);
    check_broken();
}

TEST(broken_while_pending_for_thread,
     "a SIGPIPE that was pending for the thread before arrives, once") {
    start();
    CHECK(signal(SIGPIPE, count_sigpipe) != SIG_ERR);
    break_pipe();
    change_mask(SIG_BLOCK, SIGPIPE);
    raise(SIGPIPE);
    raise(SIGUSR1);
    CHECK(is_pending(SIGPIPE));
    CHECK_INT(sigpipes, 0);
    change_mask(SIG_UNBLOCK, SIGPIPE);
    CHECK_INT(sigpipes, 1);
    check_broken();
}

TEST(broken_while_pending_for_process,
     "a SIGPIPE that was pending for the process before arrives, once") {
    start();
    CHECK(signal(SIGPIPE, count_sigpipe) != SIG_ERR);
    break_pipe();
    change_mask(SIG_BLOCK, SIGPIPE);
    CHECK_SYS(kill(getpid(), SIGPIPE));
    raise(SIGUSR1);
    CHECK(is_pending(SIGPIPE));
    CHECK_INT(sigpipes, 0);
    change_mask(SIG_UNBLOCK, SIGPIPE);
    CHECK_INT(sigpipes, 1);
    check_broken();
}

TEST(off_after_fini, "rsig_fini() forgets it") {
    int ends[2], before = 99;
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    start();
    raise(SIGUSR1);
    CHECK_NO_BYTES(ends[0]);
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, &before), RSIG_OK);
    CHECK_INT(before, -1);
    raise(SIGUSR1);
    CHECK_BYTES(ends[0], SIGUSR1);
}

/* Stays in its handler's write: the pipe is full, and blocks by now. */
static void *deliver_blocked(void *tid) {
    __atomic_store_n((pid_t *)tid, check_gettid(), __ATOMIC_SEQ_CST);
    raise(SIGUSR1);
    return NULL;
}

/* A delivery on another thread that cannot write its byte yet; how many bytes are in its way. */
static long long hold_write(int ends[2], pthread_t *thread) {
    static pid_t tid;
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    long long filled = fill(ends[1]);
    CHECK_SYS(fcntl(ends[1], F_SETFL, 0));
    CHECK_INT(pthread_create(thread, NULL, deliver_blocked, &tid), 0);
    while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST) == 0) sched_yield();
    check_await_syscall(tid, SYS_write);
    return filled;
}

TEST(record_before_byte, "the handler can run before the byte can be read") {
    int ends[2];
    pthread_t thread;
    start();
    long long filled = hold_write(ends, &thread);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 1);
    for (; filled > 0; filled--) CHECK_INT(read(ends[0], &(char){0}, 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_BYTES(ends[0], SIGUSR1);
    CHECK_INT(warnings.count, 0);
}

TEST(failure_after_the_handler_ran,
     "a write that fails after its handler has run is told by the next pump") {
    int ends[2];
    pthread_t thread;
    start();
    hold_write(ends, &thread);
    CHECK_INT(rsig_pump(), 1);
    CHECK_SYS(close(ends[0]));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(warnings.count, 0);
    CHECK_INT(rsig_pump(), 0);
    check_warned(1, "EPIPE");
}

enum { MANY = 20000 };

static void *deliver_many(void *unused) {
    for (int i = 0; i < MANY; i++) raise(SIGUSR1);
    return unused;
}

TEST(poll_loop, "a loop that polls, reads a byte and pumps misses nothing") {
    int ends[2];
    pthread_t thread;
    start();
    open_pipe(ends);
    set_wakeup(ends[1], 1);
    CHECK_INT(pthread_create(&thread, NULL, deliver_many, NULL), 0);
    for (int bytes = 1; bytes <= MANY; bytes++) {
        struct pollfd readable = {.fd = ends[0], .events = POLLIN};
        unsigned char byte;
        CHECK_INT(poll(&readable, 1, -1), 1);
        CHECK_INT(read(ends[0], &byte, 1), 1);
        CHECK_INT(byte, SIGUSR1);
        CHECK(rsig_pump() >= 0);
        if (calls.deliveries < bytes)
            CHECK_FAIL("%d bytes, but %lld deliveries", bytes, calls.deliveries);
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(calls.deliveries, MANY);
    CHECK_NO_BYTES(ends[0]);
    CHECK_INT(warnings.count, 0);
}

static int forked_ends[2];

static void deliver_in_child(void) {
    raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
}

TEST(forked_child, "a forked child writes to the same pipe") {
    start();
    open_pipe(forked_ends);
    set_wakeup(forked_ends[1], 1);
    CHECK_CHILD_OK(check_child(deliver_in_child));
    CHECK_BYTES(forked_ends[0], SIGUSR2);
}

static void deliver_in_child_after_drain(void) {
    drain(forked_ends[0]);
    raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(warnings.count, 0);
}

TEST(forked_child_fails_anew,
     "what went wrong in the parent is told there alone, not by a forked child") {
    start();
    open_pipe(forked_ends);
    set_wakeup(forked_ends[1], 1);
    fill(forked_ends[1]);
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(deliver_in_child_after_drain));
    CHECK_INT(rsig_pump(), 1);
    check_warned(1, "EAGAIN");
}
