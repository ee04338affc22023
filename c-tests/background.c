/* A background job, which the kernel refuses the terminal by a signal. */
#include "channel.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static int terminal;

/* Its controlling terminal, whose foreground is this process group. */
static void take_terminal(void) {
    CHECK_SYS(setsid());
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_SYS(master);
    CHECK_SYS(grantpt(master));
    CHECK_SYS(unlockpt(master));
    terminal = open(ptsname(master), O_RDWR);
    CHECK_SYS(terminal);
    CHECK_INT(tcgetpgrp(terminal), getpgrp());
}

static int refused_by;
static void (*before)(int);

/* In a process group of its own, which still has a parent in the session, and so is no orphan. */
static void background_job(void) {
    struct termios settings;
    char byte;
    rsig_channel_t *channel;
    CHECK_SYS(tcgetattr(terminal, &settings));
    CHECK_SYS(setpgid(0, 0));
    CHECK(signal(refused_by, before) != SIG_ERR);
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(RSIG_SIGSET(refused_by), 4);
    errno = 0;
    if (refused_by == SIGTTIN)
        CHECK_INT(read(terminal, &byte, 1), -1);
    else
        CHECK_INT(tcsetattr(terminal, TCSANOW, &settings), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(next_record(channel).signo, refused_by);
    check_empty(channel);
}

static void session(void) {
    take_terminal();
    for (int i = 0; i < 2; i++) {
        before = i ? SIG_IGN : SIG_DFL;
        CHECK_CHILD_OK(check_child(background_job));
    }
}

static void check_refused(int signum) {
    refused_by = signum;
    CHECK_CHILD_OK(check_child(session));
}

TEST(reading, "with a channel for SIGTTIN a read is refused once, by EINTR, and not again and again for ever") {
    check_refused(SIGTTIN);
}

TEST(setting, "so is a change of the terminal's settings, with one for SIGTTOU") { check_refused(SIGTTOU); }
