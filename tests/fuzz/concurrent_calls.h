/*
 * The calls of several threads at once: each draws its arguments, calls the library, and looks whether the manual allows the result.
 */
#ifndef CONCURRENT_CALLS_H
#define CONCURRENT_CALLS_H

#include "concurrent.h"
#include <sys/prctl.h>

/* --- init.rs --- */

/* This thread's own, where the library must not go down. */
static _Thread_local int own_inits;

static void play_init(uint64_t *r) {
    static const uint32_t bad[] = {2, 3, UINT32_MAX, 0x80000000};
    if (chance(r, 10)) {
        EXPECT_VALUE(rsig_init(ONE_OF(r, bad)));
        return;
    }
    EXPECT(rsig_init(chance(r, 70) ? 0 : RSIG_INIT_NO_DEFAULTS), RSIG_OK, 0);
    own_inits++;
}

static void fini(uint64_t *r) {
    (void)r;
    allow_waiting(WAITING(rsig_fini()), RSIG_OK, STATE, 0);
}

static void play_fini(uint64_t *r) {
    if (may_be_down) {
        do_alone(fini, r);
    } else if (own_inits) {
        own_inits--;
        EXPECT(rsig_fini(), RSIG_OK, 0);
    }
}

static void set_main_thread(uint64_t *r) {
    (void)r;
    if (!may_be_down && depth && !frames[depth - 1].was_main) return;
    atomic_store(&main_player, self);
    if (self != M) atomic_store(&has_moved, 1);
    ALLOW(rsig_set_main_thread(), RSIG_OK, STATE, 0);
}

static void play_set_main_thread(uint64_t *r) { do_alone(set_main_thread, r); }

/* --- signal.rs --- */

static rsig_action_t some_action(uint64_t *r, const rsig_action_t *seen, int signum) {
    rsig_action_t action = {RSIG_IGN, NULL};
    int what = below(r, 100);
    if (what < 65) {
        action.handler = handler;
        action.arg = &ONE_OF(r, slots);
    } else if (what < 72) {
        if (is_harmless(signum) || is_kept_back(signum)) action.handler = RSIG_DFL;
    } else if (what < 85) {
        if (seen->handler != RSIG_DFL) action = *seen;
    } else if (what < 88) {
        action.handler = (rsig_handler_t)(size_t)SIG_ERR;
    } else if (what < 91) {
        action = (rsig_action_t){RSIG_FOREIGN, chance(r, 50) ? NULL : &gate};
    }
    return action;
}

/* What this thread has been told last; but not what would refuse without telling us. */
static _Thread_local rsig_action_t seen = {RSIG_IGN, NULL};

static void note_action(const rsig_action_t *action) {
    if (action->handler == handler && ((char *)action->arg < slots || (char *)action->arg >= slots + sizeof slots))
        fail("a handler with another's argument");
    if (action->handler == RSIG_FOREIGN && !action->arg) fail("no note of a foreign handler");
    if (action->handler != rsig_default_int_handler) seen = *action;
}

static void play_signal(uint64_t *r) {
    int signum = some_signum(r);
    rsig_action_t action = some_action(r, &seen, signum), old = {handler, slots};
    struct frame *frame = WAITING(rsig_signal(signum, action.handler, action.arg, &old));
    if (allow_on_main(frame, RSIG_OK, VALUE | OS, EINVAL) != RSIG_OK) return;
    note_action(&old);
}

static void play_getsignal(uint64_t *r) {
    rsig_action_t action = {handler, slots};
    if (ALLOW(rsig_getsignal(some_signum(r), chance(r, 5) ? NULL : &action), RSIG_OK, VALUE | OS | STATE, EINVAL) < 0)
        return;
    note_action(&action);
}

static atomic_int is_restart_changed[65];

static void play_siginterrupt(uint64_t *r) {
    int signum = some_signum(r);
    if (is_signum(signum)) atomic_store(&is_restart_changed[signum], 1);
    long result = ALLOW(rsig_siginterrupt(signum, below(r, 2)), RSIG_OK, VALUE | OS | STATE, EINVAL);
    char number[16];
    snprintf(number, sizeof number, "%d", signum);
    if (result == RSIG_ERROR_VALUE && !strstr(rsig_error_message(), number))
        fail("for %d: \"%s\"", signum, rsig_error_message());
}

static void play_sigaction(uint64_t *r) {
    int signum = chance(r, 50) ? SIGUSR2 : SIGRTMIN + 6;
    set_plain(r, signum);
}

/* --- pump.rs, event.rs, wakeup.rs --- */

static void play_pump(uint64_t *r) {
    (void)r;
    allow_on_main(WAITING(rsig_pump()), 64, 0, 0);
}

static void play_raised(uint64_t *r) {
    (void)r;
    int signum = -5, value = rsig_raised(&signum);
    if (signum || value)
        if (!is_signum(signum) || value != 1000 + signum) fail("rsig_raised() is %d for %s", value, name_of(signum));
}

static void play_set_warning_hook(uint64_t *r) {
    ALLOW(rsig_set_warning_hook(chance(r, 30) ? NULL : hook, is_sent), RSIG_OK, STATE, 0);
}

static int is_readable(long fd) {
    struct pollfd entry = {(int)fd, POLLIN, 0};
    return fd >= 0 && poll(&entry, 1, 0) == 1 && entry.revents & POLLIN;
}

static void play_fd(uint64_t *r) {
    (void)r;
    is_readable(ALLOW(rsig_fd(), INT_MAX, STATE, 0));
}

static void play_tripped(uint64_t *r) {
    (void)r;
    ALLOW(rsig_tripped(), 1, 0, 0);
}

static void play_tripped_flags(uint64_t *r) {
    (void)r;
    uint64_t flags = __atomic_load_n(rsig_tripped_flags(), __ATOMIC_RELAXED);
    for (int n = 1; n < 65; n++)
        if (flags & bit(n) && !atomic_load(&is_sent[n])) fail("%s is tripped", name_of(n));
}

static void play_set_notify(uint64_t *r) {
    int is_null = chance(r, 30);
    ALLOW(rsig_set_notify(is_null ? NULL : notify, is_null ? NULL : &is_sent[below(r, 2)]), RSIG_OK, STATE, 0);
}

/* A good pair, then one without a reader, then a blocking one. */
static int wakeup_fds[6];

static void read_wakeup_bytes(void) {
    unsigned char bytes[4096];
    ssize_t size;
    while ((size = read(wakeup_fds[0], bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < size; i++)
            if (!is_signum(bytes[i]) || !atomic_load(&is_sent[bytes[i]])) fail("a wakeup byte %d", bytes[i]);
}

static void play_set_wakeup_fd(uint64_t *r) {
    static const int which[] = {1, 1, 1, 3, 5, 0};
    int fd = chance(r, 70) ? wakeup_fds[ONE_OF(r, which)] : chance(r, 60) ? -1 : some_fd_that_is_none(r), old = -7;
    struct frame *frame = WAITING(rsig_set_wakeup_fd(fd, below(r, 2), &old));
    if (allow_on_main(frame, RSIG_OK, VALUE | OS, EBADF) == RSIG_OK && old != -1 && old != wakeup_fds[1] && old != wakeup_fds[3])
        fail("the wakeup descriptor was %d", old);
    read_wakeup_bytes();
}

/* --- mask.rs --- */

/* How many of this thread's calls need it blocked. */
static _Thread_local int awaiting_nudge;

static void play_pthread_sigmask(uint64_t *r) {
    static const int hows[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_UNBLOCK, SIG_SETMASK, 99};
    uint64_t set = some_mask(r), old;
    int how = ONE_OF(r, hows);
    if (how == SIG_SETMASK && awaiting_nudge) set |= bit(NUDGE);
    allow_waiting(WAITING(rsig_pthread_sigmask(how, set, chance(r, 70) ? &old : NULL)), RSIG_OK,
                  STATE | (how == 99 ? OS : 0), EINVAL);
}

static void play_sigpending(uint64_t *r) {
    uint64_t set = 0;
    ALLOW(rsig_sigpending(chance(r, 5) ? NULL : &set), RSIG_OK, VALUE | STATE, 0);
    for (int n = 1; n < 65; n++)
        if (set & bit(n) && !atomic_load(&is_sent[n]) && n < SIGRTMAX - 1) fail("%s is pending", name_of(n));
}

/* --- send.rs --- */

static int status_of_sending(int signum) { return STATE | (signum < 0 || signum > 64 ? OS : 0); }

static void play_raise_signal(uint64_t *r) {
    int signum = sendable_signum(r);
    allow_waiting(WAITING(rsig_raise_signal(signum)), RSIG_OK, status_of_sending(signum), EINVAL);
}

static void play_pthread_kill(uint64_t *r) {
    int signum = sendable_signum(r);
    pthread_t to = players[below(r, ALL)].thread;
    allow_waiting(WAITING(rsig_pthread_kill(to, signum)), RSIG_OK, status_of_sending(signum), EINVAL);
}

static void play_kill(uint64_t *r) {
    int signum = sendable_signum(r);
    ALLOW(rsig_kill(my_pid, signum), RSIG_OK, status_of_sending(signum), EINVAL);
}

static void play_sigqueue(uint64_t *r) {
    int signum = sendable_signum(r);
    ALLOW(rsig_sigqueue(my_pid, signum, some_payload(r, signum)), RSIG_OK, status_of_sending(signum), EINVAL);
}

static void play_thread_kill(uint64_t *r) {
    int signum = sendable_signum(r);
    ALLOW(rsig_thread_kill(players[below(r, ALL)].tid, signum), RSIG_OK, status_of_sending(signum), EINVAL);
}

static void play_pidfd_send_signal(uint64_t *r) {
    int signum = sendable_signum(r), fd = (int)ALLOW(rsig_pidfd_open(my_pid, 0), INT_MAX, STATE, 0);
    if (fd < 0) return;
    ALLOW(rsig_pidfd_send_signal(fd, signum, NULL, 0), RSIG_OK, status_of_sending(signum), EINVAL);
    close(fd);
}

/* Each one of these has to arrive. */
static void play_audited(uint64_t *r) {
    if (may_be_down) return;
    atomic_fetch_add(&audited_sent, 1);
    switch (below(r, 4)) {
    case 0: EXPECT(rsig_kill(my_pid, audited), RSIG_OK, 0); break;
    case 1: EXPECT(rsig_sigqueue(my_pid, audited, some_payload(r, audited)), RSIG_OK, 0); break;
    case 2: EXPECT(rsig_thread_kill(players[below(r, ALL)].tid, audited), RSIG_OK, 0); break;
    default: REQUIRE(raise(audited) == 0);
    }
}

static void play_raise(uint64_t *r) {
    int signum = one_of_pool(r);
    for (int count = 1 + below(r, 4); count > 0 && !is_kept_back(signum); count--) REQUIRE(raise(will_send(signum)) == 0);
}

/* --- wait.rs --- */

static double some_time(uint64_t *r) {
    static const double times[] = {0.0, 1e-9, 1e-6, 1e-4, 1e-3};
    return ONE_OF(r, times);
}

enum kind { WAIT, DISPATCH, PAUSE };

/*
 * On the main thread the tick's handler ends it. In one frame, so that nobody else becomes the main thread in between. On other
 * threads each nudge ends a pause.
 */
static long wait_without_limit(enum kind kind, uint64_t set) {
    int result = rsig_signal(TICK, tick_handler, &gate, NULL);
    if (result == RSIG_ERROR_HANDLER) return result;
    if (kind == PAUSE) return rsig_pause();
    if (result != RSIG_OK) return rsig_wait(0);
    return kind == WAIT ? rsig_wait(-1) : rsig_dispatch(set, -1);
}

static void wait_for(double time) { allow_on_main(WAITING(rsig_wait(time)), 64, isfinite(time) ? 0 : VALUE, 0); }

static void dispatch_for(uint64_t set, double time) {
    allow_on_main(WAITING(rsig_dispatch(set, time)), 64, isfinite(time) ? 0 : VALUE, 0);
}

static void play_wait(uint64_t *r) {
    if (chance(r, 20)) allow_on_main(WAITING(wait_without_limit(WAIT, 0)), 64, 0, 0);
    else wait_for(chance(r, 10) ? ONE_OF(r, bad_times) : some_time(r));
}

static void play_dispatch(uint64_t *r) {
    uint64_t set = some_mask(r);
    if (chance(r, 20)) allow_on_main(WAITING(wait_without_limit(DISPATCH, set)), 64, 0, 0);
    else dispatch_for(set, chance(r, 10) ? ONE_OF(r, bad_times) : some_time(r));
}

static void play_pause(uint64_t *r) {
    (void)r;
    allow_waiting(WAITING(wait_without_limit(PAUSE, 0)), RSIG_OK, STATE, 0);
}

static void check_accepted(long signum, uint64_t set, const rsig_siginfo_t *info) {
    if (signum <= 0) return;
    if (!(set & bit((int)signum))) fail("%s was accepted", name_of((int)signum));
    if (!info) return;
    if (info->signo != signum) fail("%s was accepted, with a record of %s", name_of((int)signum), name_of(info->signo));
    check_record(info);
}

static void play_sigtimedwait(uint64_t *r) {
    uint64_t set = some_set(r);
    double time = chance(r, 10) ? ONE_OF(r, bad_times) : some_time(r);
    rsig_siginfo_t info;
    struct frame *frame = WAITING(rsig_sigtimedwait(set, time, &info));
    check_accepted(allow_waiting(frame, 64, STATE | (isfinite(time) ? 0 : VALUE), 0), set, &info);
}

/* Without a limit: for what the ticker sends to each thread. */
static void sigwait_without_limit(uint64_t set, int with_info) {
    rsig_siginfo_t info;
    sigset_t nudge;
    sigemptyset(&nudge);
    sigaddset(&nudge, NUDGE);
    set |= bit(NUDGE);
    awaiting_nudge++;
    REQUIRE(pthread_sigmask(SIG_BLOCK, &nudge, NULL) == 0);
    struct frame *frame = WAITING(with_info ? rsig_sigwaitinfo(set, &info) : rsig_sigwait(set));
    check_accepted(allow_waiting(frame, 64, STATE, 0), set, with_info ? &info : NULL);
    if (!--awaiting_nudge) REQUIRE(pthread_sigmask(SIG_UNBLOCK, &nudge, NULL) == 0);
}

static void play_sigwait(uint64_t *r) { sigwait_without_limit(some_set(r), 0); }
static void play_sigwaitinfo(uint64_t *r) { sigwait_without_limit(some_set(r), 1); }

/* --- channel.rs --- */

/* All that ever were, so that whoever has an old one knows what it was for; and those that threads share, by their places there. */
static struct channel {
    rsig_channel_t *handle;
    uint64_t set;
} opened[EVER_OPENED];
static atomic_int opened_count, shared[CHANNELS];
static rsig_channel_t *audit;

static const struct channel *some_channel(uint64_t *r) { return &opened[atomic_load(&ONE_OF(r, shared))]; }

static void close_channel(const struct channel *channel) {
    ALLOW(rsig_channel_close(channel->handle), RSIG_OK, VALUE | STATE, 0);
}

static void play_channel_open(uint64_t *r) {
    static const uint32_t capacities[] = {1, 2, 8, 64, 65536, 0, 65537};
    uint64_t set = some_set(r) | (chance(r, 50) ? bit(TICK) : 0) | (chance(r, 3) ? bit(SIGKILL) : 0);
    int place = atomic_fetch_add(&opened_count, 1) + 1;
    if (place >= EVER_OPENED) return;
    struct channel *channel = &opened[place];
    channel->set = set;
    long result = ALLOW(rsig_channel_open(set, capacities[below(r, chance(r, 5) ? 7 : 4)], &channel->handle), RSIG_OK,
                        VALUE | OS | STATE, EINVAL);
    if (result == RSIG_OK && !channel->handle) fail("no channel");
    if (result == RSIG_OK) close_channel(&opened[atomic_exchange(&ONE_OF(r, shared), place)]);
}

/* It may be closed already. */
static void play_channel_close(uint64_t *r) { close_channel(some_channel(r)); }

static void play_channel_fd(uint64_t *r) {
    is_readable(ALLOW(rsig_channel_fd(some_channel(r)->handle), INT_MAX, VALUE | STATE, 0));
}

static void check_heard(const rsig_siginfo_t *info, uint64_t set) {
    check_record(info);
    if (!(set & bit(info->signo))) fail("a channel has %s, which is not in its set", name_of(info->signo));
}

static void play_channel_read(uint64_t *r) {
    static const size_t maxima[] = {0, 1, 2, 64};
    rsig_siginfo_t infos[64];
    size_t max = ONE_OF(r, maxima);
    const struct channel *channel = some_channel(r);
    memset(infos, 0xff, sizeof infos);
    long count = ALLOW(rsig_channel_read(channel->handle, infos, max), (long)max, VALUE | STATE, 0);
    for (long i = 0; i < count; i++) check_heard(&infos[i], channel->set);
}

static void play_channel_wait(uint64_t *r) {
    rsig_siginfo_t info;
    const struct channel *channel = some_channel(r);
    double time = chance(r, 10) ? ONE_OF(r, bad_times) : some_time(r);
    if (channel->set & bit(TICK) && chance(r, 50)) time = -1;
    struct frame *frame = WAITING(rsig_channel_wait(channel->handle, &info, time));
    if (allow_waiting(frame, 1, VALUE | STATE, 0) == 1) check_heard(&info, channel->set);
}

static void note_audited(const rsig_siginfo_t *info) {
    check_heard(info, bit(audited));
    atomic_fetch_add(&audited_read, info->count);
}

/* Several threads read it, and what they have read adds up. What one has taken is lost where a handler leaves the call. */
static void read_audit(uint64_t *r) {
    rsig_siginfo_t infos[8];
    if (may_be_down) return;
    long count = ALLOW(rsig_channel_read(audit, infos, 1 + (size_t)below(r, 8)), 8, 0, 0);
    for (long i = 0; i < count; i++) note_audited(&infos[i]);
}

/* --- blocking.rs --- */

static void play_syscall(uint64_t *r) {
    int what = below(r, 3);
    static const long numbers[] = {SYS_getpid, -1, SYS_close};
    const long results[] = {my_pid, -1, -1};
    static const int codes[] = {0, ENOSYS, EBADF};
    struct frame *frame = WAITING(rsig_syscall(numbers[what], -1, 0, 0, 0, 0, 0));
    if (frame->result == -1 && frame->error == EINTR && (may_be_down || frame->was_main)) return;
    allow_as_system(frame, results[what], codes[what]);
}

static void play_open(uint64_t *r) {
    static const char *const paths[] = {"/dev/null/no", "", NULL};
    static const int codes[] = {ENOTDIR, ENOENT, EFAULT};
    int what = below(r, 3);
    if (chance(r, 50)) {
        allow_as_system(WAITING(rsig_open(paths[what], O_RDONLY | O_CLOEXEC, 0)), -1, codes[what]);
        return;
    }
    struct frame *frame = WAITING(rsig_open("/dev/null", O_RDONLY | O_CLOEXEC, 0));
    if (frame->left) return;
    if (frame->result >= 0) close((int)frame->result);
    allow_as_system(frame, frame->refused ? -1 : frame->result < 0 ? 0 : frame->result, 0);
}

/* Each has a pair of sockets of its own, as another could read what it waits for. */
static void play_sockets(uint64_t *r) {
    int fds[2], peek = below(r, 2) ? MSG_PEEK : 0;
    char bytes[8];
    struct pollfd entry;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    entry = (struct pollfd){fds[0], POLLIN, 0};
    allow_as_system(WAITING(rsig_recv(fds[0], bytes, 1, MSG_DONTWAIT)), -1, EAGAIN);
    allow_as_system(WAITING(rsig_poll(&entry, 1, some_time(r))), 0, 0);
    REQUIRE(write(fds[1], "12345678", 8) == 8);
    allow_as_system(WAITING(rsig_poll(&entry, 1, -1)), 1, 0);
    allow_as_system(WAITING(rsig_recv(fds[0], bytes, 2, peek)), 2, 0);
    allow_as_system(WAITING(rsig_read(fds[0], bytes, 3)), 3, 0);
    allow_as_system(WAITING(rsig_write(fds[1], "1234", 4)), 4, 0);
    allow_as_system(WAITING(rsig_send(fds[1], "12345", 5, MSG_NOSIGNAL)), 5, 0);
    allow_as_system(WAITING(rsig_send(fds[1], NULL, 1, 0)), -1, EFAULT);
    close(fds[0]);
    close(fds[1]);
    allow_as_system(WAITING(rsig_read(some_fd_that_is_none(r), bytes, 1)), -1, EBADF);
}

static void play_connect(uint64_t *r) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    (void)r;
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int caller = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listening >= 0 && caller >= 0 && bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    REQUIRE(getsockname(listening, (struct sockaddr *)&address, &length) == 0 && listen(listening, 1) == 0);
    allow_as_system(WAITING(rsig_accept(listening, NULL, NULL)), -1, EAGAIN);
    struct frame *frame = WAITING(rsig_connect(caller, (struct sockaddr *)&address, length));
    int is_connected = !frame->left && !frame->refused;
    allow_as_system(frame, 0, 0);
    if (is_connected) {
        frame = WAITING(rsig_accept(listening, NULL, NULL));
        if (!frame->left && frame->result >= 0) close((int)frame->result);
        else if (!frame->left && (!frame->refused || frame->error != EINTR)) fail("rsig_accept(): errno %d", frame->error);
    }
    close(listening);
    close(caller);
}

static void play_waitpid(uint64_t *r) {
    int status = -1;
    if (chance(r, 50)) {
        allow_as_system(WAITING(rsig_waitpid(my_pid, NULL, WNOHANG)), -1, ECHILD);
        return;
    }
    pid_t child = quiet_child();
    REQUIRE(child >= 0);
    if (child == 0) _exit(7);
    struct frame *frame = WAITING(rsig_waitpid(child, &status, __WALL));
    allow_as_system(frame, child, 0);
    if (frame->left || frame->refused) waitpid(child, &status, __WALL);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) fail("status %#x", status);
}

static void play_sleep(uint64_t *r) {
    if (chance(r, 20)) allow_as_system(WAITING(rsig_sleep(-1)), -1, EINVAL);
    else allow_as_system(WAITING(rsig_sleep(some_time(r))), 0, 0);
}

/* --- timer.rs --- */

static void play_setitimer(uint64_t *r) {
    static const int signums[] = {SIGALRM, SIGVTALRM, SIGPROF};
    static const double times[] = {0, 1e-5, 1e-3, 1000, NAN, -1};
    int which = below(r, 3);
    double delay = ONE_OF(r, times), interval = chance(r, 80) ? 0 : 1e-3;
    int is_good = delay >= 0;
    rsig_itimer_t old = {-1, -1};
    will_send(signums[which]);
    if (ALLOW(rsig_setitimer(which, delay, interval, &old), RSIG_OK, STATE | (is_good ? 0 : TIMER), 0) == RSIG_OK)
        if (!(old.delay >= 0 && old.delay < 2e9 && old.interval >= 0)) fail("a timer stood at %g", old.delay);
}

static void play_getitimer(uint64_t *r) {
    rsig_itimer_t now = {0, 0};
    ALLOW(rsig_getitimer(below(r, 3), &now), RSIG_OK, STATE, 0);
    if (!(now.delay >= 0 && now.delay < 2e9)) fail("a timer stands at %g", now.delay);
}

static void play_alarm(uint64_t *r) {
    if (rsig_alarm(chance(r, 50) ? 0 : 1000) > 1001) fail("rsig_alarm()");
}

/* --- dump.rs --- */

static void play_dump(uint64_t *r) {
    int fd = memfd_create("dump", MFD_CLOEXEC), is_json = below(r, 2), lines = 0;
    char text[32768];
    REQUIRE(fd >= 0);
    if (ALLOW(is_json ? rsig_dump_json(fd) : rsig_dump(fd), RSIG_OK, STATE, 0) == RSIG_OK) {
        ssize_t size = pread(fd, text, sizeof text, 0);
        REQUIRE(size > 0 && size < (ssize_t)sizeof text);
        for (ssize_t i = 0; i < size; i++) lines += text[i] == '\n';
        if (lines != 62 + !is_json) fail("%d lines", lines);
    }
    close(fd);
}

/* --- Children --- */

static struct sigaction before[65];

static int is_plain(const struct sigaction *action) {
    return action->sa_handler == plain_handler || action->sa_sigaction == plain_handler_with_mask;
}

/* For an exec functions need not be undone. */
static void check_as_before(int is_for_exec) {
    for (int n = 1; n < 65; n++) {
        struct sigaction now, then = before[n];
        if (is_the_c_librarys(n) || n == SIGKILL || n == SIGSTOP || is_others(n)) continue;
        REQUIRE(sigaction(n, NULL, &now) == 0);
        /* What rsig has kept for itself stays while one can wait on a thread that was the main one before. */
        if (has_moved && n >= SIGRTMIN && then.sa_handler == SIG_DFL) continue;
        if (is_for_exec && is_plain(&now)) continue;
        int changed = atomic_load(&is_restart_changed[n]) ? SA_RESTART : 0;
        if (now.sa_handler != then.sa_handler || (now.sa_flags | changed) != (then.sa_flags | changed))
            fail("%s has handler %p and flags %#x at the end, not %p and %#x", name_of(n), (void *)(size_t)now.sa_handler,
                 (unsigned)now.sa_flags, (void *)(size_t)then.sa_handler, (unsigned)then.sa_flags);
    }
}

static struct frame *fini_in_frame(void) { return WAITING(rsig_fini()); }

static void undo_all(void) {
    plain_handlers = 1;
    for (int count = 0;; count++) {
        struct frame *frame = fini_in_frame();
        if (frame->result == RSIG_ERROR_STATE && frame->error == ENXIO) return;
        if (frame->result != RSIG_OK) fail("rsig_fini() is %ld, errno %d", frame->result, frame->error);
        if (count > ALL * CALLS_EACH * 4) fail("rsig_fini() never is the last one");
    }
}

/* The only thread there, whatever the others were doing: it is the main one, and nothing is pending. */
static void in_forked_child(int kind) {
    rsig_siginfo_t info;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    my_pid = getpid();
    plain_handlers = may_be_down = 1;
    depth = is_alone = running = 0;
    atomic_store(&gate, 0);
    atomic_store(&wants_alone, 0);
    for (int n = 1; n < 65; n++) atomic_store(&is_sent[n], 0);
    EXPECT(rsig_tripped(), 0, 0);
    int was_up = rsig_fd() >= 0;
    if (kind == 0) {
        ALLOW(rsig_restore_signals(), RSIG_OK, STATE, 0);
        if (was_up) check_as_before(1);
        rsig_die(SIGUSR1);
    }
    EXPECT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK, 0);
    EXPECT(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_OK, 0);
    if (WAITING(rsig_pump())->result != 0) fail("a forked child had something to run");
    if (is_readable(ALLOW(rsig_fd(), INT_MAX, 0, 0))) fail("a forked child's rsig_fd() is readable");
    for (int i = 0; i < CHANNELS; i++) {
        rsig_channel_t *inherited = opened[atomic_load(&shared[i])].handle;
        if (is_readable(ALLOW(rsig_channel_fd(inherited), INT_MAX, VALUE, 0))) fail("a forked child's channel is readable");
        ALLOW(rsig_channel_read(inherited, &info, 1), 0, VALUE, 0);
    }
    rsig_channel_t *channel;
    EXPECT(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL), RSIG_OK, 0);
    EXPECT(rsig_channel_open(bit(SIGURG), 1, &channel), RSIG_OK, 0);
    EXPECT(rsig_signal(SIGURG, handler, slots, NULL), RSIG_OK, 0);
    will_send(SIGURG);
    if (WAITING(rsig_raise_signal(SIGURG))->result != RSIG_OK) fail("rsig_raise_signal()");
    EXPECT(rsig_channel_wait(channel, &info, -1), 1, 0);
    check_heard(&info, bit(SIGURG));
    undo_all();
    check_as_before(0);
    EXPECT(rsig_tripped(), 0, 0);
    _exit(0);
}

/* AddressSanitizer's allocator has a lock that no fork waits for: a child may find it taken for ever. */
#ifdef __SANITIZE_ADDRESS__
enum { CHILD_MAY_ALLOCATE = 0 };
#else
enum { CHILD_MAY_ALLOCATE = 1 };
#endif

/* One at a time, or there would be more children than calls. */
static void play_fork(uint64_t *r) {
    static atomic_flag forking = ATOMIC_FLAG_INIT;
    int kind = CHILD_MAY_ALLOCATE ? below(r, 3) : 0, status;
    if (atomic_flag_test_and_set(&forking)) return;
    atomic_fetch_add(&board->children, 1);
    will_send(SIGCHLD);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) in_forked_child(kind);
    pid_t done;
    while ((done = waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
    /* Where somebody ignores SIGCHLD nobody learns how it ended, but from its report. */
    if (done < 0 ? errno != ECHILD || *report
                 : kind ? status != 0 : !WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR1)
        fail("a forked child of kind %d has ended with %#x", kind, status);
    atomic_flag_clear(&forking);
}

/* --- The table --- */

static const struct call {
    const char *name;
    void (*play)(uint64_t *r);
    int weight;
} calls[] = {
    {"rsig_init", play_init, 6},
    {"rsig_fini", play_fini, 6},
    {"rsig_set_main_thread", play_set_main_thread, 2},
    {"rsig_signal", play_signal, 16},
    {"rsig_getsignal", play_getsignal, 5},
    {"rsig_siginterrupt", play_siginterrupt, 3},
    {"rsig_default_int_handler", call_default_int_handler, 1},
    {"rsig_pump", play_pump, 10},
    {"rsig_raised", play_raised, 2},
    {"rsig_set_warning_hook", play_set_warning_hook, 2},
    {"rsig_fd", play_fd, 3},
    {"rsig_tripped", play_tripped, 1},
    {"rsig_tripped_flags", play_tripped_flags, 1},
    {"rsig_set_notify", play_set_notify, 3},
    {"rsig_set_wakeup_fd", play_set_wakeup_fd, 5},
    {"rsig_pthread_sigmask", play_pthread_sigmask, 8},
    {"rsig_sigpending", play_sigpending, 2},
    {"rsig_raise_signal", play_raise_signal, 6},
    {"rsig_pthread_kill", play_pthread_kill, 5},
    {"rsig_get_ident", call_get_ident, 1},
    {"rsig_kill", play_kill, 4},
    {"rsig_sigqueue", play_sigqueue, 6},
    {"rsig_thread_kill", play_thread_kill, 4},
    {"rsig_pidfd_open", play_pidfd_send_signal, 1},
    {"rsig_pidfd_send_signal", play_pidfd_send_signal, 1},
    {"rsig_pause", play_pause, 3},
    {"rsig_wait", play_wait, 6},
    {"rsig_sigwait", play_sigwait, 3},
    {"rsig_sigwaitinfo", play_sigwaitinfo, 3},
    {"rsig_sigtimedwait", play_sigtimedwait, 4},
    {"rsig_dispatch", play_dispatch, 6},
    {"rsig_channel_open", play_channel_open, 10},
    {"rsig_channel_close", play_channel_close, 6},
    {"rsig_channel_fd", play_channel_fd, 4},
    {"rsig_channel_read", play_channel_read, 8},
    {"rsig_channel_wait", play_channel_wait, 10},
    {"rsig_syscall", play_syscall, 2},
    {"rsig_open", play_open, 2},
    {"rsig_read", play_sockets, 1},
    {"rsig_write", play_sockets, 1},
    {"rsig_recv", play_sockets, 1},
    {"rsig_send", play_sockets, 1},
    {"rsig_poll", play_sockets, 1},
    {"rsig_connect", play_connect, 1},
    {"rsig_accept", play_connect, 1},
    {"rsig_waitpid", play_waitpid, 1},
    {"rsig_sleep", play_sleep, 2},
    {"rsig_setitimer", play_setitimer, 3},
    {"rsig_getitimer", play_getitimer, 1},
    {"rsig_alarm", play_alarm, 1},
    {"rsig_strsignal", call_strsignal, 1},
    {"rsig_signame", call_signame, 1},
    {"rsig_signum", call_signum, 1},
    {"rsig_constant", call_constant, 1},
    {"rsig_valid_signals", call_valid_signals, 1},
    {"rsig_sigset_add", call_sigset, 1},
    {"rsig_sigset_remove", call_sigset, 1},
    {"rsig_sigset_contains", call_sigset, 1},
    {"rsig_sigset_next", call_sigset, 1},
    {"rsig_sigset_to_posix", call_sigset, 1},
    {"rsig_sigset_from_posix", call_sigset, 1},
    {"rsig_error_message", call_error_message, 1},
    {"rsig_strerror", call_strerror, 1},
    {"rsig_version", call_version, 1},
    {"rsig_dump", play_dump, 1},
    {"rsig_dump_json", play_dump, 1},
    {"rsig_restore_signals", play_fork, 1},
    {"rsig_die", call_die, 1},
    {"(audited)", play_audited, 12},
    {"(audit)", read_audit, 6},
    {"sigaction", play_sigaction, 4},
    {"raise", play_raise, 10},
};
enum { CALLS = sizeof calls / sizeof *calls };

/* In each round others are called often, so that they meet. */
static const struct call *favourites[3];

static const struct call *some_call(uint64_t *r) {
    int total = 0;
    for (int i = 0; i < CALLS; i++) total += calls[i].weight;
    int at = below(r, total);
    const struct call *call = calls;
    while (at >= call->weight) at -= call++->weight;
    return call;
}

static void do_some_call(uint64_t *r) {
    const struct call *call = chance(r, 40) ? ONE_OF(r, favourites) : some_call(r);
    const char *outer = board->now[self];
    board->now[self] = call->name;
    atomic_fetch_add(&board->calls, 1);
    call->play(r);
    board->now[self] = outer;
}

#endif
