/* A handler that leaves rsig_channel_wait() by C++ exception: the channel is as before, usable and closable. */
#include "channel.h"
#include <stdexcept>

static int throw_it(int signum, const rsig_siginfo_t *, void *) {
    throw std::runtime_error(rsig_signame(signum));
}

struct Passed {
    int *count;
    ~Passed() { ++*count; }
};

static void check_throws(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    int passed = 0;
    try {
        Passed here = {&passed};
        int result = rsig_channel_wait(channel, &info, -1);
        CHECK_FAIL("the wait returned %d", result);
    } catch (const std::runtime_error &error) {
        CHECK_STR(error.what(), "SIGUSR2");
    }
    CHECK_INT(passed, 1);
}

static rsig_channel_t *prepare() {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, throw_it, nullptr, nullptr), RSIG_OK);
    return open_channel(RSIG_SIGSET(SIGONE), 2);
}

TEST(thrown_before, "thrown before the wait sleeps: no record is taken, more often than there are places") {
    rsig_channel_t *channel = prepare();
    int fds = count_fds();
    for (int i = 0; i < 600; i++) {
        raise(SIGUSR2);
        queue_here(SIGONE, i);
        check_throws(channel);
        CHECK_NEXT(channel, SIGONE, i, 1);
        close_channel(channel);
        channel = open_channel(RSIG_SIGSET(SIGONE), 2);
    }
    CHECK_INT(count_fds(), fds);
}

struct Sleeper {
    pthread_t thread;
    pid_t tid;
};

static void *wake(void *arg) {
    Sleeper *sleeper = static_cast<Sleeper *>(arg);
    check_await_syscall(sleeper->tid, SYS_ppoll);
    CHECK_INT(pthread_kill(sleeper->thread, SIGUSR2), 0);
    return nullptr;
}

TEST(thrown_meanwhile, "thrown while the wait sleeps: the next one goes on, and the descriptor is closed in the end") {
    rsig_channel_t *channel = prepare();
    Sleeper sleeper = {pthread_self(), check_gettid()};
    rsig_siginfo_t info;
    int fds = count_fds();
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        start(&thread, wake, &sleeper);
        check_throws(channel);
        join(thread);
        queue_here(SIGONE, i);
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
        CHECK_INT(info.value_int, i);
        CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    }
    close_channel(channel);
    CHECK_INT(count_fds(), fds);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR2) == (void *)SIG_DFL);
}
