/*
 * A signal that lands on another thread interrupts the main thread's call, whichever that is, and is
 * counted once.
 */
#include "landing.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- every call ---- */

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

TEST(polling, "rsig_poll()") { interrupts(SYS_ppoll, poll_pipe); }

TEST(sleeping, "rsig_sleep()") { interrupts(SYS_clock_nanosleep, sleep_long); }

TEST(waiting_for_handlers, "rsig_wait()") { interrupts(SYS_ppoll, wait_for_handlers); }

TEST(dispatching, "rsig_dispatch()") { interrupts(CHECK_SYS_SIGWAIT, dispatch); }

TEST(pausing, "rsig_pause()") { interrupts(SYS_ppoll, pause_here); }

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
