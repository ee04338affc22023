/* What an open channel does to a signal's disposition, to others who have the signal, and what it leaves. */
#include "channel.h"
#include <setjmp.h>
#include <sys/mman.h>

#define CHLD RSIG_SIGSET(SIGCHLD)

static void init(void) { CHECK_INT(rsig_init(0), RSIG_OK); }

static rsig_action_t action_of(int signum) {
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(signum, &action), RSIG_OK);
    return action;
}

static void set_action(int signum, rsig_handler_t handler) {
    CHECK_INT(rsig_signal(signum, handler, NULL, NULL), RSIG_OK);
}

/* --- the default action, and SIG_IGN --- */

static void default_is_back(void) {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    raise_here(SIGONE);
    CHECK(action_of(SIGONE).handler == RSIG_DFL);
    next_record(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    raise_here(SIGONE);
}

TEST(default_action, "the default action does not happen while a channel is open, and is back afterwards") {
    CHECK_CHILD_KILLED(check_child(default_is_back), SIGONE);
}

TEST(ignored, "an ignored signal arrives while a channel is open, and is ignored again afterwards") {
    CHECK(signal(SIGONE, SIG_IGN) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    raise_here(SIGONE);
    CHECK_INT(next_record(channel).signo, SIGONE);
    CHECK(action_of(SIGONE).handler == RSIG_IGN);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_IGN);
}

TEST(ignored_by_init, "SIGPIPE, which rsig_init ignores: the write fails, a channel hears of it") {
    int fds[2];
    init();
    rsig_channel_t *channel = open_channel(RSIG_SIGSET(SIGPIPE), 2);
    CHECK_SYS(pipe(fds));
    CHECK_SYS(close(fds[0]));
    CHECK_INT(write(fds[1], "", 1), -1);
    CHECK_INT(errno, EPIPE);
    CHECK_INT(next_record(channel).signo, SIGPIPE);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_IGN);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_DFL);
}

TEST(last_one_closed, "what was there comes back with the last channel, in whichever order they are closed") {
    for (int order = 0; order < 2; order++) {
        rsig_channel_t *channels[2];
        init();
        for (int i = 0; i < 2; i++) channels[i] = open_channel(ONE, 2);
        close_channel(channels[order]);
        raise_here(SIGONE);
        next_record(channels[!order]);
        CHECK(check_kernel_handler(SIGONE) != (void *)SIG_DFL);
        close_channel(channels[!order]);
        CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

TEST(only_its_signals, "of two sets each signal is put back when nobody listens to it any more") {
    init();
    rsig_channel_t *both = open_channel(ONE | RSIG_SIGSET(SIGUSR2), 2), *one = open_channel(ONE, 2);
    close_channel(both);
    CHECK(check_kernel_handler(SIGUSR2) == (void *)SIG_DFL);
    CHECK(check_kernel_handler(SIGONE) != (void *)SIG_DFL);
    close_channel(one);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

TEST(fini_closes_all, "rsig_fini closes all channels and puts back what was there before rsig") {
    rsig_channel_t *channel;
    struct kept_action before[NSIG];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL, action.sa_flags = SA_NOCLDWAIT;
    CHECK_SYS(sigaction(SIGCHLD, &action, NULL));
    CHECK(signal(SIGTERM, SIG_IGN) != SIG_ERR);
    rsig_sigset_t set = rsig_valid_signals() & ~(RSIG_SIGSET(SIGKILL) | RSIG_SIGSET(SIGSTOP));
    for (int n = rsig_sigset_next(set, 0); n; n = rsig_sigset_next(set, n))
        before[n] = kept_action(n);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    for (int i = 0; i < 256; i++) channel = open_channel(set, 1);
    set_action(SIGONE, rsig_default_int_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise_here(SIGTERM);
    CHECK_INT(next_record(channel).signo, SIGTERM); /* the first rsig_fini() of two */
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = rsig_sigset_next(set, 0); n; n = rsig_sigset_next(set, n))
        CHECK_SAME_ACTION(n, before[n]);
}

/* --- rsig_signal() while a channel is open --- */

static struct check_calls calls;

static void check_action(rsig_handler_t handler) {
    CHECK(action_of(SIGONE).handler == handler);
}

TEST(handler_set_meanwhile, "a handler set while a channel is open runs, and stays when it is closed") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    raise_here(SIGONE);
    CHECK_INT(rsig_pump(), 1);
    next_record(channel);
    close_channel(channel);
    check_action(check_handler);
    CHECK_INT(rsig_raise_signal(SIGONE), RSIG_OK);
    CHECK_INT(calls.calls, 2);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

TEST(handler_removed_meanwhile, "RSIG_DFL and RSIG_IGN set while one is open hold when it is closed") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 2);
    set_action(SIGONE, RSIG_IGN);
    check_action(RSIG_IGN);
    raise_here(SIGONE);
    CHECK_INT(rsig_tripped(), 0);
    next_record(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_IGN);

    channel = open_channel(ONE, 2);
    set_action(SIGONE, RSIG_DFL);
    check_action(RSIG_DFL);
    raise_here(SIGONE);
    next_record(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    CHECK_INT(calls.calls, 0);
}

TEST(old_action_meanwhile, "an old action from while one was open restores the same, then and afterwards") {
    rsig_action_t old;
    init();
    rsig_channel_t *channel = open_channel(ONE, 2);
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, &old), RSIG_OK);
    CHECK(old.handler == RSIG_DFL);
    CHECK_INT(rsig_signal(SIGONE, old.handler, old.arg, &old), RSIG_OK);
    CHECK(old.handler == check_handler && old.arg == &calls);
    raise_here(SIGONE);
    next_record(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    CHECK_INT(rsig_signal(SIGONE, old.handler, old.arg, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGONE), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

/* --- a handler of somebody else's --- */

static volatile sig_atomic_t plain_calls, siginfo_calls, blocked_term, nested, deepest;
static siginfo_t seen;
static void *seen_context;
static int fd_in_handler = -1;

static void plain_handler(int signum) {
    CHECK_INT(signum, SIGONE);
    /* Recorded before it is called. */
    if (fd_in_handler >= 0) CHECK(is_readable(fd_in_handler));
    plain_calls++;
}

static void siginfo_handler(int signum, siginfo_t *info, void *context) {
    sigset_t mask;
    CHECK_INT(signum, SIGONE);
    seen = *info;
    seen_context = context;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    blocked_term = sigismember(&mask, SIGTERM);
    siginfo_calls++;
    if (++nested > deepest) deepest = nested;
    if (siginfo_calls == 1) raise_here(SIGONE);
    nested--;
    errno = 4242;
}

static void install(int signum, void (*handler)(int, siginfo_t *, void *), int flags,
                    struct sigaction *old) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigaddset(&action.sa_mask, SIGTERM);
    CHECK_SYS(sigaction(signum, &action, old));
}

TEST(plain_handler_goes_on, "a plain handler is called as before, after the record, and is back in the kernel at the end") {
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR);
    struct kept_action before = kept_action(SIGONE);
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK(action_of(SIGONE).handler == RSIG_FOREIGN);
    CHECK(check_kernel_handler(SIGONE) != (void *)(size_t)plain_handler);
    fd_in_handler = rsig_channel_fd(channel);
    for (int i = 1; i <= 3; i++) {
        queue_here(SIGONE, i);
        CHECK_INT(plain_calls, i);
        CHECK_NEXT(channel, SIGONE, i, 1);
    }
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(rsig_pump(), 0);
    fd_in_handler = -1;
    close_channel(channel);
    CHECK_SAME_ACTION(SIGONE, before);
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 4);
}

static void check_siginfo_handler(int flags, int depth) {
    install(SIGONE, siginfo_handler, flags, NULL);
    struct kept_action before = kept_action(SIGONE);
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    errno = 17;
    queue_here(SIGONE, 77);
    CHECK_INT(siginfo_calls, 2);
    CHECK_INT(deepest, depth);
    CHECK(blocked_term == 1);
    CHECK(seen_context);
    CHECK_INT(seen.si_signo, SIGONE);
    raise_here(SIGONE);
    CHECK_INT(seen.si_code, SI_TKILL);
    CHECK_INT(seen.si_pid, getpid());
    CHECK_NEXT(channel, SIGONE, 77, 1);
    CHECK_NEXT(channel, SIGONE, 0, 1);
    CHECK_NEXT(channel, SIGONE, 0, 1);
    check_empty(channel);
    close_channel(channel);
    CHECK_SAME_ACTION(SIGONE, before);
}

TEST(siginfo_handler_goes_on, "one with SA_SIGINFO has its siginfo and its mask, and its signal waits for it") {
    check_siginfo_handler(0, 1);
}

TEST(nodefer_goes_on, "one with SA_NODEFER nests, as it does without a channel") {
    check_siginfo_handler(SA_NODEFER, 2);
}

/* Whether a read of an empty pipe is restarted after SIGONE. */
static int pipe_fds[2];
static pid_t reader;

static void *interrupt(void *arg) {
    check_await_syscall(reader, SYS_read);
    send_to(*(pthread_t *)arg, SIGONE);
    while (!plain_calls) sched_yield();
    check_await_syscall(reader, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

static void *interrupt_for_good(void *arg) {
    check_await_syscall(reader, SYS_read);
    send_to(*(pthread_t *)arg, SIGONE);
    return NULL;
}

static ssize_t interrupted_read(void *(*body)(void *)) {
    pthread_t thread, self = pthread_self();
    char byte;
    CHECK_SYS(pipe(pipe_fds));
    reader = check_gettid();
    start(&thread, body, &self);
    ssize_t result = read(pipe_fds[0], &byte, 1);
    int code = errno;
    join(thread);
    errno = code;
    return result;
}

TEST(restarts_as_before, "SA_RESTART of its own holds: the program's read goes on") {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = plain_handler, action.sa_flags = SA_RESTART;
    CHECK_SYS(sigaction(SIGONE, &action, NULL));
    init();
    open_channel(ONE, 8);
    CHECK_INT(interrupted_read(interrupt), 1);
}

TEST(interrupts_as_before, "and without SA_RESTART it is interrupted") {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = plain_handler;
    CHECK_SYS(sigaction(SIGONE, &action, NULL));
    init();
    open_channel(ONE, 8);
    CHECK_INT(interrupted_read(interrupt_for_good), -1);
    CHECK_INT(errno, EINTR);
}

static rsig_channel_t *read_meanwhile;

static void *interrupt_silently(void *arg) {
    rsig_siginfo_t info;
    check_await_syscall(reader, SYS_read);
    send_to(*(pthread_t *)arg, SIGONE);
    CHECK_INT(rsig_channel_wait(read_meanwhile, &info, -1), 1);
    check_await_syscall(reader, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(program_is_not_interrupted, "where nobody handles the signal the program's read goes on") {
    init();
    read_meanwhile = open_channel(ONE, 8);
    CHECK_INT(interrupted_read(interrupt_silently), 1);
    close_channel(read_meanwhile);
    CHECK(signal(SIGONE, SIG_IGN) != SIG_ERR);
    read_meanwhile = open_channel(ONE, 8);
    CHECK_INT(interrupted_read(interrupt_silently), 1);
}

TEST(handler_interrupts, "with a handler of rsig_signal's it is interrupted, as without the channel") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    open_channel(ONE, 8);
    CHECK_INT(interrupted_read(interrupt_for_good), -1);
    CHECK_INT(errno, EINTR);
}

/* --- which stack --- */

static char *alternate;
enum { ALTERNATE = 65536 };
static volatile sig_atomic_t on_alternate;

static void where(int signum, siginfo_t *info, void *context) {
    char here;
    (void)signum, (void)info, (void)context;
    on_alternate = &here >= alternate && &here < alternate + ALTERNATE;
}

static void check_stack(int flags) {
    stack_t stack = {.ss_size = ALTERNATE};
    stack.ss_sp = alternate = malloc(ALTERNATE);
    CHECK_SYS(sigaltstack(&stack, NULL));
    install(SIGONE, where, flags, NULL);
    init();
    on_alternate = -1;
    raise_here(SIGONE);
    int before = on_alternate;
    open_channel(ONE, 1);
    on_alternate = -1;
    raise_here(SIGONE);
    CHECK_INT(on_alternate, before);
    CHECK_INT(on_alternate, flags != 0);
}

TEST(alternate_stack, "a handler on the alternate stack stays there") { check_stack(SA_ONSTACK); }
TEST(ordinary_stack, "one that is not stays off it, however small it may be") { check_stack(0); }

/* --- handlers that do not return --- */

static int end_thread_result;

static void end_thread(int signum) {
    (void)signum;
    pthread_exit(&end_thread_result);
}

static void clean(void *count) { ++*(int *)count; }

static void *unwound(void *arg) {
    pthread_cleanup_push(clean, arg);
    raise_here(SIGONE);
    pthread_cleanup_pop(0);
    return NULL;
}

TEST(ends_its_thread, "a handler that ends its thread by pthread_exit does so, and the delivery is recorded") {
    int cleaned = 0;
    CHECK(signal(SIGONE, end_thread) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    for (int i = 1; i <= 3; i++) {
        CHECK(on_thread(unwound, &cleaned) == &end_thread_result);
        CHECK_INT(cleaned, i);
        next_record(channel);
    }
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)(size_t)end_thread);
}

/* --- one-shot handlers --- */

static volatile sig_atomic_t shots;
static void one_shot(int signum) { (void)signum, shots++; }

static void install_one_shot(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = one_shot, action.sa_flags = (int)SA_RESETHAND;
    CHECK_SYS(sigaction(signum, &action, NULL));
}

TEST(one_shot_once, "a one-shot handler is called once; then the signal has its default action") {
    install_one_shot(SIGONE);
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK(action_of(SIGONE).handler == RSIG_FOREIGN);
    for (int i = 0; i < 3; i++) raise_here(SIGONE);
    CHECK_INT(shots, 1);
    for (int i = 0; i < 3; i++) next_record(channel);
    CHECK(action_of(SIGONE).handler == RSIG_DFL);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

TEST(one_shot_unused, "one that was not called is back, one-shot, when the channel is closed") {
    install_one_shot(SIGONE);
    struct kept_action before = kept_action(SIGONE);
    init();
    close_channel(open_channel(ONE, 8));
    CHECK_SAME_ACTION(SIGONE, before);
}

static void die_one_shot(void) {
    struct rlimit none = {0, 0};
    CHECK_SYS(setrlimit(RLIMIT_CORE, &none));
    install_one_shot(SIGSEGV);
    init();
    open_channel(RSIG_SIGSET(SIGSEGV), 8);
    *(volatile char *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
}

TEST(one_shot_fault, "a fault ends the program after its one-shot handler, instead of repeating for ever") {
    CHECK_CHILD_KILLED(check_child(die_one_shot), SIGSEGV);
}

/* --- chains --- */

static struct sigaction under;
static volatile sig_atomic_t chained;

static void chaining(int signum, siginfo_t *info, void *context) {
    CHECK(++chained < 100);
    if (under.sa_flags & SA_SIGINFO) under.sa_sigaction(signum, info, context);
}

static void chaining_bare(int signum) {
    CHECK(++chained < 100);
    if (under.sa_flags & SA_SIGINFO) under.sa_sigaction(signum, NULL, NULL);
}

static void install_bare(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = chaining_bare;
    CHECK_SYS(sigaction(signum, &action, &under));
}

/* rsig's handler, then one that chains to it, then the channel: each has each delivery once. */
static void check_chain(rsig_channel_t *channel, int rounds) {
    int before = calls.calls, chained_before = chained;
    for (int i = 1; i <= rounds; i++) {
        queue_here(SIGONE, i);
        CHECK_INT(chained, chained_before + i);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.calls, before + i);
        CHECK_INT(calls.last_info.count, 1);
        if (!channel) continue;
        CHECK_NEXT(channel, SIGONE, i, 1);
        check_empty(channel);
    }
    CHECK_INT(rsig_pump(), 0);
}

static void check_chain_over_handler(void) {
    check_chain(NULL, 2);
    rsig_channel_t *channel = open_channel(ONE, 8), *other = open_channel(ONE, 1);
    CHECK(action_of(SIGONE).handler == RSIG_FOREIGN);
    check_chain(channel, 3);
    close_channel(other);
    check_chain(channel, 3);
    close_channel(channel);
    check_chain(NULL, 2);
    channel = open_channel(ONE, 8);
    check_chain(channel, 3);
    /* In the middle of it the handler is changed for good. */
    set_action(SIGONE, RSIG_IGN);
    int before = calls.calls, chained_before = chained;
    raise_here(SIGONE);
    next_record(channel);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(calls.calls, before);
    CHECK_INT(chained, chained_before);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_IGN);
}

TEST(comes_back, "a handler that chains to rsig's: it, rsig's and the channel get each delivery once") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    install(SIGONE, chaining, 0, &under);
    check_chain_over_handler();
}

TEST(comes_back_bare, "so they do where it passes on neither siginfo nor context") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    install_bare(SIGONE);
    check_chain_over_handler();
}

static int under_is_bare;

/* Over the channel alone. */
static void check_chain_over_channel(void) {
    rsig_channel_t *first = open_channel(ONE, 8);
    if (under_is_bare)
        install_bare(SIGONE);
    else
        install(SIGONE, chaining, 0, &under);
    queue_here(SIGONE, 1);
    /* The one that passes on nothing has kept the payload. */
    CHECK_NEXT(first, SIGONE, under_is_bare ? 0 : 1, 1);
    rsig_channel_t *second = open_channel(ONE, 8);
    queue_here(SIGONE, 2);
    CHECK_NEXT(first, SIGONE, 2, 1);
    CHECK_NEXT(second, SIGONE, 2, 1);
    CHECK_INT(chained, 2);
    close_channel(first);
    queue_here(SIGONE, 3);
    CHECK_NEXT(second, SIGONE, 3, 1);
    close_channel(second);
    queue_here(SIGONE, 4);
    CHECK_INT(chained, 4);
    CHECK_INT(rsig_pump(), 0);
    first = open_channel(ONE, 8);
    queue_here(SIGONE, 5);
    CHECK_NEXT(first, SIGONE, 5, 1);
    check_empty(first);
    CHECK_INT(chained, 5);
    close_channel(first);
    queue_here(SIGONE, 6);
    CHECK_INT(chained, 6);
}

TEST(over_channel, "a handler installed over a channel's that chains to it: each once, with more channels too") {
    init();
    check_chain_over_channel();
}

TEST(over_channel_bare, "so it is where it passes on neither siginfo nor context") {
    under_is_bare = 1;
    init();
    check_chain_over_channel();
}

TEST(two_foreign_handlers, "one beneath the channel and one over it that chains: both get each delivery once") {
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR);
    init();
    check_chain_over_channel();
    CHECK_INT(plain_calls, 6);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise_here(SIGONE);
    CHECK_INT(chained, 7);
    CHECK_INT(plain_calls, 7);
}

TEST(two_after_fini, "so it is after rsig_fini and another rsig_init") {
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR);
    init();
    open_channel(ONE, 8);
    install(SIGONE, chaining, 0, &under);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise_here(SIGONE);
    init();
    raise_here(SIGONE);
    rsig_channel_t *channel = open_channel(ONE, 8);
    queue_here(SIGONE, 3);
    CHECK_NEXT(channel, SIGONE, 3, 1);
    check_empty(channel);
    close_channel(channel);
    raise_here(SIGONE);
    CHECK_INT(chained, 4);
    CHECK_INT(plain_calls, 4);
}

TEST(given_back,
     "one that is displaced by a channel and then puts back rsig's handler is gone for good") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    install(SIGONE, chaining, 0, &under);
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK_SYS(sigaction(SIGONE, &under, NULL));
    for (int i = 1; i <= 2; i++) {
        check_action(check_handler);
        queue_here(SIGONE, i);
        CHECK_INT(rsig_pump(), 1);
        CHECK_NEXT(channel, SIGONE, i, 1);
        check_empty(channel);
        close_channel(open_channel(ONE, 1));
    }
    close_channel(channel);
    CHECK_INT(rsig_raise_signal(SIGONE), RSIG_OK);
    CHECK_INT(calls.calls, 3);
    CHECK_INT(chained, 0);
}

TEST(over_channel_stays, "a handler installed over the channel's that does not chain stays at the end") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR);
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 1);
    check_empty(channel);
    CHECK(action_of(SIGONE).handler == RSIG_FOREIGN);
    /* The next channel has the signal again, and so has the first. */
    rsig_channel_t *second = open_channel(ONE, 8);
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 2);
    next_record(channel), next_record(second);
    close_channel(channel), close_channel(second);
    CHECK(check_kernel_handler(SIGONE) == (void *)(size_t)plain_handler);
    channel = open_channel(ONE, 8);
    CHECK(signal(SIGONE, SIG_IGN) != SIG_ERR);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_IGN);
}

TEST(foreign_set_by_note, "RSIG_FOREIGN's note, set while a channel is open, is called and stays") {
    rsig_action_t old;
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR);
    struct kept_action before = kept_action(SIGONE);
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, &old), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK_INT(rsig_signal(SIGONE, old.handler, old.arg, NULL), RSIG_OK);
    check_action(RSIG_FOREIGN);
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 1);
    next_record(channel);
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, &old), RSIG_OK);
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_signal(SIGONE, old.handler, old.arg, NULL), RSIG_OK);
    close_channel(channel);
    CHECK_SAME_ACTION(SIGONE, before);
}

/* --- siginterrupt --- */

TEST(siginterrupt_meanwhile, "rsig_siginterrupt while a channel is open changes a foreign handler for good") {
    struct sigaction now;
    CHECK(signal(SIGONE, plain_handler) != SIG_ERR); /* with SA_RESTART */
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK_INT(rsig_siginterrupt(SIGONE, 1), RSIG_OK);
    CHECK_SYS(sigaction(SIGONE, NULL, &now));
    CHECK(!(now.sa_flags & SA_RESTART));
    raise_here(SIGONE);
    CHECK_INT(plain_calls, 1);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGONE) == (void *)(size_t)plain_handler);
    CHECK_SYS(sigaction(SIGONE, NULL, &now));
    CHECK(!(now.sa_flags & SA_RESTART));
}

TEST(siginterrupt_of_handler, "and of a handler of rsig_signal's it stays, opened and closed") {
    struct sigaction now;
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGONE, 0), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 8);
    CHECK_SYS(sigaction(SIGONE, NULL, &now));
    CHECK(now.sa_flags & SA_RESTART);
    close_channel(channel);
    CHECK_SYS(sigaction(SIGONE, NULL, &now));
    CHECK(now.sa_flags & SA_RESTART);
}

/* --- children --- */

static void exit_3(void) { _exit(3); }

static void check_no_zombies(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) _exit(3);
    if (channel) {
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
        CHECK_INT(info.pid, pid);
        CHECK_INT(info.status, 3);
    }
    /* It waits for all of them. */
    CHECK_INT(waitpid(-1, NULL, 0), -1);
    CHECK_INT(errno, ECHILD);
}

TEST(ignored_children, "children of a program that ignores SIGCHLD stay unwaited while a channel hears of them") {
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel(CHLD, 8);
    check_no_zombies(channel);
    check_no_zombies(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGCHLD) == (void *)SIG_IGN);
    check_no_zombies(NULL);
}

TEST(nocldwait, "so do those of one with SA_NOCLDWAIT, and its flags are back at the end") {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL, action.sa_flags = SA_NOCLDWAIT | SA_NOCLDSTOP;
    CHECK_SYS(sigaction(SIGCHLD, &action, NULL));
    struct kept_action before = kept_action(SIGCHLD);
    init();
    rsig_channel_t *channel = open_channel(CHLD, 8);
    check_no_zombies(channel);
    close_channel(channel);
    CHECK_SAME_ACTION(SIGCHLD, before);
}

TEST(children_to_wait_for, "and else they are there to wait for") {
    init();
    rsig_channel_t *channel = open_channel(CHLD, 8);
    CHECK_INT(WEXITSTATUS(check_child(exit_3)), 3);
    rsig_siginfo_t info = next_record(channel);
    CHECK_INT(info.code, CLD_EXITED);
    CHECK_INT(info.status, 3);
    set_action(SIGCHLD, RSIG_IGN);
    check_no_zombies(channel);
    set_action(SIGCHLD, RSIG_DFL);
    CHECK_INT(WEXITSTATUS(check_child(exit_3)), 3);
}

/* --- faults --- */

static char *page;

static void fault(void) {
    struct rlimit none = {0, 0};
    CHECK_SYS(setrlimit(RLIMIT_CORE, &none));
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    *(volatile char *)page = 1;
}

#define SEGV RSIG_SIGSET(SIGSEGV)

static void die_with_channel(void) {
    init();
    open_channel(SEGV, 8);
    fault();
}

static void die_with_both(void) {
    init();
    set_action(SIGSEGV, rsig_default_int_handler);
    open_channel(SEGV, 8);
    fault();
}

static void die_ignoring(void) {
    CHECK(signal(SIGSEGV, SIG_IGN) != SIG_ERR);
    init();
    open_channel(SEGV, 8);
    fault();
}

TEST(fault_kills, "a fault kills, with a channel open, with a handler too, and where it was ignored") {
    CHECK_CHILD_KILLED(check_child(die_with_channel), SIGSEGV);
    CHECK_CHILD_KILLED(check_child(die_with_both), SIGSEGV);
    CHECK_CHILD_KILLED(check_child(die_ignoring), SIGSEGV);
}

static volatile sig_atomic_t repairs;

static void repair(int signum, siginfo_t *info, void *context) {
    CHECK_INT(signum, SIGSEGV);
    CHECK(info->si_addr == page && context);
    repairs++;
    CHECK_SYS(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

TEST(fault_is_repaired, "a foreign handler repairs faults while a channel is open, which hears nothing of them") {
    install(SIGSEGV, repair, SA_ONSTACK, NULL);
    init();
    rsig_channel_t *channel = open_channel(SEGV, 8);
    for (int i = 1; i <= 3; i++) {
        fault();
        CHECK_INT(repairs, i);
    }
    check_empty(channel);
    close_channel(channel);
    fault();
    CHECK_INT(repairs, 4);
}

static sigjmp_buf out;
static void jump(int signum) { siglongjmp(out, signum); }

TEST(fault_is_left, "a foreign handler that leaves by siglongjmp leaves the channel whole") {
    CHECK(signal(SIGSEGV, jump) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel(SEGV | ONE, 8);
    for (volatile int i = 0; i < 3; i++) {
        if (!sigsetjmp(out, 1)) {
            fault();
            CHECK_FAIL("survived");
        }
        check_empty(channel);
        if (!sigsetjmp(out, 1)) {
            raise_here(SIGSEGV);
            CHECK_FAIL("survived");
        }
        CHECK_INT(next_record(channel).signo, SIGSEGV);
        raise_here(SIGONE);
        CHECK_INT(next_record(channel).signo, SIGONE);
    }
    close_channel(channel);
    CHECK(check_kernel_handler(SIGSEGV) == (void *)(size_t)jump);
}

static void die_chained(void) {
    init();
    set_action(SIGSEGV, rsig_default_int_handler);
    install(SIGSEGV, chaining, 0, &under);
    open_channel(SEGV, 8);
    fault();
}

static void die_chained_over_channel(void) {
    init();
    open_channel(SEGV, 8);
    install(SIGSEGV, chaining, 0, &under);
    open_channel(SEGV, 8);
    fault();
}

TEST(chained_fault_kills, "a fault that a foreign handler passes on to rsig's kills") {
    CHECK_CHILD_KILLED(check_child(die_chained), SIGSEGV);
    CHECK_CHILD_KILLED(check_child(die_chained_over_channel), SIGSEGV);
}

TEST(sent_segv, "a SIGSEGV that was sent is a record like any other") {
    init();
    rsig_channel_t *channel = open_channel(SEGV, 8);
    CHECK_SYS(kill(getpid(), SIGSEGV));
    CHECK_INT(next_record(channel).code, SI_USER);
}

/* --- rsig's own number --- */

/* Makes rsig take its real-time signal, for which SIGRTMAX is free. */
static void take_number(void) {
    int fds[2];
    char byte;
    CHECK_SYS(pipe(fds));
    CHECK_INT(write(fds[1], "", 1), 1);
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    CHECK(check_kernel_handler(SIGRTMAX) != (void *)SIG_DFL);
    CHECK(action_of(SIGRTMAX).handler == RSIG_DFL);
}

struct poked {
    pid_t tid;
    int fd, signum;
};

static void *poke_and_write(void *arg) {
    struct poked *it = (struct poked *)arg;
    for (int i = 0; i < 3; i++) {
        check_await_syscall(it->tid, SYS_read);
        raise_here(SIGUSR2);                  /* rsig pokes the main thread with its own number */
        queue_here(it->signum, 50 + i);  /* and this is the program's */
        while (__atomic_load_n(&calls.calls, __ATOMIC_ACQUIRE) <= i) sched_yield();
    }
    check_await_syscall(it->tid, SYS_read);
    CHECK_INT(write(it->fd, "x", 1), 1);
    return NULL;
}

static void check_own_number(rsig_channel_t *channel) {
    pthread_t thread;
    int fds[2];
    char byte;
    CHECK_SYS(pipe(fds));
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    calls.calls = 0;
    struct poked it = {check_gettid(), fds[1], SIGRTMAX};
    start(&thread, poke_and_write, &it);
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
    join(thread);
    CHECK_INT(calls.calls, 3);
    for (int i = 0; i < 3; i++) CHECK_NEXT(channel, SIGRTMAX, 50 + i, 1);
    check_empty(channel);
}

TEST(own_number, "a channel may have the number that rsig pokes with: it gets what was sent, and no poke") {
    check_needs_stub();
    init();
    take_number();
    rsig_channel_t *channel = open_channel(RSIG_SIGSET(SIGRTMAX), 8);
    CHECK(action_of(SIGRTMAX).handler == RSIG_DFL);
    check_own_number(channel);
    close_channel(channel);
    CHECK(action_of(SIGRTMAX).handler == RSIG_DFL);
    take_number();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)SIG_DFL);
}

TEST(own_number_later, "one that is open already keeps the number, and rsig takes another") {
    init();
    rsig_channel_t *channel = open_channel(RSIG_SIGSET(SIGRTMAX), 8);
    check_own_number(channel);
    close_channel(channel);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)SIG_DFL);
}

static void die_of_own_number(void) {
    init();
    take_number();
    close_channel(open_channel(RSIG_SIGSET(SIGRTMAX), 8));
    raise_here(SIGRTMAX);
}

static void ignore_own_number(void) {
    init();
    take_number();
    rsig_channel_t *channel = open_channel(RSIG_SIGSET(SIGRTMAX), 8);
    set_action(SIGRTMAX, RSIG_IGN);
    raise_here(SIGRTMAX);
    next_record(channel);
    close_channel(channel);
    raise_here(SIGRTMAX);
    CHECK(action_of(SIGRTMAX).handler == RSIG_IGN);
    CHECK_INT(rsig_pump(), 0);
    channel = open_channel(RSIG_SIGSET(SIGRTMAX), 8);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, NULL), RSIG_OK);
    close_channel(channel);
    CHECK_INT(rsig_raise_signal(SIGRTMAX), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

TEST(own_number_afterwards, "after the channel that number has the program's action: default, ignored or a handler") {
    int status = check_child(die_of_own_number);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGRTMAX);
    CHECK_CHILD_OK(check_child(ignore_own_number));
}

/* --- other ways to hear of signals --- */

static void block(int signum) { CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(signum), NULL), RSIG_OK); }

TEST(dispatched, "what rsig_dispatch accepts for a handler is a delivery: channels get it too") {
    init();
    CHECK_INT(rsig_signal(SIGONE, check_handler, &calls, NULL), RSIG_OK);
    rsig_channel_t *channel = open_channel(ONE, 8);
    int fd = rsig_channel_fd(channel);
    block(SIGONE);
    queue_here(SIGONE, 5);
    check_empty(channel);
    CHECK_INT(rsig_dispatch(ONE, -1), 1);
    CHECK_INT(calls.last_info.value_int, 5);
    CHECK(is_readable(fd));
    CHECK_NEXT(channel, SIGONE, 5, 1);
}

TEST(not_dispatched, "rsig_dispatch leaves a blocked signal that only a channel has where it is") {
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    block(SIGONE);
    queue_here(SIGONE, 5);
    CHECK_INT(rsig_dispatch(ONE, 0), 0);
    check_empty(channel);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, ONE, NULL), RSIG_OK);
    CHECK_NEXT(channel, SIGONE, 5, 1);
}

TEST(waited_for, "what the sigwait family accepts was not delivered: no channel has it, and the next it has") {
    rsig_siginfo_t info;
    init();
    rsig_channel_t *channel = open_channel(ONE, 8);
    block(SIGONE);
    queue_here(SIGONE, 5);
    CHECK_INT(rsig_sigwaitinfo(ONE, &info), SIGONE);
    CHECK_INT(info.value_int, 5);
    check_empty(channel);
    queue_here(SIGONE, 6);
    CHECK_INT(rsig_pthread_sigmask(SIG_UNBLOCK, ONE, NULL), RSIG_OK);
    CHECK_NEXT(channel, SIGONE, 6, 1);
}

static volatile sig_atomic_t notified[NSIG];
static void notify(int signum, void *arg) {
    /* Recorded before: whoever wakes up must find it. */
    CHECK(is_readable(*(int *)arg));
    notified[signum]++;
}

TEST(wakeup_and_notify, "the wakeup fd and the notify function hear of what only channels have, once each") {
    int fds[2], fd;
    char bytes[8];
    init();
    rsig_channel_t *channel = open_channel(ONE, 8), *second = open_channel(ONE, 8);
    fd = rsig_channel_fd(channel);
    CHECK_SYS(pipe2(fds, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(fds[1], 1, NULL), RSIG_OK);
    CHECK_INT(rsig_set_notify(notify, &fd), RSIG_OK);
    raise_here(SIGONE), raise_here(SIGONE);
    CHECK_INT(notified[SIGONE], 2);
    CHECK_INT(read(fds[0], bytes, sizeof bytes), 2);
    CHECK_INT(bytes[0], SIGONE);
    CHECK_INT(bytes[1], SIGONE);
    close_channel(second);
}

static void *interrupt_rsig(void *arg) {
    rsig_siginfo_t info;
    for (int i = 0; i < 4; i++) {
        check_await_syscall(reader, SYS_read);
        send_to(i % 2 ? *(pthread_t *)arg : pthread_self(), SIGONE);
        CHECK_INT(rsig_channel_wait(read_meanwhile, &info, -1), 1);
    }
    check_await_syscall(reader, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(rsigs_calls_go_on, "rsig_read goes on when only a channel has the signal, wherever it lands") {
    pthread_t thread, self = pthread_self();
    char byte;
    init();
    read_meanwhile = open_channel(ONE, 8);
    CHECK_SYS(pipe(pipe_fds));
    reader = check_gettid();
    start(&thread, interrupt_rsig, &self);
    CHECK_INT(rsig_read(pipe_fds[0], &byte, 1), 1);
    join(thread);
}
