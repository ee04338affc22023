/* For the peers that accept a signal which is blocked. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include "bench.h"

/* The signal alone, blocked from now on. */
static inline sigset_t block(int signum) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signum);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return set;
}

static inline void unblock(const sigset_t *set) { sigprocmask(SIG_UNBLOCK, set, NULL); }

#endif
