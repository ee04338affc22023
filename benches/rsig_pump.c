/* A program that pumps where it can be interrupted; with -DASKS it asks rsig_tripped() first, with -DLOADS the flags.
 * With -DNOTHING it calls a function that does nothing instead, which is what a call of the library costs at least. */
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
#elif defined NOTHING
    rsig_version();
    return;
#endif
    OK(rsig_pump());
}

static void peer_take(void) { peer_poll(); }
static void peer_wait(void) { OK(rsig_pause()); }

MEASURE(set) {
    rsig_action_t before;
    OK(rsig_init(0));
    EACH(0) {
        OK(rsig_signal(SIGUSR1, on_signal, NULL, &before));
        OK(rsig_signal(SIGUSR1, before.handler, before.arg, NULL));
    }
}
