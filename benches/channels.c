/* Delivery to a handler and to so many channels beside it; reading them is not measured. */
#include "rsig_peer.h"
#define CAPACITY 64

/* These measures are not the peers' own. */
static void peer_open(int signum) { rsig_peer_open(signum); }
static void peer_close(void) { OK(rsig_fini()); }
static void peer_take(void) { OK(rsig_pump()); }
static void peer_poll(void) { peer_take(); }
static void peer_wait(void) { peer_take(); }

static void drain(rsig_channel_t **channels, int count) {
    rsig_siginfo_t infos[CAPACITY];
    for (int i = 0; i < count; i++)
        while (rsig_channel_read(channels[i], infos, CAPACITY) > 0) {
        }
}

/* They are read after so many deliveries. */
static void deliver_to(int count, rsig_channel_t **channels, int deliveries) {
    EACH(1) {
        raise(SIGUSR1);
        rsig_pump();
        if ((bench_i + 1) % deliveries && bench_i != bench_n - 1) continue;
        bench_stop();
        drain(channels, count);
        bench_start();
    }
}

static void open_channels(int count, rsig_channel_t **channels) {
    peer_open(SIGUSR1);
    for (int i = 0; i < count; i++)
        OK(rsig_channel_open(RSIG_SIGSET(SIGUSR1), CAPACITY, &channels[i]));
}

static void deliver_without_fd(int count) {
    rsig_channel_t *channels[64];
    open_channels(count, channels);
    deliver_to(count, channels, CAPACITY);
}

/* Each delivery finds the descriptors unreadable: those that are readable already would cost nothing. */
static void deliver_with_fd(int count) {
    rsig_channel_t *channels[64];
    open_channels(count, channels);
    for (int i = 0; i < count; i++) OK(rsig_channel_fd(channels[i]));
    deliver_to(count, channels, 1);
}

MEASURE(channels_0) { deliver_without_fd(0); }
MEASURE(channels_1) { deliver_without_fd(1); }
MEASURE(channels_8) { deliver_without_fd(8); }
MEASURE(channels_64) { deliver_without_fd(64); }
MEASURE(channels_1_fd) { deliver_with_fd(1); }
MEASURE(channels_8_fd) { deliver_with_fd(8); }
MEASURE(channels_64_fd) { deliver_with_fd(64); }
