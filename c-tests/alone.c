/*
 * A process with one thread that blocks the real-time signals, of which rsig needs one: a signal in
 * another party's handler, which interrupts rsig_read().
 */
#include "check.h"

#include <setjmp.h>

enum { REFUSED = 7 };

static struct check_calls calls = {.result = REFUSED};
static int pipe_fds[2];
static void (*in_handler)(void);

static void plain_handler(int signum) {
    (void)signum;
    in_handler();
}

static rsig_sigset_t mask(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &set), RSIG_OK);
    return set;
}

static void read_ready_byte(void) {
    char byte;
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(rsig_read(pipe_fds[0], &byte, 1), 1);
}

static void block_real_time(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) sigaddset(&set, n);
    CHECK_SYS(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void block_before(void) {
    block_real_time();
    read_ready_byte();
}

static void block_after(void) {
    rsig_sigset_t set = 0;
    read_ready_byte();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) set |= RSIG_SIGSET(n);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
}

/* `signum` has rsig's handler, SIGUSR2 the plain one. */
static void start(int signum, void (*what)(void), void (*block)(void)) {
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_RESTART};
    in_handler = what;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    CHECK_SYS(pipe(pipe_fds));
    block();
}

static void read_is_ended_by(int sent) {
    char byte;
    check_needs_stub();
    rsig_sigset_t before = mask();
    check_send_when_asleep(SYS_read, sent);
    CHECK_INT(rsig_read(pipe_fds[0], &byte, 1), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(mask(), before);
    CHECK_INT(rsig_pump(), 0);
}

static void ended(int signum, void (*what)(void)) {
    start(signum, what, block_before);
    read_is_ended_by(SIGUSR2);
}

static void ended_late(int signum, void (*what)(void)) {
    start(signum, what, block_after);
    read_is_ended_by(SIGUSR2);
}

static void raise_term(void) { CHECK_INT(raise(SIGTERM), 0); }

TEST(nested, "one signal ends the call") { ended(SIGTERM, raise_term); }

TEST(nested_late, "also where they are blocked by rsig_pthread_sigmask() after the first call") {
    ended_late(SIGTERM, raise_term);
}

static void raise_three(void) {
    for (int i = 0; i < 3; i++) raise_term();
}

static void three(void (*block)(void)) {
    start(SIGTERM, raise_three, block);
    read_is_ended_by(SIGUSR2);
    CHECK_INT(calls.deliveries, 3);
}

TEST(several, "several of one number are all counted") { three(block_before); }

TEST(several_late, "also there") { three(block_after); }

static void stop_and_continue(void) {
    CHECK_INT(raise(SIGTSTP), 0);
    CHECK_INT(raise(SIGCONT), 0);
}

TEST(stop_and_continue_signals, "SIGTSTP does, though SIGCONT comes after it") {
    ended(SIGTSTP, stop_and_continue);
}

TEST(stop_and_continue_signals_late, "also there") { ended_late(SIGTSTP, stop_and_continue); }

static void ignore(int signum) { (void)signum; }

static void take_real_time(void) {
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK_SYS(sigaction(n, &action, NULL));
    read_ready_byte();
}

static void raise_cont(void) { CHECK_INT(raise(SIGCONT), 0); }

TEST(no_number, "one does where others have every real-time number") {
    start(SIGTERM, raise_term, take_real_time);
    read_is_ended_by(SIGUSR2);
}

TEST(no_number_for_cont, "SIGCONT, too") {
    start(SIGCONT, raise_cont, take_real_time);
    read_is_ended_by(SIGUSR2);
}

static void unblock_and_raise(void) {
    sigset_t none;
    sigemptyset(&none);
    CHECK_SYS(sigprocmask(SIG_SETMASK, &none, NULL));
    raise_term();
}

TEST(unblocked_there, "one does where the other handler has unblocked everything") {
    ended(SIGTERM, unblock_and_raise);
}

static struct sigaction rsigs;

static void without_context(int signum, siginfo_t *info, void *context) {
    (void)context;
    rsigs.sa_sigaction(signum, info, NULL);
}

static void passed_on(void (*block)(void)) {
    struct sigaction action = {.sa_sigaction = without_context, .sa_flags = SA_SIGINFO | SA_RESTART};
    start(SIGTERM, raise_term, block);
    CHECK_SYS(sigaction(SIGTERM, &action, &rsigs));
    read_is_ended_by(SIGTERM);
}

TEST(passed_on_without_context, "so does one that another handler passes on without its context") {
    passed_on(block_before);
}

TEST(passed_on_without_context_late, "also there") { passed_on(block_after); }

static sigjmp_buf place;

static void raise_and_leave(void) {
    raise_term();
    siglongjmp(place, 1);
}

static void left(void (*block)(void)) {
    char byte;
    rsig_sigset_t before;
    sigset_t term, old;
    start(SIGTERM, raise_and_leave, block);
    calls.result = 0;
    before = mask();
    sigemptyset(&term);
    if (sigsetjmp(place, 1) == 0) {
        check_send_when_asleep(SYS_read, SIGUSR2);
        rsig_read(pipe_fds[0], &byte, 1);
        CHECK_FAIL("nobody jumped");
    }
    CHECK_SYS(sigprocmask(SIG_BLOCK, &term, &old));
    CHECK_INT(sigismember(&old, SIGTERM), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_SYS(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(mask(), before);
    CHECK_INT(raise(SIGTERM), 0);
    CHECK_INT(rsig_pump(), 1);
}

TEST(jumped, "left by siglongjmp() with the mask, the program's own signals are not blocked") {
    left(block_before);
}

TEST(jumped_late, "also there") { left(block_after); }
