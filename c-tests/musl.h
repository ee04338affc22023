/*
 * What glibc has and musl has not. Included by check.h.
 */
#ifndef MUSL_H
#define MUSL_H

#include <netdb.h>
#include <ucontext.h>

/* The clock of a thread's processor time has the thread's number, inverted, above its three lowest bits. */
static inline int pthread_sigqueue(pthread_t thread, int signum, const union sigval value) {
    clockid_t clock;
    int code = pthread_getcpuclockid(thread, &clock);
    if (code != 0) return code;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = value;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), ~(clock >> 3), signum, &info) == 0 ? 0 : errno;
}

/* What calls one of these is in musl_cannot.txt. */
int getcontext(ucontext_t *context) {
    (void)context;
    abort();
}

struct mallinfo2 {
    size_t uordblks, hblkhd;
};

static inline struct mallinfo2 mallinfo2(void) { abort(); }

struct gaicb {
    const char *ar_name;
    const struct addrinfo *ar_request;
    struct addrinfo *ar_result;
};

enum { GAI_NOWAIT };

static inline int gai_error(struct gaicb *request) {
    (void)request;
    abort();
}

static inline int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event) {
    (void)mode, (void)list, (void)count, (void)event;
    abort();
}

#endif
