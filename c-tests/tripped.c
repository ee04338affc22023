/* rsig_tripped() and rsig_tripped_flags(): whether anything waits for the pump, and what. */
#include "check.h"

static struct check_calls calls;

static uint64_t flags(void) { return *(const volatile uint64_t *)rsig_tripped_flags(); }

static void handle(int signum) {
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
}

TEST(until_the_pump, "1 from the signal until the pump") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    CHECK_INT(rsig_tripped(), 0);
    raise(SIGUSR1);
    CHECK_INT(rsig_tripped(), 1);
    raise(SIGUSR1);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_tripped(), 0);
}

TEST(a_bit_for_each, "bit n-1 stands for signal n, for every signal that can have a handler") {
    uint64_t all = 0;
    int count = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    const rsig_sigset_t set = rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP));
    for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n)) handle(n);
    for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n)) {
        raise(n);
        count++;
        all |= RSIG_SIGSET(n);
        CHECK(flags() == all);
    }
    CHECK(all == set);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), count);
    CHECK(flags() == 0);
}

static int look(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    /* Its own bit went before it was called; the one that comes after it is still there. */
    CHECK(flags() == (signum == SIGUSR1 ? RSIG_SIGSET(SIGUSR2) : 0));
    CHECK_INT(rsig_tripped(), signum == SIGUSR1);
    return signum == SIGUSR1;
}

TEST(inside_handlers, "a signal's bit is cleared just before its handler runs") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, look, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, look, NULL, NULL), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK(flags() == RSIG_SIGSET(SIGUSR2)); /* a refusal leaves the rest */
    CHECK_INT(rsig_pump(), 1);
    CHECK(flags() == 0);
}

static void *raise_here(void *arg) {
    raise(SIGUSR1);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), RSIG_ERROR_THREAD);
    CHECK_INT(rsig_tripped(), 1);
    return arg;
}

TEST(on_other_threads, "any thread sees it, wherever the signal landed") {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    CHECK_INT(pthread_create(&thread, NULL, raise_here, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(flags() == RSIG_SIGSET(SIGUSR1));
}

TEST(same_address, "the word is always at the same place") {
    const uint64_t *before = rsig_tripped_flags();
    CHECK(before != NULL);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(rsig_tripped_flags() == before);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(rsig_tripped_flags() == before);
}

TEST(before_init, "before rsig_init() nothing is tripped; so it is after rsig_fini()") {
    CHECK_INT(rsig_tripped(), 0);
    CHECK(flags() == 0);
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    raise(SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_tripped(), 0);
    CHECK(flags() == 0);
}

static void nothing_here(void) {
    CHECK_INT(rsig_tripped(), 0);
    CHECK(flags() == 0);
}

TEST(after_fork, "in a forked child nothing is tripped") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(nothing_here));
    CHECK_INT(rsig_tripped(), 1);
}

/* In signal context. */

static volatile sig_atomic_t asked, tripped;
static volatile uint64_t seen;

static void ask(int signum) {
    (void)signum;
    tripped = rsig_tripped();
    seen = flags();
    asked = asked + 1;
}

TEST(in_a_signal_handler, "a signal handler of the program's own may ask") {
    struct sigaction action = {.sa_handler = ask};
    CHECK_SYS(sigaction(SIGHUP, &action, NULL));
    raise(SIGHUP);
    CHECK_INT(tripped, 0);
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    raise(SIGHUP);
    CHECK_INT(tripped, 0);
    raise(SIGUSR1);
    raise(SIGHUP);
    CHECK_INT(tripped, 1);
    CHECK(seen == RSIG_SIGSET(SIGUSR1));
    CHECK_INT(asked, 3);
}

TEST(in_a_storm, "a signal handler may ask wherever it interrupts the library") {
    struct sigaction action = {.sa_handler = ask};
    struct itimerval often = {{0, 50}, {0, 50}};
    CHECK_SYS(sigaction(SIGALRM, &action, NULL));
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    CHECK_SYS(setitimer(ITIMER_REAL, &often, NULL));
    while (asked < 1000) {
        raise(SIGUSR1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(rsig_tripped(), 0);
    }
}

static void *trip(void *arg) {
    raise(SIGUSR1);
    return arg;
}

TEST(in_a_loop, "a loop that looks at the word alone sees a signal that lands on another thread") {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1);
    CHECK_INT(pthread_create(&thread, NULL, trip, NULL), 0);
    while (flags() == 0) continue;
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}
