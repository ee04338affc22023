/* rsig_sigset_t: RSIG_SIGSET() and the rsig_sigset_ functions. */
#include "check.h"

#include <limits.h>

static const int out_of_range[] = {0, -1, NSIG, NSIG + 1, 256 + SIGINT, INT_MAX, INT_MIN};
enum { OUT_OF_RANGE = sizeof out_of_range / sizeof *out_of_range };

TEST(one_signal, "RSIG_SIGSET(n) is bit n-1") {
    for (int n = 1; n < NSIG; n++) CHECK(RSIG_SIGSET(n) == (uint64_t)1 << (n - 1));
    /* An expression as argument, and the macro within an expression. */
    CHECK((RSIG_SIGSET(1 + 1) | RSIG_SIGSET(SIGRTMAX)) == ((uint64_t)1 << 63 | 2));
    CHECK(sizeof RSIG_SIGSET(1) == 8);
}

TEST(add_and_remove, "a signal that is added is in the set until it is removed, and no other is") {
    for (int n = 1; n < NSIG; n++) {
        rsig_sigset_t set = 0, all = ~(rsig_sigset_t)0;
        CHECK_INT(rsig_sigset_add(&set, n), RSIG_OK);
        CHECK(set == RSIG_SIGSET(n));
        CHECK_INT(rsig_sigset_add(&set, n), RSIG_OK);
        CHECK(set == RSIG_SIGSET(n));
        for (int other = 1; other < NSIG; other++)
            CHECK_INT(rsig_sigset_contains(&set, other), other == n);
        CHECK_INT(rsig_sigset_remove(&all, n), RSIG_OK);
        CHECK(all == ~RSIG_SIGSET(n));
        CHECK_INT(rsig_sigset_contains(&all, n), 0);
        CHECK_INT(rsig_sigset_remove(&all, n), RSIG_OK);
        CHECK(all == ~RSIG_SIGSET(n));
    }
}

TEST(invalid_numbers, "a number out of range is refused, and the set stays as it was") {
    for (int i = 0; i < OUT_OF_RANGE; i++) {
        rsig_sigset_t set = RSIG_SIGSET(SIGINT) | RSIG_SIGSET(SIGRTMAX), before = set;
        char number[32];
        snprintf(number, sizeof number, "%d", out_of_range[i]);
        CHECK_ERROR(rsig_sigset_add(&set, out_of_range[i]), RSIG_ERROR_VALUE, EINVAL);
        CHECK(strstr(rsig_error_message(), number) && strstr(rsig_error_message(), "64"));
        CHECK_ERROR(rsig_sigset_remove(&set, out_of_range[i]), RSIG_ERROR_VALUE, EINVAL);
        CHECK_ERROR(rsig_sigset_contains(&set, out_of_range[i]), RSIG_ERROR_VALUE, EINVAL);
        CHECK(set == before);
    }
}

TEST(null, "NULL is refused, and the message says which parameter it was") {
    sigset_t posix;
    rsig_sigset_t set = 5;
    sigemptyset(&posix);
    CHECK_ERROR(rsig_sigset_add(NULL, SIGINT), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "set must not be NULL"));
    CHECK_ERROR(rsig_sigset_remove(NULL, SIGINT), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_sigset_contains(NULL, SIGINT), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_sigset_to_posix(set, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "posix must not be NULL"));
    CHECK_ERROR(rsig_sigset_from_posix(NULL, &set), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "posix must not be NULL"));
    CHECK_ERROR(rsig_sigset_from_posix(&posix, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "set must not be NULL"));
    CHECK_INT(set, 5);
}

TEST(walk, "rsig_sigset_next() walks through a set in ascending order") {
    const int members[] = {1, 2, 31, 32, 33, 34, 63, 64};
    rsig_sigset_t set = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) set |= RSIG_SIGSET(members[i]);
    size_t seen = 0;
    for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n)) {
        CHECK(seen < sizeof members / sizeof *members);
        CHECK_INT(n, members[seen++]);
    }
    CHECK_INT(seen, sizeof members / sizeof *members);
}

TEST(walk_from_anywhere, "the walk may begin after any number") {
    rsig_sigset_t all = ~(rsig_sigset_t)0;
    for (int after = 0; after < 64; after++) CHECK_INT(rsig_sigset_next(all, after), after + 1);
    CHECK_INT(rsig_sigset_next(RSIG_SIGSET(1), INT_MIN), 1);
    CHECK_INT(rsig_sigset_next(RSIG_SIGSET(1), -1), 1);
    CHECK_INT(rsig_sigset_next(RSIG_SIGSET(64), 63), 64);
    CHECK_INT(rsig_sigset_next(all, 64), 0);
    CHECK_INT(rsig_sigset_next(all, 65), 0);
    CHECK_INT(rsig_sigset_next(all, 128), 0);
    CHECK_INT(rsig_sigset_next(all, INT_MAX), 0);
    CHECK_INT(rsig_sigset_next(0, 0), 0);
}

TEST(to_posix, "the C library finds in its form what is in the set") {
    for (int n = 1; n < NSIG; n++) {
        if (!rsig_signame(n)) continue;
        sigset_t posix;
        sigfillset(&posix);
        CHECK_INT(rsig_sigset_to_posix(RSIG_SIGSET(n), &posix), RSIG_OK);
        for (int other = 1; other < NSIG; other++)
            if (rsig_signame(other)) CHECK_INT(sigismember(&posix, other), other == n);
    }
}

TEST(from_posix, "the set has what the C library has put into its form") {
    sigset_t posix;
    rsig_sigset_t set = 99;
    sigemptyset(&posix);
    CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
    CHECK_INT(set, 0);
    sigfillset(&posix);
    CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
    CHECK(set == rsig_valid_signals());
    for (int n = 1; n < NSIG; n++) {
        if (!rsig_signame(n)) continue;
        sigemptyset(&posix);
        sigaddset(&posix, n);
        CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
        CHECK(set == RSIG_SIGSET(n));
    }
}

TEST(kernel_layout, "a set is what /proc/PID/status shows of a mask that is set with it") {
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGRTMIN) | RSIG_SIGSET(SIGRTMAX);
    sigset_t posix;
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &posix, NULL), 0);
    FILE *status = fopen("/proc/thread-self/status", "r");
    CHECK(status);
    char line[256];
    unsigned long long blocked = 0;
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1) break;
    fclose(status);
    CHECK(blocked == set);
}
