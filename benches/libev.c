#define PEER_BURST 1 /* it calls back once, however many came */
#include "peer.h"
#include <ev.h>

static struct ev_loop *loop;
static ev_signal watcher;

static void on_signal(struct ev_loop *on, ev_signal *by, int events) {
    (void)on, (void)by, (void)events;
    bench_handle(1);
}

static void watch(int signum) {
    ev_signal_init(&watcher, on_signal, signum);
    ev_signal_start(loop, &watcher);
}

static void unwatch(void) { ev_signal_stop(loop, &watcher); }

static void peer_open(int signum) {
    loop = ev_loop_new(EVFLAG_AUTO);
    watch(signum);
}

static void peer_close(void) {
    unwatch();
    ev_loop_destroy(loop);
}

static void peer_poll(void) { ev_run(loop, EVRUN_NOWAIT); }
static void peer_wait(void) { ev_run(loop, EVRUN_ONCE); }
PEER_IS_A_LOOP

MEASURE(set) {
    loop = ev_loop_new(EVFLAG_AUTO);
    EACH(0) {
        watch(SIGUSR1);
        unwatch();
    }
}

static const char *bench_version(void) {
    static char text[32];
    snprintf(text, sizeof text, "%d.%d", ev_version_major(), ev_version_minor());
    return text;
}
