/*
 * A device that never answers, and an open() that gives up: the example of Python's signal
 * documentation.
 *
 *     cc alarm_open.c -o alarm_open $(pkg-config --cflags --libs rsig)
 *     ./alarm_open [seconds [device]]
 *
 * Without a device it opens a FIFO of its own, with nobody at the other end. Exit status: 0 if the
 * device could be opened, 1 if not, or not in time.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ordinary code, not signal context: it may print. What it returns reaches whoever pumps. */
static int on_alarm(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    printf("Signal handler called with signal %s (%d)\n", rsig_signame(signum), signum);
    return ETIMEDOUT;
}

/*
 * A plain open() would sleep over an alarm that comes just before it. rsig_open() does not: it ends
 * with EINTR when a handler refuses, whenever that is, and rsig_raised() tells more.
 */
static int open_in_time(const char *device, double seconds) {
    if (rsig_signal(SIGALRM, on_alarm, NULL, NULL) < 0 ||
        rsig_setitimer(ITIMER_REAL, seconds, 0, NULL) < 0)
        return -1;
    int fd = rsig_open(device, O_RDONLY | O_NOCTTY, 0);
    int error = errno;
    rsig_setitimer(ITIMER_REAL, 0, 0, NULL);
    /* An alarm that came just after open() must not surprise what the program does next. */
    if (rsig_pump() < 0 && fd >= 0) {
        error = errno;
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

static const char *why(int error) {
    int signum;
    if (error != EINTR) return strerror(error);
    rsig_raised(&signum);
    return signum == SIGALRM ? "no answer in time" : "interrupted";
}

int main(int argc, char **argv) {
    char folder[] = "alarm_open.XXXXXX", fifo[sizeof folder + 5];
    const char *device = argc > 2 ? argv[2] : fifo;
    char *end = "";
    double seconds = argc > 1 ? strtod(argv[1], &end) : 0.5;
    if (argc > 3 || *end || !(seconds > 0)) {
        fprintf(stderr, "usage: alarm_open [seconds [device]]\n");
        return 2;
    }
    if (rsig_init(0) < 0) {
        fprintf(stderr, "alarm_open: %s\n", rsig_error_message());
        return 1;
    }
    if (device == fifo) {
        if (!mkdtemp(folder)) {
            perror(folder);
            return 1;
        }
        snprintf(fifo, sizeof fifo, "%s/fifo", folder);
        if (mkfifo(fifo, 0600) < 0) perror(fifo);
    }

    int fd = open_in_time(device, seconds);
    if (fd >= 0)
        printf("open\n");
    else
        printf("cannot open the device: %s\n", why(errno));

    if (device == fifo) {
        unlink(fifo);
        rmdir(folder);
    }
    rsig_fini();
    return fd < 0;
}
