/*
 * A child that is stopped before each instruction of a call, for a test of what may happen there.
 * All but the child's part is its tracer's.
 *
 * To come to an instruction by single steps from the entry would make a test's time the square of
 * the call's length. So a position is counted from the last system call before it, which the
 * kernel stops at; only from there on the child is stepped.
 */
#ifndef STEP_H
#define STEP_H

#include "check.h"
#include <elf.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STEP_UNUSED __attribute__((unused))

/* In the child, on the thread that is to be stopped; its parent is the tracer. */
STEP_UNUSED static void step_allow(void) { CHECK_SYS(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

/* Just before the call. */
STEP_UNUSED static void step_tell(void) { raise(SIGSTOP); }

/* The thread, and where it is to be stopped: after so many system calls and instructions. */
static pid_t step_tid;
static struct step_position {
    int calls, steps, count;
} step_position;

struct step_registers {
    unsigned long counter, stack, number, argument, link;
};

/* `number` and `argument` are a system call's, where it has stopped for one. */
static struct step_registers step_registers(void) {
    struct user_regs_struct raw;
    struct iovec iovec = {&raw, sizeof raw};
    CHECK_SYS(ptrace(PTRACE_GETREGSET, step_tid, (void *)NT_PRSTATUS, &iovec));
#if defined(__x86_64__)
    return (struct step_registers){raw.rip, raw.rsp, raw.orig_rax, raw.rdi, 0};
#elif defined(__aarch64__)
    return (struct step_registers){raw.pc, raw.sp, raw.regs[8], raw.regs[0], raw.regs[30]};
#else
    return (struct step_registers){0}; /* there is no stub to be stepped through */
#endif
}

/* At a function's entry. */
static unsigned long step_return_address(struct step_registers entry) {
#if defined(__x86_64__)
    return (unsigned long)ptrace(PTRACE_PEEKDATA, step_tid, (void *)entry.stack, NULL);
#else
    return entry.link;
#endif
}

static int step_is_at_system_call(unsigned long counter) {
    long code = ptrace(PTRACE_PEEKTEXT, step_tid, (void *)counter, NULL);
#if defined(__x86_64__)
    return (code & 0xffff) == 0x050f;
#else /* aarch64 */
    return (code & 0xffffffff) == 0xd4000001;
#endif
}

enum { STEP_AT_SYSTEM_CALL = SIGTRAP | 0x80 };

/* The signal that it stops for; 0 when it has ended well; with WNOHANG -1: neither. */
static int step_await(int options) {
    int status;
    pid_t got = waitpid(step_tid, &status, __WALL | options);
    CHECK_SYS(got);
    if (got == 0) return -1;
    if (WIFSTOPPED(status)) return WSTOPSIG(status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        CHECK_FAIL("position %d: the child's wait status is %#x", step_position.count,
                   (unsigned)status);
    return 0;
}

STEP_UNUSED static void step_go_on(int signum) {
    CHECK_SYS(ptrace(PTRACE_CONT, step_tid, NULL, (void *)(long)signum));
}

static void step_one(void) {
    CHECK_SYS(ptrace(PTRACE_SINGLESTEP, step_tid, NULL, NULL));
    CHECK_INT(step_await(0), SIGTRAP);
}

/* To the entry of the next system call, or from there to its end. */
static void step_to_system_call(void) {
    CHECK_SYS(ptrace(PTRACE_SYSCALL, step_tid, NULL, NULL));
    CHECK_INT(step_await(0), STEP_AT_SYSTEM_CALL);
}

/* When it has stopped for the first time. */
STEP_UNUSED static void step_begin(void) {
    const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
    CHECK_SYS(ptrace(PTRACE_SETOPTIONS, step_tid, NULL, (void *)options));
}

/* Whether a thread sleeps in a system call; `fd`: one whose first argument is that; -1: any. */
STEP_UNUSED static int step_sleeps(pid_t tid, long number, int fd) {
    unsigned long argument;
    return check_sleeps(tid, number, &argument) && (fd < 0 || argument == (unsigned long)fd);
}

/* Whether something is tripped in the child, which is a fork, and so has that at the same place. */
STEP_UNUSED static int step_has_tripped(pid_t pid) {
    uint64_t flags = 0;
    struct iovec here = {&flags, sizeof flags};
    struct iovec there = {(void *)(size_t)rsig_tripped_flags(), sizeof flags};
    /* A child that has ended has none. */
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof flags && flags != 0;
}

enum step_place {
    STEP_INSIDE,
    STEP_RETURNED,
    STEP_SLEEPS, /* no instruction: it is about to go to sleep, in the kernel */
};

/* From step_tell(). */
STEP_UNUSED static void step_to_entry(void (*function)(void)) {
    do step_one();
    while (step_registers().counter != (unsigned long)(size_t)function);
}

/*
 * From the call's entry to `step_position`, which is then the next one. `sleeps` tells a system
 * call that never returns by itself.
 */
STEP_UNUSED static enum step_place step_walk(int (*sleeps)(struct step_registers)) {
    struct step_position *position = &step_position;
    struct step_registers entry = step_registers(), now = entry;
    unsigned long after = step_return_address(entry);
    for (int i = 0; i < position->calls; i++) {
        step_to_system_call();
        if (sleeps && sleeps(step_registers())) {
            position->count++;
            return STEP_SLEEPS;
        }
        step_to_system_call();
    }
    for (int i = 0; i < position->steps; i++) step_one();
    if (position->calls + position->steps > 0) now = step_registers();
    position->count++;
    if (now.counter == after && now.stack >= entry.stack) return STEP_RETURNED;
    if (step_is_at_system_call(now.counter))
        *position = (struct step_position){position->calls + 1, 0, position->count};
    else
        position->steps++;
    return STEP_INSIDE;
}

/* A step is two switches between tracer and child, ten times as fast on one processor. */
STEP_UNUSED static void step_stay_on_one_processor(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

#endif
