/*
 * The measures that all peers have. Each defines the functions below. Where there is something to make first, its file has one
 * measure more, `set`: a signal is watched, and what was there is put back, in a library or a loop that is there; elsewhere
 * that is what `init` measures.
 */
#ifndef PEER_H
#define PEER_H

#include "bench.h"

static void peer_open(int signum); /* makes what it takes and watches the signal: its handler calls bench_handle() */
static void peer_close(void);      /* ... and unmakes it */
static void peer_take(void);       /* the usual way to handle a signal that is there */
static void peer_poll(void);       /* looks for one, and does not wait */
static void peer_wait(void);       /* sleeps until there may be one, and handles it */

/* For the peers that are loops: the usual way is an iteration that may sleep. */
#define PEER_IS_A_LOOP                                                                             \
    static void peer_take(void) { peer_wait(); }

/* How many of a burst of real-time signals the handler hears of; 0: the peer cannot watch such a one. */
#define BURST 1000
#ifndef PEER_BURST
#define PEER_BURST BURST
#endif

static inline void take_until(long handled) {
    while (bench_handled < handled) peer_take();
}

/* A signal that this process raises, until it is handled. */
MEASURE(one) {
    peer_open(SIGUSR1);
    EACH(1) {
        raise(SIGUSR1);
        take_until(bench_i + 1);
    }
}

#if PEER_BURST
/* Many, then all are handled. */
MEASURE(burst) {
    int signum = SIGRTMIN + 1;
    peer_open(signum);
    EACH(PEER_BURST) {
        for (int i = 0; i < BURST; i++) raise(signum);
        take_until((bench_i + 1) * PEER_BURST);
    }
}
#endif

/* A look when there is nothing. */
MEASURE(idle) {
    peer_open(SIGUSR1);
    EACH(0) peer_poll();
}

/* From nothing to a watched signal and back. */
MEASURE(init) {
    EACH(0) {
        peer_open(SIGUSR1);
        peer_close();
    }
}

/* Answers the signals of sender.c. */
MEASURE(reply) {
    peer_open(SIGUSR1);
    bench_ready();
    for (;;) peer_wait();
}

#endif
