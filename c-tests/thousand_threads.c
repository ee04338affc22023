/* A thousand threads: signals land on all of them, some wait in channels, and the counts add up. */
#include "tour.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { THREADS = 1000, READERS = 100, EACH = 20, CHANNELS = 4 };

static pthread_t threads[THREADS];
static rsig_channel_t *channels[CHANNELS];
static struct check_calls calls;
static atomic_int arrived, go, read_in_all[CHANNELS], sent;

static pthread_attr_t small;

/* Fewer where the system has a limit: what it is does not matter. */
static int spawn_many(void *(*body)(void *), int count) {
    CHECK_INT(pthread_attr_init(&small), 0);
    CHECK_INT(pthread_attr_setstacksize(&small, 64 << 10), 0);
    for (int i = 0; i < count; i++) {
        int error = pthread_create(&threads[i], &small, body, (void *)(size_t)i);
        if (error == EAGAIN) return i;
        CHECK_INT(error, 0);
    }
    return count;
}

static void join_many(int count) {
    for (int i = 0; i < count; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
}

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

/* As a barrier, which also those pass who are too few. */
static void await_all(void) {
    arrived++;
    while (!go) sched_yield();
}

/* ---- one signal on all of them at once ---- */

static void *raise_each(void *unused) {
    await_all();
    for (int i = 0; i < EACH; i++) {
        CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
        sent++;
    }
    return unused;
}

static void run_raisers(int count) {
    while (arrived < count) sched_yield();
    go = 1;
    while (calls.deliveries < count * EACH) CHECK(rsig_wait(-1) >= 0);
    join_many(count);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(sent, count * EACH);
    CHECK_INT(calls.deliveries, count * EACH);
}

TEST(on_all_of_them, "a signal on each of a thousand threads is counted each time") {
    start();
    run_raisers(spawn_many(raise_each, THREADS));
}

TEST(creation_fails, "where no thread can be made any more the others go on; later there is room") {
    struct rlimit before, limit;
    start();
    tour_inside();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(getrlimit(RLIMIT_AS, &before));
    /* Some hundred threads' worth beside what is there. */
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    limit = before;
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (16 << 20);
    CHECK_SYS(setrlimit(RLIMIT_AS, &limit));
    int count = spawn_many(raise_each, THREADS);
    if (count == THREADS) check_skip("RLIMIT_AS is no limit here");
    CHECK(count > 0);
    run_raisers(count);
    CHECK_SYS(setrlimit(RLIMIT_AS, &before));
    CHECK_INT(rsig_fini(), RSIG_OK);
    tour();
}

/* ---- channels ---- */

/* A few threads to each channel, which share what comes. */
static void *read_all(void *number) {
    int which = (int)(size_t)number % CHANNELS;
    rsig_siginfo_t info;
    arrived++;
    for (;;) {
        int got = rsig_channel_wait(channels[which], &info, -1);
        /* Closed, at the end. */
        if (got == RSIG_ERROR_VALUE) return NULL;
        CHECK_INT(got, 1);
        CHECK_INT(info.signo, SIGUSR1);
        read_in_all[which] += (int)info.count;
    }
}

static void *raise_or_read(void *number) {
    return (size_t)number < READERS ? read_all(number) : raise_each(number);
}

TEST(some_wait_in_channels, "so it is in channels that others of them wait for") {
    start();
    for (int i = 0; i < CHANNELS; i++)
        CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 64, &channels[i]), RSIG_OK);
    int count = spawn_many(raise_or_read, THREADS);
    if (count <= READERS) check_skip("too few threads");
    int expected = (count - READERS) * EACH;
    while (arrived < count) sched_yield();
    go = 1;
    while (calls.deliveries < expected) CHECK(rsig_wait(-1) >= 0);
    for (int i = 0; i < CHANNELS; i++) {
        while (read_in_all[i] < expected) sched_yield();
        CHECK_INT(rsig_channel_close(channels[i]), RSIG_OK);
    }
    join_many(count);
    for (int i = 0; i < CHANNELS; i++) CHECK_INT(read_in_all[i], expected);
    CHECK_INT(calls.deliveries, expected);
}

/* ---- each is sent one ---- */

static atomic_int tids[THREADS];

static void *wait_for_end(void *number) {
    tids[(size_t)number] = check_gettid();
    await_all();
    return NULL;
}

TEST(sent_to_each, "a signal that is sent to each of them by its number is counted each time") {
    start();
    int count = spawn_many(wait_for_end, THREADS);
    while (arrived < count) sched_yield();
    for (int i = 0; i < count; i++) {
        if (i % 2)
            CHECK_INT(rsig_thread_kill(tids[i], SIGUSR1), RSIG_OK);
        else
            CHECK_INT(rsig_pthread_kill(threads[i], SIGUSR1), RSIG_OK);
    }
    while (calls.deliveries < count) CHECK(rsig_wait(-1) >= 0);
    go = 1;
    join_many(count);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.deliveries, count);
}

/* ---- the main thread's part goes round ---- */

static void *take_over(void *unused) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    return unused;
}

TEST(all_are_main_once, "each of them is the main thread for a while, and ends as that") {
    start();
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(tour_spawn(take_over, NULL), NULL), 0);
        CHECK_INT(calls.calls, i + 1);
    }
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, THREADS + 1);
}
