/*
 * A tour of rsig: what each part of Python's signal module is in C.
 *
 *     cc tour.c -o tour $(pkg-config --cflags --libs rsig)
 */
#define _GNU_SOURCE /* pipe2, syscall */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The tour expects no failure but those that it shows. */
static int ok(int result) {
    if (result < 0) {
        fprintf(stderr, "tour: %s\n", rsig_error_message());
        exit(1);
    }
    return result;
}

static int sys(int result) {
    if (result < 0) {
        perror("tour");
        exit(1);
    }
    return result;
}

struct calls {
    int calls;
    unsigned deliveries;
};

static int count(int signum, const rsig_siginfo_t *info, void *arg) {
    struct calls *calls = arg;
    (void)signum;
    calls->calls++;
    calls->deliveries += info->count;
    return 0;
}

static void show_set(rsig_sigset_t set) {
    const char *before = "{";
    for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n)) {
        printf("%s%s", before, rsig_signame(n));
        before = ", ";
    }
    printf("}");
}

static void names(void) {
    printf("names         %d is %s, \"%s\"; SIGCLD is %s\n", SIGTERM, rsig_signame(SIGTERM),
           rsig_strsignal(SIGTERM), rsig_signame(ok(rsig_signum("SIGCLD"))));
}

static void constants(void) {
    int block, prof;
    ok(rsig_constant("SIG_BLOCK", &block));
    ok(rsig_constant("ITIMER_PROF", &prof));
    printf("constants     for callers without C headers: SIG_BLOCK %d, ITIMER_PROF %d\n", block,
           prof);
}

static void sets(void) {
    rsig_sigset_t set = RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGINT) | RSIG_SIGSET(SIGTERM);
    printf("sets          ");
    show_set(set);
    printf(" without SIGINT is ");
    ok(rsig_sigset_remove(&set, SIGINT));
    show_set(set);
    printf("\n");
}

static void handlers(void) {
    struct calls usr1 = {0};
    ok(rsig_signal(SIGUSR1, count, &usr1, NULL));
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    printf("handlers      SIGUSR1 came 3 times, calls so far: %d; ", usr1.calls);
    ok(rsig_pump());
    printf("after rsig_pump(): %d, for %u deliveries\n", usr1.calls, usr1.deliveries);
    ok(rsig_raise_signal(SIGUSR1));
    printf("              rsig_raise_signal() pumps by itself: calls %d\n", usr1.calls);
    ok(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL));
}

static void refusals(void) {
    int signum;
    /* Not left to rsig_init(): it respects a SIGINT that the parent ignores. */
    ok(rsig_signal(SIGINT, rsig_default_int_handler, NULL, NULL));
    int status = rsig_raise_signal(SIGINT);
    printf("refusals      Ctrl-C: %d, \"%s\"\n", status, rsig_error_message());
    int value = rsig_raised(&signum);
    printf("              rsig_raised() is %d, from %s\n", value, rsig_signame(signum));
}

static void errors(void) {
    int status = rsig_signal(SIGKILL, RSIG_IGN, NULL, NULL);
    printf("errors        %d, errno %d: %s\n", status, errno, rsig_error_message());
    status = rsig_signum("SIGNAL");
    printf("              %d, errno %d: %s\n", status, errno, rsig_error_message());
}

static void masks(void) {
    struct calls usr1 = {0};
    rsig_sigset_t pending, before;
    ok(rsig_signal(SIGUSR1, count, &usr1, NULL));
    ok(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), &before));
    ok(rsig_raise_signal(SIGUSR1));
    ok(rsig_sigpending(&pending));
    printf("masks         blocked: pending ");
    show_set(pending);
    printf(", calls %d; ", usr1.calls);
    ok(rsig_pthread_sigmask(SIG_SETMASK, before, NULL));
    printf("unblocked: calls %d\n", usr1.calls);
    ok(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL));
}

static void waits(void) {
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2), before;
    rsig_siginfo_t info;
    ok(rsig_pthread_sigmask(SIG_BLOCK, set, &before));
    ok(rsig_raise_signal(SIGUSR2));
    printf("waits         rsig_sigwait() accepts %s\n", rsig_signame(ok(rsig_sigwait(set))));
    ok(rsig_sigqueue(getpid(), SIGUSR1, 42));
    int signum = ok(rsig_sigwaitinfo(set, &info));
    printf("              rsig_sigwaitinfo(): %s with %d, %s\n", rsig_signame(signum),
           (int)info.value_int, info.pid == getpid() ? "from this process" : "from elsewhere");
    printf("              rsig_sigtimedwait() for 10 ms: %d\n",
           ok(rsig_sigtimedwait(set, 0.01, NULL)));
    ok(rsig_pthread_sigmask(SIG_SETMASK, before, NULL));
}

static void timers(void) {
    struct calls alarms = {0};
    rsig_itimer_t now;
    ok(rsig_signal(SIGALRM, count, &alarms, NULL));
    ok(rsig_setitimer(ITIMER_REAL, 0.01, 0, NULL));
    while (!alarms.calls) ok(rsig_pause());
    ok(rsig_getitimer(ITIMER_REAL, &now));
    printf("timers        rsig_setitimer() for 10 ms, rsig_pause(): calls %d, then %g s left\n",
           alarms.calls, now.delay);
    rsig_alarm(3600);
    printf("              rsig_alarm(3600), rsig_alarm(0): %s\n",
           rsig_alarm(0) ? "time left" : "none");
    ok(rsig_signal(SIGALRM, RSIG_DFL, NULL, NULL));
}

static void wakeup_fd(void) {
    struct calls calls = {0};
    int ends[2];
    unsigned char bytes[8];
    sys(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    ok(rsig_set_wakeup_fd(ends[1], 1, NULL));
    ok(rsig_signal(SIGUSR1, count, &calls, NULL));
    ok(rsig_signal(SIGUSR2, count, &calls, NULL));
    raise(SIGUSR2);
    raise(SIGUSR1);
    int got = sys((int)read(ends[0], bytes, sizeof bytes));
    printf("wakeup fd     bytes in the order of delivery:");
    for (int i = 0; i < got; i++) printf(" %s", rsig_signame(bytes[i]));
    printf("; calls %d, ", calls.calls);
    printf("rsig_pump() %d\n", ok(rsig_pump()));
    ok(rsig_set_wakeup_fd(-1, 0, NULL));
    close(ends[0]);
    close(ends[1]);
}

static void event_loops(void) {
    struct calls calls = {0};
    struct pollfd loop = {.fd = ok(rsig_fd()), .events = POLLIN};
    ok(rsig_signal(SIGUSR1, count, &calls, NULL));
    printf("rsig_fd()     readable: %d; ", poll(&loop, 1, 0));
    raise(SIGUSR1);
    printf("after SIGUSR1: %d; ", poll(&loop, 1, 0));
    ok(rsig_pump());
    printf("after rsig_pump(): %d\n", poll(&loop, 1, 0));
}

static void blocking_calls(void) {
    char byte;
    int ends[2];
    sys(pipe2(ends, O_CLOEXEC));
    ssize_t sent = rsig_write(ends[1], "x", 1);
    printf("blocking      rsig_write() to a pipe: %d, ", (int)sent);
    printf("rsig_read(): %d\n", (int)rsig_read(ends[0], &byte, 1));
    ok(rsig_signal(SIGALRM, rsig_default_int_handler, NULL, NULL)); /* refuses */
    ok(rsig_setitimer(ITIMER_REAL, 0.01, 0, NULL));
    ssize_t got = rsig_read(ends[0], &byte, 1);
    printf("              rsig_read() of an empty pipe, 10 ms: %d, %s\n", (int)got,
           errno == EINTR ? "EINTR" : strerror(errno));
    close(ends[0]);
    close(ends[1]);
}

static void senders(void) {
    struct calls calls = {0};
    ok(rsig_signal(SIGUSR1, count, &calls, NULL));
    ok(rsig_pthread_kill(rsig_get_ident(), SIGUSR1));
    printf("senders       rsig_pthread_kill(): calls %d; ", calls.calls);
    ok(rsig_thread_kill((pid_t)syscall(SYS_gettid), SIGUSR1));
    ok(rsig_pump());
    printf("rsig_thread_kill(): calls %d\n              ", calls.calls);
    int pidfd = rsig_pidfd_open(getpid(), 0);
    if (pidfd >= 0) {
        ok(rsig_pidfd_send_signal(pidfd, SIGUSR1, NULL, 0));
        ok(rsig_pump());
        printf("rsig_pidfd_send_signal(): calls %d\n", calls.calls);
        close(pidfd);
    } else {
        printf("%s\n", rsig_error_message());
    }
}

static void restarts(void) {
    struct sigaction now;
    ok(rsig_siginterrupt(SIGUSR1, 0));
    sys(sigaction(SIGUSR1, NULL, &now));
    printf("restarts      rsig_siginterrupt(SIGUSR1, 0): system calls %s\n",
           now.sa_flags & SA_RESTART ? "are restarted" : "fail with EINTR");
}

/* Somebody who knows nothing of rsig. */
static void foreign(int signum) { (void)signum; }

static void strangers(void) {
    rsig_action_t found;
    signal(SIGUSR2, foreign);
    ok(rsig_signal(SIGUSR2, RSIG_IGN, NULL, &found));
    printf("strangers     a handler by signal(2): %s; ",
           found.handler == RSIG_FOREIGN ? "RSIG_FOREIGN" : "not noticed");
    ok(rsig_signal(SIGUSR2, found.handler, found.arg, NULL));
    struct sigaction now;
    sys(sigaction(SIGUSR2, NULL, &now));
    printf("given back to rsig_signal(): %s\n", now.sa_handler == foreign ? "restored" : "lost");
}

int main(void) {
    struct sigaction before, after;
    sys(sigaction(SIGUSR1, NULL, &before));
    printf("rsig %s\n", rsig_version());
    ok(rsig_init(0));
    ok(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL)); /* the parent may have left something blocked */

    names();
    constants();
    sets();
    handlers();
    refusals();
    errors();
    masks();
    waits();
    timers();
    wakeup_fd();
    event_loops();
    blocking_calls();
    senders();
    restarts();
    strangers();

    ok(rsig_fini());
    sys(sigaction(SIGUSR1, NULL, &after));
    printf("rsig_fini()   SIGUSR1 is %s\n",
           before.sa_handler == after.sa_handler ? "as it was found" : "changed");
    return 0;
}
