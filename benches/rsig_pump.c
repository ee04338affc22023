/* A program that pumps where it can be interrupted; with -DASKS it asks rsig_tripped() first, with -DLOADS the flags. */
#include "rsig_peer.h"

#define LIKELY(condition) __builtin_expect(condition, 1)

static const volatile uint64_t *flags;

static void peer_open(int signum) {
    rsig_peer_open(signum);
    flags = rsig_tripped_flags();
}

static void peer_close(void) { OK(rsig_fini()); }

static void peer_poll(void) {
#if defined ASKS
    if (LIKELY(!rsig_tripped())) return;
#elif defined LOADS
    if (LIKELY(!*flags)) return;
#endif
    OK(rsig_pump());
}

static void peer_take(void) { peer_poll(); }
static void peer_wait(void) { OK(rsig_pause()); }
