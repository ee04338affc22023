/* rsig_channel_open, _fd, _read and _close: results, errors, what arrives and in which order. */
#include "channel.h"
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>

enum { PLACES = 256, CAPACITY = 65536 };

static void init(void) { CHECK_INT(rsig_init(0), RSIG_OK); }

/* --- results and errors --- */

TEST(opened_read_closed, "a channel gives what was delivered while it was open, then is closed") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 4);
    check_empty(channel);
    raise_here(SIGONE);
    CHECK_INT(next_record(channel).signo, SIGONE);
    check_empty(channel);
    close_channel(channel);
}

TEST(bad_arguments, "an empty set, a capacity out of range and NULL are RSIG_ERROR_VALUE") {
    rsig_channel_t *channel = (rsig_channel_t *)(uintptr_t)42;
    init();
    CHECK_ERROR(rsig_channel_open(0, 1, &channel), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_channel_open(ONE, 0, &channel), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "65536"));
    CHECK_ERROR(rsig_channel_open(ONE, CAPACITY + 1, &channel), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "65537"));
    CHECK_ERROR(rsig_channel_open(ONE, UINT32_MAX, &channel), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_channel_open(ONE, 1, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(channel == (rsig_channel_t *)(uintptr_t)42);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

static void check_refused(rsig_sigset_t set) {
    rsig_channel_t *channel = NULL;
    struct kept_action hup = kept_action(SIGHUP), usr1 = kept_action(SIGONE);
    CHECK_ERROR(rsig_channel_open(set | RSIG_SIGSET(SIGHUP) | ONE, 1, &channel), RSIG_ERROR_OS,
                EINVAL);
    CHECK(!channel);
    CHECK_SAME_ACTION(SIGHUP, hup);
    CHECK_SAME_ACTION(SIGONE, usr1);
}

TEST(impossible_signals,
     "SIGKILL, SIGSTOP and the C library's own are RSIG_ERROR_OS, and nothing has changed") {
    init();
    check_refused(RSIG_SIGSET(SIGKILL));
    check_refused(RSIG_SIGSET(SIGSTOP));
    check_refused(RSIG_SIGSET(32));
    check_refused(RSIG_SIGSET(33));
    check_refused(~(rsig_sigset_t)0);
    /* No place is lost to them. */
    for (int i = 0; i < PLACES; i++) {
        rsig_channel_t *channel;
        CHECK_ERROR(rsig_channel_open(RSIG_SIGSET(SIGKILL), 1, &channel), RSIG_ERROR_OS, EINVAL);
    }
    close_channel(open_channel(ONE, 1));
}

static volatile sig_atomic_t plain_calls;
static void plain_handler(int signum) { (void)signum, plain_calls++; }

static void *raise_until_told(void *stop) {
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) raise_here(SIGHUP), plain_calls--;
    return NULL;
}

TEST(impossible_set_disturbs_nobody,
     "a refused set takes no delivery from the handler of its other signals, not even for a moment") {
    pthread_t thread;
    int stop = 0;
    rsig_channel_t *channel;
    CHECK(signal(SIGHUP, plain_handler) != SIG_ERR);
    init();
    start(&thread, raise_until_told, &stop);
    for (int i = 0; i < 20000; i++)
        CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGKILL), 1, &channel),
                  RSIG_ERROR_OS);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    join(thread);
    CHECK_INT(plain_calls, 0);
    CHECK_INT(rsig_tripped(), 0);
}

TEST(every_other_signal, "every signal that can be handled can be in a set") {
    rsig_sigset_t set = rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP));
    init();
    rsig_channel_t *channel = open_channel(set, 64);
    for (int n = rsig_sigset_next(set, 0); n; n = rsig_sigset_next(set, n)) {
        raise_here(n);
        rsig_siginfo_t info = next_record(channel);
        CHECK_INT(info.signo, n);
    }
    check_empty(channel);
    close_channel(channel);
    for (int n = rsig_sigset_next(set, 0); n; n = rsig_sigset_next(set, n)) {
        if (n == SIGINT || n == SIGPIPE || n == SIGXFSZ) continue; /* rsig_init()'s */
        CHECK(check_kernel_handler(n) == (void *)SIG_DFL);
    }
}

TEST(at_most_256, "256 are open at once; the next is EMFILE, until one is closed") {
    rsig_channel_t *channels[PLACES], *more = NULL;
    init();
    for (int i = 0; i < PLACES; i++) channels[i] = open_channel(i % 2 ? ONE : TWO, 2);
    CHECK_ERROR(rsig_channel_open(ONE, 1, &more), RSIG_ERROR_OS, EMFILE);
    CHECK(strstr(rsig_error_message(), "256"));
    CHECK(!more);
    for (int i = 0; i < PLACES; i++)
        for (int j = 0; j < i; j++) CHECK(channels[i] != channels[j]);
    queue_here(SIGONE, 1), queue_here(SIGTWO, 2);
    for (int i = 0; i < PLACES; i++) {
        if (i % 2)
            CHECK_NEXT(channels[i], SIGONE, 1, 1);
        else
            CHECK_NEXT(channels[i], SIGTWO, 2, 1);
        check_empty(channels[i]);
    }
    close_channel(channels[77]);
    more = open_channel(ONE, 1);
    CHECK_ERROR(rsig_channel_open(ONE, 1, &channels[77]), RSIG_ERROR_OS, EMFILE);
    close_channel(more);
    for (int i = 0; i < PLACES; i++)
        if (i != 77) close_channel(channels[i]);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    CHECK(check_kernel_handler(SIGTWO) == (void *)SIG_DFL);
}

static void check_all_fail(rsig_channel_t *channel, int status, int code) {
    rsig_siginfo_t info;
    CHECK_ERROR(rsig_channel_fd(channel), status, code);
    CHECK_ERROR(rsig_channel_read(channel, &info, 1), status, code);
    CHECK_ERROR(rsig_channel_read(channel, NULL, 0), status, code);
    CHECK_ERROR(rsig_channel_wait(channel, &info, 0), status, code);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), status, code);
    CHECK_ERROR(rsig_channel_close(channel), status, code);
}

TEST(without_init, "before rsig_init and after rsig_fini all is RSIG_ERROR_STATE") {
    rsig_channel_t *channel = NULL;
    CHECK_ERROR(rsig_channel_open(ONE, 1, &channel), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_channel_open(ONE, 1, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_channel_read(channel, NULL, 1), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_channel_wait(channel, NULL, NAN), RSIG_ERROR_STATE, ENXIO);
    check_all_fail(channel, RSIG_ERROR_STATE, ENXIO);
    init();
    channel = open_channel(ONE, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    check_all_fail(channel, RSIG_ERROR_STATE, ENXIO);
    /* One of before is not open after the next rsig_init(). */
    init();
    check_all_fail(channel, RSIG_ERROR_VALUE, EINVAL);
    rsig_channel_t *other = open_channel(ONE, 1);
    check_all_fail(channel, RSIG_ERROR_VALUE, EINVAL);
    close_channel(other);
}

TEST(closed, "a closed channel is not taken for one, nor for another at its place") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 1);
    close_channel(channel);
    check_all_fail(channel, RSIG_ERROR_VALUE, EINVAL);
    for (int i = 0; i < 1000; i++) {
        rsig_channel_t *other = open_channel(ONE, 1);
        CHECK(other != channel);
        raise_here(SIGONE);
        check_all_fail(channel, RSIG_ERROR_VALUE, EINVAL);
        CHECK_INT(next_record(other).count, 1);
        close_channel(other);
    }
}

TEST(no_channel, "NULL and pointers to anything are RSIG_ERROR_VALUE, not a crash") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 1);
    int here;
    const uintptr_t garbage[] = {0, 1, 255, 256, 257, 4096, (uintptr_t)&here, (uintptr_t)main,
                                 UINTPTR_MAX, UINTPTR_MAX - 255, UINTPTR_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        if (garbage[i] != (uintptr_t)channel)
            check_all_fail((rsig_channel_t *)garbage[i], RSIG_ERROR_VALUE, EINVAL);
    raise_here(SIGONE);
    CHECK_INT(next_record(channel).signo, SIGONE);
}

TEST(no_room, "NULL for records is RSIG_ERROR_VALUE, and nothing is taken; NULL for none is fine") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    raise_here(SIGONE);
    CHECK_ERROR(rsig_channel_read(channel, NULL, 1), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_channel_wait(channel, NULL, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(rsig_channel_read(channel, NULL, 0), 0);
    CHECK_INT(next_record(channel).signo, SIGONE);
}

TEST(no_descriptor_free, "rsig_channel_fd and _wait say EMFILE, and the channel stays as it was") {
    struct rlimit before, none;
    rsig_siginfo_t info;
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_ERROR(rsig_channel_fd(channel), RSIG_ERROR_OS, EMFILE);
    CHECK_ERROR(rsig_channel_wait(channel, &info, -1), RSIG_ERROR_OS, EMFILE);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    raise_here(SIGONE);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
    CHECK(rsig_channel_fd(channel) >= 0);
    close_channel(channel);
}

TEST(no_memory, "a channel for which there is no memory is ENOMEM, not the end of the program") {
    struct rlimit before, none;
    rsig_channel_t *channel = NULL, *first;
    init();
    first = open_channel(ONE, 1);
    raise_here(SIGONE);
    CHECK_SYS(getrlimit(RLIMIT_AS, &before));
    none = before, none.rlim_cur = 1 << 20;
    CHECK_SYS(setrlimit(RLIMIT_AS, &none));
    errno = 0;
    int result = rsig_channel_open(TWO, CAPACITY, &channel), code = errno;
    CHECK_SYS(setrlimit(RLIMIT_AS, &before));
    CHECK_INT(result, RSIG_ERROR_OS);
    CHECK_INT(code, ENOMEM);
    CHECK(!channel);
    CHECK(check_kernel_handler(SIGTWO) == (void *)SIG_DFL);
    CHECK_INT(next_record(first).signo, SIGONE);
    channel = open_channel(TWO, CAPACITY);
    raise_here(SIGTWO);
    CHECK_INT(next_record(channel).signo, SIGTWO);
}

/* --- what arrives --- */

TEST(broadcast, "each channel gets its own copy of each delivery of its set, in order") {
    enum { CHANNELS = 5, ROUNDS = 50 };
    rsig_channel_t *channels[CHANNELS], *usr1, *usr2;
    init();
    for (int i = 0; i < CHANNELS; i++) channels[i] = open_channel(ONE | TWO, 2 * ROUNDS);
    usr1 = open_channel(ONE | RSIG_SIGSET(SIGTERM), ROUNDS);
    usr2 = open_channel(TWO, ROUNDS);
    for (int i = 0; i < ROUNDS; i++) queue_here(SIGTWO, i), queue_here(SIGONE, i);
    for (int c = 0; c < CHANNELS; c++) {
        for (int i = 0; i < ROUNDS; i++) {
            CHECK_NEXT(channels[c], SIGTWO, i, 1);
            CHECK_NEXT(channels[c], SIGONE, i, 1);
        }
        check_empty(channels[c]);
    }
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_NEXT(usr1, SIGONE, i, 1);
        CHECK_NEXT(usr2, SIGTWO, i, 1);
    }
    check_empty(usr1), check_empty(usr2);
}

TEST(only_while_open, "a channel gets what comes while it is open, and no more") {
    init();
    rsig_channel_t *first = open_channel(ONE, 8);
    queue_here(SIGONE, 1);
    rsig_channel_t *second = open_channel(ONE, 8);
    queue_here(SIGONE, 2);
    close_channel(first);
    queue_here(SIGONE, 3);
    first = open_channel(ONE, 8);
    queue_here(SIGONE, 4);
    CHECK_NEXT(first, SIGONE, 4, 1);
    check_empty(first);
    for (int i = 2; i <= 4; i++) CHECK_NEXT(second, SIGONE, i, 1);
    check_empty(second);
}

/* The handler's record, byte for byte. */
#define CHECK_AS_HANDLER(channel, calls)                                                           \
    do {                                                                                           \
        rsig_siginfo_t check_info = next_record(channel);                                          \
        CHECK_INT(rsig_pump(), 1);                                                                 \
        CHECK(!memcmp(&check_info, &(calls).last_info, sizeof check_info));                        \
        check_empty(channel);                                                                      \
    } while (0)

static void exit_7(void) { _exit(7); }

TEST(same_record, "handler and channel give the same record for the same delivery, whatever its origin") {
    struct check_calls calls = {0};
    const int signals[] = {SIGUSR1, SIGONE, SIGCHLD, SIGIO, SIGSEGV, SIGRTMIN};
    rsig_sigset_t set = 0;
    int pipe_fds[2];
    timer_t timer;
    struct sigevent event;
    init();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        set |= RSIG_SIGSET(signals[i]);
        CHECK_INT(rsig_signal(signals[i], check_handler, &calls, NULL), RSIG_OK);
    }
    rsig_channel_t *channel = open_channel(set, 4);

    CHECK_SYS(kill(getpid(), SIGUSR1));
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_info.code, SI_USER);
    CHECK_INT(calls.last_info.pid, getpid());
    CHECK_INT(calls.last_info.uid, getuid());

    raise_here(SIGONE);
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_info.code, SI_TKILL);

    while (sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_ptr = &calls}) < 0) CHECK_INT(errno, EAGAIN);
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_info.code, SI_QUEUE);
    CHECK(calls.last_info.value_ptr == (uintptr_t)&calls);

    CHECK_SYS(kill(getpid(), SIGSEGV));
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_signum, SIGSEGV);

    CHECK_INT(WEXITSTATUS(check_child(exit_7)), 7);
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_info.code, CLD_EXITED);
    CHECK_INT(calls.last_info.status, 7);

    CHECK_SYS(pipe(pipe_fds));
    CHECK_SYS(fcntl(pipe_fds[0], F_SETOWN, getpid()));
    CHECK_SYS(fcntl(pipe_fds[0], F_SETSIG, SIGIO));
    CHECK_SYS(fcntl(pipe_fds[0], F_SETFL, O_ASYNC));
    CHECK_INT(write(pipe_fds[1], "", 1), 1);
    CHECK_AS_HANDLER(channel, calls);
    CHECK_INT(calls.last_info.code, POLL_IN);
    CHECK(calls.last_info.band & POLLIN);

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = SIGRTMIN;
    event.sigev_value.sival_int = 99;
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK_SYS(timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 1}}, NULL));
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    while (calls.last_info.value_int != 99) CHECK(rsig_pump() >= 0);
    CHECK(!memcmp(&info, &calls.last_info, sizeof info));
    CHECK_INT(info.code, SI_TIMER);
}

TEST(handler_too, "a handler runs by the pump as ever, before, while and after a channel is open") {
    struct check_calls calls = {0};
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 4);
    raise_here(SIGONE), raise_here(SIGONE);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 2);
    CHECK_INT(next_record(channel).count, 1);
    CHECK_INT(next_record(channel).count, 1);
    close_channel(channel);
    CHECK_INT(rsig_raise_signal(SIGONE), RSIG_OK);
    CHECK_INT(calls.deliveries, 3);
}

static void count_warning(const char *message, void *warnings) {
    (void)message;
    ++*(int *)warnings;
}

TEST(no_handler, "a signal that only a channel has trips nothing, and no pump says a word of it") {
    int warnings = 0;
    init();
    CHECK_INT(rsig_set_warning_hook(count_warning, &warnings), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 4);
    int fd = rsig_fd();
    CHECK_SYS(fd);
    raise_here(SIGONE);
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(*rsig_tripped_flags(), 0);
    CHECK(!is_readable(fd));
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_wait(0), 0);
    CHECK_INT(warnings, 0);
    CHECK_INT(next_record(channel).signo, SIGONE);
}

static void *open_it(void *arg) { return *(rsig_channel_t **)arg = open_channel(ONE, 4); }
static void *queue_it(void *arg) { return queue_here(SIGONE, *(int *)arg), NULL; }
static void *close_it(void *channel) { return close_channel(channel), NULL; }
static void *read_5(void *channel) {
    CHECK_NEXT((rsig_channel_t *)channel, SIGONE, 5, 1);
    check_empty(channel);
    CHECK(rsig_channel_fd(channel) >= 0);
    return NULL;
}

TEST(any_thread, "opened, sent to, read and closed each on a thread of its own, none of them the main one") {
    rsig_channel_t *channel = NULL;
    init();
    on_thread(open_it, &channel);
    on_thread(queue_it, &(int){5});
    on_thread(read_5, channel);
    on_thread(close_it, channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

TEST(as_many_as_asked, "a read takes as many as there is room for, oldest first, and leaves the rest") {
    rsig_siginfo_t infos[8];
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    for (int i = 0; i < 7; i++) queue_here(SIGONE, i);
    CHECK_INT(rsig_channel_read(channel, infos, 3), 3);
    for (int i = 0; i < 3; i++) CHECK_INT(infos[i].value_int, i);
    queue_here(SIGONE, 7);
    memset(infos, 0, sizeof infos);
    CHECK_INT(rsig_channel_read(channel, infos, SIZE_MAX), 5);
    for (int i = 0; i < 5; i++) CHECK_INT(infos[i].value_int, 3 + i);
    CHECK_INT(infos[5].signo, 0);
}

/* --- bounded: the fold --- */

TEST(folded, "what finds the ring full is folded into one record with the first one's info") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    for (int i = 1; i <= 6; i++) queue_here(SIGONE, i);
    CHECK_NEXT(channel, SIGONE, 1, 1);
    CHECK_NEXT(channel, SIGONE, 2, 1);
    CHECK_NEXT(channel, SIGONE, 3, 4);
    check_empty(channel);
    queue_here(SIGONE, 7), queue_here(SIGONE, 8);
    CHECK_NEXT(channel, SIGONE, 7, 1);
    CHECK_NEXT(channel, SIGONE, 8, 1);
    check_empty(channel);
}

TEST(folded_by_number, "each number has its own folded record, and none is lost") {
    rsig_sigset_t set = rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP));
    init();
    rsig_channel_t *channel = open_channel(set, 1);
    queue_here(SIGONE, 1);
    for (int round = 0; round < 3; round++)
        for (int n = rsig_sigset_next(set, 0); n; n = rsig_sigset_next(set, n))
            queue_here(n, 100 * round + n);
    CHECK_NEXT(channel, SIGONE, 1, 1);
    rsig_siginfo_t infos[64];
    int count = rsig_channel_read(channel, infos, 64);
    for (int i = 0; i < count; i++) {
        CHECK_INT(rsig_sigset_contains(&set, infos[i].signo), 1);
        set &= ~RSIG_SIGSET(infos[i].signo);
        CHECK_INT(infos[i].count, 3);
        CHECK_INT(infos[i].value_int, infos[i].signo);
    }
    CHECK_INT(set, 0);
    check_empty(channel);
}

TEST(nothing_overtakes, "while anything is folded what comes is folded too, so that order is kept") {
    init();
    rsig_channel_t *channel = open_channel(ONE | TWO, 2);
    queue_here(SIGONE, 1), queue_here(SIGONE, 2);
    queue_here(SIGTWO, 3);
    CHECK_NEXT(channel, SIGONE, 1, 1);
    /* There is room now, but the 3 must come before it. */
    queue_here(SIGTWO, 4);
    CHECK_NEXT(channel, SIGONE, 2, 1);
    queue_here(SIGTWO, 5);
    CHECK_NEXT(channel, SIGTWO, 3, 3);
    check_empty(channel);
    queue_here(SIGONE, 6);
    CHECK_NEXT(channel, SIGONE, 6, 1);
    check_empty(channel);
}

TEST(old_room_stays, "records in the ring are read before the fold also where a read stops between") {
    rsig_siginfo_t infos[8];
    init();
    rsig_channel_t *channel = open_channel(ONE | TWO, 4);
    for (int i = 0; i < 4; i++) queue_here(SIGONE, i);
    CHECK_NEXT(channel, SIGONE, 0, 1);
    queue_here(SIGONE, 4);
    queue_here(SIGTWO, 5), queue_here(SIGTWO, 6);
    CHECK_INT(rsig_channel_read(channel, infos, 8), 5);
    for (int i = 0; i < 4; i++) CHECK_INT(infos[i].value_int, i + 1);
    CHECK_INT(infos[4].value_int, 5);
    CHECK_INT(infos[4].count, 2);
}

TEST(no_number_starves, "folded numbers take turns, so that one that comes all the time hides no other") {
    init();
    rsig_channel_t *channel =
        open_channel(RSIG_SIGSET(SIGRTMIN) | RSIG_SIGSET(SIGRTMIN + 1) | RSIG_SIGSET(SIGRTMAX), 1);
    queue_here(SIGRTMIN, 0);
    queue_here(SIGRTMIN, 0), queue_here(SIGRTMIN + 1, 0), queue_here(SIGRTMAX, 0);
    CHECK_NEXT(channel, SIGRTMIN, 0, 1);
    for (int round = 0; round < 20; round++) {
        CHECK_NEXT(channel, SIGRTMIN, round, 1);
        queue_here(SIGRTMIN, round + 1);
        CHECK_NEXT(channel, SIGRTMIN + 1, round, 1);
        queue_here(SIGRTMIN + 1, round + 1);
        CHECK_NEXT(channel, SIGRTMAX, round, 1);
        queue_here(SIGRTMAX, round + 1);
    }
}

TEST(smallest, "a channel of one record") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 1);
    for (int i = 0; i < 100; i++) {
        queue_here(SIGONE, i);
        for (int more = 0; more < i % 5; more++) queue_here(SIGONE, 1000 + more);
        CHECK_NEXT(channel, SIGONE, i, 1);
        if (i % 5) CHECK_NEXT(channel, SIGONE, 1000, i % 5);
        check_empty(channel);
    }
}

TEST(largest, "a channel of 65536 records has room for all of them, and folds the next") {
    rsig_siginfo_t infos[100];
    init();
    rsig_channel_t *channel = open_channel(ONE, CAPACITY);
    for (int i = 0; i < CAPACITY + 10; i++) queue_here(SIGONE, i);
    for (int i = 0; i < CAPACITY;) {
        int many = rsig_channel_read(channel, infos, i < CAPACITY - 100 ? 100 : 1);
        CHECK(many > 0);
        for (int n = 0; n < many; n++, i++) {
            CHECK_INT(infos[n].value_int, i);
            CHECK_INT(infos[n].count, 1);
        }
    }
    CHECK_NEXT(channel, SIGONE, CAPACITY, 10);
    check_empty(channel);
}

TEST(slow_channel_alone, "a channel that nobody reads costs the others nothing") {
    init();
    rsig_channel_t *slow = open_channel(ONE, 1), *quick = open_channel(ONE, 1);
    for (int i = 0; i < 1000; i++) {
        queue_here(SIGONE, i);
        CHECK_NEXT(quick, SIGONE, i, 1);
    }
    CHECK_NEXT(slow, SIGONE, 0, 1);
    CHECK_NEXT(slow, SIGONE, 1, 999);
    check_empty(slow);
}

/* --- the descriptor --- */

TEST(fd_is_readable, "the descriptor is readable exactly while a record waits, level-triggered") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    int fd = rsig_channel_fd(channel);
    CHECK_SYS(fd);
    CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        CHECK(!is_readable(fd));
        raise_here(SIGONE);
        CHECK(is_readable(fd));
        CHECK(is_readable(fd));
        raise_here(SIGONE), raise_here(SIGONE);
        for (int left = 3; left > 0; left--) {
            CHECK(is_readable(fd));
            next_record(channel);
        }
        CHECK(!is_readable(fd));
        check_empty(channel);
        CHECK(!is_readable(fd));
        CHECK_INT(rsig_channel_fd(channel), fd);
    }
    raise_here(SIGONE);
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK(!is_readable(fd));
}

TEST(fd_after_the_record, "asked for when a record waits already, it is readable at once") {
    init();
    rsig_channel_t *ring = open_channel(ONE, 2), *taken = open_channel(ONE, 2),
                   *folded = open_channel(ONE, 1);
    raise_here(SIGONE), raise_here(SIGONE);
    next_record(taken), next_record(folded);
    rsig_channel_t *none = open_channel(ONE, 1);
    CHECK(is_readable(rsig_channel_fd(ring)));
    CHECK(is_readable(rsig_channel_fd(taken)));
    CHECK(is_readable(rsig_channel_fd(folded)));
    CHECK(!is_readable(rsig_channel_fd(none)));
    next_record(taken), next_record(folded), next_record(ring), next_record(ring);
    CHECK(!is_readable(rsig_channel_fd(ring)));
    CHECK(!is_readable(rsig_channel_fd(taken)));
    CHECK(!is_readable(rsig_channel_fd(folded)));
}

TEST(fd_of_each, "each channel has its own descriptor, readable for its own signals") {
    init();
    rsig_channel_t *usr1 = open_channel(ONE, 1), *usr2 = open_channel(TWO, 1);
    int first = rsig_channel_fd(usr1), second = rsig_channel_fd(usr2);
    CHECK(first != second);
    raise_here(SIGTWO);
    CHECK(!is_readable(first) && is_readable(second));
    raise_here(SIGONE);
    next_record(usr2);
    CHECK(is_readable(first) && !is_readable(second));
}

static uint64_t writes_to(int fd) {
    uint64_t count = 0;
    ssize_t size = read(fd, &count, sizeof count);
    CHECK(size == sizeof count || errno == EAGAIN);
    return count;
}

TEST(one_write, "a batch costs one write, however many deliveries and numbers it has") {
    init();
    rsig_channel_t *channel = open_channel(ONE | TWO, 100);
    int fd = rsig_channel_fd(channel);
    for (int batch = 0; batch < 3; batch++) {
        for (int i = 0; i < 40; i++) raise_here(SIGONE), raise_here(SIGTWO);
        CHECK_INT(writes_to(fd), 1);
        rsig_siginfo_t infos[80];
        CHECK_INT(rsig_channel_read(channel, infos, 80), 80);
        CHECK(!is_readable(fd));
    }
}

TEST(no_descriptor_unasked, "who never asks for the descriptor has none: not by reading, nor by a look") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    int before = count_fds();
    rsig_siginfo_t info;
    raise_here(SIGONE), raise_here(SIGONE);
    next_record(channel);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 1);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    CHECK_INT(count_fds(), before);
    CHECK(rsig_channel_fd(channel) >= 0);
    CHECK_INT(count_fds(), before + 1);
    close_channel(channel);
    CHECK_INT(count_fds(), before);
}

TEST(in_epoll, "an event loop hears of channels through epoll, level- and edge-triggered") {
    enum { CHANNELS = 3 };
    rsig_channel_t *channels[CHANNELS];
    struct epoll_event events[CHANNELS];
    int loop = epoll_create1(EPOLL_CLOEXEC);
    CHECK_SYS(loop);
    init();
    for (int i = 0; i < CHANNELS; i++) {
        channels[i] = open_channel(RSIG_SIGSET(SIGRTMIN + i), 4);
        struct epoll_event event = {.events = i == 0 ? EPOLLIN : EPOLLIN | EPOLLET, .data.u32 = i};
        CHECK_SYS(epoll_ctl(loop, EPOLL_CTL_ADD, rsig_channel_fd(channels[i]), &event));
    }
    CHECK_INT(epoll_wait(loop, events, CHANNELS, 0), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CHANNELS; i++) queue_here(SIGRTMIN + i, round);
        CHECK_INT(epoll_wait(loop, events, CHANNELS, -1), CHANNELS);
        /* The level-triggered one says it again, the others do not. */
        CHECK_INT(epoll_wait(loop, events, CHANNELS, -1), 1);
        CHECK_INT(events[0].data.u32, 0);
        for (int i = 0; i < CHANNELS; i++) CHECK_NEXT(channels[i], SIGRTMIN + i, round, 1);
        CHECK_INT(epoll_wait(loop, events, CHANNELS, 0), 0);
    }
}

/* --- leaks --- */

static void open_and_close(int i) {
    rsig_channel_t *channel = open_channel(ONE | TWO, 1 + i % 50), *other = NULL;
    if (i % 2) CHECK(rsig_channel_fd(channel) >= 0);
    if (i % 3) other = open_channel(TWO | RSIG_SIGSET(SIGTERM), 3);
    for (int n = i % 5; n > 0; n--) raise_here(SIGONE);
    rsig_siginfo_t info;
    if (i % 4) CHECK(rsig_channel_wait(channel, &info, 0) >= 0);
    close_channel(channel);
    if (other) close_channel(other);
}

TEST(ten_thousand_cycles, "ten thousand open/close cycles leak neither descriptors nor memory") {
    init();
    plain_handler(0);
    CHECK(signal(SIGTWO, plain_handler) != SIG_ERR);
    for (int i = 0; i < 1000; i++) open_and_close(i);
    int fds = count_fds();
    size_t memory = mallinfo2().uordblks;
    for (int i = 0; i < 10000; i++) open_and_close(i);
    CHECK_INT(count_fds(), fds);
    CHECK_INT(mallinfo2().uordblks, memory);
}

TEST(large_ones_leak_nothing, "nor do large ones, nor those that fail, nor rsig_fini's") {
    rsig_channel_t *channel;
    init();
    int fds = 0;
    size_t memory = 0, mapped = 0;
    for (int i = 0; i < 60; i++) {
        channel = open_channel(ONE, CAPACITY);
        CHECK(rsig_channel_fd(channel) >= 0);
        CHECK_INT(rsig_channel_open(ONE | RSIG_SIGSET(SIGSTOP), CAPACITY, &channel), RSIG_ERROR_OS);
        CHECK_INT(rsig_fini(), RSIG_OK);
        init();
        if (i == 20) {
            fds = count_fds();
            memory = mallinfo2().uordblks, mapped = mallinfo2().hblkhd;
        }
    }
    CHECK_INT(count_fds(), fds);
    CHECK_INT(mallinfo2().uordblks, memory);
    CHECK_INT(mallinfo2().hblkhd, mapped);
}
