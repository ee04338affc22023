/* What the tests of channels share. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "check.h"
#include <dirent.h>
#include <sys/resource.h>

static inline rsig_channel_t *open_channel(rsig_sigset_t set, uint32_t capacity) {
    rsig_channel_t *channel = NULL;
    CHECK_INT(rsig_channel_open(set, capacity, &channel), RSIG_OK);
    CHECK(channel);
    return channel;
}

static inline void close_channel(rsig_channel_t *channel) {
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
}

static inline void check_empty(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
}

/* The next record, which must be there. */
static inline rsig_siginfo_t next_record(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    memset(&info, 0xff, sizeof info);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    return info;
}

/* The next record is of this signal, with this payload and this count. */
#define CHECK_NEXT(channel, signum, payload, deliveries)                                           \
    do {                                                                                           \
        rsig_siginfo_t check_info = next_record(channel);                                          \
        CHECK_INT(check_info.signo, signum);                                                       \
        CHECK_INT(check_info.value_int, payload);                                                  \
        CHECK_INT(check_info.count, deliveries);                                                   \
    } while (0)

/*
 * Two signals to send: real-time ones, which the kernel neither merges nor strips of their siginfo where other processes of the
 * user have filled its queue. Then whoever sends tries until there is room.
 */
#define SIGONE (SIGRTMIN + 1)
#define SIGTWO (SIGRTMIN + 2)
#define ONE RSIG_SIGSET(SIGONE)
#define TWO RSIG_SIGSET(SIGTWO)

static inline void queue_to(pthread_t thread, int signum, int payload) {
    union sigval value;
    int code;
    memset(&value, 0, sizeof value);
    value.sival_int = payload;
    while ((code = pthread_sigqueue(thread, signum, value)) == EAGAIN) sched_yield();
    CHECK_INT(code, 0);
}

/* Delivered before it returns: no thread but the caller's takes it. */
static inline void queue_here(int signum, int payload) {
    queue_to(pthread_self(), signum, payload);
}

static inline void send_to(pthread_t thread, int signum) {
    int code;
    while ((code = pthread_kill(thread, signum)) == EAGAIN) sched_yield();
    CHECK_INT(code, 0);
}

static inline void raise_here(int signum) { send_to(pthread_self(), signum); }

static inline int is_readable(int fd) {
    struct pollfd entry = {fd, POLLIN, 0};
    int result = poll(&entry, 1, 0);
    CHECK(result >= 0);
    CHECK_INT(entry.revents & ~POLLIN, 0);
    return result;
}

static inline void start(pthread_t *thread, void *(*body)(void *), void *arg) {
    CHECK_INT(pthread_create(thread, NULL, body, arg), 0);
}

static inline void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

/* Runs `body` on another thread. */
static inline void *on_thread(void *(*body)(void *), void *arg) {
    pthread_t thread;
    void *result;
    start(&thread, body, arg);
    CHECK_INT(pthread_join(thread, &result), 0);
    return result;
}

static inline int count_fds(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    CHECK(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

/* A disposition, as far as one can compare it. */
struct kept_action {
    void *handler;
    int flags;
    rsig_sigset_t mask;
};

static inline struct kept_action kept_action(int signum) {
    struct sigaction now;
    struct kept_action kept = {check_kernel_handler(signum), 0, 0};
    CHECK_SYS(sigaction(signum, NULL, &now));
    if (kept.handler == (void *)SIG_DFL || kept.handler == (void *)SIG_IGN) {
        /* The others mean something to a handler only. */
        kept.flags = now.sa_flags & (SA_NOCLDWAIT | SA_NOCLDSTOP);
        return kept;
    }
    kept.flags = now.sa_flags;
    for (int n = 1; n < NSIG; n++)
        if (sigismember(&now.sa_mask, n) == 1) kept.mask |= RSIG_SIGSET(n);
    return kept;
}

#define CHECK_SAME_ACTION(signum, kept)                                                            \
    do {                                                                                           \
        struct kept_action check_now = kept_action(signum), check_kept = (kept);                   \
        CHECK(check_now.handler == check_kept.handler);                                            \
        CHECK_INT(check_now.flags, check_kept.flags);                                              \
        CHECK_INT(check_now.mask, check_kept.mask);                                                \
    } while (0)

#endif
