/* Handlers that rsig did not install: seen, displaced, put back, chained to. */
#include "check.h"

static volatile sig_atomic_t foreign_calls;

static void foreign_handler(int signum) {
    (void)signum;
    foreign_calls++;
}

static void foreign_info_handler(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)info, (void)context;
    foreign_calls++;
}

/* With a mask of its own, siginfo and flags, none of which rsig would choose. */
static void install_elaborate(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = foreign_info_handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGHUP);
    sigaddset(&action.sa_mask, SIGRTMAX);
    CHECK_SYS(sigaction(signum, &action, NULL));
}

static void install_simple(int signum) { CHECK(signal(signum, foreign_handler) != SIG_ERR); }

static rsig_action_t action_of(int signum) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(signum, &action), RSIG_OK);
    return action;
}

TEST(seen, "a foreign handler is RSIG_FOREIGN, before and after rsig has handled the signal") {
    install_simple(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(action_of(SIGUSR1).handler == RSIG_FOREIGN);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, NULL, NULL), RSIG_OK);
    install_elaborate(SIGUSR2);
    CHECK(action_of(SIGUSR2).handler == RSIG_FOREIGN);
    CHECK_INT(foreign_calls, 0);
}

TEST(displaced_and_restored,
     "the old action puts a foreign handler back with its mask and its flags") {
    struct check_calls calls = {0};
    rsig_action_t old;
    install_elaborate(SIGUSR1);
    struct check_disposition before = check_disposition(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);

    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, &old), RSIG_OK);
    CHECK(old.handler == RSIG_FOREIGN);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(foreign_calls, 0);

    rsig_action_t displaced;
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, &displaced), RSIG_OK);
    CHECK(displaced.handler == check_handler && displaced.arg == &calls);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), before));
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(foreign_calls, 1);
}

TEST(restored_from_getsignal, "what rsig_getsignal tells of a foreign handler restores it too") {
    install_elaborate(SIGUSR1);
    struct check_disposition before = check_disposition(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    rsig_action_t noted = action_of(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, noted.handler, noted.arg, NULL), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), before));
}

TEST(two_foreign_actions,
     "each note stands for its own mask and flags, in whichever order they are restored") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    install_elaborate(SIGUSR1);
    struct check_disposition first = check_disposition(SIGUSR1);
    rsig_action_t noted_first = action_of(SIGUSR1);
    /* The same function: notes must differ all the same. */
    struct sigaction action;
    CHECK_SYS(sigaction(SIGUSR1, NULL, &action));
    sigaddset(&action.sa_mask, SIGTERM);
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    struct check_disposition second = check_disposition(SIGUSR1);
    rsig_action_t noted_second = action_of(SIGUSR1);

    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, noted_first.handler, noted_first.arg, NULL), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), first));
    CHECK_INT(rsig_signal(SIGUSR1, noted_second.handler, noted_second.arg, NULL), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), second));
}

TEST(note_outlives_fini,
     "an old action from before rsig_fini restores the handler after a new rsig_init") {
    rsig_action_t old;
    install_elaborate(SIGUSR1);
    struct check_disposition before = check_disposition(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), before));
}

TEST(one_shot_handler, "a foreign SA_RESETHAND handler that is put back is one-shot still") {
    struct sigaction action;
    rsig_action_t old;
    memset(&action, 0, sizeof action);
    action.sa_handler = foreign_handler;
    action.sa_flags = (int)SA_RESETHAND;
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(foreign_calls, 1);
    CHECK(action_of(SIGUSR1).handler == RSIG_DFL);
}

/* --- SIG_DFL and SIG_IGN of SIGCHLD, whose flags mean something without a handler --- */

static void exit_at_once(void) {}

/* Whether an ended child leaves nothing to wait for. */
static int children_are_reaped(void) {
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) _exit(0);
    pid_t result = waitpid(pid, NULL, 0);
    if (result < 0) CHECK_INT(errno, ECHILD);
    return result < 0;
}

TEST(sa_nocldwait_comes_back,
     "SIG_DFL with SA_NOCLDWAIT, displaced and restored, still leaves no zombies") {
    struct sigaction action;
    struct check_calls calls = {0};
    rsig_action_t old;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDWAIT | SA_NOCLDSTOP;
    CHECK_SYS(sigaction(SIGCHLD, &action, NULL));
    struct check_disposition before = check_disposition(SIGCHLD);
    CHECK_INT(rsig_init(0), RSIG_OK);

    CHECK_INT(rsig_signal(SIGCHLD, check_handler, &calls, &old), RSIG_OK);
    CHECK(old.handler == RSIG_DFL);
    CHECK_CHILD_OK(check_child(exit_at_once));
    CHECK_INT(rsig_signal(SIGCHLD, old.handler, old.arg, NULL), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGCHLD), before));
    CHECK(children_are_reaped());
    CHECK(action_of(SIGCHLD).handler == RSIG_DFL);

    /* Without the arg it is the default action and no more. */
    CHECK_INT(rsig_signal(SIGCHLD, RSIG_DFL, NULL, NULL), RSIG_OK);
    CHECK(!children_are_reaped());
}

TEST(note_of_another_kind,
     "the arg that came with RSIG_DFL does not turn RSIG_IGN into something else") {
    struct sigaction action;
    rsig_action_t old;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDWAIT;
    CHECK_SYS(sigaction(SIGCHLD, &action, NULL));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGCHLD, check_handler, NULL, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGCHLD, RSIG_IGN, old.arg, NULL), RSIG_OK);
    CHECK(check_kernel_handler(SIGCHLD) == (void *)SIG_IGN);
}

/* --- rsig_fini --- */

TEST(before_init_put_back_by_fini,
     "rsig_fini puts back a foreign handler with its mask and its flags") {
    install_elaborate(SIGUSR1);
    struct check_disposition before = check_disposition(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_DFL, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK(!check_same_disposition(check_disposition(SIGUSR1), before));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), before));
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(foreign_calls, 1);
}

TEST(over_rsigs_survives_fini,
     "a foreign handler installed over rsig's is left alone by rsig_fini") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, NULL, NULL), RSIG_OK);
    install_elaborate(SIGUSR1);
    CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    struct check_disposition usr1 = check_disposition(SIGUSR1), usr2 = check_disposition(SIGUSR2);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), usr1));
    CHECK(check_same_disposition(check_disposition(SIGUSR2), usr2));
}

TEST(over_rsigs_and_displaced,
     "one that came over rsig's and was displaced again is what rsig_fini puts back") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    install_elaborate(SIGUSR1);
    struct check_disposition theirs = check_disposition(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK(!check_same_disposition(check_disposition(SIGUSR1), theirs));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), theirs));
}

TEST(restored_before_fini, "a foreign handler that was put back already stays at rsig_fini") {
    rsig_action_t old;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    install_elaborate(SIGUSR1);
    struct check_disposition theirs = check_disposition(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_same_disposition(check_disposition(SIGUSR1), theirs));
}

/* --- chains --- */

static struct sigaction chained;

static void chaining_handler(int signum, siginfo_t *info, void *context) {
    foreign_calls++;
    if (chained.sa_flags & SA_SIGINFO) chained.sa_sigaction(signum, info, context);
}

static void install_chaining(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = chaining_handler;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(signum, &action, &chained));
    CHECK(chained.sa_flags & SA_SIGINFO);
}

TEST(chains_to_rsigs,
     "a delivery that a foreign handler passes on to rsig's is pumped, siginfo and all") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install_chaining(SIGUSR1);
    CHECK(action_of(SIGUSR1).handler == RSIG_FOREIGN);
    CHECK_SYS(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42}));
    CHECK_INT(foreign_calls, 1);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.last_info.code, SI_QUEUE);
    CHECK_INT(calls.last_info.pid, getpid());
    CHECK_INT(calls.last_info.value_int, 42);
}

TEST(chains_without_siginfo, "a foreign handler that has no siginfo may pass NULL") {
    struct check_calls calls = {0};
    struct sigaction rsigs;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &rsigs));
    rsigs.sa_sigaction(SIGUSR1, NULL, NULL);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_signum, SIGUSR1);
    CHECK_INT(calls.last_info.signo, SIGUSR1);
    CHECK_INT(calls.deliveries, 1);
}

static void count_warning(const char *message, void *warnings) {
    (void)message;
    ++*(int *)warnings;
}

TEST(chain_outlives_fini,
     "after rsig_fini a chained delivery does no harm, and the next rsig_init knows nothing of "
     "it") {
    struct check_calls calls = {0};
    int warnings = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install_chaining(SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(foreign_calls, 1);
    CHECK_INT(calls.calls, 0);

    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(count_warning, &warnings), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(warnings, 0);
    /* Nor does it call the handler of before. */
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(foreign_calls, 2);
    CHECK_INT(warnings, 0);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

TEST(chain_is_restored_whole,
     "a chaining handler, displaced and restored, reaches the handler that it reached before") {
    struct check_calls calls = {0}, between = {0};
    rsig_action_t old;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install_chaining(SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &between, &old), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(foreign_calls, 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(between.calls, 0);
}

TEST(rsigs_restored_by_others,
     "rsig's own disposition, put back by whoever displaced it, is rsig's again") {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install_chaining(SIGUSR1);
    CHECK_SYS(sigaction(SIGUSR1, &chained, NULL));
    CHECK(action_of(SIGUSR1).handler == check_handler);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(foreign_calls, 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

TEST(copied_from_another_signal, "rsig's own handler where rsig did not put it is foreign") {
    struct sigaction rsigs;
    rsig_action_t now;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, NULL, NULL), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, NULL, &rsigs));
    CHECK_SYS(sigaction(SIGUSR2, &rsigs, NULL));
    CHECK_INT(rsig_getsignal(SIGUSR2, &now), RSIG_OK);
    CHECK(now.handler == RSIG_FOREIGN);
}
