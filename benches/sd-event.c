#include "blocked.h"
#include "peer.h"
#include <systemd/sd-event.h>

static sd_event *event;
static sd_event_source *source;
static sigset_t set;

static int on_signal(sd_event_source *by, const struct signalfd_siginfo *info, void *arg) {
    (void)by, (void)info, (void)arg;
    bench_handle(1);
    return 0;
}

static void watch(int signum) {
    OK(sd_event_add_signal(event, &source, signum, on_signal, NULL));
}

static void unwatch(void) { sd_event_source_unref(source); }

static void peer_open(int signum) {
    set = block(signum);
    OK(sd_event_new(&event));
    watch(signum);
}

static void peer_close(void) {
    unwatch();
    sd_event_unref(event);
    unblock(&set);
}

static void peer_poll(void) { OK(sd_event_run(event, 0)); }
static void peer_wait(void) { OK(sd_event_run(event, UINT64_MAX)); }
PEER_IS_A_LOOP

MEASURE(set) {
    block(SIGUSR1);
    OK(sd_event_new(&event));
    EACH(0) {
        watch(SIGUSR1);
        unwatch();
    }
}

/* It cannot say its version itself. */
static const char *bench_version(void) { return VERSION; }
