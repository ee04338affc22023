/* A blocked signal, accepted with its siginfo: the limit for accepted signals. */
#include "blocked.h"
#include "peer.h"

static sigset_t set;

static void peer_open(int signum) { set = block(signum); }
static void peer_close(void) { unblock(&set); }

static void peer_poll(void) {
    siginfo_t info;
    if (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0) bench_handle(1);
}

static void peer_take(void) { peer_poll(); }

static void peer_wait(void) {
    siginfo_t info;
    OK(sigwaitinfo(&set, &info));
    bench_handle(1);
}

static const char *bench_version(void) { return ""; }
