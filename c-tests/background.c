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
    /* So that it minds what is written, too. */
    settings.c_lflag |= TOSTOP;
    CHECK_SYS(tcsetattr(terminal, TCSANOW, &settings));
    CHECK_SYS(setpgid(0, 0));
    CHECK(signal(refused_by, before) != SIG_ERR);
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(RSIG_SIGSET(refused_by), 4);
    for (int by_rsig = 0; by_rsig < 2; by_rsig++) {
        errno = 0;
        if (refused_by == SIGTTIN)
            CHECK_INT(by_rsig ? rsig_read(terminal, &byte, 1) : read(terminal, &byte, 1), -1);
        else
            CHECK_INT(by_rsig ? rsig_write(terminal, "x", 1) : tcsetattr(terminal, TCSANOW, &settings), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(next_record(channel).signo, refused_by);
        check_empty(channel);
    }
}

static int hear_again(int signum, const rsig_siginfo_t *info, void *runs) {
    (void)info;
    if (++*(int *)runs == 1) {
        CHECK_INT(raise(SIGTTIN), 0);
        CHECK_INT(raise(SIGTTOU), 0);
        CHECK_INT(raise(signum), 0);
    }
    return 0;
}

TEST(not_refused, "a call that the kernel does not refuse goes on, whatever channels hear meanwhile") {
    char byte;
    int runs = 0, ends[2];
    CHECK_SYS(pipe(ends));
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    rsig_channel_t *listener = open_channel(RSIG_SIGSET(SIGTTIN) | RSIG_SIGSET(SIGTTOU), 4);
    CHECK_INT(rsig_signal(SIGUSR1, hear_again, &runs, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_read(ends[0], &byte, 1), 1);
    CHECK_INT(runs, 2);
    CHECK_INT(next_record(listener).signo, SIGTTIN);
}

static int stop_reading(int signum, const rsig_siginfo_t *info, void *runs) {
    (void)signum, (void)info;
    return ++*(int *)runs == 3;
}

/* As Python has it, and rsig_read() for any handler. */
static void job_with_handler(void) {
    char byte;
    int runs = 0;
    CHECK_SYS(setpgid(0, 0));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTTIN, stop_reading, &runs, NULL), RSIG_OK);
    CHECK_INT(rsig_read(terminal, &byte, 1), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(runs, 3);
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

static void session_with_handler(void) {
    take_terminal();
    CHECK_CHILD_OK(check_child(job_with_handler));
}

TEST(reading_with_handler, "with a handler rsig_read() begins again until that refuses") {
    CHECK_CHILD_OK(check_child(session_with_handler));
}

TEST(setting, "so is a change of the terminal's settings, with one for SIGTTOU") { check_refused(SIGTTOU); }
