/*
 * Waits for a lock on a file, by a system call that rsig has no function for: flock(2).
 *
 *     cc lock_file.c -o lock_file $(pkg-config --cflags --libs rsig)
 *     ./lock_file lock             and the same in another terminal
 *
 * It keeps the lock until Ctrl-C or SIGTERM, either of which also ends the wait for it. SIGUSR1
 * asks what it is doing. Exit status: 0 if it has had the lock, else 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <rsig.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static int on_question(int signum, const rsig_siginfo_t *info, void *arg) {
    const char **doing = arg;
    (void)signum, (void)info;
    printf("%s\n", *doing);
    return 0;
}

/*
 * rsig_syscall() is one attempt. It runs no handler: a signal makes it fail with EINTR, one that
 * lands just before it too, and then nothing is locked. rsig_pump() runs the handler. Where that
 * goes on, so do we; where it refuses, errno is EINTR.
 */
static int lock(int fd) {
    while (rsig_syscall(SYS_flock, fd, LOCK_EX, 0, 0, 0, 0) < 0)
        if (errno != EINTR || rsig_pump() < 0) return -1;
    return 0;
}

int main(int argc, char **argv) {
    const char *doing = "waiting for the lock";
    if (argc != 2) {
        fprintf(stderr, "usage: lock_file FILE\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* SIGINT's handler refuses already. */
    if (rsig_init(0) < 0 || rsig_signal(SIGTERM, rsig_default_int_handler, NULL, NULL) < 0 ||
        rsig_signal(SIGUSR1, on_question, &doing, NULL) < 0) {
        fprintf(stderr, "lock_file: %s\n", rsig_error_message());
        return 1;
    }
    int fd = rsig_open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0) printf("process %ld: %s\n", (long)getpid(), doing);
    if (fd < 0 || lock(fd) < 0) {
        fprintf(stderr, "lock_file: %s: %s\n", argv[1],
                errno == EINTR ? "interrupted" : strerror(errno));
        return 1;
    }
    doing = "holding the lock";
    printf("%s\n", doing);
    while (rsig_pause() == RSIG_OK)
        ;
    close(fd); /* this unlocks it */
    printf("unlocked\n");
    rsig_fini();
    return 0;
}
