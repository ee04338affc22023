/*
 * Runs a command again until it succeeds.
 *
 *     cc retry.c -o retry $(pkg-config --cflags --libs rsig)
 *     ./retry 5 1 curl --fail --remote-name https://example.org/index.html
 *
 * That is five times at most. After a failure it pauses for a second, then for two, then for four.
 * Its exit status is the command's last one. SIGTERM and SIGINT (Ctrl-C) end it, in a pause too: it
 * passes the signal on to the command, waits for that, and then dies of the same signal, so that
 * its own parent sees it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const double GRACE = 10; /* seconds for the command to stop in, before SIGKILL */

struct job {
    char **command;
    pid_t pid;       /* 0: it does not run */
    int stop_signal; /* 0 while nobody has asked us to stop */
};

/*
 * Runs inside rsig's calls only, so never after rsig_waitpid() has ended and before we know: the
 * number is still the command's.
 */
static int on_stop(int signum, const rsig_siginfo_t *info, void *arg) {
    struct job *job = arg;
    (void)info;
    job->stop_signal = signum;
    if (job->pid) rsig_kill(job->pid, signum);
    return 1; /* ends the call that waits */
}

/* What ends rsig_wait() when the command does. */
static int on_child(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    return 0;
}

/* A script's shell starts `retry &` with SIGINT ignored: Ctrl-C is not meant for it. */
static int set_unless_ignored(int signum, rsig_handler_t handler, void *arg) {
    rsig_action_t inherited;
    if (rsig_getsignal(signum, &inherited) < 0) return -1;
    return inherited.handler == RSIG_IGN ? 0 : rsig_signal(signum, handler, arg, NULL);
}

/*
 * With all signals blocked from before fork() until the child has the signals that we were started
 * with: one that is sent to it meanwhile is for the command, not for what the child has of ours.
 */
static void start(struct job *job) {
    rsig_sigset_t before;
    rsig_pthread_sigmask(SIG_BLOCK, ~(rsig_sigset_t)0, &before);
    job->pid = fork();
    if (job->pid == 0) {
        rsig_restore_signals();
        execvp(job->command[0], job->command);
        fprintf(stderr, "retry: %s: %s\n", job->command[0], strerror(errno));
        _exit(127);
    }
    if (job->pid < 0) {
        perror("retry: fork");
        exit(1);
    }
    rsig_pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* The command's status when it has ended, of itself or because we were told to stop. */
static int finish(struct job *job) {
    int status;
    /* rsig_pthread_sigmask() may have run on_stop() already. */
    if (job->stop_signal || rsig_waitpid(job->pid, &status, 0) < 0) {
        while (rsig_waitpid(job->pid, &status, WNOHANG) != job->pid)
            if (rsig_wait(GRACE) == 0) rsig_kill(job->pid, SIGKILL);
    }
    job->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
    struct job job = {argv + 3, 0, 0};
    int tries = argc > 3 ? atoi(argv[1]) : 0;
    double pause = argc > 3 ? atof(argv[2]) : 0;
    if (tries < 1 || !(pause >= 0)) {
        fprintf(stderr, "usage: retry TRIES SECONDS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (rsig_init(0) < 0 || rsig_signal(SIGCHLD, on_child, NULL, NULL) < 0 ||
        set_unless_ignored(SIGINT, on_stop, &job) < 0 ||
        set_unless_ignored(SIGTERM, on_stop, &job) < 0) {
        fprintf(stderr, "retry: %s\n", rsig_error_message());
        return 1;
    }
    int status = 0;
    while (!job.stop_signal) {
        start(&job);
        status = finish(&job);
        if (job.stop_signal || status == 0 || --tries == 0) break;
        fprintf(stderr, "retry: status %d; again in %g s\n", status, pause);
        rsig_sleep(pause);
        pause *= 2;
    }
    rsig_fini();
    return job.stop_signal ? rsig_die(job.stop_signal) : status;
}
