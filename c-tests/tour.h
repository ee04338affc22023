/*
 * A tour of the whole library: each function does its job once. For tests that make the ground
 * uneven first, or that want to see that everything works again afterwards.
 */
#ifndef TOUR_H
#define TOUR_H

#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

#define TOUR_UNUSED __attribute__((unused))

/* What the kernel lacks, which then is RSIG_ERROR_UNSUPPORTED. */
enum { TOUR_EVENTFD = 1, TOUR_PIDFD = 2 };
static int tour_lacks;

static struct check_calls tour_calls;
static rsig_channel_t *tour_channel;

static int tour_is_readable(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    int ready;
    do ready = poll(&one, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready == 1;
}

/* read(2) and write(2) of a byte, whatever interrupts them. */
static long tour_read(int fd, char *byte) {
    long got;
    do got = read(fd, byte, 1);
    while (got < 0 && errno == EINTR);
    return got;
}

static long tour_write(int fd, const char *byte) {
    long written;
    do written = write(fd, byte, 1);
    while (written < 0 && errno == EINTR);
    return written;
}

static void *tour_raise(void *signum) {
    CHECK_INT(raise((int)(size_t)signum), 0);
    return NULL;
}

static pthread_t tour_spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

/* Handlers, and the descriptors and functions that tell of deliveries. */

static volatile sig_atomic_t tour_notified;
static void tour_notify(int signum, void *arg) { tour_notified = signum, (void)arg; }

static void tour_hook(const char *message, void *arg) { (void)message, (void)arg; }

static void tour_handlers(void) {
    rsig_action_t old, now;
    tour_calls = (struct check_calls){0};
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &tour_calls, &old), RSIG_OK);
    CHECK_INT(rsig_getsignal(SIGUSR1, &now), RSIG_OK);
    CHECK(now.handler == check_handler && now.arg == &tour_calls);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 1), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(tour_hook, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(tour_calls.calls, 1);
    CHECK_INT(rsig_set_notify(tour_notify, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(tour_notified, SIGUSR1);
    CHECK(rsig_tripped());
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_set_notify(NULL, NULL), RSIG_OK);
    tour_calls.result = 7;
    CHECK_ERROR(rsig_raise_signal(SIGUSR1), RSIG_ERROR_HANDLER, EINTR);
    tour_calls.result = 0;
    CHECK_INT(rsig_raised(NULL), 7);
    CHECK_INT(tour_calls.calls, 3);
}

static void tour_descriptors(void) {
    int ends[2], before;
    char byte;
    CHECK_SYS(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, &before), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(tour_read(ends[0], &byte), 1);
    CHECK_INT(byte, SIGUSR1);
    CHECK_INT(rsig_set_wakeup_fd(before, 1, NULL), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    close(ends[0]), close(ends[1]);
    if (tour_lacks & TOUR_EVENTFD) {
        CHECK_ERROR(rsig_fd(), RSIG_ERROR_UNSUPPORTED, ENOSYS);
        return;
    }
    int fd = rsig_fd();
    CHECK(fd >= 0);
    CHECK(!tour_is_readable(fd));
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK(tour_is_readable(fd));
    CHECK_INT(rsig_pump(), 1);
    CHECK(!tour_is_readable(fd));
}

/* Channels. */

static void *tour_wait(void *unused) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_wait(tour_channel, &info, -1), 1);
    CHECK_INT(info.signo, SIGUSR2);
    return unused;
}

static void tour_channels(void) {
    rsig_siginfo_t info;
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2);
    CHECK_INT(rsig_channel_open(set, 4, &tour_channel), RSIG_OK);
    int calls = tour_calls.calls;
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(tour_calls.calls, calls + 1);
    CHECK_INT(rsig_channel_wait(tour_channel, &info, -1), 1);
    CHECK_INT(info.signo, SIGUSR1);
    CHECK_INT(rsig_channel_read(tour_channel, &info, 1), 1);
    CHECK_INT(info.signo, SIGUSR2);
    CHECK_INT(rsig_channel_wait(tour_channel, &info, 0), 0);
    if (tour_lacks & TOUR_EVENTFD) {
        CHECK_ERROR(rsig_channel_fd(tour_channel), RSIG_ERROR_UNSUPPORTED, ENOSYS);
        CHECK_ERROR(rsig_channel_wait(tour_channel, &info, -1), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    } else {
        int fd = rsig_channel_fd(tour_channel);
        CHECK(fd >= 0);
        CHECK(!tour_is_readable(fd));
        pthread_t thread = tour_spawn(tour_wait, NULL);
        CHECK_INT(raise(SIGUSR2), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        /* It may have read between the record and the descriptor's write. */
        CHECK_INT(rsig_channel_read(tour_channel, &info, 1), 0);
        CHECK(!tour_is_readable(fd));
        CHECK_INT(rsig_channel_wait(tour_channel, &info, 1e-6), 0);
    }
    CHECK_INT(rsig_channel_close(tour_channel), RSIG_OK);
    CHECK_ERROR(rsig_channel_read(tour_channel, &info, 1), RSIG_ERROR_VALUE, EINVAL);
}

/* Waits. */

static void tour_waits(void) {
    const rsig_sigset_t set = RSIG_SIGSET(SIGTERM);
    rsig_sigset_t before, pending;
    rsig_siginfo_t info;
    int calls = tour_calls.calls;
    pthread_t thread = tour_spawn(tour_raise, (void *)SIGUSR1);
    CHECK_INT(rsig_pause(), RSIG_OK);
    while (tour_calls.calls == calls) CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    thread = tour_spawn(tour_raise, (void *)SIGUSR1);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_wait(1e-6), 0);

    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, &before), RSIG_OK);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(rsig_raise_signal(SIGTERM), RSIG_OK);
        CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
        CHECK(pending & set);
        CHECK_INT(i == 0   ? rsig_sigwait(set)
                  : i == 1 ? rsig_sigwaitinfo(set, &info)
                           : rsig_sigtimedwait(set, 1e6, &info),
                  SIGTERM);
    }
    CHECK_INT(rsig_sigtimedwait(set, 1e-6, &info), 0);
    calls = tour_calls.calls;
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &tour_calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGTERM), RSIG_OK);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    CHECK_INT(tour_calls.calls, calls + 1);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, before, NULL), RSIG_OK);
}

static void *tour_raise_and_write(void *fd) {
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(tour_write(*(int *)fd, "y"), 1);
    return NULL;
}

static void tour_calls_that_block(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    int ends[2], calls = tour_calls.calls;
    char byte;
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    CHECK_INT(rsig_write(ends[1], "x", 1), 1);
    struct pollfd one = {ends[0], POLLIN, 0};
    CHECK_INT(rsig_poll(&one, 1, -1), 1);
    CHECK_INT(rsig_read(ends[0], &byte, 1), 1);
    CHECK_INT(rsig_poll(&one, 1, 1e-6), 0);
    /* A signal that lands elsewhere meanwhile. */
    pthread_t thread = tour_spawn(tour_raise_and_write, &ends[1]);
    CHECK_INT(rsig_read(ends[0], &byte, 1), 1);
    CHECK_INT(byte, 'y');
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_sleep(1e-6), 0);
    CHECK_INT(tour_calls.calls, calls + 1);
    close(ends[0]), close(ends[1]);

    int null = rsig_open("/dev/null", O_RDWR | O_CLOEXEC, 0);
    CHECK_SYS(null);
    CHECK_INT(rsig_dump(null), RSIG_OK);
    CHECK_INT(rsig_dump_json(null), RSIG_OK);
    close(null);

    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_SYS(listening);
    CHECK_SYS(bind(listening, (struct sockaddr *)&address, sizeof address.sun_family));
    CHECK_SYS(getsockname(listening, (struct sockaddr *)&address, &length));
    CHECK_SYS(listen(listening, 1));
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_SYS(client);
    CHECK_INT(rsig_connect(client, (struct sockaddr *)&address, length), 0);
    int server = rsig_accept(listening, NULL, NULL);
    CHECK_SYS(server);
    CHECK_INT(rsig_send(client, "x", 1, MSG_NOSIGNAL), 1);
    CHECK_INT(rsig_recv(server, &byte, 1, 0), 1);
    close(listening), close(client), close(server);
    CHECK_INT(rsig_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0), getppid());
}

/* Sending, timers, children. */

static void tour_sending(void) {
    int calls = tour_calls.calls, expected = 0;
    CHECK_INT(rsig_kill(getpid(), 0), RSIG_OK);
    CHECK_INT(rsig_sigqueue(getpid(), SIGUSR1, 1), RSIG_OK);
    while (!rsig_pump()) continue;
    CHECK_INT(rsig_thread_kill(check_gettid(), SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_pthread_kill(rsig_get_ident(), SIGUSR1), RSIG_OK);
    if (tour_lacks & TOUR_PIDFD) {
        CHECK_ERROR(rsig_pidfd_open(getpid(), 0), RSIG_ERROR_UNSUPPORTED, ENOSYS);
        CHECK_ERROR(rsig_pidfd_send_signal(-1, 0, NULL, 0), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    } else {
        int fd = rsig_pidfd_open(getpid(), 0);
        CHECK(fd >= 0);
        CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 0), RSIG_OK);
        CHECK_INT(rsig_wait(-1), 1);
        close(fd);
        expected++;
    }
    CHECK_INT(tour_calls.calls, calls + 3 + expected);
    rsig_itimer_t now;
    CHECK_INT(rsig_setitimer(ITIMER_VIRTUAL, 1e6, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_getitimer(ITIMER_VIRTUAL, &now), RSIG_OK);
    CHECK(now.delay > 0);
    CHECK_INT(rsig_setitimer(ITIMER_VIRTUAL, 0, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_alarm(1000), 0);
    CHECK(rsig_alarm(0) > 0);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
}

static void tour_child(void) {
    int status;
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(rsig_restore_signals(), RSIG_OK);
        rsig_die(SIGTERM);
        _exit(1);
    }
    CHECK_INT(rsig_waitpid(child, &status, 0), child);
    CHECK_CHILD_KILLED(status, SIGTERM);
}

/* Where rsig is initialised, on its main thread. SIGUSR1 and SIGTERM keep a handler. */
static void tour_inside(void) {
    tour_handlers();
    tour_descriptors();
    tour_channels();
    tour_waits();
    tour_calls_that_block();
    tour_sending();
    tour_child();
    CHECK_STR(rsig_signame(SIGUSR1), "SIGUSR1");
    CHECK_STR(rsig_strsignal(SIGINT), "Interrupt");
    CHECK_ERROR(rsig_signal(-1, RSIG_DFL, NULL, NULL), RSIG_ERROR_VALUE, EINVAL);
}

TOUR_UNUSED static void tour(void) {
    struct check_disposition before = check_disposition(SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    tour_inside();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_same_disposition(before, check_disposition(SIGUSR1)));
}

#endif
