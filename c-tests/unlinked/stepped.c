/*
 * One rsig_syscall() from a function of its own, which tests/tools.rs steps through: with an argument, of a pipe that is empty, so
 * that only a signal ends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <rsig.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int handle(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    return 0;
}

__attribute__((noinline)) static long calls_it(int fd) {
    char byte;
    long result = rsig_syscall(SYS_read, fd, (long)&byte, 1, 0, 0, 0);
    return result < 0 && errno == EINTR ? -1 : result;
}

int main(int argc, char **argv) {
    int ends[2];
    (void)argv;
    if (rsig_init(0) || rsig_signal(SIGUSR1, handle, NULL, NULL) || pipe(ends)) return 2;
    if (argc == 1 && write(ends[1], "x", 1) != 1) return 2;
    printf("result %ld\n", calls_it(ends[0]));
    return rsig_fini() != RSIG_OK;
}
