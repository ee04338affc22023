/* rsig_siginfo_t: what the record of each kind of signal says, whichever way it is received. */
#include "check.h"

#include <aio.h>
#include <dirent.h>
#include <limits.h>
#include <mqueue.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

/* ---- the three ways to receive a signal, and one record for all ---- */

enum way { HANDLER, SIGWAIT, DISPATCH, WAYS };
static const char *const way_names[WAYS] = {"handler", "sigtimedwait", "dispatch"};

static struct check_calls calls;
static uid_t user;

/* Not user 0, so that a uid that is missing shows. */
static void start(void) {
    if (getuid() == 0 && setresuid(65534, 65534, 65534) == 0) CHECK_SYS(prctl(PR_SET_DUMPABLE, 1));
    user = getuid();
    CHECK_INT(rsig_init(0), RSIG_OK);
}

static void block(int how, int signum) {
    CHECK_INT(rsig_pthread_sigmask(how, RSIG_SIGSET(signum), NULL), RSIG_OK);
}

/* What is sent from now on waits for receive(); a handler's signal is let in as it comes. */
static void expect(enum way way, int signum) {
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
    block(way == HANDLER ? SIG_UNBLOCK : SIG_BLOCK, signum);
    memset(&calls, 0, sizeof calls);
}

static rsig_siginfo_t receive(enum way way, int signum) {
    rsig_siginfo_t info;
    memset(&info, 0x5a, sizeof info);
    switch (way) {
    case SIGWAIT:
        CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(signum), 1e9, &info), signum);
        CHECK_INT(calls.calls, 0);
        return info;
    case DISPATCH: CHECK_INT(rsig_dispatch(RSIG_SIGSET(signum), -1), 1); break;
    default:
        while (calls.calls == 0) CHECK_INT(rsig_pause(), RSIG_OK);
    }
    CHECK_INT(calls.calls, 1);
    return calls.last_info;
}

static void check_field(enum way way, const char *name, long long actual, long long expected) {
    if (actual != expected)
        CHECK_FAIL("%s: %s is %#llx, not %#llx", way_names[way], name, actual, expected);
}

/* Every byte: what is not named is 0. */
static void check_record(enum way way, rsig_siginfo_t actual, rsig_siginfo_t expected) {
#define FIELD(name) check_field(way, #name, (long long)actual.name, (long long)expected.name)
    expected.count = 1;
    FIELD(signo);
    FIELD(code);
    FIELD(error);
    FIELD(pid);
    FIELD(uid);
    FIELD(status);
    FIELD(band);
    FIELD(value_int);
    FIELD(overrun);
    FIELD(value_ptr);
    FIELD(count);
    FIELD(fd);
    if (memcmp(&actual, &expected, sizeof actual)) CHECK_FAIL("%s: reserved", way_names[way]);
#undef FIELD
}

#define RECORD(...) ((rsig_siginfo_t){__VA_ARGS__})

/* The same for what `send` sends, each way: `expected` may name variables that `send` sets. */
#define CHECK_EACH_WAY(signum, send, ...)                                                          \
    for (enum way way = HANDLER; way < WAYS; way++) {                                              \
        expect(way, signum);                                                                       \
        send;                                                                                      \
        check_record(way, receive(way, signum), RECORD(.signo = (signum), __VA_ARGS__));           \
    }

/* Runs in a child, whose end is not to interfere. */
static pid_t child;

#define IN_CHILD(call)                                                                             \
    do {                                                                                           \
        CHECK_SYS(child = fork());                                                                 \
        if (child == 0) _exit((call) != 0);                                                        \
        reap();                                                                                    \
    } while (0)

/* The signal that the child has sent may interrupt this. */
static void reap(void) {
    int status;
    while (waitpid(child, &status, 0) < 0) CHECK_INT(errno, EINTR);
    CHECK_CHILD_OK(status);
}

TEST(size, "a record has 128 bytes, for ever") { CHECK_INT(sizeof(rsig_siginfo_t), 128); }

/* ---- sent by a program ---- */

TEST(of_kill, "kill(): the sender's process and user") {
    start();
    CHECK_EACH_WAY(SIGUSR1, IN_CHILD(kill(getppid(), SIGUSR1)),
                   .code = SI_USER, .pid = child, .uid = user);
}

TEST(of_rsig_kill, "rsig_kill(): the same") {
    start();
    CHECK_EACH_WAY(SIGUSR1, IN_CHILD(rsig_kill(getppid(), SIGUSR1)),
                   .code = SI_USER, .pid = child, .uid = user);
}

TEST(of_sigqueue_int, "sigqueue(): the sender and its int") {
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_int = -5;
    start();
    CHECK_EACH_WAY(SIGRTMIN, IN_CHILD(sigqueue(getppid(), SIGRTMIN, value)), .code = SI_QUEUE,
                   .pid = child, .uid = user, .value_int = -5,
                   .value_ptr = (uintptr_t)value.sival_ptr);
}

TEST(of_sigqueue_pointer, "sigqueue(): the sender and its whole pointer") {
    const union sigval value = {.sival_ptr = (void *)(uintptr_t)0x8877665544332211};
    start();
    CHECK_EACH_WAY(SIGRTMIN, IN_CHILD(sigqueue(getppid(), SIGRTMIN, value)), .code = SI_QUEUE,
                   .pid = child, .uid = user, .value_int = value.sival_int,
                   .value_ptr = (uintptr_t)value.sival_ptr);
}

TEST(of_sigqueue_standard, "also with a standard signal that has a record of its own") {
    const union sigval value = {.sival_int = 5};
    start();
    CHECK_EACH_WAY(SIGCHLD, CHECK_SYS(sigqueue(getpid(), SIGCHLD, value)), .code = SI_QUEUE,
                   .pid = getpid(), .uid = user, .value_int = 5,
                   .value_ptr = (uintptr_t)value.sival_ptr);
}

TEST(of_rsig_sigqueue, "rsig_sigqueue(): the sender and all bits of the value") {
    const union sigval value = {.sival_ptr = (void *)(uintptr_t)0x8877665544332211};
    start();
    CHECK_EACH_WAY(SIGRTMIN,
                   IN_CHILD(rsig_sigqueue(getppid(), SIGRTMIN, (uintptr_t)value.sival_ptr)),
                   .code = SI_QUEUE, .pid = child, .uid = user, .value_int = value.sival_int,
                   .value_ptr = (uintptr_t)value.sival_ptr);
}

static pthread_t main_thread;
static pid_t main_tid;

static void *kill_main(void *unused) {
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return unused;
}

static void *kill_main_tid(void *unused) {
    CHECK_INT(rsig_thread_kill(main_tid, SIGUSR1), RSIG_OK);
    return unused;
}

static void on_another_thread(void *(*body)(void *)) {
    pthread_t thread;
    main_thread = pthread_self();
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(of_raise, "raise(): SI_TKILL and the process itself") {
    start();
    CHECK_EACH_WAY(SIGUSR1, raise(SIGUSR1), .code = SI_TKILL, .pid = getpid(), .uid = user);
}

TEST(of_pthread_kill, "pthread_kill(): the same, from whichever thread") {
    start();
    CHECK_EACH_WAY(SIGUSR1, on_another_thread(kill_main), .code = SI_TKILL, .pid = getpid(),
                   .uid = user);
}

TEST(of_thread_kill, "rsig_thread_kill(): the same") {
    start();
    CHECK_EACH_WAY(SIGUSR1, on_another_thread(kill_main_tid), .code = SI_TKILL, .pid = getpid(),
                   .uid = user);
}

TEST(of_tgkill, "tgkill() of another process: the sender's process and user") {
    start();
    CHECK_EACH_WAY(SIGUSR1,
                   IN_CHILD((int)syscall(SYS_tgkill, getppid(), getppid(), SIGUSR1)),
                   .code = SI_TKILL, .pid = child, .uid = user);
}

/* ---- timers ---- */

static timer_t make_timer(int signum, const void *payload) {
    struct sigevent event;
    timer_t timer;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signum;
    event.sigev_value.sival_ptr = (void *)(uintptr_t)payload;
    /* The kernel keeps the timer's number in the sender's place, and the first may have 0. */
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    return timer;
}

static void arm(timer_t timer, long interval) {
    struct itimerspec times;
    memset(&times, 0, sizeof times);
    times.it_value.tv_nsec = 1;
    times.it_interval.tv_nsec = interval;
    CHECK_SYS(timer_settime(timer, 0, &times, NULL));
}

TEST(of_timer, "timer_create(): its payload, and neither a sender nor an overrun") {
    const union sigval value = {.sival_ptr = &calls};
    start();
    timer_t timer = make_timer(SIGRTMIN, &calls);
    CHECK_EACH_WAY(SIGRTMIN, arm(timer, 0), .code = SI_TIMER, .value_int = value.sival_int,
                   .value_ptr = (uintptr_t)&calls);
}

static long long now(void) {
    struct timespec time;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &time));
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Nanoseconds between two expirations. */
enum { INTERVAL = 1000 };

/* Fires and goes on firing, while its signal is blocked. */
static void overrun(timer_t timer, int signum) {
    rsig_sigset_t pending = 0;
    block(SIG_BLOCK, signum);
    arm(timer, INTERVAL);
    while (!(pending & RSIG_SIGSET(signum))) CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    for (long long since = now(); now() <= since + 10 * INTERVAL;) continue;
}

TEST(of_timer_overrun, "the overrun is the number of expirations that had no signal") {
    const union sigval value = {.sival_ptr = &calls};
    sigset_t all_but;
    start();
    timer_t timer = make_timer(SIGRTMIN, &calls);
    sigfillset(&all_but);
    sigdelset(&all_but, SIGRTMIN);
    for (enum way way = HANDLER; way < WAYS; way++) {
        expect(way, SIGRTMIN);
        overrun(timer, SIGRTMIN);
        /* One delivery, as the low-level handler returns to the mask that has it blocked. */
        if (way == HANDLER) CHECK_INT(sigsuspend(&all_but), -1);
        rsig_siginfo_t info = receive(way, SIGRTMIN);
        check_record(way, info, RECORD(.signo = SIGRTMIN, .code = SI_TIMER,
                                       .value_int = value.sival_int,
                                       .value_ptr = (uintptr_t)&calls, .overrun = info.overrun));
        CHECK(info.overrun >= 9);
        CHECK_INT(timer_getoverrun(timer), info.overrun);
        /* What is pending already is of the past. */
        CHECK_SYS(timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_sec = 0}, NULL));
        CHECK(rsig_sigtimedwait(RSIG_SIGSET(SIGRTMIN), 0, NULL) >= 0);
    }
}

TEST(of_setitimer, "setitimer(): the kernel's code, and nothing else") {
    const struct itimerval soon = {.it_value.tv_usec = 1};
    start();
    CHECK_EACH_WAY(SIGALRM, CHECK_SYS(setitimer(ITIMER_REAL, &soon, NULL)), .code = SI_KERNEL);
}

/* ---- children ---- */

static void spawn(void) {
    CHECK_SYS(child = fork());
    if (child == 0)
        for (;;) pause();
}

TEST(of_child_exited, "SIGCHLD: the child, its user and its exit status") {
    start();
    for (enum way way = HANDLER; way < WAYS; way++) {
        expect(way, SIGCHLD);
        CHECK_SYS(child = fork());
        if (child == 0) _exit(7);
        check_record(way, receive(way, SIGCHLD),
                     RECORD(.signo = SIGCHLD, .code = CLD_EXITED, .pid = child, .uid = user,
                            .status = 7));
        CHECK_INT(waitpid(child, NULL, 0), child);
    }
}

TEST(of_child_stopped, "SIGCHLD: the child and what stopped, continued and killed it") {
    const int sent[] = {SIGSTOP, SIGCONT, SIGTERM};
    const int codes[] = {CLD_STOPPED, CLD_CONTINUED, CLD_KILLED};
    start();
    for (enum way way = HANDLER; way < WAYS; way++) {
        spawn();
        for (int i = 0; i < 3; i++) {
            expect(way, SIGCHLD);
            CHECK_SYS(kill(child, sent[i]));
            check_record(way, receive(way, SIGCHLD),
                         RECORD(.signo = SIGCHLD, .code = codes[i], .pid = child, .uid = user,
                                .status = sent[i]));
        }
        CHECK_INT(waitpid(child, NULL, 0), child);
    }
}

static void dump_core(const char *folder) {
    struct rlimit limit;
    if (chdir(folder) || getrlimit(RLIMIT_CORE, &limit)) _exit(1);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_CORE, &limit)) _exit(1);
    abort();
}

static void remove_folder(const char *path) {
    DIR *folder = opendir(path);
    CHECK(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') CHECK_SYS(unlinkat(dirfd(folder), entry->d_name, 0));
    closedir(folder);
    CHECK_SYS(rmdir(path));
}

TEST(of_child_dumped, "SIGCHLD: the child and what made it dump its core") {
    char folder[] = "/tmp/rsig-origin-XXXXXX"; /* where start()'s user may write, too */
    int status, dumped = 0;
    start();
    CHECK(mkdtemp(folder));
    for (enum way way = HANDLER; way < WAYS; way++) {
        expect(way, SIGCHLD);
        CHECK_SYS(child = fork());
        if (child == 0) dump_core(folder);
        rsig_siginfo_t info = receive(way, SIGCHLD);
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_CHILD_KILLED(status, SIGABRT);
        dumped = WCOREDUMP(status);
        check_record(way, info, RECORD(.signo = SIGCHLD, .code = dumped ? CLD_DUMPED : CLD_KILLED,
                                       .pid = child, .uid = user, .status = SIGABRT));
    }
    remove_folder(folder);
    if (!dumped) check_skip("no core is dumped here");
}

TEST(of_kill_sigchld, "SIGCHLD by kill() is no child's: no status") {
    start();
    CHECK_EACH_WAY(SIGCHLD, CHECK_SYS(kill(getpid(), SIGCHLD)),
                   .code = SI_USER, .pid = getpid(), .uid = user);
}

/* ---- descriptors ---- */

static int ends[2];

/* F_SETSIG is not called for 0. */
static void make_async(int signum) {
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    CHECK_SYS(fcntl(ends[0], F_SETOWN, getpid()));
    if (signum) CHECK_SYS(fcntl(ends[0], F_SETSIG, signum));
    CHECK_SYS(fcntl(ends[0], F_SETFL, O_ASYNC));
}

static void make_ready(void) { CHECK_INT(write(ends[1], "x", 1), 1); }

TEST(of_sigio, "SIGIO by F_SETSIG: events and descriptor, no sender in their place") {
    start();
    make_async(SIGIO);
    CHECK_EACH_WAY(SIGIO, make_ready(), .code = POLL_IN, .band = POLLIN | POLLRDNORM,
                   .fd = ends[0]);
}

TEST(of_sigio_real_time, "a real-time signal by F_SETSIG has them too") {
    start();
    make_async(SIGRTMIN);
    CHECK_EACH_WAY(SIGRTMIN, make_ready(), .code = POLL_IN, .band = POLLIN | POLLRDNORM,
                   .fd = ends[0]);
}

TEST(of_sigio_sigchld, "so has one with codes of its own, and is no child") {
    start();
    make_async(SIGCHLD);
    CHECK_EACH_WAY(SIGCHLD, make_ready(), .code = SI_SIGIO, .band = POLLIN | POLLRDNORM,
                   .fd = ends[0]);
}

TEST(of_sigio_sigsegv, "so has SIGSEGV, and is no fault: it is deferred") {
    start();
    make_async(SIGSEGV);
    CHECK_EACH_WAY(SIGSEGV, make_ready(), .code = SI_SIGIO, .band = POLLIN | POLLRDNORM,
                   .fd = ends[0]);
}

TEST(of_sigio_plain, "SIGIO without F_SETSIG: the kernel's code, and nothing else") {
    start();
    make_async(0);
    CHECK_EACH_WAY(SIGIO, make_ready(), .code = SI_KERNEL);
}

/* ---- message queues and asynchronous I/O ---- */

static struct sigevent notice(int signum, void *payload) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signum;
    event.sigev_value.sival_ptr = payload;
    return event;
}

TEST(of_message_queue, "mq_notify(): its payload, and who sent the message") {
    const struct sigevent event = notice(SIGUSR1, &calls);
    char name[64], message[8];
    struct mq_attr size = {.mq_maxmsg = 1, .mq_msgsize = sizeof message};
    start();
    snprintf(name, sizeof name, "/rsig-origin-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &size);
    if (queue < 0) check_skip("no message queues here");
    CHECK_SYS(mq_unlink(name));
    for (enum way way = HANDLER; way < WAYS; way++) {
        expect(way, SIGUSR1);
        CHECK_SYS(mq_notify(queue, &event));
        IN_CHILD(mq_send(queue, "x", 1, 0));
        check_record(way, receive(way, SIGUSR1),
                     RECORD(.signo = SIGUSR1, .code = SI_MESGQ, .pid = child, .uid = user,
                            .value_int = event.sigev_value.sival_int,
                            .value_ptr = (uintptr_t)&calls));
        CHECK_INT(mq_receive(queue, message, sizeof message, NULL), 1);
    }
}

TEST(of_async_io, "aio_read(): its payload, and the process itself") {
    char byte;
    struct aiocb request;
    start();
    memset(&request, 0, sizeof request);
    request.aio_sigevent = notice(SIGUSR1, &calls);
    CHECK_SYS(request.aio_fildes = open("/dev/zero", O_RDONLY));
    request.aio_buf = &byte;
    request.aio_nbytes = 1;
    for (enum way way = HANDLER; way < WAYS; way++) {
        expect(way, SIGUSR1);
        CHECK_SYS(aio_read(&request));
        check_record(way, receive(way, SIGUSR1),
                     RECORD(.signo = SIGUSR1, .code = SI_ASYNCIO, .pid = getpid(), .uid = user,
                            .value_int = request.aio_sigevent.sigev_value.sival_int,
                            .value_ptr = (uintptr_t)&calls));
        CHECK_INT(aio_error(&request), 0);
        CHECK_INT(aio_return(&request), 1);
    }
}

/* ---- faults sent by hand, and records that a process forges for itself ---- */

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
enum { FAULTS = sizeof faults / sizeof *faults };

TEST(of_sent_fault, "a fault's signal by kill(): the sender, as with any other") {
    start();
    for (int i = 0; i < FAULTS; i++)
        CHECK_EACH_WAY(faults[i], CHECK_SYS(kill(getpid(), faults[i])),
                       .code = SI_USER, .pid = getpid(), .uid = user);
}

TEST(of_queued_fault, "a fault's signal by sigqueue(): sender and payload, as with any other") {
    const union sigval value = {.sival_ptr = &calls};
    start();
    for (int i = 0; i < FAULTS; i++)
        CHECK_EACH_WAY(faults[i], CHECK_SYS(sigqueue(getpid(), faults[i], value)),
                       .code = SI_QUEUE, .pid = getpid(), .uid = user,
                       .value_int = value.sival_int, .value_ptr = (uintptr_t)&calls);
}

/* Where the kernel has its union, aligned as a pointer is, each word is another one: W0, W1, ... */
enum { W0 = 0x10101010, W1 = 0x21212121, W2 = 0x32323232, W3 = 0x43434343, FORGED_ERROR = 99 };

static void forge(int signum, int code) {
    union {
        siginfo_t info;
        int words[sizeof(siginfo_t) / sizeof(int)];
    } forged;
    const int first = sizeof(void *) == 8 ? 4 : 3;
    memset(&forged, 0, sizeof forged);
    for (int i = 0; i < 8; i++) forged.words[first + i] = W0 + (unsigned)i * 0x11111111U;
    forged.info.si_signo = signum;
    forged.info.si_errno = FORGED_ERROR;
    forged.info.si_code = code;
    CHECK_SYS(syscall(SYS_rt_sigqueueinfo, getpid(), signum, &forged));
}

/* What a long or a pointer is where these two words lie in memory. */
static long as_long(int first, int second) {
    const int words[2] = {first, second};
    long value;
    memcpy(&value, words, sizeof value);
    return value;
}

static uint64_t as_pointer(int first, int second) { return (unsigned long)as_long(first, second); }

/* What follows a long. */
#define AFTER_LONG (sizeof(long) == 8 ? W2 : W1)

#define CHECK_FORGED(signum, signal_code, ...)                                                     \
    CHECK_EACH_WAY(signum, forge(signum, signal_code), .code = (signal_code),                      \
                   .error = FORGED_ERROR, __VA_ARGS__)

TEST(of_forged_sender, "forged codes without a payload have a sender alone") {
    const int codes[] = {SI_USER, SI_KERNEL, SI_TKILL, 7, 0x7f, 0x81, INT_MAX};
    start();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        CHECK_FORGED(SIGUSR1, codes[i], .pid = W0, .uid = W1);
        CHECK_FORGED(SIGCHLD, codes[i], .pid = W0, .uid = W1);
        CHECK_FORGED(SIGIO, codes[i], .pid = W0, .uid = W1);
    }
}

TEST(of_forged_payload, "forged codes with a payload have a sender and the payload") {
    const int codes[] = {SI_QUEUE, SI_MESGQ, SI_ASYNCIO, -60, INT_MIN};
    const int signals[] = {SIGUSR1, SIGCHLD, SIGIO, SIGSEGV, SIGRTMIN};
    start();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        for (size_t j = 0; j < sizeof signals / sizeof *signals; j++)
            CHECK_FORGED(signals[j], codes[i], .pid = W0, .uid = W1, .value_int = W2,
                         .value_ptr = as_pointer(W2, W3));
}

TEST(of_forged_timer, "a forged timer has overrun and payload") {
    start();
    CHECK_FORGED(SIGUSR1, SI_TIMER, .overrun = W1, .value_int = W2, .value_ptr = as_pointer(W2, W3));
    CHECK_FORGED(SIGSEGV, SI_TIMER, .overrun = W1, .value_int = W2, .value_ptr = as_pointer(W2, W3));
}

TEST(of_forged_child, "a forged child has process, user and status") {
    start();
    for (int code = CLD_EXITED; code <= CLD_CONTINUED; code++)
        CHECK_FORGED(SIGCHLD, code, .pid = W0, .uid = W1, .status = W2);
}

TEST(of_forged_io, "a forged SIGIO has events and descriptor") {
    start();
    for (int code = POLL_IN; code <= POLL_HUP; code++)
        CHECK_FORGED(SIGIO, code, .band = as_long(W0, W1), .fd = AFTER_LONG);
    CHECK_FORGED(SIGUSR1, POLL_HUP, .band = as_long(W0, W1), .fd = AFTER_LONG);
    CHECK_FORGED(SIGCHLD, SI_SIGIO, .band = as_long(W0, W1), .fd = AFTER_LONG);
}

TEST(of_forged_fault, "a forged fault that can be received has none of all these") {
    start();
    CHECK_FORGED(SIGTRAP, TRAP_BRKPT, .pid = 0);
    CHECK_FORGED(SIGSYS, 1, .pid = 0);
    /* A handler does not get these: fault.c. */
    for (int i = 0; i < 4; i++)
        for (enum way way = SIGWAIT; way < WAYS; way++) {
            expect(way, faults[i]);
            forge(faults[i], 1);
            check_record(way, receive(way, faults[i]),
                         RECORD(.signo = faults[i], .code = 1, .error = FORGED_ERROR));
        }
}

/* ---- where the kernel has none ---- */

TEST(of_full_queue, "where the kernel had no room for it, nothing is made up") {
    const struct rlimit none = {0, 0};
    start();
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &none));
    CHECK_EACH_WAY(SIGUSR1, CHECK_INT(rsig_sigqueue(getpid(), SIGUSR1, 5), RSIG_OK),
                   .code = SI_USER);
}
