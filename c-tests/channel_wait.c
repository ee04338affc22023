/* rsig_channel_wait: what ends it, what it takes, and what runs meanwhile. */
#include "channel.h"
#include <setjmp.h>


static struct check_calls calls;

/* SIGUSR2 has a handler, SIGONE the channel. */
static rsig_channel_t *prepare(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    return open_channel(ONE, 8);
}

/* What another thread does to one that is caught waiting. */
struct intruder {
    pthread_t thread, target;
    pid_t tid;
    rsig_channel_t *channel;
    void (*act)(struct intruder *);
};

static void *intrude(void *arg) {
    struct intruder *it = (struct intruder *)arg;
    check_await_syscall(it->tid, SYS_ppoll);
    it->act(it);
    return NULL;
}

static void intrude_here(struct intruder *it, rsig_channel_t *channel,
                         void (*act)(struct intruder *)) {
    it->target = pthread_self(), it->tid = check_gettid();
    it->channel = channel, it->act = act;
    start(&it->thread, intrude, it);
}

static double now(void) {
    struct timespec time;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

TEST(bad_timeouts, "NaN and infinite are RSIG_ERROR_VALUE, and nothing is taken") {
    rsig_channel_t *channel = prepare();
    rsig_siginfo_t info;
    raise_here(SIGONE);
    CHECK_ERROR(rsig_channel_wait(channel, &info, NAN), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_channel_wait(channel, &info, INFINITY), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -INFINITY), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(next_record(channel).count, 1);
}

TEST(there_already, "a record that waits is taken at once, whatever the timeout") {
    rsig_channel_t *channel = prepare();
    const double timeouts[] = {0, -0.0, 1e-9, 1000, 1e300, -1, -1e300, -1e-9};
    rsig_siginfo_t info;
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        queue_here(SIGONE, (int)i);
        CHECK_INT(rsig_channel_wait(channel, &info, timeouts[i]), 1);
        CHECK_INT(info.value_int, i);
    }
    /* Of several it takes the oldest. */
    for (int i = 0; i < 20; i++) queue_here(SIGONE, i);
    for (int i = 0; i < 8; i++) {
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
        CHECK_INT(info.value_int, i);
    }
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.count, 12);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
}

TEST(time_over, "when the time is over it is 0, not earlier, and the record is left alone") {
    rsig_channel_t *channel = prepare();
    rsig_siginfo_t info = {.signo = 42};
    double began = now();
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    CHECK_INT(rsig_channel_wait(channel, &info, 1e-9), 0);
    CHECK_INT(rsig_channel_wait(channel, &info, 0.05), 0);
    CHECK(now() - began >= 0.05);
    CHECK_INT(info.signo, 42);
}

static void *time_over_here(void *channel) {
    rsig_siginfo_t info;
    double began = now();
    CHECK_INT(rsig_channel_wait(channel, &info, 0.05), 0);
    CHECK(now() - began >= 0.05);
    return NULL;
}

TEST(time_over_elsewhere, "so it is on another thread") { on_thread(time_over_here, prepare()); }

static void send_it(struct intruder *it) {
    queue_to(it->target, SIGONE, 7);
}
static void raise_it(struct intruder *it) {
    (void)it;
    queue_here(SIGONE, 7);
}

static void *check_delivered(void *arg) {
    void (*acts[])(struct intruder *) = {send_it, raise_it};
    for (int i = 0; i < 4; i++) {
        struct intruder it;
        rsig_siginfo_t info;
        intrude_here(&it, arg, acts[i % 2]);
        CHECK_INT(rsig_channel_wait(arg, &info, i < 2 ? -1 : 1e6), 1);
        CHECK_INT(info.signo, SIGONE);
        CHECK_INT(info.value_int, 7);
        join(it.thread);
    }
    return NULL;
}

TEST(delivered_meanwhile, "a signal that lands on the waiting main thread, or on another, ends it") {
    check_delivered(prepare());
}

TEST(delivered_elsewhere, "so it is where the waiting thread is not the main one") {
    on_thread(check_delivered, prepare());
}

TEST(blocked_here, "it ends also where the waiting thread itself blocks the signal") {
    rsig_channel_t *channel = prepare();
    sigset_t all;
    struct intruder it;
    rsig_siginfo_t info;
    intrude_here(&it, channel, raise_it); /* before the mask, which threads inherit */
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    join(it.thread);
}

/* --- handlers --- */

static void handler_then_record(struct intruder *it) {
    send_to(it->target, SIGUSR2);
    while (!__atomic_load_n(&calls.calls, __ATOMIC_ACQUIRE)) sched_yield();
    check_await_syscall(it->tid, SYS_ppoll);
    raise_here(SIGUSR2); /* on this thread */
    while (__atomic_load_n(&calls.calls, __ATOMIC_ACQUIRE) < 2) sched_yield();
    check_await_syscall(it->tid, SYS_ppoll);
    queue_here(SIGONE, 7);
}

TEST(handlers_run, "on the main thread handlers run meanwhile, and it goes on") {
    rsig_channel_t *channel = prepare();
    struct intruder it;
    rsig_siginfo_t info;
    intrude_here(&it, channel, handler_then_record);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.value_int, 7);
    CHECK_INT(calls.calls, 2);
    join(it.thread);
}

TEST(handlers_run_before, "what is pending runs before, also where it only looks") {
    rsig_channel_t *channel = prepare();
    rsig_siginfo_t info;
    raise_here(SIGUSR2);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    CHECK_INT(calls.calls, 1);
    raise_here(SIGUSR2), raise_here(SIGONE);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 1);
    CHECK_INT(calls.calls, 2);
}

TEST(reading_runs_none, "rsig_channel_read runs no handlers") {
    rsig_channel_t *channel = prepare();
    raise_here(SIGUSR2), raise_here(SIGONE);
    next_record(channel);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
}

static void *wait_beside_main(void *channel) {
    struct intruder it;
    rsig_siginfo_t info;
    raise_here(SIGUSR2);
    intrude_here(&it, channel, send_it);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    join(it.thread);
    CHECK_INT(calls.calls, 0);
    return NULL;
}

TEST(not_off_main, "off the main thread no handler runs") {
    on_thread(wait_beside_main, prepare());
    CHECK_INT(rsig_pump(), 1);
}

static void raise_both(struct intruder *it) {
    send_to(it->target, SIGUSR2);
    raise_here(SIGONE);
}

TEST(refused, "a handler that refuses ends it, before and meanwhile, and the record stays") {
    rsig_channel_t *channel = prepare();
    struct intruder it;
    rsig_siginfo_t info = {.signo = 42};
    int signum;
    calls.result = 9;
    raise_here(SIGONE), raise_here(SIGUSR2);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(rsig_raised(&signum), 9);
    CHECK_INT(signum, SIGUSR2);
    CHECK_INT(info.signo, 42);
    CHECK_INT(next_record(channel).signo, SIGONE);

    intrude_here(&it, channel, raise_both);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_HANDLER, EINTR);
    join(it.thread);
    CHECK_INT(info.signo, 42);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.signo, SIGONE);
    close_channel(channel);
}

static jmp_buf out;

static int leave(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    longjmp(out, 1);
}

static void send_usr2(struct intruder *it) { send_to(it->target, SIGUSR2); }

static rsig_channel_t *volatile left_channel;

TEST(left_by_longjmp, "a handler that leaves by longjmp leaves the channel usable, and closable for good") {
    rsig_siginfo_t info;
    prepare();
    CHECK_INT(rsig_signal(SIGUSR2, leave, NULL, NULL), RSIG_OK);
    static volatile int fds;
    /* More often than there are places. */
    for (volatile int i = 0; i < 600; i++) {
        static struct intruder it;
        left_channel = open_channel(ONE, 2);
        if (!setjmp(out)) {
            if (i % 10) {
                raise_here(SIGUSR2);
            } else {
                intrude_here(&it, left_channel, send_usr2);
            }
            rsig_channel_wait(left_channel, &info, -1);
            CHECK_FAIL("the handler did not leave");
        }
        if (i % 10 == 0) join(it.thread);
        check_empty(left_channel);
        queue_here(SIGONE, i);
        CHECK_INT(rsig_channel_wait(left_channel, &info, -1), 1);
        CHECK_INT(info.value_int, i);
        close_channel(left_channel);
        if (i == 0) fds = count_fds();
    }
    CHECK_INT(count_fds(), fds);
}

static int close_in_handler(int signum, const rsig_siginfo_t *info, void *channel) {
    (void)signum, (void)info;
    close_channel((rsig_channel_t *)channel);
    return 0;
}

TEST(closed_by_handler, "a handler that it runs may close its channel, and ends it with that") {
    rsig_channel_t *channel = prepare();
    struct intruder it;
    rsig_siginfo_t info;
    int fds = count_fds();
    CHECK_INT(rsig_signal(SIGUSR2, close_in_handler, channel, NULL), RSIG_OK);
    intrude_here(&it, channel, send_usr2);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_VALUE, EINVAL);
    join(it.thread);
    CHECK_INT(count_fds(), fds);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

static int fini_in_handler(int signum, const rsig_siginfo_t *info, void *unused) {
    (void)signum, (void)info, (void)unused;
    CHECK_INT(rsig_fini(), RSIG_OK);
    return 0;
}

TEST(ended_by_handler, "a handler that it runs may call rsig_fini(), and ends it with that") {
    rsig_channel_t *channel = prepare();
    struct intruder it;
    rsig_siginfo_t info;
    CHECK_INT(rsig_signal(SIGUSR2, fini_in_handler, NULL, NULL), RSIG_OK);
    intrude_here(&it, channel, send_usr2);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_STATE, ENXIO);
    join(it.thread);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

static int handler_opens(int signum, const rsig_siginfo_t *info, void *channel) {
    (void)signum, (void)info;
    rsig_siginfo_t other;
    rsig_channel_t *inner = open_channel(ONE, 2);
    raise_here(SIGONE);
    CHECK_INT(rsig_channel_wait(inner, &other, -1), 1);
    CHECK_INT(rsig_channel_wait((rsig_channel_t *)channel, &other, -1), 1);
    close_channel(inner);
    return 0;
}

TEST(used_in_handler, "a handler that it runs may open, wait for and close channels, its own too") {
    rsig_channel_t *channel = prepare();
    rsig_siginfo_t info;
    CHECK_INT(rsig_signal(SIGUSR2, handler_opens, channel, NULL), RSIG_OK);
    raise_here(SIGUSR2);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    close_channel(channel);
}

static sigjmp_buf out_of_plain;
static void leave_plain(int signum) { siglongjmp(out_of_plain, signum); }
static void send_term(struct intruder *it) { send_to(it->target, SIGTERM); }

TEST(left_by_siglongjmp, "a plain sigaction() handler that leaves the wait leaves the channel usable and closable") {
    rsig_siginfo_t info;
    static struct intruder it;
    left_channel = prepare();
    CHECK(signal(SIGTERM, leave_plain) != SIG_ERR);
    for (volatile int i = 0; i < 10; i++) {
        if (!sigsetjmp(out_of_plain, 1)) {
            intrude_here(&it, left_channel, send_term);
            rsig_channel_wait(left_channel, &info, -1);
            CHECK_FAIL("the handler did not leave");
        }
        join(it.thread);
        queue_here(SIGONE, i);
        CHECK_INT(rsig_channel_wait(left_channel, &info, -1), 1);
        CHECK_INT(info.value_int, i);
    }
    close_channel(left_channel);
    CHECK_ERROR(rsig_channel_wait(left_channel, &info, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    left_channel = open_channel(ONE, 1);
    queue_here(SIGONE, 11);
    CHECK_NEXT(left_channel, SIGONE, 11, 1);
}

/* --- closed meanwhile --- */

static void close_it(struct intruder *it) { close_channel(it->channel); }

static void *closed_here(void *channel) {
    struct intruder it;
    rsig_siginfo_t info;
    int fd = rsig_channel_fd(channel);
    CHECK_SYS(fcntl(fd, F_GETFD));
    intrude_here(&it, channel, close_it);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_VALUE, EINVAL);
    join(it.thread);
    CHECK_INT(fcntl(fd, F_GETFD), -1);
    return NULL;
}

TEST(closed_meanwhile, "a channel that another thread closes ends the main thread's wait, and is gone") {
    closed_here(prepare());
}

TEST(closed_elsewhere, "and another thread's") { on_thread(closed_here, prepare()); }

static void close_and_reopen(struct intruder *it) {
    close_channel(it->channel);
    for (int i = 0; i < 300; i++) {
        rsig_channel_t *next = open_channel(ONE, 1);
        CHECK(rsig_channel_fd(next) >= 0);
        close_channel(next);
    }
    it->channel = open_channel(ONE, 1);
    queue_here(SIGONE, 8);
}

TEST(closed_and_reopened, "the next channel at its place is nothing to it, and loses nothing to it") {
    rsig_channel_t *channel = prepare();
    struct intruder it;
    rsig_siginfo_t info;
    intrude_here(&it, channel, close_and_reopen);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_VALUE, EINVAL);
    join(it.thread);
    CHECK_NEXT(it.channel, SIGONE, 8, 1);
}

static void *wait_until_over(void *arg) {
    struct intruder *it = (struct intruder *)arg;
    rsig_siginfo_t info;
    __atomic_store_n(&it->tid, check_gettid(), __ATOMIC_RELEASE);
    return (void *)(size_t)-rsig_channel_wait(it->channel, &info, -1);
}

TEST(fini_meanwhile, "rsig_fini ends the waits of other threads, and keeps nothing of the channel") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    /* The C library's own, and rsig's own, once. */
    int fds = count_fds();
    for (int i = 0; i < 20; i++) {
        enum { WAITING = 3 };
        struct intruder waiting[WAITING];
        void *result;
        rsig_channel_t *channel = open_channel(ONE, 1);
        for (int n = 0; n < WAITING; n++) {
            waiting[n].tid = 0, waiting[n].channel = channel;
            start(&waiting[n].thread, wait_until_over, &waiting[n]);
        }
        for (int n = 0; n < WAITING; n++) {
            pid_t tid;
            while (!(tid = __atomic_load_n(&waiting[n].tid, __ATOMIC_ACQUIRE))) sched_yield();
            check_await_syscall(tid, SYS_ppoll);
        }
        CHECK_INT(rsig_fini(), RSIG_OK);
        for (int n = 0; n < WAITING; n++) {
            CHECK_INT(pthread_join(waiting[n].thread, &result), 0);
            /* As rsig_fini() is at closing the channels still, or is over. */
            CHECK((long)result == -RSIG_ERROR_VALUE || (long)result == -RSIG_ERROR_STATE);
        }
        CHECK_INT(rsig_init(0), RSIG_OK);
    }
    /* What the last of them left goes with the next use. */
    close_channel(open_channel(ONE, 1));
    CHECK_INT(count_fds(), fds);
}

/* --- several threads --- */

static int ended;

static void *take_one(void *arg) {
    struct intruder *it = (struct intruder *)arg;
    rsig_siginfo_t info;
    __atomic_store_n(&it->tid, check_gettid(), __ATOMIC_RELEASE);
    CHECK_INT(rsig_channel_wait(it->channel, &info, -1), 1);
    CHECK_INT(info.count, 1);
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
    return (void *)(size_t)info.value_int;
}

TEST(several_wait, "of several threads that wait each record ends one, and none is left over") {
    enum { WAITING = 6 };
    rsig_channel_t *channel = prepare();
    struct intruder waiting[WAITING];
    int seen[WAITING + 1] = {0};
    for (int i = 0; i < WAITING; i++) {
        waiting[i].tid = 0, waiting[i].channel = channel;
        start(&waiting[i].thread, take_one, &waiting[i]);
    }
    for (int i = 0; i < WAITING; i++) {
        pid_t tid;
        while (!(tid = __atomic_load_n(&waiting[i].tid, __ATOMIC_ACQUIRE))) sched_yield();
        check_await_syscall(tid, SYS_ppoll);
    }
    for (int i = 1; i <= WAITING / 2; i++) {
        queue_here(SIGONE, i);
        while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < i) sched_yield();
    }
    for (int i = WAITING / 2 + 1; i <= WAITING; i++) queue_here(SIGONE, i);
    for (int i = 0; i < WAITING; i++) {
        void *payload;
        CHECK_INT(pthread_join(waiting[i].thread, &payload), 0);
        CHECK((size_t)payload >= 1 && (size_t)payload <= WAITING);
        CHECK_INT(seen[(size_t)payload]++, 0);
    }
    CHECK(!is_readable(rsig_channel_fd(channel)));
    check_empty(channel);
}

/* --- a plain handler of the program's --- */

static volatile sig_atomic_t plain_calls;
static void plain_handler(int signum) { (void)signum, plain_calls++; }

static void plain_then_record(struct intruder *it) {
    for (int i = 1; i <= 3; i++) {
        send_to(it->target, SIGTERM);
        while (plain_calls < i) sched_yield();
        check_await_syscall(it->tid, SYS_ppoll);
    }
    queue_here(SIGONE, 7);
}

static void *plain_meanwhile(void *channel) {
    struct intruder it;
    rsig_siginfo_t info;
    plain_calls = 0;
    intrude_here(&it, channel, plain_then_record);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.value_int, 7);
    join(it.thread);
    return NULL;
}

TEST(plain_handler_meanwhile, "a plain sigaction() handler does not end it, on whichever thread") {
    rsig_channel_t *channel = prepare();
    CHECK(signal(SIGTERM, plain_handler) != SIG_ERR);
    plain_meanwhile(channel);
    on_thread(plain_meanwhile, channel);
}

static void other_then_record(struct intruder *it) {
    for (int i = 0; i < 3; i++) {
        send_to(it->target, SIGRTMIN);
        check_await_syscall(it->tid, SYS_ppoll);
    }
    queue_here(SIGONE, 7);
}

TEST(other_channel_meanwhile, "a signal that only another channel has does not end it") {
    rsig_channel_t *channel = prepare(), *other = open_channel(RSIG_SIGSET(SIGRTMIN), 8);
    struct intruder it;
    rsig_siginfo_t info;
    intrude_here(&it, channel, other_then_record);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.value_int, 7);
    join(it.thread);
    rsig_siginfo_t infos[8];
    CHECK_INT(rsig_channel_read(other, infos, 8), 3);
}
