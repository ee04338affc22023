/* A channel and no handler; with -DIN_EPOLL its descriptor in a loop. */
#include "rsig_peer.h"
#include <sys/epoll.h>

static rsig_channel_t *channel;
static int epoll;

static void peer_open(int signum) {
    struct epoll_event event = {.events = EPOLLIN};
    OK(rsig_init(0));
    OK(rsig_channel_open(RSIG_SIGSET(signum), BURST, &channel));
#ifdef IN_EPOLL
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
    OK(epoll_ctl(epoll, EPOLL_CTL_ADD, rsig_channel_fd(channel), &event));
#else
    (void)event, (void)epoll;
#endif
}

static void peer_close(void) {
#ifdef IN_EPOLL
    close(epoll);
#endif
    OK(rsig_channel_close(channel));
    OK(rsig_fini());
}

static void read_some(void) {
    rsig_siginfo_t infos[64];
    int count = rsig_channel_read(channel, infos, sizeof infos / sizeof *infos);
    OK(count);
    for (int i = 0; i < count; i++) bench_handle(infos[i].count);
}

#ifdef IN_EPOLL
static void iterate(int timeout) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, timeout) > 0) read_some();
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
PEER_IS_A_LOOP
#else
static void peer_poll(void) { read_some(); }
static void peer_take(void) { peer_poll(); }

static void peer_wait(void) {
    rsig_siginfo_t info;
    OK(rsig_channel_wait(channel, &info, -1));
    bench_handle(info.count);
}
#endif
