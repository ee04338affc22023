/* rsig_open() to rsig_sleep(): the system's results and errors; signals do not end them. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static pthread_t main_thread;
static pid_t main_tid;
static atomic_int ran;       /* how often SIGUSR1's handler did */
static atomic_int refusal;   /* what it returns */
static void (*inside)(void); /* what it does, where it is set */

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK(pthread_equal(pthread_self(), main_thread));
    if (inside) inside();
    atomic_fetch_add(&ran, 1);
    return refusal;
}

static void note_main_thread(void) {
    main_thread = pthread_self();
    main_tid = check_gettid();
}

static void start(void) {
    note_main_thread();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, handler, NULL, NULL), RSIG_OK);
}

static pthread_t spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

static void *become_main(void *arg) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    return arg;
}

static void check_refused(long result, int error) {
    int signum;
    CHECK_INT(result, -1);
    CHECK_INT(error, EINTR);
    CHECK_INT(rsig_raised(&signum), refusal);
    CHECK_INT(signum, SIGUSR1);
}

/* A call that blocks until `finish`. `run` makes it: 0 and all is well, or -1 and errno. */
struct call {
    long number;
    void (*prepare)(void);
    long (*run)(void);
    void (*finish)(void);
};

static int fds[2]; /* what most of the calls work on */
static char byte;

static void set_flags(int fd, int flags) { CHECK_SYS(fcntl(fd, F_SETFL, flags)); }

static void open_pipe(void) { CHECK_SYS(pipe(fds)); }

static void open_pair(void) { CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds)); }

static long filled;         /* how many bytes were put there, */
static atomic_long drained; /* and how many have been read, on whichever thread */

static void fill(void) {
    static char some[4096];
    set_flags(fds[1], O_NONBLOCK);
    for (ssize_t n; (n = write(fds[1], some, sizeof some)) > 0;) filled += n;
    while (write(fds[1], some, 1) > 0) filled++;
    CHECK_INT(errno, EAGAIN);
    set_flags(fds[1], 0);
}

static void fill_pipe(void) { open_pipe(), fill(); }

static void fill_pair(void) { open_pair(), fill(); }

/* Reads all that is there now. */
static void drain(void) {
    char some[4096];
    set_flags(fds[0], O_NONBLOCK);
    for (ssize_t n; (n = read(fds[0], some, sizeof some)) > 0;) atomic_fetch_add(&drained, n);
    CHECK_INT(errno, EAGAIN);
}

/* All of `more` bytes arrive, once, where another thread may be draining too. */
static void check_arrives(long more) {
    filled += more;
    while (atomic_load(&drained) < filled) drain();
    CHECK_INT(drained, filled);
}

static void finish_write(void) { CHECK_INT(write(fds[1], "x", 1), 1); }

static char fifo[32];

/* A FIFO without a name to remove. */
static void make_fifo(void) {
    char folder[] = "rsig-blocking.XXXXXX", path[sizeof folder + 5];
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    CHECK_SYS(mkfifo(path, 0600));
    int fd = open(path, O_PATH | O_CLOEXEC);
    CHECK_SYS(fd);
    CHECK_SYS(unlink(path));
    CHECK_SYS(rmdir(folder));
    snprintf(fifo, sizeof fifo, "/proc/self/fd/%d", fd);
}

static long run_open(void) {
    int fd = rsig_open(fifo, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return fd;
    CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
    return 0;
}

static void finish_open(void) { CHECK_SYS(open(fifo, O_RDWR)); }

static long run_read(void) {
    byte = 0;
    long result = rsig_read(fds[0], &byte, 1);
    if (result == 1) CHECK_INT(byte, 'x');
    return result - (result > 0);
}

static long run_recv(void) {
    byte = 0;
    long result = rsig_recv(fds[0], &byte, 1, MSG_PEEK);
    if (result < 0) return result;
    CHECK_INT(result, 1);
    CHECK_INT(byte, 'x');
    CHECK_INT(rsig_recv(fds[0], &byte, 1, 0), 1); /* it was only looked at */
    return 0;
}

static long run_write(void) {
    long result = rsig_write(fds[1], "abc", 3);
    if (result < 0) return result;
    CHECK_INT(result, 3);
    check_arrives(3);
    return 0;
}

static long run_send(void) {
    long result = rsig_send(fds[1], "abc", 3, MSG_NOSIGNAL);
    if (result < 0) return result;
    CHECK_INT(result, 3);
    check_arrives(3);
    return 0;
}

static int listener;
static struct sockaddr_storage name;
static socklen_t name_length;

static void listen_on(int family, const void *address, socklen_t length) {
    name_length = sizeof name;
    CHECK_SYS(listener = socket(family, SOCK_STREAM, 0));
    CHECK_SYS(bind(listener, (const struct sockaddr *)address, length));
    CHECK_SYS(listen(listener, 0));
    CHECK_SYS(getsockname(listener, (struct sockaddr *)&name, &name_length));
}

static void listen_unix(void) {
    /* Without a path: the kernel makes up a name. valgrind reads on after the end. */
    static const struct sockaddr_storage any = {.ss_family = AF_UNIX};
    listen_on(AF_UNIX, &any, sizeof any.ss_family);
}

static void listen_tcp(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    listen_on(AF_INET, &any, sizeof any);
}

static int new_socket(void) {
    int fd = socket(name.ss_family, SOCK_STREAM, 0);
    CHECK_SYS(fd);
    return fd;
}

static int plain_connect(int fd) { return connect(fd, (struct sockaddr *)&name, name_length); }

static int race_free_connect(int fd) {
    return rsig_connect(fd, (struct sockaddr *)&name, name_length);
}

/* A backlog of 0 holds one. */
static void fill_backlog(void) {
    CHECK_INT(plain_connect(new_socket()), 0);
    fds[0] = new_socket();
}

static void prepare_connect(void) { listen_unix(), fill_backlog(); }

static long run_connect(void) {
    int result = race_free_connect(fds[0]);
    if (result < 0) return result;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    CHECK_INT(getpeername(fds[0], (struct sockaddr *)&peer, &length), 0);
    return result;
}

static void finish_connect(void) { CHECK_SYS(accept(listener, NULL, NULL)); }

static long run_accept(void) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int fd = rsig_accept(listener, (struct sockaddr *)&peer, &length);
    if (fd < 0) return fd;
    CHECK_INT(length, sizeof(sa_family_t));
    CHECK_INT(peer.ss_family, AF_UNIX);
    CHECK_INT(read(fd, &byte, 1), 0);
    return 0;
}

static void finish_accept(void) {
    int fd = new_socket();
    CHECK_INT(plain_connect(fd), 0);
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
}

static pid_t child;

static void fork_child(void) {
    open_pipe();
    CHECK_SYS(child = fork());
    if (child > 0) return;
    close(fds[1]); /* so that it ends with its parent */
    _exit(read(fds[0], &byte, 1) == 1 ? 7 : 1);
}

static long run_waitpid(void) {
    int status;
    pid_t result = rsig_waitpid(child, &status, 0);
    if (result < 0) return result;
    CHECK_INT(result, child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}

static long run_poll(void) {
    struct pollfd fd = {.fd = fds[0], .events = POLLIN};
    int result = rsig_poll(&fd, 1, -1);
    if (result < 0) return result;
    CHECK_INT(result, 1);
    CHECK_INT(fd.revents, POLLIN);
    return 0;
}

static long run_poll_timed(void) {
    struct pollfd fd = {.fd = fds[0], .events = POLLIN};
    int result = rsig_poll(&fd, 1, 1e9);
    return result == 1 ? 0 : result;
}

/* Once the main thread sleeps in the call: SIGUSR1 to `target`, some times; then it finishes. */
struct plan {
    const struct call *call;
    int signals;
    int on_this_thread; /* where they land: here; or on the main thread */
    int finish;
};

static void *carry_out(void *arg) {
    const struct plan *plan = (const struct plan *)arg;
    pthread_t target = plan->on_this_thread ? pthread_self() : main_thread;
    for (int i = 0; i < plan->signals; i++) {
        check_await_syscall(main_tid, plan->call->number);
        CHECK_INT(pthread_kill(target, SIGUSR1), 0);
        while (atomic_load(&ran) <= i) sched_yield();
    }
    if (plan->finish) {
        check_await_syscall(main_tid, plan->call->number);
        plan->call->finish();
    }
    return NULL;
}

static void go_on(const struct call *call, int on_a_worker) {
    struct plan plan = {call, 3, on_a_worker, 1};
    call->prepare();
    pthread_t thread = spawn(carry_out, &plan);
    CHECK_INT(call->run(), 0);
    join(thread);
    CHECK_INT(ran, 3);
    CHECK_INT(rsig_tripped(), 0);
}

static void goes_on(const struct call *call) { start(), go_on(call, 0); }

static void goes_on_restarting(const struct call *call) {
    check_needs_stub();
    start();
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    go_on(call, 0);
}

static void goes_on_elsewhere(const struct call *call) { start(), go_on(call, 1); }

static void is_refused(const struct call *call) {
    struct plan plan = {call, 1, 0, 0};
    start();
    refusal = 7;
    call->prepare();
    pthread_t thread = spawn(carry_out, &plan);
    errno = 0;
    long result = call->run();
    check_refused(result, errno);
    join(thread);
    CHECK_INT(ran, 1);
    call->finish();
    CHECK_INT(call->run(), 0);
}

static void runs_pending_first(const struct call *call) {
    start();
    call->prepare();
    inside = call->finish;
    raise(SIGUSR1);
    CHECK_INT(call->run(), 0);
    CHECK_INT(ran, 1);
}

static void pending_refuses(const struct call *call) {
    start();
    refusal = 7;
    call->prepare();
    call->finish();
    raise(SIGUSR1);
    errno = 0;
    long result = call->run();
    check_refused(result, errno);
    CHECK_INT(ran, 1);
    CHECK_INT(call->run(), 0); /* nothing was lost */
}

static atomic_int worker_tid;

static void *run_off_main(void *arg) {
    const struct call *call = (const struct call *)arg;
    atomic_store(&worker_tid, check_gettid());
    CHECK_INT(call->run(), 0);
    return NULL;
}

static void off_main(const struct call *call) {
    start();
    call->prepare();
    raise(SIGUSR1); /* what is pending is not the worker's business either */
    pthread_t thread = spawn(run_off_main, (void *)call);
    while (!atomic_load(&worker_tid)) sched_yield();
    check_await_syscall(worker_tid, call->number);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    while (!rsig_tripped()) sched_yield();
    check_await_syscall(worker_tid, call->number);
    call->finish();
    join(thread);
    CHECK_INT(ran, 1);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), 1);
}

static void plain_handler(int signum) { (void)signum, atomic_fetch_add(&ran, 1); }

static void before_init(const struct call *call) {
    struct sigaction action = {.sa_handler = plain_handler};
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    note_main_thread();
    go_on(call, 0);
}

/* A case of each kind for each call. */
#define CASE(call, kind, promise)                                                                  \
    TEST(call##_##kind, promise) { kind(&call##_call); }
#define CASES(call)                                                                                \
    CASE(call, goes_on, "handlers run, each time, and the call goes on")                           \
    CASE(call, goes_on_restarting, "the same where the signal has SA_RESTART")                     \
    CASE(call, goes_on_elsewhere, "the same where it lands on another thread")                     \
    CASE(call, is_refused, "a handler that refuses ends it with EINTR, and without effect")        \
    CASE(call, runs_pending_first, "what is pending runs before the call begins")                  \
    CASE(call, pending_refuses, "what is pending and refuses ends it, even if it could succeed")   \
    CASE(call, off_main, "off the main thread it goes on, and no handler runs")                    \
    CASE(call, before_init, "before rsig_init() it goes on after other handlers")

static const struct call open_call = {SYS_openat, make_fifo, run_open, finish_open};
static const struct call read_call = {SYS_read, open_pipe, run_read, finish_write};
static const struct call write_call = {SYS_write, fill_pipe, run_write, drain};
static const struct call accept_call = {SYS_accept4, listen_unix, run_accept, finish_accept};
static const struct call connect_call = {SYS_connect, prepare_connect, run_connect, finish_connect};
static const struct call recv_call = {SYS_recvfrom, open_pair, run_recv, finish_write};
static const struct call send_call = {SYS_sendto, fill_pair, run_send, drain};
static const struct call waitpid_call = {SYS_wait4, fork_child, run_waitpid, finish_write};
static const struct call poll_call = {SYS_ppoll, open_pipe, run_poll, finish_write};
static const struct call poll_timed_call = {SYS_ppoll, open_pipe, run_poll_timed, finish_write};
CASES(open)
CASES(read)
CASES(write)
CASES(accept)
CASES(connect)
CASES(recv)
CASES(send)
CASES(waitpid)
CASES(poll)
CASES(poll_timed)

/* Times. */

static double now(void) {
    struct timespec time;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Has SIGALRM's handler run over and over. */
static void interrupt_often(void) {
    start();
    CHECK_INT(rsig_signal(SIGALRM, handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.002, 0.002, NULL), RSIG_OK);
}

TEST(sleep_for_what_is_left, "a sleep that handlers interrupt is not shorter") {
    interrupt_often();
    double began = now();
    CHECK_INT(rsig_sleep(0.1), 0);
    CHECK(now() - began >= 0.1);
    /* On a busy machine both can be over before this thread gets to run; then it is pending. */
    CHECK(rsig_pump() >= 0);
    CHECK(ran > 0);
}

TEST(poll_for_what_is_left, "a poll that handlers interrupt is not shorter, and answers 0") {
    interrupt_often();
    open_pipe();
    struct pollfd fd = {.fd = fds[0], .events = POLLIN, .revents = -1};
    double began = now();
    CHECK_INT(rsig_poll(&fd, 1, 0.1), 0);
    CHECK(now() - began >= 0.1);
    /* On a busy machine both can be over before this thread gets to run; then it is pending. */
    CHECK(rsig_pump() >= 0);
    CHECK(ran > 0);
    CHECK_INT(fd.revents, 0);
}

TEST(sleep_off_main, "so it is off the main thread, where no handler runs") {
    /* The main thread hands its part to one that never pumps. */
    note_main_thread();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGALRM, handler, NULL, NULL), RSIG_OK);
    join(spawn(become_main, NULL));
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.002, 0.002, NULL), RSIG_OK);
    double began = now();
    CHECK_INT(rsig_sleep(0.1), 0);
    CHECK(now() - began >= 0.1);
    CHECK_INT(ran, 0);
    CHECK_INT(rsig_tripped(), 1);
}

static void *refuse_later(void *arg) {
    (void)arg;
    check_await_syscall(main_tid, SYS_clock_nanosleep);
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    while (!atomic_load(&ran)) sched_yield();
    check_await_syscall(main_tid, SYS_clock_nanosleep);
    refusal = 7;
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return NULL;
}

static void sleep_until_refused(double seconds) {
    start();
    pthread_t thread = spawn(refuse_later, NULL);
    errno = 0;
    int result = rsig_sleep(seconds);
    check_refused(result, errno);
    CHECK_INT(ran, 2);
    join(thread);
}

TEST(sleep_is_refused, "a handler that refuses ends a sleep, one that does not does not") {
    sleep_until_refused(1e6);
}

TEST(sleep_for_ever, "no time is too long") { sleep_until_refused(1e300); }

TEST(sleep_runs_pending_first, "what is pending runs before a sleep, and may refuse it") {
    start();
    raise(SIGUSR1);
    CHECK_INT(rsig_sleep(0), 0);
    CHECK_INT(ran, 1);
    refusal = 7;
    raise(SIGUSR1);
    errno = 0;
    int result = rsig_sleep(1e300);
    check_refused(result, errno);
}

TEST(poll_of_nothing_sleeps, "rsig_poll() without descriptors sleeps") {
    start();
    double began = now();
    CHECK_INT(rsig_poll(NULL, 0, 0.05), 0);
    CHECK(now() - began >= 0.05);
}

TEST(poll_looks, "a timeout of 0 only looks, and runs what is pending") {
    start();
    open_pipe();
    struct pollfd fd = {.fd = fds[0], .events = POLLIN};
    raise(SIGUSR1);
    CHECK_INT(rsig_poll(&fd, 1, 0), 0);
    CHECK_INT(rsig_poll(&fd, 1, -0.0), 0);
    CHECK_INT(ran, 1);
    finish_write();
    CHECK_INT(rsig_poll(&fd, 1, 0), 1);
}

TEST(tiny_times, "the smallest time is one") {
    CHECK_INT(rsig_sleep(5e-324), 0);
    CHECK_INT(rsig_sleep(-0.0), 0);
    CHECK_INT(rsig_poll(NULL, 0, 5e-324), 0);
}

TEST(times_that_are_none, "NaN and infinite times, and negative ones to sleep, are EINVAL") {
    static const double bad[] = {NAN, INFINITY, -INFINITY, -1, -1e-300};
    start();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raise(SIGUSR1);
        CHECK_ERROR(rsig_sleep(bad[i]), -1, EINVAL);
        CHECK_INT(ran, 0);
    }
    CHECK_ERROR(rsig_poll(NULL, 0, NAN), -1, EINVAL);
    CHECK_ERROR(rsig_poll(NULL, 0, INFINITY), -1, EINVAL);
}

static int ticks_left = 5;

static int make_ready_at_last(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    if (--ticks_left == 0) finish_write();
    return 0;
}

TEST(poll_sees_what_a_handler_made, "poll goes on until the event, which here a handler makes") {
    interrupt_often();
    CHECK_INT(rsig_signal(SIGALRM, make_ready_at_last, NULL, NULL), RSIG_OK);
    open_pipe();
    struct pollfd fd = {.fd = fds[0], .events = POLLIN};
    CHECK_INT(rsig_poll(&fd, 1, 1e6), 1);
    CHECK(ticks_left <= 0);
}

TEST(large_file, "rsig_open() opens a file of 3 GiB also where off_t has 32 bits") {
    char path[] = "rsig-large-XXXXXX";
    int fd = mkostemp64(path, 0);
    start();
    CHECK_SYS(fd);
    CHECK_SYS(ftruncate64(fd, 3LL << 30));
    int again = rsig_open(path, O_RDONLY, 0), error = errno;
    CHECK_SYS(unlink(path));
    if (again < 0) CHECK_FAIL("rsig_open(): %s", strerror(error));
}

/* Several signals. */

static void *signal_thrice(void *arg) {
    (void)arg;
    static const int signums[] = {SIGTERM, SIGUSR1, SIGHUP};
    check_await_syscall(main_tid, SYS_read);
    for (int i = 0; i < 3; i++) CHECK_INT(pthread_kill(main_thread, signums[i]), 0);
    while (atomic_load(&ran) < 3) sched_yield();
    check_await_syscall(main_tid, SYS_read);
    finish_write();
    return NULL;
}

TEST(different_signals_at_once, "the handlers of several signals run during one call") {
    start();
    open_pipe();
    CHECK_INT(rsig_signal(SIGTERM, handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGHUP, handler, NULL, NULL), RSIG_OK);
    pthread_t thread = spawn(signal_thrice, NULL);
    CHECK_INT(run_read(), 0);
    join(thread);
    CHECK_INT(ran, 3);
}

static void read_inside(void) {
    finish_write();
    CHECK_INT(run_read(), 0);
}

TEST(within_a_handler, "a handler may make such a call itself") {
    struct plan plan = {&read_call, 1, 0, 1};
    start();
    open_pipe();
    inside = read_inside;
    pthread_t thread = spawn(carry_out, &plan);
    CHECK_INT(run_read(), 0);
    join(thread);
}

TEST(refusal_leaves_the_rest, "what else is pending when a handler refuses stays pending") {
    struct check_calls rest = {0};
    start();
    open_pipe();
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &rest, NULL), RSIG_OK);
    refusal = 7;
    raise(SIGUSR2), raise(SIGUSR1);
    errno = 0;
    long result = run_read();
    check_refused(result, errno);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(*rsig_tripped_flags(), RSIG_SIGSET(SIGUSR2));
    finish_write();
    CHECK_INT(run_read(), 0);
    CHECK_INT(rest.calls, 1);
}

TEST(blocked_signals, "a real-time signal that the program has blocked stays pending") {
    start();
    for (int signum = SIGRTMIN; signum <= SIGRTMAX; signum++) {
        rsig_sigset_t pending;
        CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, RSIG_SIGSET(signum), NULL), RSIG_OK);
        raise(signum);
        CHECK_INT(rsig_sleep(0), 0);
        CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
        CHECK(pending == RSIG_SIGSET(signum));
        CHECK_INT(rsig_sigtimedwait(pending, 0, NULL), signum);
    }
}

/* Partial results. */

static void *interrupt_once(void *arg) {
    check_await_syscall(main_tid, *(long *)arg);
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return NULL;
}

enum { MUCH = 4000000 };
static char much[MUCH];

static void check_partial(long result) {
    CHECK(result > 0 && result < MUCH);
    check_arrives(result);
    /* Its handler is the next pump's: the call has a result, and is not repeated. */
    CHECK_INT(ran, 0);
    CHECK_INT(rsig_pump(), 1);
}

TEST(partial_write, "what was written before a signal is a result") {
    long number = SYS_write;
    start();
    open_pipe();
    pthread_t thread = spawn(interrupt_once, &number);
    long result = rsig_write(fds[1], much, MUCH);
    join(thread);
    check_partial(result);
}

TEST(partial_send, "what was sent before a signal is a result") {
    long number = SYS_sendto;
    start();
    open_pair();
    pthread_t thread = spawn(interrupt_once, &number);
    long result = rsig_send(fds[1], much, MUCH, 0);
    join(thread);
    check_partial(result);
}

TEST(short_read, "a read of more than there is gives what there is") {
    char buffer[8];
    start();
    open_pipe();
    CHECK_INT(write(fds[1], "abc", 3), 3);
    CHECK_INT(rsig_read(fds[0], buffer, sizeof buffer), 3);
    CHECK(!memcmp(buffer, "abc", 3));
    close(fds[1]);
    CHECK_INT(rsig_read(fds[0], buffer, sizeof buffer), 0);
}

TEST(file_mode, "rsig_open() gives a new file its mode") {
    char folder[] = "rsig-blocking.XXXXXX", path[sizeof folder + 5];
    start();
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    umask(0);
    int fd = rsig_open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
    CHECK_INT(rsig_open(path, O_WRONLY | O_CREAT | O_EXCL, 0640), -1);
    CHECK_INT(errno, EEXIST);
    struct stat file;
    CHECK_SYS(fstat(fd, &file));
    CHECK_SYS(unlink(path));
    CHECK_SYS(rmdir(folder));
    CHECK_INT(file.st_mode & 07777, 0640);
}

/* Errors. */

static long system_result;
static int system_errno;

/* Both calls do the same. A failure of the system's is told by errno alone. */
#define CHECK_SAME(call, system_call)                                                              \
    do {                                                                                           \
        errno = 0;                                                                                 \
        system_result = (long)(system_call);                                                       \
        system_errno = errno;                                                                      \
        errno = 0;                                                                                 \
        CHECK_INT(call, system_result);                                                            \
        CHECK_INT(errno, system_errno);                                                            \
        CHECK_STR(rsig_error_message(), "");                                                       \
    } while (0)

/* With a NULL where the system's headers say that there must be none. */
__attribute__((no_sanitize("undefined"))) static void check_errors(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sockaddr *const peer = (struct sockaddr *)&address;
    struct pollfd invalid = {.fd = 1000, .events = POLLIN};
    socklen_t length = sizeof address;
    char *const volatile null = NULL; /* the compiler must not warn of what we are after */
    int status;

    CHECK_SAME(rsig_open("/no/such/file", O_RDONLY, 0), open("/no/such/file", O_RDONLY));
    CHECK_SAME(rsig_open("/", O_WRONLY, 0), open("/", O_WRONLY));
    CHECK_SAME(rsig_open("", O_RDONLY, 0), open("", O_RDONLY));
    CHECK_SAME(rsig_open(null, O_RDONLY, 0), open(null, O_RDONLY));

    CHECK_SAME(rsig_read(-1, &byte, 1), read(-1, &byte, 1));
    CHECK_SAME(rsig_write(-1, &byte, 1), write(-1, &byte, 1));
    CHECK_SAME(rsig_recv(-1, &byte, 1, 0), recv(-1, &byte, 1, 0));
    CHECK_SAME(rsig_send(-1, &byte, 1, 0), send(-1, &byte, 1, 0));
    CHECK_SAME(rsig_accept(-1, NULL, NULL), accept(-1, NULL, NULL));
    CHECK_SAME(rsig_connect(-1, peer, length), connect(-1, peer, length));

    open_pipe();
    CHECK_SAME(rsig_write(fds[0], &byte, 1), write(fds[0], &byte, 1));
    CHECK_SAME(rsig_recv(fds[0], &byte, 1, 0), recv(fds[0], &byte, 1, 0));
    CHECK_SAME(rsig_accept(fds[0], NULL, NULL), accept(fds[0], NULL, NULL));
    finish_write();
    CHECK_SAME(rsig_read(fds[0], null, 1), read(fds[0], null, 1));
    CHECK_SAME(rsig_write(fds[1], null, 1), write(fds[1], null, 1));
    CHECK_INT(system_errno, EFAULT);
    CHECK_SAME(rsig_read(fds[0], null, 0), read(fds[0], null, 0));
    CHECK_INT(run_read(), 0); /* still there */
    set_flags(fds[0], O_NONBLOCK);
    CHECK_SAME(rsig_read(fds[0], &byte, 1), read(fds[0], &byte, 1));
    CHECK_INT(system_errno, EAGAIN);
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]);
    CHECK_SAME(rsig_write(fds[1], &byte, 1), write(fds[1], &byte, 1));
    CHECK_INT(system_errno, EPIPE);

    open_pair();
    finish_write();
    CHECK_SAME(rsig_recv(fds[0], null, 1, MSG_PEEK), recv(fds[0], null, 1, MSG_PEEK));
    CHECK_INT(system_errno, EFAULT);
    CHECK_SAME(rsig_send(fds[1], null, 1, 0), send(fds[1], null, 1, 0));
    CHECK_SAME(rsig_recv(fds[0], &byte, 1, MSG_OOB), recv(fds[0], &byte, 1, MSG_OOB));
    CHECK_SAME(rsig_accept(fds[0], NULL, NULL), accept(fds[0], NULL, NULL));

    listen_tcp();
    int fd = new_socket();
    CHECK_SAME(rsig_connect(fd, (struct sockaddr *)null, length),
               connect(fd, (struct sockaddr *)null, length));
    CHECK_SAME(rsig_connect(fd, peer, 1), connect(fd, peer, 1));
    set_flags(listener, O_NONBLOCK);
    CHECK_SAME(rsig_accept(listener, NULL, NULL), accept(listener, NULL, NULL));
    CHECK_INT(system_errno, EAGAIN);
    close(listener);
    CHECK_SAME(race_free_connect(fd), plain_connect(fd));
    CHECK_INT(system_errno, ECONNREFUSED);

    CHECK_SAME(rsig_waitpid(-1, NULL, 0), waitpid(-1, NULL, 0));
    CHECK_SAME(rsig_waitpid(getpid(), &status, 0), waitpid(getpid(), &status, 0));
    CHECK_SAME(rsig_waitpid(-1, &status, 1 << 20), waitpid(-1, &status, 1 << 20));

    CHECK_SAME(rsig_poll((struct pollfd *)null, 1, 0), poll((struct pollfd *)null, 1, 0));
    CHECK_INT(system_errno, EFAULT);
    CHECK_SAME(rsig_poll(&invalid, 1, -1), poll(&invalid, 1, -1));
    CHECK_INT(invalid.revents, POLLNVAL);
}

TEST(system_errors, "errors are the system's, on the main thread") { start(), check_errors(); }

TEST(system_errors_before_init, "errors are the system's, before rsig_init()") { check_errors(); }

static void *check_errors_here(void *arg) {
    check_errors();
    return arg;
}

TEST(system_errors_off_main, "errors are the system's, off the main thread") {
    start();
    join(spawn(check_errors_here, NULL));
}

TEST(waitpid_options, "WNOHANG is 0 while the child lives; -1 is any child") {
    start();
    fork_child();
    CHECK_INT(rsig_waitpid(-1, NULL, WNOHANG), 0);
    finish_write();
    CHECK_INT(rsig_waitpid(-1, NULL, 0), child);
    CHECK_INT(rsig_waitpid(-1, NULL, 0), -1);
    CHECK_INT(errno, ECHILD);
}

/* Connections of TCP, which go on being made after EINTR. */

static void prepare_tcp(void) { listen_tcp(), fill_backlog(); }

static const struct call tcp_call = {SYS_connect, prepare_tcp, run_connect, finish_connect};
CASE(tcp, goes_on, "an interrupted TCP connection is made in the end")
CASE(tcp, goes_on_restarting, "so it is where the signal has SA_RESTART")
CASE(tcp, goes_on_elsewhere, "so it is where the signal lands on another thread")
CASE(tcp, is_refused, "a refused TCP connection goes on being made, and can be asked for again")
CASE(tcp, off_main, "off the main thread an interrupted TCP connection is made in the end")

static void shut_listener(void) { CHECK_SYS(close(listener)); }

TEST(tcp_interrupted_and_refused, "a connection that was interrupted and then refused fails") {
    static const struct call refused = {SYS_connect, prepare_tcp, run_connect, shut_listener};
    struct plan plan = {&refused, 2, 0, 1};
    start();
    prepare_tcp();
    pthread_t thread = spawn(carry_out, &plan);
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, ECONNREFUSED);
    join(thread);
    CHECK_INT(ran, 2);
}

TEST(tcp_send_timeout, "a socket's own time limit still ends a connection that was interrupted") {
    struct plan plan = {&tcp_call, 1, 0, 0};
    struct timeval limit = {.tv_sec = 1};
    start();
    prepare_tcp();
    CHECK_SYS(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    pthread_t thread = spawn(carry_out, &plan);
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EINPROGRESS);
    join(thread);
}

/* rsig's number is one that the program sends, so the call ends and begins anew. */
static void *shorten_and_send(void *arg) {
    const struct timeval soon = {.tv_usec = 1};
    check_await_syscall(main_tid, SYS_connect);
    CHECK_SYS(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon));
    CHECK_INT(pthread_kill(main_thread, SIGRTMAX), 0);
    return arg;
}

TEST(tcp_send_timeout_beside_own_signal, "so it does where rsig interrupted it for itself") {
    const struct timeval late = {.tv_sec = 100000};
    start();
    prepare_tcp();
    CHECK_SYS(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &late, sizeof late));
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, rsig_valid_signals(), NULL), RSIG_OK);
    pthread_t thread = spawn(shorten_and_send, NULL);
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EINPROGRESS);
    join(thread);
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
}

static void raise_another(void) {
    inside = NULL;
    raise(SIGUSR1); /* waits for the pass after this one, and so for the call's own test */
}

/* Makes the next call's first attempt end with EINTR before it has begun. */
static void trip_after_the_pump(void) {
    inside = raise_another;
    raise(SIGUSR1);
}

static void check_is_connected_already(void) {
    start();
    fds[0] = new_socket();
    CHECK_INT(race_free_connect(fds[0]), 0);
    finish_connect(); /* AF_UNIX looks for room in the backlog first */
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EISCONN);
    trip_after_the_pump();
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EISCONN);
    CHECK_INT(ran, 2);
}

TEST(tcp_connected_already, "a connected TCP socket is EISCONN, also with a signal just before") {
    listen_tcp();
    check_is_connected_already();
}

TEST(unix_connected_already, "so is a connected AF_UNIX socket") {
    listen_unix();
    check_is_connected_already();
}

TEST(tcp_without_blocking, "a non-blocking socket does not wait, also with a signal just before") {
    start();
    prepare_tcp();
    set_flags(fds[0], O_NONBLOCK);
    trip_after_the_pump();
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EINPROGRESS);
    trip_after_the_pump();
    errno = 0;
    CHECK_INT(race_free_connect(fds[0]), -1);
    CHECK_INT(errno, EALREADY);
    CHECK_INT(ran, 4);
}

TEST(tripped_between, "a signal between the pump and the system call runs its handler first") {
    start();
    open_pipe();
    trip_after_the_pump();
    finish_write();
    CHECK_INT(run_read(), 0);
    CHECK_INT(ran, 2);
}

static int raises_itself(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    raise(signum);
    return 0;
}

TEST(a_handler_that_raises_its_own_signal, "does not keep a call from the result that is there") {
    struct pollfd poll_none = {.fd = -1};
    char byte;
    int status;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself, NULL, NULL), RSIG_OK);
    int zero = open("/dev/zero", O_RDWR);
    CHECK_SYS(zero);
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) _exit(3);
    raise(SIGUSR1);
    CHECK_INT(rsig_read(zero, &byte, 1), 1);
    CHECK_INT(rsig_write(zero, &byte, 1), 1);
    CHECK_INT(rsig_sleep(0.01), 0);
    CHECK_INT(rsig_poll(&poll_none, 1, 0.01), 0);
    CHECK_INT(rsig_poll(&poll_none, 1, 0), 0);
    CHECK_INT(rsig_waitpid(child, &status, 0), child);
    CHECK_INT(WEXITSTATUS(status), 3);
    CHECK_INT(rsig_waitpid(child, &status, 0), -1);
    CHECK_INT(errno, ECHILD);
}

static ssize_t write_much(void) { return rsig_write(fds[1], much, MUCH); }

static ssize_t send_much(void) { return rsig_send(fds[1], much, MUCH, 0); }

/* There is some room, so the call begins; but not enough, so it would sleep. */
static void ends_with_a_part(ssize_t (*call)(void)) {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself, NULL, NULL), RSIG_OK);
    raise(SIGUSR1);
    ssize_t result = call();
    CHECK(result > 0 && result < MUCH);
    CHECK_INT(rsig_tripped(), 1);
    check_arrives(result);
}

TEST(write_beside_such_a_handler, "nor does a long write sleep while it waits for its turn") {
    open_pipe();
    ends_with_a_part(write_much);
}

TEST(send_beside_such_a_handler, "nor a long send") {
    open_pair();
    ends_with_a_part(send_much);
}

/* Each call that can have its result at once, and one after the other. */
TEST(every_call_beside_such_a_handler, "nor any call from its result") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself, NULL, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK(rsig_open("/dev/null", O_RDONLY, 0) >= 0);
    listen_tcp();
    CHECK_INT(race_free_connect(fds[1] = new_socket()), 0);
    CHECK_SYS(fds[0] = rsig_accept(listener, NULL, NULL));
    CHECK_INT(rsig_send(fds[1], "x", 1, 0), 1);
    CHECK_INT(rsig_recv(fds[0], &byte, 1, 0), 1);
    CHECK_INT(rsig_tripped(), 1);
}

/* There is nothing to read before it has run so often. */
static int raises_itself_and_writes(int signum, const rsig_siginfo_t *info, void *arg) {
    if (++*(int *)arg == 20) finish_write();
    return raises_itself(signum, info, NULL);
}

TEST(read_beside_such_a_handler, "and it goes on running beside a read that would sleep") {
    int times = 0;
    start();
    open_pipe();
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself_and_writes, &times, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(run_read(), 0);
    CHECK(times >= 20);
}

static int raises_next(int signum, const rsig_siginfo_t *info, void *next) {
    (void)signum, (void)info;
    raise(*(int *)next);
    return 0;
}

/* Two handlers, each of which raises the next signal, and then one that refuses. */
static void start_chain(void) {
    static int first = SIGUSR1, second = SIGINT;
    start();
    refusal = 7;
    CHECK_INT(rsig_signal(SIGUSR2, raises_next, &first, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, raises_next, &second, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGINT, handler, NULL, NULL), RSIG_OK);
    raise(SIGUSR2);
}

/* It ends with a part, before the last one has run; or that one comes first. */
static void check_chain(ssize_t result, ssize_t most) {
    int error = errno;
    CHECK(result < most);
    if (result > 0) {
        CHECK_INT(ran, 0);
        CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    } else {
        CHECK_INT(result, -1);
        CHECK_INT(error, EINTR);
    }
    CHECK_INT(ran, 1);
}

static void ends_in_a_chain(ssize_t (*call)(void)) {
    start_chain();
    ssize_t result = call();
    check_chain(result, MUCH);
    check_arrives(result > 0 ? result : 0);
}

TEST(write_in_a_chain,
     "where handlers raise each other, a long write does not sleep before the last has run") {
    open_pipe();
    ends_in_a_chain(write_much);
}

TEST(send_in_a_chain, "nor a long send") {
    open_pair();
    ends_in_a_chain(send_much);
}

TEST(recv_in_a_chain, "nor one that waits for all that it was asked for") {
    char all[3];
    open_pair();
    finish_write();
    start_chain();
    check_chain(rsig_recv(fds[0], all, sizeof all, MSG_WAITALL), sizeof all);
}

/* An errno without a name. */

enum { UNNAMED = 524 };

/* From now on read() of `fd` fails so, on this thread and those that it makes. */
static void fail_reads(int fd, unsigned error) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)fd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) check_skip("no seccomp filters");
    /* So it reaches the C library's own caller. */
    errno = 0;
    CHECK_INT(read(fd, &byte, 1), -1);
    CHECK_INT(errno, error);
}

static void *read_fails(void *arg) {
    errno = 0;
    CHECK_INT(rsig_read(fds[0], &byte, 1), -1);
    CHECK_INT(errno, UNNAMED);
    errno = 0;
    CHECK_INT(rsig_syscall(SYS_read, fds[0], (long)&byte, 1, 0, 0, 0), -1);
    CHECK_INT(errno, UNNAMED);
    return arg;
}

TEST(unnamed_errno, "an errno that has no name reaches the caller as it is, on the main thread") {
    start();
    open_pipe();
    fail_reads(fds[0], UNNAMED);
    read_fails(NULL);
}

TEST(unnamed_errno_off_main, "and on another") {
    start();
    open_pipe();
    fail_reads(fds[0], UNNAMED);
    join(spawn(read_fails, NULL));
}
