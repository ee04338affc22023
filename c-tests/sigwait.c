/* The rsig_sigwait() family: accepting signals, and what interrupts the wait. */
#include "check.h"

#include <float.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>

/* By convention here: SIGUSR1 is blocked and waited for, SIGUSR2 has a handler. */
static struct check_calls usr1, usr2;
static pthread_t main_thread;
static const rsig_sigset_t awaited = RSIG_SIGSET(SIGUSR1);

static void start(void) {
    main_thread = pthread_self();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, awaited, NULL), RSIG_OK);
}

static pthread_t spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

/* The system calls in which the main thread and other threads wait. */
static void await_main(void) { check_await_syscall(getpid(), CHECK_SYS_SIGWAIT); }
static void await_worker(pid_t tid) { check_await_syscall(tid, SYS_rt_sigtimedwait); }

static rsig_sigset_t pending(void) {
    rsig_sigset_t set;
    CHECK_INT(rsig_sigpending(&set), RSIG_OK);
    return set;
}

/* As the kernel has it, not as rsig tells it. */
static rsig_sigset_t mask(void) {
    sigset_t now;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK_INT(rsig_sigset_from_posix(&now, &set), RSIG_OK);
    return set;
}

static double seconds(void) {
    struct timespec now;
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs the same check on the main thread, which rsig serves in its own way, and on another. */
static void on_both(void *(*body)(void *)) {
    body(NULL);
    join(spawn(body, NULL));
}

static void *send_usr1(void *unused) {
    await_main();
    CHECK_SYS(kill(getpid(), SIGUSR1));
    return unused;
}

/* For a signal that the sender does not block itself. */
static void *send_usr1_to_main(void *unused) {
    await_main();
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return unused;
}

/* ---- accepting ---- */

TEST(accepts_what_is_pending,
     "a signal that is pending is accepted, and its handler does not run") {
    start();
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(pending(), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(usr1.calls, 0);
}

TEST(accepts_what_comes_later, "each of the three waits until a signal comes") {
    start();
    rsig_siginfo_t info;
    pthread_t sender = spawn(send_usr1, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    join(sender);
    sender = spawn(send_usr1, NULL);
    CHECK_INT(rsig_sigwaitinfo(awaited, &info), SIGUSR1);
    CHECK_INT(info.signo, SIGUSR1);
    join(sender);
    sender = spawn(send_usr1, NULL);
    CHECK_INT(rsig_sigtimedwait(awaited, 1e6, &info), SIGUSR1);
    join(sender);
    CHECK_INT(pending(), 0);
    CHECK_INT(usr1.calls, 0);
}

TEST(accepts_only_the_set, "a pending signal outside the set stays pending") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGHUP), NULL), RSIG_OK);
    raise(SIGHUP);
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
    CHECK_INT(pending(), RSIG_SIGSET(SIGHUP));
}

TEST(queued_signals_come_in_order, "real-time signals are accepted one by one, in their order") {
    rsig_siginfo_t info;
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGRTMIN), NULL), RSIG_OK);
    for (int i = 1; i <= 3; i++) {
        union sigval value = {.sival_int = i};
        CHECK_SYS(sigqueue(getpid(), SIGRTMIN, value));
    }
    for (int i = 1; i <= 3; i++) {
        CHECK_INT(rsig_sigwaitinfo(RSIG_SIGSET(SIGRTMIN), &info), SIGRTMIN);
        CHECK_INT(info.value_int, i);
        CHECK_INT(info.count, 1);
    }
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGRTMIN), 0, NULL), 0);
}

TEST(signals_that_cannot_be_awaited_are_ignored, "SIGKILL and SIGSTOP in the set do no harm") {
    start();
    pthread_t sender = spawn(send_usr1, NULL);
    CHECK_INT(rsig_sigwait(awaited | RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP)), SIGUSR1);
    join(sender);
}

TEST(accepts_unblocked_signals, "a signal that is not blocked is accepted while the wait lasts") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, awaited, NULL), RSIG_OK);
    rsig_sigset_t before = mask();
    pthread_t sender = spawn(send_usr1_to_main, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    join(sender);
    CHECK_INT(mask(), before);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(usr1.calls, 0);
}

TEST(accepts_ignored_signals, "so is one that is blocked and ignored") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    pthread_t sender = spawn(send_usr1_to_main, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    join(sender);
}

/* ---- the record ---- */

static void *check_info_of_kill(void *unused) {
    rsig_siginfo_t info;
    CHECK_SYS(kill(getpid(), SIGUSR1));
    memset(&info, 0xff, sizeof info);
    CHECK_INT(rsig_sigwaitinfo(awaited, &info), SIGUSR1);
    rsig_siginfo_t expected;
    memset(&expected, 0, sizeof expected);
    expected.signo = SIGUSR1;
    expected.code = SI_USER;
    expected.pid = getpid();
    expected.uid = getuid();
    expected.count = 1;
    CHECK_INT(info.signo, expected.signo);
    CHECK_INT(info.code, expected.code);
    CHECK_INT(info.error, expected.error);
    CHECK_INT(info.pid, expected.pid);
    CHECK_INT(info.uid, expected.uid);
    CHECK_INT(info.status, expected.status);
    CHECK_INT(info.band, expected.band);
    CHECK_INT(info.value_int, expected.value_int);
    CHECK_INT(info.value_ptr, expected.value_ptr);
    CHECK_INT(info.count, expected.count);
    CHECK(!memcmp(info.reserved, expected.reserved, sizeof info.reserved));
    return unused;
}

TEST(info_of_kill, "kill(): the sender, and 0 in every field that it does not define") {
    start();
    on_both(check_info_of_kill);
}

static void *check_info_of_sigqueue(void *unused) {
    rsig_siginfo_t info;
    union sigval value = {.sival_ptr = (void *)(uintptr_t)0x123456789abcdefULL};
    CHECK_SYS(sigqueue(getpid(), SIGUSR1, value));
    CHECK_INT(rsig_sigtimedwait(awaited, 0, &info), SIGUSR1);
    CHECK_INT(info.code, SI_QUEUE);
    CHECK_INT(info.pid, getpid());
    CHECK_INT(info.uid, getuid());
    CHECK_INT(info.value_ptr, (uintptr_t)value.sival_ptr);
    CHECK_INT(info.value_int, value.sival_int);
    return unused;
}

TEST(info_of_sigqueue, "sigqueue(): the sender and the payload in both its forms") {
    start();
    on_both(check_info_of_sigqueue);
}

static void *check_info_of_tgkill(void *unused) {
    rsig_siginfo_t info;
    CHECK_SYS(syscall(SYS_tgkill, getpid(), check_gettid(), SIGUSR1));
    CHECK_INT(rsig_sigwaitinfo(awaited, &info), SIGUSR1);
    CHECK_INT(info.code, SI_TKILL);
    CHECK_INT(info.pid, getpid());
    CHECK_INT(info.uid, getuid());
    return unused;
}

TEST(info_of_tgkill, "tgkill(): the code is SI_TKILL, as the kernel has it") {
    start();
    on_both(check_info_of_tgkill);
}

TEST(info_of_a_child, "SIGCHLD: the child, why, and its exit status") {
    rsig_siginfo_t info;
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGCHLD), NULL), RSIG_OK);
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) _exit(3);
    CHECK_INT(rsig_sigwaitinfo(RSIG_SIGSET(SIGCHLD), &info), SIGCHLD);
    CHECK_INT(info.code, CLD_EXITED);
    CHECK_INT(info.pid, child);
    CHECK_INT(info.uid, getuid());
    CHECK_INT(info.status, 3);
    CHECK_INT(waitpid(child, NULL, 0), child);
}

TEST(info_of_another_process, "the sender may be another process") {
    rsig_siginfo_t info;
    start();
    pid_t parent = getpid(), child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        check_await_syscall(parent, CHECK_SYS_SIGWAIT);
        CHECK_SYS(kill(parent, SIGUSR1));
        _exit(0);
    }
    CHECK_INT(rsig_sigwaitinfo(awaited, &info), SIGUSR1);
    CHECK_INT(info.pid, child);
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_CHILD_OK(status);
}

static void *check_null_info(void *unused) {
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(rsig_sigwaitinfo(awaited, NULL), SIGUSR1);
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(rsig_sigtimedwait(awaited, 1, NULL), SIGUSR1);
    return unused;
}

TEST(info_may_be_null, "who does not want the record passes NULL") {
    start();
    on_both(check_null_info);
}

/* ---- time ---- */

static void *check_zero(void *unused) {
    rsig_siginfo_t info, before;
    memset(&info, 0x55, sizeof info);
    before = info;
    CHECK_INT(rsig_sigtimedwait(awaited, 0, &info), 0);
    CHECK_INT(rsig_sigtimedwait(awaited, -0.0, &info), 0);
    CHECK(!memcmp(&info, &before, sizeof info));
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), SIGUSR1);
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(rsig_sigtimedwait(awaited, -0.0, NULL), SIGUSR1);
    return unused;
}

TEST(zero_only_looks,
     "with a timeout of 0 it accepts what is pending, or returns 0 and no record") {
    start();
    on_both(check_zero);
}

static void *check_elapses(void *unused) {
    for (double timeout = 1e-9; timeout < 0.2; timeout *= 10) {
        double before = seconds();
        CHECK_INT(rsig_sigtimedwait(awaited, timeout, NULL), 0);
        double elapsed = seconds() - before;
        if (elapsed < timeout) CHECK_FAIL("waited %.9f s, not %.9f", elapsed, timeout);
    }
    return unused;
}

TEST(never_less_than_the_timeout, "0 is returned when the time is over, not before") {
    start();
    on_both(check_elapses);
}

static void *check_errno(void *unused) {
    for (double timeout = 0; timeout < 0.02; timeout += 0.01) {
        errno = EXDEV;
        CHECK_INT(rsig_sigtimedwait(awaited, timeout, NULL), 0);
        CHECK_INT(errno, EXDEV);
    }
    return unused;
}

TEST(timeout_leaves_errno_alone, "that the time is over is no error: errno is as it was") {
    start();
    on_both(check_errno);
}

static void *check_bad_timeouts(void *unused) {
    const double bad[] = {-1, -1e-9, -5e-324, -DBL_MAX, (double)NAN, -(double)NAN,
                          (double)INFINITY, -(double)INFINITY};
    rsig_siginfo_t info, before;
    memset(&info, 0x55, sizeof info);
    before = info;
    CHECK_SYS(kill(getpid(), SIGUSR1));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERROR(rsig_sigtimedwait(awaited, bad[i], &info), RSIG_ERROR_VALUE, EINVAL);
    CHECK(!memcmp(&info, &before, sizeof info));
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), SIGUSR1);
    return unused;
}

TEST(bad_timeouts, "negative, NaN and infinite are RSIG_ERROR_VALUE, and nothing is accepted") {
    start();
    on_both(check_bad_timeouts);
}

TEST(bad_timeout_in_the_message, "the message tells the timeout that was wrong") {
    start();
    CHECK_INT(rsig_sigtimedwait(awaited, -2.5, NULL), RSIG_ERROR_VALUE);
    CHECK(strstr(rsig_error_message(), "-2.5"));
}

static const double huge[] = {1e10, 9223372036854775808.0, 18446744073709551616.0, 1e300, DBL_MAX};
enum { HUGE_COUNT = sizeof huge / sizeof *huge };
static atomic_int worker_tid, accepted_count;

static void *wait_huge(void *unused) {
    worker_tid = check_gettid();
    for (int i = 0; i < HUGE_COUNT; i++) {
        CHECK_INT(rsig_sigtimedwait(awaited, huge[i], NULL), SIGUSR1);
        accepted_count++;
    }
    return unused;
}

TEST(no_timeout_is_too_large, "any finite timeout waits") {
    start();
    for (int i = 0; i < HUGE_COUNT; i++) {
        pthread_t sender = spawn(send_usr1, NULL);
        CHECK_INT(rsig_sigtimedwait(awaited, huge[i], NULL), SIGUSR1);
        join(sender);
    }
}

TEST(no_timeout_is_too_large_elsewhere, "nor off the main thread") {
    start();
    pthread_t worker = spawn(wait_huge, NULL);
    while (!worker_tid) sched_yield();
    for (int i = 0; i < HUGE_COUNT; i++) {
        while (accepted_count < i) sched_yield();
        await_worker(worker_tid);
        CHECK_INT(pthread_kill(worker, SIGUSR1), 0);
    }
    join(worker);
}

/* ---- interrupted by handlers ---- */

static atomic_int handled;

static int note_handled(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    handled++;
    return 0;
}

/* Interrupts the main thread three times; what it waits for is sent only after the handlers. */
static void *interrupt_then_send(void *unused) {
    for (int i = 0; i < 3; i++) {
        while (handled < i) sched_yield();
        await_main();
        CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    }
    while (handled < 3) sched_yield();
    await_main();
    CHECK_SYS(kill(getpid(), SIGUSR1));
    return unused;
}

static void start_interruptible(void) {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, note_handled, NULL, NULL), RSIG_OK);
}

TEST(goes_on_after_a_handler, "another signal's handler runs meanwhile, and the wait goes on") {
    start_interruptible();
    for (int form = 0; form < 3; form++) {
        handled = 0;
        pthread_t sender = spawn(interrupt_then_send, NULL);
        int signum = form == 0   ? rsig_sigwait(awaited)
                     : form == 1 ? rsig_sigwaitinfo(awaited, NULL)
                                 : rsig_sigtimedwait(awaited, 1e6, NULL);
        CHECK_INT(signum, SIGUSR1);
        CHECK_INT(handled, 3);
        join(sender);
    }
}

TEST(goes_on_with_restarting_handlers, "also where the handler restarts system calls") {
    start_interruptible();
    CHECK_INT(rsig_siginterrupt(SIGUSR2, 0), RSIG_OK);
    pthread_t sender = spawn(interrupt_then_send, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(handled, 3);
    join(sender);
}

static void *interrupt_once(void *unused) {
    await_main();
    CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    return unused;
}

TEST(goes_on_with_the_time_left, "an interruption does not cut the time short") {
    start();
    pthread_t sender = spawn(interrupt_once, NULL);
    double before = seconds();
    CHECK_INT(rsig_sigtimedwait(awaited, 0.3, NULL), 0);
    CHECK(seconds() - before >= 0.3);
    join(sender);
    CHECK_INT(usr2.calls, 1);
}

static atomic_int over;

/* One signal after the other, each as soon as the one before has been handled. */
static void *interrupt_without_end(void *unused) {
    for (int sent = 0; !over; sent++) {
        while (handled < sent && !over) sched_yield();
        CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    }
    return unused;
}

TEST(interruptions_do_not_extend_it, "handlers without end do not keep the time from being over") {
    start_interruptible();
    pthread_t sender = spawn(interrupt_without_end, NULL);
    CHECK_INT(rsig_sigtimedwait(awaited, 0.3, NULL), 0);
    CHECK(handled >= 1);
    over = 1;
    join(sender);
}

TEST(interruptions_do_not_starve_it, "nor do they keep an awaited signal from being accepted") {
    start_interruptible();
    pthread_t sender = spawn(interrupt_without_end, NULL);
    for (int i = 0; i < 1000; i++) {
        CHECK_SYS(kill(getpid(), SIGUSR1));
        CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    }
    over = 1;
    join(sender);
}

static int raise_again(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    handled++;
    raise(signum);
    return 0;
}

TEST(a_handler_that_raises_its_own_signal, "does not keep the wait from its end, of either kind") {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, raise_again, NULL, NULL), RSIG_OK);
    raise(SIGUSR2);
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK(handled >= 1);
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
    CHECK_INT(rsig_sigtimedwait(awaited, 0.01, NULL), 0);
}

static int send_awaited(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    handled++;
    raise(SIGUSR1);
    return 0;
}

static void arm_alarm(int microseconds) {
    struct itimerval timer = {{0, 0}, {0, microseconds}};
    CHECK_SYS(setitimer(ITIMER_REAL, &timer, NULL));
}

TEST(no_race_with_a_handler, "a handled signal on its way into the wait is never missed") {
    start();
    CHECK_INT(rsig_signal(SIGALRM, send_awaited, NULL, NULL), RSIG_OK);
    for (int i = 1; i <= 10000; i++) {
        arm_alarm(1 + i % 40);
        CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
        CHECK_INT(handled, i);
    }
}

TEST(no_race_with_the_awaited_signal, "nor is an awaited one, blocked or not") {
    start();
    CHECK_INT(rsig_signal(SIGALRM, send_awaited, NULL, NULL), RSIG_OK);
    for (int i = 0; i < 10000; i++) {
        rsig_sigset_t alarm = RSIG_SIGSET(SIGALRM);
        CHECK_INT(rsig_pthread_sigmask(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, alarm, NULL), RSIG_OK);
        arm_alarm(1 + i % 40);
        /* Delivered before the wait began, its handler sends the other. */
        int signum = rsig_sigwait(alarm | awaited);
        CHECK(signum == SIGALRM || (i % 2 == 0 && signum == SIGUSR1));
    }
}

TEST(pending_handlers_run_first, "what was pending before the call runs, also when it only looks") {
    start();
    raise(SIGUSR2);
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(usr2.calls, 1);
    raise(SIGUSR2);
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
    CHECK_INT(usr2.calls, 2);
}

static void *raise_then_send(void *unused) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_INT(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    await_main();
    raise(SIGUSR2);
    while (handled < 1) sched_yield();
    await_main();
    CHECK_SYS(kill(getpid(), SIGUSR1));
    return unused;
}

TEST(landing_elsewhere_runs_the_handler,
     "a signal that lands on another thread interrupts the main thread's wait") {
    start_interruptible();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR2), NULL), RSIG_OK);
    pthread_t worker = spawn(raise_then_send, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(handled, 1);
    join(worker);
}

static int accepting_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    raise(SIGUSR1);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(rsig_sigtimedwait(awaited, 0.01, NULL), 0);
    handled++;
    return 0;
}

static void *interrupt_once_then_send(void *unused) {
    await_main();
    CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    while (handled < 1) sched_yield();
    await_main();
    CHECK_SYS(kill(getpid(), SIGUSR1));
    return unused;
}

TEST(a_handler_may_wait, "a handler may wait itself, for the same signals, and the wait goes on") {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, accepting_handler, NULL, NULL), RSIG_OK);
    pthread_t sender = spawn(interrupt_once_then_send, NULL);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(handled, 1);
    join(sender);
}

static int raise_and_send_the_third_time(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    if (++handled == 3) CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(raise(signum), 0);
    return 0;
}

static void wait_beside_it(void) {
    handled = 0;
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK(handled >= 3);
}

TEST(handler_without_end, "a handler that raises its signal again each time keeps no wait from its end") {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, raise_and_send_the_third_time, NULL, NULL), RSIG_OK);
    wait_beside_it();
}

TEST(handler_without_end_later, "nor one that comes after another blocking call") {
    start();
    CHECK_INT(rsig_sleep(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, raise_and_send_the_third_time, NULL, NULL), RSIG_OK);
    wait_beside_it();
}

/* ---- refusals ---- */

static int send_and_refuse(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_SYS(kill(getpid(), SIGUSR1));
    return 9;
}

TEST(refusal_ends_it, "a refusal ends the wait; what was awaited stays pending for the next call") {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, send_and_refuse, NULL, NULL), RSIG_OK);
    pthread_t sender = spawn(interrupt_once, NULL);
    rsig_siginfo_t info, before;
    memset(&info, 0x55, sizeof info);
    before = info;
    CHECK_ERROR(rsig_sigwaitinfo(awaited, &info), RSIG_ERROR_HANDLER, EINTR);
    CHECK(!memcmp(&info, &before, sizeof info));
    int signum = 0;
    CHECK_INT(rsig_raised(&signum), 9);
    CHECK_INT(signum, SIGUSR2);
    CHECK_INT(pending(), awaited);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    join(sender);
}

TEST(refusal_before_the_wait, "a handler that was pending may refuse; nothing is accepted") {
    start();
    usr2.result = 1;
    raise(SIGUSR1);
    for (int form = 0; form < 3; form++) {
        raise(SIGUSR2);
        CHECK_ERROR(form == 0   ? rsig_sigwait(awaited)
                    : form == 1 ? rsig_sigwaitinfo(awaited, NULL)
                                : rsig_sigtimedwait(awaited, 0, NULL),
                    RSIG_ERROR_HANDLER, EINTR);
        CHECK_INT(pending(), awaited);
    }
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
}

TEST(empty_set_ends_by_a_refusal, "with nothing to wait for, a refusal ends the wait") {
    start();
    usr2.result = 1;
    pthread_t sender = spawn(interrupt_once, NULL);
    CHECK_ERROR(rsig_sigwait(0), RSIG_ERROR_HANDLER, EINTR);
    join(sender);
}

TEST(empty_set_ends_by_the_timeout, "or the end of the time does") {
    start();
    CHECK_INT(rsig_sigtimedwait(0, 0, NULL), 0);
    CHECK_INT(rsig_sigtimedwait(0, 0.01, NULL), 0);
}

/*
 * Runs `body` in a child; once it waits it is stopped, sent SIGUSR2 and then SIGUSR1 with the
 * payload 42, and continued: so both are there at the same time when the wait ends.
 */
static void with_both_at_once(void (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        body();
        _exit(0);
    }
    int status;
    check_await_syscall(child, CHECK_SYS_SIGWAIT);
    CHECK_SYS(kill(child, SIGSTOP));
    CHECK_SYS(waitpid(child, &status, WUNTRACED));
    CHECK(WIFSTOPPED(status));
    CHECK_SYS(kill(child, SIGUSR2));
    union sigval value = {.sival_int = 42};
    CHECK_SYS(sigqueue(child, SIGUSR1, value));
    CHECK_SYS(kill(child, SIGCONT));
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK_CHILD_OK(status);
}

static void accept_after_handler(void) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_sigwaitinfo(awaited, &info), SIGUSR1);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(info.code, SI_QUEUE);
    CHECK_INT(info.value_int, 42);
    CHECK_INT(info.pid, getppid());
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
}

TEST(handler_at_the_same_time, "where both come at once, the handler has run when it returns") {
    start();
    with_both_at_once(accept_after_handler);
}

static void accept_or_handle(void) {
    usr1.result = 1;
    int result = rsig_sigwait(awaited);
    if (result == SIGUSR1) {
        if (usr2.calls == 0) CHECK_INT(rsig_pump(), 1);
    } else {
        CHECK_INT(result, RSIG_ERROR_HANDLER);
        CHECK_INT(usr1.calls, 1);
        CHECK(rsig_pump() >= 0);
    }
    CHECK_INT(usr2.calls, 1);
}

TEST(handler_at_the_same_time_unblocked,
     "where the awaited signal was not blocked, it is accepted or handled, and nothing is lost") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, awaited, NULL), RSIG_OK);
    with_both_at_once(accept_or_handle);
}

static void accept_after_refusal(void) {
    rsig_siginfo_t info;
    CHECK_ERROR(rsig_sigwait(awaited), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(pending(), awaited);
    CHECK_INT(rsig_sigtimedwait(awaited, 0, &info), SIGUSR1);
    CHECK_INT(info.code, SI_QUEUE);
    CHECK_INT(info.value_int, 42);
    CHECK_INT(info.pid, getppid());
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
}

TEST(refusal_at_the_same_time,
     "where both come at once and the handler refuses, no signal is lost") {
    start();
    usr2.result = 1;
    with_both_at_once(accept_after_refusal);
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static jmp_buf out;

static int jumping_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    longjmp(out, 1);
}

TEST(longjmp_ends_it, "a handler may jump out; mask and descriptors are as before the call") {
    start();
    CHECK_INT(rsig_signal(SIGUSR2, jumping_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, awaited, NULL), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(awaited, 1e-6, NULL), 0);
    const rsig_sigset_t before = mask();
    const int descriptors = open_descriptors();
    pthread_t sender = spawn(interrupt_once, NULL);
    if (!setjmp(out)) {
        rsig_sigwait(awaited);
        CHECK_FAIL("the handler did not jump");
    }
    join(sender);
    CHECK_INT(mask(), before);
    CHECK_INT(open_descriptors(), descriptors);
}

/* ---- other threads ---- */

static int wakeup[2];

static void *wait_on_worker(void *unused) {
    worker_tid = check_gettid();
    CHECK_INT(rsig_sigtimedwait(awaited, 0, NULL), 0);
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_INT(usr2.calls, 0);
    return unused;
}

TEST(other_threads_run_no_handler,
     "off the main thread no handler runs, neither one pending before nor one during the wait") {
    start();
    usr2.result = 1;
    raise(SIGUSR2);
    CHECK_SYS(pipe(wakeup));
    CHECK_SYS(fcntl(wakeup[1], F_SETFL, O_NONBLOCK));
    CHECK_ERROR(rsig_set_wakeup_fd(-2, 0, NULL), RSIG_ERROR_OS, EBADF);
    CHECK_INT(rsig_set_wakeup_fd(wakeup[1], 0, NULL), RSIG_OK);
    pthread_t worker = spawn(wait_on_worker, NULL);
    while (!worker_tid) sched_yield();
    await_worker(worker_tid);
    CHECK_INT(pthread_kill(worker, SIGUSR2), 0);
    char byte;
    CHECK_INT(read(wakeup[0], &byte, 1), 1);
    await_worker(worker_tid);
    CHECK_INT(pthread_kill(worker, SIGUSR1), 0);
    join(worker);
    CHECK_INT(usr2.calls, 0);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(usr2.deliveries, 2);
}

enum { SIGNALS = 2000, WAITERS = 4 };
static atomic_llong sum, accepted;

/* Until it accepts a 0. */
static void *accept_numbers(void *unused) {
    rsig_siginfo_t info;
    for (;;) {
        CHECK_INT(rsig_sigwaitinfo(RSIG_SIGSET(SIGRTMIN), &info), SIGRTMIN);
        CHECK_INT(info.code, SI_QUEUE);
        CHECK_INT(info.count, 1);
        if (!info.value_int) return unused;
        sum += info.value_int;
        accepted++;
    }
}

static void *send_numbers(void *unused) {
    for (int i = 1; i <= SIGNALS + WAITERS; i++) {
        union sigval value = {.sival_int = i <= SIGNALS ? i : 0};
        /* The queue is limited. */
        while (sigqueue(getpid(), SIGRTMIN, value)) {
            CHECK_INT(errno, EAGAIN);
            sched_yield();
        }
        if (i % 8 == 0) CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    }
    return unused;
}

TEST(each_signal_has_one_accepter,
     "of several threads that wait for the same signals, each signal goes to exactly one") {
    start_interruptible();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGRTMIN), NULL), RSIG_OK);
    pthread_t threads[WAITERS];
    for (int i = 1; i < WAITERS; i++) threads[i] = spawn(accept_numbers, NULL);
    threads[0] = spawn(send_numbers, NULL);
    accept_numbers(NULL);
    for (int i = 0; i < WAITERS; i++) join(threads[i]);
    CHECK_INT(accepted, SIGNALS);
    CHECK_INT(sum, (long long)SIGNALS * (SIGNALS + 1) / 2);
    CHECK_INT(pending(), 0);
}

static void *wait_for_all(void *unused) {
    worker_tid = check_gettid();
    CHECK_INT(rsig_sigwait(~(rsig_sigset_t)0), SIGUSR1);
    return unused;
}

TEST(leaves_the_c_librarys_signals_alone,
     "a wait for all signals takes none of those that the C library sends to its threads") {
    start();
    pthread_t worker = spawn(wait_for_all, NULL);
    while (!worker_tid) sched_yield();
    await_worker(worker_tid);
    CHECK_SYS(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
    await_worker(worker_tid);
    CHECK_INT(pthread_kill(worker, SIGUSR1), 0);
    join(worker);
}

static void *set_user_and_send(void *unused) {
    await_main();
    CHECK_SYS(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
    await_main();
    CHECK_INT(pthread_kill(main_thread, SIGUSR1), 0);
    return unused;
}

TEST(leaves_the_c_librarys_signals_alone_on_main, "the same on the main thread") {
    start();
    pthread_t worker = spawn(set_user_and_send, NULL);
    CHECK_INT(rsig_sigwait(~(rsig_sigset_t)0), SIGUSR1);
    join(worker);
}

static void *cancelled_waiter(void *returned) {
    start();
    CHECK_INT(pthread_cancel(pthread_self()), 0);
    CHECK_INT(rsig_sigtimedwait(awaited, 0.01, NULL), 0);
    worker_tid = check_gettid();
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    *(int *)returned = 1;
    pthread_testcancel();
    return NULL;
}

TEST(is_no_cancellation_point, "a main thread that is cancelled is not so inside the wait") {
    int returned = 0;
    void *end = NULL;
    pthread_t thread = spawn(cancelled_waiter, &returned);
    /* Where it is cancelled too early it never tells its number. */
    while (!worker_tid && pthread_tryjoin_np(thread, &end) == EBUSY) sched_yield();
    if (!worker_tid) CHECK_FAIL("cancelled inside the wait");
    check_await_syscall(worker_tid, CHECK_SYS_SIGWAIT);
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    CHECK_INT(pthread_join(thread, &end), 0);
    CHECK(returned);
    CHECK(end == PTHREAD_CANCELED);
}

static void *cancelled_while_waiting(void *set) {
    worker_tid = check_gettid();
    CHECK_INT(rsig_sigwait(*(rsig_sigset_t *)set), SIGUSR1);
    pthread_testcancel();
    return NULL;
}

TEST(cancelled_while_waiting_elsewhere,
     "nor is another thread, and a wait for all signals does not lose the cancellation") {
    rsig_sigset_t sets[] = {awaited, ~(rsig_sigset_t)0};
    void *end = NULL;
    start();
    for (int i = 0; i < 2; i++) {
        worker_tid = 0;
        pthread_t worker = spawn(cancelled_while_waiting, &sets[i]);
        while (!worker_tid) sched_yield();
        await_worker(worker_tid);
        CHECK_INT(pthread_cancel(worker), 0);
        await_worker(worker_tid);
        CHECK_INT(pthread_kill(worker, SIGUSR1), 0);
        CHECK_INT(pthread_join(worker, &end), 0);
        CHECK(end == PTHREAD_CANCELED);
    }
}

/* ---- what it leaves behind ---- */

static void *check_mask(void *unused) {
    const rsig_sigset_t set = awaited | RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGRTMAX);
    rsig_sigset_t before = mask();
    CHECK_INT(rsig_sigtimedwait(set, 0, NULL), 0);
    CHECK_INT(mask(), before);
    CHECK_INT(rsig_sigtimedwait(set, 0.01, NULL), 0);
    CHECK_INT(mask(), before);
    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_INT(rsig_sigtimedwait(set, 0.01, NULL), SIGUSR1);
    CHECK_INT(mask(), before);
    CHECK_ERROR(rsig_sigtimedwait(set, -1, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(mask(), before);
    return unused;
}

TEST(mask_is_what_it_was, "the mask after the call is the mask before") {
    start();
    on_both(check_mask);
}

TEST(mask_is_what_it_was_after_a_refusal, "also after a refusal, and inside the handler") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, awaited, NULL), RSIG_OK);
    usr2.result = 1;
    rsig_sigset_t before = mask();
    pthread_t sender = spawn(interrupt_once, NULL);
    CHECK_ERROR(rsig_sigwait(awaited), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(mask(), before);
    join(sender);
}

TEST(leaks_no_descriptor, "thousands of calls, however they end, leave no descriptor open") {
    start();
    int before = open_descriptors();
    struct rlimit limit = {(rlim_t)before + 8, (rlim_t)before + 8};
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    usr2.result = 1;
    for (int i = 0; i < 2000; i++) {
        CHECK_INT(rsig_sigtimedwait(awaited, 1e-6, NULL), 0);
        raise(SIGUSR2);
        CHECK_INT(rsig_sigtimedwait(awaited, 1e-6, NULL), RSIG_ERROR_HANDLER);
        raise(SIGUSR1);
        CHECK_INT(rsig_sigtimedwait(awaited, 1, NULL), SIGUSR1);
    }
    CHECK_INT(open_descriptors(), before);
}

TEST(needs_no_descriptor, "it waits where no descriptor is free") {
    if (!RSIG_RACE_FREE) check_skip("it waits with a descriptor here");
    start();
    check_send_when_asleep(CHECK_SYS_SIGWAIT, SIGUSR1);
    struct rlimit before, none;
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_INT(rsig_sigwait(awaited), SIGUSR1);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
}

/* ---- stopped ---- */

static int tid_pipe[2];

static void *wait_in_child(void *unused) {
    pid_t tid = check_gettid();
    CHECK_INT(write(tid_pipe[1], &tid, sizeof tid), sizeof tid);
    CHECK_INT(rsig_sigtimedwait(awaited, 1e6, NULL), SIGUSR1);
    return unused;
}

static void stop_and_continue(int on_main, long number) {
    CHECK_SYS(pipe(tid_pipe));
    pid_t child = fork(), tid;
    CHECK_SYS(child);
    if (child == 0) {
        if (on_main)
            wait_in_child(NULL);
        else
            join(spawn(wait_in_child, NULL));
        _exit(0);
    }
    int status;
    CHECK_INT(read(tid_pipe[0], &tid, sizeof tid), sizeof tid);
    check_await_syscall(tid, number);
    CHECK_SYS(kill(child, SIGSTOP));
    CHECK_SYS(waitpid(child, &status, WUNTRACED));
    CHECK(WIFSTOPPED(status));
    CHECK_SYS(kill(child, SIGCONT));
    CHECK_SYS(waitpid(child, &status, WCONTINUED));
    CHECK(WIFCONTINUED(status));
    check_await_syscall(tid, number);
    CHECK_SYS(kill(child, SIGUSR1));
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK_CHILD_OK(status);
}

TEST(stop_and_continue_do_not_end_it, "to be stopped and continued is no end of the wait") {
    start();
    stop_and_continue(1, CHECK_SYS_SIGWAIT);
    stop_and_continue(0, SYS_rt_sigtimedwait);
}

TEST(needs_init, "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE") {
    for (int i = 0; i < 2; i++) {
        CHECK_ERROR(rsig_sigwait(awaited), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigwaitinfo(awaited, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigtimedwait(awaited, 0, NULL), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_sigtimedwait(awaited, -1, NULL), RSIG_ERROR_STATE, ENXIO);
        if (i == 0) {
            start();
            CHECK_INT(rsig_fini(), RSIG_OK);
        }
    }
}
