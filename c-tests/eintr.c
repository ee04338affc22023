/*
 * EINTR from each system call of rsig's that can be interrupted, and from those that a supervisor
 * of a sandbox makes such: seccomp has another thread decide on each, which answers EINTR to the
 * n-th, for every n, or to every other one. The whole library works as if nothing had happened.
 */
#include "filter.h"
#include "tour.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

static const long calls[] = {
    SYS_read,     SYS_write,   SYS_ppoll,  SYS_rt_sigtimedwait, SYS_clock_nanosleep,
    SYS_openat,   SYS_accept4, SYS_connect, SYS_recvfrom,       SYS_sendto,
    SYS_wait4,    SYS_eventfd2, SYS_dup3,
};

static atomic_int listener, decided;
/* The n-th is EINTR; 0: each one that was not EINTR just before. */
static int nth;

/* Of one thread. */
static int was_interrupted(pid_t tid, int nr) {
    static struct { pid_t tid; int nr; } interrupted[8];
    for (int i = 0; i < 8; i++) {
        if (interrupted[i].tid == tid && interrupted[i].nr == nr)
            return interrupted[i].tid = 0, 1;
    }
    for (int i = 0; i < 8; i++) {
        if (interrupted[i].tid) continue;
        interrupted[i].tid = tid, interrupted[i].nr = nr;
        return 0;
    }
    return 1;
}

static void *decide(void *unused) {
    while (!listener) sched_yield();
    for (;;) {
        struct seccomp_notif call = {0};
        /* Who has asked can be gone. */
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) continue;
        struct seccomp_notif_resp answer = {.id = call.id};
        int number = ++decided;
        if (nth ? number == nth : !was_interrupted((pid_t)call.pid, call.data.nr))
            answer.error = -EINTR;
        else
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 && errno == EINVAL)
            check_skip("the kernel cannot let a system call go on");
    }
    return unused;
}

static int count_open(void) {
    int count = 0;
    for (int fd = 0; fd < 100; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void supervised_tour(void) {
    pthread_t thread = tour_spawn(decide, NULL);
    filter_begin();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        filter_answer(calls[i], SECCOMP_RET_USER_NOTIF);
    listener = filter_install(SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    int before = count_open();
    tour();
    CHECK_INT(count_open(), before);
    (void)thread;
    _exit(nth > decided ? 7 : 0);
}

TEST(each_in_turn, "one EINTR, at each of them in turn") {
    for (nth = 1;; nth++) {
        int status = check_child(supervised_tour);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) check_skip("see above");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 7) break;
        if (status) fprintf(stderr, "the %dth call\n", nth);
        CHECK_CHILD_OK(status);
    }
    printf("%d calls\n", nth - 1);
    CHECK(nth > 20);
}

TEST(all_of_them, "each of them is EINTR before it succeeds") {
    for (int i = 0; i < 20; i++) {
        int status = check_child(supervised_tour);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) check_skip("see above");
        CHECK_CHILD_OK(status);
    }
}
