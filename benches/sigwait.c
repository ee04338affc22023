/* A blocked signal, accepted by sigwait(): the limit for accepted signals, together with sigtimedwait.c. */
#include "blocked.h"
#include "peer.h"

static sigset_t set;

static void peer_open(int signum) { set = block(signum); }
static void peer_close(void) { unblock(&set); }

static void peer_wait(void) {
    int signum;
    if (sigwait(&set, &signum)) bench_fail("sigwait");
    bench_handle(1);
}

PEER_IS_A_LOOP

static void peer_poll(void) {
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGUSR1)) peer_wait();
}

static const char *bench_version(void) { return ""; }
