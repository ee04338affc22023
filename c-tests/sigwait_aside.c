/* What the rsig_sigwait() family has accepted when handlers run before it returns. */
#include "check.h"

#include <setjmp.h>
#include <sys/resource.h>

enum { QUEUED = 40 };

static pthread_t main_thread;
static int queued, handled;
static void (*what)(void);

static void queue_next(void) {
    union sigval value = {.sival_int = ++queued};
    CHECK_INT(pthread_sigqueue(main_thread, SIGRTMIN, value), 0);
}

/* Of SIGUSR1. Only the next pass runs what a handler itself raises: that after the accept. */
static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    if (++handled == 1) {
        CHECK_INT(raise(signum), 0);
        return 0;
    }
    if (what) what();
    return 0;
}

static void start(void (*what_handler_does)(void)) {
    what = what_handler_does;
    main_thread = pthread_self();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGRTMIN), NULL), RSIG_OK);
}

static void accept_next(int expected) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGRTMIN), 0, &info), SIGRTMIN);
    CHECK_INT(info.value_int, expected);
}

/* While the handler runs for the second time. */
static void accept_beside(int expected) {
    handled = 0;
    CHECK_INT(raise(SIGUSR1), 0);
    accept_next(expected);
    CHECK_INT(handled, 2);
}

static int nothing_is_pending(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    return set == 0;
}

static void plain_handler(int signum) { CHECK_FAIL("%d went to another thread", signum); }

static void *await_end(void *fd) {
    char byte;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    CHECK_INT(read(*(int *)fd, &byte, 1), 0);
    return NULL;
}

TEST(sent_to_this_thread, "what was sent to this thread alone never goes to another") {
    struct sigaction action = {.sa_handler = plain_handler};
    pthread_t thread;
    int fds[2];
    start(NULL);
    CHECK_SYS(sigaction(SIGRTMIN, &action, NULL));
    CHECK_SYS(pipe(fds));
    CHECK_INT(pthread_create(&thread, NULL, await_end, &fds[0]), 0);
    for (int i = 1; i <= 3; i++) queue_next();
    for (int i = 1; i <= 3; i++) accept_beside(i);
    CHECK_SYS(close(fds[1]));
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(order, "the order of many stays") {
    start(NULL);
    for (int i = 1; i <= QUEUED; i++) queue_next();
    for (int i = 1; i <= QUEUED; i++) accept_beside(i);
    CHECK(nothing_is_pending());
}

static void fill_the_queue(void) {
    union sigval value;
    for (;; queued++) {
        value.sival_int = queued + 1;
        int code = pthread_sigqueue(main_thread, SIGRTMIN, value);
        if (code == EAGAIN) return;
        CHECK_INT(code, 0);
    }
}

TEST(full_queue, "nothing is lost where its place in a full queue is taken meanwhile") {
    /* A user of its own, where that can be: a user's processes share one queue. */
    uid_t own = 1000000 + (uid_t)getpid();
    int is_own = getuid() == 0 && setresuid(own, own, own) == 0;
    start(fill_the_queue);
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){QUEUED, QUEUED}));
    fill_the_queue();
    if (queued == 0 && !is_own) check_skip("the user has too many signals queued");
    CHECK(queued > 0);
    for (int i = 1; i <= QUEUED; i++) accept_beside(i);
    what = NULL;
    for (int i = QUEUED + 1; i <= queued; i++) accept_next(i);
    CHECK(nothing_is_pending());
}

static void accept_first(void) { accept_next(1); }

TEST(handler_waits_too, "a handler that waits for the same gets it, and the wait goes on") {
    start(accept_first);
    queue_next();
    queue_next();
    accept_beside(2);
}

static void find_it_pending(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    CHECK(set & RSIG_SIGSET(SIGRTMIN));
}

TEST(handler_asks, "a handler that asks finds it pending, and it is accepted all the same") {
    start(find_it_pending);
    queue_next();
    accept_beside(1);
    CHECK(nothing_is_pending());
}

static void ask_and_raise(void) {
    find_it_pending();
    CHECK_INT(raise(SIGUSR1), 0);
}

TEST(handler_without_end, "a handler that asks and raises its signal again each time ends no less") {
    start(ask_and_raise);
    queue_next();
    CHECK_INT(raise(SIGUSR1), 0);
    accept_next(1);
    CHECK(nothing_is_pending());
}

static jmp_buf inner_place;

static int leave_inner(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    longjmp(inner_place, 1);
}

/* Waits for SIGHUP, has it aside while SIGUSR2's handler runs, and is left by that. */
static void wait_and_be_left(void) {
    what = NULL;
    CHECK_INT(raise(SIGUSR2), 0);
    if (setjmp(inner_place) == 0) {
        rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 0, NULL);
        CHECK_FAIL("nobody jumped");
    }
}

static void wait_and_be_left_and_raise(void) {
    wait_and_be_left();
    CHECK_INT(raise(SIGUSR1), 0);
}

/* Raised in SIGUSR2's first run, as only the next pass, that after the accept, may leave. */
static int raise_first(int signum, const rsig_siginfo_t *info, void *arg) {
    static int runs;
    if (++runs > 1) return leave_inner(signum, info, arg);
    return raise(signum);
}

static void start_inner(void) {
    start(wait_and_be_left);
    CHECK_INT(rsig_signal(SIGUSR2, raise_first, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    CHECK_INT(raise(SIGHUP), 0);
    queue_next();
}

static void both_are_accepted(void) {
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 0, NULL), SIGHUP);
    CHECK(nothing_is_pending());
}

TEST(inner_wait_left, "a wait in the handler that was left by longjmp() gives each its own") {
    start_inner();
    accept_beside(1);
    both_are_accepted();
}

TEST(inner_wait_left_before, "the same where that handler ran before anything was accepted") {
    start_inner();
    what = wait_and_be_left_and_raise;
    handled = 1;
    CHECK_INT(raise(SIGUSR1), 0);
    accept_next(1);
    both_are_accepted();
}

static void *become_main(void *unused) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    CHECK_INT(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    return unused;
}

static void hand_over(void) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, become_main, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(handed_over, "a handler that makes another thread the main one takes nothing from this one's wait") {
    start(hand_over);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGHUP), 0);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 0, NULL), SIGHUP);
    CHECK_INT(handled, 2);
    CHECK(nothing_is_pending());
}

static pid_t ended;

static void end_thread(void) {
    ended = check_gettid();
    pthread_exit(NULL);
}

static void *wait_and_end(void *unused) {
    (void)unused;
    start(end_thread);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGHUP), 0);
    rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 0, NULL);
    CHECK_FAIL("the thread goes on");
}

TEST(thread_ended, "what a thread had aside that ends in the handler the next main thread has") {
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_INT(pthread_create(&thread, NULL, wait_and_end, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    /* The kernel has it for a moment longer. */
    while (syscall(SYS_tgkill, getpid(), ended, 0) == 0) sched_yield();
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGHUP), 0, NULL), SIGHUP);
    CHECK(nothing_is_pending());
}

static void suspend_continue(void) {
    CHECK_INT(raise(SIGTSTP), 0);
    CHECK_INT(rsig_pump(), 0);
}

TEST(job_control, "SIGCONT and SIGTSTP, of which the kernel drops one when the other is sent, both come") {
    const rsig_sigset_t both = RSIG_SIGSET(SIGCONT) | RSIG_SIGSET(SIGTSTP);
    start(suspend_continue);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, both, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGCONT), 0);
    CHECK_INT(rsig_sigtimedwait(both, 0, NULL), SIGCONT);
    CHECK_INT(rsig_sigtimedwait(both, 0, NULL), SIGTSTP);
}

static jmp_buf place;
static void jump(void) { longjmp(place, 1); }

static void leave(void) {
    start(jump);
    queue_next();
    if (setjmp(place) == 0) {
        accept_beside(0);
        CHECK_FAIL("nobody jumped");
    }
    handled = 0;
    what = NULL;
}

TEST(jumped_then_asked, "after a longjmp() out of the handler rsig_sigpending() tells of it") {
    leave();
    find_it_pending();
    accept_next(1);
}

TEST(jumped_then_waited, "or the next wait accepts it") {
    leave();
    accept_next(1);
    CHECK(nothing_is_pending());
}

TEST(jumped_then_pumped, "or from the next pump on it is pending in the kernel") {
    sigset_t set;
    leave();
    CHECK_INT(rsig_pump(), 0);
    CHECK_SYS(sigpending(&set));
    CHECK_INT(sigismember(&set, SIGRTMIN), 1);
    accept_next(1);
}

static void child(void) {
    CHECK(nothing_is_pending());
    queue_next();
    accept_next(2);
}

static void fork_here(void) { CHECK_CHILD_OK(check_child(child)); }

TEST(fork_in_the_handler, "a child forked in the handler has it not: nothing is pending there") {
    start(fork_here);
    queue_next();
    accept_beside(1);
}
