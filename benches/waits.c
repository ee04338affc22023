/* The system's waits, or with -DRSIG rsig's. `NAME_ready` has nothing to wait for; `NAME_asleep` is sent something by sender.c. */
#include "blocked.h"
#include "bench.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

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
MEASURE(pause_ready) {
    set_up(SIGUSR1);
    before_pause(SIGUSR1);
    EACH(1) {
        raise(SIGUSR1);
        do_pause();
    }
}

MEASURE(pause_asleep) {
    set_up(SIGUSR1);
    before_pause(SIGUSR1);
    bench_ready();
    for (;;) do_pause();
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

MEASURE(send_recv_ready) {
    char byte;
    int ends[2];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    set_up(SIGUSR1);
    EACH(0) {
        OK(CALL(send)(ends[0], "", 1, 0));
        OK(CALL(recv)(ends[1], &byte, 1, 0));
    }
}

MEASURE(connect_accept_ready) {
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* the kernel finds a name */
    socklen_t length = sizeof address;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    OK(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family));
    OK(getsockname(listener, (struct sockaddr *)&address, &length));
    OK(listen(listener, 1));
    set_up(SIGUSR1);
    EACH(0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        OK(CALL(connect)(fd, (struct sockaddr *)&address, length));
        close(CALL(accept)(listener, NULL, NULL));
        close(fd);
    }
}

MEASURE(waitpid_ready) {
    int status;
    pid_t pid = fork();
    OK(pid);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    set_up(SIGUSR1);
    EACH(0) OK(CALL(waitpid)(pid, &status, WNOHANG));
    OK(kill(pid, SIGKILL));
}
