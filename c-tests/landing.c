/*
 * A signal that lands on another thread interrupts the main thread's call, is counted once, and
 * leaves every signal number to the program, also the one with which rsig pokes the main thread.
 */
#include "held.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { REFUSED = 3 };

static struct check_calls calls;
static int pipe_fds[2];
static pid_t main_tid;
static pthread_t main_thread;

static void set_up(void) {
    main_tid = check_gettid();
    main_thread = pthread_self();
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static void set_mask(rsig_sigset_t set) {
    sigset_t posix;
    CHECK_INT(rsig_sigset_to_posix(set, &posix), RSIG_OK);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &posix, NULL), 0);
}

static rsig_sigset_t mask(void) {
    sigset_t posix;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &posix), 0);
    CHECK_INT(rsig_sigset_from_posix(&posix, &set), RSIG_OK);
    return set;
}

static void nothing_is_left(rsig_sigset_t mask_before) {
    rsig_sigset_t pending;
    CHECK_INT(mask(), mask_before);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, 0);
}

static long read_byte(void) {
    char byte;
    return rsig_read(pipe_fds[0], &byte, 1);
}

/* A call that does not wait: from then on rsig has its number. */
static void read_ready_byte(void) {
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(read_byte(), 1);
}

/* ---- every call ---- */

/* Takes SIGUSR1 when the main thread sleeps in the system call. */
static rsig_sigset_t worker_mask;

static void *take_signal(void *number) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, (long)(size_t)number);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    return NULL;
}

/* The handler refuses: the call ends. */
static void ends(long number, long (*call)(void)) {
    pthread_t thread;
    rsig_sigset_t before = mask();
    int signum;
    calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(pthread_create(&thread, NULL, take_signal, (void *)(size_t)number), 0);
    errno = 0;
    CHECK(call() < 0);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 1);
    CHECK_INT(rsig_raised(&signum), REFUSED);
    CHECK_INT(signum, SIGUSR1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(mask(), before);
    CHECK_INT(rsig_pump(), 0);
    calls.result = 0;
}

/* Whatever the main thread blocks. */
static void interrupts(long number, long (*call)(void)) {
    static const rsig_sigset_t masks[] = {0, RSIG_SIGSET(SIGUSR1), ~(rsig_sigset_t)0};
    set_up();
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        set_mask(masks[i]);
        ends(number, call);
    }
}

TEST(reading, "rsig_read()") { interrupts(SYS_read, read_byte); }

static char path[64];

static long open_fifo(void) { return rsig_open(path, O_RDONLY, 0); }

TEST(opening, "rsig_open() of a FIFO that nobody writes to") {
    snprintf(path, sizeof path, "rsig-landing-%d", (int)getpid());
    CHECK_SYS(mkfifo(path, 0600));
    interrupts(SYS_openat, open_fifo);
    unlink(path);
}

static pid_t child_pid;

static long wait_for_child(void) { return rsig_waitpid(child_pid, NULL, 0); }

TEST(waiting_for_a_child, "rsig_waitpid()") {
    CHECK_SYS(child_pid = fork());
    if (child_pid == 0)
        for (;;) pause();
    interrupts(SYS_wait4, wait_for_child);
    CHECK_SYS(kill(child_pid, SIGKILL));
    CHECK_INT(wait_for_child(), child_pid);
}

static int listening;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;

/* At an abstract address, with room for one connection that waits. */
static void listen_here(void) {
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "rsig-landing-%d",
                          (int)getpid());
    address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    CHECK_SYS(listening = socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_SYS(bind(listening, (struct sockaddr *)&address, address_length));
    CHECK_SYS(listen(listening, 0));
}

static long accept_one(void) { return rsig_accept(listening, NULL, NULL); }

TEST(accepting, "rsig_accept()") {
    listen_here();
    interrupts(SYS_accept4, accept_one);
}

static long connect_one(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    long result = rsig_connect(fd, (struct sockaddr *)&address, address_length);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

TEST(connecting, "rsig_connect() to one who has no room") {
    listen_here();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_SYS(connect(fd, (struct sockaddr *)&address, address_length));
    interrupts(SYS_connect, connect_one);
}

static long poll_pipe(void) {
    struct pollfd wait = {.fd = pipe_fds[0], .events = POLLIN};
    return rsig_poll(&wait, 1, -1);
}

TEST(polling, "rsig_poll()") { interrupts(SYS_ppoll, poll_pipe); }

static long sleep_long(void) { return rsig_sleep(1e6); }

TEST(sleeping, "rsig_sleep()") { interrupts(SYS_clock_nanosleep, sleep_long); }

static long wait_for_handlers(void) { return rsig_wait(-1); }

TEST(waiting_for_handlers, "rsig_wait()") { interrupts(SYS_ppoll, wait_for_handlers); }

static long dispatch(void) {
    return rsig_dispatch(RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2), -1);
}

TEST(dispatching, "rsig_dispatch()") { interrupts(CHECK_SYS_SIGWAIT, dispatch); }

static long pause_here(void) { return rsig_pause(); }

TEST(pausing, "rsig_pause()") { interrupts(SYS_ppoll, pause_here); }

static long wait_for_usr2(void) { return rsig_sigtimedwait(RSIG_SIGSET(SIGUSR2), 1e6, NULL); }

TEST(waiting_for_a_signal, "rsig_sigtimedwait()") { interrupts(CHECK_SYS_SIGWAIT, wait_for_usr2); }

static long attempt(void) {
    char byte;
    CHECK_INT(rsig_syscall(SYS_read, pipe_fds[0], (long)&byte, 1, 0, 0, 0), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 0);
    return rsig_pump();
}

TEST(attempting, "rsig_syscall()") { interrupts(SYS_read, attempt); }

/* ---- where the kernel has no room for another signal ---- */

/* Only such signals are delivered then as need no place in the queue. */
static void fill_the_queue(void) {
    const struct rlimit none = {0, 0};
    read_ready_byte();
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &none));
    CHECK_INT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), -1);
    CHECK_INT(errno, EAGAIN);
}

TEST(full_queue, "a full queue of signals does not keep it from ending the call") {
    set_up();
    fill_the_queue();
    for (int i = 0; i < 100; i++) ends(SYS_read, read_byte);
}

TEST(full_queue_with_all_blocked, "nor does it where the main thread blocks everything") {
    set_up();
    fill_the_queue();
    set_mask(~(rsig_sigset_t)0);
    for (int i = 0; i < 100; i++) ends(SYS_read, read_byte);
    nothing_is_left(mask());
}

static void read_in_child(void) {
    main_tid = check_gettid();
    fill_the_queue();
    ends(SYS_read, read_byte);
}

TEST(full_queue_in_child, "nor in a forked child") {
    set_up();
    read_ready_byte();
    CHECK_CHILD_OK(check_child(read_in_child));
    fill_the_queue();
    ends(SYS_read, read_byte);
}

static void *read_as_main(void *unused) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    read_in_child();
    return unused;
}

TEST(full_queue_on_another_main_thread, "nor on a thread that is the main one since") {
    pthread_t thread;
    set_up();
    read_ready_byte();
    CHECK_INT(pthread_create(&thread, NULL, read_as_main, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- counts ---- */

enum { MANY = 20000 };

static void *take_many(void *unused) {
    (void)unused;
    set_mask(0);
    for (int i = 0; i < MANY; i++) CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(counts, "handlers run while the call goes on, and each delivery is counted once") {
    pthread_t thread;
    set_up();
    set_mask(~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, take_many, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.deliveries, MANY);
    CHECK(calls.calls > 1);
}

/*
 * Two pipes: the main thread reads its own with a plain read(), which no handler of its own
 * interrupts.
 */
static void *disturb(void *fd) {
    set_mask(0);
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(write(pipe_fds[1], "x", 1), 1);
        for (int j = 0; j < 4; j++) CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
        CHECK_INT(write(*(int *)fd, "y", 1), 1);
    }
    return NULL;
}

TEST(plain_read, "the main thread's own read() is not interrupted by what interrupts rsig_read()") {
    char byte;
    int own[2];
    pthread_t thread;
    check_needs_stub();
    set_up();
    CHECK_SYS(pipe(own));
    set_mask(RSIG_SIGSET(SIGUSR1));
    CHECK_INT(pthread_create(&thread, NULL, disturb, &own[1]), 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(read_byte(), 1);
        CHECK_INT(read(own[0], &byte, 1), 1);
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.deliveries, 4 * MANY);
}

/* ---- the number ---- */

/* The real-time signal that the kernel gives to rsig, which must be the only one; 0: none. */
static int poke_number(void) {
    int found = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        if (check_kernel_handler(n) == check_kernel_handler(SIGUSR1)) {
            CHECK_INT(found, 0);
            found = n;
        }
    }
    return found;
}

TEST(number_is_taken_late,
     "the highest real-time signal is taken by the first call of the main thread") {
    set_up();
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(poke_number(), 0);
    read_ready_byte();
    CHECK_INT(poke_number(), SIGRTMAX);
}

static void *read_elsewhere(void *unused) {
    (void)unused;
    read_ready_byte();
    return NULL;
}

TEST(number_is_not_taken_elsewhere, "another thread's calls take none") {
    pthread_t thread;
    set_up();
    CHECK_INT(pthread_create(&thread, NULL, read_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(poke_number(), 0);
}

static atomic_int plain_calls;

static void plain_handler(int signum) {
    (void)signum;
    plain_calls++;
}

static void own(int signum) {
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_RESTART};
    CHECK_SYS(sigaction(signum, &action, NULL));
}

TEST(number_is_a_free_one, "a number that the program handles or ignores is not taken") {
    set_up();
    own(SIGRTMAX);
    CHECK(signal(SIGRTMAX - 1, SIG_IGN) != SIG_ERR);
    ends(SYS_read, read_byte);
    CHECK_INT(poke_number(), SIGRTMAX - 2);
    CHECK_INT(plain_calls, 0);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(raise(SIGRTMAX - 1), 0);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(rsig_pump(), 0);
}

TEST(number_is_given_back,
     "rsig_fini() puts the default action back, and the next rsig_init() may take it again") {
    set_up();
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        CHECK_INT(rsig_fini(), RSIG_OK);
        CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
        read_ready_byte();
        CHECK_INT(poke_number(), SIGRTMAX);
    }
}

static void *end_elsewhere(void *unused) {
    set_mask(0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

TEST(number_is_given_back_elsewhere, "rsig_fini() on another thread does so too") {
    pthread_t thread;
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(pthread_create(&thread, NULL, end_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
}

static void *await_end(void *fd) {
    char byte;
    set_mask(0);
    CHECK_INT(read(*(int *)fd, &byte, 1), 0);
    return NULL;
}

TEST(number_queued,
     "what is queued for the main thread alone waits for it after rsig_fini(), though others could "
     "take it") {
    int ends_at[2];
    pthread_t thread;
    siginfo_t info;
    set_up();
    CHECK_SYS(pipe(ends_at));
    CHECK_INT(pthread_create(&thread, NULL, await_end, &ends_at[0]), 0);
    ends(SYS_read, read_byte);
    own(SIGRTMAX);
    set_mask(RSIG_SIGSET(SIGRTMAX));
    for (int i = 1; i <= 2; i++) {
        union sigval value = {.sival_int = i};
        CHECK_INT(pthread_sigqueue(main_thread, SIGRTMAX, value), 0);
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_SYS(close(ends_at[1]));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(plain_calls, 0);
    for (int i = 1; i <= 2; i++) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMAX);
        CHECK_INT(sigtimedwait(&set, &info, &(struct timespec){0}), SIGRTMAX);
        CHECK_INT(info.si_value.sival_int, i);
    }
}

/* 0 at the end. */
static atomic_int cycle = 1;

/* A few in each cycle. */
static void *take_in_each_cycle(void *unused) {
    set_mask(0);
    for (int seen = 1, now; (now = cycle) != 0; seen = now) {
        for (int i = 0; now != seen && i < 4; i++) CHECK_INT(raise(SIGUSR1), 0);
        if (now == seen) sched_yield();
    }
    return unused;
}

/* What a channel listens to while the call is made; a number that somebody else has. */
static rsig_sigset_t heard;
static int owned;
static rsig_channel_t *channel;

static void listen_to(rsig_sigset_t set) {
    check_needs_stub();
    CHECK_INT(rsig_channel_open(set, 64, &channel), RSIG_OK);
}

static rsig_sigset_t real_time(void) {
    rsig_sigset_t set = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) set |= RSIG_SIGSET(n);
    return set;
}

/* A signal that lands on another thread ends the call; others are landing there meanwhile. */
static void fini_after_a_call(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    if (heard) listen_to(heard);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    calls.result = REFUSED;
    cycle++;
    CHECK_INT(read_byte(), -1);
    CHECK_INT(errno, EINTR);
    calls.result = 0;
    if (heard && cycle % 2) CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

/* Several threads, so that one can be on its way when another has ended the call. */
static void fini_under_fire(rsig_sigset_t blocked) {
    enum { WORKERS = 3, CYCLES = 1000 };
    pthread_t threads[WORKERS];
    main_tid = check_gettid();
    CHECK_SYS(pipe(pipe_fds));
    own(SIGUSR1); /* also while rsig has no handler there */
    set_mask(blocked);
    for (int i = 0; i < WORKERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, take_in_each_cycle, NULL), 0);
    for (int i = 0; i < CYCLES; i++) {
        fini_after_a_call();
        set_mask(0);
        set_mask(blocked);
    }
    cycle = 0;
    for (int i = 0; i < WORKERS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    /* Where a poke was on its way, the number stays rsig's until the next rsig_fini(). */
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        if (n != owned) CHECK(check_kernel_handler(n) == SIG_DFL);
    set_mask(0);
}

TEST(fini_while_signals_land,
     "rsig_fini() right after a call, while signals go on landing elsewhere, does not kill") {
    fini_under_fire(RSIG_SIGSET(SIGUSR1));
}

TEST(fini_while_signals_land_with_all_blocked, "nor where the main thread blocks everything") {
    fini_under_fire(~(rsig_sigset_t)0);
}

static void not_for_me(int signum) { CHECK_FAIL("signal %d was not sent by the program", signum); }

/* One has a plain handler, which no signal of rsig's must reach. */
static void own_the_highest(void) {
    owned = SIGRTMAX;
    CHECK(signal(owned, not_for_me) != SIG_ERR);
}

static void hear_all_under_fire(rsig_sigset_t blocked) {
    heard = real_time();
    own_the_highest();
    fini_under_fire(blocked);
}

TEST(fini_while_all_are_heard, "nor where a channel has every number, closed before or not") {
    hear_all_under_fire(RSIG_SIGSET(SIGUSR1));
}

TEST(fini_while_all_are_heard_and_blocked, "nor where the main thread blocks them, too") {
    hear_all_under_fire(~(rsig_sigset_t)0);
}

TEST(channel_for_all_real_time, "where a channel had every number before, the call ends") {
    set_up();
    listen_to(real_time());
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        set_mask(i ? ~(rsig_sigset_t)0 : RSIG_SIGSET(SIGUSR1));
    }
}

TEST(channel_for_all, "the same where it has all signals there are, and its own are recorded as ever") {
    rsig_siginfo_t info;
    set_up();
    listen_to(rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP)));
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        ends(SYS_read, read_byte);
        CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
        CHECK_INT(info.signo, SIGUSR1);
        CHECK_INT(raise(n), 0);
        CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
        CHECK_INT(info.signo, n);
    }
    CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == SIG_DFL);
}

TEST(channel_for_all_closed, "the number that it left keeps its default action: also when the channel is closed") {
    rsig_action_t action;
    set_up();
    listen_to(real_time());
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK_INT(rsig_getsignal(n, &action), RSIG_OK);
        CHECK(action.handler == RSIG_DFL);
    }
    ends(SYS_read, read_byte);
}

/* Each kind of wait. */
static void all_end(void) {
    ends(SYS_read, read_byte);
    ends(SYS_ppoll, wait_for_handlers);
    ends(SYS_ppoll, pause_here);
    ends(CHECK_SYS_SIGWAIT, dispatch);
    ends(CHECK_SYS_SIGWAIT, wait_for_usr2);
    ends(SYS_clock_nanosleep, sleep_long);
}

static void all_end_under_each_mask(void) {
    static const rsig_sigset_t masks[] = {0, RSIG_SIGSET(SIGUSR1), ~(rsig_sigset_t)0};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        set_mask(masks[i]);
        all_end();
        nothing_is_left(mask());
    }
    set_mask(0);
}

/* They do nothing, also when they have been a poke's. */
static void all_are_ignored(void) {
    rsig_action_t action;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK_INT(raise(n), 0);
        CHECK_INT(rsig_getsignal(n, &action), RSIG_OK);
        CHECK(action.handler == RSIG_IGN);
    }
    CHECK_INT(rsig_pump(), 0);
}

TEST(all_ignored, "where the process ignores every number, calls end, and it goes on to ignore them") {
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(signal(n, SIG_IGN) != SIG_ERR);
    set_up();
    all_end_under_each_mask();
    all_are_ignored();
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
        CHECK(check_kernel_handler(n) == (void *)SIG_IGN);
        CHECK_INT(raise(n), 0);
    }
}

TEST(all_ignored_by_rsig, "the same by RSIG_IGN; rsig_fini() puts the default actions back") {
    set_up();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        CHECK_INT(rsig_signal(n, RSIG_IGN, NULL, NULL), RSIG_OK);
    all_end_under_each_mask();
    all_are_ignored();
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == (void *)SIG_DFL);
}

TEST(all_handled, "where each number has a handler, calls end, and none of those runs for it") {
    struct check_calls own_calls = {0};
    set_up();
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        CHECK_INT(rsig_signal(n, check_handler, &own_calls, NULL), RSIG_OK);
    all_end_under_each_mask();
    CHECK_INT(own_calls.calls, 0);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK_INT(rsig_raise_signal(n), RSIG_OK);
    CHECK_INT(own_calls.deliveries, SIGRTMAX - SIGRTMIN + 1);
}

static void do_while_one_is_sent(void (*what)(void)) {
    held_start(pipe_fds[1]);
    CHECK_INT(read_byte(), 1);
    what();
    held_let_go();
}

static void end_rsig(void) { CHECK_INT(rsig_fini(), RSIG_OK); }
static void close_it(void) { CHECK_INT(rsig_channel_close(channel), RSIG_OK); }

static void check_given_back(void) {
    end_rsig();
    CHECK_INT(calls.calls, 1);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
        if (n != owned) CHECK(check_kernel_handler(n) == SIG_DFL);
}

TEST(fini_while_one_is_sent,
     "what a thread is about to send when rsig_fini() comes does not kill; the next one gives the "
     "number back") {
    set_up();
    do_while_one_is_sent(end_rsig);
    CHECK_INT(rsig_init(0), RSIG_OK);
    check_given_back();
}

TEST(fini_while_one_is_sent_to_a_channel, "nor where the number was a channel's") {
    set_up();
    listen_to(real_time());
    do_while_one_is_sent(end_rsig);
    CHECK_INT(rsig_init(0), RSIG_OK);
    check_given_back();
}

TEST(closed_while_one_is_sent, "nor where the channel is closed meanwhile, and it reaches no handler that comes back then") {
    set_up();
    own_the_highest();
    listen_to(real_time());
    do_while_one_is_sent(close_it);
    check_given_back();
}

TEST(number_looks_free,
     "rsig_getsignal() says RSIG_DFL of it, and so does rsig_signal()'s old action") {
    rsig_action_t action;
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    CHECK_INT(rsig_signal(SIGRTMAX, action.handler, action.arg, &action), RSIG_OK);
    CHECK(action.handler == check_handler);
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
    ends(SYS_read, read_byte);
}

/* ---- its default action ---- */

static void die_of_raise(void) {
    set_up();
    read_ready_byte();
    raise(SIGRTMAX);
}

static void die_of_payload(void) {
    set_up();
    read_ready_byte();
    CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = 1}));
}

static void *raise_here(void *unused) {
    (void)unused;
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(pthread_self(), SIGRTMAX), 0);
    return NULL;
}

static void die_on_another_thread(void) {
    pthread_t thread;
    set_up();
    CHECK_INT(pthread_create(&thread, NULL, raise_here, NULL), 0);
    read_byte();
}

static void die_after_use(void) {
    set_up();
    ends(SYS_read, read_byte);
    raise(SIGRTMAX);
}

static void die_after_handler(void) {
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGRTMAX), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMAX, RSIG_DFL, NULL, NULL), RSIG_OK);
    raise(SIGRTMAX);
}

static void die_after_fini(void) {
    set_up();
    ends(SYS_read, read_byte);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise(SIGRTMAX);
}

static void die_in_child(void) {
    set_up();
    read_ready_byte();
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        raise(SIGRTMAX);
        _exit(0);
    }
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_KILLED(status, SIGRTMAX);
}

/* Waits with a mask of its own, in which alone it can be delivered. */
static void die_in_ppoll(void) {
    sigset_t none;
    sigemptyset(&none);
    set_up();
    read_ready_byte();
    set_mask(RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(raise(SIGRTMAX), 0);
    ppoll(NULL, 0, NULL, &none);
}

TEST(number_kills,
     "a signal of that number that rsig has not sent kills the process, as by default") {
    CHECK_CHILD_KILLED(check_child(die_of_raise), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_of_payload), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_on_another_thread), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_use), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_handler), SIGRTMAX);
    CHECK_CHILD_KILLED(check_child(die_after_fini), SIGRTMAX);
    CHECK_CHILD_OK(check_child(die_in_child));
}

TEST(number_kills_in_a_wait, "at once, also where it is unblocked only while ppoll() waits") {
    CHECK_CHILD_KILLED(check_child(die_in_ppoll), SIGRTMAX);
}

static void sleep_in_read(void) {
    set_up();
    read_byte();
}

TEST(number_kills_a_sleeper, "also by another process, and in the middle of a call") {
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) sleep_in_read();
    check_await_syscall(pid, SYS_read);
    CHECK_SYS(kill(pid, SIGRTMAX));
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_KILLED(status, SIGRTMAX);
}

/* ---- the program's own use of it ---- */

TEST(number_ignored, "RSIG_IGN ignores it, and other signals that land elsewhere still interrupt") {
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, RSIG_IGN, NULL, NULL), RSIG_OK);
    for (int i = 0; i < 3; i++) CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 0);
    ends(SYS_read, read_byte);
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_IGN);
}

TEST(number_handled, "a handler on it gets the program's own signals alone, with their payloads") {
    struct check_calls own_calls = {0};
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    for (int i = 1; i <= 100; i++) {
        ends(SYS_read, read_byte);
        CHECK_INT(own_calls.deliveries, i - 1);
        CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = i}));
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(own_calls.deliveries, i);
        CHECK_INT(own_calls.last_info.value_int, i);
    }
}

TEST(number_dispatched,
     "rsig_dispatch() of it runs its handler for the program's own signals alone") {
    struct check_calls own_calls = {0};
    pthread_t thread;
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    set_mask(RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(pthread_create(&thread, NULL, take_signal, (void *)(size_t)CHECK_SYS_SIGWAIT), 0);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGRTMAX), -1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(own_calls.calls, 0);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGRTMAX), -1), 1);
    CHECK_INT(own_calls.calls, 1);
}

TEST(number_taken_by_sigaction,
     "a handler that the program installs by sigaction() gets its own signals, and keeps them") {
    set_up();
    read_ready_byte();
    own(SIGRTMAX);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(rsig_pump(), 0);
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_FOREIGN);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)(size_t)plain_handler);
}

TEST(another_number_then,
     "when the program has taken the number by sigaction(), rsig takes another") {
    set_up();
    ends(SYS_read, read_byte);
    own(SIGRTMAX);
    ends(SYS_read, read_byte);
    CHECK_INT(plain_calls, 0);
    CHECK(signal(SIGRTMAX, SIG_DFL) != SIG_ERR);
    ends(SYS_read, read_byte);
}

static void *accept_it(void *unused) {
    sigset_t set;
    int got = 0;
    (void)unused;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    check_await_syscall(main_tid, SYS_read);
    CHECK_SYS(kill(getpid(), SIGRTMAX));
    check_await_syscall(main_tid, SYS_read); /* where it has woken it */
    CHECK_INT(sigwait(&set, &got), 0);
    CHECK_INT(got, SIGRTMAX);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(number_accepted_by_sigwait,
     "blocked by the program in all threads, it waits for the one that accepts it") {
    pthread_t thread;
    set_up();
    set_mask(~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, accept_it, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* What the program sends of a number: so many, to the process and to the main thread. */
enum { EACH = 3 };

static void send_own(int signum) {
    union sigval first = {.sival_int = EACH * signum}, second = {.sival_int = EACH * signum + 1};
    CHECK_SYS(sigqueue(getpid(), signum, first));
    CHECK_INT(pthread_sigqueue(main_thread, signum, second), 0);
    CHECK_INT(pthread_kill(main_thread, signum), 0);
}

/* All of that is pending for the main thread, in whatever order, and nothing else. */
static void accept_own(rsig_sigset_t numbers) {
    static const struct timespec now;
    int seen[NSIG] = {0}, signum;
    rsig_sigset_t pending;
    sigset_t all;
    siginfo_t info;
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, numbers);
    sigfillset(&all);
    while ((signum = sigtimedwait(&all, &info, &now)) > 0) {
        int which = info.si_code == SI_QUEUE ? info.si_value.sival_int - EACH * signum : 2;
        CHECK(which >= 0 && which < EACH);
        CHECK_INT(info.si_pid, getpid());
        CHECK_INT(seen[signum] & 1 << which, 0);
        seen[signum] |= 1 << which;
    }
    for (int n = 1; n < NSIG; n++)
        CHECK_INT(seen[n], numbers & RSIG_SIGSET(n) ? (1 << EACH) - 1 : 0);
}

static rsig_sigset_t from_to(int first, int last) {
    rsig_sigset_t set = 0;
    for (int n = first; n <= last; n++) set |= RSIG_SIGSET(n);
    return set;
}

static void send_all_own(rsig_sigset_t numbers) {
    for (int n = rsig_sigset_next(numbers, 0); n > 0; n = rsig_sigset_next(numbers, n)) send_own(n);
}

/* The main thread blocks everything, and no other takes the program's own. */
static void block_everything(void) {
    set_mask(~(rsig_sigset_t)0);
    worker_mask = ~RSIG_SIGSET(SIGUSR1);
}

static void own_are_pending(rsig_sigset_t numbers) {
    rsig_sigset_t before = mask();
    send_all_own(numbers);
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        ends(CHECK_SYS_SIGWAIT, dispatch);
    }
    CHECK_INT(mask(), before);
    accept_own(numbers);
}

TEST(own_pending_before_the_first_call,
     "where everything is blocked and the program's own signals of such numbers are pending, "
     "a signal that lands elsewhere ends the first call, and they stay pending") {
    static const int lowest[] = {0, 1, 5};
    for (int i = 0; i < 3; i++) {
        set_up();
        block_everything();
        own_are_pending(from_to(SIGRTMAX - lowest[i], SIGRTMAX));
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

TEST(own_pending_before_a_call, "the same when rsig has its number already") {
    set_up();
    block_everything();
    read_ready_byte();
    own_are_pending(RSIG_SIGSET(SIGRTMAX));
    own_are_pending(from_to(SIGRTMAX - 1, SIGRTMAX));
    own_are_pending(from_to(SIGRTMAX - 5, SIGRTMAX));
    own_are_pending(from_to(SIGRTMIN, SIGRTMAX - 3));
}

TEST(own_pending_but_one, "the same when only one number is left") {
    set_up();
    block_everything();
    own_are_pending(from_to(SIGRTMIN + 1, SIGRTMAX));
    own_are_pending(from_to(SIGRTMIN, SIGRTMAX - 1));
}

/* A line of what the kernel says of the main thread. */
static unsigned long long main_status(const char *name, int base) {
    char line[256];
    unsigned long long value = 0;
    snprintf(line, sizeof line, "/proc/self/task/%d/status", (int)main_tid);
    FILE *file = fopen(line, "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name))) value = strtoull(line + strlen(name), NULL, base);
    fclose(file);
    return value;
}

static unsigned long long times_asleep(void) { return main_status("voluntary_ctxt_switches:", 10); }

/*
 * Once the main thread sleeps in the system call. Where it lets the first signal through, it sleeps
 * anew when this returns: just woken, it may still look asleep.
 */
static void wake_by(void (*send)(int), int signum, long number) {
    check_await_syscall(main_tid, number);
    unsigned long long before = times_asleep();
    int wakes = !(main_status("SigBlk:", 16) & RSIG_SIGSET(signum));
    send(signum);
    while (wakes && times_asleep() == before) sched_yield();
    check_await_syscall(main_tid, number);
}

/* Each time the main thread sleeps in the system call: the program's own, of the next number. */
static int lowest_sent;

static void *send_during(void *number) {
    set_mask(worker_mask);
    for (int n = SIGRTMAX; n >= lowest_sent; n--) wake_by(send_own, n, (long)(size_t)number);
    return take_signal(number);
}

static void own_arrive(long number, long (*call)(void)) {
    pthread_t thread;
    rsig_sigset_t before = mask();
    calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(pthread_create(&thread, NULL, send_during, (void *)(size_t)number), 0);
    errno = 0;
    CHECK(call() < 0);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(mask(), before);
    accept_own(from_to(lowest_sent, SIGRTMAX));
    nothing_is_left(before);
}

TEST(own_arrive_during_a_call,
     "the same when they arrive while the call sleeps; rsig_fini() gives all numbers back") {
    set_up();
    block_everything();
    for (lowest_sent = SIGRTMAX; lowest_sent > SIGRTMIN; lowest_sent -= 4) {
        own_arrive(SYS_read, read_byte);
        own_arrive(CHECK_SYS_SIGWAIT, dispatch);
        own_arrive(SYS_ppoll, poll_pipe);
    }
    lowest_sent = SIGRTMIN + 1;
    own_arrive(SYS_read, read_byte);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == SIG_DFL);
}

static void *write_when_asleep(void *unused) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

static void *send_usr2_when_asleep(void *unused) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, CHECK_SYS_SIGWAIT);
    CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    return unused;
}

static void all_are_pending(void) {
    static struct check_calls accepted;
    pthread_t thread;
    rsig_sigset_t all = from_to(SIGRTMIN, SIGRTMAX), before = mask();
    accepted.calls = calls.calls = 0;
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &accepted, NULL), RSIG_OK);
    send_all_own(all);
    for (int i = 0; i < 3; i++) read_ready_byte();
    CHECK_INT(pthread_create(&thread, NULL, write_when_asleep, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(pthread_create(&thread, NULL, send_usr2_when_asleep, NULL), 0);
    CHECK_INT(dispatch(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(accepted.calls, 1);
    CHECK_INT(mask(), before);
    accept_own(all);
    ends(SYS_read, read_byte);
    nothing_is_left(before);
}

TEST(own_pending_of_every_number,
     "where there is no other number, calls still sleep, and have results, and nothing is lost") {
    set_up();
    block_everything();
    all_are_pending();
}

TEST(own_pending_of_every_number_later, "the same when rsig has its number already") {
    set_up();
    block_everything();
    read_ready_byte();
    all_are_pending();
    all_are_pending();
}

static void send_to_main(int signum) { CHECK_INT(pthread_kill(main_thread, signum), 0); }

/* Blocks nothing, and so would take what is sent to the process. */
static void *send_to_main_alone(void *unused) {
    set_mask(0);
    wake_by(send_to_main, SIGRTMAX, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

static void stays_on_main(void) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, send_to_main_alone, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    nothing_is_left(mask());
}

TEST(own_sent_to_main_alone,
     "what is sent to the main thread stays there, though another blocks nothing") {
    set_up();
    set_mask(~(rsig_sigset_t)0);
    stays_on_main();
}

TEST(own_handled_sent_to_main_alone, "the same where the program has a handler on it") {
    struct check_calls own_calls = {0};
    set_up();
    set_mask(~(rsig_sigset_t)0);
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    stays_on_main();
    CHECK_INT(own_calls.calls, 0);
}

static int raises_itself(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    raise(signum);
    return 0;
}

TEST(own_pending_beside_a_handler_that_raises_itself,
     "a call that finds both still has the result that is there") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1));
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself, NULL, NULL), RSIG_OK);
    CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){0}));
    CHECK_INT(raise(SIGUSR1), 0);
    read_ready_byte();
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
}

TEST(own_timer_with_a_full_queue, "a timer's signal, whose place cannot be had anew, is not lost") {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX};
    const struct itimerspec now = {.it_value.tv_nsec = 1};
    rsig_sigset_t pending = 0;
    timer_t timer;
    set_up();
    set_mask(~(rsig_sigset_t)0);
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    read_ready_byte();
    fill_the_queue();
    CHECK_SYS(timer_settime(timer, 0, &now, NULL));
    while (!pending) CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    read_ready_byte();
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    nothing_is_left(mask());
}

static void queue_own(int count) {
    for (int i = 1; i <= count; i++)
        CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = i}));
}

/* So many are pending, and nothing else. */
static void accept_in_order(int count) {
    static const struct timespec now;
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    for (int i = 1; i <= count; i++) {
        CHECK_INT(sigtimedwait(&set, &info, &now), SIGRTMAX);
        CHECK_INT(info.si_value.sival_int, i);
    }
    CHECK_INT(sigtimedwait(&set, &info, &now), -1);
    CHECK_INT(errno, EAGAIN);
}

TEST(own_pending_at_fini, "rsig_fini() leaves what is pending of the number in its order") {
    set_up();
    set_mask(~(rsig_sigset_t)0);
    read_ready_byte();
    queue_own(5);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
    accept_in_order(5);
}

/* ---- past a plain handler ---- */

static sigjmp_buf out;

static void raising_handler(int signum) {
    (void)signum;
    raise(SIGUSR1);
}

static void leaving_handler(int signum) {
    raising_handler(signum);
    siglongjmp(out, 1);
}

static void *kill_main(void *thread) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGUSR2), 0);
    return NULL;
}

static void *send_usr1(void *thread) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGUSR1), 0);
    return NULL;
}

static void install(int signum, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (flags & SA_RESTART) check_needs_stub();
    CHECK_SYS(sigaction(signum, &action, NULL));
}

/*
 * The main thread's rsig_read() is interrupted by a plain handler, SIGUSR2's. Whether that has left
 * it by siglongjmp(), which puts the mask back only if it was saved.
 */
static int interrupt_by(void (*handler)(int), int flags, int save_mask) {
    pthread_t thread, self = pthread_self();
    volatile int left = 0;
    install(SIGUSR2, handler, flags);
    CHECK_INT(pthread_create(&thread, NULL, kill_main, &self), 0);
    if (sigsetjmp(out, save_mask) == 0) {
        CHECK_INT(read_byte(), -1);
        CHECK_INT(errno, EINTR);
    } else {
        left = 1;
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    return left;
}

/* The same, and rsig's signal lands in it. */
static void nest_with(void (*handler)(int), int flags, int save_mask) {
    calls = (struct check_calls){.result = REFUSED};
    if (interrupt_by(handler, flags, save_mask)) CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 1);
    calls.result = 0;
}

static void nest(void (*handler)(int)) { nest_with(handler, SA_RESTART, 1); }

TEST(nested_in_plain_handler,
     "the mask is the program's afterwards, and stays so when it blocks everything") {
    set_up();
    nest(raising_handler);
    nothing_is_left(0);
    set_mask(~(rsig_sigset_t)0);
    rsig_sigset_t all = mask();
    read_ready_byte();
    nothing_is_left(all);
}

/* All but what arrives on the main thread in these cases. */
static const rsig_sigset_t nearly_all =
    ~(RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2) | RSIG_SIGSET(SIGALRM) | RSIG_SIGSET(SIGTERM));

/* With nothing blocked, and with as much as can be. */
static void under_each_mask(void (*body)(void)) {
    set_up();
    for (int i = 0; i < 2; i++) {
        set_mask(i ? nearly_all : 0);
        rsig_sigset_t before = mask();
        body();
        nothing_is_left(before);
    }
}

static void plainly_raising_handler(int signum) {
    (void)signum;
    raise(SIGALRM);
}

static void nest_twice(void) {
    static const int flags[] = {SA_RESTART, SA_RESTART | SA_ONSTACK};
    char stack[65536]; /* above the call's own frames: no handler on the thread's stack is there */
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    CHECK_SYS(sigaltstack(&alternate, NULL));
    for (int outer = 0; outer < 2; outer++) {
        for (int inner = 0; inner < 2; inner++) {
            install(SIGALRM, raising_handler, flags[inner]);
            nest_with(plainly_raising_handler, flags[outer], 1);
        }
    }
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(nested_twice,
     "a plain handler may interrupt the plain one before rsig's signal lands: the call ends") {
    under_each_mask(nest_twice);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

/* Above the call's frames, and in the handler the kernel does not say that it is on one. */
static void nest_on_forgotten_stack(void) {
    char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    alternate.ss_flags = (int)SS_AUTODISARM;
    CHECK_SYS(sigaltstack(&alternate, NULL));
    nest_with(raising_handler, SA_RESTART | SA_ONSTACK, 1);
    install(SIGALRM, raising_handler, SA_RESTART | SA_ONSTACK);
    nest_with(plainly_raising_handler, SA_RESTART | SA_ONSTACK, 1);
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(nested_on_forgotten_stack, "it may be on an SS_AUTODISARM stack: the call ends") {
    under_each_mask(nest_on_forgotten_stack);
}

static int how_often;

static void often_raising_handler(int signum) {
    for (int i = 0; i < how_often; i++) raising_handler(signum);
}

static void land_often_on_forgotten_stack(void) {
    char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    alternate.ss_flags = (int)SS_AUTODISARM;
    CHECK_SYS(sigaltstack(&alternate, NULL));
    for (how_often = 1; how_often <= 30; how_often++) {
        calls = (struct check_calls){.result = REFUSED};
        CHECK_INT(interrupt_by(often_raising_handler, SA_RESTART | SA_ONSTACK, 1), 0);
        CHECK_INT(calls.calls, 1);
        CHECK_INT(calls.deliveries, how_often);
    }
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(often_on_forgotten_stack, "and rsig's may land there any number of times: the call ends") {
    under_each_mask(land_often_on_forgotten_stack);
}

static int depth;

static void recursive_handler(int signum) { raise(depth-- > 0 ? signum : SIGUSR1); }

static void nest_deeply(void) {
    for (int i = 0; i < 10; i++) {
        depth = i;
        nest_with(recursive_handler, SA_RESTART | SA_NODEFER, 1);
    }
}

TEST(nested_deeply, "and so on") { under_each_mask(nest_deeply); }

/* A section that a signal must not interrupt, as libraries have them. */
static void masking_handler(int signum) {
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGALRM);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    raising_handler(signum);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void nest_in_masking_handler(void) {
    nest(masking_handler);
    install(SIGALRM, masking_handler, SA_RESTART);
    nest(plainly_raising_handler);
}

TEST(nested_in_masking_handler,
     "the plain handler may put back the mask that it found, after rsig's signal has landed") {
    under_each_mask(nest_in_masking_handler);
}

static struct check_calls later_calls;

static void raise_plain_signal(int signum, void *unused) {
    (void)unused;
    if (signum == SIGUSR1) raise(SIGALRM);
}

static void terminating_handler(int signum) {
    (void)signum;
    raise(SIGTERM);
}

static void nest_in_low_level_handler(void) {
    later_calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &later_calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGTERM, 0), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    install(SIGALRM, terminating_handler, SA_RESTART);
    calls = (struct check_calls){0};
    pthread_t thread, self = pthread_self();
    CHECK_INT(rsig_set_notify(raise_plain_signal, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, send_usr1, &self), 0);
    CHECK_INT(read_byte(), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_set_notify(NULL, NULL), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(later_calls.calls, 1);
    CHECK_INT(later_calls.deliveries, 1);
}

TEST(nested_in_low_level_handler,
     "a plain handler may interrupt rsig's, which has recorded a signal, and another land in it") {
    under_each_mask(nest_in_low_level_handler);
}

static void nest_in_both(void) {
    install(SIGUSR2, raising_handler, SA_RESTART); /* SIGUSR1, whose notification raises SIGALRM */
    install(SIGALRM, terminating_handler, SA_RESTART);
    later_calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &later_calls, NULL), RSIG_OK);
    calls = (struct check_calls){0};
    CHECK_INT(rsig_set_notify(raise_plain_signal, NULL), RSIG_OK);
    CHECK_INT(interrupt_by(raising_handler, SA_RESTART, 1), 0);
    CHECK_INT(rsig_set_notify(NULL, NULL), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(later_calls.calls, 1);
}

TEST(nested_in_nested_low_level_handler,
     "the same where rsig's has itself interrupted a plain one") {
    under_each_mask(nest_in_both);
}

TEST(left_by_siglongjmp,
     "a plain handler may leave the call by siglongjmp(): nothing of it is left behind") {
    set_up();
    nest(leaving_handler);
    nothing_is_left(0);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 2);
    nothing_is_left(0);
    ends(SYS_read, read_byte);
    nothing_is_left(0);
}

TEST(left_before_fini, "what rsig had on its way does not kill the process after rsig_fini()") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    nest(leaving_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    set_mask(0);
}

static void *take_signal_now(void *unused) {
    (void)unused;
    set_mask(0);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    return NULL;
}

TEST(left_with_all_blocked,
     "what the program blocked is blocked again, its own, and pending no more") {
    rsig_sigset_t pending;
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    rsig_sigset_t before = mask();
    for (int i = 0; i < 3; i++) {
        nest(leaving_handler);
        nothing_is_left(before);
    }
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    read_ready_byte();
    nothing_is_left(before);
}

TEST(left_and_number_used, "its number reaches the program's own handler again") {
    struct check_calls own_calls = {0};
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    nest(leaving_handler);
    set_mask(0);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(own_calls.calls, 1);
}

/* The program's own of the number are pending before the poke that it does not know of. */
static int how_many_own = 5;

static void leaving_behind_own(int signum) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMAX);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    /* To the thread: what is sent to the process comes after all of those, and so after the poke. */
    for (int i = 1; i <= how_many_own; i++)
        CHECK_INT(pthread_sigqueue(main_thread, SIGRTMAX, (union sigval){.sival_int = i}), 0);
    leaving_handler(signum);
}

TEST(left_behind_own_before_fini,
     "nor where the program's own of its number came first: those stay, in their order") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    CHECK_INT(interrupt_by(leaving_behind_own, SA_RESTART, 1), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
    accept_in_order(5);
    set_mask(0);
}

TEST(left_behind_many_before_fini,
     "where there are very many, the number has its default action again only if no poke is left") {
    static const struct timespec now;
    sigset_t set;
    siginfo_t info;
    int found = 0, others = 0;
    how_many_own = 100;
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    CHECK_INT(interrupt_by(leaving_behind_own, SA_RESTART, 1), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    int is_default = check_kernel_handler(SIGRTMAX) == SIG_DFL;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    while (sigtimedwait(&set, &info, &now) > 0) {
        if (info.si_value.sival_int >= 1 && info.si_value.sival_int <= how_many_own)
            found++;
        else
            others++;
    }
    CHECK_INT(found, how_many_own);
    CHECK(!(others && is_default));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
}

TEST(left_and_elsewhere,
     "after that, signals that land elsewhere leave the main thread alone while it is in no call") {
    pthread_t thread;
    set_up();
    nest(leaving_handler);
    set_mask(~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, take_signal_now, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    nothing_is_left(mask());
    CHECK_INT(rsig_pump(), 1);
}

static void leaving_at_once(int signum) {
    (void)signum;
    siglongjmp(out, 1);
}

/* The handler blocks no signal of its own, which siglongjmp() would leave blocked. */
static void leave_without_mask(void) {
    for (int i = 0; i < 3; i++) {
        rsig_sigset_t before = mask();
        nest_with(leaving_handler, SA_RESTART | SA_NODEFER, 0);
        nothing_is_left(before);
        CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
        CHECK_INT(rsig_pump(), 0);
        nothing_is_left(before);
    }
}

TEST(left_without_mask,
     "where siglongjmp() puts no mask back, it is after the next pump as the program had it") {
    under_each_mask(leave_without_mask);
}

static void leave_and_raise(void) {
    for (int times = 1; times < 30; times++) {
        rsig_sigset_t before = mask();
        calls = (struct check_calls){0};
        CHECK_INT(interrupt_by(leaving_handler, SA_RESTART | SA_NODEFER, 0), 1);
        for (int i = 0; i < times; i++) CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, 1 + times);
        nothing_is_left(before);
    }
}

TEST(left_and_raised, "also where the signal is raised again in between, however often") {
    under_each_mask(leave_and_raise);
}

static void leave_and_call(void) {
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
    read_ready_byte();
    ends(SYS_read, read_byte);
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 1), 1);
    ends(SYS_read, read_byte);
}

TEST(left_and_called, "and after the next call, which signals that land elsewhere end") {
    under_each_mask(leave_and_call);
}

TEST(left_and_unblocked, "what the program has unblocked since stays so") {
    set_up();
    set_mask(nearly_all);
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
    set_mask(0);
    CHECK_INT(rsig_pump(), 0);
    nothing_is_left(0);
}

static void *end_suspension(void *thread) {
    check_await_syscall(main_tid, SYS_rt_sigsuspend);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGALRM), 0);
    return NULL;
}

static void leave_and_suspend(void) {
    static const int flags[] = {SA_RESTART, SA_RESTART | SA_NODEFER};
    for (int i = 0; i < 2; i++) {
        pthread_t thread, self = pthread_self();
        sigset_t none;
        sigemptyset(&none);
        own(SIGALRM);
        plain_calls = 0;
        calls = (struct check_calls){0};
        /* The second time without the mask. */
        CHECK_INT(interrupt_by(leaving_handler, flags[i], !i), 1);
        CHECK_INT(pthread_create(&thread, NULL, end_suspension, &self), 0);
        int times = 0;
        while (!plain_calls) {
            sigsuspend(&none);
            times++;
        }
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(times <= 16); /* rsig's own number can end it a few times */
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, 1);
    }
}

TEST(left_and_suspended, "a sigsuspend() loop after that sleeps until the signal that it is for") {
    under_each_mask(leave_and_suspend);
}

/* ---- the queue ---- */

enum { IN_A_ROW = 10000 };
static atomic_int landed;
static int pokes;

/* Stays in the call until all have landed elsewhere. Everything is blocked here. */
static void slow_handler(int signum) {
    static const struct timespec now;
    sigset_t numbers;
    (void)signum;
    sigemptyset(&numbers);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) sigaddset(&numbers, n);
    landed = 0;
    while (landed != IN_A_ROW) sched_yield();
    while (sigtimedwait(&numbers, NULL, &now) > 0) pokes++;
    CHECK_INT(write(pipe_fds[1], "x", 1), 1); /* ends the call, as no poke does now */
}

static void *take_many_beside_slow_handler(void *unused) {
    set_mask(0);
    landed = -1;
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    while (landed < 0) sched_yield();
    for (int i = 0; i < IN_A_ROW; i++) {
        CHECK_INT(raise(SIGUSR1), 0);
        landed++;
    }
    return unused;
}

static void land_beside_slow_handler(void) {
    pthread_t thread;
    pokes = 0;
    calls = (struct check_calls){0};
    struct sigaction action = {.sa_handler = slow_handler, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    CHECK_INT(pthread_create(&thread, NULL, take_many_beside_slow_handler, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(pokes, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, IN_A_ROW);
    ends(SYS_read, read_byte);
}

TEST(slow_main_thread,
     "signals that land elsewhere while the main thread is kept in a call do not fill the queue") {
    under_each_mask(land_beside_slow_handler);
}
