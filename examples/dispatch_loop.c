/*
 * A main loop on signals alone: all are blocked, and rsig_dispatch() takes them one by one, without
 * any signal handler in the kernel's sense.
 *
 *     cc dispatch_loop.c -o dispatch_loop $(pkg-config --cflags --libs rsig)
 *     ./dispatch_loop 60               adds numbers, until none has come for 60 seconds
 *     ./dispatch_loop send PID 3 4     sends it two
 *
 * SIGUSR1 has it write the state of every signal to its standard error stream, for whoever is on
 * call at night. SIGTERM and Ctrl-C end it.
 */
#define _POSIX_C_SOURCE 200809L
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER SIGRTMIN /* real-time signals are queued: each arrives, in order, with its payload */

static int on_number(int signum, const rsig_siginfo_t *info, void *arg) {
    int64_t *sum = arg, number = (int64_t)info->value_ptr;
    (void)signum;
    *sum += number;
    printf("%lld from process %d, sum %lld\n", (long long)number, (int)info->pid, (long long)*sum);
    return 0;
}

static int on_question(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    rsig_dump(STDERR_FILENO);
    return 0;
}

static int fail(const char *what) {
    fprintf(stderr, "dispatch_loop: %s: %s\n", what, rsig_error_message());
    return 1;
}

static int send_numbers(pid_t pid, char **numbers) {
    for (; *numbers; numbers++)
        if (rsig_sigqueue(pid, NUMBER, (uint64_t)strtoll(*numbers, NULL, 0)) < 0)
            return fail(*numbers);
    return 0;
}

static int add_numbers(double idle) {
    const rsig_sigset_t set = RSIG_SIGSET(NUMBER) | RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGTERM) |
                              RSIG_SIGSET(SIGINT);
    int64_t sum = 0;
    /* Here there is one thread; where there are more, before the first of them is started. */
    if (rsig_pthread_sigmask(SIG_BLOCK, set, NULL) < 0 ||
        rsig_signal(NUMBER, on_number, &sum, NULL) < 0 ||
        rsig_signal(SIGUSR1, on_question, NULL, NULL) < 0 ||
        rsig_signal(SIGTERM, rsig_default_int_handler, NULL, NULL) < 0)
        return fail("cannot set up");
    printf("process %ld is ready\n", (long)getpid());

    int ran;
    while ((ran = rsig_dispatch(set, idle)) > 0)
        ;
    if (ran < 0 && ran != RSIG_ERROR_HANDLER) return fail("rsig_dispatch");
    int signum = 0;
    if (ran < 0) rsig_raised(&signum);
    printf("%s: the sum is %lld\n", ran < 0 ? rsig_signame(signum) : "idle", (long long)sum);
    return 0;
}

int main(int argc, char **argv) {
    int sends = argc >= 4 && strcmp(argv[1], "send") == 0;
    if (argc != 2 && !sends) {
        fprintf(stderr, "usage: dispatch_loop SECONDS, or: dispatch_loop send PID NUMBER...\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rsig_init(0) < 0) return fail("rsig_init"); /* SIGINT's handler refuses from here on */
    int status = sends ? send_numbers((pid_t)atol(argv[2]), argv + 3) : add_numbers(atof(argv[1]));
    rsig_fini();
    return status;
}
