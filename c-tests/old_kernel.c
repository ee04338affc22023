/* A kernel without some system call, or a sandbox that forbids it. */
#include "filter.h"
#include "tour.h"

TEST(no_eventfd,
     "without eventfd2 what needs a descriptor is RSIG_ERROR_UNSUPPORTED, the rest works") {
    filter_fail(SYS_eventfd2, ENOSYS);
    tour_lacks = TOUR_EVENTFD;
    tour();
    tour();
}

TEST(no_pidfd, "without pidfds their two functions are RSIG_ERROR_UNSUPPORTED, the rest works") {
    filter_fail(SYS_pidfd_open, ENOSYS);
    filter_fail(SYS_pidfd_send_signal, ENOSYS);
    tour_lacks = TOUR_PIDFD;
    tour();
}

TEST(no_sending, "a function that sends is RSIG_ERROR_UNSUPPORTED without its system call") {
    filter_fail(SYS_rt_sigqueueinfo, ENOSYS);
    filter_fail(SYS_tgkill, ENOSYS);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_sigqueue(getpid(), SIGUSR1, 0), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    CHECK_ERROR(rsig_thread_kill((pid_t)syscall(SYS_gettid), SIGUSR1), RSIG_ERROR_UNSUPPORTED,
                ENOSYS);
}

TEST(no_timers, "without timer_create everything works") {
    filter_fail(SYS_timer_create, ENOSYS);
    tour();
    tour();
}

TEST(no_signalfd, "without signalfd4 everything works, or the sigwait family is unsupported") {
    filter_fail(SYS_signalfd4, ENOSYS);
    if (RSIG_RACE_FREE) {
        tour();
        return;
    }
    const rsig_sigset_t set = RSIG_SIGSET(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_sigwait(set), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    CHECK_ERROR(rsig_sigtimedwait(set, 1, NULL), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    CHECK_ERROR(rsig_dispatch(set, 1), RSIG_ERROR_UNSUPPORTED, ENOSYS);
}

TEST(none_of_them, "without any of these all others work still") {
    filter_fail(SYS_eventfd2, ENOSYS);
    filter_fail(SYS_pidfd_open, ENOSYS);
    filter_fail(SYS_pidfd_send_signal, ENOSYS);
    filter_fail(SYS_timer_create, ENOSYS);
    if (RSIG_RACE_FREE) filter_fail(SYS_signalfd4, ENOSYS);
    tour_lacks = TOUR_EVENTFD | TOUR_PIDFD;
    tour();
}

/* What one thread sends another: the timer does it where that is forbidden. */
TEST(no_queueing_for_threads,
     "a signal that lands elsewhere ends a wait where rt_tgsigqueueinfo is EPERM") {
    filter_fail(SYS_rt_tgsigqueueinfo, EPERM);
    tour();
    tour();
}

TEST(no_preallocated_timer, "nor does it need both: where there is no timer, it is queued") {
    filter_fail(SYS_timer_settime, EPERM);
    tour();
}

/* ---- in a forked child, which has to open its descriptors anew ---- */

static rsig_channel_t *channel;
static int old_fds[2], lost_to[2];

static void child_without_descriptors(void) {
    rsig_siginfo_t info;
    struct check_calls calls = {0};
    CHECK_ERROR(rsig_fd(), RSIG_ERROR_OS, ENFILE);
    CHECK_ERROR(rsig_channel_fd(channel), RSIG_ERROR_OS, ENFILE);
    /* Somebody else has the numbers now, and must not find anything written there. */
    for (int i = 0; i < 2; i++) CHECK_INT(dup2(lost_to[1], old_fds[i]), old_fds[i]);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_OS, ENFILE);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(!tour_is_readable(lost_to[0]));
    for (int i = 0; i < 2; i++) CHECK(fcntl(old_fds[i], F_GETFD) >= 0);
}

TEST(forked_without_descriptors,
     "a child that gets no descriptors of its own says so, and writes to nobody else's") {
    struct check_calls calls = {0};
    rsig_siginfo_t info;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 4, &channel), RSIG_OK);
    CHECK_SYS(old_fds[0] = rsig_fd());
    CHECK_SYS(old_fds[1] = rsig_channel_fd(channel));
    CHECK_SYS(pipe2(lost_to, O_NONBLOCK));
    filter_fail(SYS_eventfd2, ENFILE);
    CHECK_CHILD_OK(check_child(child_without_descriptors));
    /* The parent's are what they were. */
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK(tour_is_readable(old_fds[0]) && tour_is_readable(old_fds[1]));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK(!tour_is_readable(old_fds[0]) && !tour_is_readable(old_fds[1]));
}
