/* rsig_alarm(), rsig_setitimer(), rsig_getitimer(): the process's timers. */
#include "check.h"

#include <float.h>
#include <limits.h>

static struct check_calls calls;

static const struct {
    int which, signum;
} timers[] = {{ITIMER_REAL, SIGALRM}, {ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
enum { TIMERS = sizeof timers / sizeof *timers };

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < TIMERS; i++)
        CHECK_INT(rsig_signal(timers[i].signum, check_handler, &calls, NULL), RSIG_OK);
}

/* Uses the processor, which two of the timers count, until so many more handlers have run. */
static void burn_until_called(int times) {
    for (int before = calls.calls; calls.calls < before + times;) CHECK(rsig_pump() >= 0);
}

static rsig_itimer_t get(int which) {
    rsig_itimer_t now = {-1, -1};
    CHECK_INT(rsig_getitimer(which, &now), RSIG_OK);
    return now;
}

static int is_off(int which) {
    struct itimerval now;
    CHECK_SYS(getitimer(which, &now));
    return !now.it_value.tv_sec && !now.it_value.tv_usec;
}

/* ---- rsig_alarm() ---- */

TEST(alarm_sends_sigalrm, "the alarm's signal runs its handler") {
    start();
    CHECK_INT(rsig_alarm(1), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(calls.last_signum, SIGALRM);
    CHECK_INT(rsig_alarm(0), 0);
}

TEST(alarm_tells_what_was_left,
     "a new alarm replaces the old one and tells its seconds; 0 sets none") {
    CHECK_INT(rsig_alarm(0), 0);
    CHECK_INT(rsig_alarm(1000000), 0);
    unsigned left = rsig_alarm(UINT_MAX);
    CHECK(left > 900000 && left <= 1000000);
    left = rsig_alarm(0);
    CHECK(left > 0);
    CHECK(is_off(ITIMER_REAL));
    CHECK_INT(rsig_alarm(0), 0);
}

TEST(alarm_is_the_real_timer, "rsig_alarm() and ITIMER_REAL are one timer") {
    start();
    rsig_itimer_t old;
    CHECK_INT(rsig_alarm(1000000), 0);
    CHECK(get(ITIMER_REAL).delay > 900000);
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 5000, 7, &old), RSIG_OK);
    CHECK(old.delay > 900000 && old.delay <= 1000000);
    CHECK(old.interval == 0);
    unsigned left = rsig_alarm(0);
    CHECK(left > 4000 && left <= 5000);
    CHECK(is_off(ITIMER_REAL));
}

/* ---- rsig_setitimer() ---- */

TEST(each_timer_sends_its_signal, "each of the three timers delivers its signal, once") {
    start();
    for (int i = 0; i < TIMERS; i++) {
        CHECK_INT(rsig_setitimer(timers[i].which, 0.01, 0, NULL), RSIG_OK);
        burn_until_called(1);
        CHECK_INT(calls.last_signum, timers[i].signum);
        CHECK(is_off(timers[i].which));
    }
}

TEST(never_early, "ITIMER_REAL fires when its delay is over, not before") {
    struct timespec before, after;
    start();
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &before));
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.05, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_SYS(clock_gettime(CLOCK_MONOTONIC, &after));
    CHECK((double)(after.tv_sec - before.tv_sec) + (after.tv_nsec - before.tv_nsec) / 1e9 >= 0.05);
}

TEST(the_interval_repeats,
     "with an interval each timer fires again and again until it is turned off") {
    start();
    for (int i = 0; i < TIMERS; i++) {
        CHECK_INT(rsig_setitimer(timers[i].which, 0.001, 0.001, NULL), RSIG_OK);
        burn_until_called(3);
        CHECK_INT(calls.last_signum, timers[i].signum);
        CHECK_INT(rsig_setitimer(timers[i].which, 0, 0, NULL), RSIG_OK);
        CHECK(is_off(timers[i].which));
        CHECK(rsig_pump() >= 0);
    }
}

TEST(the_smallest_delay_arms, "a delay above 0, however small, arms each timer") {
    const double tiny[] = {1e-6, 1e-9, DBL_MIN, 5e-324};
    start();
    for (int i = 0; i < TIMERS; i++)
        for (size_t k = 0; k < sizeof tiny / sizeof *tiny; k++) {
            CHECK_INT(rsig_setitimer(timers[i].which, tiny[k], 0, NULL), RSIG_OK);
            burn_until_called(1);
            CHECK_INT(calls.last_signum, timers[i].signum);
        }
}

TEST(rounded_up, "delay and interval are rounded up to the microsecond, not down") {
    const struct {
        double seconds;
        time_t tv_sec;
        suseconds_t tv_usec;
    } cases[] = {{5e-324, 0, 1},      {1e-9, 0, 1},      {1e-6, 0, 1},  {1.5, 1, 500000},
                 {0.1, 0, 100000},    {1.0000001, 1, 1}, {3, 3, 0},     {0.9999999, 1, 0},
                 {41.9999999, 42, 0}, {1e9, 1000000000, 0}};
    struct itimerval now;
    start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(rsig_setitimer(ITIMER_REAL, 1e6, cases[i].seconds, NULL), RSIG_OK);
        CHECK_SYS(getitimer(ITIMER_REAL, &now));
        CHECK_INT(now.it_interval.tv_sec, cases[i].tv_sec);
        CHECK_INT(now.it_interval.tv_usec, cases[i].tv_usec);
    }
}

TEST(zero_turns_it_off, "a delay of 0 or -0.0 turns each timer off") {
    start();
    for (int i = 0; i < TIMERS; i++) {
        CHECK_INT(rsig_setitimer(timers[i].which, 1e6, 0, NULL), RSIG_OK);
        CHECK(!is_off(timers[i].which));
        CHECK_INT(rsig_setitimer(timers[i].which, 0.0, 0, NULL), RSIG_OK);
        CHECK(is_off(timers[i].which));
        CHECK_INT(rsig_setitimer(timers[i].which, 1e6, -0.0, NULL), RSIG_OK);
        CHECK(!is_off(timers[i].which));
        CHECK_INT(rsig_setitimer(timers[i].which, -0.0, -0.0, NULL), RSIG_OK);
        CHECK(is_off(timers[i].which));
    }
    CHECK_INT(rsig_pump(), 0);
}

TEST(old_and_now,
     "the timer before comes back through old, the running one from rsig_getitimer()") {
    start();
    for (int i = 0; i < TIMERS; i++) {
        rsig_itimer_t old = {-1, -1};
        CHECK_INT(rsig_setitimer(timers[i].which, 1e6, 2.5, &old), RSIG_OK);
        CHECK(old.delay == 0 && old.interval == 0);
        rsig_itimer_t now = get(timers[i].which);
        CHECK(now.delay > 9e5 && now.delay <= 1e6 + 1 && now.interval == 2.5);
        CHECK_INT(rsig_setitimer(timers[i].which, 0, 0, &old), RSIG_OK);
        CHECK(old.delay > 9e5 && old.delay <= now.delay && old.interval == 2.5);
        now = get(timers[i].which);
        CHECK(now.delay == 0 && now.interval == 0);
    }
}

static const double bad[] = {-1, -1e-9, -5e-324, -DBL_MAX, (double)NAN, -(double)NAN,
                             (double)INFINITY, -(double)INFINITY, 9223372036854775808.0, 1e300,
                             DBL_MAX};

TEST(bad_times,
     "negative, NaN, infinite or too large: RSIG_ERROR_ITIMER, EINVAL, the timer runs on") {
    start();
    for (int i = 0; i < TIMERS; i++) {
        int which = timers[i].which;
        rsig_itimer_t old = {-1, -2};
        CHECK_INT(rsig_setitimer(which, 1e6, 2.5, NULL), RSIG_OK);
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            CHECK_ERROR(rsig_setitimer(which, bad[k], 0, &old), RSIG_ERROR_ITIMER, EINVAL);
            CHECK_ERROR(rsig_setitimer(which, 1, bad[k], &old), RSIG_ERROR_ITIMER, EINVAL);
            CHECK_ERROR(rsig_setitimer(which, 0, bad[k], &old), RSIG_ERROR_ITIMER, EINVAL);
            CHECK_ERROR(rsig_setitimer(which, bad[k], bad[k], NULL), RSIG_ERROR_ITIMER, EINVAL);
            rsig_itimer_t now = get(which);
            CHECK(now.delay > 9e5 && now.interval == 2.5);
        }
        CHECK(old.delay == -1 && old.interval == -2);
    }
}

TEST(bad_time_in_the_message, "the message tells the time that was wrong") {
    start();
    CHECK_INT(rsig_setitimer(ITIMER_REAL, -2.5, 0, NULL), RSIG_ERROR_ITIMER);
    CHECK(strstr(rsig_error_message(), "-2.5"));
}

TEST(the_largest_time, "the largest time below the limit arms each timer, and none fires") {
    const double largest = nextafter(9223372036854775808.0, 0);
    start();
    if (sizeof(time_t) < 8) check_skip("time_t has 32 bits");
    for (int i = 0; i < TIMERS; i++) {
        CHECK_INT(rsig_setitimer(timers[i].which, largest, largest, NULL), RSIG_OK);
        CHECK(get(timers[i].which).delay > 1e9);
        CHECK(get(timers[i].which).interval > 1e9);
    }
    CHECK_INT(rsig_pump(), 0);
}

TEST(bad_which, "a timer that does not exist is RSIG_ERROR_ITIMER with EINVAL") {
    const int none[] = {3, -1, INT_MAX, INT_MIN};
    rsig_itimer_t now = {-1, -2};
    start();
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_ERROR(rsig_setitimer(none[i], 1, 0, &now), RSIG_ERROR_ITIMER, EINVAL);
        CHECK_ERROR(rsig_setitimer(none[i], 0, 0, NULL), RSIG_ERROR_ITIMER, EINVAL);
        CHECK_ERROR(rsig_getitimer(none[i], &now), RSIG_ERROR_ITIMER, EINVAL);
    }
    CHECK(now.delay == -1 && now.interval == -2);
    for (int i = 0; i < TIMERS; i++) CHECK(is_off(timers[i].which));
}

TEST(getitimer_null, "rsig_getitimer() without room is RSIG_ERROR_VALUE") {
    start();
    CHECK_ERROR(rsig_getitimer(ITIMER_REAL, NULL), RSIG_ERROR_VALUE, EINVAL);
}

static void *set_and_get(void *unused) {
    CHECK_INT(rsig_setitimer(ITIMER_REAL, 0.01, 0.01, NULL), RSIG_OK);
    CHECK(get(ITIMER_REAL).interval == 0.01);
    return unused;
}

TEST(any_thread,
     "the timers are the process's: another thread's timer interrupts the main thread") {
    pthread_t thread;
    start();
    CHECK_INT(pthread_create(&thread, NULL, set_and_get, NULL), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(calls.last_signum, SIGALRM);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(needs_init, "before rsig_init() the timers are RSIG_ERROR_STATE, but for rsig_alarm()") {
    rsig_itimer_t now = {-1, -2};
    for (int i = 0; i < 2; i++) {
        CHECK_ERROR(rsig_setitimer(ITIMER_REAL, 1e6, 0, &now), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_getitimer(ITIMER_REAL, &now), RSIG_ERROR_STATE, ENXIO);
        CHECK(now.delay == -1 && now.interval == -2);
        CHECK(is_off(ITIMER_REAL));
        if (i == 0) {
            start();
            CHECK_INT(rsig_fini(), RSIG_OK);
        }
    }
}
