/*
 * Sends a signal, or a byte, to another process and waits for the byte that it replies with, again and again: how long each of
 * them took. The other program is the rest of the command line; its standard input and output are pipes.
 */
#include "bench.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static struct {
    pid_t pid;
    int stat, in, out;
} other;

static void await_reply(void) {
    char byte;
    if (read(other.out, &byte, 1) != 1) bench_fail("the other process");
}

static void start(void) {
    int in[2], out[2];
    char path[32];
    OK(pipe2(in, O_CLOEXEC));
    OK(pipe2(out, O_CLOEXEC));
    OK(other.pid = fork());
    if (other.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(bench_args[0], bench_args);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    other.in = in[1];
    other.out = out[0];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)other.pid);
    OK(other.stat = open(path, O_RDONLY | O_CLOEXEC));
    await_reply();
}

/* A signal has one reply, and whoever sleeps again has given all of his. */
static void check_no_more(void) {
    int more;
    OK(ioctl(other.out, FIONREAD, &more));
    if (more) {
        fprintf(stderr, "%d replies too many\n", more);
        exit(1);
    }
}

/* Nobody shall be caught on his way to sleep: that is a different time. */
static void await_sleep(void) {
    for (;;) {
        char text[128] = "";
        OK(pread(other.stat, text, sizeof text - 1, 0));
        const char *name = strrchr(text, ')');
        if (name && name[2] == 'S') return;
        sched_yield();
    }
}

static void send_signal(void) { OK(kill(other.pid, SIGUSR1)); }
static void send_byte(void) { OK(write(other.in, "", 1)); }

static void converse(void (*send)(void)) {
    start();
    for (long n; (n = bench_next()) > 0;) {
        double *each = calloc((size_t)n, sizeof *each);
        for (long i = 0; i < n; i++) {
            await_sleep();
            check_no_more();
            bench_start();
            send();
            await_reply();
            each[i] = bench_elapsed();
        }
        bench_answer(each, n);
        free(each);
    }
    OK(kill(other.pid, SIGKILL));
}

MEASURE(by_signal) { converse(send_signal); }
MEASURE(by_byte) { converse(send_byte); }

static const char *bench_version(void) { return ""; }
