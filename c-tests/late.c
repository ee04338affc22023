/*
 * What rsig sends its own main thread can come when the call that it was for is over, and wait
 * there, blocked. By then the program may have taken its handler from the number, another thread be
 * the main one, or rsig_fini() have come. It reaches nobody, and the number is the program's again.
 */
#include "held.h"

enum { REFUSED = 3 };

static struct check_calls calls, own_calls;
static int pipe_fds[2];
static atomic_int plain_calls;

static void plain_handler(int signum) {
    (void)signum;
    plain_calls++;
}

static void set_up(void) {
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static long read_byte(void) {
    char byte;
    return rsig_read(pipe_fds[0], &byte, 1);
}

static void read_ready_byte(void) {
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(read_byte(), 1);
}

static void mask_numbers(int how) {
    sigset_t set;
    sigemptyset(&set);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) sigaddset(&set, n);
    CHECK_INT(pthread_sigmask(how, &set, NULL), 0);
}

static void handle_numbers(void) {
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        CHECK_INT(rsig_signal(n, check_handler, &own_calls, NULL), RSIG_OK);
}

/* A call that is over while a thread is about to send this one the highest number. */
static void call_while_one_is_sent(void) {
    held_start(pipe_fds[1]);
    CHECK_INT(read_byte(), 1);
}

/* That waits here until mask_numbers(SIG_UNBLOCK). */
static void let_it_wait(void) {
    sigset_t pending;
    mask_numbers(SIG_BLOCK);
    held_let_go();
    CHECK_SYS(sigpending(&pending));
    CHECK_INT(sigismember(&pending, SIGRTMAX), 1);
}

/* ---- what the highest number does ---- */

enum use { DEFAULT, IGNORED, PLAIN };

static void (*const dispositions[])(int) = {SIG_DFL, SIG_IGN, plain_handler};

static void use_it(enum use use) { CHECK(signal(SIGRTMAX, dispositions[use]) != SIG_ERR); }

static rsig_action_t action(void) {
    rsig_action_t now;
    CHECK_INT(rsig_getsignal(SIGRTMAX, &now), RSIG_OK);
    return now;
}

static void raise_it(void) { raise(SIGRTMAX); }

/* Never a handler of rsig_signal()'s. */
static void does(enum use use) {
    int before = plain_calls;
    if (use == DEFAULT) {
        CHECK_CHILD_KILLED(check_child(raise_it), SIGRTMAX);
    } else {
        raise_it();
        CHECK_INT(plain_calls, before + (use == PLAIN));
        CHECK_INT(rsig_tripped(), 0);
    }
    CHECK_INT(own_calls.calls, 0);
}

static void is_told_and_does(enum use use) {
    static const rsig_handler_t handlers[] = {RSIG_DFL, RSIG_IGN, RSIG_FOREIGN};
    CHECK(action().handler == handlers[use]);
    does(use);
}

/* Not rsig's any more. */
static void is_given_back(enum use use) {
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)(size_t)dispositions[use]);
    does(use);
}

/* ---- the program takes its handler away ---- */

static void unblock_or_let_go(int waits) {
    if (waits)
        mask_numbers(SIG_UNBLOCK);
    else
        held_let_go();
    CHECK_INT(plain_calls, 0);
    CHECK_INT(own_calls.calls, 0);
}

/*
 * `first`: each number has a handler before the first call; else this one since. `waits`: what is
 * late waits, blocked; else it is still to be sent.
 */
static void take_away(int first, enum use use, int waits) {
    set_up();
    use_it(use);
    rsig_action_t old = action();
    if (first) {
        handle_numbers();
    } else {
        use_it(DEFAULT);
        read_ready_byte();
        CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    }
    call_while_one_is_sent();
    if (waits) let_it_wait();
    CHECK_INT(rsig_signal(SIGRTMAX, old.handler, old.arg, NULL), RSIG_OK);
    unblock_or_let_go(waits);
    is_told_and_does(use);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    is_given_back(first ? use : DEFAULT);
}

#define TAKEN_AWAY(name, first, use, promise)                                                      \
    TEST(name##_while_one_waits, promise) { take_away(first, use, 1); }                            \
    TEST(name##_while_one_is_sent, promise) { take_away(first, use, 0); }

TAKEN_AWAY(shared_and_default, 1, DEFAULT,
           "a handler of a number that rsig shares may be taken away: the process does not die")
TAKEN_AWAY(shared_and_ignored, 1, IGNORED, "or make place for RSIG_IGN")
TAKEN_AWAY(shared_and_plain, 1, PLAIN, "or for a plain handler, which is not called")
TAKEN_AWAY(handled_since_and_default, 0, DEFAULT, "the same where rsig had the number first")
TAKEN_AWAY(handled_since_and_ignored, 0, IGNORED, "with RSIG_IGN")
TAKEN_AWAY(handled_since_and_plain, 0, PLAIN, "and with a plain handler")

/* ---- another thread is the main one ---- */

static void *on_thread(void *(*body)(void *)) {
    pthread_t thread;
    void *result;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    CHECK_INT(pthread_join(thread, &result), 0);
    return result;
}

static void *inherit(void *unused) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK(rsig_pump() >= 0);
    return unused;
}

static void *inherit_and_fini(void *unused) {
    inherit(NULL);
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

/* Nothing is late any more, so this can do what the last rsig_fini() could not. */
static void next_fini_gives_back(enum use use) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    is_told_and_does(use);
    CHECK_INT(rsig_fini(), RSIG_OK);
    is_given_back(use);
}

TEST(inherited_and_fini,
     "what waits on a thread that was the main one does not kill after the new one's rsig_fini()") {
    set_up();
    call_while_one_is_sent();
    let_it_wait();
    on_thread(inherit_and_fini);
    mask_numbers(SIG_UNBLOCK);
    next_fini_gives_back(DEFAULT);
}

static void *begin_anew_and_fini(void *unused) {
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

TEST(inherited_by_init, "nor where the new one became that by rsig_init()") {
    set_up();
    call_while_one_is_sent();
    let_it_wait();
    on_thread(begin_anew_and_fini);
    mask_numbers(SIG_UNBLOCK);
    next_fini_gives_back(DEFAULT);
}

static rsig_action_t plain;

static void *inherit_and_make_plain(void *unused) {
    inherit(NULL);
    CHECK_INT(rsig_signal(SIGRTMAX, plain.handler, plain.arg, NULL), RSIG_OK);
    return unused;
}

TEST(inherited_and_plain, "nor reaches a plain handler that the new one gives the number to") {
    set_up();
    use_it(PLAIN);
    plain = action();
    use_it(DEFAULT);
    call_while_one_is_sent();
    let_it_wait();
    on_thread(inherit_and_make_plain);
    mask_numbers(SIG_UNBLOCK);
    CHECK_INT(plain_calls, 0);
    is_told_and_does(PLAIN);
}

static pid_t main_tid;

static void *take_signal(void *unused) {
    check_await_syscall(main_tid, SYS_read);
    raise(SIGUSR1);
    return unused;
}

TEST(inherited_and_given_back,
     "where all that was sent has come, the new one's rsig_fini() gives the number back") {
    pthread_t thread;
    set_up();
    main_tid = check_gettid();
    calls.result = REFUSED;
    CHECK_INT(pthread_create(&thread, NULL, take_signal, NULL), 0);
    CHECK_INT(read_byte(), -1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    on_thread(inherit_and_fini);
    is_given_back(DEFAULT);
}

/* ---- rsig_fini() on another thread ---- */

static void *fini(void *unused) {
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

static void begin_with_handler(int first, enum use use) {
    use_it(use);
    set_up();
    if (first) handle_numbers();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
}

static void fini_elsewhere(int first, enum use use) {
    begin_with_handler(first, use);
    on_thread(fini);
    is_given_back(use);
}

TEST(fini_elsewhere_default,
     "rsig_fini() on another thread gives a number back that the program had a handler for") {
    fini_elsewhere(0, DEFAULT);
    fini_elsewhere(1, DEFAULT);
}

TEST(fini_elsewhere_ignored, "to be ignored again") { fini_elsewhere(1, IGNORED); }

TEST(fini_elsewhere_plain, "or to its plain handler") { fini_elsewhere(1, PLAIN); }

static void fini_elsewhere_while_one_waits(int first, enum use use) {
    begin_with_handler(first, use);
    call_while_one_is_sent();
    let_it_wait();
    on_thread(fini);
    unblock_or_let_go(1);
    does(use);
    next_fini_gives_back(use);
}

TEST(fini_elsewhere_while_one_waits_default,
     "what waits on the main thread then does not kill, and the number has the default action") {
    fini_elsewhere_while_one_waits(0, DEFAULT);
}

TEST(fini_elsewhere_while_one_waits_shared_default, "the same where the handler was there first") {
    fini_elsewhere_while_one_waits(1, DEFAULT);
}

TEST(fini_elsewhere_while_one_waits_shared_ignored, "or it is ignored again") {
    fini_elsewhere_while_one_waits(1, IGNORED);
}

TEST(fini_elsewhere_while_one_waits_shared_plain,
     "or has its plain handler again, which is not called for it") {
    fini_elsewhere_while_one_waits(1, PLAIN);
}

static void fini_while_one_is_sent(enum use use) {
    begin_with_handler(1, use);
    call_while_one_is_sent();
    CHECK_INT(rsig_fini(), RSIG_OK);
    unblock_or_let_go(0);
    does(use);
    next_fini_gives_back(use);
}

TEST(fini_while_one_is_sent_shared_ignored,
     "where one is still to be sent: a number that was ignored before its handler is so again") {
    fini_while_one_is_sent(IGNORED);
}

TEST(fini_while_one_is_sent_shared_plain, "and one that had a plain handler has that again") {
    fini_while_one_is_sent(PLAIN);
}

/* ---- the program's own calls ---- */

/* Writes only when it is asleep again. */
static void *let_go_in_plain_read(void *unused) {
    check_await_syscall(main_tid, SYS_read);
    held_let_go();
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(pipe_fds[1], "y", 1), 1);
    return unused;
}

TEST(plain_read, "a plain read() goes on after what a call before has left on its way") {
    pthread_t thread;
    char byte;
    check_needs_stub();
    set_up();
    main_tid = check_gettid();
    call_while_one_is_sent();
    CHECK_INT(pthread_create(&thread, NULL, let_go_in_plain_read, NULL), 0);
    CHECK_INT(read(pipe_fds[0], &byte, 1), 1);
    CHECK_INT(byte, 'y');
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 1);
}
