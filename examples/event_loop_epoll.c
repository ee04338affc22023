/*
 * An event loop on epoll: lines on the standard input, a timer, and signals, all by descriptors.
 *
 *     cc event_loop_epoll.c -o event_loop_epoll $(pkg-config --cflags --libs rsig)
 *     ./event_loop_epoll [seconds between two ticks]
 *
 * SIGUSR1 prints what happened so far, SIGTERM or Ctrl-C ends it, and so does the end of the
 * standard input. Exit status: 0, or 1 where something failed.
 *
 * rsig_fd() is readable while a handler waits to run. There is nothing to read from it: rsig_pump()
 * runs the handlers, here, between two events, where they may do anything. No signal is missed, and
 * there is no pipe to make, fill and empty.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Ordinary code may use ordinary variables. */
struct loop {
    int epoll, timer;
    long lines, ticks;
    int running;
};

static int on_report(int signum, const rsig_siginfo_t *info, void *arg) {
    struct loop *loop = arg;
    printf("%s from process %d: %ld lines\n", rsig_signame(signum), info->pid, loop->lines);
    return 0;
}

static int on_end(int signum, const rsig_siginfo_t *info, void *arg) {
    struct loop *loop = arg;
    (void)info;
    printf("%s: stopping\n", rsig_signame(signum));
    loop->running = 0;
    return 0;
}

/* A script's shell starts `event_loop_epoll &` with SIGINT ignored: Ctrl-C is not meant for it. */
static int set_unless_ignored(int signum, rsig_handler_t handler, void *arg) {
    rsig_action_t inherited;
    if (rsig_getsignal(signum, &inherited) < 0) return -1;
    return inherited.handler == RSIG_IGN ? 0 : rsig_signal(signum, handler, arg, NULL);
}

static int watch(struct loop *loop, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    return fd < 0 ? fd : epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int start_timer(double seconds) {
    struct itimerspec every = {{0, 0}, {0, 0}};
    every.it_interval.tv_sec = (time_t)seconds;
    every.it_interval.tv_nsec = (long)((seconds - (double)every.it_interval.tv_sec) * 1e9);
    every.it_value = every.it_interval;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    return fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0 ? -1 : fd;
}

static int handle_input(struct loop *loop) {
    char buffer[4096];
    ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size < 0) return errno == EINTR ? 0 : -1;
    if (size == 0) {
        printf("end of input: %ld lines\n", loop->lines);
        loop->running = 0;
    }
    for (ssize_t i = 0; i < size; i++) loop->lines += buffer[i] == '\n';
    return 0;
}

static int handle_tick(struct loop *loop) {
    uint64_t expired;
    if (read(loop->timer, &expired, sizeof expired) < 0) return errno == EINTR ? 0 : -1;
    loop->ticks += (long)expired;
    printf("tick %ld\n", loop->ticks);
    return 0;
}

/* One event, of whatever kind. */
static int handle(struct loop *loop, int fd) {
    if (fd == STDIN_FILENO) return handle_input(loop);
    if (fd == loop->timer) return handle_tick(loop);
    return rsig_pump();
}

static int run(struct loop *loop) {
    loop->running = 1;
    while (loop->running) {
        struct epoll_event event;
        int count = epoll_wait(loop->epoll, &event, 1, -1);
        /* A signal's handler did not run here, it only made rsig_fd() readable. */
        if (count < 0 && errno != EINTR) return -1;
        if (count > 0 && handle(loop, event.data.fd) < 0) return -1;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct loop loop = {-1, -1, 0, 0, 0};
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    if (argc > 2 || !(seconds >= 0 && seconds < 1e9)) {
        fprintf(stderr, "usage: event_loop_epoll [seconds between two ticks]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rsig_init(0) < 0 || rsig_signal(SIGUSR1, on_report, &loop, NULL) < 0 ||
        set_unless_ignored(SIGINT, on_end, &loop) < 0 ||
        set_unless_ignored(SIGTERM, on_end, &loop) < 0 || rsig_fd() < 0) {
        fprintf(stderr, "event_loop_epoll: %s\n", rsig_error_message());
        return 1;
    }
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.timer = start_timer(seconds);
    if (loop.epoll < 0 || watch(&loop, loop.timer) < 0 || watch(&loop, rsig_fd()) < 0 ||
        watch(&loop, STDIN_FILENO) < 0) {
        perror("event_loop_epoll");
        return 1;
    }
    printf("process %ld is ready\n", (long)getpid());
    int failed = run(&loop) < 0;
    if (failed) fprintf(stderr, "event_loop_epoll: %s\n", strerror(errno));
    close(loop.timer);
    close(loop.epoll);
    rsig_fini();
    return failed;
}
