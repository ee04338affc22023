/*
 * The signal number with which rsig pokes the main thread when a signal has landed on another: which
 * it is, when rsig takes it and gives it back, and that to the program it has its default action.
 */
#include "held.h"
#include "landing.h"

/* ---- which it is ---- */

/* The real-time signal that the kernel gives to rsig, which must be the only one; 0: none. */
static int poke_number(void) {
    int found = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        if (check_kernel_handler(n) == check_kernel_handler(SIGUSR1)) {
            CHECK_INT(found, 0);
            found = n;
        }
    }
    return found;
}

TEST(number_is_taken_late,
     "the highest real-time signal is taken by the first call of the main thread") {
    set_up();
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(poke_number(), 0);
    read_ready_byte();
    CHECK_INT(poke_number(), SIGRTMAX);
}

static void *read_elsewhere(void *unused) {
    (void)unused;
    read_ready_byte();
    return NULL;
}

TEST(number_is_not_taken_elsewhere, "another thread's calls take none") {
    pthread_t thread;
    set_up();
    CHECK_INT(pthread_create(&thread, NULL, read_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(poke_number(), 0);
}

TEST(number_is_a_free_one, "a number that the program handles or ignores is not taken") {
    set_up();
    own(SIGRTMAX);
    CHECK(signal(SIGRTMAX - 1, SIG_IGN) != SIG_ERR);
    ends(SYS_read, read_byte);
    CHECK_INT(poke_number(), SIGRTMAX - 2);
    CHECK_INT(plain_calls, 0);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(raise(SIGRTMAX - 1), 0);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(rsig_pump(), 0);
}

TEST(number_is_given_back,
     "rsig_fini() puts the default action back, and the next rsig_init() may take it again") {
    set_up();
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        CHECK_INT(rsig_fini(), RSIG_OK);
        CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
        read_ready_byte();
        CHECK_INT(poke_number(), SIGRTMAX);
    }
}

static void *end_elsewhere(void *unused) {
    set_mask(0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

TEST(number_is_given_back_elsewhere, "rsig_fini() on another thread does so too") {
    pthread_t thread;
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(pthread_create(&thread, NULL, end_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
}

static void *await_end(void *fd) {
    char byte;
    set_mask(0);
    CHECK_INT(read(*(int *)fd, &byte, 1), 0);
    return NULL;
}

TEST(number_queued,
     "what is queued for the main thread alone waits for it after rsig_fini(), though others could "
     "take it") {
    int ends_at[2];
    pthread_t thread;
    siginfo_t info;
    set_up();
    CHECK_SYS(pipe(ends_at));
    CHECK_INT(pthread_create(&thread, NULL, await_end, &ends_at[0]), 0);
    ends(SYS_read, read_byte);
    own(SIGRTMAX);
    set_mask(RSIG_SIGSET(SIGRTMAX));
    for (int i = 1; i <= 2; i++) {
        union sigval value = {.sival_int = i};
        CHECK_INT(pthread_sigqueue(main_thread, SIGRTMAX, value), 0);
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_SYS(close(ends_at[1]));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(plain_calls, 0);
    for (int i = 1; i <= 2; i++) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMAX);
        CHECK_INT(sigtimedwait(&set, &info, &(struct timespec){0}), SIGRTMAX);
        CHECK_INT(info.si_value.sival_int, i);
    }
}

/* 0 at the end. */
static atomic_int cycle = 1;

/* A few in each cycle. */
static void *take_in_each_cycle(void *unused) {
    set_mask(0);
    for (int seen = 1, now; (now = cycle) != 0; seen = now) {
        for (int i = 0; now != seen && i < 4; i++) CHECK_INT(raise(SIGUSR1), 0);
        if (now == seen) sched_yield();
    }
    return unused;
}

/* What a channel listens to while the call is made; a number that somebody else has. */
static rsig_sigset_t heard;
static int owned;
static rsig_channel_t *channel;

static void listen_to(rsig_sigset_t set) {
    check_needs_stub();
    CHECK_INT(rsig_channel_open(set, 64, &channel), RSIG_OK);
}

static rsig_sigset_t real_time(void) {
    rsig_sigset_t set = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) set |= RSIG_SIGSET(n);
    return set;
}

/* A signal that lands on another thread ends the call; others are landing there meanwhile. */
static void fini_after_a_call(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    if (heard) listen_to(heard);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    calls.result = REFUSED;
    cycle++;
    CHECK_INT(read_byte(), -1);
    CHECK_INT(errno, EINTR);
    calls.result = 0;
    if (heard && cycle % 2) CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

/* Several threads, so that one can be on its way when another has ended the call. */
static void fini_under_fire(rsig_sigset_t blocked) {
    enum { WORKERS = 3, CYCLES = 1000 };
    pthread_t threads[WORKERS];
    main_tid = check_gettid();
    CHECK_SYS(pipe(pipe_fds));
    own(SIGUSR1); /* also while rsig has no handler there */
    set_mask(blocked);
    for (int i = 0; i < WORKERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, take_in_each_cycle, NULL), 0);
    for (int i = 0; i < CYCLES; i++) {
        fini_after_a_call();
        set_mask(0);
        set_mask(blocked);
    }
    cycle = 0;
    for (int i = 0; i < WORKERS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    /* Where a poke was on its way, the number stays rsig's until the next rsig_fini(). */
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        if (n != owned) CHECK(check_kernel_handler(n) == SIG_DFL);
    set_mask(0);
}

TEST(fini_while_signals_land,
     "rsig_fini() right after a call, while signals go on landing elsewhere, does not kill") {
    fini_under_fire(RSIG_SIGSET(SIGUSR1));
}

TEST(fini_while_signals_land_with_all_blocked, "nor where the main thread blocks everything") {
    fini_under_fire(~(rsig_sigset_t)0);
}

static void not_for_me(int signum) { CHECK_FAIL("signal %d was not sent by the program", signum); }

/* One has a plain handler, which no signal of rsig's must reach. */
static void own_the_highest(void) {
    owned = SIGRTMAX;
    CHECK(signal(owned, not_for_me) != SIG_ERR);
}

static void hear_all_under_fire(rsig_sigset_t blocked) {
    heard = real_time();
    own_the_highest();
    fini_under_fire(blocked);
}

TEST(fini_while_all_are_heard, "nor where a channel has every number, closed before or not") {
    hear_all_under_fire(RSIG_SIGSET(SIGUSR1));
}

TEST(fini_while_all_are_heard_and_blocked, "nor where the main thread blocks them, too") {
    hear_all_under_fire(~(rsig_sigset_t)0);
}

TEST(channel_for_all_real_time, "where a channel had every number before, the call ends") {
    set_up();
    listen_to(real_time());
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        set_mask(i ? ~(rsig_sigset_t)0 : RSIG_SIGSET(SIGUSR1));
    }
}

TEST(channel_for_all, "the same where it has all signals there are, and its own are recorded as ever") {
    rsig_siginfo_t info;
    set_up();
    listen_to(rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP)));
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        ends(SYS_read, read_byte);
        CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
        CHECK_INT(info.signo, SIGUSR1);
        CHECK_INT(raise(n), 0);
        CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
        CHECK_INT(info.signo, n);
    }
    CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == SIG_DFL);
}

TEST(channel_for_all_closed, "the number that it left keeps its default action: also when the channel is closed") {
    rsig_action_t action;
    set_up();
    listen_to(real_time());
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK_INT(rsig_getsignal(n, &action), RSIG_OK);
        CHECK(action.handler == RSIG_DFL);
    }
    ends(SYS_read, read_byte);
}

/* Each kind of wait. */
static void all_end(void) {
    ends(SYS_read, read_byte);
    ends(SYS_ppoll, wait_for_handlers);
    ends(SYS_ppoll, pause_here);
    ends(CHECK_SYS_SIGWAIT, dispatch);
    ends(CHECK_SYS_SIGWAIT, wait_for_usr2);
    ends(SYS_clock_nanosleep, sleep_long);
}

static void all_end_under_each_mask(void) {
    static const rsig_sigset_t masks[] = {0, RSIG_SIGSET(SIGUSR1), ~(rsig_sigset_t)0};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        set_mask(masks[i]);
        all_end();
        nothing_is_left(mask());
    }
    set_mask(0);
}

/* They do nothing, also when they have been a poke's. */
static void all_are_ignored(void) {
    rsig_action_t action;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK_INT(raise(n), 0);
        CHECK_INT(rsig_getsignal(n, &action), RSIG_OK);
        CHECK(action.handler == RSIG_IGN);
    }
    CHECK_INT(rsig_pump(), 0);
}

TEST(all_ignored, "where the process ignores every number, calls end, and it goes on to ignore them") {
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(signal(n, SIG_IGN) != SIG_ERR);
    set_up();
    all_end_under_each_mask();
    all_are_ignored();
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK(check_kernel_handler(n) == (void *)SIG_IGN);
        CHECK_INT(raise(n), 0);
    }
}

TEST(all_ignored_by_rsig, "the same by RSIG_IGN; rsig_fini() puts the default actions back") {
    set_up();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        CHECK_INT(rsig_signal(n, RSIG_IGN, NULL, NULL), RSIG_OK);
    all_end_under_each_mask();
    all_are_ignored();
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == (void *)SIG_DFL);
}

TEST(all_handled, "where each number has a handler, calls end, and none of those runs for it") {
    struct check_calls own_calls = {0};
    set_up();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        CHECK_INT(rsig_signal(n, check_handler, &own_calls, NULL), RSIG_OK);
    all_end_under_each_mask();
    CHECK_INT(own_calls.calls, 0);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK_INT(rsig_raise_signal(n), RSIG_OK);
    CHECK_INT(own_calls.deliveries, SIGRTMAX - SIGRTMIN + 1);
}

static void do_while_one_is_sent(void (*what)(void)) {
    held_start(pipe_fds[1]);
    CHECK_INT(read_byte(), 1);
    what();
    held_let_go();
}

static void end_rsig(void) { CHECK_INT(rsig_fini(), RSIG_OK); }
static void close_it(void) { CHECK_INT(rsig_channel_close(channel), RSIG_OK); }

static void check_given_back(void) {
    end_rsig();
    CHECK_INT(calls.calls, 1);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        if (n != owned) CHECK(check_kernel_handler(n) == SIG_DFL);
}

TEST(fini_while_one_is_sent,
     "what a thread is about to send when rsig_fini() comes does not kill; the next one gives the "
     "number back") {
    set_up();
    do_while_one_is_sent(end_rsig);
    CHECK_INT(rsig_init(0), RSIG_OK);
    check_given_back();
}

TEST(fini_while_one_is_sent_to_a_channel, "nor where the number was a channel's") {
    set_up();
    listen_to(real_time());
    do_while_one_is_sent(end_rsig);
    CHECK_INT(rsig_init(0), RSIG_OK);
    check_given_back();
}

TEST(closed_while_one_is_sent, "nor where the channel is closed meanwhile, and it reaches no handler that comes back then") {
    set_up();
    own_the_highest();
    listen_to(real_time());
    do_while_one_is_sent(close_it);
    check_given_back();
}

TEST(number_looks_free,
     "rsig_getsignal() says RSIG_DFL of it, and so does rsig_signal()'s old action") {
    rsig_action_t action;
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    CHECK_INT(rsig_signal(SIGRTMAX, action.handler, action.arg, &action), RSIG_OK);
    CHECK(action.handler == check_handler);
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    ends(SYS_read, read_byte);
}

/* ---- its default action ---- */

static void die_of_raise(void) {
    set_up();
    read_ready_byte();
    raise(SIGRTMAX);
}

static void die_of_payload(void) {
    set_up();
    read_ready_byte();
    CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = 1}));
}

static void *raise_here(void *unused) {
    (void)unused;
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(pthread_self(), SIGRTMAX), 0);
    return NULL;
}

static void die_on_another_thread(void) {
    pthread_t thread;
    set_up();
    CHECK_INT(pthread_create(&thread, NULL, raise_here, NULL), 0);
    read_byte();
}

static void die_after_use(void) {
    set_up();
    ends(SYS_read, read_byte);
    raise(SIGRTMAX);
}

static void die_after_handler(void) {
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGRTMAX), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMAX, RSIG_DFL, NULL, NULL), RSIG_OK);
    raise(SIGRTMAX);
}

static void die_after_fini(void) {
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise(SIGRTMAX);
}

static void die_in_child(void) {
    set_up();
    read_ready_byte();
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        raise(SIGRTMAX);
        _exit(0);
    }
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_KILLED(status, SIGRTMAX);
}

/* Waits with a mask of its own, in which alone it can be delivered. */
static void die_in_ppoll(void) {
    sigset_t none;
    sigemptyset(&none);
    set_up();
    read_ready_byte();
    set_mask(RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(raise(SIGRTMAX), 0);
    ppoll(NULL, 0, NULL, &none);
}

TEST(number_kills,
     "a signal of that number that rsig has not sent kills the process, as by default") {
    CHECK_CHILD_KILLED(check_child(die_of_raise), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_of_payload), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_on_another_thread), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_use), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_handler), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_fini), SIGRTMAX);
    CHECK_CHILD_OK(check_child(die_in_child));
}

TEST(number_kills_in_a_wait, "at once, also where it is unblocked only while ppoll() waits") {
    CHECK_CHILD_KILLED(check_child(die_in_ppoll), SIGRTMAX);
}

static void sleep_in_read(void) {
    set_up();
    read_byte();
}

TEST(number_kills_a_sleeper, "also by another process, and in the middle of a call") {
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) sleep_in_read();
    check_await_syscall(pid, SYS_read);
    CHECK_SYS(kill(pid, SIGRTMAX));
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_KILLED(status, SIGRTMAX);
}
