/* fork(): the child starts with nothing pending, and all of rsig works in it. */
#include "check.h"
#include <stdatomic.h>

static struct check_calls usr1, usr2;

static void prepare(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
}

/* The end of a child to which signals may come meanwhile. */
static void reap(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK_INT(errno, EINTR);
    CHECK_CHILD_OK(status);
}

static void start(pthread_t *thread, void *(*body)(void *), void *arg) {
    CHECK_INT(pthread_create(thread, NULL, body, arg), 0);
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

static void has_nothing(void) {
    long long before = usr1.deliveries;
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(usr1.deliveries, before);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr1.deliveries, before + 1);
}

TEST(pending_is_the_parents, "what is pending runs once, in the parent; the child has nothing") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR1), raise(SIGUSR2);
    CHECK_CHILD_OK(check_child(has_nothing));
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(usr1.deliveries, 2);
    CHECK_INT(usr2.deliveries, 1);
    CHECK_INT(rsig_pump(), 0);
}

static void has_no_state(void) { CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO); }

TEST(without_init, "a child of a process that called rsig_fini() has no main thread either") {
    prepare();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_CHILD_OK(check_child(has_no_state));
}

static void is_main(void) {
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(rsig_pump(), 0);
}

static void *fork_here(void *arg) {
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    CHECK_CHILD_OK(check_child(is_main));
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    return arg;
}

TEST(forking_thread_is_main, "the thread that forks is the main one in the child, and only there") {
    pthread_t thread;
    prepare();
    start(&thread, fork_here, NULL);
    join(thread);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
}

static void *fork_while_main_waits(void *arg) {
    check_await_syscall(*(pid_t *)arg, SYS_ppoll);
    CHECK_CHILD_OK(check_child(is_main));
    raise(SIGUSR1);
    return NULL;
}

TEST(main_waits_meanwhile, "a fork on another thread does not disturb the main thread's wait") {
    pid_t tid = check_gettid();
    pthread_t thread;
    prepare();
    start(&thread, fork_while_main_waits, &tid);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    join(thread);
}

/*
 * Fork handlers that stand nearer to the fork than rsig's, as they were registered before: what
 * they send arrives while rsig's own are at work.
 */
static void raise_usr1(void) { raise(SIGUSR1); }
static void raise_usr2(void) { raise(SIGUSR2); }

static void has_its_own(void) {
    CHECK_INT(usr1.calls + usr2.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr2.deliveries, 1);
}

TEST(sent_during_fork,
     "a signal sent during fork() is the receiver's: the parent's or the child's") {
    CHECK_INT(pthread_atfork(raise_usr1, NULL, raise_usr2), 0);
    prepare();
    CHECK_CHILD_OK(check_child(has_its_own));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr1.deliveries, 1);
}

static void waits_for_usr1(void) {
    while (!usr1.calls) CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.deliveries, 1);
    CHECK_INT(usr2.calls, 0);
}

TEST(sent_right_after_fork, "a signal sent to the child at once is not lost") {
    prepare();
    for (int i = 0; i < 300; i++) {
        raise(SIGUSR2);
        pid_t child = fork();
        CHECK_SYS(child);
        if (child == 0) {
            waits_for_usr1();
            _exit(0);
        }
        CHECK_SYS(kill(child, SIGUSR1));
        reap(child);
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr2.deliveries, 300);
    CHECK_INT(usr1.calls, 0);
}

static pid_t forked = -1;

static int fork_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    forked = fork();
    return 0;
}

TEST(inside_a_handler, "a fork in a handler: the rest of the pass runs in the parent alone") {
    prepare();
    CHECK_INT(rsig_signal(SIGHUP, fork_inside, NULL, NULL), RSIG_OK);
    raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR2);
    int ran = rsig_pump();
    CHECK(forked >= 0);
    if (forked == 0) {
        CHECK_INT(ran, 1);
        CHECK_INT(usr1.calls + usr2.calls, 0);
        CHECK_INT(rsig_pump(), 0);
        is_main();
        _exit(0);
    }
    CHECK_INT(ran, 3);
    CHECK_INT(usr1.calls + usr2.calls, 2);
    reap(forked);
}

static sigset_t blocked;

static void check_mask(void) {
    sigset_t mask;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    for (int n = 1; n < NSIG; n++) CHECK_INT(sigismember(&mask, n), sigismember(&blocked, n));
}

TEST(mask_stays, "the signal mask is the same after fork() in both") {
    prepare();
    sigemptyset(&blocked);
    CHECK_CHILD_OK(check_child(check_mask));
    check_mask();
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGRTMIN);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &blocked, NULL), 0);
    CHECK_CHILD_OK(check_child(check_mask));
    check_mask();
}

/* Whatever of rsig takes its lock, opens its descriptors or waits. */
static void use_everything(void) {
    const rsig_sigset_t term = RSIG_SIGSET(SIGTERM);
    rsig_action_t old;
    rsig_siginfo_t info;
    CHECK(rsig_pump() == 0);
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGHUP, check_handler, &usr1, &old), RSIG_OK);
    CHECK(old.handler == RSIG_DFL);
    CHECK_INT(rsig_getsignal(SIGHUP, &old), RSIG_OK);
    CHECK(old.handler == check_handler);
    CHECK_INT(rsig_siginterrupt(SIGHUP, 0), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGHUP), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    raise(SIGHUP);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(term, 0.001, &info), 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, term, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGTERM), RSIG_OK);
    CHECK_INT(rsig_sigwait(term), SIGTERM);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_CHILD_OK(check_child(has_nothing));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
}

static atomic_int enough;

static void *hammer(void *arg) {
    rsig_action_t action;
    while (!atomic_load(&enough)) {
        rsig_getsignal(SIGUSR1, &action);
        rsig_siginterrupt(SIGUSR2, 1);
        rsig_set_warning_hook(NULL, NULL);
    }
    return arg;
}

static void child_uses_everything(void) {
    /* The counters are the parent's so far. */
    memset(&usr1, 0, sizeof usr1);
    use_everything();
}

static void fork_beside(void *(*body)(void *)) {
    pthread_t threads[2];
    prepare();
    for (int i = 0; i < 2; i++) start(&threads[i], body, NULL);
    for (int i = 0; i < 200; i++) CHECK_CHILD_OK(check_child(child_uses_everything));
    atomic_store(&enough, 1);
    for (int i = 0; i < 2; i++) join(threads[i]);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(locked_elsewhere,
     "forked while other threads hold rsig's lock, the child can use all of rsig") {
    fork_beside(hammer);
}

static void *receive(void *arg) {
    while (!atomic_load(&enough)) raise(SIGUSR2);
    return arg;
}

TEST(receiving_elsewhere,
     "forked while other threads receive signals, the child can use all of rsig") {
    fork_beside(receive);
}

static void *raise_when_asleep(void *arg) {
    check_await_syscall(*(pid_t *)arg, SYS_ppoll);
    raise(SIGUSR1);
    return NULL;
}

static void pause_woken_by_a_thread(void) {
    pid_t tid = check_gettid();
    pthread_t thread;
    int before = usr1.calls;
    start(&thread, raise_when_asleep, &tid);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(usr1.calls, before + 1);
    join(thread);
}

TEST(waits_are_apart, "parent and child do not wake each other's waits") {
    prepare();
    /* From here on the main thread has what it waits with. */
    pause_woken_by_a_thread();
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        CHECK_SYS(child);
        if (child == 0) {
            CHECK_INT(rsig_pause(), RSIG_OK);
            CHECK_INT(usr2.calls, 1);
            /* And now the child's own waits, by a thread of its own. */
            pause_woken_by_a_thread();
            _exit(0);
        }
        check_await_syscall(child, SYS_ppoll);
        pause_woken_by_a_thread();
        CHECK_SYS(kill(child, SIGUSR2));
        reap(child);
        CHECK_INT(usr2.calls, 0);
    }
}

static void *end_child_then_main(void *arg) {
    pid_t *pids = (pid_t *)arg; /* main thread, child */
    check_await_syscall(pids[0], SYS_ppoll);
    check_await_syscall(pids[1], SYS_ppoll);
    CHECK_SYS(kill(pids[1], SIGUSR2));
    reap(pids[1]);
    /* The child's waits are over, and the parent's is still on. */
    check_await_syscall(pids[0], SYS_ppoll);
    raise(SIGUSR1);
    return NULL;
}

TEST(childs_signals_stay_there, "a child's signals do not end the parent's rsig_pause()") {
    pthread_t thread;
    prepare();
    pause_woken_by_a_thread();
    for (int i = 0; i < 50; i++) {
        int before = usr1.calls;
        pid_t pids[2] = {check_gettid(), fork()};
        CHECK_SYS(pids[1]);
        if (pids[1] == 0) {
            CHECK_INT(rsig_pause(), RSIG_OK);
            pause_woken_by_a_thread();
            _exit(0);
        }
        start(&thread, end_child_then_main, pids);
        CHECK_INT(rsig_pause(), RSIG_OK);
        CHECK_INT(usr1.calls, before + 1);
        join(thread);
    }
}

static void fini_twice(void) {
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    CHECK(check_kernel_handler(SIGINT) == (void *)SIG_DFL);
}

TEST(init_is_inherited,
     "the child inherits the count of rsig_init(), and puts back its own dispositions") {
    prepare();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_CHILD_OK(check_child(fini_twice));
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    fini_twice();
}

static void last_of_a_line(void) {
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(has_nothing));
    CHECK_INT(rsig_pump(), 1);
}

TEST(grandchildren, "a child's child is to the child as the child is to its parent") {
    prepare();
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(last_of_a_line));
    CHECK_INT(rsig_pump(), 1);
}

static void use_rsig(void) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
}

static void unblock_all(void) {
    sigset_t none;
    sigemptyset(&none);
    use_rsig();
    CHECK_SYS(sigprocmask(SIG_SETMASK, &none, NULL));
}

static void nothing_is_blocked(void) {
    rsig_sigset_t mask;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &mask), RSIG_OK);
    CHECK_INT(mask, 0);
}

TEST(fork_handlers_of_the_program,
     "the program's own, registered before rsig_init(), may use rsig and change the mask") {
    CHECK_INT(pthread_atfork(use_rsig, use_rsig, unblock_all), 0);
    prepare();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGTERM), NULL), RSIG_OK);
    CHECK_CHILD_OK(check_child(nothing_is_blocked));
}
