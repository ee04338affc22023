#include "peer.h"
#include <uv.h>

static uv_loop_t loop;
static uv_signal_t watcher;

static void on_signal(uv_signal_t *by, int signum) {
    (void)by, (void)signum;
    bench_handle(1);
}

static void make(void) {
    OK(uv_loop_init(&loop));
    OK(uv_signal_init(&loop, &watcher));
}

static void watch(int signum) { OK(uv_signal_start(&watcher, on_signal, signum)); }
static void unwatch(void) { OK(uv_signal_stop(&watcher)); }

static void peer_open(int signum) {
    make();
    watch(signum);
}

static void peer_close(void) {
    uv_close((uv_handle_t *)&watcher, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    OK(uv_loop_close(&loop));
}

static void peer_poll(void) { uv_run(&loop, UV_RUN_NOWAIT); }
static void peer_wait(void) { uv_run(&loop, UV_RUN_ONCE); }
PEER_IS_A_LOOP

MEASURE(set) {
    make();
    EACH(0) {
        watch(SIGUSR1);
        unwatch();
    }
}

static const char *bench_version(void) { return uv_version_string(); }
