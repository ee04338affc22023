/* A blocked signal, read from a signalfd; with -DIN_EPOLL, when epoll says so. */
#include "blocked.h"
#include "peer.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>

static sigset_t set;
static int fd, epoll;

static void peer_open(int signum) {
    struct epoll_event event = {.events = EPOLLIN};
    set = block(signum);
    OK(fd = signalfd(-1, &set, SFD_CLOEXEC));
#ifdef IN_EPOLL
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
    OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
#else
    (void)event, (void)epoll;
#endif
}

static void peer_close(void) {
#ifdef IN_EPOLL
    close(epoll);
#endif
    close(fd);
    unblock(&set);
}

static void read_some(void) {
    struct signalfd_siginfo infos[64];
    ssize_t size = read(fd, infos, sizeof infos);
    OK(size);
    for (size_t i = 0; i < (size_t)size / sizeof *infos; i++) bench_handle(1);
}

#ifdef IN_EPOLL
static void iterate(int timeout) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, timeout) > 0) read_some();
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
#else
static void peer_poll(void) { bench_fail("no look without waiting"); }
static void peer_wait(void) { read_some(); }
#endif
PEER_IS_A_LOOP

static const char *bench_version(void) { return ""; }
