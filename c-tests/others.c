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
    atomic_int last_payload;
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

static void close_channels(rsig_channel_t *one, rsig_channel_t *other) {
    CHECK_INT(rsig_channel_close(one), RSIG_OK);
    CHECK_INT(rsig_channel_close(other), RSIG_OK);
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

/* --- puts back what it displaced, and raises again --- */

/* As Python's faulthandler does. Where its signal comes back to it, it would go round for ever. */
static void raising_handler(int signum, siginfo_t *info, void *context) {
    (void)context;
    CHECK_INT(above.calls, 0);
    plain_handler(&above, info);
    CHECK_SYS(sigaction(signum, &above.displaced, NULL));
    CHECK_INT(raise(signum), 0);
}

/* This payload, and what was raised again. */
static void check_both_records(rsig_channel_t *channel, int payload) {
    rsig_siginfo_t infos[3];
    CHECK_INT(rsig_channel_read(channel, infos, 3), 2);
    CHECK_INT(infos[0].value_int, payload);
    CHECK_INT(infos[1].code, SI_TKILL);
}

TEST(raises_again_between_channels, "between two channels it gets the signal once, and both channels all there is") {
    init();
    rsig_channel_t *first = open_channel(SIGUSR1);
    install(&above, SIGUSR1, raising_handler);
    rsig_channel_t *second = open_channel(SIGUSR1);
    send_payload(1);
    check_both_records(first, 1);
    check_both_records(second, 1);
    send_payload(2);
    check_record(first, 2);
    check_record(second, 2);
    check_called(&above, 1, 1);
}

TEST(raises_again_over_a_handler, "between rsig_signal and a channel too, and the handler runs for what it raised") {
    struct check_calls calls = {0};
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install(&above, SIGUSR1, raising_handler);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    send_payload(1);
    check_both_records(channel, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.code, SI_TKILL);
    CHECK_INT(calls.deliveries, 1);
    send_payload(2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.value_int, 2);
    check_called(&above, 1, 1);
}

TEST(raises_again_after_fini, "where rsig_fini has given it the signal back, who was beneath gets it, and what comes later") {
    install(&below, SIGUSR1, below_handler);
    init();
    open_channel(SIGUSR1);
    install(&above, SIGUSR1, raising_handler);
    open_channel(SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, raising_handler));
    send_payload(1);
    check_called(&above, 1, 1);
    CHECK_INT(below.calls, 1);
    send_payload(2);
    check_called(&below, 2, 2);
    check_called(&above, 1, 1);
}

/* --- who goes away in the middle --- */

TEST(taken_away, "one that its owner has taken away, when the channels over it were closed, does not come back") {
    install(&below, SIGUSR1, below_handler);
    init();
    rsig_channel_t *first = open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    close_channels(open_channel(SIGUSR1), first);
    uninstall(&above, SIGUSR1);
    send_payload(1);
    first = open_channel(SIGUSR1);
    send_payload(2);
    check_called(&below, 2, 2);
    check_record(first, 2);
    CHECK_INT(rsig_channel_close(first), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
    send_payload(3);
    check_called(&below, 3, 3);
    CHECK_INT(above.calls, 0);
}

TEST(taken_away_open, "nor one that is taken away by putting back a lower handler of rsig's, while a channel is open") {
    install(&below, SIGUSR1, below_handler);
    init();
    open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    rsig_channel_t *second = open_channel(SIGUSR1);
    uninstall(&above, SIGUSR1);
    send_payload(1);
    check_record(second, 1);
    check_called(&below, 1, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
    CHECK_INT(above.calls, 0);
}

TEST(taken_away_between_handlers, "one between two functions of rsig_signal: then the first runs again, as rsig_getsignal says") {
    struct check_calls first = {0}, second = {0};
    rsig_action_t now;
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &first, NULL), RSIG_OK);
    install(&above, SIGUSR1, passing_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &second, NULL), RSIG_OK);
    uninstall(&above, SIGUSR1);
    CHECK_INT(rsig_getsignal(SIGUSR1, &now), RSIG_OK);
    CHECK(now.arg == &first);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(first.calls, 1);
    CHECK_INT(second.calls, 0);
}

TEST(alternate_until_fini, "after rsig_fini each of two that alternated with handlers of rsig's is called once") {
    struct check_calls calls = {0};
    install(&below, SIGUSR1, below_handler);
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install(&above, SIGUSR1, passing_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    send_payload(1);
    check_called(&above, 1, 1);
    check_called(&below, 1, 1);
    CHECK_INT(calls.calls, 0);
}

TEST(away_after_fini, "one that goes after rsig_fini leaves rsig's handler there, and the next rsig_init knows it") {
    install(&below, SIGUSR1, below_handler);
    for (int i = 1; i <= 20; i++) {
        init();
        rsig_channel_t *channel = open_channel(SIGUSR1);
        send_payload(i);
        check_called(&below, i, i);
        check_record(channel, i);
        install(&above, SIGUSR1, passing_handler);
        CHECK_INT(rsig_fini(), RSIG_OK);
        uninstall(&above, SIGUSR1);
    }
    init();
    CHECK_INT(rsig_channel_close(open_channel(SIGUSR1)), RSIG_OK);
    CHECK(is_installed(SIGUSR1, below_handler));
}

/* --- one function, twice --- */

/* It knows no more than the last one that it has displaced: without rsig it would be its own, too. */
TEST(installed_twice, "a function beneath a channel that is installed over it as well ends, and the channel hears once") {
    install(&above, SIGUSR1, passing_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    install(&above, SIGUSR1, passing_handler);
    send_payload(1);
    check_called(&above, 2, 1);
    check_record(channel, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    send_payload(2);
    check_called(&above, 4, 2);
}

static void bare_handler(int signum, siginfo_t *info, void *context) {
    (void)context;
    plain_handler(&above, info);
    pass_on(&above.displaced, signum, info, NULL);
}

TEST(installed_twice_bare, "so it is where it passes on no context") {
    install(&above, SIGUSR1, bare_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    install(&above, SIGUSR1, bare_handler);
    send_payload(1);
    check_called(&above, 1, 1);
    check_record(channel, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    send_payload(2);
    check_called(&above, 2, 2);
}

/* --- many --- */

enum { LEVELS = 8 };
static struct party parties[LEVELS + 1];

static int pass_nothing;

/* A function of its own for each, all of which pass on, with or without the context. */
#define PARTY(i)                                                                                   \
    static void party_##i(int signum, siginfo_t *info, void *context) {                            \
        plain_handler(&parties[i], info);                                                          \
        pass_on(&parties[i].displaced, signum, info, pass_nothing ? NULL : context);               \
    }
PARTY(0) PARTY(1) PARTY(2) PARTY(3) PARTY(4) PARTY(5) PARTY(6) PARTY(7) PARTY(8)
static void (*const functions[])(int, siginfo_t *, void *) = {
    party_0, party_1, party_2, party_3, party_4, party_5, party_6, party_7, party_8};

static void check_parties(int count, int payload) {
    send_payload(payload);
    for (int i = 0; i < count; i++) check_called(&parties[i], payload, payload);
}

static void check_between(int count) {
    rsig_channel_t *channels[LEVELS];
    for (int i = 0; i < count; i++) {
        install(&parties[i], SIGUSR1, functions[i]);
        parties[i].calls = 0;
        channels[i] = open_channel(SIGUSR1);
    }
    check_parties(count, 1);
    for (int i = 0; i < count; i++) check_record(channels[i], 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, functions[count - 1]));
    check_parties(count, 2);
}

TEST(eight_between_channels, "eight with a channel over each: all hear once, and each channel too") {
    init();
    check_between(LEVELS);
}

static void check_nine(rsig_channel_t *channel, int payload) {
    send_payload(payload);
    for (int i = 0; i < LEVELS + 1; i++)
        if (i != LEVELS - 1) check_called(&parties[i], payload, payload);
    CHECK_INT(parties[LEVELS - 1].calls, 0);
    if (channel) check_record(channel, payload);
}

static void check_nine_between(void) {
    rsig_channel_t *channels[LEVELS + 1];
    init();
    for (int i = 0; i < LEVELS + 1; i++) {
        install(&parties[i], SIGUSR1, functions[i]);
        channels[i] = open_channel(SIGUSR1);
    }
    for (int i = 1; i <= 3; i++) check_nine(channels[0], i);
    for (int i = LEVELS; i > 0; i--) CHECK_INT(rsig_channel_close(channels[i]), RSIG_OK);
    check_nine(channels[0], 4);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(SIGUSR1, functions[LEVELS]));
    check_nine(NULL, 5);
}

TEST(nine_between_channels, "of nine the eighth is passed over; the others hear once, before rsig_fini and after") {
    check_nine_between();
}

TEST(nine_between_channels_bare, "so it is where they pass on no context") {
    pass_nothing = 1;
    check_nine_between();
}

TEST(any_number_in_turn, "any number that come and go, each under a channel of its own, take nothing from eight that stay") {
    init();
    for (int i = 1; i <= 100; i++) {
        struct party *party = &parties[i % (LEVELS + 1)];
        install(party, SIGUSR1, functions[i % (LEVELS + 1)]);
        rsig_channel_t *channel = open_channel(SIGUSR1);
        send_payload(i);
        CHECK_INT(party->last_payload, i);
        check_record(channel, i);
        CHECK_INT(rsig_channel_close(channel), RSIG_OK);
        uninstall(party, SIGUSR1);
    }
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    check_between(LEVELS);
}

TEST(ignored_any_number_of_times, "SIG_IGN and SIG_DFL in turn with rsig_signal take no more than two from those that stay") {
    init();
    for (int i = 0; i < 20; i++) {
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
        CHECK(signal(SIGUSR1, i % 2 ? SIG_IGN : SIG_DFL) != SIG_ERR);
    }
    check_between(LEVELS - 2);
}

TEST(any_number_of_times, "one function, SIG_IGN or SIG_DFL may take the signal from rsig any number of times") {
    struct check_calls calls = {0};
    init();
    for (int i = 1; i <= 100; i++) {
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
        CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(calls.calls, i);
        if (i % 3 == 0)
            install(&above, SIGUSR1, above_handler);
        else
            CHECK(signal(SIGUSR1, i % 3 == 1 ? SIG_IGN : SIG_DFL) != SIG_ERR);
    }
}
