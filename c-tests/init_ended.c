/*
 * What needs rsig, and has begun when another thread's rsig_fini() is in the midst of its work, waits
 * for that and fails: nothing that it says it did is left behind. The program's own sigaction(), which
 * rsig_fini() calls, keeps it there.
 */
#include "check.h"
#include <dlfcn.h>
#include <stdatomic.h>

static pid_t main_tid;
static atomic_int has_begun;
static __thread int is_ending;

int sigaction(int signum, const struct sigaction *new, struct sigaction *old) {
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    if (is_ending) {
        is_ending = 0;
        has_begun = 1;
        check_await_syscall(main_tid, SYS_futex); /* it waits for rsig's lock */
    }
    return real(signum, new, old);
}

static void *end(void *unused) {
    is_ending = 1;
    CHECK_INT(rsig_fini(), RSIG_OK);
    return unused;
}

static void fails(int (*call)(void)) {
    pthread_t thread;
    main_tid = check_gettid();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, end, NULL), 0);
    while (!has_begun) sched_yield();
    CHECK_ERROR(call(), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

static void hear(const char *message, void *arg) { (void)message, (void)arg; }
static int set_hook(void) { return rsig_set_warning_hook(hear, NULL); }

TEST(warning_hook, "rsig_set_warning_hook()") { fails(set_hook); }

static void notice(int signum, void *arg) { (void)signum, (void)arg; }
static int set_notify(void) { return rsig_set_notify(notice, NULL); }

TEST(notify, "rsig_set_notify()") { fails(set_notify); }

static int set_wakeup_fd(void) {
    int ends[2];
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    return rsig_set_wakeup_fd(ends[1], 0, NULL);
}

TEST(wakeup_fd, "rsig_set_wakeup_fd()") { fails(set_wakeup_fd); }

static int set_signal(void) { return rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL); }

TEST(signal_set, "rsig_signal()") { fails(set_signal); }

static int siginterrupt_usr1(void) { return rsig_siginterrupt(SIGUSR1, 0); }

TEST(siginterrupted, "rsig_siginterrupt()") { fails(siginterrupt_usr1); }

static int open_channel(void) {
    rsig_channel_t *channel;
    return rsig_channel_open(RSIG_SIGSET(SIGUSR1), 1, &channel);
}

TEST(channel_opened, "rsig_channel_open()") { fails(open_channel); }

TEST(fd, "rsig_fd()") { fails(rsig_fd); }

TEST(main_thread, "rsig_set_main_thread()") { fails(rsig_set_main_thread); }

TEST(fini, "rsig_fini()") { fails(rsig_fini); }
