/*
 * A test program is a file of TESTs, each with the promise that it checks. Without arguments the program
 * lists their names; with a name it runs that one, in this process. Exit status 0: it holds. 77: it cannot be
 * checked here, which is a failure where CI is set. Anything else: it does not, and stderr says where.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <rsig.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct check_test {
    const char *name, *promise;
    void (*run)(void);
};

static struct check_test check_tests[128];
static int check_count;

static inline void check_register(const char *name, const char *promise, void (*run)(void)) {
    if (check_count == (int)(sizeof check_tests / sizeof *check_tests)) abort();
    check_tests[check_count].name = name;
    check_tests[check_count].promise = promise;
    check_tests[check_count++].run = run;
}

/* TEST(name, "the promise") { body } */
#define TEST(name, promise)                                                                        \
    static void name(void);                                                                        \
    __attribute__((constructor)) static void register_##name(void) {                               \
        check_register(#name, promise, name);                                                      \
    }                                                                                              \
    static void name(void)

/* Fails the case. */
#define CHECK_FAIL(...)                                                                            \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fprintf(stderr, "\n  rsig_error_message(): %s\n", rsig_error_message());                   \
        _exit(1);                                                                                  \
    } while (0)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) CHECK_FAIL("%s", #condition);                                            \
    } while (0)

/* Both sides as long long; each is evaluated once. */
#define CHECK_INT(actual, expected)                                                                \
    do {                                                                                           \
        long long check_a = (long long)(actual), check_e = (long long)(expected);                  \
        if (check_a != check_e)                                                                    \
            CHECK_FAIL("%s is %lld, not %s (%lld)", #actual, check_a, #expected, check_e);         \
    } while (0)

#define CHECK_STR(actual, expected)                                                                \
    do {                                                                                           \
        const char *check_a = (actual), *check_e = (expected);                                     \
        if (!check_a || strcmp(check_a, check_e))                                                  \
            CHECK_FAIL("%s is \"%s\", not \"%s\"", #actual, check_a ? check_a : "(null)", check_e); \
    } while (0)

/* The call fails with this status and errno, and leaves a sentence. */
#define CHECK_ERROR(call, status, code)                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int check_r = (call), check_errno = errno;                                                 \
        if (check_r != (status) || check_errno != (code))                                          \
            CHECK_FAIL("%s: result %d, errno %d; not %s, %s", #call, check_r, check_errno,         \
                       #status, #code);                                                            \
        if (!*rsig_error_message()) CHECK_FAIL("%s left no message", #call);                       \
    } while (0)

/* A call of the system's that must not fail. */
#define CHECK_SYS(call)                                                                            \
    do {                                                                                           \
        if ((call) < 0) CHECK_FAIL("%s: %s", #call, strerror(errno));                              \
    } while (0)

__attribute__((unused, noreturn)) static void check_skip(const char *why) {
    fprintf(stderr, "skipped: %s\n", why);
    _exit(77);
}

#ifndef __GLIBC__
#include "musl.h"
#endif

/*
 * Without the stub a call goes on until the kernel ends it with EINTR: one that SA_RESTART begins
 * anew, or a signal that lands just before it, is seen only when it is over.
 */
__attribute__((unused)) static void check_needs_stub(void) {
    if (!RSIG_RACE_FREE) check_skip("RSIG_RACE_FREE is 0 here");
}

/* Runs `body` in a forked child, which ends with exit status 0 when it returns; its wait status. */
__attribute__((unused)) static int check_child(void (*body)(void)) {
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        body();
        _exit(0);
    }
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    return status;
}

/* The child ended by itself with exit status 0. */
#define CHECK_CHILD_OK(status)                                                                     \
    do {                                                                                           \
        int check_s = (status);                                                                    \
        if (!WIFEXITED(check_s) || WEXITSTATUS(check_s) != 0)                                      \
            CHECK_FAIL("the child's wait status is %#x", (unsigned)check_s);                       \
    } while (0)

/* The child was killed by this signal. */
#define CHECK_CHILD_KILLED(status, signum)                                                         \
    do {                                                                                           \
        int check_s = (status);                                                                    \
        if (!WIFSIGNALED(check_s) || WTERMSIG(check_s) != (signum))                                \
            CHECK_FAIL("the child's wait status is %#x, not death by %s", (unsigned)check_s,       \
                       #signum);                                                                   \
    } while (0)

/* What /proc/PID/syscall shows for a system call. */
#ifdef CHECK_EMULATED
#include "emulated.h"
#else
#define check_shown(number) (number)
#endif

/* What the main thread sleeps in, in the sigwait family. */
#define CHECK_SYS_SIGWAIT (RSIG_RACE_FREE ? SYS_rt_sigtimedwait : SYS_ppoll)

/* The beginning of a file of /proc about a thread, of whichever process; 0 where it is no more. */
static int check_read_proc(pid_t tid, const char *name, char *text, size_t size) {
    char path[64];
    /* Not /proc/PID/stat, which qemu makes up. */
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)tid, (int)tid, name);
    FILE *file = fopen(path, "r");
    if (!file && errno != ENOENT && errno != ESRCH) CHECK_FAIL("%s: %s", path, strerror(errno));
    if (!file) return 0;
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
    return 1;
}

/*
 * Whether a thread sleeps in a system call; `argument` gets its first one, unless it is NULL. The
 * call alone does not say so: a thread that was woken is shown in it until it runs.
 */
static int check_sleeps(pid_t tid, long number, unsigned long *argument) {
    char call[256], stat[256];
    long now = -1;
    unsigned long first = 0;
    if (!check_read_proc(tid, "syscall", call, sizeof call)) return 0;
    if (!check_read_proc(tid, "stat", stat, sizeof stat)) return 0;
    if (sscanf(call, "%ld 0x%lx", &now, &first) != 2 || now != check_shown(number)) return 0;
    if (argument) *argument = first;
    const char *name_end = strrchr(stat, ')');
    return name_end && name_end[1] == ' ' && name_end[2] == 'S';
}

/*
 * Returns when a thread (of this process or another) sleeps inside the given system call: the event to wait
 * for before a signal is sent to somebody who shall be caught waiting. No time limit: the runner has one.
 */
__attribute__((unused)) static void check_await_syscall(pid_t tid, long number) {
    char name[64];
    while (!check_sleeps(tid, number, NULL)) {
        if (!check_read_proc(tid, "comm", name, sizeof name)) CHECK_FAIL("thread %d ended", (int)tid);
        sched_yield();
    }
}

/* Another process that sends a signal to this one once its main thread sleeps in a system call. */
__attribute__((unused)) static void check_send_when_asleep(long number, int signum) {
    pid_t parent = getpid(), child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        check_await_syscall(parent, number);
        CHECK_SYS(kill(parent, signum));
        _exit(0);
    }
}

__attribute__((unused)) static pid_t check_gettid(void) { return (pid_t)syscall(SYS_gettid); }

/* What the kernel does with a signal now: its sa_handler or sa_sigaction. */
__attribute__((unused)) static void *check_kernel_handler(int signum) {
    struct sigaction now;
    CHECK_SYS(sigaction(signum, NULL, &now));
    return now.sa_flags & SA_SIGINFO ? (void *)(size_t)now.sa_sigaction
                                     : (void *)(size_t)now.sa_handler;
}

/* The kernel's whole record of a signal. */
struct check_disposition {
    unsigned long handler, flags, restorer, mask[64 / (8 * sizeof(long))];
};

__attribute__((unused)) static struct check_disposition check_disposition(int signum) {
    const unsigned long has_restorer = 0x04000000;
    struct check_disposition now;
    memset(&now, 0, sizeof now);
    CHECK_SYS(syscall(SYS_rt_sigaction, signum, NULL, &now, NSIG / 8));
    /* Without the flag the C library passes anything. */
    if (!(now.flags & has_restorer)) now.restorer = 0;
    return now;
}

__attribute__((unused)) static int check_same_disposition(struct check_disposition a,
                                                          struct check_disposition b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A handler that counts its calls and adds up its deliveries; `arg` is a struct check_calls. */
struct check_calls {
    int calls;
    long long deliveries;
    int last_signum;
    rsig_siginfo_t last_info;
    int result; /* what the handler returns: 0, or a refusal */
};

__attribute__((unused)) static int check_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    struct check_calls *calls = (struct check_calls *)arg;
    calls->calls++;
    calls->deliveries += info->count;
    calls->last_signum = signum;
    calls->last_info = *info;
    return calls->result;
}

int main(int argc, char **argv) {
    /* Whoever runs this may have been started with signals ignored or blocked. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL);

    if (argc == 1) {
        for (int i = 0; i < check_count; i++) puts(check_tests[i].name);
        return 0;
    }
    for (int i = 0; i < check_count; i++) {
        if (strcmp(check_tests[i].name, argv[1])) continue;
        fprintf(stderr, "%s: %s\n", argv[1], check_tests[i].promise);
        check_tests[i].run();
        return 0;
    }
    fprintf(stderr, "no such test: %s\n", argv[1]);
    return 2;
}

#endif
