/* A handler that leaves by longjmp(): what it leaves is as if the handler had refused. */
#include "check.h"
#include <setjmp.h>

static jmp_buf out;
static int jumping; /* the signal whose handler leaves; 0 for none */
static struct check_calls rest;

static int jump(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info;
    if (signum == jumping) {
        jumping = 0;
        longjmp(out, 1);
    }
    ++*(int *)arg;
    return 0;
}

static int returned; /* how often jump() did not jump */

/* SIGUSR1's handler leaves; SIGUSR2's is one that must not be lost with it. */
static void prepare(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, jump, &returned, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &rest, NULL), RSIG_OK);
    jumping = SIGUSR1;
}

static void *use_the_lock(void *arg) {
    rsig_action_t action;
    (void)arg;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == jump);
    return NULL;
}

/* The rest is still pending and runs, the handler that left does not, and nothing is locked. */
static void check_all_well(void) {
    pthread_t thread;
    CHECK_INT(jumping, 0);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(pthread_create(&thread, NULL, use_the_lock, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 1);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(returned, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

/* Runs `call`, which must not come to its end. */
#define JUMPS_OUT_OF(call)                                                                         \
    do {                                                                                           \
        if (!setjmp(out)) {                                                                        \
            call;                                                                                  \
            CHECK_FAIL("%s returned", #call);                                                      \
        }                                                                                          \
    } while (0)

TEST(out_of_pump, "longjmp() out of rsig_pump() leaves the rest pending") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pump());
    check_all_well();
}

TEST(out_of_raise_signal, "longjmp() out of rsig_raise_signal() leaves the rest pending") {
    prepare();
    raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_raise_signal(SIGUSR1));
    check_all_well();
}

TEST(out_of_pthread_kill, "longjmp() out of rsig_pthread_kill() leaves the rest pending") {
    prepare();
    raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pthread_kill(pthread_self(), SIGUSR1));
    check_all_well();
}

TEST(out_of_pthread_sigmask, "longjmp() out of rsig_pthread_sigmask(): the mask is changed") {
    rsig_sigset_t mask;
    prepare();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL));
    check_all_well();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &mask), RSIG_OK);
    CHECK_INT(mask, 0);
}

TEST(out_of_signal, "longjmp() out of rsig_signal() changes no handler") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL));
    check_all_well();
}

TEST(out_of_fini, "longjmp() out of rsig_fini() undoes nothing") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_fini());
    check_all_well();
}

TEST(out_of_pause, "longjmp() out of rsig_pause() with something pending") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pause());
    check_all_well();
}

static pid_t main_tid;

struct sleeper {
    pthread_t thread;
    long number; /* of the system call that it sleeps in */
};

static void *interrupt_main(void *arg) {
    struct sleeper *it = (struct sleeper *)arg;
    check_await_syscall(main_tid, it->number);
    CHECK_INT(pthread_kill(it->thread, SIGUSR1), 0);
    return NULL;
}

TEST(out_of_pause_asleep, "longjmp() out of rsig_pause() that was asleep") {
    struct sleeper self = {pthread_self(), SYS_ppoll};
    pthread_t thread;
    prepare();
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, interrupt_main, &self), 0);
    JUMPS_OUT_OF(rsig_pause());
    CHECK_INT(pthread_join(thread, NULL), 0);
    raise(SIGUSR2);
    check_all_well();
}

TEST(out_of_sigwait_asleep, "longjmp() out of rsig_sigwait() that was asleep puts the mask back") {
    struct sleeper self = {pthread_self(), CHECK_SYS_SIGWAIT};
    pthread_t thread;
    sigset_t mask;
    prepare();
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, interrupt_main, &self), 0);
    JUMPS_OUT_OF(rsig_sigwait(RSIG_SIGSET(SIGTERM)));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK(!sigismember(&mask, SIGTERM));
    raise(SIGUSR2);
    check_all_well();
}

TEST(out_of_sigtimedwait, "longjmp() out of rsig_sigtimedwait() accepts nothing") {
    const rsig_sigset_t set = RSIG_SIGSET(SIGTERM);
    rsig_sigset_t pending;
    prepare();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
    raise(SIGTERM), raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_sigtimedwait(set, 0, NULL));
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, set);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(rsig_sigtimedwait(set, 0, NULL), SIGTERM);
    CHECK_INT(rest.deliveries, 1);
}

static int pump_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    rsig_pump();
    CHECK_FAIL("rsig_pump() returned");
}

TEST(out_of_nested_pumps, "longjmp() out of a pump in a handler of a pump") {
    prepare();
    CHECK_INT(rsig_signal(SIGHUP, pump_inside, NULL, NULL), RSIG_OK);
    raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pump());
    check_all_well();
}

TEST(is_no_refusal, "longjmp() leaves rsig_raised() as it was") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    JUMPS_OUT_OF(rsig_pump());
    CHECK_INT(rsig_raised(NULL), 0);
    check_all_well();
}

TEST(thousands_of_times, "longjmp() out of each of many pumps loses no delivery") {
    static volatile int left; /* not a register, which longjmp() would put back */
    prepare();
    for (left = 10000; left > 0; left--) {
        jumping = SIGUSR1;
        raise(SIGUSR2);
        JUMPS_OUT_OF(rsig_raise_signal(SIGUSR1));
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 10000);
}
