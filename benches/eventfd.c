/* A loop on epoll that a plain handler wakes by an eventfd: what rsig_fd() has to do, and no more. */
#include "peer.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static struct sigaction before;
static int watched, epoll, fd;

static void on_signal(int signum) {
    (void)signum;
    if (eventfd_write(fd, 1)) _exit(1);
}

static void peer_open(int signum) {
    struct sigaction action = {.sa_handler = on_signal};
    struct epoll_event event = {.events = EPOLLIN};
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
    OK(fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    watched = signum;
    OK(sigaction(signum, &action, &before));
}

static void peer_close(void) {
    OK(sigaction(watched, &before, NULL));
    close(fd);
    close(epoll);
}

static void iterate(int timeout) {
    struct epoll_event event;
    eventfd_t count;
    if (epoll_wait(epoll, &event, 1, timeout) <= 0) return;
    OK(eventfd_read(fd, &count));
    bench_handle((long)count);
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
PEER_IS_A_LOOP

static const char *bench_version(void) { return ""; }
