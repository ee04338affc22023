/* A system call that a filter answers with SIGSYS (SECCOMP_RET_TRAP): its result is the handler's to make. */
#include "filter.h"
#include <sys/ucontext.h>

/* Of the kernel's, in si_code; and a result that no error is. */
enum { SECCOMP_CODE = 1, MADE_UP = 4242, ARGUMENT = 7 };

static void trap_getsid(void) {
    filter_begin();
    filter_answer(SYS_getsid, SECCOMP_RET_TRAP);
    filter_install(SECCOMP_RET_ALLOW, 0);
}

#define CHECK_REFUSED(call)                                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK_INT(call, -1);                                                                       \
        CHECK_INT(errno, ENOSYS);                                                                  \
    } while (0)

static int note_code(int signum, const rsig_siginfo_t *info, void *code) {
    CHECK_INT(signum, SIGSYS);
    *(int *)code = info->code;
    return 0;
}

TEST(handled, "with a handler of rsig's the call fails with ENOSYS, and the handler is told of it") {
    int code = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGSYS, note_code, &code, NULL), RSIG_OK);
    trap_getsid();
    CHECK_REFUSED(syscall(SYS_getsid));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(code, SECCOMP_CODE);
    code = 0;
    CHECK_REFUSED(rsig_syscall(SYS_getsid, 0, 0, 0, 0, 0, 0));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(code, SECCOMP_CODE);
}

TEST(heard, "so it does with a channel where the signal would have killed") {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGSYS), 4, &channel), RSIG_OK);
    trap_getsid();
    CHECK_REFUSED(syscall(SYS_getsid));
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(info.signo, SIGSYS);
    CHECK_INT(info.code, SECCOMP_CODE);
}

/* ---- somebody else makes the result ---- */

static struct sigaction displaced;

static void make_up(int signum, siginfo_t *info, void *context) {
    mcontext_t *registers = &((ucontext_t *)context)->uc_mcontext;
    (void)signum, (void)info;
    /* As the kernel left them, who needs the call's number or its arguments. */
#if defined __x86_64__
    CHECK_INT(registers->gregs[REG_RAX], SYS_getsid);
    registers->gregs[REG_RAX] = MADE_UP;
#elif defined __i386__
    CHECK_INT(registers->gregs[REG_EAX], SYS_getsid);
    registers->gregs[REG_EAX] = MADE_UP;
#elif defined __aarch64__
    CHECK_INT(registers->regs[0], ARGUMENT);
    registers->regs[0] = MADE_UP;
#else
    check_skip("not known here");
#endif
}

static void make_up_and_pass_on(int signum, siginfo_t *info, void *context) {
    make_up(signum, info, context);
    displaced.sa_sigaction(signum, info, context);
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(SIGSYS, &action, &displaced));
}

TEST(made_beneath, "somebody else's handler beneath a channel has its own way with the result") {
    rsig_channel_t *channel;
    install(make_up);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGSYS), 4, &channel), RSIG_OK);
    trap_getsid();
    CHECK_INT(syscall(SYS_getsid, ARGUMENT), MADE_UP);
}

TEST(made_above, "so has one that passes the signal on to rsig's, its work done") {
    int code = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGSYS, note_code, &code, NULL), RSIG_OK);
    install(make_up_and_pass_on);
    trap_getsid();
    CHECK_INT(syscall(SYS_getsid, ARGUMENT), MADE_UP);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(code, SECCOMP_CODE);
}

/* ---- no filter's ---- */

TEST(sent, "one that is sent changes no result, nor one that a process forges for itself") {
    siginfo_t forged;
    int code = 0;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGSYS, note_code, &code, NULL), RSIG_OK);
    CHECK_INT(syscall(SYS_tgkill, getpid(), check_gettid(), SIGSYS), 0);
    CHECK_INT(rsig_pump(), 1);
    memset(&forged, 0, sizeof forged);
    forged.si_signo = SIGSYS, forged.si_code = SECCOMP_CODE;
    CHECK_INT(syscall(SYS_rt_tgsigqueueinfo, getpid(), check_gettid(), SIGSYS, &forged), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(code, SECCOMP_CODE);
}
