/* A blocked signal, its handler run by rsig_dispatch(). */
#include "blocked.h"
#include "rsig_peer.h"

static sigset_t set;
static rsig_sigset_t one;

static void peer_open(int signum) {
    set = block(signum);
    one = RSIG_SIGSET(signum);
    rsig_peer_open(signum);
}

static void peer_close(void) {
    OK(rsig_fini());
    unblock(&set);
}

static void peer_poll(void) { OK(rsig_dispatch(one, 0)); }
static void peer_take(void) { peer_poll(); }
static void peer_wait(void) { OK(rsig_dispatch(one, -1)); }
