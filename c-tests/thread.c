/* Which thread may do what, and handing the main thread on. */
#include "check.h"

static void run_on_thread(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* --- the wrong thread --- */

static void *call_main_only(void *unused) {
    rsig_action_t old = {check_handler, &old};
    int old_fd = -2, null = open("/dev/null", O_WRONLY | O_NONBLOCK);
    CHECK_SYS(null);
    CHECK_ERROR(rsig_signal(SIGUSR1, RSIG_DFL, NULL, &old), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_set_wakeup_fd(null, 0, &old_fd), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_set_wakeup_fd(-1, 0, &old_fd), RSIG_ERROR_THREAD, EPERM);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    CHECK(strstr(rsig_error_message(), "main thread"));
    CHECK(old.handler == check_handler && old.arg == &old);
    CHECK_INT(old_fd, -2);
    close(null);
    return unused;
}

TEST(main_only,
     "rsig_signal, rsig_set_wakeup_fd and rsig_pump are RSIG_ERROR_THREAD elsewhere, and do "
     "nothing") {
    struct check_calls calls = {0};
    int fds[2], old_fd = -2;
    CHECK_SYS(pipe2(fds, O_NONBLOCK));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_set_wakeup_fd(fds[1], 0, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    run_on_thread(call_main_only, NULL);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_set_wakeup_fd(-1, 0, &old_fd), RSIG_OK);
    CHECK_INT(old_fd, fds[1]);
}

static void hear(const char *message, void *arg) { (void)message, (void)arg; }

static void *call_the_others(void *unused) {
    rsig_action_t action;
    rsig_itimer_t timer;
    rsig_siginfo_t info;
    rsig_sigset_t set, usr2 = RSIG_SIGSET(SIGUSR2);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hear, NULL), RSIG_OK);
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == check_handler);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 1), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pthread_kill(pthread_self(), SIGUSR1), RSIG_OK);
    CHECK_ERROR(rsig_pidfd_send_signal(-1, SIGUSR1, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 1000, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_getitimer(ITIMER_REAL, &timer), RSIG_OK);
    CHECK(timer.delay > 0);
    CHECK(rsig_alarm(0) > 0);

    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, usr2, &set), RSIG_OK);
    CHECK_INT(set, 0);
    CHECK_INT(rsig_sigtimedwait(usr2, 0, NULL), 0);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    CHECK_INT(set, usr2);
    CHECK_INT(rsig_sigwait(usr2), SIGUSR2);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_sigwaitinfo(usr2, &info), SIGUSR2);
    CHECK_INT(info.signo, SIGUSR2);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(usr2, 1000, &info), SIGUSR2);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, usr2, NULL), RSIG_OK);
    return unused;
}

TEST(others_work_anywhere, "every other function works on any thread, and runs no handler there") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    run_on_thread(call_the_others, NULL);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 2);
}

static pid_t paused;

static void *pause_elsewhere(void *unused) {
    __atomic_store_n(&paused, check_gettid(), __ATOMIC_RELEASE);
    CHECK_INT(rsig_pause(), RSIG_OK);
    return unused;
}

TEST(pause_elsewhere_runs_nothing,
     "off the main thread rsig_pause ends after a signal there, and runs no handler") {
    struct check_calls calls = {0};
    pthread_t thread;
    pid_t tid;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, pause_elsewhere, NULL), 0);
    while (!(tid = __atomic_load_n(&paused, __ATOMIC_ACQUIRE))) sched_yield();
    check_await_syscall(tid, SYS_ppoll);
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
}

static void *refuse_elsewhere(void *unused) {
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, NULL), RSIG_OK);
    return unused;
}

TEST(refusals_are_for_the_main_thread,
     "a handler that would refuse does not disturb another thread's call") {
    struct check_calls calls = {0};
    calls.result = 1;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    run_on_thread(refuse_elsewhere, NULL);
    CHECK_INT(calls.calls, 0);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
}

/* --- the main thread handed on --- */

static pthread_t ran_on;

static int note_thread(int signum, const rsig_siginfo_t *info, void *arg) {
    ran_on = pthread_self();
    return check_handler(signum, info, arg);
}

static void *take_over(void *calls) {
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK(pthread_equal(ran_on, pthread_self()));
    CHECK_INT(rsig_signal(SIGUSR2, note_thread, calls, NULL), RSIG_OK);
    CHECK_INT(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(((struct check_calls *)calls)->calls, 2);
    return NULL;
}

TEST(set_main_thread,
     "rsig_set_main_thread hands over what is pending and all rights; the old one has none") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, note_thread, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    run_on_thread(take_over, &calls);
    call_main_only(NULL);
    /* No implied pump here any more. */
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 2);

    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK(pthread_equal(ran_on, pthread_self()));
    CHECK_INT(calls.calls, 3);
}

TEST(set_main_thread_again, "rsig_set_main_thread on the main thread changes nothing") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
}

static void *become_main(void *unused) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    return unused;
}

static int hand_on(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    run_on_thread(become_main, NULL);
    return 0;
}

TEST(handed_on_by_a_handler, "what is left when a handler has handed the main thread on is the new one's") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, hand_on, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 0);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
}

static void *own_rsig(void *calls) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, note_thread, calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK(pthread_equal(ran_on, pthread_self()));
    return NULL;
}

TEST(any_thread_can_be_main,
     "the main thread is the one that called rsig_init, not the process's first") {
    struct check_calls calls = {0};
    run_on_thread(own_rsig, &calls);
    CHECK_INT(calls.calls, 1);
    call_main_only(NULL);
}

/* --- the message --- */

static void *fail_elsewhere(void *unused) {
    CHECK_STR(rsig_error_message(), "");
    CHECK_ERROR(rsig_siginterrupt(-77, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "-77"));
    return unused;
}

TEST(message_is_the_threads_own, "each thread has its own rsig_error_message, empty at first") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_siginterrupt(-55, 0), RSIG_ERROR_VALUE, EINVAL);
    const char *message = rsig_error_message();
    CHECK(strstr(message, "-55"));
    run_on_thread(fail_elsewhere, NULL);
    CHECK(strstr(message, "-55"));
    CHECK(strstr(rsig_error_message(), "-55"));
}

static pthread_t first_main;

static void *be_main(void *unused) {
    first_main = pthread_self();
    CHECK_INT(rsig_init(0), RSIG_OK);
    return unused;
}

static void *have_its_number(void *unused) {
    if (!pthread_equal(pthread_self(), first_main)) check_skip("the number was not used again");
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_THREAD, EPERM);
    return unused;
}

TEST(number_used_again, "a thread that gets the dead main thread's number is not the main thread") {
    run_on_thread(be_main, NULL);
    run_on_thread(have_its_number, NULL);
}
