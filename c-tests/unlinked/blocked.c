/*
 * Sleeps in rsig_read() of the standard input until SIGUSR1 ends it: for the tests of debuggers and
 * checkers. With an argument, the signal lands on another thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <rsig.h>
#include <stdio.h>
#include <unistd.h>

static int refuse(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum;
    *(unsigned *)arg += info->count;
    return 1;
}

static void *take_signals(void *unused) {
    for (;;) pause();
    return unused;
}

__attribute__((noinline)) static ssize_t reads_for_ever(void) {
    char byte;
    ssize_t result = rsig_read(STDIN_FILENO, &byte, 1);
    return result < 0 && errno == EINTR ? -1 : result;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    pthread_t thread;
    (void)argv;
    if (rsig_init(0) || rsig_signal(SIGUSR1, refuse, &count, NULL)) return 2;
    if (argc > 1) {
        sigset_t set;
        if (pthread_create(&thread, NULL, take_signals, NULL)) return 2;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    if (reads_for_ever() == -1) printf("interrupted by %u\n", count);
    return rsig_fini() != RSIG_OK;
}
