/*
 * A plain handler that ends its thread by pthread_exit() while that waits in a call of rsig's: the
 * thread ends, as it does in the system's own calls, and rsig goes on.
 */
#include "check.h"

static int pipe_fds[2];
static pid_t tid;
static int ended_here;

static void end_thread(int signum) {
    (void)signum;
    pthread_exit(&ended_here);
}

static void *call_it(void *call) {
    __atomic_store_n(&tid, check_gettid(), __ATOMIC_RELEASE);
    ((void (*)(void))call)();
    return NULL;
}

static void ends(long number, void (*call)(void)) {
    struct sigaction action = {.sa_handler = end_thread};
    struct check_calls calls = {0};
    pthread_t thread;
    void *result;
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    CHECK_INT(pthread_create(&thread, NULL, call_it, (void *)call), 0);
    while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE)) sched_yield();
    check_await_syscall(tid, number);
    CHECK_INT(pthread_kill(thread, SIGUSR2), 0);
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == &ended_here);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void call_syscall(void) {
    char byte;
    rsig_syscall(SYS_read, pipe_fds[0], (long)&byte, 1, 0, 0, 0);
}

TEST(in_syscall, "rsig_syscall()") { ends(SYS_read, call_syscall); }

static void call_read(void) {
    char byte;
    rsig_read(pipe_fds[0], &byte, 1);
}

TEST(in_read, "rsig_read()") { ends(SYS_read, call_read); }

static void call_write(void) {
    static char bytes[1 << 20];
    rsig_write(pipe_fds[1], bytes, sizeof bytes);
}

TEST(in_write, "rsig_write()") { ends(SYS_write, call_write); }

static void call_poll(void) {
    struct pollfd fd = {.fd = pipe_fds[0], .events = POLLIN};
    rsig_poll(&fd, 1, -1);
}

TEST(in_poll, "rsig_poll()") { ends(SYS_ppoll, call_poll); }

static void call_sleep(void) { rsig_sleep(1e6); }

TEST(in_sleep, "rsig_sleep()") { ends(SYS_clock_nanosleep, call_sleep); }

static void call_pause(void) { rsig_pause(); }

TEST(in_pause, "rsig_pause()") { ends(SYS_ppoll, call_pause); }

static void call_sigwait(void) { rsig_sigwait(RSIG_SIGSET(SIGUSR1)); }

TEST(in_sigwait, "rsig_sigwait()") { ends(SYS_rt_sigtimedwait, call_sigwait); }

static void call_channel_wait(void) {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGHUP), 1, &channel), RSIG_OK);
    rsig_channel_wait(channel, &info, -1);
}

TEST(in_channel_wait, "rsig_channel_wait()") { ends(SYS_ppoll, call_channel_wait); }

static void become_main_and_read(void) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    call_read();
}

TEST(in_read_of_the_main_thread, "rsig_read() on the main thread") {
    ends(SYS_read, become_main_and_read);
}
