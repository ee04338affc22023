/* What rsig's own programs share: a handler, and the library with the signal watched. */
#ifndef RSIG_PEER_H
#define RSIG_PEER_H

#include "peer.h"
#include <rsig.h>

static inline int on_signal(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)arg;
    bench_handle(info->count);
    return 0;
}

static inline void rsig_peer_open(int signum) {
    OK(rsig_init(0));
    OK(rsig_signal(signum, on_signal, NULL, NULL));
}

static const char *bench_version(void) { return rsig_version(); }

#endif
