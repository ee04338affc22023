/* An epoll loop that needs no descriptor for signals: rsig_syscall() ends where one is tripped. */
#include "rsig_peer.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

static int epoll, never_ready;

static void peer_open(int signum) {
    struct epoll_event event = {.events = EPOLLIN};
    rsig_peer_open(signum);
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
    OK(never_ready = eventfd(0, EFD_CLOEXEC));
    OK(epoll_ctl(epoll, EPOLL_CTL_ADD, never_ready, &event));
}

static void peer_close(void) {
    close(never_ready);
    close(epoll);
    OK(rsig_fini());
}

static void iterate(int timeout) {
    struct epoll_event event;
    long got = rsig_syscall(SYS_epoll_pwait, epoll, (long)&event, 1, timeout, 0, 0);
    if (got != -1 || errno != EINTR) return;
    OK(rsig_pump());
    /* Signals that keep coming must not keep the loop from its descriptors. */
    OK(epoll_wait(epoll, &event, 1, 0));
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
PEER_IS_A_LOOP
