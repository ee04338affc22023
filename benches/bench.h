/*
 * A program of measures. With the name of one as its first argument it sets that one up; from then on it answers each line on
 * its standard input, a number n, by a line of what n operations took: nanoseconds for each on average, or for each of them.
 * It ends with its standard input. Without arguments it says its version.
 */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A call that must not fail. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) < 0) bench_fail(#call);                                                         \
    } while (0)

__attribute__((noreturn)) static inline void bench_fail(const char *what) {
    fprintf(stderr, "%s failed; errno: %s\n", what, strerror(errno));
    exit(1);
}

struct bench_measure {
    const char *name;
    void (*run)(void);
};

static struct bench_measure bench_measures[64];
static int bench_count;
static char **bench_args; /* what follows the measure's name */

static inline void bench_register(const char *name, void (*run)(void)) {
    if (bench_count == (int)(sizeof bench_measures / sizeof *bench_measures)) abort();
    bench_measures[bench_count++] = (struct bench_measure){name, run};
}

/* MEASURE(name) { set up; EACH(1) { one operation } } */
#define MEASURE(name)                                                                              \
    static void measure_##name(void);                                                              \
    __attribute__((constructor)) static void register_##name(void) {                               \
        bench_register(#name, measure_##name);                                                     \
    }                                                                                              \
    static void measure_##name(void)

/* Runs what follows n times and answers, for each n that is asked for. `handled`: how many signals one operation handles. */
#define EACH(handled)                                                                              \
    for (long bench_n; (bench_n = bench_begin()) > 0; bench_end(bench_n, handled))                 \
        for (long bench_i = 0; bench_i < bench_n; bench_i++)

static volatile long bench_handled; /* in this batch */
static double bench_nanoseconds;    /* of this batch, while the clock was running */
static struct timespec bench_since;

static inline double bench_elapsed(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - bench_since.tv_sec) * 1e9 +
           (double)(now.tv_nsec - bench_since.tv_nsec);
}

/* Inside EACH: for what is not measured. */
static inline void bench_stop(void) { bench_nanoseconds += bench_elapsed(); }
static inline void bench_start(void) { clock_gettime(CLOCK_MONOTONIC, &bench_since); }

/* How many are asked for; 0: no more. */
static inline long bench_next(void) {
    char line[32];
    return fgets(line, sizeof line, stdin) ? strtol(line, NULL, 10) : 0;
}

static inline void bench_answer(const double *values, long count) {
    for (long i = 0; i < count; i++) printf("%.2f ", values[i]);
    putchar('\n');
    fflush(stdout);
}

static inline long bench_begin(void) {
    long n = bench_next();
    bench_handled = 0;
    bench_nanoseconds = 0;
    bench_start();
    return n;
}

static inline void bench_end(long n, long handled) {
    bench_stop();
    if (bench_handled != n * handled) {
        fprintf(stderr, "%ld operations handled %ld signals\n", n, bench_handled);
        exit(1);
    }
    double each = bench_nanoseconds / (double)n;
    bench_answer(&each, 1);
}

/* One byte for each signal to whoever has sent it: see sender.c. */
static int bench_replies;

static inline void bench_reply(void) {
    if (write(STDOUT_FILENO, "", 1) != 1) _exit(1);
}

/* From now on a handled signal is a reply. The first one says that this has begun. */
static inline void bench_ready(void) {
    bench_replies = 1;
    bench_reply();
}

/* What every handler and callback does. */
static inline void bench_handle(long count) {
    bench_handled += count;
    if (bench_replies) bench_reply();
}

static const char *bench_version(void);

int main(int argc, char **argv) {
    if (argc < 2) return puts(bench_version()) < 0;
    bench_args = argv + 2;
    for (int i = 0; i < bench_count; i++) {
        if (strcmp(bench_measures[i].name, argv[1])) continue;
        bench_measures[i].run();
        return 0;
    }
    fprintf(stderr, "no such measure: %s\n", argv[1]);
    return 2;
}

#endif
