/* rsig_pidfd_send_signal(): sending to the process behind a descriptor. */
#include "check.h"

#include <limits.h>

static struct check_calls calls;

static int open_pidfd(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0 && errno == ENOSYS) check_skip("no pidfd_open() on this kernel");
    CHECK_SYS(fd);
    return fd;
}

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
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
    int status;
    CHECK_SYS(kill(child, SIGKILL));
    CHECK_INT(waitpid(child, &status, 0), child);
}

TEST(to_a_child, "the signal reaches the process behind the descriptor") {
    start();
    pid_t child = sleeping_child();
    int status, fd = open_pidfd(child);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_OK);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_CHILD_KILLED(status, SIGTERM);
}

TEST(by_a_proc_directory, "the descriptor may be an open /proc/PID directory") {
    start();
    char path[32];
    pid_t child = sleeping_child();
    snprintf(path, sizeof path, "/proc/%d", (int)child);
    int status, fd = open(path, O_DIRECTORY | O_CLOEXEC);
    CHECK_SYS(fd);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_OK);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_CHILD_KILLED(status, SIGTERM);
}

TEST(to_itself,
     "what it sends to its own process waits for the next pump, with the sender's record") {
    start();
    int fd = open_pidfd(getpid());
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 0), RSIG_OK);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.last_info.code, SI_USER);
    CHECK_INT(calls.last_info.pid, getpid());
    CHECK_INT(calls.last_info.uid, getuid());
}

TEST(runs_no_handlers, "it runs no pending handler, and so cannot be refused") {
    start();
    calls.result = 1;
    int fd = open_pidfd(getpid());
    raise(SIGUSR1);
    CHECK_INT(rsig_pidfd_send_signal(fd, 0, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 0), RSIG_OK);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(calls.deliveries, 2);
}

static int pidfd;

static void *send_from_another_thread(void *unused) {
    CHECK_INT(rsig_pidfd_send_signal(pidfd, SIGUSR1, NULL, 0), RSIG_OK);
    return unused;
}

TEST(from_another_thread, "any thread may call it") {
    pthread_t thread;
    start();
    pidfd = open_pidfd(getpid());
    CHECK_INT(pthread_create(&thread, NULL, send_from_another_thread, NULL), 0);
    CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(zero_sends_nothing, "0 only checks whether the process is there") {
    start();
    pid_t child = sleeping_child();
    int fd = open_pidfd(child);
    CHECK_INT(rsig_pidfd_send_signal(fd, 0, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_pidfd_send_signal(open_pidfd(getpid()), 0, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(waitpid(child, NULL, WNOHANG), 0);
    end_child(child);
}

TEST(to_a_dead_child,
     "a child that is dead takes signals until it is waited for, then it is ESRCH") {
    start();
    siginfo_t info;
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) _exit(0);
    int fd = open_pidfd(child);
    CHECK_SYS(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    CHECK_INT(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_OK);
    CHECK_INT(rsig_pidfd_send_signal(fd, 0, NULL, 0), RSIG_OK);
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_CHILD_OK(status);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_ERROR_OS, ESRCH);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, 0, NULL, 0), RSIG_ERROR_OS, ESRCH);
}

TEST(bad_descriptors, "what is no pidfd is RSIG_ERROR_OS with EBADF") {
    start();
    int ends[2], closed = open_pidfd(getpid());
    CHECK_SYS(pipe(ends));
    CHECK_SYS(close(closed));
    CHECK_ERROR(rsig_pidfd_send_signal(-1, 0, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_pidfd_send_signal(INT_MIN, 0, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_pidfd_send_signal(INT_MAX, 0, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_pidfd_send_signal(closed, 0, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_pidfd_send_signal(ends[0], 0, NULL, 0), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_pidfd_send_signal(ends[1], SIGUSR1, NULL, 0), RSIG_ERROR_OS, EBADF);
}

TEST(bad_signals, "a number that is no signal is RSIG_ERROR_OS with EINVAL") {
    const int bad[] = {-1, NSIG, INT_MAX, INT_MIN};
    start();
    int fd = open_pidfd(getpid());
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERROR(rsig_pidfd_send_signal(fd, bad[i], NULL, 0), RSIG_ERROR_OS, EINVAL);
}

TEST(bad_flags,
     "flags that the kernel does not know are RSIG_ERROR_OS with EINVAL, nothing is sent") {
    start();
    int fd = open_pidfd(getpid());
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, 1u << 31), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGUSR1, NULL, ~0u), RSIG_ERROR_OS, EINVAL);
    CHECK_INT(rsig_pump(), 0);
}

TEST(siginfo_must_be_null,
     "any other siginfo is RSIG_ERROR_VALUE, even a right one, nothing is sent") {
    start();
    siginfo_t info;
    int fd = open_pidfd(getpid());
    memset(&info, 0, sizeof info);
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGUSR1, &info, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGUSR1, (void *)1, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK_ERROR(rsig_pidfd_send_signal(-1, SIGUSR1, (void *)1, 0), RSIG_ERROR_VALUE, EINVAL);
    CHECK_INT(rsig_pump(), 0);
}

static void send_to_parent(void) {
    if (setresuid(65534, 65534, 65534)) check_skip("cannot become another user");
    CHECK_ERROR(rsig_pidfd_send_signal(pidfd, SIGUSR1, NULL, 0), RSIG_ERROR_OS, EPERM);
}

TEST(without_permission, "another user's process is RSIG_ERROR_OS with EPERM") {
    start();
    if (getuid() != 0) check_skip("needs root");
    pidfd = open_pidfd(getpid());
    int status = check_child(send_to_parent);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) check_skip("cannot become another user");
    CHECK_CHILD_OK(status);
    CHECK_INT(rsig_pump(), 0);
}

TEST(needs_init,
     "before rsig_init() and after rsig_fini() it is RSIG_ERROR_STATE, and nothing is sent") {
    int fd = open_pidfd(getpid());
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_pidfd_send_signal(fd, SIGTERM, NULL, 0), RSIG_ERROR_STATE, ENXIO);
}
