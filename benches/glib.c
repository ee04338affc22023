#define PEER_BURST 0 /* g_unix_signal_source_new() takes six standard signals only */
#include "peer.h"
#include <glib-unix.h>

static GMainContext *context;
static GSource *source;

static gboolean on_signal(gpointer arg) {
    (void)arg;
    bench_handle(1);
    return G_SOURCE_CONTINUE;
}

static void watch(int signum) {
    source = g_unix_signal_source_new(signum);
    g_source_set_callback(source, on_signal, NULL, NULL);
    g_source_attach(source, context);
}

static void unwatch(void) {
    g_source_destroy(source);
    g_source_unref(source);
}

static void peer_open(int signum) {
    context = g_main_context_new();
    watch(signum);
}

static void peer_close(void) {
    unwatch();
    g_main_context_unref(context);
}

static void peer_poll(void) { g_main_context_iteration(context, FALSE); }
static void peer_wait(void) { g_main_context_iteration(context, TRUE); }
PEER_IS_A_LOOP

MEASURE(set) {
    context = g_main_context_new();
    EACH(0) {
        watch(SIGUSR1);
        unwatch();
    }
}

static const char *bench_version(void) {
    static char text[32];
    snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
             glib_micro_version);
    return text;
}
