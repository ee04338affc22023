/* Many deliveries, on several threads and from other processes: every one counts. */
#include "check.h"
#include <stdatomic.h>

enum { THREADS = 3, ROUNDS = 20000 };

static void handle(int signum, struct check_calls *calls) {
    CHECK_INT(rsig_signal(signum, check_handler, calls, NULL), RSIG_OK);
}

static void start(pthread_t *thread, void *(*body)(void *), void *arg) {
    CHECK_INT(pthread_create(thread, NULL, body, arg), 0);
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

/* How many of the threads still send. */
static atomic_int sending;

/* Pumps until nobody sends, and then once more. */
static void pump_to_the_end(void) {
    int last;
    do {
        last = atomic_load(&sending) == 0;
        CHECK(rsig_pump() >= 0);
    } while (!last);
}

/*
 * raise() returns after the low-level handler has run on this thread, so the kernel never finds
 * the one before still pending, and each is a delivery of its own.
 */
static void *raise_usr1(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) raise(SIGUSR1);
    atomic_fetch_sub(&sending, 1);
    return NULL;
}

TEST(one_signal_on_all_threads, "the counts of one signal on several threads add up") {
    struct check_calls calls = {0};
    pthread_t threads[THREADS];
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, &calls);
    atomic_store(&sending, THREADS);
    for (int i = 0; i < THREADS; i++) start(&threads[i], raise_usr1, NULL);
    pump_to_the_end();
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK_INT(calls.deliveries, THREADS * ROUNDS);
}

TEST(main_raises_too, "so they do where the pumping thread is interrupted itself") {
    struct check_calls calls = {0};
    pthread_t threads[THREADS];
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, &calls);
    atomic_store(&sending, THREADS);
    for (int i = 0; i < THREADS; i++) start(&threads[i], raise_usr1, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        raise(SIGUSR1);
        if (i % 3 == 0) CHECK(rsig_pump() >= 0);
    }
    pump_to_the_end();
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK_INT(calls.deliveries, (THREADS + 1) * ROUNDS);
}

static const int several[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGURG, SIGWINCH};
enum { SEVERAL = sizeof several / sizeof *several };

static void *raise_several(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) raise(several[i % SEVERAL]);
    atomic_fetch_sub(&sending, 1);
    return NULL;
}

TEST(several_signals, "the counts of each of several signals add up") {
    struct check_calls calls[SEVERAL] = {{0}};
    pthread_t threads[THREADS];
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < SEVERAL; i++) handle(several[i], &calls[i]);
    atomic_store(&sending, THREADS);
    for (int i = 0; i < THREADS; i++) start(&threads[i], raise_several, NULL);
    pump_to_the_end();
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < SEVERAL; i++) {
        CHECK_INT(calls[i].last_info.signo, several[i]);
        CHECK_INT(calls[i].deliveries, THREADS * (ROUNDS / SEVERAL + (i < ROUNDS % SEVERAL)));
    }
}

/* Stands before rsig's low-level handler and counts what the kernel delivers, for each signal. */
static struct sigaction rsigs[NSIG];
static atomic_llong delivered[NSIG];

static void count_and_chain(int signum, siginfo_t *info, void *context) {
    atomic_fetch_add(&delivered[signum], 1);
    rsigs[signum].sa_sigaction(signum, info, context);
}

static void count_deliveries(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = count_and_chain;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(signum, &action, &rsigs[signum]));
}

/* All threads, the main one too. */
static pthread_t targets[THREADS + 1];
static pthread_barrier_t all_there, all_sent;

/* At each other and at the main thread; what is pending already the kernel merges. */
static void *kill_all(void *arg) {
    (void)arg;
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_INT(pthread_kill(targets[i % (THREADS + 1)], several[i % SEVERAL]), 0);
    /* Nobody ends while another might still send to him. */
    pthread_barrier_wait(&all_sent);
    atomic_fetch_sub(&sending, 1);
    return NULL;
}

TEST(across_threads, "whatever the kernel delivers is counted, nested and on whichever thread") {
    struct check_calls calls[SEVERAL] = {{0}};
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < SEVERAL; i++) {
        handle(several[i], &calls[i]);
        count_deliveries(several[i]);
    }
    atomic_store(&sending, THREADS);
    CHECK_INT(pthread_barrier_init(&all_there, NULL, THREADS + 1), 0);
    CHECK_INT(pthread_barrier_init(&all_sent, NULL, THREADS), 0);
    targets[0] = pthread_self();
    for (int i = 1; i <= THREADS; i++) start(&targets[i], kill_all, NULL);
    pthread_barrier_wait(&all_there);
    pump_to_the_end();
    for (int i = 1; i <= THREADS; i++) join(targets[i]);
    /* A thread that has sent its last may still have received something. */
    CHECK(rsig_pump() >= 0);
    for (int i = 0; i < SEVERAL; i++) {
        CHECK(calls[i].deliveries > 0);
        CHECK_INT(calls[i].deliveries, atomic_load(&delivered[several[i]]));
    }
}

enum { QUEUED = 5000 };

/* Queues 0, 1, 2 ... to the parent; where the queue is full it waits for the parent. */
static pid_t queue_from_child(int signum) {
    pid_t child = fork();
    CHECK_SYS(child);
    if (child) return child;
    for (int i = 0; i < QUEUED; i++)
        while (sigqueue(getppid(), signum, (union sigval){i}) < 0)
            if (errno == EAGAIN)
                sched_yield();
            else
                _exit(1);
    _exit(0);
}

/* With one sender and one thread, the payload is the number of deliveries before this record. */
static int check_first(int signum, const rsig_siginfo_t *info, void *arg) {
    struct check_calls *calls = (struct check_calls *)arg;
    CHECK_INT(info->value_int, calls->deliveries);
    return check_handler(signum, info, arg);
}

TEST(queued_by_a_process,
     "what a process queues arrives in whole, each record with the first one's info") {
    struct check_calls calls = {0};
    int status;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMIN, check_first, &calls, NULL), RSIG_OK);
    pid_t child = queue_from_child(SIGRTMIN);
    while (calls.deliveries < QUEUED) CHECK_INT(rsig_pause(), RSIG_OK);
    while (waitpid(child, &status, 0) < 0) CHECK_INT(errno, EINTR);
    CHECK_CHILD_OK(status);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.deliveries, QUEUED);
}

TEST(queued_by_processes, "the counts of real-time signals from several processes add up") {
    enum { SENDERS = 4, SIGNALS = 2 };
    struct check_calls calls[SIGNALS] = {{0}};
    pid_t children[SENDERS];
    int status;
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < SIGNALS; i++) handle(SIGRTMIN + i, &calls[i]);
    for (int i = 0; i < SENDERS; i++) children[i] = queue_from_child(SIGRTMIN + i % SIGNALS);
    for (int i = 0; i < SIGNALS; i++)
        while (calls[i].deliveries < SENDERS / SIGNALS * QUEUED) CHECK_INT(rsig_pause(), RSIG_OK);
    for (int i = 0; i < SENDERS; i++) {
        while (waitpid(children[i], &status, 0) < 0) CHECK_INT(errno, EINTR);
        CHECK_CHILD_OK(status);
    }
    CHECK_INT(rsig_pump(), 0);
    for (int i = 0; i < SIGNALS; i++) CHECK_INT(calls[i].deliveries, SENDERS / SIGNALS * QUEUED);
}

static atomic_int enough;

static void *raise_until_enough(void *arg) {
    long long *raised = arg;
    for (; !atomic_load(&enough); ++*raised) raise(SIGUSR1);
    return NULL;
}

/* Not each has run a handler: what ended the one before may come late, and end the next. */
TEST(pauses, "rsig_pause() under a storm always returns, and the counts add up") {
    struct check_calls calls = {0};
    long long raised = 0;
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    handle(SIGUSR1, &calls);
    start(&thread, raise_until_enough, &raised);
    for (int i = 0; i < ROUNDS; i++) CHECK_INT(rsig_pause(), RSIG_OK);
    atomic_store(&enough, 1);
    join(thread);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.deliveries, raised);
}

static pthread_t main_thread;

/* To this thread or to the main one. Real-time signals, as the kernel merges none of them. */
static void send_one(int to_main) {
    if (!to_main)
        raise(SIGRTMIN);
    else
        while (pthread_sigqueue(main_thread, SIGRTMIN, (union sigval){0}) == EAGAIN) sched_yield();
}

/* Bursts, each with silence until all of it was handled: no later signal can hide a missed one. */
static void *send_bursts(void *arg) {
    atomic_llong *handled = (atomic_llong *)arg;
    long long sent = 0;
    for (int i = 0; i < ROUNDS; i++) {
        for (int n = i % 4; n >= 0; n--, sent++) send_one(i / 4 % 2);
        for (int spins = 0; atomic_load(handled) < sent; spins++)
            if (spins > 100) sched_yield();
    }
    return NULL;
}

static int publish(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum;
    atomic_fetch_add((atomic_llong *)arg, info->count);
    return 0;
}

static void check_bursts(int (*take)(void)) {
    const long long all = ROUNDS / 4 * (1 + 2 + 3 + 4);
    atomic_llong handled = 0;
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMIN, publish, &handled, NULL), RSIG_OK);
    main_thread = pthread_self();
    start(&thread, send_bursts, &handled);
    for (int takes = 1; atomic_load(&handled) < all; takes++) {
        /* Now sooner, now later than the signals. */
        for (volatile int wait = takes % 101 * 20; wait > 0; wait--) continue;
        CHECK(take() >= 0);
        /* On a busy machine the sender may be waiting for this processor. */
        if (takes % 50 == 0) sched_yield();
    }
    join(thread);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(atomic_load(&handled), all);
}

TEST(pause_misses_none, "rsig_pause() misses no signal, at whichever instruction it lands") {
    check_bursts(rsig_pause);
}

TEST(pump_misses_none, "rsig_pump() misses no signal, at whichever instruction it lands") {
    check_bursts(rsig_pump);
}
