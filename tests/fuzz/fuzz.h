/*
 * What all of the fuzz driver shares: numbers drawn from a seed, failing, tracing, and the three threads.
 *
 * A sequence is a list of operations that a seed determines, each with a thread and a number of its own, from which its
 * arguments are drawn when it runs: so any part of a list is a sequence too, and the smallest part that fails is searched for.
 */
#ifndef FUZZ_H
#define FUZZ_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <rsig.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The process's first thread, which drives the others, and two that wait for an operation. */
enum { M, A, B, THREADS };
static const char *const thread_names[] = {"M", "A", "B", "C", "the ticker"};
static _Thread_local int self;

/* Written by the child that fails, read by the driver. */
static char *report;
enum { REPORT = 4096 };

/* The sequence is over: the library and the model differ. From whichever thread, and in signal handlers too. */
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (!*report) {
        int size = snprintf(report, REPORT, "on thread %s: ", thread_names[self]);
        vsnprintf(report + size, REPORT - (size_t)size, format, list);
    }
    va_end(list);
    _exit(1);
}

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) fail("%s:%d: %s: %s", __FILE__, __LINE__, #condition, strerror(errno));  \
    } while (0)

/* The list of calls of a sequence, where it is to be shown. */
static int tracing, nesting;

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...) {
    if (!tracing) return;
    char line[512];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    dprintf(STDOUT_FILENO, "%*s%s: %s\n", 4 + 4 * nesting, "", thread_names[self], line);
}

/* splitmix64 */
static uint64_t draw(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int below(uint64_t *state, int limit) { return (int)(draw(state) % (unsigned)limit); }
static int chance(uint64_t *state, int percent) { return below(state, 100) < percent; }
#define ONE_OF(state, array) (array)[below(state, sizeof(array) / sizeof *(array))]

/* The signals of the game; SIGIO is the noise's. */
static int pool[12] = {SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTERM, SIGCHLD, SIGURG, SIGWINCH};
static uint64_t in_pool;
/* Mostly some of the first of them, so that they meet. */
static int in_play = sizeof pool / sizeof *pool;
static const int noise_signal = SIGIO;

static uint64_t bit(int signum) { return signum < 1 || signum > 64 ? 0 : RSIG_SIGSET(signum); }

static void make_pool(void) {
    pool[8] = SIGRTMIN + 1;
    pool[9] = SIGRTMIN + 6;
    /* These are what rsig may take for itself. */
    pool[10] = SIGRTMAX - 1;
    pool[11] = SIGRTMAX;
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) in_pool |= bit(pool[i]);
}

static int one_of_pool(uint64_t *state) {
    return chance(state, 92) ? pool[below(state, in_play)] : ONE_OF(state, pool);
}

static void choose_from_pool(uint64_t *state) {
    const int count = sizeof pool / sizeof *pool;
    for (int i = 0; i < count; i++) {
        int other = below(state, count), signum = pool[i];
        pool[i] = pool[other];
        pool[other] = signum;
    }
    if (chance(state, 60)) in_play = 2 + below(state, 4);
}

/* For the lists of calls. */
static const char *name_of(int signum) {
    static _Thread_local char names[4][16];
    static _Thread_local int next;
    char *name = names[next++ % 4];
    if (signum >= SIGRTMIN && signum <= SIGRTMAX)
        snprintf(name, 16, "SIGRTMIN+%d", signum - SIGRTMIN);
    else if (signum > 0 && signum < 32 && sigabbrev_np(signum))
        snprintf(name, 16, "SIG%s", sigabbrev_np(signum));
    else
        snprintf(name, 16, "%d", signum);
    return name;
}

#endif
