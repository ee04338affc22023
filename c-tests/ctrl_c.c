/* Ctrl-C at a terminal: SIGINT becomes KeyboardInterrupt, and the program can die of it. */
#include "check.h"

#include <sys/ioctl.h>
#include <termios.h>

static int master = -1;
static char terminal[64];

static void open_master(void) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) check_skip("no pseudo-terminals here");
    CHECK_SYS(grantpt(master));
    CHECK_SYS(unlockpt(master));
    CHECK_INT(ptsname_r(master, terminal, sizeof terminal), 0);
}

/* Starts a child that has the terminal as its own, to run `body` on it. */
static pid_t start(void (*body)(int tty)) {
    open_master();
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        CHECK_SYS(setsid());
        int tty = open(terminal, O_RDWR);
        CHECK_SYS(tty);
        CHECK_SYS(ioctl(tty, TIOCSCTTY, 0));
        body(tty);
        _exit(0);
    }
    return pid;
}

static void type(const char *keys) {
    CHECK_INT(write(master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static int wait_for(pid_t pid) {
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    return status;
}

/* What a program does with a KeyboardInterrupt that nobody caught. */
static void die_of_interrupt(void) {
    int signum = 0;
    CHECK_INT(rsig_raised(&signum), RSIG_KEYBOARD_INTERRUPT);
    CHECK_INT(signum, SIGINT);
    CHECK_INT(rsig_signal(SIGINT, RSIG_DFL, NULL, NULL), RSIG_OK);
    rsig_raise_signal(SIGINT);
    CHECK_FAIL("survived SIGINT");
}

static void pause_until_interrupted(int tty) {
    (void)tty;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_ERROR(rsig_pause(), RSIG_ERROR_HANDLER, EINTR);
    die_of_interrupt();
}

TEST(ends_pause,
     "Ctrl-C ends rsig_pause with a KeyboardInterrupt, and the parent sees death by SIGINT") {
    pid_t child = start(pause_until_interrupted);
    check_await_syscall(child, SYS_ppoll);
    type("\x03");
    CHECK_CHILD_KILLED(wait_for(child), SIGINT);
}

static void read_until_interrupted(int tty) {
    char line[16];
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(read(tty, line, sizeof line), -1);
    CHECK_INT(errno, EINTR);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    die_of_interrupt();
}

TEST(ends_read,
     "Ctrl-C interrupts a read from the terminal, and rsig_pump raises KeyboardInterrupt") {
    pid_t child = start(read_until_interrupted);
    check_await_syscall(child, SYS_read);
    type("\x03");
    CHECK_CHILD_KILLED(wait_for(child), SIGINT);
}

static void pause_twice(int tty) {
    struct check_calls calls = {0};
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGINT, check_handler, &calls, NULL), RSIG_OK);
    for (int i = 1; i <= 2; i++) {
        CHECK_INT(write(tty, "?", 1), 1);
        CHECK_INT(rsig_pause(), RSIG_OK);
        CHECK_INT(calls.calls, i);
    }
}

static void await_question(void) {
    char key;
    do CHECK_INT(read(master, &key, 1), 1);
    while (key != '?'); /* The terminal echoes "^C". */
}

TEST(own_handler,
     "a handler of the program's own gets each Ctrl-C instead, and the program goes on") {
    pid_t child = start(pause_twice);
    for (int i = 0; i < 2; i++) {
        await_question();
        type("\x03");
    }
    CHECK_CHILD_OK(wait_for(child));
}

static void read_a_line(int tty) {
    char line[16];
    rsig_action_t now;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_getsignal(SIGINT, &now), RSIG_OK);
    CHECK(now.handler == RSIG_IGN);
    CHECK_INT(write(tty, "?", 1), 1);
    /* A terminal takes what is typed in order: with the line here, the Ctrl-C before is over. */
    CHECK_INT(read(tty, line, sizeof line), 2);
    CHECK(memcmp(line, "x\n", 2) == 0);
    CHECK_INT(rsig_pump(), 0);
}

TEST(ignored_by_the_parent, "a program whose parent ignores SIGINT does not see Ctrl-C") {
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR);
    pid_t child = start(read_a_line);
    await_question();
    type("\x03x\n");
    CHECK_CHILD_OK(wait_for(child));
}

static void die_without_rsig(int tty) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(write(tty, "?", 1), 1);
    for (;;) pause();
}

TEST(after_fini, "after rsig_fini Ctrl-C kills as it does without rsig") {
    pid_t child = start(die_without_rsig);
    await_question();
    type("\x03");
    CHECK_CHILD_KILLED(wait_for(child), SIGINT);
}
