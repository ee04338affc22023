/*
 * Others who call sigaction(2) in the same process: beneath rsig's handler, over it, with and without passing on. Whoever was
 * there before goes on beside channels, and each hears of a delivery once.
 */
#include "check.h"
#include <setjmp.h>
#include <stdatomic.h>

/* Another party, with its handler and with what it has displaced. */
struct party {
    struct sigaction displaced;
    atomic_int calls;
    int last_payload;
};

static struct party below, above;

static void plain_handler(struct party *party, const siginfo_t *info) {
    party->last_payload = info->si_value.sival_int;
    party->calls++;
}

static void below_handler(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    plain_handler(&below, info);
}

static void above_handler(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    plain_handler(&above, info);
}

/* As a careful library does it: what it has displaced is called as the kernel would call it. */
static void pass_on(const struct sigaction *to, int signum, siginfo_t *info, void *context) {
    if (to->sa_flags & SA_SIGINFO)
        to->sa_sigaction(signum, info, context);
    else if (to->sa_handler != SIG_DFL && to->sa_handler != SIG_IGN)
        to->sa_handler(signum);
}

static void passing_handler(int signum, siginfo_t *info, void *context) {
    plain_handler(&above, info);
    pass_on(&above.displaced, signum, info, context);
}

static void install(struct party *party, int signum, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(signum, &action, &party->displaced));
}

static void uninstall(struct party *party, int signum) {
    CHECK_SYS(sigaction(signum, &party->displaced, NULL));
}

static void init(void) { CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK); }

static rsig_channel_t *open_channel(int signum) {
    rsig_channel_t *channel;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(signum), 64, &channel), RSIG_OK);
    return channel;
}

static void send_payload(int payload) {
    CHECK_SYS(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = payload}));
}

/* Exactly one record, with this payload. */
static void check_record(rsig_channel_t *channel, int payload) {
    rsig_siginfo_t infos[2];
    CHECK_INT(rsig_channel_read(channel, infos, 2), 1);
    CHECK_INT(infos[0].signo, SIGUSR1);
    CHECK_INT(infos[0].count, 1);
    CHECK_INT(infos[0].value_int, payload);
}

static void check_empty(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
}

static void check_called(struct party *party, int calls, int payload) {
    CHECK_INT(party->calls, calls);
    CHECK_INT(party->last_payload, payload);
}

static int is_installed(int signum, void (*handler)(int, siginfo_t *, void *)) {
    return check_kernel_handler(signum) == (void *)(size_t)handler;
}

/* --- beneath --- */

TEST(below_a_channel, "a handler that was there before goes on beside a channel, and comes back when it is closed") {
    install(&below, SIGUSR1, below_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    send_payload(5);
    check_called(&below, 1, 5);
    check_record(channel, 5);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
    send_payload(6);
    check_called(&below, 2, 6);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
}

TEST(below_a_channel_at_fini, "rsig_fini closes the channel and puts the handler back") {
    install(&below, SIGUSR1, below_handler);
    init();
    open_channel(SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
}

TEST(below_a_handler_and_a_channel,
     "beside a channel too, rsig_signal displaces the other, and its old action puts it back") {
    struct check_calls calls = {0};
    rsig_action_t old;
    install(&below, SIGUSR1, below_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, &old), RSIG_OK);
    CHECK(old.handler == RSIG_FOREIGN);
    send_payload(1);
    CHECK_INT(rsig_pump(), 1);
    check_record(channel, 1);
    CHECK_INT(below.calls, 0);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    send_payload(2);
    CHECK_INT(rsig_pump(), 0);
    check_record(channel, 2);
    check_called(&below, 1, 2);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
}

static sigjmp_buf out;

static void jumping_handler(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    plain_handler(&below, info);
    siglongjmp(out, 1);
}

TEST(below_and_jumps_out, "a handler that leaves by siglongjmp() is called by each delivery all the same") {
    install(&below, SIGUSR1, jumping_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    for (volatile int i = 1; i <= 100; i++) {
        if (sigsetjmp(out, 1) == 0) {
            send_payload(i);
            CHECK_FAIL("the handler has returned");
        }
        check_called(&below, i, i);
        check_record(channel, i);
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void one_shot_handler(int signum) {
    (void)signum;
    below.calls++;
}

TEST(below_and_one_shot, "a handler that asked to be called once (SA_RESETHAND) is called once") {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = one_shot_handler;
    action.sa_flags = (int)SA_RESETHAND;
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    send_payload(1);
    check_record(channel, 1);
    send_payload(2);
    check_record(channel, 2);
    CHECK_INT(below.calls, 1);
}

#define THREADS 4
#define DELIVERIES 20000

static void *raises(void *unused) {
    for (int i = 0; i < DELIVERIES; i++) CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

TEST(below_in_a_storm, "on several threads at once, the other's handler and the channel count the same deliveries") {
    rsig_siginfo_t info;
    pthread_t threads[THREADS];
    long long heard = 0;
    install(&below, SIGUSR1, below_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, raises, NULL), 0);
    while (heard < (long long)THREADS * DELIVERIES) {
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
        heard += info.count;
    }
    for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(heard, THREADS * DELIVERIES);
    CHECK_INT(below.calls, THREADS * DELIVERIES);
    check_empty(channel);
}

/* --- above --- */

TEST(above_a_channel, "who comes later and passes nothing on has the signal alone, until a channel is opened over it") {
    init();
    rsig_channel_t *first = open_channel(SIGUSR1);
    install(&above, SIGUSR1, above_handler);
    send_payload(1);
    check_called(&above, 1, 1);
    check_empty(first);
    rsig_channel_t *second = open_channel(SIGUSR1);
    send_payload(2);
    check_called(&above, 2, 2);
    check_record(first, 2);
    check_record(second, 2);
    CHECK_INT(rsig_channel_close(first), RSIG_OK);
    send_payload(3);
    check_called(&above, 3, 3);
    check_record(second, 3);
    CHECK_INT(rsig_channel_close(second), RSIG_OK);
    CHECK(is_installed(SIGUSR1, above_handler));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, above_handler));
}

TEST(above_and_closed, "a handler over a channel stays when the channel is closed, and what it passes on does no harm") {
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    send_payload(1);
    check_called(&above, 1, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    send_payload(2);
    check_called(&above, 2, 2);
}

TEST(passes_on_to_a_channel, "a handler over a channel that passes on, and a second channel over both: each hears once") {
    init();
    rsig_channel_t *first = open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    send_payload(1);
    check_called(&above, 1, 1);
    check_record(first, 1);
    rsig_channel_t *second = open_channel(SIGUSR1);
    send_payload(2);
    check_called(&above, 2, 2);
    check_record(first, 2);
    check_record(second, 2);
    CHECK_INT(rsig_channel_close(second), RSIG_OK);
    CHECK_INT(rsig_channel_close(first), RSIG_OK);
    CHECK(is_installed(SIGUSR1, passing_handler));
}

TEST(passes_on_to_a_handler, "a channel over a handler that passes on to one of rsig_signal: all three hear once") {
    struct check_calls calls = {0};
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install(&above, SIGUSR1, passing_handler);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    for (int i = 1; i <= 3; i++) {
        send_payload(i);
        check_called(&above, i, i);
        check_record(channel, i);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, i);
        CHECK_INT(calls.last_info.value_int, i);
    }
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK(is_installed(SIGUSR1, passing_handler));
    send_payload(4);
    CHECK_INT(rsig_pump(), 1);
    check_called(&above, 4, 4);
}

TEST(between_two_channels,
     "beneath, channel, above, channel: the one beneath is still called, and each hears once") {
    install(&below, SIGUSR1, below_handler);
    init();
    rsig_channel_t *first = open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    rsig_channel_t *second = open_channel(SIGUSR1);
    send_payload(1);
    check_record(first, 1);
    check_record(second, 1);
    check_called(&above, 1, 1);
    check_called(&below, 1, 1);
    CHECK_INT(rsig_channel_close(second), RSIG_OK);
    CHECK_INT(rsig_channel_close(first), RSIG_OK);
    CHECK(is_installed(SIGUSR1, passing_handler));
    send_payload(2);
    check_called(&above, 2, 2);
    check_called(&below, 2, 2);
}

/* --- who goes first --- */

TEST(above_goes_first, "who came over rsig's handlers puts them back, and rsig_fini what was beneath") {
    struct check_calls calls = {0};
    install(&below, SIGUSR1, below_handler);
    install(&below, SIGUSR2, below_handler);
    struct party other = {0};
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    install(&above, SIGUSR1, passing_handler);
    install(&other, SIGUSR2, above_handler);
    uninstall(&above, SIGUSR1);
    uninstall(&other, SIGUSR2);
    send_payload(1);
    check_called(&below, 1, 1);
    check_record(channel, 1);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
    CHECK(is_installed(SIGUSR2, below_handler));
}

/* rsig goes while somebody is over it: what that one passes on, or puts back, still reaches who was beneath. */
static void check_rsig_goes_first(void) {
    install(&above, SIGUSR1, passing_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, passing_handler));
    send_payload(1);
    check_called(&above, 1, 1);
    check_called(&below, 1, 1);
    uninstall(&above, SIGUSR1);
    send_payload(2);
    check_called(&above, 1, 1);
    check_called(&below, 2, 2);
}

TEST(channel_goes_first, "after rsig_fini with a channel, what is passed on still reaches who was beneath") {
    install(&below, SIGUSR1, below_handler);
    init();
    open_channel(SIGUSR1);
    check_rsig_goes_first();
}

TEST(handler_goes_first, "after rsig_fini with a handler, what is passed on still reaches who was beneath") {
    install(&below, SIGUSR1, below_handler);
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    check_rsig_goes_first();
}

TEST(comes_again, "rsig_init after such an end: a channel over all of them, and each hears once") {
    install(&below, SIGUSR1, below_handler);
    init();
    open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    for (int i = 1; i <= 3; i++) {
        send_payload(i);
        check_record(channel, i);
        check_called(&above, i, i);
        check_called(&below, i, i);
    }
}
