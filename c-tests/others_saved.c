/*
 * Others who save what sigaction(2) shows of rsig's, and put it back or call it when rsig has changed meanwhile. What comes back
 * is what they have saved; and where rsig has no more use for it, it is as if rsig had never been there.
 */
#include "check.h"
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>

#define ONE RSIG_SIGSET(SIGUSR1)

static struct check_calls calls;

static void init(void) { CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK); }

static void fini(void) { CHECK_INT(rsig_fini(), RSIG_OK); }

static rsig_channel_t *open_channel(int signum) {
    rsig_channel_t *channel;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(signum), 64, &channel), RSIG_OK);
    return channel;
}

static void close_channel(rsig_channel_t *channel) {
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
}

static void set_function(int signum) {
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
}

static rsig_handler_t action_of(int signum) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(signum, &action), RSIG_OK);
    return action.handler;
}

static int deliveries_in(rsig_channel_t *channel) {
    rsig_siginfo_t infos[8];
    int sum = 0, count = rsig_channel_read(channel, infos, 8);
    CHECK(count >= 0);
    for (int i = 0; i < count; i++) sum += (int)infos[i].count;
    return sum;
}

static struct sigaction set_plain(int signum, void (*handler)(int)) {
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK_SYS(sigaction(signum, &action, &before));
    return before;
}

/* Another party's function, which passes on to what it has displaced. */
static struct party {
    struct sigaction displaced;
    int calls;
} first, second;

static void pass_on(struct party *party, int signum, siginfo_t *info, void *context) {
    party->calls++;
    if (party->displaced.sa_handler != SIG_DFL && party->displaced.sa_handler != SIG_IGN)
        party->displaced.sa_sigaction(signum, info, context);
}

static void first_handler(int signum, siginfo_t *info, void *context) {
    pass_on(&first, signum, info, context);
}

static void second_handler(int signum, siginfo_t *info, void *context) {
    pass_on(&second, signum, info, context);
}

static void come_with(struct party *party, int signum, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    CHECK_SYS(sigaction(signum, &action, party ? &party->displaced : NULL));
}

static void come(struct party *party, int signum, void (*handler)(int, siginfo_t *, void *)) {
    come_with(party, signum, handler, 0);
}

static void put_back(int signum, const struct sigaction *saved) {
    CHECK_SYS(sigaction(signum, saved, NULL));
}

/* --- a function of rsig_signal, while somebody has set SIG_DFL or SIG_IGN for a while --- */

static void check_runs(void) {
    int before = calls.deliveries;
    CHECK(action_of(SIGUSR1) == check_handler);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.deliveries, before + 1);
}

static void check_function_comes_back(void (*meanwhile)(int)) {
    init();
    set_function(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, meanwhile);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    put_back(SIGUSR1, &saved);
    check_runs();
    CHECK_INT(deliveries_in(channel), 1);
    close_channel(channel);
    check_runs();
}

TEST(function_under_a_channel, "a channel opened while SIGUSR1 has its default action for a while: the function runs again") {
    check_function_comes_back(SIG_DFL);
}

TEST(function_under_a_channel_ignored, "so it is while it is ignored for a while, as it was before rsig") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    check_function_comes_back(SIG_IGN);
}

TEST(function_when_the_channel_has_gone, "so it is where the channel is closed, and another opened over a handler, before it comes back") {
    init();
    set_function(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, SIG_DFL);
    close_channel(open_channel(SIGUSR1));
    come(&first, SIGUSR1, first_handler);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    put_back(SIGUSR1, &saved);
    check_runs();
    close_channel(channel);
    check_runs();
    fini();
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

TEST(tripped_before, "what was delivered before that runs, though a channel is opened over the default action") {
    init();
    set_function(SIGUSR1);
    CHECK_INT(raise(SIGUSR1), 0);
    set_plain(SIGUSR1, SIG_DFL);
    open_channel(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 1);
}

static int raise_and_leave(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info;
    ++*(int *)arg;
    CHECK_INT(raise(signum), 0);
    set_plain(signum, SIG_DFL);
    return 0;
}

TEST(tripped_before_the_end, "but not where rsig_signal itself has set SIG_IGN over that default action") {
    int ran = 0;
    init();
    CHECK_INT(rsig_signal(SIGUSR1, raise_and_leave, &ran, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_INT(ran, 1);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(ran, 1);
}

static void *sleep_until_the_end(void *unused) {
    pause();
    return unused;
}

TEST(function_of_the_highest_number, "a real-time number that rsig would take for itself meanwhile: its function runs again, twice") {
    pthread_t thread;
    check_needs_stub();
    CHECK_INT(pthread_create(&thread, NULL, sleep_until_the_end, NULL), 0);
    init();
    set_function(SIGRTMAX);
    struct sigaction saved = set_plain(SIGRTMAX, SIG_DFL);
    for (int i = 1; i <= 2; i++) {
        CHECK_INT(rsig_sleep(0.001), 0);
        put_back(SIGRTMAX, &saved);
        CHECK(action_of(SIGRTMAX) == check_handler);
        CHECK_INT(rsig_raise_signal(SIGRTMAX), RSIG_OK);
        CHECK_INT(calls.deliveries, i);
    }
}

TEST(two_functions, "of two functions of rsig_signal, with another party's between, the one runs whose handler is put back") {
    struct check_calls above = {0};
    struct sigaction saved;
    init();
    set_function(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &above, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &saved));
    put_back(SIGUSR1, &first.displaced);
    set_function(SIGUSR1);
    put_back(SIGUSR1, &saved);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(above.deliveries, 1);
    CHECK_INT(calls.deliveries, 0);
    put_back(SIGUSR1, &first.displaced);
    check_runs();
}

/* --- a channel's handler --- */

static void default_comes_back(void) {
    struct sigaction saved;
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &saved));
    set_function(SIGUSR1);
    put_back(SIGUSR1, &saved);
    CHECK(action_of(SIGUSR1) == RSIG_DFL);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(deliveries_in(channel), 1);
    CHECK_INT(calls.calls, 0);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

TEST(default_under_a_function, "saved with the default action beneath, it means that again, though rsig_signal came meanwhile") {
    CHECK_CHILD_OK(check_child(default_comes_back));
}

static void (*meanwhile)(int);

static void die_after_the_channel(void) {
    struct sigaction saved;
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    if (meanwhile) {
        saved = set_plain(SIGUSR1, meanwhile);
    } else {
        come(&first, SIGUSR1, first_handler);
        saved = first.displaced;
    }
    close_channel(channel);
    put_back(SIGUSR1, &saved);
    CHECK(action_of(SIGUSR1) == RSIG_DFL);
    CHECK_INT(raise(SIGUSR1), 0);
}

TEST(default_after_the_channel, "put back when the channel is closed, after SIG_IGN or a handler: the default action happens") {
    meanwhile = SIG_IGN;
    CHECK_CHILD_KILLED(check_child(die_after_the_channel), SIGUSR1);
    meanwhile = NULL;
    CHECK_CHILD_KILLED(check_child(die_after_the_channel), SIGUSR1);
}

TEST(ignored_after_the_channel, "put back when the channel is closed: what was ignored is ignored, and the next channel hears") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, SIG_DFL);
    close_channel(channel);
    put_back(SIGUSR1, &saved);
    CHECK(action_of(SIGUSR1) == RSIG_IGN);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_IGN);
    put_back(SIGUSR1, &saved);
    channel = open_channel(SIGUSR1);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(deliveries_in(channel), 1);
}

TEST(function_after_the_channel, "put back when the channel is closed: the handler beneath is called, and put back by the next channel") {
    come(NULL, SIGUSR1, first_handler);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, SIG_IGN);
    close_channel(channel);
    put_back(SIGUSR1, &saved);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(first.calls, 1);
    close_channel(open_channel(SIGUSR1));
    CHECK(check_kernel_handler(SIGUSR1) == (void *)(size_t)first_handler);
}

static int notified;
static void notify(int signum, void *arg) { (void)signum, (void)arg, notified++; }

TEST(unheard, "what is passed on to it when the channel is closed: no byte, no notification") {
    int fds[2];
    char byte;
    CHECK_SYS(pipe2(fds, O_NONBLOCK));
    init();
    CHECK_INT(rsig_set_wakeup_fd(fds[1], 1, NULL), RSIG_OK);
    CHECK_INT(rsig_set_notify(notify, NULL), RSIG_OK);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(read(fds[0], &byte, 1), 1);
    CHECK_INT(notified, 1);
    close_channel(channel);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(first.calls, 2);
    CHECK_INT(read(fds[0], &byte, 1), -1);
    CHECK_INT(notified, 1);
}

TEST(steps_aside, "a function that saves once, steps aside, and comes back when the channel is closed is called once by each signal") {
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    put_back(SIGUSR1, &first.displaced);
    close_channel(channel);
    come(NULL, SIGUSR1, first_handler);
    channel = open_channel(SIGUSR1);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(first.calls, 1);
    CHECK_INT(deliveries_in(channel), 1);
    close_channel(channel);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(first.calls, 2);
    fini();
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(first.calls, 3);
}

/* --- what the handler, put back when the channel is closed, leaves the signal to --- */

static void *kernel_action(void) { return check_kernel_handler(SIGUSR1); }

static void come_back_to_ignored(void) {
    init();
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, SIG_IGN);
    close_channel(channel);
    put_back(SIGUSR1, &saved);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK(kernel_action() == (void *)SIG_IGN);
}

TEST(left_at_the_end, "rsig_signal's own SIG_IGN: rsig_fini puts the default action back, which was there before") {
    come_back_to_ignored();
    fini();
    CHECK(kernel_action() == (void *)SIG_DFL);
}

TEST(left_under_a_channel, "so it does after another channel, which leaves SIG_IGN there") {
    come_back_to_ignored();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(deliveries_in(channel), 1);
    close_channel(channel);
    CHECK(kernel_action() == (void *)SIG_IGN);
    fini();
    CHECK(kernel_action() == (void *)SIG_DFL);
}

TEST(left_and_set_by_another, "but SIG_IGN that somebody has set after rsig_signal has set something else stays") {
    come_back_to_ignored();
    set_function(SIGUSR1);
    set_plain(SIGUSR1, SIG_IGN);
    fini();
    CHECK(kernel_action() == (void *)SIG_IGN);
}

/* --- rsig_dispatch --- */

static void dispatch(int ran) {
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_dispatch(ONE, 0), 1);
    CHECK_INT(calls.deliveries, ran);
}

TEST(dispatched, "rsig_dispatch goes on to accept for a function that somebody passes on to, with channels and siginterrupt over it") {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    init();
    set_function(SIGUSR1);
    come_with(&first, SIGUSR1, first_handler, SA_RESTART);
    dispatch(1);
    rsig_channel_t *channel = open_channel(SIGUSR1);
    dispatch(2);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 1), RSIG_OK);
    dispatch(3);
    close_channel(channel);
    dispatch(4);
    put_back(SIGUSR1, &first.displaced);
    dispatch(5);
}

TEST(not_dispatched, "and no more when rsig_signal has set the default action") {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    init();
    set_function(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_dispatch(ONE, 0), 0);
}

static void block(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

TEST(dispatched_when_put_back, "but it accepts again for the function whose handler somebody puts back there") {
    block();
    init();
    set_function(SIGUSR1);
    struct sigaction saved = set_plain(SIGUSR1, SIG_IGN);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    put_back(SIGUSR1, &saved);
    dispatch(1);
}

TEST(dispatched_under_the_old_action, "and where rsig_signal itself has put back somebody's handler over a function, for that") {
    rsig_action_t old;
    struct check_calls again = {0};
    block();
    init();
    set_function(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &again, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    dispatch(1);
    put_back(SIGUSR1, &first.displaced);
    dispatch(2);
    CHECK_INT(again.calls, 0);
}

/* --- from one rsig_init to the next --- */

/* What the first session has displaced goes on to be there in the second, which has no use for the signal. */
TEST(passed_on_in_the_next_session, "a handler beneath is still called in the next session, by who passes on and when rsig's is put back") {
    come(NULL, SIGUSR1, second_handler);
    init();
    set_function(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    fini();
    init();
    for (int i = 1; i <= 4; i++) {
        if (i == 3) put_back(SIGUSR1, &first.displaced);
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(second.calls, i);
        CHECK_INT(first.calls, i < 3 ? i : 2);
    }
    CHECK_INT(rsig_tripped(), 0);
    CHECK(action_of(SIGUSR1) == RSIG_FOREIGN);
}

static void die_in_the_next_session(void) {
    init();
    set_function(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    fini();
    init();
    put_back(SIGUSR1, &first.displaced);
    CHECK(action_of(SIGUSR1) == RSIG_DFL);
    CHECK_INT(raise(SIGUSR1), 0);
}

TEST(default_in_the_next_session, "with the default action beneath, rsig's handler put back in the next session kills") {
    CHECK_CHILD_KILLED(check_child(die_in_the_next_session), SIGUSR1);
}

TEST(put_back_before_the_next_session, "put back between two sessions, the next rsig_init puts back what was there before the first") {
    CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    init();
    set_function(SIGHUP);
    come(&first, SIGHUP, first_handler);
    fini();
    put_back(SIGHUP, &first.displaced);
    init();
    CHECK(check_kernel_handler(SIGHUP) == (void *)SIG_IGN);
}

TEST(passed_on_after_fini, "after rsig_fini, two that pass on, one over each of two channels: nobody is killed") {
    init();
    open_channel(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    open_channel(SIGUSR1);
    come(&second, SIGUSR1, second_handler);
    fini();
    CHECK_INT(raise(SIGUSR1), 0);
    put_back(SIGUSR1, &second.displaced);
    for (int i = 2; i <= 3; i++) {
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(first.calls, i);
    }
    CHECK_INT(second.calls, 1);
}

/* --- contexts that are not the kernel's --- */

static siginfo_t kept_info;
static ucontext_t kept_context;

static void keeping_handler(int signum, siginfo_t *info, void *context) {
    (void)signum;
    kept_info = *info;
    kept_context = *(ucontext_t *)context;
}

static void *raise_elsewhere(void *unused) {
    CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

TEST(later, "one who keeps a copy of the context, and passes it on when that thread has gone, does no harm") {
    pthread_t thread;
    pthread_attr_t attr;
    const size_t size = 1 << 20;
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    CHECK_INT(pthread_attr_init(&attr), 0);
    CHECK_INT(pthread_attr_setstack(&attr, stack, size), 0);
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    come(&first, SIGUSR1, keeping_handler);
    open_channel(SIGUSR1);
    CHECK_INT(pthread_create(&thread, &attr, raise_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_SYS(munmap(stack, size));
    CHECK_INT(deliveries_in(channel), 1);
    first.displaced.sa_sigaction(SIGUSR1, &kept_info, &kept_context);
    CHECK_INT(deliveries_in(channel), 1);
}

TEST(made_up, "one who makes a context up, as getcontext() leaves it, delivers a signal") {
    ucontext_t context;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGUSR1;
    init();
    rsig_channel_t *channel = open_channel(SIGUSR1);
    come(&first, SIGUSR1, first_handler);
    memset(&context, 0x41, sizeof context);
    CHECK_SYS(getcontext(&context));
    first.displaced.sa_sigaction(SIGUSR1, &info, &context);
    CHECK_INT(deliveries_in(channel), 1);
}
