/*
 * Channels between ordinary threads. Each thread sends to itself alone, by raise(3), so that all of it holds under ThreadSanitizer as
 * well, which puts off what lands in other ways (see tsan_cannot.txt).
 */
#include "channel.h"
#include <stdatomic.h>

enum { SENT = 20000 };

/* What the readers of one channel have taken in all. */
struct taken {
    rsig_channel_t *channel;
    atomic_llong deliveries;
};

static atomic_int sending;

static void *send_all(void *arg) {
    for (int i = 0; i < SENT; i++) raise_here(i % 2 ? SIGTWO : SIGONE);
    atomic_fetch_sub(&sending, 1);
    return arg;
}

static void start_senders(pthread_t *senders, int count) {
    atomic_store(&sending, count);
    for (int i = 0; i < count; i++) start(&senders[i], send_all, NULL);
}

static void add(struct taken *it, const rsig_siginfo_t *infos, int count) {
    CHECK(count >= 0);
    for (int i = 0; i < count; i++) {
        CHECK(infos[i].signo == SIGONE || infos[i].signo == SIGTWO);
        atomic_fetch_add(&it->deliveries, infos[i].count);
    }
}

/* Until nobody sends, and then once more. */
static void *wait_for_all(void *arg) {
    rsig_siginfo_t info;
    for (int last = 0, count = 1; !last || count;) {
        last = atomic_load(&sending) == 0;
        count = rsig_channel_wait(((struct taken *)arg)->channel, &info, last ? 0 : 0.001);
        add(arg, &info, count);
    }
    return NULL;
}

static void *poll_for_all(void *arg) {
    struct taken *it = arg;
    rsig_siginfo_t infos[8];
    struct pollfd entry = {rsig_channel_fd(it->channel), POLLIN, 0};
    CHECK(entry.fd >= 0);
    for (int last = 0, ready = 1; !last || ready;) {
        last = atomic_load(&sending) == 0;
        CHECK_SYS(ready = poll(&entry, 1, last ? 0 : 1));
        add(it, infos, rsig_channel_read(it->channel, infos, 8));
    }
    return NULL;
}

TEST(shared_by_readers, "senders on two threads, four readers of one channel: each delivery is one reader's") {
    struct taken taken = {0};
    pthread_t senders[2], readers[4];
    CHECK_INT(rsig_init(0), RSIG_OK);
    taken.channel = open_channel(ONE | TWO, 16);
    start_senders(senders, 2);
    for (int i = 0; i < 4; i++) start(&readers[i], i % 2 ? wait_for_all : poll_for_all, &taken);
    for (int i = 0; i < 2; i++) join(senders[i]);
    for (int i = 0; i < 4; i++) join(readers[i]);
    CHECK_INT(taken.deliveries, 2 * SENT);
    close_channel(taken.channel);
}

/* With no time limit: what comes wakes it. */
static void *wait_for_each(void *arg) {
    struct taken *it = arg;
    rsig_siginfo_t info;
    while (atomic_load(&it->deliveries) < 2 * SENT) add(it, &info, rsig_channel_wait(it->channel, &info, -1));
    return NULL;
}

TEST(one_each, "a channel for each of four threads that wait: every one gets every delivery") {
    struct taken taken[4] = {{0}};
    pthread_t senders[2], readers[4];
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < 4; i++) {
        taken[i].channel = open_channel(ONE | TWO, 16);
        start(&readers[i], wait_for_each, &taken[i]);
    }
    start_senders(senders, 2);
    for (int i = 0; i < 2; i++) join(senders[i]);
    for (int i = 0; i < 4; i++) {
        join(readers[i]);
        CHECK_INT(taken[i].deliveries, 2 * SENT);
        check_empty(taken[i].channel);
        close_channel(taken[i].channel);
    }
}

static atomic_llong sent_beside;

/* Its own ones, which hear what it sends itself. */
static void *open_and_close(void *arg) {
    rsig_siginfo_t infos[4];
    for (; atomic_load(&sending); atomic_fetch_add(&sent_beside, 2)) {
        rsig_channel_t *channel = open_channel(ONE, 4);
        raise_here(SIGONE);
        CHECK(rsig_channel_read(channel, infos, 4) >= 1);
        raise_here(SIGONE);
        CHECK_INT(rsig_channel_wait(channel, infos, -1), 1);
        close_channel(channel);
    }
    return arg;
}

TEST(opened_meanwhile, "threads open, read and close channels of their own while others send: one that stays misses nothing") {
    struct taken taken = {0};
    pthread_t senders[2], openers[2], reader;
    CHECK_INT(rsig_init(0), RSIG_OK);
    taken.channel = open_channel(ONE | TWO, 16);
    start_senders(senders, 2);
    start(&reader, wait_for_all, &taken);
    for (int i = 0; i < 2; i++) start(&openers[i], open_and_close, NULL);
    for (int i = 0; i < 2; i++) join(senders[i]);
    for (int i = 0; i < 2; i++) join(openers[i]);
    join(reader);
    wait_for_all(&taken);
    CHECK_INT(taken.deliveries, 2 * SENT + atomic_load(&sent_beside));
    close_channel(taken.channel);
}

static void *wait_until_closed(void *arg) {
    rsig_siginfo_t info;
    while (rsig_channel_wait(arg, &info, -1) == 1) continue;
    CHECK_INT(errno, EINVAL);
    return NULL;
}

TEST(closed_under_waiters, "a channel is closed under threads that wait for it while others send") {
    struct taken taken = {0};
    pthread_t senders[2], waiters[2];
    CHECK_INT(rsig_init(0), RSIG_OK);
    taken.channel = open_channel(ONE | TWO, 1);
    start_senders(senders, 2);
    while (atomic_load(&sending)) {
        rsig_channel_t *channel = open_channel(ONE, 4);
        for (int i = 0; i < 2; i++) start(&waiters[i], wait_until_closed, channel);
        sched_yield();
        close_channel(channel);
        for (int i = 0; i < 2; i++) join(waiters[i]);
    }
    for (int i = 0; i < 2; i++) join(senders[i]);
    wait_for_all(&taken);
    CHECK_INT(taken.deliveries, 2 * SENT);
    close_channel(taken.channel);
}
