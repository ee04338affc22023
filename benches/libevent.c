#include "peer.h"
#include <event2/event.h>

static struct event_base *base;
static struct event *watcher;

static void on_signal(evutil_socket_t signum, short events, void *arg) {
    (void)signum, (void)events, (void)arg;
    bench_handle(1);
}

static void watch(int signum) {
    watcher = evsignal_new(base, signum, on_signal, NULL);
    OK(evsignal_add(watcher, NULL));
}

static void unwatch(void) { event_free(watcher); }

static void peer_open(int signum) {
    base = event_base_new();
    watch(signum);
}

static void peer_close(void) {
    unwatch();
    event_base_free(base);
}

static void peer_poll(void) { event_base_loop(base, EVLOOP_NONBLOCK); }
static void peer_wait(void) { event_base_loop(base, EVLOOP_ONCE); }
PEER_IS_A_LOOP

MEASURE(set) {
    base = event_base_new();
    EACH(0) {
        watch(SIGUSR1);
        unwatch();
    }
}

static const char *bench_version(void) { return event_get_version(); }
