/* Without rsig_init(): what needs it says RSIG_ERROR_STATE, what does not works. */
#include "check.h"

static void never_hear(const char *message, void *arg) { (void)message, (void)arg; }

/* Every function that needs rsig_init(), with arguments that are right otherwise. */
static void check_state_errors(void) {
    rsig_action_t action = {check_handler, &action};
    rsig_itimer_t timer = {-1, -1};
    rsig_siginfo_t info = {.signo = -1};
    rsig_sigset_t set = 12345, usr1 = RSIG_SIGSET(SIGUSR1);
    int old_fd = -2, null = open("/dev/null", O_WRONLY | O_NONBLOCK);
    CHECK_SYS(null);

    CHECK_ERROR(rsig_fini(), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_set_main_thread(), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_set_warning_hook(never_hear, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_signal(SIGUSR1, RSIG_IGN, NULL, &action), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_getsignal(SIGUSR1, &action), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_siginterrupt(SIGUSR1, 1), RSIG_ERROR_STATE, ENXIO);
    /* Each would kill. */
    CHECK_ERROR(rsig_raise_signal(SIGUSR1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pthread_kill(pthread_self(), SIGUSR1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pidfd_send_signal(null, SIGUSR1, NULL, 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_kill(getpid(), SIGUSR1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigqueue(getpid(), SIGUSR1, 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_thread_kill(check_gettid(), SIGUSR1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pidfd_open(getpid(), 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pthread_sigmask(SIG_BLOCK, usr1, &set), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigpending(&set), RSIG_ERROR_STATE, ENXIO);
    /* Each would wait for ever. */
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigwait(usr1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigwaitinfo(usr1, &info), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigtimedwait(usr1, 0, &info), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_setitimer(ITIMER_REAL, 1000, 0, &timer), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_getitimer(ITIMER_REAL, &timer), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_set_wakeup_fd(null, 0, &old_fd), RSIG_ERROR_STATE, ENXIO);

    /* Nothing was stored and nothing was done. */
    CHECK(action.handler == check_handler && action.arg == &action);
    CHECK(timer.delay == -1 && timer.interval == -1);
    CHECK_INT(info.signo, -1);
    CHECK_INT(set, 12345);
    CHECK_INT(old_fd, -2);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    struct itimerval real;
    CHECK_SYS(getitimer(ITIMER_REAL, &real));
    CHECK_INT(real.it_value.tv_sec, 0);
    sigset_t mask;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_INT(sigismember(&mask, SIGUSR1), 0);
    close(null);
}

/* Every function that does not. */
static void check_the_others_work(void) {
    rsig_sigset_t set = 0;
    sigset_t posix;
    int value = 0, signum = -1;
    CHECK(rsig_error_message());
    CHECK_STR(rsig_strerror(RSIG_OK), "success");
    CHECK_STR(rsig_strsignal(SIGINT), "Interrupt");
    CHECK_STR(rsig_signame(SIGINT), "SIGINT");
    CHECK_INT(rsig_signum("SIGINT"), SIGINT);
    CHECK_INT(rsig_constant("SIGINT", &value), RSIG_OK);
    CHECK_INT(value, SIGINT);
    CHECK(rsig_valid_signals() & RSIG_SIGSET(SIGINT));
    CHECK_INT(rsig_raised(&signum), 0);
    CHECK_INT(signum, 0);
    CHECK(pthread_equal(rsig_get_ident(), pthread_self()));
    CHECK_INT(rsig_default_int_handler(SIGINT, NULL, NULL), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(rsig_sigset_add(&set, SIGINT), RSIG_OK);
    CHECK_INT(rsig_sigset_contains(&set, SIGINT), 1);
    CHECK_INT(rsig_sigset_next(set, 0), SIGINT);
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
    CHECK_INT(set, RSIG_SIGSET(SIGINT));
    CHECK_INT(rsig_sigset_remove(&set, SIGINT), RSIG_OK);
    CHECK_INT(set, 0);
    CHECK_INT(rsig_alarm(1000), 0);
    CHECK(rsig_alarm(0) > 0);
    CHECK(*rsig_version());
}

static void *check_on_thread(void *unused) {
    check_state_errors();
    check_the_others_work();
    return unused;
}

TEST(errors_before_init,
     "before rsig_init each function that needs it is RSIG_ERROR_STATE and does nothing") {
    check_state_errors();
}

TEST(errors_after_fini,
     "after the last rsig_fini each function that needs rsig_init is RSIG_ERROR_STATE again") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    check_state_errors();
}

TEST(the_others_work,
     "before rsig_init and after rsig_fini each function that does not need it works") {
    CHECK_STR(rsig_error_message(), "");
    check_the_others_work();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    check_the_others_work();
}

TEST(on_any_thread, "both hold on every thread") {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, check_on_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(state_comes_first,
     "without rsig_init a wrong argument is RSIG_ERROR_STATE too, the same for each function") {
    CHECK_ERROR(rsig_signal(0, RSIG_DFL, NULL, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_getsignal(0, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_siginterrupt(0, 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_raise_signal(-1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pthread_kill(pthread_self(), -1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pidfd_send_signal(-1, 0, "", 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_kill(getpid(), -1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigqueue(-1, -1, 0), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_thread_kill(-1, -1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pidfd_open(-1, ~0u), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_pthread_sigmask(-1, 0, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigpending(NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_sigtimedwait(0, -1, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_setitimer(-1, -1, 0, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_getitimer(-1, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_set_wakeup_fd(-2, 0, NULL), RSIG_ERROR_STATE, ENXIO);
}
