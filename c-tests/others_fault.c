/*
 * Handlers of somebody else's for SIGSEGV and its kin: crash reporters, collectors, virtual machines. They get the faults of the
 * processor, whether they came before rsig or after.
 */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf out;
static volatile int faults;
static void *volatile fault_address;
static volatile int *page;
static struct sigaction displaced;

static void note_fault(const siginfo_t *info) {
    faults++;
    fault_address = info->si_addr;
}

/* As a runtime does that turns a fault into an exception. */
static void jumps_out(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    note_fault(info);
    siglongjmp(out, 1);
}

/* As a collector does that has protected the page itself. */
static void unprotects(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    note_fault(info);
    CHECK_SYS(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE));
}

/* As Python's faulthandler does: reports, puts back what it has displaced, and raises the signal anew. */
static void reports(int signum, siginfo_t *info, void *context) {
    (void)context;
    note_fault(info);
    CHECK_INT(faults, 1); /* More often is for ever. */
    CHECK_SYS(sigaction(signum, &displaced, NULL));
    CHECK_INT(write(STDOUT_FILENO, "report\n", 7), 7);
    raise(signum);
}

static void install_for(int signum, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    CHECK_SYS(sigaction(signum, &action, &displaced));
}

static void install(void (*handler)(int, siginfo_t *, void *)) { install_for(SIGSEGV, handler); }

static void init(void) { CHECK_INT(rsig_init(0), RSIG_OK); }

static rsig_channel_t *channel;

static void open_channel(void) {
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGSEGV), 16, &channel), RSIG_OK);
}

static struct check_calls calls;

static void set_handler(void) {
    CHECK_INT(rsig_signal(SIGSEGV, check_handler, &calls, NULL), RSIG_OK);
}

static void protect(void) {
    if (!page) page = (volatile int *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK_SYS(mprotect((void *)page, 4096, PROT_NONE));
}

/* Nobody of rsig's took the faults for deliveries. */
static void check_nothing_recorded(void) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.calls, 0);
    if (channel) CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
}

static void fault_and_jump(int times) {
    for (volatile int i = 0; i < times; i++) {
        protect();
        if (sigsetjmp(out, 1) == 0) {
            *page = 1;
            CHECK_FAIL("it was no fault");
        }
        CHECK_INT(faults, i + 1);
        CHECK(fault_address == page);
    }
    check_nothing_recorded();
}

static void fault_and_go_on(int times) {
    for (int i = 0; i < times; i++) {
        protect();
        *page = i + 1;
        CHECK_INT(*page, i + 1);
        CHECK_INT(faults, i + 1);
        CHECK(fault_address == page);
    }
    check_nothing_recorded();
}

TEST(jump_before_handler, "a handler from before rsig_signal leaves its faults by siglongjmp()") {
    install(jumps_out), init(), set_handler();
    fault_and_jump(10);
}

TEST(jump_before_channel, "a handler from before a channel leaves its faults by siglongjmp()") {
    install(jumps_out), init(), open_channel();
    fault_and_jump(100);
}

TEST(jump_after_handler, "a handler from after rsig_signal leaves its faults by siglongjmp()") {
    init(), set_handler(), install(jumps_out);
    fault_and_jump(10);
}

TEST(jump_after_channel, "a handler from after a channel leaves its faults by siglongjmp()") {
    init(), open_channel(), install(jumps_out);
    fault_and_jump(10);
}

TEST(repair_before_handler, "a handler from before rsig_signal repairs what faulted") {
    install(unprotects), init(), set_handler();
    fault_and_go_on(10);
}

TEST(repair_before_channel, "a handler from before a channel repairs what faulted") {
    install(unprotects), init(), open_channel();
    fault_and_go_on(100);
    CHECK_INT(rsig_fini(), RSIG_OK);
    channel = NULL, faults = 0;
    protect();
    *page = 1;
    CHECK_INT(faults, 1);
}

TEST(repair_between, "between a handler of rsig_signal and a channel, one that repairs is called") {
    init(), set_handler(), install(unprotects), open_channel();
    fault_and_go_on(100);
}

TEST(sent_by_hand, "sent by kill(), a SIGSEGV goes to the channel and to the handler from before") {
    rsig_siginfo_t info;
    install(unprotects), init(), open_channel();
    protect();
    CHECK_SYS(kill(getpid(), SIGSEGV));
    CHECK_INT(faults, 1);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(info.code, SI_USER);
}

/* --- reports, and death --- */

static void do_fault(void) {
    protect();
    *page = 1;
}

/* The process dies of the fault, after one report. */
static void check_dies_with_a_report(void (*set_up)(void)) {
    int fds[2];
    char text[64];
    CHECK_SYS(pipe(fds));
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        CHECK_SYS(dup2(fds[1], STDOUT_FILENO));
        set_up();
        do_fault();
        CHECK_FAIL("it lives");
    }
    CHECK_SYS(close(fds[1]));
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_CHILD_KILLED(status, SIGSEGV);
    ssize_t size = read(fds[0], text, sizeof text - 1);
    text[size > 0 ? size : 0] = 0;
    CHECK_STR(text, "report\n");
}

static void before_handler(void) { install(reports), init(), set_handler(); }
static void before_channel(void) { install(reports), init(), open_channel(); }
static void after_handler(void) { init(), set_handler(), install(reports); }
static void after_channel(void) { init(), open_channel(), install(reports); }

TEST(report_before_handler, "a crash reporter from before rsig_signal reports once, and the process dies") {
    check_dies_with_a_report(before_handler);
}

TEST(report_before_channel, "a crash reporter from before a channel reports once, and the process dies") {
    check_dies_with_a_report(before_channel);
}

TEST(report_after_handler, "a crash reporter from after rsig_signal reports once, and the process dies") {
    check_dies_with_a_report(after_handler);
}

TEST(report_after_channel, "a crash reporter from after a channel reports once, and the process dies") {
    check_dies_with_a_report(after_channel);
}

static void between_channels(void) { init(), open_channel(), install(reports), open_channel(); }
static void between_handlers(void) { init(), set_handler(), install(reports), set_handler(); }
static void between_both(void) { init(), set_handler(), install(reports), open_channel(); }

TEST(report_between_channels, "a crash reporter between two channels reports once, and the process dies") {
    check_dies_with_a_report(between_channels);
}

TEST(report_between_handlers, "a crash reporter between two handlers reports once, and the process dies") {
    check_dies_with_a_report(between_handlers);
}

TEST(report_between_both, "a crash reporter between a handler and a channel reports once, and the process dies") {
    check_dies_with_a_report(between_both);
}

static void passes_on(int signum, siginfo_t *info, void *context) {
    note_fault(info);
    CHECK_INT(write(STDOUT_FILENO, "report\n", faults == 1 ? 7 : 0), faults == 1 ? 7 : 0);
    displaced.sa_sigaction(signum, info, context);
}

static void passing_between(void) { init(), set_handler(), install(passes_on), open_channel(); }

TEST(pass_on_between, "one between rsig_signal and a channel that passes a fault on gets it, and the process dies") {
    check_dies_with_a_report(passing_between);
}

/* --- the others of its kind, and a stack that is full --- */

static void check_kind(int signum) {
    install_for(signum, jumps_out);
    rsig_channel_t *listener;
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(signum), 1, &listener), RSIG_OK);
    faults = 0;
    if (sigsetjmp(out, 1) == 0) {
        if (signum == SIGBUS) {
            /* A mapping of a file that has no such byte. */
            FILE *file = tmpfile();
            CHECK(file);
            void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
            CHECK(map != MAP_FAILED);
            CHECK_INT(*(volatile char *)map, 0);
        }
#if defined(__x86_64__) || defined(__i386__)
        if (signum == SIGFPE) __asm__ volatile("xorl %%ecx, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx");
        if (signum == SIGILL) __asm__ volatile("ud2");
#else
        if (signum == SIGFPE) check_skip("this processor does not trap");
        if (signum == SIGILL) __asm__ volatile(".inst 0"); /* __builtin_trap() is SIGTRAP */
#endif
        CHECK_FAIL("no fault");
    }
    CHECK_INT(faults, 1);
    CHECK_INT(rsig_channel_read(listener, &info, 1), 0);
}

TEST(bus, "SIGBUS of the processor goes to the handler from before a channel") { init(), check_kind(SIGBUS); }
TEST(fpe, "SIGFPE of the processor goes to the handler from before a channel") { init(), check_kind(SIGFPE); }
TEST(ill, "SIGILL of the processor goes to the handler from before a channel") { init(), check_kind(SIGILL); }

static volatile int endless = 1;

/* No tail call, and no end. */
static int recurse(const volatile char *before) {
    volatile char here[512];
    here[0] = before ? before[0] : 0;
    return endless ? recurse(here) + here[0] : 0;
}

static void *overflows(void *unused) {
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_size = (size_t)SIGSTKSZ;
    stack.ss_sp = malloc(stack.ss_size);
    CHECK(stack.ss_sp);
    CHECK_SYS(sigaltstack(&stack, NULL));
    if (sigsetjmp(out, 1) == 0) {
        recurse(NULL);
        CHECK_FAIL("it is endless");
    }
    stack.ss_flags = SS_DISABLE;
    CHECK_SYS(sigaltstack(&stack, NULL));
    free(stack.ss_sp);
    return unused;
}

TEST(full_stack, "a stack overflow is caught on an alternate stack of SIGSTKSZ bytes, past a channel") {
    pthread_t thread;
    install(jumps_out), init(), open_channel();
    for (int i = 1; i <= 3; i++) {
        CHECK_INT(pthread_create(&thread, NULL, overflows, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(faults, i);
    }
    check_nothing_recorded();
}
