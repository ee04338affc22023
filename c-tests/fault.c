/* SIGSEGV, SIGBUS, SIGFPE, SIGILL: from the processor as without rsig; sent, they are deferred. */
#include "check.h"
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct check_calls calls;

/* A page that allows nothing. */
static char *forbidden(void) {
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    return page;
}

/* A page beyond the end of its file. */
static char *beyond(void) {
    char name[] = "rsig-fault-XXXXXX";
    int fd = mkstemp(name);
    CHECK_SYS(fd);
    CHECK_SYS(unlink(name));
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED);
    return page;
}

static void touch(char *address) { *(volatile char *)address = 1; }

__attribute__((no_sanitize("undefined"))) static void divide(void) {
#if defined __x86_64__ || defined __i386__
    volatile int zero = 0, one = 1;
    one = one / zero;
#else
    check_skip("this processor does not trap a division by zero");
#endif
}

static void execute_nonsense(void) {
#if defined __x86_64__ || defined __i386__
    __asm__ volatile("ud2");
#elif defined __aarch64__
    __asm__ volatile("udf #0");
#else
    check_skip("no undefined instruction is known for this processor");
#endif
}

static char *page;

static void fault(int signum) {
    switch (signum) {
    case SIGSEGV: touch(page = forbidden()); break;
    case SIGBUS: touch(page = beyond()); break;
    case SIGFPE: divide(); break;
    case SIGILL: execute_nonsense(); break;
    }
}

static void handle(int signum) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
}

/* For those who are meant to die. */
static void without_core(void) {
    struct rlimit none = {0, 0};
    CHECK_SYS(setrlimit(RLIMIT_CORE, &none));
}

static int faulting;

static void die_of_it(void) {
    without_core();
    handle(faulting);
    fault(faulting);
    CHECK_FAIL("survived");
}

/* 77 of the child is a skip, not a failure. */
#define CHECK_DIES(signum)                                                                         \
    do {                                                                                           \
        faulting = (signum);                                                                       \
        int check_status = check_child(die_of_it);                                                 \
        if (WIFEXITED(check_status) && WEXITSTATUS(check_status) == 77)                            \
            check_skip("this processor does not trap it");                                         \
        CHECK_CHILD_KILLED(check_status, signum);                                                  \
    } while (0)

TEST(segv_kills, "a fault with a handler of rsig's kills the process: SIGSEGV") {
    CHECK_DIES(SIGSEGV);
}
TEST(bus_kills, "a fault with a handler of rsig's kills the process: SIGBUS") {
    CHECK_DIES(SIGBUS);
}
TEST(fpe_kills, "a fault with a handler of rsig's kills the process: SIGFPE") {
    CHECK_DIES(SIGFPE);
}
TEST(ill_kills, "a fault with a handler of rsig's kills the process: SIGILL") {
    CHECK_DIES(SIGILL);
}

static void *fault_elsewhere(void *arg) {
    fault(*(int *)arg);
    return NULL;
}

static void die_on_a_thread(void) {
    pthread_t thread;
    int signum = SIGSEGV;
    without_core();
    handle(signum);
    CHECK_INT(pthread_create(&thread, NULL, fault_elsewhere, &signum), 0);
    pthread_join(thread, NULL);
}

TEST(on_a_thread, "a fault on another thread kills the process too") {
    CHECK_CHILD_KILLED(check_child(die_on_a_thread), SIGSEGV);
}

static void die_ignoring(void) {
    without_core();
    signal(SIGSEGV, SIG_IGN);
    handle(SIGSEGV);
    fault(SIGSEGV);
}

TEST(over_ignored, "a fault kills also where rsig displaced SIG_IGN, as it does without rsig") {
    CHECK_CHILD_KILLED(check_child(die_ignoring), SIGSEGV);
}

static sigjmp_buf out;
static siginfo_t displaced_info;
static volatile sig_atomic_t displaced_calls;

static void displaced(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    displaced_info = *info;
    displaced_calls++;
    siglongjmp(out, 1);
}

static void install(int signum, void (*handler)(int, siginfo_t *, void *), int flags,
                    struct sigaction *old) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    CHECK_SYS(sigaction(signum, &action, old));
}

/* Which one an undefined instruction has depends on the processor. */
enum { ANY_CODE = -1 };

/* The handler that rsig displaced gets the fault, and rsig's has nothing of it. */
static void check_handed_back(int signum, int code) {
    install(signum, displaced, 0, NULL);
    handle(signum);
    if (!sigsetjmp(out, 1)) {
        fault(signum);
        CHECK_FAIL("the fault was survived");
    }
    CHECK_INT(displaced_calls, 1);
    CHECK_INT(displaced_info.si_signo, signum);
    CHECK(displaced_info.si_code > 0);
    if (code != ANY_CODE) CHECK_INT(displaced_info.si_code, code);
    if (page) CHECK(displaced_info.si_addr == page);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.calls, 0);
}

TEST(segv_goes_back, "a handler that rsig displaced gets the fault, with its siginfo: SIGSEGV") {
    check_handed_back(SIGSEGV, SEGV_ACCERR);
}

TEST(bus_goes_back, "a handler that rsig displaced gets the fault, with its siginfo: SIGBUS") {
    check_handed_back(SIGBUS, BUS_ADRERR);
}

TEST(fpe_goes_back, "a handler that rsig displaced gets the fault, with its siginfo: SIGFPE") {
    check_handed_back(SIGFPE, FPE_INTDIV);
}

TEST(ill_goes_back, "a handler that rsig displaced gets the fault, with its siginfo: SIGILL") {
    check_handed_back(SIGILL, ANY_CODE);
}

static void repair(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)info, (void)context;
    displaced_calls++;
    if (mprotect(page, 4096, PROT_READ | PROT_WRITE)) _exit(1);
}

TEST(repaired,
     "a displaced handler that repairs the fault lets the program go on, as a JVM's does") {
    install(SIGSEGV, repair, 0, NULL);
    handle(SIGSEGV);
    fault(SIGSEGV);
    CHECK_INT(displaced_calls, 1);
    CHECK_INT(*page, 1);
    /* From here on the signal is the displaced handler's, and rsig says so. */
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGSEGV, &action), RSIG_OK);
    CHECK(action.handler == RSIG_FOREIGN);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGSEGV) == (void *)(size_t)repair);
}

/* Sent, not made: three ways, each a delivery like any other. */
static void check_deferred(int signum) {
    handle(signum);
    CHECK_SYS(kill(getpid(), signum));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.code, SI_USER);
    CHECK_INT(calls.last_info.pid, getpid());
    raise(signum);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.code, SI_TKILL);
    CHECK_SYS(sigqueue(getpid(), signum, (union sigval){3}));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.last_info.code, SI_QUEUE);
    CHECK_INT(calls.last_info.value_int, 3);
    CHECK_INT(calls.deliveries, 3);
}

TEST(sent_segv_is_deferred, "sent by a process it is deferred: SIGSEGV") {
    check_deferred(SIGSEGV);
}
TEST(sent_bus_is_deferred, "sent by a process it is deferred: SIGBUS") { check_deferred(SIGBUS); }
TEST(sent_fpe_is_deferred, "sent by a process it is deferred: SIGFPE") { check_deferred(SIGFPE); }
TEST(sent_ill_is_deferred, "sent by a process it is deferred: SIGILL") { check_deferred(SIGILL); }

/* By the process itself: the kernel lets it say anything. */
static void forge(int signum, int code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signum;
    info.si_code = code;
    CHECK_SYS(syscall(SYS_rt_sigqueueinfo, getpid(), signum, &info));
}

TEST(forged_counts_as_made, "one that the process forges with a fault's code counts as a fault") {
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (int i = 0; i < 4; i++) {
        install(signals[i], displaced, 0, NULL);
        handle(signals[i]);
        forge(signals[i], 1);
        CHECK_INT(rsig_pump(), 0);
        CHECK_INT(calls.calls, 0);
        CHECK(check_kernel_handler(signals[i]) == (void *)(size_t)displaced);
        CHECK_INT(displaced_calls, 0);
    }
}

/* A handler that somebody put over rsig's, and that passes everything on. */
static struct sigaction under;
static volatile sig_atomic_t chained;

static void chain(int signum, siginfo_t *info, void *context) {
    /* More than a few times is for ever. */
    if (++chained > 10) _exit(1);
    if (under.sa_flags & SA_SIGINFO)
        under.sa_sigaction(signum, info, context);
    else
        signal(signum, SIG_DFL);
}

static void die_chained(void) {
    without_core();
    handle(SIGSEGV);
    install(SIGSEGV, chain, 0, &under);
    fault(SIGSEGV);
}

TEST(chained_fault_kills, "a fault that a foreign handler passes on to rsig's kills") {
    CHECK_CHILD_KILLED(check_child(die_chained), SIGSEGV);
}

static void die_chained_twice(void) {
    without_core();
    install(SIGSEGV, chain, 0, NULL);
    handle(SIGSEGV);
    install(SIGSEGV, chain, 0, &under);
    fault(SIGSEGV);
}

TEST(chained_in_a_circle, "a fault kills where the foreign handler is both over and under rsig's") {
    CHECK_CHILD_KILLED(check_child(die_chained_twice), SIGSEGV);
}

static void die_chained_after_fini(void) {
    without_core();
    handle(SIGSEGV);
    install(SIGSEGV, chain, 0, &under);
    CHECK_INT(rsig_fini(), RSIG_OK);
    fault(SIGSEGV);
}

TEST(chained_after_fini, "a fault that is passed on to rsig's handler after rsig_fini() kills") {
    CHECK_CHILD_KILLED(check_child(die_chained_after_fini), SIGSEGV);
}

TEST(chained_fault_goes_back,
     "a fault passed on to rsig's handler goes to the one that rsig displaced") {
    install(SIGSEGV, displaced, 0, NULL);
    handle(SIGSEGV);
    install(SIGSEGV, chain, 0, &under);
    if (!sigsetjmp(out, 1)) {
        fault(SIGSEGV);
        CHECK_FAIL("the fault was survived");
    }
    CHECK_INT(displaced_calls, 1);
    CHECK(displaced_info.si_addr == page);
    CHECK_INT(chained, 1);
}

TEST(chained_and_sent, "a sent SIGSEGV that a foreign handler passes on is deferred") {
    handle(SIGSEGV);
    install(SIGSEGV, chain, 0, &under);
    CHECK_SYS(kill(getpid(), SIGSEGV));
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(chained, 1);
    CHECK_INT(calls.last_info.code, SI_USER);
}

static volatile int for_ever = 1;

static int recurse(volatile char *caller) {
    volatile char frame[1024];
    frame[0] = *caller;
    return for_ever ? recurse(frame) + frame[0] : 0;
}

enum { ALTERNATE = 65536, STACK = 131072 };

/* On a thread, whose stack has a known size and a guard page. */
static void *overflow(void *arg) {
    stack_t stack = {.ss_sp = malloc(ALTERNATE), .ss_size = ALTERNATE};
    char here = 0;
    CHECK(stack.ss_sp);
    CHECK_SYS(sigaltstack(&stack, NULL));
    if (!sigsetjmp(out, 1)) {
        recurse(&here);
        CHECK_FAIL("the stack has no end");
    }
    CHECK_SYS(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
    free(stack.ss_sp);
    return arg;
}

static void overflow_on_a_thread(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_INT(pthread_attr_init(&attributes), 0);
    CHECK_INT(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_INT(pthread_create(&thread, &attributes, overflow, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void die_of_overflow(void) {
    without_core();
    handle(SIGSEGV);
    overflow_on_a_thread();
}

TEST(overflow_kills, "a stack overflow kills, with an alternate stack too") {
    CHECK_CHILD_KILLED(check_child(die_of_overflow), SIGSEGV);
}

TEST(overflow_goes_back, "a displaced handler on the alternate stack gets a stack overflow") {
    install(SIGSEGV, displaced, SA_ONSTACK, NULL);
    handle(SIGSEGV);
    overflow_on_a_thread();
    CHECK_INT(displaced_calls, 1);
    CHECK_INT(rsig_pump(), 0);
}
