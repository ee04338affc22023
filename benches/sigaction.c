/* A handler in signal context, which may do nothing of use: the limit for every deferred one. */
#include "peer.h"

static struct sigaction before;
static int watched;

static void on_signal(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)info, (void)context;
    bench_handle(1);
}

static void peer_open(int signum) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    watched = signum;
    OK(sigaction(signum, &action, &before));
}

static void peer_close(void) { OK(sigaction(watched, &before, NULL)); }
static void peer_take(void) {}
static void peer_poll(void) {}
static void peer_wait(void) { pause(); }

static const char *bench_version(void) { return ""; }
