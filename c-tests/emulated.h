/*
 * Programs of aarch64 under qemu-user on x86-64 (-DCHECK_EMULATED). Included by check.h.
 */
#ifndef EMULATED_H
#define EMULATED_H

/* /proc shows the host's number of a system call. */
static inline long check_shown(long number) {
    static const struct {
        long own, host;
    } calls[] = {
        {SYS_read, 0},          {SYS_write, 1},          {SYS_close, 3},
        {SYS_rt_sigtimedwait, 128}, {SYS_connect, 42},   {SYS_sendto, 44},
        {SYS_recvfrom, 45},     {SYS_wait4, 61},         {SYS_rt_sigsuspend, 130},
        {SYS_futex, 202},       {SYS_clock_nanosleep, 230}, {SYS_openat, 257},
        {SYS_ppoll, 271},       {SYS_accept4, 288},      {SYS_restart_syscall, 219},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].own == number) return calls[i].host;
    abort();
}

/* qemu takes the highest real-time signals for itself, and does not say so. This is SIGRTMAX, for rsig too. */
#ifdef __cplusplus
extern "C" int __libc_current_sigrtmax(void) throw() { return 60; }
#else
int __libc_current_sigrtmax(void) { return 60; }
#endif

#endif
