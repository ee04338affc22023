/* rsig_pthread_sigmask(): the calling thread's mask, and the handlers that it lets through. */
#include "check.h"

#include <limits.h>

static struct check_calls usr1, usr2;
static const rsig_sigset_t USR1 = RSIG_SIGSET(SIGUSR1), USR2 = RSIG_SIGSET(SIGUSR2),
                           HUP = RSIG_SIGSET(SIGHUP);

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
}

/* As the kernel has it, not as rsig tells it. */
static rsig_sigset_t mask(void) {
    char line[128];
    unsigned long long set = 0;
    int found = 0;
    FILE *file = fopen("/proc/thread-self/status", "r");
    CHECK(file);
    while (!found && fgets(line, sizeof line, file)) found = sscanf(line, "SigBlk: %llx", &set);
    fclose(file);
    CHECK(found);
    return set;
}

static void on_another_thread(void *(*body)(void *)) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(block_unblock_set,
     "SIG_BLOCK adds, SIG_UNBLOCK removes, SIG_SETMASK replaces; each tells the old") {
    rsig_sigset_t old = 42;
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1 | HUP, &old), RSIG_OK);
    CHECK_INT(old, 0);
    CHECK_INT(mask(), USR1 | HUP);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR2 | HUP, &old), RSIG_OK);
    CHECK_INT(old, USR1 | HUP);
    CHECK_INT(mask(), USR1 | USR2 | HUP);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, USR1 | RSIG_SIGSET(SIGTERM), &old), RSIG_OK);
    CHECK_INT(old, USR1 | USR2 | HUP);
    CHECK_INT(mask(), USR2 | HUP);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, USR1 | RSIG_SIGSET(SIGRTMAX), &old), RSIG_OK);
    CHECK_INT(old, USR2 | HUP);
    CHECK_INT(mask(), USR1 | RSIG_SIGSET(SIGRTMAX));
}

TEST(old_may_be_null, "who does not want the old mask passes NULL") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1, NULL), RSIG_OK);
    CHECK_INT(mask(), USR1);
}

TEST(reading_changes_nothing, "SIG_BLOCK with an empty set only reads") {
    rsig_sigset_t old = 42;
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, USR1 | HUP, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, &old), RSIG_OK);
    CHECK_INT(old, USR1 | HUP);
    CHECK_INT(mask(), USR1 | HUP);
}

TEST(bad_how, "a wrong `how` is RSIG_ERROR_OS with EINVAL, and changes nothing") {
    const int bad[] = {-1, SIG_BLOCK + SIG_UNBLOCK + SIG_SETMASK, 42, INT_MAX, INT_MIN};
    rsig_sigset_t old = 42;
    start();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERROR(rsig_pthread_sigmask(bad[i], USR1, &old), RSIG_ERROR_OS, EINVAL);
        CHECK_ERROR(rsig_pthread_sigmask(bad[i], 0, NULL), RSIG_ERROR_OS, EINVAL);
    }
    CHECK_INT(old, 42);
    CHECK_INT(mask(), 0);
}

TEST(everything_but_what_cannot_be_blocked,
     "SIGKILL, SIGSTOP and the C library's own signals are left out silently") {
    const rsig_sigset_t never = RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP);
    rsig_sigset_t old = 42, able = rsig_valid_signals() & ~never;
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, never, NULL), RSIG_OK);
    CHECK_INT(mask(), 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, ~(rsig_sigset_t)0, NULL), RSIG_OK);
    CHECK_INT(mask(), able);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, ~(rsig_sigset_t)0, &old), RSIG_OK);
    CHECK_INT(old, able);
    CHECK_INT(mask(), 0);
}

TEST(unblocking_runs_handlers, "on the main thread what was held back has run before it returns") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1 | USR2, NULL), RSIG_OK);
    raise(SIGUSR1);
    raise(SIGUSR2);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, USR1, NULL), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    CHECK_INT(usr2.calls, 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL), RSIG_OK);
    CHECK_INT(usr2.calls, 1);
    CHECK_INT(usr1.calls, 1);
}

TEST(runs_what_was_pending, "so has what was delivered before, whatever the change") {
    start();
    raise(SIGUSR1);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1, NULL), RSIG_OK);
    CHECK_INT(usr1.calls, 1);
    raise(SIGUSR2);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, NULL), RSIG_OK);
    CHECK_INT(usr2.calls, 1);
}

TEST(refusal_changes_the_mask_all_the_same,
     "where a handler refuses, mask and old are set already") {
    rsig_sigset_t old = 42;
    start();
    usr1.result = 5;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1 | HUP, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_ERROR(rsig_pthread_sigmask(SIG_SETMASK, USR2, &old), RSIG_ERROR_HANDLER, EINTR);
    int signum = 0;
    CHECK_INT(rsig_raised(&signum), 5);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(old, USR1 | HUP);
    CHECK_INT(mask(), USR2);
}

static int mask_in_handler(int signum, const rsig_siginfo_t *info, void *seen) {
    (void)signum, (void)info;
    *(rsig_sigset_t *)seen = mask();
    return 0;
}

TEST(handlers_run_with_the_new_mask, "a handler that runs meanwhile sees the new mask") {
    rsig_sigset_t seen = 0;
    start();
    CHECK_INT(rsig_signal(SIGUSR1, mask_in_handler, &seen, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, HUP, NULL), RSIG_OK);
    CHECK_INT(seen, HUP);
}

static void *unblock_on_worker(void *unused) {
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, USR1, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, USR1, NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, NULL), RSIG_OK);
    CHECK_INT(usr1.calls, 0);
    return unused;
}

TEST(other_threads_run_no_handler,
     "off the main thread it runs nothing; the main thread's pump does") {
    start();
    usr1.result = 1;
    on_another_thread(unblock_on_worker);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(usr1.calls, 1);
}

static void *change_own_mask(void *unused) {
    rsig_sigset_t old = 42;
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, USR2, &old), RSIG_OK);
    CHECK_INT(old, USR1);
    CHECK_INT(mask(), USR2);
    return unused;
}

TEST(each_thread_has_its_own, "a thread inherits a mask and then changes its own alone") {
    start();
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, USR1, NULL), RSIG_OK);
    on_another_thread(change_own_mask);
    CHECK_INT(mask(), USR1);
}

TEST(needs_init,
     "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE, the mask untouched") {
    rsig_sigset_t old = 42;
    CHECK_ERROR(rsig_pthread_sigmask(SIG_BLOCK, USR1, &old), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_pthread_sigmask(SIG_BLOCK, USR1, &old), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(old, 42);
    CHECK_INT(mask(), 0);
}
