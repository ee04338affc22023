/*
 * Channels whose readers and writers are caught in the middle: this program's own eventfd() and syscall() stand in the way of the C
 * library's, and something happens there.
 */
#include "channel.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <ucontext.h>

/* Called once, for the next system call of this number. */
static long caught_number;
static void (*caught)(void);

static void catch(long number, void (*function)(void)) {
    caught_number = number;
    caught = function;
}

static void call_caught(long number) {
    if (!caught || number != caught_number) return;
    void (*function)(void) = caught;
    caught = NULL;
    function();
}

typedef long (*syscall_t)(long, ...);
static syscall_t real_syscall;

__attribute__((constructor)) static void find_syscall(void) {
    *(void **)&real_syscall = dlsym(RTLD_NEXT, "syscall");
}

/* It reads six arguments, of however many there are. */
__attribute__((no_sanitize("address"))) long syscall(long number, ...) {
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    call_caught(number);
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int eventfd(unsigned int count, int flags) {
    call_caught(SYS_eventfd2);
    return (int)real_syscall(SYS_eventfd2, (long)count, (long)flags);
}

static rsig_channel_t *channel;

/* --- left by siglongjmp --- */

static sigjmp_buf out;
static void leave(int signum) { siglongjmp(out, signum); }
static void raise_term(void) { raise_here(SIGTERM); }

static void *reads(void *unused) {
    check_empty(channel);
    queue_here(SIGONE, 7);
    CHECK_NEXT(channel, SIGONE, 7, 1);
    return unused;
}

static void is_usable(void) { on_thread(reads, NULL); }

/* By any thread, in a forked child too, and closable for good. */
static void check_usable(void) {
    rsig_siginfo_t info;
    is_usable();
    CHECK_CHILD_OK(check_child(is_usable));
    queue_here(SIGONE, 8);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(info.value_int, 8);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

static void check_left_at(long number) {
    rsig_siginfo_t info;
    CHECK(signal(SIGTERM, leave) != SIG_ERR);
    catch(number, raise_term);
    if (!sigsetjmp(out, 1)) {
        rsig_channel_wait(channel, &info, -1);
        CHECK_FAIL("the handler did not leave");
    }
    CHECK(!caught);
    check_usable();
}

TEST(left_before_it_sleeps, "a plain handler leaves rsig_channel_wait by siglongjmp where that makes its descriptor") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(ONE, 4);
    check_left_at(SYS_eventfd2);
}

TEST(left_when_it_has_read, "or where it makes its descriptor unreadable, as it has the last record") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(ONE, 4);
    CHECK_SYS(rsig_channel_fd(channel));
    queue_here(SIGONE, 1);
    check_left_at(SYS_read);
}

static pid_t waiter;
static atomic_int is_held, is_closed;

/* In the wait, until the channel is closed. */
static void hold(int signum) {
    (void)signum;
    is_held = 1;
    while (!is_closed) sched_yield();
}

static void *closes_under_it(void *unused) {
    check_await_syscall(waiter, SYS_ppoll);
    CHECK_SYS(syscall(SYS_tgkill, getpid(), waiter, SIGHUP));
    while (!is_held) sched_yield();
    close_channel(channel);
    catch(SYS_close, raise_term);
    is_closed = 1;
    return unused;
}

TEST(left_when_it_is_closed, "or where it closes the descriptor of one that was closed under it: no lock is held for ever") {
    static pthread_t closer;
    rsig_siginfo_t info;
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(ONE, 4);
    waiter = getpid();
    CHECK(signal(SIGTERM, leave) != SIG_ERR);
    CHECK(signal(SIGHUP, hold) != SIG_ERR);
    if (!sigsetjmp(out, 1)) {
        start(&closer, closes_under_it, NULL);
        rsig_channel_wait(channel, &info, -1);
        CHECK_FAIL("the handler did not leave");
    }
    CHECK(!caught);
    join(closer);
    channel = open_channel(ONE, 4);
    check_usable();
}

/* --- a fork while a handler looks at a place that is empty --- */

#if defined(__x86_64__)

enum { OTHERS = 63, STEPS = 120, TRAP_FLAG = 0x100 };

static atomic_int is_caught, go_on, steps, wanted;

/* In the delivery on the other thread: it has seen that there are channels, and looks at the first. */
static void wait_in_delivery(void) {
    is_caught = 1;
    while (!go_on) sched_yield();
    __asm__ volatile("pushfq; orl %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

/* Before each further instruction. */
static void trapped(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)info;
    if (++steps == STEPS) ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    while (wanted < steps) sched_yield();
}

static void *receives(void *unused) {
    raise_here(SIGONE);
    return unused;
}

/* All places can be used, and used again. */
static void fill_twice(void) {
    static rsig_channel_t *all[256];
    close_channel(channel);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 256; i++) all[i] = open_channel(TWO, 1);
        for (int i = 0; i < 256; i++) close_channel(all[i]);
    }
}

TEST(forked_while_looking, "a fork while a delivery elsewhere looks for channels that are closed costs the child no place") {
    rsig_channel_t *others[OTHERS];
    struct sigaction action;
    pthread_t thread;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = trapped;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(SIGTRAP, &action, NULL));
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(ONE, 4);
    for (int i = 0; i < OTHERS; i++) others[i] = open_channel(ONE, 4);
    CHECK_SYS(rsig_channel_fd(channel));
    catch(SYS_write, wait_in_delivery);
    start(&thread, receives, NULL);
    while (!is_caught) sched_yield();
    for (int i = 0; i < OTHERS; i++) close_channel(others[i]);
    go_on = 1;
    for (int step = 1; step <= STEPS; step++) {
        wanted = step - 1;
        while (steps < step) sched_yield();
        CHECK_CHILD_OK(check_child(fill_twice));
    }
    wanted = STEPS;
    join(thread);
    CHECK_INT(next_record(channel).signo, SIGONE);
}

#endif
