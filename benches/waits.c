/*
 * The system's waits, or with -DRSIG rsig's. `NAME_ready` has nothing to wait for; `NAME_asleep` is sent something by sender.c.
 * With one more argument there is another thread.
 */
#include "blocked.h"
#include "bench.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static void *idle(void *arg) {
    for (;;) pause();
    return arg;
}

/* All signals are the main thread's. */
static void start_other_thread(void) {
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(&thread, NULL, idle, NULL)) bench_fail("pthread_create");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

#ifdef RSIG
#include <rsig.h>
#define CALL(name) rsig_##name

static int on_signal(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)arg;
    bench_handle(info->count);
    return 0;
}

static void set_up(int signum) {
    OK(rsig_init(0));
    OK(rsig_signal(signum, on_signal, NULL, NULL));
    if (*bench_args) start_other_thread();
}

static rsig_siginfo_t record;
static int do_sigwait(int signum) { return rsig_sigwait(RSIG_SIGSET(signum)); }
static int do_sigwaitinfo(int signum) { return rsig_sigwaitinfo(RSIG_SIGSET(signum), &record); }
static int do_sigtimedwait(int signum) { return rsig_sigtimedwait(RSIG_SIGSET(signum), 60, &record); }
static int do_poll(struct pollfd *fd, double timeout) { return rsig_poll(fd, 1, timeout); }
static int do_sleep(double seconds) { return rsig_sleep(seconds); }

/* No need to block anything: it has no race. */
static void before_pause(int signum) { (void)signum; }
static void do_pause(void) { OK(rsig_pause()); }
static void do_wait(void) { OK(rsig_wait(-1)); }

static rsig_channel_t *channel;
static void listen_to(int signum) { OK(rsig_channel_open(RSIG_SIGSET(signum), 64, &channel)); }
static void do_hear(void) { OK(rsig_channel_wait(channel, &record, -1)); }

static const char *bench_version(void) { return rsig_version(); }
#else
#define CALL(name) name

static void on_signal(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)info, (void)context;
    bench_handle(1);
}

static sigset_t set;

static void set_up(int signum) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    OK(sigaction(signum, &action, NULL));
    sigemptyset(&set);
    sigaddset(&set, signum);
    if (*bench_args) start_other_thread();
}

static struct timespec timespec(double seconds) {
    struct timespec time = {(time_t)seconds, 0};
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    return time;
}

static siginfo_t record;
static int do_sigwait(int signum) { return sigwait(&set, &signum) ? -1 : signum; }
static int do_sigwaitinfo(int signum) { return (void)signum, sigwaitinfo(&set, &record); }

static int do_sigtimedwait(int signum) {
    struct timespec time = timespec(60);
    return (void)signum, sigtimedwait(&set, &record, &time);
}

static int do_poll(struct pollfd *fd, double timeout) {
    struct timespec time = timespec(timeout);
    return ppoll(fd, 1, timeout < 0 ? NULL : &time, NULL);
}

static int do_sleep(double seconds) {
    struct timespec time = timespec(seconds);
    return nanosleep(&time, NULL);
}

/* The only way without a race. */
static void before_pause(int signum) { block(signum); }

static void do_pause(void) {
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
}

static void do_wait(void) { do_pause(); }

static int signals;

static void listen_to(int signum) {
    sigset_t one = block(signum);
    OK(signals = signalfd(-1, &one, SFD_CLOEXEC));
}

static void do_hear(void) {
    struct signalfd_siginfo info;
    OK(read(signals, &info, sizeof info));
}

static const char *bench_version(void) { return ""; }
#endif

/* A wait that accepts a blocked signal: many are pending, and raising them is not measured. */
static void accept_pending(int (*wait)(int)) {
    int signum = SIGRTMIN + 1;
    set_up(signum);
    block(signum);
    EACH(0) {
        if (bench_i % 256 == 0) {
            bench_stop();
            for (long i = bench_i; i < bench_n && i < bench_i + 256; i++) raise(signum);
            bench_start();
        }
        OK(wait(signum));
    }
}

MEASURE(sigwait_ready) { accept_pending(do_sigwait); }
MEASURE(sigwaitinfo_ready) { accept_pending(do_sigwaitinfo); }
MEASURE(sigtimedwait_ready) { accept_pending(do_sigtimedwait); }

static void accept_asleep(int (*wait)(int)) {
    set_up(SIGUSR1);
    block(SIGUSR1);
    bench_ready();
    for (;;) {
        OK(wait(SIGUSR1));
        bench_reply();
    }
}

MEASURE(sigwait_asleep) { accept_asleep(do_sigwait); }
MEASURE(sigwaitinfo_asleep) { accept_asleep(do_sigwaitinfo); }
MEASURE(sigtimedwait_asleep) { accept_asleep(do_sigtimedwait); }

/* Raised before; raising is a part of it. */
static void suspend_ready(void (*wait)(void)) {
    set_up(SIGUSR1);
    before_pause(SIGUSR1);
    EACH(1) {
        raise(SIGUSR1);
        wait();
    }
}

static void suspend_asleep(void (*wait)(void)) {
    set_up(SIGUSR1);
    before_pause(SIGUSR1);
    bench_ready();
    for (;;) wait();
}

MEASURE(pause_ready) { suspend_ready(do_pause); }
MEASURE(pause_asleep) { suspend_asleep(do_pause); }
MEASURE(wait_ready) { suspend_ready(do_wait); }
MEASURE(wait_asleep) { suspend_asleep(do_wait); }

/* A channel, beside a signalfd. Raising is a part of it. */
MEASURE(hear_ready) {
    set_up(SIGUSR2);
    listen_to(SIGUSR1);
    EACH(0) {
        raise(SIGUSR1);
        do_hear();
    }
}

MEASURE(hear_asleep) {
    set_up(SIGUSR2);
    listen_to(SIGUSR1);
    bench_ready();
    for (;;) {
        do_hear();
        bench_reply();
    }
}

MEASURE(read_ready) {
    char byte;
    int fd = open("/dev/zero", O_RDONLY);
    set_up(SIGUSR1);
    EACH(0) OK(CALL(read)(fd, &byte, 1));
}

MEASURE(read_asleep) {
    char byte;
    set_up(SIGUSR1);
    bench_ready();
    while (CALL(read)(STDIN_FILENO, &byte, 1) == 1) bench_reply();
}

MEASURE(write_ready) {
    int fd = open("/dev/null", O_WRONLY);
    set_up(SIGUSR1);
    EACH(0) OK(CALL(write)(fd, "", 1));
}

MEASURE(poll_ready) {
    struct pollfd fd = {eventfd(1, 0), POLLIN, 0};
    set_up(SIGUSR1);
    EACH(0) OK(do_poll(&fd, -1));
}

/* Nothing there, and no time. */
MEASURE(poll_look) {
    struct pollfd fd = {eventfd(0, 0), POLLIN, 0};
    set_up(SIGUSR1);
    EACH(0) OK(do_poll(&fd, 0));
}

MEASURE(poll_asleep) {
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    char byte;
    set_up(SIGUSR1);
    bench_ready();
    while (do_poll(&fd, -1) == 1 && read(fd.fd, &byte, 1) == 1) bench_reply();
}

/* As short as it may be: without the 50 microseconds by which the kernel may be late. */
static void sleep_for(double seconds) {
    OK(prctl(PR_SET_TIMERSLACK, 1));
    set_up(SIGUSR1);
    EACH(0) OK(do_sleep(seconds));
}

MEASURE(sleep_ready) { sleep_for(0); }
MEASURE(sleep_asleep) { sleep_for(20e-6); }

/* One attempt at a call that does nothing. */
MEASURE(syscall_ready) {
    set_up(SIGUSR1);
    EACH(0) OK(CALL(syscall)(SYS_getppid, 0, 0, 0, 0, 0, 0));
}

MEASURE(open_ready) {
    set_up(SIGUSR1);
    EACH(0) close(CALL(open)("/dev/null", O_RDONLY, 0));
}

static int ends[2];

MEASURE(send_recv_ready) {
    char byte;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    set_up(SIGUSR1);
    EACH(0) {
        OK(CALL(send)(ends[0], "", 1, 0));
        OK(CALL(recv)(ends[1], &byte, 1, 0));
    }
}

static int listener;
static struct sockaddr_un address = {.sun_family = AF_UNIX}; /* the kernel finds a name */
static socklen_t length = sizeof address;

static void make_listener(int backlog) {
    OK(listener = socket(AF_UNIX, SOCK_STREAM, 0));
    OK(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family));
    OK(getsockname(listener, (struct sockaddr *)&address, &length));
    OK(listen(listener, backlog));
}

MEASURE(connect_accept_ready) {
    make_listener(1);
    set_up(SIGUSR1);
    EACH(0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        OK(CALL(connect)(fd, (struct sockaddr *)&address, length));
        close(CALL(accept)(listener, NULL, NULL));
        close(fd);
    }
}

/* A child that does so for each byte that sender.c sends; without, it does nothing. */
static pid_t start_helper(void (*help)(void)) {
    char byte;
    pid_t pid = fork();
    OK(pid);
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!help) pause();
    while (read(STDIN_FILENO, &byte, 1) == 1) help();
    _exit(0);
}

MEASURE(waitpid_ready) {
    int status;
    pid_t pid = start_helper(NULL);
    set_up(SIGUSR1);
    EACH(0) OK(CALL(waitpid)(pid, &status, WNOHANG));
    OK(kill(pid, SIGKILL));
}

static void stop(void) { raise(SIGSTOP); }

MEASURE(waitpid_asleep) {
    int status;
    pid_t pid = start_helper(stop);
    set_up(SIGUSR1);
    bench_ready();
    for (;;) {
        OK(CALL(waitpid)(pid, &status, WUNTRACED));
        bench_reply();
        OK(kill(pid, SIGCONT));
    }
}

static void give(void) { OK(send(ends[0], "", 1, 0)); }

MEASURE(recv_asleep) {
    char byte;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    start_helper(give);
    set_up(SIGUSR1);
    bench_ready();
    while (CALL(recv)(ends[1], &byte, 1, 0) == 1) bench_reply();
}

static void call(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    OK(connect(fd, (struct sockaddr *)&address, length));
    close(fd);
}

MEASURE(accept_asleep) {
    make_listener(1);
    start_helper(call);
    set_up(SIGUSR1);
    bench_ready();
    for (;;) {
        int fd = CALL(accept)(listener, NULL, NULL);
        OK(fd);
        bench_reply();
        close(fd);
    }
}

static void take_call(void) { close(accept(listener, NULL, NULL)); }

/* The one place in the listener's queue is always taken. */
MEASURE(connect_asleep) {
    make_listener(0);
    call();
    start_helper(take_call);
    set_up(SIGUSR1);
    bench_ready();
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        OK(CALL(connect)(fd, (struct sockaddr *)&address, length));
        bench_reply();
        close(fd);
    }
}
