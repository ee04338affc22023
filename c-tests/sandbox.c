/*
 * Under a filter that ends the process at any system call which docs/system_calls.md does not have.
 * What the program itself and the C library ask for is in lists of their own.
 */
#include "filter.h"
#include "tour.h"

/* ---- docs/system_calls.md ---- */

#define LIST(name, ...) static const long name[] = {__VA_ARGS__, -1}

LIST(anywhere, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_getpid, SYS_gettid,
     SYS_tgkill, SYS_futex, SYS_exit_group);
LIST(memory, SYS_brk, SYS_mmap, SYS_munmap, SYS_getrandom);
LIST(interrupting, SYS_rt_tgsigqueueinfo, SYS_getuid, SYS_rt_sigpending, SYS_rt_sigtimedwait,
     SYS_timer_create, SYS_timer_settime, SYS_timer_delete, SYS_rt_sigqueueinfo, SYS_kill);
LIST(pausing, SYS_ppoll);
LIST(descriptors, SYS_eventfd2, SYS_read, SYS_write, SYS_close);
LIST(forking, SYS_eventfd2, SYS_close, SYS_dup3);
LIST(wakeup_fd, SYS_fcntl, SYS_write, SYS_rt_sigpending, SYS_rt_sigtimedwait,
     SYS_rt_tgsigqueueinfo);
LIST(texts, SYS_write, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_tgsigqueueinfo);
LIST(their_own, SYS_kill, SYS_rt_sigqueueinfo, SYS_getuid, SYS_pidfd_open, SYS_pidfd_send_signal,
     SYS_setitimer, SYS_getitimer,
#ifdef SYS_alarm
     SYS_alarm,
#endif
     SYS_openat, SYS_read, SYS_write, SYS_accept4, SYS_connect, SYS_getpeername, SYS_fcntl,
     SYS_recvfrom, SYS_sendto, SYS_wait4, SYS_ppoll, SYS_clock_nanosleep, SYS_rt_sigpending);

/* ---- and of others ---- */

LIST(threads, SYS_clone3, SYS_clone, SYS_mprotect, SYS_madvise, SYS_rseq, SYS_set_robust_list,
     SYS_exit);
LIST(tours_own, SYS_pipe2, SYS_socket, SYS_bind, SYS_listen, SYS_getsockname, SYS_getppid,
#ifdef SYS_poll
     SYS_poll,
#endif
     SYS_ppoll, SYS_read, SYS_write, SYS_close);

static void say_which(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    fprintf(stderr, "system call %d is not in the list\n", info->si_syscall);
    _exit(1);
}

static void allow(const long *list) {
    for (; *list >= 0; list++) filter_answer(*list, SECCOMP_RET_ALLOW);
}

/* A SIGSYS that is blocked or has no handler kills. What CHECK says is let through. */
static void allow_only(const long *const *lists) {
    struct sigaction action = {.sa_sigaction = say_which, .sa_flags = SA_SIGINFO};
    if (sizeof(void *) < 8) check_skip("the C library makes others here");
    CHECK_SYS(sigaction(SIGSYS, &action, NULL));
    filter_begin();
    allow(anywhere);
    for (; *lists; lists++) allow(*lists);
    /* Three statements for write() alone. */
    filter_add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3));
    filter_add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                            offsetof(struct seccomp_data, args[0])));
    filter_add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDERR_FILENO, 0, 1));
    filter_add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    filter_install(SECCOMP_RET_TRAP, 0);
}

#define ALLOW_ONLY(...) allow_only((const long *const[]){__VA_ARGS__, NULL})

static struct check_calls calls;

static void use_handlers(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGTERM), NULL), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, RSIG_SIGSET(SIGTERM), NULL), RSIG_OK);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
}

TEST(handlers, "handlers and the pump take what is listed as anywhere, and memory") {
    ALLOW_ONLY(memory);
    use_handlers();
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(nothing_pending, "the pump takes none where nothing is pending, nor do the looks at what is") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    LIST(only_the_end, SYS_exit_group);
    filter_begin();
    allow(only_the_end);
    filter_install(SECCOMP_RET_KILL_PROCESS, 0);
    for (int i = 0; i < 1000; i++)
        if (rsig_pump() != 0 || rsig_tripped() || *rsig_tripped_flags()) _exit(1);
    _exit(0);
}

TEST(channels, "channels take no more") {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    ALLOW_ONLY(memory);
    use_handlers();
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR2), 1000, &channel), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(rsig_raise_signal(SIGUSR2), RSIG_OK);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(descriptors_to_poll, "rsig_fd() and rsig_channel_fd() take an eventfd's") {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    ALLOW_ONLY(memory, descriptors);
    use_handlers();
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 10, &channel), RSIG_OK);
    CHECK(rsig_fd() >= 0);
    CHECK(rsig_channel_fd(channel) >= 0);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void *take_signal(void *unused) {
    CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

TEST(waits, "waits take their own call, and what interrupts the main thread") {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    /* A channel's: that waits with a descriptor. */
    ALLOW_ONLY(memory, interrupting, pausing, descriptors, threads);
    use_handlers();
    pthread_t thread = tour_spawn(take_signal, NULL);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_wait(1e-6), 0);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 1000, &channel), RSIG_OK);
    CHECK_INT(rsig_channel_wait(channel, &info, 1e-6), 0);
    thread = tour_spawn(take_signal, NULL);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    if (RSIG_RACE_FREE) CHECK_INT(rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 1e-6, NULL), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(wakeup, "the wakeup fd takes fcntl and write, and what keeps SIGPIPE off") {
    int ends[2];
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    close(ends[0]);
    ALLOW_ONLY(memory, wakeup_fd);
    use_handlers();
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, NULL), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_pump(), 1); /* and a warning */
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(dumps, "the dumps take the same without fcntl") {
    ALLOW_ONLY(memory, texts);
    use_handlers();
    CHECK_INT(rsig_dump(STDOUT_FILENO), RSIG_OK);
    CHECK_INT(rsig_dump_json(STDOUT_FILENO), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(whole_tour, "the whole library takes what is listed, and no more") {
    ALLOW_ONLY(memory, interrupting, pausing, descriptors, forking, wakeup_fd, texts, their_own,
               threads, tours_own);
    tour();
    tour();
}

TEST(surprise, "a call that is not in the list is found") {
    int status;
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        ALLOW_ONLY(memory);
        rsig_init(0);
        rsig_fd();
        _exit(0);
    }
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
