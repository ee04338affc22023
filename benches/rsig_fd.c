/* rsig_fd() in a loop on epoll. */
#include "rsig_peer.h"
#include <sys/epoll.h>

static int epoll;

static void peer_open(int signum) {
    struct epoll_event event = {.events = EPOLLIN};
    rsig_peer_open(signum);
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
    OK(epoll_ctl(epoll, EPOLL_CTL_ADD, rsig_fd(), &event));
}

static void peer_close(void) {
    close(epoll);
    OK(rsig_fini());
}

static void iterate(int timeout) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, timeout) > 0) OK(rsig_pump());
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
PEER_IS_A_LOOP
