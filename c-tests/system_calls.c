/* What each hot path asks of the kernel, call by call: docs/system_calls.md has the same lists. */
#include "step.h"

#define NAME(call) {SYS_##call, #call}
static const struct {
    long number;
    const char *name;
} names[] = {
    NAME(futex),           NAME(getpid), NAME(gettid),       NAME(ppoll),
    NAME(read),            NAME(tgkill), NAME(rt_sigaction), NAME(rt_sigprocmask),
    NAME(rt_sigtimedwait), NAME(write),  NAME(rt_sigreturn),
};

/* A call that nobody makes else: what counts is between two of them. */
enum { MARK = SYS_getppid };

static void mark(void) { syscall(MARK); }

/* ---- the tracer ---- */

/* The next that the child begins. What it stops for between them, a signal, it gets. */
static long next_call(void) {
    for (int signum = 0;;) {
        CHECK_SYS(ptrace(PTRACE_SYSCALL, step_tid, NULL, (void *)(long)signum));
        int stopped = step_await(0);
        if (stopped == 0) CHECK_FAIL("the child has ended");
        signum = stopped == STEP_AT_SYSTEM_CALL ? 0 : stopped;
        if (signum) continue;
        struct __ptrace_syscall_info info;
        CHECK_SYS(ptrace(PTRACE_GET_SYSCALL_INFO, step_tid, (void *)sizeof info, &info));
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) return (long)info.entry.nr;
    }
}

static struct {
    long calls[200];
    int count;
} record;

/* From the next mark to the one after that. The first `awaited` gets the signal as it begins. */
static void record_next(long awaited, int signum) {
    record.count = 0;
    while (next_call() != MARK) continue;
    for (long call; (call = next_call()) != MARK; record.count++) {
        if (record.count == sizeof record.calls / sizeof *record.calls) CHECK_FAIL("too many");
        record.calls[record.count] = call;
        if (call != awaited) continue;
        CHECK_SYS(syscall(SYS_tgkill, step_tid, step_tid, signum));
        awaited = -1;
    }
}

static void begin(void (*child)(void)) {
    CHECK_SYS(step_tid = fork());
    if (step_tid == 0) {
        step_allow();
        step_tell();
        child();
        _exit(0);
    }
    CHECK_INT(step_await(0), SIGSTOP);
    step_begin();
}

static void end(void) {
    step_go_on(0);
    CHECK_INT(step_await(0), 0);
}

static const char *name_of(long number) {
    static char unknown[20];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) return names[i].name;
    snprintf(unknown, sizeof unknown, "call %ld", number);
    return unknown;
}

/* As in docs/system_calls.md: "none", or "getpid, 2 x read, write". */
static const char *recorded(void) {
    static char text[sizeof record.calls / sizeof *record.calls * 30] = "none";
    size_t length = 0;
    for (int i = 0, next; i < record.count; i = next) {
        for (next = i; next < record.count && record.calls[next] == record.calls[i];) next++;
        if (i > 0) length += (size_t)sprintf(text + length, ", ");
        if (next - i > 1) length += (size_t)sprintf(text + length, "%d x ", next - i);
        length += (size_t)sprintf(text + length, "%s", name_of(record.calls[i]));
    }
    return text;
}

/* Only glibc tells whether a thread is alone, since 2.32; others make more calls themselves. */
#if defined __GLIBC__ && defined __LP64__
#define CALLS_ARE_KNOWN __GLIBC_PREREQ(2, 32)
#else
#define CALLS_ARE_KNOWN 0
#endif

/* Twice: what only a first time needs is not a hot path's. */
static void check_path(void (*child)(void), const char *expected, long awaited) {
    if (!CALLS_ARE_KNOWN) check_skip("the C library makes others here");
    check_needs_stub();
    begin(child);
    for (int round = 0; round < 2; round++) record_next(awaited, SIGUSR1);
    end();
    CHECK_STR(recorded(), expected);
}

/* ---- the hot paths ---- */

static pid_t pid;
static int ends[2];
static char byte;
static struct check_calls calls;
static rsig_channel_t *channel;
static rsig_siginfo_t info;

/* Not raise(), of which each C library makes more. */
static void raise_here(int signum) { CHECK_SYS(syscall(SYS_tgkill, pid, pid, signum)); }

static void prepare(void) {
    pid = getpid();
    /* Of a signal that is ignored rsig_init() takes note. */
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL);
    CHECK_SYS(pipe(ends));
    CHECK_INT(write(ends[1], "some bytes", 10), 10);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
}

static void open_channel(void) {
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 8, &channel), RSIG_OK);
}

static void set_wakeup_fd(void) {
    static int wakeup[2];
    CHECK_SYS(pipe2(wakeup, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(wakeup[1], 1, NULL), RSIG_OK);
}

static void block(void) {
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR2), NULL), RSIG_OK);
}

static void *stay(void *unused) {
    for (;;) pause();
    return unused;
}

static void start_another(void) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, stay, NULL), 0);
}

/* PATH(name, what, its system calls, once before, each time before, what counts) */
#define PATH_UNTIL(awaited, name, what, expected, once, before, ...)                               \
    static void name##_child(void) {                                                               \
        prepare();                                                                                 \
        once;                                                                                      \
        for (int round = 0; round < 2; round++) {                                                  \
            before;                                                                                \
            mark();                                                                                \
            __VA_ARGS__;                                                                           \
            mark();                                                                                \
        }                                                                                          \
    }                                                                                              \
    TEST(name, what) { check_path(name##_child, expected, awaited); }
#define PATH(name, what, expected, once, before, ...)                                              \
    PATH_UNTIL(-1, name, what, expected, once, before, __VA_ARGS__)

PATH(init_and_fini, "rsig_init() and rsig_fini()",
     "rt_sigprocmask, 11 x rt_sigaction, gettid, 8 x rt_sigaction", , rsig_fini(),
     CHECK_INT(rsig_init(0), RSIG_OK);
     CHECK_INT(rsig_fini(), RSIG_OK))

PATH(set_and_restored, "rsig_signal(), and what was there before", "4 x rt_sigaction",
     rsig_action_t old, , CHECK_INT(rsig_signal(SIGTERM, check_handler, &calls, &old), RSIG_OK);
     CHECK_INT(rsig_signal(SIGTERM, old.handler, old.arg, NULL), RSIG_OK))

PATH(nothing_pending, "rsig_pump() and rsig_tripped() with nothing pending", "none", , ,
     CHECK_INT(rsig_pump(), 0);
     CHECK_INT(rsig_tripped(), 0))

PATH(delivery, "a delivery, and what sends it", "tgkill, rt_sigreturn", , rsig_pump(),
     raise_here(SIGUSR1))

PATH(pumped, "rsig_pump() with one pending", "none", , raise_here(SIGUSR1),
     CHECK_INT(rsig_pump(), 1))

PATH(raised, "rsig_raise_signal() and its handler", "gettid, getpid, tgkill, rt_sigreturn", , ,
     CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK))

PATH(delivery_to_channel, "a delivery to a channel, and what sends it", "tgkill, rt_sigreturn",
     open_channel(), rsig_pump(), raise_here(SIGUSR1))

PATH(channel_read, "rsig_channel_read() of one", "none", open_channel(), raise_here(SIGUSR1),
     CHECK_INT(rsig_channel_read(channel, &info, 1), 1))

PATH(channel_waited, "rsig_channel_wait() for one that is there", "2 x rt_sigprocmask",
     open_channel(), raise_here(SIGUSR1), CHECK_INT(rsig_channel_wait(channel, &info, -1), 1))

PATH_UNTIL(SYS_ppoll, channel_awaited, "rsig_channel_wait() that a delivery wakes",
           "2 x rt_sigprocmask, ppoll, write, rt_sigreturn, rt_sigprocmask, read, rt_sigprocmask",
           open_channel(), , CHECK_INT(rsig_channel_wait(channel, &info, -1), 1))

PATH(delivery_to_fd, "a delivery with rsig_fd() open, and what sends it",
     "tgkill, write, rt_sigreturn", rsig_fd(), rsig_pump(), raise_here(SIGUSR1))

PATH(pumped_with_fd, "rsig_pump() with one pending and rsig_fd() open", "read", rsig_fd(),
     raise_here(SIGUSR1), CHECK_INT(rsig_pump(), 1))

PATH(delivery_to_wakeup_fd, "a delivery with a wakeup fd, and what sends it",
     "tgkill, rt_sigprocmask, write, rt_sigprocmask, rt_sigreturn", set_wakeup_fd(), rsig_pump(),
     raise_here(SIGUSR1))

PATH(mask, "rsig_pthread_sigmask()", "rt_sigprocmask", , ,
     CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, 0, NULL), RSIG_OK))

PATH(dispatched, "rsig_dispatch() with one pending", "rt_sigtimedwait", block(),
     raise_here(SIGUSR2), CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR2), 0), 1))

PATH(accepted, "rsig_sigwait() with one pending", "rt_sigtimedwait", block(), raise_here(SIGUSR2),
     CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGUSR2)), SIGUSR2))

PATH(waited, "rsig_wait() with one pending", "none", , raise_here(SIGUSR1),
     CHECK_INT(rsig_wait(-1), 1))

PATH_UNTIL(SYS_ppoll, awaited, "rsig_wait() that a delivery wakes", "ppoll, rt_sigreturn", , ,
           CHECK_INT(rsig_wait(-1), 1))

PATH(read_alone, "rsig_read(), alone", "read", , , CHECK_INT(rsig_read(ends[0], &byte, 1), 1))

PATH(read_beside_another, "rsig_read(), beside another thread",
     "rt_sigprocmask, rt_sigaction, read", start_another(), ,
     CHECK_INT(rsig_read(ends[0], &byte, 1), 1))

PATH(called_alone, "rsig_syscall() for a read, alone", "read", , ,
     CHECK_INT(rsig_syscall(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0), 1))

PATH(called_beside_another, "rsig_syscall() for a read, beside another thread",
     "rt_sigprocmask, rt_sigaction, read", start_another(), ,
     CHECK_INT(rsig_syscall(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0), 1))

/* ---- what is known from the call before ---- */

static void plain_handler(int signum) { (void)signum; }

static rsig_sigset_t blocked;

static long read_ready_byte(void) {
    CHECK_INT(write(ends[1], "x", 1), 1);
    return rsig_read(ends[0], &byte, 1);
}

static void search(void) {
    sigset_t mask;
    CHECK_SYS(pipe(ends));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(read_ready_byte(), 1); /* from then on rsig has the highest number */
    for (int n = SIGRTMIN; n < SIGRTMAX; n++) CHECK(signal(n, plain_handler) != SIG_ERR);
    CHECK_INT(rsig_sigset_to_posix(blocked, &mask), RSIG_OK);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    for (int i = 0; i < 2; i++) {
        mark();
        CHECK_INT(read_ready_byte(), 1);
        mark();
    }
}

/* Fewer than it takes to ask for each number whether it is free. */
static void searches_once(rsig_sigset_t set) {
    blocked = set;
    begin(search);
    record_next(-1, 0);
    int first = record.count;
    record_next(-1, 0);
    end();
    if (record.count >= SIGRTMAX - SIGRTMIN)
        CHECK_FAIL("%d system calls in the first call, %d in the second", first, record.count);
}

TEST(number_blocked,
     "where rsig's number is blocked and the program has all others, the second call knows that") {
    searches_once(RSIG_SIGSET(SIGRTMAX));
}

TEST(all_numbers_blocked, "and where all of them are blocked") {
    rsig_sigset_t all = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) all |= RSIG_SIGSET(n);
    searches_once(all);
}
