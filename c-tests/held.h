/*
 * A thread that is held where it is about to poke the main thread, whose call ends meanwhile. A
 * seccomp filter of its own has the kernel ask another thread whether that system call may begin.
 */
#ifndef HELD_H
#define HELD_H

#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static pid_t held_caller;
static int held_end;
static atomic_int held_questions, held_may_go_on;
static pthread_t held_sender, held_holder;

/* Takes SIGUSR1 when the caller sleeps in read(). */
static void *held_take_signal(void *unused) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_tgsigqueueinfo, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    sigset_t none;
    CHECK_SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                          &program);
    if (fd < 0) check_skip("the kernel has no notifications of seccomp");
    held_questions = fd;
    sigemptyset(&none);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
    check_await_syscall(held_caller, SYS_read);
    CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

static void *held_end_call(void *unused) {
    struct seccomp_notif sending = {0};
    while (held_questions == 0) sched_yield();
    CHECK_SYS(ioctl(held_questions, SECCOMP_IOCTL_NOTIF_RECV, &sending));
    CHECK_INT(sending.data.nr, SYS_rt_tgsigqueueinfo);
    CHECK_INT(write(held_end, "x", 1), 1);
    while (!held_may_go_on) sched_yield();
    struct seccomp_notif_resp go_on = {.id = sending.id};
    go_on.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (ioctl(held_questions, SECCOMP_IOCTL_NOTIF_SEND, &go_on) < 0)
        check_skip("the kernel cannot let a system call go on");
    return unused;
}

/*
 * Once in a process: the next read by rsig of the calling thread ends when the sender is held, by a
 * byte that is written to `end`.
 */
static void held_start(int end) {
    held_caller = check_gettid();
    held_end = end;
    CHECK_INT(pthread_create(&held_sender, NULL, held_take_signal, NULL), 0);
    CHECK_INT(pthread_create(&held_holder, NULL, held_end_call, NULL), 0);
}

/* Returns when it has been sent. */
static void held_let_go(void) {
    held_may_go_on = 1;
    CHECK_INT(pthread_join(held_holder, NULL), 0);
    CHECK_INT(pthread_join(held_sender, NULL), 0);
}

#endif
