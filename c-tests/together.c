/*
 * What any thread may call, called on several at the same time while signals land on each. For ThreadSanitizer above all, which
 * delivers in time only what a thread sends itself, and merges what comes before that: nothing is queued here.
 */
#include "channel.h"
#include <stdatomic.h>

enum { THREADS = 3, ROUNDS = 300 };

static atomic_int running;
static atomic_llong raised, handled, heard, notified;
static rsig_channel_t *shared;
static int null_fd;

/* The counters order nothing, which would hide races. */
static void add(atomic_llong *count, long long more) {
    atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

static void raise_one(void) {
    raise_here(SIGONE);
    add(&raised, 1);
}

static long long take(rsig_channel_t *channel) {
    rsig_siginfo_t infos[4];
    long long count = 0;
    int records = rsig_channel_read(channel, infos, 4);
    CHECK(records >= 0);
    for (int i = 0; i < records; i++) count += infos[i].count;
    return count;
}

static void open_and_close(void) {
    rsig_channel_t *own = open_channel(ONE | TWO, 2);
    raise_one();
    CHECK(take(own) > 0);
    CHECK(rsig_channel_fd(own) >= 0);
    close_channel(own);
}

static void read_shared(void) {
    rsig_siginfo_t info;
    raise_one();
    add(&heard, take(shared));
    if (rsig_channel_wait(shared, &info, 0) == 1) add(&heard, info.count);
}

static void look(void) {
    rsig_action_t action;
    rsig_sigset_t set;
    CHECK_INT(rsig_getsignal(SIGONE, &action), RSIG_OK);
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    CHECK_ERROR(rsig_getsignal(0, &action), RSIG_ERROR_VALUE, EINVAL);
    CHECK_STR(rsig_signame(SIGUSR1), "SIGUSR1");
    CHECK_INT(rsig_dump(null_fd), RSIG_OK);
    rsig_tripped();
}

static void wait_for_own(void) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, TWO, NULL), RSIG_OK);
    raise_here(SIGTWO);
    CHECK_INT(rsig_sigwaitinfo(TWO, &info), SIGTWO);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, TWO, NULL), RSIG_OK);
}

static void notify(int signum, void *arg) {
    (void)signum, (void)arg;
    add(&notified, 1);
}

static void change(void) {
    CHECK_INT(rsig_set_notify(notify, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGONE, 0), RSIG_OK);
}

static void *work(void *which) {
    static void (*const parts[])(void) = {open_and_close, read_shared, look, wait_for_own, change};
    size_t part = (size_t)which;
    for (int round = 0; round < ROUNDS; round++) parts[part++ % (sizeof parts / sizeof *parts)]();
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static int handle_first(int signum, const rsig_siginfo_t *info, void *arg) {
    CHECK_INT(signum, SIGONE);
    add((atomic_llong *)arg, info->count);
    return 0;
}

static int handle_second(int signum, const rsig_siginfo_t *info, void *arg) {
    return handle_first(signum, info, arg);
}

TEST(everything, "what any thread may call, all may call at once, with signals on each; no count is lost") {
    pthread_t threads[THREADS];
    int wakeup[2];
    char bytes[256];
    CHECK_SYS(null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC));
    CHECK_SYS(pipe2(wakeup, O_NONBLOCK | O_CLOEXEC));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGONE, handle_first, &handled, NULL), RSIG_OK);
    shared = open_channel(ONE, 8);
    running = THREADS;
    for (size_t i = 0; i < THREADS; i++) start(&threads[i], work, (void *)i);
    while (atomic_load(&running)) {
        CHECK_INT(rsig_signal(SIGONE, handle_second, &handled, NULL), RSIG_OK);
        CHECK_INT(rsig_set_wakeup_fd(wakeup[1], 0, NULL), RSIG_OK);
        raise_one();
        CHECK(rsig_pump() >= 0);
        look();
        while (read(wakeup[0], bytes, sizeof bytes) > 0) continue;
        CHECK_INT(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_OK);
        CHECK_INT(rsig_signal(SIGONE, handle_first, &handled, NULL), RSIG_OK);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK(rsig_pump() >= 0);
    for (long long more; (more = take(shared)) > 0;) heard += more;
    CHECK_INT(handled, raised);
    CHECK_INT(heard, raised);
    CHECK(notified > 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    close(null_fd);
}
