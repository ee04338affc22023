/* A handler that leaves by C++ exception: it arrives at the caller, and the rest stays pending. */
#include "check.h"
#include <stdexcept>
#include <string>

static bool throwing;
static int returned; /* how often the handler did not throw */
static check_calls rest;

static int throw_it(int signum, const rsig_siginfo_t *, void *) {
    if (throwing) {
        throwing = false;
        throw std::runtime_error("thrown for " + std::to_string(signum));
    }
    returned++;
    return 0;
}

/* SIGUSR1's handler throws; SIGUSR2's is one that must not be lost with it. */
static void prepare() {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, throw_it, nullptr, nullptr), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &rest, nullptr), RSIG_OK);
    throwing = true;
}

static void *use_the_lock(void *) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == throw_it);
    return nullptr;
}

/* The rest is still pending and runs, the handler that threw does not, and nothing is locked. */
static void check_all_well() {
    pthread_t thread;
    CHECK(!throwing);
    CHECK_INT(rest.calls, 0);
    CHECK_INT(pthread_create(&thread, nullptr, use_the_lock, nullptr), 0);
    CHECK_INT(pthread_join(thread, nullptr), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 1);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(returned, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

/* Counts the destructors that the exception passes. */
struct Passed {
    int *count;
    ~Passed() { ++*count; }
};

template <typename Call> static void check_throws(Call call) {
    int passed = 0;
    try {
        Passed here = {&passed};
        int result = call();
        CHECK_FAIL("the call returned %d", result);
    } catch (const std::runtime_error &error) {
        const std::string expected = "thrown for " + std::to_string(SIGUSR1);
        CHECK_STR(error.what(), expected.c_str());
    }
    CHECK_INT(passed, 1);
}

TEST(out_of_pump, "an exception out of rsig_pump() leaves the rest pending") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    check_throws([] { return rsig_pump(); });
    check_all_well();
}

TEST(out_of_raise_signal, "an exception out of rsig_raise_signal() leaves the rest pending") {
    prepare();
    raise(SIGUSR2);
    check_throws([] { return rsig_raise_signal(SIGUSR1); });
    check_all_well();
}

TEST(out_of_pthread_kill, "an exception out of rsig_pthread_kill() leaves the rest pending") {
    prepare();
    raise(SIGUSR2);
    check_throws([] { return rsig_pthread_kill(pthread_self(), SIGUSR1); });
    check_all_well();
}

TEST(out_of_pthread_sigmask, "an exception out of rsig_pthread_sigmask() leaves the rest pending") {
    prepare();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), nullptr), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    check_throws([] { return rsig_pthread_sigmask(SIG_SETMASK, 0, nullptr); });
    check_all_well();
}

TEST(out_of_signal, "an exception out of rsig_signal() changes no handler") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    check_throws([] { return rsig_signal(SIGUSR1, RSIG_IGN, nullptr, nullptr); });
    check_all_well();
}

TEST(out_of_fini, "an exception out of rsig_fini() undoes nothing") {
    prepare();
    raise(SIGUSR1), raise(SIGUSR2);
    check_throws([] { return rsig_fini(); });
    check_all_well();
}

static pid_t main_tid;

struct sleeper {
    pthread_t thread;
    long number; /* of the system call that it sleeps in */
};

static void *interrupt_main(void *arg) {
    auto it = static_cast<sleeper *>(arg);
    check_await_syscall(main_tid, it->number);
    CHECK_INT(pthread_kill(it->thread, SIGUSR1), 0);
    return nullptr;
}

template <typename Call> static void check_throws_asleep(long number, Call call) {
    sleeper self = {pthread_self(), number};
    pthread_t thread;
    prepare();
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, nullptr, interrupt_main, &self), 0);
    check_throws(call);
    CHECK_INT(pthread_join(thread, nullptr), 0);
    raise(SIGUSR2);
    check_all_well();
}

TEST(out_of_pause, "an exception out of rsig_pause() that was asleep") {
    check_throws_asleep(SYS_ppoll, [] { return rsig_pause(); });
}

TEST(out_of_sigwait, "an exception out of rsig_sigwait() that was asleep") {
    check_throws_asleep(CHECK_SYS_SIGWAIT, [] { return rsig_sigwait(RSIG_SIGSET(SIGTERM)); });
}

TEST(out_of_sigwaitinfo, "an exception out of rsig_sigwaitinfo() that was asleep") {
    check_throws_asleep(CHECK_SYS_SIGWAIT, [] { return rsig_sigwaitinfo(RSIG_SIGSET(SIGTERM), nullptr); });
}

TEST(out_of_sigtimedwait, "an exception out of rsig_sigtimedwait() that was asleep") {
    check_throws_asleep(CHECK_SYS_SIGWAIT, [] { return rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 1e9, nullptr); });
}

static int pump_inside(int, const rsig_siginfo_t *, void *) {
    rsig_pump();
    CHECK_FAIL("rsig_pump() returned");
}

TEST(out_of_nested_pumps, "an exception out of a pump in a handler of a pump") {
    prepare();
    CHECK_INT(rsig_signal(SIGHUP, pump_inside, nullptr, nullptr), RSIG_OK);
    raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR2);
    check_throws([] { return rsig_pump(); });
    check_all_well();
}

static int catch_inside(int, const rsig_siginfo_t *, void *) {
    check_throws([] { return rsig_pump(); });
    return 0;
}

TEST(caught_in_a_handler,
     "an exception that a handler around it catches ends only the inner pump") {
    prepare();
    CHECK_INT(rsig_signal(SIGHUP, catch_inside, nullptr, nullptr), RSIG_OK);
    raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(rest.deliveries, 1);
}

TEST(thousands_of_times, "an exception out of each of many pumps loses no delivery") {
    prepare();
    for (int i = 0; i < 2000; i++) {
        throwing = true;
        raise(SIGUSR2);
        check_throws([] { return rsig_raise_signal(SIGUSR1); });
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rest.deliveries, 2000);
}
