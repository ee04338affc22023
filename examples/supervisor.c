/*
 * Keeps copies of a command running.
 *
 *     cc supervisor.c -o supervisor $(pkg-config --cflags --libs rsig)
 *     ./supervisor 3 ./worker an-argument
 *
 * A worker that dies is started again, after a second if it has lived for less than one. SIGHUP is passed on to all.
 * SIGTERM and SIGINT stop them all, and then the supervisor dies of the same signal, so that its own parent sees it.
 * It hears of everything, the children's deaths too, through one channel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <rsig.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORKERS = 64 };
static const double GRACE = 10; /* seconds to stop in, before SIGKILL */

static struct worker {
    pid_t pid;      /* 0: it does not run */
    double started; /* or when it shall be */
} workers[MAX_WORKERS];
static int count;
static char **command;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/*
 * With all signals blocked from before fork() until the child has the signals that we were started with: one that is sent to
 * the child meanwhile is for the worker, and must not reach what the child has of ours.
 */
static void start(struct worker *worker) {
    rsig_sigset_t before;
    rsig_pthread_sigmask(SIG_BLOCK, ~(rsig_sigset_t)0, &before);
    pid_t pid = fork();
    if (pid == 0) {
        rsig_restore_signals();
        execvp(command[0], command);
        fprintf(stderr, "supervisor: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    rsig_pthread_sigmask(SIG_SETMASK, before, NULL);
    worker->started = now();
    if (pid < 0) {
        perror("supervisor: fork");
        worker->started += 1;
        return;
    }
    worker->pid = pid;
    printf("worker %d: started, pid %d\n", (int)(worker - workers) + 1, (int)pid);
}

static void died(struct worker *worker, int status) {
    int number = (int)(worker - workers) + 1;
    if (WIFSIGNALED(status)) {
        printf("worker %d: died of %s\n", number, rsig_signame(WTERMSIG(status)));
    } else {
        printf("worker %d: exited with status %d\n", number, WEXITSTATUS(status));
    }
    worker->pid = 0;
    if (now() - worker->started < 1) worker->started += 1;
}

/* One SIGCHLD may stand for several children. */
static void reap(void) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < count; i++) {
            if (workers[i].pid == pid) died(&workers[i], status);
        }
    }
}

static void send_all(int signum) {
    for (int i = 0; i < count; i++) {
        if (workers[i].pid) rsig_kill(workers[i].pid, signum);
    }
}

static int running(void) {
    int running = 0;
    for (int i = 0; i < count; i++) running += workers[i].pid != 0;
    return running;
}

/* Starts what is due; how many seconds until the next one is, negative: none. */
static double start_due(void) {
    double next = -1;
    for (int i = 0; i < count; i++) {
        double left = workers[i].started - now();
        if (workers[i].pid) continue;
        if (left <= 0) {
            start(&workers[i]);
        } else if (next < 0 || left < next) {
            next = left;
        }
    }
    return next;
}

static int fail(const char *what) {
    fprintf(stderr, "supervisor: %s: %s\n", what, rsig_error_message());
    return 1;
}

int main(int argc, char **argv) {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    if (argc < 3 || (count = atoi(argv[1])) < 1 || count > MAX_WORKERS) {
        fprintf(stderr, "usage: supervisor COUNT COMMAND [ARGUMENT...]  (COUNT: 1 to %d)\n",
                MAX_WORKERS);
        return 2;
    }
    command = argv + 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* Ctrl-C comes through the channel, as the others do. */
    if (rsig_init(RSIG_INIT_NO_DEFAULTS) < 0) return fail("rsig_init");
    const rsig_sigset_t set =
        RSIG_SIGSET(SIGCHLD) | RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGTERM) | RSIG_SIGSET(SIGINT);
    if (rsig_channel_open(set, 64, &channel) < 0) return fail("rsig_channel_open");

    int stopping = 0;
    while (!stopping) {
        int got = rsig_channel_wait(channel, &info, start_due());
        if (got < 0) return fail("rsig_channel_wait");
        if (got == 0) continue;
        if (info.signo == SIGCHLD) {
            reap();
            continue;
        }
        printf("%s from pid %d\n", rsig_signame(info.signo), (int)info.pid);
        if (info.signo == SIGHUP) send_all(SIGHUP);
        else stopping = info.signo;
    }

    send_all(SIGTERM);
    for (double end = now() + GRACE; running();) {
        double left = end - now();
        if (left <= 0) send_all(SIGKILL);
        if (rsig_channel_wait(channel, &info, left > 0 ? left : -1) < 0) return fail("waiting");
        reap();
    }
    puts("all have stopped");
    rsig_fini();
    return rsig_die(stopping) < 0;
}
