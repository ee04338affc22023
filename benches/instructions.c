/*
 * Each hot path once, for callgrind to count its instructions: tests/instructions.rs runs this and adds up those
 * that are the library's own.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <rsig.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s: %s\n", #condition, rsig_error_message());                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* What comes before it, the first time with all that only a first time does, is not counted. */
#define COUNT(name, before, statement)                                                             \
    do {                                                                                           \
        for (int round = 0; round < 2; round++) {                                                  \
            before;                                                                                \
            CALLGRIND_ZERO_STATS;                                                                  \
            statement;                                                                             \
            if (round) CALLGRIND_DUMP_STATS_AT(name);                                              \
        }                                                                                          \
    } while (0)

static int handled;

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    handled++;
    return 0;
}

static void pumped(void) {
    COUNT("rsig_pump(), nothing pending", , rsig_pump());
    COUNT("rsig_tripped()", , rsig_tripped());
    COUNT("a delivery", rsig_pump(), raise(SIGUSR1));
    COUNT("rsig_pump(), one pending", raise(SIGUSR1), rsig_pump());
    COUNT("rsig_raise_signal() and its handler", , rsig_raise_signal(SIGUSR1));
    MUST(handled == 5);
}

static void waited(void) {
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR2);
    COUNT("rsig_pthread_sigmask()", , rsig_pthread_sigmask(SIG_BLOCK, set, NULL));
    COUNT("rsig_dispatch(), one pending", raise(SIGUSR2), MUST(rsig_dispatch(set, 0) == 1));
    COUNT("rsig_sigwait(), one pending", raise(SIGUSR2), MUST(rsig_sigwait(set) == SIGUSR2));
    COUNT("rsig_wait(), one pending", raise(SIGUSR1), MUST(rsig_wait(-1) == 1));
    COUNT("rsig_wait(0), nothing pending", , MUST(rsig_wait(0) == 0));
}

static void called(void) {
    int ends[2];
    char byte = 0;
    MUST(pipe(ends) == 0 && write(ends[1], "12345678", 8) == 8);
    COUNT("rsig_read(), ready", , MUST(rsig_read(ends[0], &byte, 1) == 1));
    COUNT("rsig_write(), ready", , MUST(rsig_write(ends[1], &byte, 1) == 1));
    COUNT("rsig_syscall() for a read, ready", ,
          MUST(rsig_syscall(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0) == 1));
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    COUNT("rsig_poll(), ready", , MUST(rsig_poll(&fd, 1, -1) == 1));
}

static void heard_elsewhere(void) {
    rsig_channel_t *channels[64];
    for (int i = 0; i < 64; i++) MUST(rsig_channel_open(RSIG_SIGSET(SIGUSR2), 16, &channels[i]) == 0);
    COUNT("a delivery, 64 channels for another signal", rsig_pump(), raise(SIGUSR1));
    for (int i = 0; i < 64; i++) rsig_channel_close(channels[i]);
    rsig_pump();
}

static void heard(void) {
    rsig_channel_t *channels[8];
    rsig_siginfo_t infos[4];
    for (int i = 0; i < 8; i++) {
        MUST(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 16, &channels[i]) == 0);
        if (i == 0) {
            COUNT("a delivery, 1 channel", , raise(SIGUSR1));
            COUNT("rsig_channel_read(), one there", rsig_channel_read(channels[0], infos, 4);
                  raise(SIGUSR1), MUST(rsig_channel_read(channels[0], infos, 4) == 1));
            COUNT("rsig_channel_wait(), one there", raise(SIGUSR1),
                  MUST(rsig_channel_wait(channels[0], infos, -1) == 1));
            COUNT("rsig_channel_read(), nothing there", , rsig_channel_read(channels[0], infos, 4));
        }
    }
    COUNT("a delivery, 8 channels", , raise(SIGUSR1));
    for (int i = 0; i < 8; i++) rsig_channel_close(channels[i]);
    rsig_pump();
}

/* Last, as it stays. */
static void polled(void) {
    MUST(rsig_fd() >= 0);
    COUNT("a delivery, rsig_fd() open", rsig_pump(), raise(SIGUSR1));
    COUNT("rsig_pump(), one pending, rsig_fd() open", raise(SIGUSR1), rsig_pump());
}

int main(void) {
    /* Whoever runs this may have been started with signals ignored, of which rsig_init() takes note. */
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL);
    COUNT("rsig_init() and rsig_fini()", , MUST(rsig_init(0) == 0 && rsig_fini() == 0));
    MUST(rsig_init(0) == 0);
    MUST(rsig_signal(SIGUSR1, handler, NULL, NULL) == 0);
    MUST(rsig_signal(SIGUSR2, handler, NULL, NULL) == 0);
    pumped();
    waited();
    called();
    heard_elsewhere();
    heard();
    polled();
    return 0;
}
