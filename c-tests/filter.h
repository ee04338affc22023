/* A filter for the system calls of the calling thread, and of those that it makes (seccomp(2)). */
#ifndef FILTER_H
#define FILTER_H

#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define FILTER_UNUSED __attribute__((unused))

static struct sock_filter filter_code[400];
static unsigned short filter_length;

static void filter_add(struct sock_filter statement) {
    if (filter_length == sizeof filter_code / sizeof *filter_code) abort();
    filter_code[filter_length++] = statement;
}

static void filter_begin(void) {
    filter_length = 0;
    filter_add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                            offsetof(struct seccomp_data, nr)));
}

/* What becomes of one call: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | ENOSYS ... */
static void filter_answer(long number, unsigned answer) {
    filter_add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1));
    filter_add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* And of all others. With SECCOMP_FILTER_FLAG_NEW_LISTENER it is a descriptor, else 0. */
static int filter_install(unsigned otherwise, unsigned flags) {
    filter_add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise));
    struct sock_fprog program = {filter_length, filter_code};
    CHECK_SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    int result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (result < 0) check_skip("no filter for system calls here");
    return result;
}

/* From now on one call fails so. */
FILTER_UNUSED static void filter_fail(long number, unsigned error) {
    filter_begin();
    filter_answer(number, SECCOMP_RET_ERRNO | error);
    filter_install(SECCOMP_RET_ALLOW, 0);
}

#endif
