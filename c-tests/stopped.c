/*
 * Stopped and continued, by a signal or by a debugger, in every call that waits: the call goes on,
 * and what was sent meanwhile is handled.
 */
#include "tour.h"
#include <sched.h>
#include <sys/ptrace.h>

enum { REFUSED = 7 };

static struct check_calls counted, refusing = {.result = REFUSED};
static rsig_channel_t *channel;
static int fds[2], listening;

/* ---- the calls ---- */

static long call_pause(void) { return rsig_pause(); }
static long call_wait(void) { return rsig_wait(-1); }
static long call_sigwait(void) { return rsig_sigwait(RSIG_SIGSET(SIGHUP)); }
static long call_sigtimedwait(void) {
    return rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 1e6, NULL);
}
static long call_dispatch(void) { return rsig_dispatch(RSIG_SIGSET(SIGHUP), -1); }
static long call_channel_wait(void) {
    rsig_siginfo_t info;
    return rsig_channel_wait(channel, &info, -1);
}
static long call_read(void) {
    char byte;
    return rsig_read(fds[0], &byte, 1);
}
static long call_write(void) {
    static const char much[1 << 20];
    while (rsig_write(fds[1], much, sizeof much) > 0) continue;
    return -1;
}
static long call_recv(void) {
    char byte;
    return rsig_recv(fds[0], &byte, 1, 0);
}
static long call_accept(void) { return rsig_accept(listening, NULL, NULL); }
static long call_poll(void) {
    struct pollfd one = {fds[0], POLLIN, 0};
    return rsig_poll(&one, 1, 1e6);
}
static long call_sleep(void) { return rsig_sleep(1e6); }
static long call_waitpid(void) { return rsig_waitpid(-1, NULL, 0); }

static const struct blocking {
    const char *name;
    long (*call)(void);
    long number;
    int refused; /* its result */
    int handled; /* and where a handler ends it; 0: none does */
} blocking[] = {
    {"rsig_pause", call_pause, SYS_ppoll, RSIG_ERROR_HANDLER, 1},
    {"rsig_wait", call_wait, SYS_ppoll, RSIG_ERROR_HANDLER, 1},
    {"rsig_dispatch", call_dispatch, CHECK_SYS_SIGWAIT, RSIG_ERROR_HANDLER, 1},
    {"rsig_sigwait", call_sigwait, CHECK_SYS_SIGWAIT, RSIG_ERROR_HANDLER, 0},
    {"rsig_sigtimedwait", call_sigtimedwait, CHECK_SYS_SIGWAIT, RSIG_ERROR_HANDLER, 0},
    {"rsig_channel_wait", call_channel_wait, SYS_ppoll, RSIG_ERROR_HANDLER, 0},
    {"rsig_read", call_read, SYS_read, -1, 0},
    {"rsig_write", call_write, SYS_write, -1, 0},
    {"rsig_recv", call_recv, SYS_recvfrom, -1, 0},
    {"rsig_accept", call_accept, SYS_accept4, -1, 0},
    {"rsig_poll", call_poll, SYS_ppoll, -1, 0},
    {"rsig_sleep", call_sleep, SYS_clock_nanosleep, -1, 0},
    {"rsig_waitpid", call_waitpid, SYS_wait4, -1, 0},
};

/* ---- the process that calls ---- */

/* What comes while it is stopped. */
enum meanwhile { NOTHING, A_SIGNAL, CONT_HANDLED };

static void set_up(enum meanwhile meanwhile) {
    CHECK_SYS(setpgid(0, 0)); /* a group that SIGTSTP stops */
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &counted, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &refusing, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGHUP, check_handler, &refusing, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGWINCH), 1, &channel), RSIG_OK);
    if (meanwhile == CONT_HANDLED)
        CHECK_INT(rsig_signal(SIGCONT, check_handler, &counted, NULL), RSIG_OK);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    struct sockaddr address = {.sa_family = AF_UNIX};
    CHECK_SYS(listening = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(bind(listening, &address, sizeof address.sa_family));
    CHECK_SYS(listen(listening, 1));
}

/* Something to wait for. */
static void have_child(void) {
    int ends[2];
    char byte;
    CHECK_SYS(pipe(ends));
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        close(ends[1]);
        /* Until its parent has ended. */
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
}

static void process(const struct blocking *it, enum meanwhile meanwhile) {
    set_up(meanwhile);
    if (it->call == call_waitpid) have_child();
    long result = it->call();
    if (meanwhile != NOTHING && it->handled) {
        CHECK(result >= 0);
        CHECK_INT(refusing.calls, 0);
    } else {
        CHECK_INT(result, it->refused);
        CHECK_INT(rsig_raised(NULL), REFUSED);
    }
    CHECK_INT(counted.calls, meanwhile != NOTHING);
    _exit(0);
}

/* ---- who stops it ---- */

/* A call that goes on as if nothing had been is shown so. */
static int sleeps(pid_t pid, long number) {
    return check_sleeps(pid, number, NULL) || check_sleeps(pid, SYS_restart_syscall, NULL);
}

static void stop_by_signal(pid_t pid, int signum, enum meanwhile meanwhile) {
    int status;
    CHECK_SYS(kill(pid, signum));
    CHECK_INT(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signum);
    if (meanwhile == A_SIGNAL) CHECK_SYS(kill(pid, SIGUSR1));
    CHECK_SYS(kill(pid, SIGCONT));
}

static void by_sigstop(pid_t pid, enum meanwhile meanwhile) {
    stop_by_signal(pid, SIGSTOP, meanwhile);
}

static void by_sigtstp(pid_t pid, enum meanwhile meanwhile) {
    stop_by_signal(pid, SIGTSTP, meanwhile);
}

static void by_debugger(pid_t pid, enum meanwhile meanwhile) {
    int status;
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL)) check_skip("no debuggers here");
    CHECK_SYS(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP);
    long signum = 0;
    if (meanwhile == A_SIGNAL) {
        CHECK_SYS(kill(pid, SIGUSR1));
        CHECK_SYS(ptrace(PTRACE_CONT, pid, NULL, NULL));
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1);
        signum = SIGUSR1;
    }
    CHECK_SYS(ptrace(PTRACE_DETACH, pid, NULL, (void *)signum));
}

static void check_one(const struct blocking *it, void (*stop)(pid_t, enum meanwhile),
                      enum meanwhile meanwhile) {
    int status;
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) process(it, meanwhile);
    check_await_syscall(pid, it->number);
    stop(pid, meanwhile);
    if (meanwhile == NOTHING || !it->handled) {
        while (!sleeps(pid, it->number)) {
            if (waitpid(pid, &status, WNOHANG) != 0)
                CHECK_FAIL("%s has ended: %#x", it->name, (unsigned)status);
            sched_yield();
        }
        if (meanwhile == NOTHING) {
            /* Twice does no harm either. */
            stop(pid, meanwhile);
        }
        CHECK_SYS(kill(pid, SIGTERM));
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        CHECK_FAIL("%s: the wait status is %#x", it->name, (unsigned)status);
}

static void check_all(void (*stop)(pid_t, enum meanwhile), enum meanwhile meanwhile) {
    for (size_t i = 0; i < sizeof blocking / sizeof *blocking; i++)
        check_one(&blocking[i], stop, meanwhile);
}

TEST(sigstop, "SIGSTOP and SIGCONT are no end of a call") { check_all(by_sigstop, NOTHING); }
TEST(sigstop_and_signal,
     "a signal that was sent while it is stopped is handled, and then it goes on") {
    check_all(by_sigstop, A_SIGNAL);
}
TEST(sigstop_and_handled_cont, "so is a SIGCONT that has a handler") {
    check_all(by_sigstop, CONT_HANDLED);
}
TEST(sigtstp, "SIGTSTP, a terminal's, is no end of a call") { check_all(by_sigtstp, NOTHING); }
TEST(sigtstp_and_signal, "nor does it lose a signal") { check_all(by_sigtstp, A_SIGNAL); }
TEST(debugger, "a debugger that attaches and detaches is no end of a call") {
    check_all(by_debugger, NOTHING);
}
TEST(debugger_and_signal, "and passes on a signal, which is handled, and then the call goes on") {
    check_all(by_debugger, A_SIGNAL);
}

/* ---- time goes by ---- */

static const double limit = 0.1;

static int until_limit(int which) {
    struct pollfd one = {fds[0], POLLIN, 0};
    rsig_siginfo_t info;
    switch (which) {
    case 0: return rsig_wait(limit);
    case 1: return rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), limit, NULL);
    case 2: return rsig_dispatch(RSIG_SIGSET(SIGHUP), limit);
    case 3: return rsig_channel_wait(channel, &info, limit);
    case 4: return rsig_poll(&one, 1, limit);
    default: return rsig_sleep(limit);
    }
}

static double seconds(void) {
    struct timespec now;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

TEST(time_goes_by, "a time limit that is over while it is stopped is over, and none is cut short") {
    for (int which = 0; which < 6; which++) {
        int status;
        pid_t pid = fork();
        CHECK_SYS(pid);
        if (pid == 0) {
            set_up(NOTHING);
            double began = seconds();
            CHECK_INT(until_limit(which), 0);
            CHECK(seconds() - began >= limit);
            _exit(0);
        }
        /* At whatever place it is. */
        CHECK_SYS(kill(pid, SIGSTOP));
        CHECK_INT(waitpid(pid, &status, WUNTRACED), pid);
        double stopped = seconds();
        while (seconds() < stopped + limit) sched_yield();
        CHECK_SYS(kill(pid, SIGCONT));
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_CHILD_OK(status);
    }
}
