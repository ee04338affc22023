/* An epoll loop that needs no descriptor for signals: rsig_syscall() ends where one is tripped. */
#include "rsig_peer.h"
#include <sys/epoll.h>
#include <sys/syscall.h>

static int epoll;

static void peer_open(int signum) {
    rsig_peer_open(signum);
    OK(epoll = epoll_create1(EPOLL_CLOEXEC));
}

static void peer_close(void) {
    close(epoll);
    OK(rsig_fini());
}

static void iterate(int timeout) {
    struct epoll_event event;
    long got = rsig_syscall(SYS_epoll_pwait, epoll, (long)&event, 1, timeout, 0, 0);
    if (got == -1 && errno == EINTR) OK(rsig_pump());
}

static void peer_poll(void) { iterate(0); }
static void peer_wait(void) { iterate(-1); }
PEER_IS_A_LOOP
#include "peer.h"
