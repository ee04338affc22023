/*
 * Uses all that the header defines. With AFTER_OTHERS, every common header has had its chance
 * before to define a macro of the same name as something in it; without, it stands alone. Compiled
 * as C and C++ of several standards, never run.
 */
#ifdef AFTER_OTHERS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <aio.h>
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <float.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>
#endif
#include <rsig.h>
/* Twice does no harm. */
#include <rsig.h>

/* An array of negative size where the condition does not hold. */
#define ASSERT(name, condition) typedef char assert_##name[(condition) ? 1 : -1]
#define AT(type, field, offset) ASSERT(type##_##field, offsetof(type, field) == (offset))

AT(rsig_siginfo_t, signo, 0);
AT(rsig_siginfo_t, code, 4);
AT(rsig_siginfo_t, error, 8);
AT(rsig_siginfo_t, pid, 12);
AT(rsig_siginfo_t, uid, 16);
AT(rsig_siginfo_t, status, 20);
AT(rsig_siginfo_t, band, 24);
AT(rsig_siginfo_t, value_int, 32);
AT(rsig_siginfo_t, overrun, 36);
AT(rsig_siginfo_t, value_ptr, 40);
AT(rsig_siginfo_t, count, 48);
AT(rsig_siginfo_t, fd, 52);
AT(rsig_siginfo_t, reserved, 56);
ASSERT(siginfo, sizeof(rsig_siginfo_t) == 128);
AT(rsig_action_t, handler, 0);
AT(rsig_action_t, arg, sizeof(void *));
ASSERT(action, sizeof(rsig_action_t) == 2 * sizeof(void *));
AT(rsig_itimer_t, delay, 0);
AT(rsig_itimer_t, interval, 8);
ASSERT(itimer, sizeof(rsig_itimer_t) == 16);
ASSERT(sigset, sizeof(rsig_sigset_t) == 8 && (rsig_sigset_t)-1 > 0);
ASSERT(status, sizeof(rsig_status) == sizeof(int) && RSIG_OK == 0 && RSIG_ERROR_VALUE == -1 &&
                   RSIG_ERROR_THREAD == -2 && RSIG_ERROR_OS == -3 && RSIG_ERROR_ITIMER == -4 &&
                   RSIG_ERROR_HANDLER == -5 && RSIG_ERROR_STATE == -6 &&
                   RSIG_ERROR_UNSUPPORTED == -7);
ASSERT(init, RSIG_INIT_NO_DEFAULTS == 1);
ASSERT(interrupt, RSIG_KEYBOARD_INTERRUPT == 128 + SIGINT);
ASSERT(one, RSIG_SIGSET(1) == 1 && RSIG_SIGSET(32 + 32) >> 63 == 1 &&
                ~RSIG_SIGSET(2) == (uint64_t)-3);
/* The preprocessor reads these too. */
#if RSIG_VERSION_MAJOR * 1000000 + RSIG_VERSION_MINOR * 1000 + RSIG_VERSION_PATCH < 1000
#error "no version"
#endif

static int on_signal(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)arg;
    return signum == info->signo && info->count > 0 ? RSIG_OK : RSIG_KEYBOARD_INTERRUPT;
}

static void on_warning(const char *message, void *arg) {
    (void)message;
    (void)arg;
}

int main(void) {
    struct rsig_action action = {on_signal, 0};
    struct rsig_itimer timer = {0.5, 0};
    struct rsig_siginfo info;
    enum rsig_status status = RSIG_OK;
    rsig_handler_t handler = rsig_default_int_handler;
    rsig_warning_hook_t hook = on_warning;
    if (action.handler == RSIG_DFL || action.handler == RSIG_IGN || action.handler == RSIG_FOREIGN)
        action.handler = handler;
    info.signo = rsig_init(RSIG_INIT_NO_DEFAULTS);
    info.signo += rsig_set_warning_hook(hook, &action);
    info.signo += rsig_signal(SIGINT, RSIG_IGN, &info, &action);
    info.signo += rsig_setitimer(ITIMER_REAL, timer.delay, timer.interval, &timer);
    info.signo += rsig_pthread_kill(rsig_get_ident(), 0);
    return info.signo == (int)status ? 0 : 1;
}
