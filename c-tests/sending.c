/* rsig_kill(), rsig_sigqueue(), rsig_thread_kill(), rsig_pidfd_open(): what runs no handlers. */
#include "check.h"

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct check_calls usr1, usr2, real_time;

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMIN, check_handler, &real_time, NULL), RSIG_OK);
}

static void on_another_thread(void *(*body)(void *)) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static int status_of(pid_t child) {
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    return status;
}

/* A child that sleeps until a signal kills it. */
static pid_t sleeping_child(void) {
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0)
        for (;;) pause();
    return child;
}

static void end_child(pid_t child) {
    CHECK_SYS(kill(child, SIGKILL));
    CHECK_CHILD_KILLED(status_of(child), SIGKILL);
}

/* A number that was a child's a moment ago. */
static pid_t dead_pid(void) {
    pid_t child = sleeping_child();
    end_child(child);
    return child;
}

/* ---- what they share ---- */

static int send_kill(int signum) { return rsig_kill(getpid(), signum); }
static int send_queued(int signum) { return rsig_sigqueue(getpid(), signum, 7); }
static int send_to_thread(int signum) { return rsig_thread_kill(check_gettid(), signum); }

static int (*const to_self[])(int) = {send_kill, send_queued, send_to_thread};
enum { WAYS = sizeof to_self / sizeof *to_self };

TEST(to_itself, "what they send to their own process waits for the pump") {
    start();
    for (int way = 0; way < WAYS; way++) {
        CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
        CHECK_INT(usr1.calls, way);
        CHECK_INT(rsig_tripped(), 1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(usr1.calls, way + 1);
    }
}

TEST(run_no_handlers, "they run no pending handler either, and so cannot be refused") {
    start();
    usr1.result = usr2.result = 1;
    raise(SIGUSR2);
    for (int way = 0; way < WAYS; way++) CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
    for (int way = 0; way < WAYS; way++) CHECK_INT(to_self[way](0), RSIG_OK);
    int pidfd = rsig_pidfd_open(getpid(), 0);
    CHECK(pidfd >= 0);
    CHECK_INT(rsig_pidfd_send_signal(pidfd, SIGUSR1, NULL, 0), RSIG_OK);
    CHECK_INT(usr1.calls + usr2.calls, 0);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_ERROR(rsig_pump(), RSIG_ERROR_HANDLER, EINTR);
    CHECK_INT(usr1.deliveries, WAYS + 1);
    CHECK_INT(usr2.deliveries, 1);
}

TEST(zero_sends_nothing, "0 only checks") {
    start();
    pid_t child = sleeping_child();
    for (int way = 0; way < WAYS; way++) CHECK_INT(to_self[way](0), RSIG_OK);
    CHECK_INT(rsig_kill(child, 0), RSIG_OK);
    CHECK_INT(rsig_sigqueue(child, 0, 1), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(waitpid(child, NULL, WNOHANG), 0);
    end_child(child);
}

TEST(invalid_numbers, "a number that is no signal is RSIG_ERROR_OS with EINVAL") {
    const int bad[] = {-1, NSIG, INT_MAX, INT_MIN};
    start();
    for (int way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            CHECK_ERROR(to_self[way](bad[i]), RSIG_ERROR_OS, EINVAL);
            CHECK(strstr(rsig_error_message(), "1 to 64"));
        }
}

static void *send_all_ways(void *unused) {
    for (int way = 0; way < WAYS; way++) CHECK_INT(to_self[way](SIGUSR1), RSIG_OK);
    int fd = rsig_pidfd_open(getpid(), 0);
    CHECK(fd >= 0);
    CHECK_SYS(close(fd));
    for (int way = 0; way < WAYS; way++) CHECK_ERROR(to_self[way](-1), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_pidfd_open(-1, 0), RSIG_ERROR_OS, EINVAL);
    return unused;
}

TEST(from_another_thread, "any thread may call them, and the handler runs on the main thread") {
    start();
    on_another_thread(send_all_ways);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK(usr1.deliveries >= 1 && usr1.deliveries <= WAYS);
}

TEST(needs_init, "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE") {
    for (int round = 0; round < 2; round++) {
        /* Each would kill. */
        for (int way = 0; way < WAYS; way++)
            CHECK_ERROR(to_self[way](SIGTERM), RSIG_ERROR_STATE, ENXIO);
        CHECK_ERROR(rsig_pidfd_open(getpid(), 0), RSIG_ERROR_STATE, ENXIO);
        start();
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

/* ---- rsig_kill() ---- */

TEST(kill_a_process, "rsig_kill() sends to a process") {
    start();
    pid_t child = sleeping_child();
    CHECK_INT(rsig_kill(child, SIGTERM), RSIG_OK);
    CHECK_CHILD_KILLED(status_of(child), SIGTERM);
}

/* Two that sleep, in a process group of their own, and its number. */
static pid_t sleeping_group(pid_t *other) {
    pid_t leader = sleeping_child();
    CHECK_SYS(setpgid(leader, leader));
    *other = sleeping_child();
    CHECK_SYS(setpgid(*other, leader));
    return leader;
}

TEST(kill_a_group, "below -1 it is a process group, all of it and no other") {
    pid_t other, outside;
    start();
    pid_t group = sleeping_group(&other);
    outside = sleeping_child();
    CHECK_INT(rsig_kill(-group, SIGTERM), RSIG_OK);
    CHECK_CHILD_KILLED(status_of(group), SIGTERM);
    CHECK_CHILD_KILLED(status_of(other), SIGTERM);
    CHECK_INT(waitpid(outside, NULL, WNOHANG), 0);
    end_child(outside);
    CHECK_ERROR(rsig_kill(-group, SIGTERM), RSIG_ERROR_OS, ESRCH);
}

/* With a handler, which its child has not, so that it survives its own. */
static void kill_own_group(void) {
    CHECK_SYS(setpgid(0, 0));
    pid_t child = sleeping_child();
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_kill(0, SIGTERM), RSIG_OK);
    CHECK_CHILD_KILLED(status_of(child), SIGTERM);
    CHECK_INT(usr1.calls, 0);
    CHECK_INT(rsig_pump(), 1);
}

TEST(kill_own_group_by_0, "0 is the caller's process group, itself included") {
    start();
    CHECK_CHILD_OK(check_child(kill_own_group));
    CHECK_INT(rsig_pump(), 0);
}

/* A test has no business with everybody: 0 only checks. */
TEST(kill_everybody, "-1 is everybody that the caller may send to") {
    start();
    pid_t child = sleeping_child();
    CHECK_INT(rsig_kill(-1, 0), RSIG_OK);
    end_child(child);
}

TEST(kill_nobody, "no such process is RSIG_ERROR_OS with ESRCH, and the message has its number") {
    char number[16];
    start();
    pid_t dead = dead_pid();
    snprintf(number, sizeof number, " %d", (int)dead);
    CHECK_ERROR(rsig_kill(dead, SIGTERM), RSIG_ERROR_OS, ESRCH);
    CHECK(strstr(rsig_error_message(), number));
    CHECK(strstr(rsig_error_message(), "SIGTERM"));
    CHECK_ERROR(rsig_kill(INT_MAX, SIGTERM), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_kill(INT_MIN, SIGTERM), RSIG_ERROR_OS, ESRCH);
}

TEST(kill_the_dead, "a child that is dead takes signals until it is waited for") {
    siginfo_t info;
    start();
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) _exit(0);
    CHECK_SYS(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    CHECK_INT(rsig_kill(child, SIGTERM), RSIG_OK);
    CHECK_INT(rsig_sigqueue(child, SIGTERM, 1), RSIG_OK);
    CHECK_CHILD_OK(status_of(child));
}

static pid_t parent;

static void send_to_parent(void) {
    if (setresuid(65534, 65534, 65534)) check_skip("cannot become another user");
    CHECK_ERROR(rsig_kill(parent, SIGUSR1), RSIG_ERROR_OS, EPERM);
    CHECK_ERROR(rsig_sigqueue(parent, SIGUSR1, 1), RSIG_ERROR_OS, EPERM);
    CHECK_ERROR(rsig_kill(parent, 0), RSIG_ERROR_OS, EPERM);
}

TEST(without_permission, "another user's process is RSIG_ERROR_OS with EPERM") {
    start();
    if (getuid() != 0) check_skip("needs root");
    parent = getpid();
    int status = check_child(send_to_parent);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) check_skip("cannot become another user");
    CHECK_CHILD_OK(status);
    CHECK_INT(rsig_pump(), 0);
}

/* ---- rsig_sigqueue() ---- */

static void queue_to_parent(void) {
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0)
        _exit(rsig_sigqueue(getppid(), SIGRTMIN, UINT64_C(0xfedcba9876543210)) != RSIG_OK);
    int status;
    while (waitpid(child, &status, 0) < 0) CHECK_INT(errno, EINTR);
    CHECK_CHILD_OK(status);
}

TEST(queue_a_payload, "rsig_sigqueue() sends all 64 bits, from this process or another") {
    start();
    if (sizeof(void *) != 8) check_skip("a payload has 32 bits here");
    queue_to_parent();
    while (real_time.calls < 1) CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK(real_time.last_info.value_ptr == UINT64_C(0xfedcba9876543210));
    CHECK_INT(rsig_sigqueue(getpid(), SIGRTMIN, UINT64_MAX), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK(real_time.last_info.value_ptr == UINT64_MAX);
    CHECK_INT(real_time.last_info.value_int, -1);
}

static void plain_handler(int signum, siginfo_t *info, void *context) {
    (void)context;
    _exit(signum == SIGRTMIN && info->si_code == SI_QUEUE && info->si_pid == parent &&
          info->si_uid == getuid() && info->si_value.sival_ptr == (void *)&real_time ? 7 : 1);
}

static int ready[2];

/* Somebody who knows nothing of rsig. */
static pid_t plain_receiver(void) {
    char byte;
    CHECK_SYS(pipe(ready));
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = plain_handler;
        if (sigaction(SIGRTMIN, &action, NULL) || write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    CHECK_INT(read(ready[0], &byte, 1), 1);
    return child;
}

TEST(queue_to_anybody,
     "a plain sigaction() handler finds sender and payload as sigqueue() has them") {
    start();
    parent = getpid();
    pid_t child = plain_receiver();
    CHECK_INT(rsig_sigqueue(child, SIGRTMIN, (uintptr_t)&real_time), RSIG_OK);
    int status = status_of(child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
}

static void limit_queue(rlim_t places) {
    struct rlimit limit;
    CHECK_SYS(getrlimit(RLIMIT_SIGPENDING, &limit));
    limit.rlim_cur = places;
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &limit));
}

TEST(queue_is_full,
     "a full queue is RSIG_ERROR_OS with EAGAIN and says so; what was queued stays, in order") {
    struct rlimit before;
    rsig_sigset_t set = RSIG_SIGSET(SIGRTMIN);
    rsig_siginfo_t info;
    start();
    CHECK_SYS(getrlimit(RLIMIT_SIGPENDING, &before));
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
    for (unsigned i = 1; i <= 3; i++) CHECK_INT(rsig_sigqueue(getpid(), SIGRTMIN, i), RSIG_OK);
    limit_queue(0);
    for (int i = 0; i < 3; i++) {
        CHECK_ERROR(rsig_sigqueue(getpid(), SIGRTMIN, 99), RSIG_ERROR_OS, EAGAIN);
        CHECK(strstr(rsig_error_message(), "full"));
        CHECK(strstr(rsig_error_message(), "RLIMIT_SIGPENDING"));
        CHECK(strstr(rsig_error_message(), "SIGRTMIN"));
        CHECK_ERROR(rsig_thread_kill(check_gettid(), SIGRTMIN), RSIG_ERROR_OS, EAGAIN);
    }
    limit_queue(before.rlim_cur);
    CHECK_INT(rsig_sigqueue(getpid(), SIGRTMIN, 4), RSIG_OK);
    for (int i = 1; i <= 4; i++) {
        CHECK_INT(rsig_sigtimedwait(set, 0, &info), SIGRTMIN);
        CHECK_INT(info.value_ptr, i);
    }
    CHECK_INT(rsig_sigtimedwait(set, 0, &info), 0);
}

TEST(queue_to_nobody, "no such process is RSIG_ERROR_OS with ESRCH; a group is none") {
    start();
    CHECK_ERROR(rsig_sigqueue(dead_pid(), SIGTERM, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_sigqueue(INT_MAX, SIGTERM, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_sigqueue(0, SIGTERM, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_sigqueue(-1, SIGTERM, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_sigqueue(-getpgrp(), SIGTERM, 0), RSIG_ERROR_OS, ESRCH);
}

/* ---- rsig_thread_kill() ---- */

static atomic_int tid;
static int ends[2];

/* Its read ends with EINTR when a signal lands here. */
static void *be_interrupted(void *unused) {
    char byte;
    tid = check_gettid();
    CHECK_INT(read(ends[0], &byte, 1), -1);
    CHECK_INT(errno, EINTR);
    return unused;
}

TEST(thread_of_this_process, "rsig_thread_kill() sends to that thread and no other") {
    pthread_t thread;
    start();
    CHECK_SYS(pipe(ends));
    CHECK_INT(pthread_create(&thread, NULL, be_interrupted, NULL), 0);
    while (!tid) sched_yield();
    check_await_syscall(tid, SYS_read);
    CHECK_INT(rsig_thread_kill(tid, 0), RSIG_OK);
    CHECK_INT(rsig_thread_kill(tid, SIGUSR1), RSIG_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(usr1.calls, 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(usr1.deliveries, 1);
}

static void *note_tid(void *unused) {
    tid = check_gettid();
    return unused;
}

TEST(thread_that_is_dead, "one that has ended is RSIG_ERROR_OS with ESRCH, joined or not") {
    pthread_t thread;
    char number[16];
    start();
    CHECK_INT(pthread_create(&thread, NULL, note_tid, NULL), 0);
    while (!tid || syscall(SYS_tgkill, getpid(), tid, 0) == 0) sched_yield();
    CHECK_ERROR(rsig_thread_kill(tid, SIGTERM), RSIG_ERROR_OS, ESRCH);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_ERROR(rsig_thread_kill(tid, SIGTERM), RSIG_ERROR_OS, ESRCH);
    snprintf(number, sizeof number, " %d", tid);
    CHECK(strstr(rsig_error_message(), number));
    CHECK_ERROR(rsig_thread_kill(INT_MAX, SIGTERM), RSIG_ERROR_OS, ESRCH);
}

TEST(thread_of_another_process, "another process's thread is ESRCH, and gets nothing") {
    start();
    pid_t child = sleeping_child();
    CHECK_ERROR(rsig_thread_kill(child, SIGKILL), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_thread_kill(getppid(), 0), RSIG_ERROR_OS, ESRCH);
    CHECK_INT(waitpid(child, NULL, WNOHANG), 0);
    end_child(child);
}

static void thread_kill_in_child(void) {
    CHECK_ERROR(rsig_thread_kill(getppid(), SIGUSR1), RSIG_ERROR_OS, ESRCH);
    CHECK_INT(rsig_thread_kill(check_gettid(), SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
}

TEST(thread_after_fork, "in a forked child it is the child's threads") {
    start();
    CHECK_INT(rsig_thread_kill(check_gettid(), 0), RSIG_OK);
    CHECK_CHILD_OK(check_child(thread_kill_in_child));
    CHECK_INT(rsig_pump(), 0);
}

TEST(thread_bad_tids, "0 and less are RSIG_ERROR_OS with EINVAL") {
    start();
    CHECK_ERROR(rsig_thread_kill(0, SIGTERM), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_thread_kill(-1, SIGTERM), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_thread_kill(-getpid(), SIGTERM), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_thread_kill(INT_MIN, SIGTERM), RSIG_ERROR_OS, EINVAL);
}

TEST(thread_the_c_librarys_own, "so are the C library's own signals, which it would act on") {
    start();
    for (int signum = SIGSYS + 1; signum < SIGRTMIN; signum++)
        CHECK_ERROR(rsig_thread_kill(check_gettid(), signum), RSIG_ERROR_OS, EINVAL);
}

/* ---- rsig_pidfd_open() ---- */

static int open_pidfd(pid_t pid, unsigned flags) {
    int fd = rsig_pidfd_open(pid, flags);
    if (fd == RSIG_ERROR_UNSUPPORTED) check_skip("no pidfd_open() on this kernel");
    CHECK(fd >= 0);
    return fd;
}

TEST(pidfd_sends, "rsig_pidfd_open() stands for the process, which can be sent to") {
    start();
    pid_t child = sleeping_child();
    int fd = open_pidfd(child, 0);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_OK);
    CHECK_CHILD_KILLED(status_of(child), SIGTERM);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_SYS(close(fd));
}

TEST(pidfd_is_readable, "poll() sees its end, and not before") {
    start();
    pid_t child = sleeping_child();
    struct pollfd polled = {.fd = open_pidfd(child, 0), .events = POLLIN};
    CHECK_INT(poll(&polled, 1, 0), 0);
    CHECK_SYS(kill(child, SIGTERM));
    CHECK_INT(poll(&polled, 1, -1), 1);
    CHECK(polled.revents & POLLIN);
    CHECK_CHILD_KILLED(status_of(child), SIGTERM);
}

TEST(pidfd_close_on_exec, "it is close-on-exec") {
    start();
    CHECK_INT(fcntl(open_pidfd(getpid(), 0), F_GETFD), FD_CLOEXEC);
}

TEST(pidfd_flags, "flags are passed through: O_NONBLOCK makes it nonblocking") {
    start();
    CHECK(!(fcntl(open_pidfd(getpid(), 0), F_GETFL) & O_NONBLOCK));
    int fd = rsig_pidfd_open(getpid(), O_NONBLOCK);
    if (fd < 0 && errno == EINVAL) check_skip("this kernel has no PIDFD_NONBLOCK");
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

TEST(pidfd_bad_flags, "flags that the kernel does not know are RSIG_ERROR_OS with EINVAL") {
    start();
    open_pidfd(getpid(), 0);
    CHECK_ERROR(rsig_pidfd_open(getpid(), 1u << 31), RSIG_ERROR_OS, EINVAL);
    CHECK(strstr(rsig_error_message(), "0x80000000"));
    CHECK_ERROR(rsig_pidfd_open(getpid(), ~0u), RSIG_ERROR_OS, EINVAL);
}

TEST(pidfd_bad_pids, "a pid of 0 or less is EINVAL, no such process ESRCH") {
    const pid_t bad[] = {0, -1, INT_MIN};
    start();
    open_pidfd(getpid(), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERROR(rsig_pidfd_open(bad[i], 0), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_pidfd_open(dead_pid(), 0), RSIG_ERROR_OS, ESRCH);
}

TEST(pidfd_no_descriptor_left, "where no descriptor is free it is RSIG_ERROR_OS with EMFILE") {
    start();
    open_pidfd(getpid(), 0);
    struct rlimit before, limit;
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    limit = before, limit.rlim_cur = 3;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_ERROR(rsig_pidfd_open(getpid(), 0), RSIG_ERROR_OS, EMFILE);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
}

/* From now on the kernel lacks one system call. */
static void forbid(unsigned number) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        check_skip("no filter for system calls here");
}

TEST(pidfd_unsupported, "an older kernel is RSIG_ERROR_UNSUPPORTED") {
    start();
    int fd = open_pidfd(getpid(), 0);
    forbid(SYS_pidfd_open);
    CHECK_ERROR(rsig_pidfd_open(getpid(), 0), RSIG_ERROR_UNSUPPORTED, ENOSYS);
    CHECK(strstr(rsig_error_message(), "pidfd_open"));
    forbid(SYS_pidfd_send_signal);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, 0, NULL, 0), RSIG_ERROR_UNSUPPORTED, ENOSYS);
}

/* ---- rsig_pidfd_send_signal()'s flags, from Linux 6.9 ---- */

/* <linux/pidfd.h> may be older. */
enum { OF_THREAD = O_EXCL, TO_THREAD = 1, TO_PROCESS = 2, TO_GROUP = 4 };

static void need_flags(int fd) {
    if (rsig_pidfd_send_signal(fd, 0, NULL, TO_THREAD) == RSIG_OK) return;
    CHECK_INT(errno, EINVAL);
    check_skip("this kernel has no PIDFD_SIGNAL_THREAD");
}

TEST(pidfd_to_a_thread, "PIDFD_SIGNAL_THREAD: that one thread; the record has the thread's code") {
    start();
    int fd = open_pidfd(getpid(), 0);
    need_flags(fd);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr1.last_info.code, SI_USER);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, TO_THREAD), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr1.last_info.code, SI_TKILL);
    CHECK_INT(usr1.last_info.pid, getpid());
}

/* Its thread accepts what has been sent to it alone. */
static void *accept_later(void *unused) {
    char byte;
    rsig_siginfo_t info;
    tid = check_gettid();
    CHECK_INT(read(ends[0], &byte, 1), 1);
    CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGUSR1), 0, &info), SIGUSR1);
    CHECK_INT(info.code, SI_TKILL);
    return unused;
}

TEST(pidfd_of_a_thread,
     "PIDFD_THREAD is a thread; 0 sends to it, PIDFD_SIGNAL_THREAD_GROUP to its process") {
    pthread_t thread;
    rsig_siginfo_t info;
    rsig_sigset_t set = RSIG_SIGSET(SIGUSR1);
    start();
    need_flags(open_pidfd(getpid(), 0));
    CHECK_SYS(pipe(ends));
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, accept_later, NULL), 0);
    while (!tid) sched_yield();
    int fd = open_pidfd(tid, OF_THREAD), result = rsig_pidfd_open(tid, 0);
    CHECK(result == RSIG_ERROR_OS && (errno == EINVAL || errno == ENOENT));
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(set, 0, NULL), 0);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, TO_PROCESS), RSIG_OK);
    CHECK_INT(rsig_sigtimedwait(set, 0, &info), SIGUSR1);
    CHECK_INT(info.code, SI_USER);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(pidfd_to_a_group, "PIDFD_SIGNAL_PROCESS_GROUP: the group that the process leads") {
    pid_t other;
    start();
    need_flags(open_pidfd(getpid(), 0));
    pid_t group = sleeping_group(&other);
    CHECK_INT(rsig_pidfd_send_signal(open_pidfd(group, 0), SIGTERM, NULL, TO_GROUP), RSIG_OK);
    CHECK_CHILD_KILLED(status_of(group), SIGTERM);
    CHECK_CHILD_KILLED(status_of(other), SIGTERM);
}

TEST(pidfd_two_flags, "what the kernel does not allow together is RSIG_ERROR_OS with EINVAL") {
    start();
    int fd = open_pidfd(getpid(), 0);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, TO_THREAD | TO_GROUP), RSIG_ERROR_OS,
                EINVAL);
    CHECK(strstr(rsig_error_message(), "0x5"));
    CHECK_INT(rsig_pump(), 0);
}
