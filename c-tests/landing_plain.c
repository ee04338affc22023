/*
 * A signal that lands in a plain handler, which has interrupted the main thread's call, ends the call
 * as well; also where that handler leaves it by siglongjmp().
 */
#include "landing.h"
#include <setjmp.h>

static sigjmp_buf out;

static void raising_handler(int signum) {
    (void)signum;
    raise(SIGUSR1);
}

static void leaving_handler(int signum) {
    raising_handler(signum);
    siglongjmp(out, 1);
}

static void *kill_main(void *thread) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGUSR2), 0);
    return NULL;
}

static void *send_usr1(void *thread) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGUSR1), 0);
    return NULL;
}

static void install(int signum, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (flags & SA_RESTART) check_needs_stub();
    CHECK_SYS(sigaction(signum, &action, NULL));
}

/*
 * The main thread's rsig_read() is interrupted by a plain handler, SIGUSR2's. Whether that has left
 * it by siglongjmp(), which puts the mask back only if it was saved.
 */
static int interrupt_by(void (*handler)(int), int flags, int save_mask) {
    pthread_t thread, self = pthread_self();
    volatile int left = 0;
    install(SIGUSR2, handler, flags);
    CHECK_INT(pthread_create(&thread, NULL, kill_main, &self), 0);
    if (sigsetjmp(out, save_mask) == 0) {
        CHECK_INT(read_byte(), -1);
        CHECK_INT(errno, EINTR);
    } else {
        left = 1;
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    return left;
}

/* The same, and rsig's signal lands in it. */
static void nest_with(void (*handler)(int), int flags, int save_mask) {
    calls = (struct check_calls){.result = REFUSED};
    if (interrupt_by(handler, flags, save_mask)) CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(calls.deliveries, 1);
    calls.result = 0;
}

static void nest(void (*handler)(int)) { nest_with(handler, SA_RESTART, 1); }

TEST(nested_in_plain_handler,
     "the mask is the program's afterwards, and stays so when it blocks everything") {
    set_up();
    nest(raising_handler);
    nothing_is_left(0);
    set_mask(~(rsig_sigset_t)0);
    rsig_sigset_t all = mask();
    read_ready_byte();
    nothing_is_left(all);
}

static void plainly_raising_handler(int signum) {
    (void)signum;
    raise(SIGALRM);
}

static void nest_twice(void) {
    static const int flags[] = {SA_RESTART, SA_RESTART | SA_ONSTACK};
    char stack[65536]; /* above the call's own frames: no handler on the thread's stack is there */
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    CHECK_SYS(sigaltstack(&alternate, NULL));
    for (int outer = 0; outer < 2; outer++) {
        for (int inner = 0; inner < 2; inner++) {
            install(SIGALRM, raising_handler, flags[inner]);
            nest_with(plainly_raising_handler, flags[outer], 1);
        }
    }
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(nested_twice,
     "a plain handler may interrupt the plain one before rsig's signal lands: the call ends") {
    under_each_mask(nest_twice);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

/* Above the call's frames, and in the handler the kernel does not say that it is on one. */
static void nest_on_forgotten_stack(void) {
    char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    alternate.ss_flags = (int)SS_AUTODISARM;
    CHECK_SYS(sigaltstack(&alternate, NULL));
    nest_with(raising_handler, SA_RESTART | SA_ONSTACK, 1);
    install(SIGALRM, raising_handler, SA_RESTART | SA_ONSTACK);
    nest_with(plainly_raising_handler, SA_RESTART | SA_ONSTACK, 1);
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(nested_on_forgotten_stack, "it may be on an SS_AUTODISARM stack: the call ends") {
    under_each_mask(nest_on_forgotten_stack);
}

static int how_often;

static void often_raising_handler(int signum) {
    for (int i = 0; i < how_often; i++) raising_handler(signum);
}

static void land_often_on_forgotten_stack(void) {
    char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const stack_t none = {.ss_flags = SS_DISABLE};
    alternate.ss_flags = (int)SS_AUTODISARM;
    CHECK_SYS(sigaltstack(&alternate, NULL));
    for (how_often = 1; how_often <= 30; how_often++) {
        calls = (struct check_calls){.result = REFUSED};
        CHECK_INT(interrupt_by(often_raising_handler, SA_RESTART | SA_ONSTACK, 1), 0);
        CHECK_INT(calls.calls, 1);
        CHECK_INT(calls.deliveries, how_often);
    }
    CHECK_SYS(sigaltstack(&none, NULL));
}

TEST(often_on_forgotten_stack, "and rsig's may land there any number of times: the call ends") {
    under_each_mask(land_often_on_forgotten_stack);
}

static int depth;

static void recursive_handler(int signum) { raise(depth-- > 0 ? signum : SIGUSR1); }

static void nest_deeply(void) {
    for (int i = 0; i < 10; i++) {
        depth = i;
        nest_with(recursive_handler, SA_RESTART | SA_NODEFER, 1);
    }
}

TEST(nested_deeply, "and so on") { under_each_mask(nest_deeply); }

/* A section that a signal must not interrupt, as libraries have them. */
static void masking_handler(int signum) {
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGALRM);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    raising_handler(signum);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void nest_in_masking_handler(void) {
    nest(masking_handler);
    install(SIGALRM, masking_handler, SA_RESTART);
    nest(plainly_raising_handler);
}

TEST(nested_in_masking_handler,
     "the plain handler may put back the mask that it found, after rsig's signal has landed") {
    under_each_mask(nest_in_masking_handler);
}

static struct check_calls later_calls;

static void raise_plain_signal(int signum, void *unused) {
    (void)unused;
    if (signum == SIGUSR1) raise(SIGALRM);
}

static void terminating_handler(int signum) {
    (void)signum;
    raise(SIGTERM);
}

static void nest_in_low_level_handler(void) {
    later_calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &later_calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGTERM, 0), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    install(SIGALRM, terminating_handler, SA_RESTART);
    calls = (struct check_calls){0};
    pthread_t thread, self = pthread_self();
    CHECK_INT(rsig_set_notify(raise_plain_signal, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, send_usr1, &self), 0);
    CHECK_INT(read_byte(), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_set_notify(NULL, NULL), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(later_calls.calls, 1);
    CHECK_INT(later_calls.deliveries, 1);
}

TEST(nested_in_low_level_handler,
     "a plain handler may interrupt rsig's, which has recorded a signal, and another land in it") {
    under_each_mask(nest_in_low_level_handler);
}

static void nest_in_both(void) {
    install(SIGUSR2, raising_handler, SA_RESTART); /* SIGUSR1, whose notification raises SIGALRM */
    install(SIGALRM, terminating_handler, SA_RESTART);
    later_calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &later_calls, NULL), RSIG_OK);
    calls = (struct check_calls){0};
    CHECK_INT(rsig_set_notify(raise_plain_signal, NULL), RSIG_OK);
    CHECK_INT(interrupt_by(raising_handler, SA_RESTART, 1), 0);
    CHECK_INT(rsig_set_notify(NULL, NULL), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(later_calls.calls, 1);
}

TEST(nested_in_nested_low_level_handler,
     "the same where rsig's has itself interrupted a plain one") {
    under_each_mask(nest_in_both);
}

TEST(left_by_siglongjmp,
     "a plain handler may leave the call by siglongjmp(): nothing of it is left behind") {
    set_up();
    nest(leaving_handler);
    nothing_is_left(0);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 2);
    nothing_is_left(0);
    ends(SYS_read, read_byte);
    nothing_is_left(0);
}

TEST(left_before_fini, "what rsig had on its way does not kill the process after rsig_fini()") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    nest(leaving_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    set_mask(0);
}

static void *take_signal_now(void *unused) {
    (void)unused;
    set_mask(0);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    return NULL;
}

TEST(left_with_all_blocked,
     "what the program blocked is blocked again, its own, and pending no more") {
    rsig_sigset_t pending;
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    rsig_sigset_t before = mask();
    for (int i = 0; i < 3; i++) {
        nest(leaving_handler);
        nothing_is_left(before);
    }
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    read_ready_byte();
    nothing_is_left(before);
}

TEST(left_and_number_used, "its number reaches the program's own handler again") {
    struct check_calls own_calls = {0};
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    nest(leaving_handler);
    set_mask(0);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(own_calls.calls, 1);
}

/* The program's own of the number are pending before the poke that it does not know of. */
static int how_many_own = 5;

static void leaving_behind_own(int signum) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMAX);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    /* To the thread: what is sent to the process comes after all of those, and so after the poke. */
    for (int i = 1; i <= how_many_own; i++)
        CHECK_INT(pthread_sigqueue(main_thread, SIGRTMAX, (union sigval){.sival_int = i}), 0);
    leaving_handler(signum);
}

TEST(left_behind_own_before_fini,
     "nor where the program's own of its number came first: those stay, in their order") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    CHECK_INT(interrupt_by(leaving_behind_own, SA_RESTART, 1), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
    accept_in_order(5);
    set_mask(0);
}

TEST(left_behind_many_before_fini,
     "where there are very many, the number has its default action again only if no poke is left") {
    static const struct timespec now;
    sigset_t set;
    siginfo_t info;
    int found = 0, others = 0;
    how_many_own = 100;
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1) & ~RSIG_SIGSET(SIGUSR2));
    CHECK_INT(interrupt_by(leaving_behind_own, SA_RESTART, 1), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    int is_default = check_kernel_handler(SIGRTMAX) == SIG_DFL;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    while (sigtimedwait(&set, &info, &now) > 0) {
        if (info.si_value.sival_int >= 1 && info.si_value.sival_int <= how_many_own)
            found++;
        else
            others++;
    }
    CHECK_INT(found, how_many_own);
    CHECK(!(others && is_default));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
}

TEST(left_and_elsewhere,
     "after that, signals that land elsewhere leave the main thread alone while it is in no call") {
    pthread_t thread;
    set_up();
    nest(leaving_handler);
    set_mask(~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, take_signal_now, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    nothing_is_left(mask());
    CHECK_INT(rsig_pump(), 1);
}

static void leaving_at_once(int signum) {
    (void)signum;
    siglongjmp(out, 1);
}

/* The handler blocks no signal of its own, which siglongjmp() would leave blocked. */
static void leave_without_mask(void) {
    for (int i = 0; i < 3; i++) {
        rsig_sigset_t before = mask();
        nest_with(leaving_handler, SA_RESTART | SA_NODEFER, 0);
        nothing_is_left(before);
        CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
        CHECK_INT(rsig_pump(), 0);
        nothing_is_left(before);
    }
}

TEST(left_without_mask,
     "where siglongjmp() puts no mask back, it is after the next pump as the program had it") {
    under_each_mask(leave_without_mask);
}

static void leave_and_raise(void) {
    for (int times = 1; times < 30; times++) {
        rsig_sigset_t before = mask();
        calls = (struct check_calls){0};
        CHECK_INT(interrupt_by(leaving_handler, SA_RESTART | SA_NODEFER, 0), 1);
        for (int i = 0; i < times; i++) CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, 1 + times);
        nothing_is_left(before);
    }
}

TEST(left_and_raised, "also where the signal is raised again in between, however often") {
    under_each_mask(leave_and_raise);
}

static void leave_and_call(void) {
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
    read_ready_byte();
    ends(SYS_read, read_byte);
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 1), 1);
    ends(SYS_read, read_byte);
}

TEST(left_and_called, "and after the next call, which signals that land elsewhere end") {
    under_each_mask(leave_and_call);
}

TEST(left_and_unblocked, "what the program has unblocked since stays so") {
    set_up();
    set_mask(nearly_all);
    CHECK_INT(interrupt_by(leaving_at_once, SA_RESTART | SA_NODEFER, 0), 1);
    set_mask(0);
    CHECK_INT(rsig_pump(), 0);
    nothing_is_left(0);
}

static void *end_suspension(void *thread) {
    check_await_syscall(main_tid, SYS_rt_sigsuspend);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGALRM), 0);
    return NULL;
}

static void leave_and_suspend(void) {
    static const int flags[] = {SA_RESTART, SA_RESTART | SA_NODEFER};
    for (int i = 0; i < 2; i++) {
        pthread_t thread, self = pthread_self();
        sigset_t none;
        sigemptyset(&none);
        own(SIGALRM);
        plain_calls = 0;
        calls = (struct check_calls){0};
        /* The second time without the mask. */
        CHECK_INT(interrupt_by(leaving_handler, flags[i], !i), 1);
        CHECK_INT(pthread_create(&thread, NULL, end_suspension, &self), 0);
        int times = 0;
        while (!plain_calls) {
            sigsuspend(&none);
            times++;
        }
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(times <= 16); /* rsig's own number can end it a few times */
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(calls.deliveries, 1);
    }
}

TEST(left_and_suspended, "a sigsuspend() loop after that sleeps until the signal that it is for") {
    under_each_mask(leave_and_suspend);
}
