/* rsig_die(): the process dies of the signal, and its parent sees of which. */
#include "check.h"
#include <sched.h>
#include <sys/resource.h>

static struct check_calls calls;

static int is_deadly(int signum) {
    switch (signum) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return 0;
    default: return (rsig_valid_signals() & RSIG_SIGSET(signum)) != 0;
    }
}

static void no_core(void) {
    struct rlimit none = {0, 0};
    CHECK_SYS(setrlimit(RLIMIT_CORE, &none));
}

static int dying;

static void die(void) {
    rsig_die(dying);
    CHECK_FAIL("rsig_die(%d) has returned", dying);
}

TEST(every_deadly_signal, "the process dies of each signal that can kill, before rsig_init") {
    int died = 0;
    no_core();
    for (dying = 1; dying < NSIG; dying++) {
        if (!is_deadly(dying)) continue;
        CHECK_CHILD_KILLED(check_child(die), dying);
        died++;
    }
    CHECK(died > 50);
}

static void block_and_ignore_and_die(void) {
    sigset_t all;
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    if (dying != SIGKILL) CHECK(signal(dying, SIG_IGN) != SIG_ERR);
    die();
}

TEST(blocked_and_ignored, "whether the signal is blocked or ignored makes no difference") {
    no_core();
    for (dying = 1; dying < NSIG; dying++)
        if (is_deadly(dying)) CHECK_CHILD_KILLED(check_child(block_and_ignore_and_die), dying);
}

static int exit_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    _exit(3);
}

static void handle_and_die(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(dying, exit_handler, NULL, NULL), RSIG_OK);
    raise(dying);
    die();
}

TEST(handled, "a handler of rsig's does not run, though it is pending") {
    dying = SIGTERM;
    CHECK_CHILD_KILLED(check_child(handle_and_die), SIGTERM);
}

static int die_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    return rsig_die(signum);
}

static void die_in_pump(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGINT, die_handler, NULL, NULL), RSIG_OK);
    rsig_raise_signal(SIGINT);
}

TEST(in_a_handler_of_rsigs, "a handler may end with it") {
    CHECK_CHILD_KILLED(check_child(die_in_pump), SIGINT);
}

static void die_plainly(int signum) { rsig_die(signum); }

static void die_in_plain_handler(void) {
    CHECK(signal(SIGHUP, die_plainly) != SIG_ERR);
    raise(SIGHUP);
}

TEST(in_a_plain_handler, "so may a plain signal handler") {
    CHECK_CHILD_KILLED(check_child(die_in_plain_handler), SIGHUP);
}

static void *die_on_thread(void *arg) {
    die();
    return arg;
}

static void die_off_main(void) {
    pthread_t thread;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(dying, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, die_on_thread, NULL), 0);
    pthread_join(thread, NULL);
}

TEST(any_thread, "the whole process dies, whichever thread calls it") {
    dying = SIGUSR1;
    CHECK_CHILD_KILLED(check_child(die_off_main), SIGUSR1);
}

static int out;

static void say_goodbye(void) { CHECK_SYS(write(out, "atexit", 6)); }

static void print_and_die(void) {
    FILE *file = fdopen(out, "w");
    CHECK(file);
    CHECK(fputs("stdio", file) >= 0);
    CHECK_INT(atexit(say_goodbye), 0);
    dying = SIGTERM;
    die();
}

TEST(no_flush_no_atexit, "stdio is not flushed and atexit functions do not run") {
    int ends[2];
    char byte;
    CHECK_SYS(pipe(ends));
    out = ends[1];
    CHECK_CHILD_KILLED(check_child(print_and_die), SIGTERM);
    close(ends[1]);
    CHECK_INT(read(ends[0], &byte, 1), 0);
}

TEST(shell, "a shell sees 128 + signum") {
    char program[4096] = {0}, command[4200];
    if (getenv("DIE_HERE")) {
        rsig_die(SIGTERM);
        _exit(1);
    }
    CHECK_SYS(readlink("/proc/self/exe", program, sizeof program - 1));
    CHECK_INT(setenv("DIE_HERE", "1", 1), 0);
    snprintf(command, sizeof command, "'%s' shell 2>/dev/null; test $? -eq 143", program);
    CHECK_INT(system(command), 0);
}

__attribute__((noinline)) static void die_in_vfork(void) {
    rsig_die(SIGTERM);
    _exit(1);
}

TEST(vfork_child, "a vfork()ed child dies alone, and its parent's signals are as they were") {
    int status;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &calls, NULL), RSIG_OK);
    pid_t pid = vfork();
    if (pid == 0) die_in_vfork();
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_KILLED(status, SIGTERM);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_raise_signal(SIGTERM), RSIG_OK);
    CHECK_INT(calls.deliveries, 1);
}

/* --- where the signal does not kill --- */

static void exit_otherwise(void) { _exit(4); }

static void die_as_process_1(void) {
    CHECK_INT(getpid(), 1);
    CHECK_INT(atexit(exit_otherwise), 0);
    die();
}

static void die_in_namespace(void) {
    if (unshare(CLONE_NEWPID) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
        check_skip("may not make a PID namespace");
    /* The first child in the namespace is its process 1. */
    int status = check_child(die_as_process_1);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 128 + dying);
}

TEST(process_1, "where the kernel ignores the signal, as in process 1, it is _exit(128 + signum)") {
    int signums[] = {SIGTERM, SIGKILL, SIGSEGV, SIGRTMAX};
    no_core();
    for (int i = 0; i < 4; i++) {
        dying = signums[i];
        int status = check_child(die_in_namespace);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) check_skip("no PID namespace");
        CHECK_CHILD_OK(status);
    }
}

/* --- errors --- */

TEST(invalid_numbers, "a number that is no signal's is RSIG_ERROR_VALUE") {
    int invalid[] = {0, -1, -SIGTERM, -2147483647 - 1, NSIG, 2147483647, 32, 33};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        CHECK_ERROR(rsig_die(invalid[i]), RSIG_ERROR_VALUE, EINVAL);
}

TEST(nothing_dies_of_it,
     "a signal whose default action kills nothing is RSIG_ERROR_VALUE, and nothing is changed") {
    int signums[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU};
    sigset_t all, now;
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    for (int i = 0; i < 7; i++) {
        CHECK(signal(signums[i], SIG_IGN) != SIG_ERR);
        CHECK_ERROR(rsig_die(signums[i]), RSIG_ERROR_VALUE, EINVAL);
        CHECK(check_kernel_handler(signums[i]) == (void *)SIG_IGN);
        CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
        CHECK_INT(sigismember(&now, signums[i]), 1);
    }
    CHECK_ERROR(rsig_die(SIGSTOP), RSIG_ERROR_VALUE, EINVAL);
    CHECK_STR(rsig_error_message(), "nothing dies of SIGSTOP (19)");
}
