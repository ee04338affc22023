#include "peer.h"
#include <uv.h>

static uv_loop_t loop;
static uv_signal_t watcher;

static void on_signal(uv_signal_t *by, int signum) {
    (void)by, (void)signum;
    bench_handle(1);
}

static void peer_open(int signum) {
    OK(uv_loop_init(&loop));
    OK(uv_signal_init(&loop, &watcher));
    OK(uv_signal_start(&watcher, on_signal, signum));
}

static void peer_close(void) {
    uv_close((uv_handle_t *)&watcher, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    OK(uv_loop_close(&loop));
}

static void peer_poll(void) { uv_run(&loop, UV_RUN_NOWAIT); }
static void peer_wait(void) { uv_run(&loop, UV_RUN_ONCE); }
PEER_IS_A_LOOP

static const char *bench_version(void) { return uv_version_string(); }
