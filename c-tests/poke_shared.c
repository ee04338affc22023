/*
 * The number with which rsig pokes the main thread is the program's own as well: it ignores, handles,
 * blocks and accepts it as any other, and gets its own signals alone.
 */
#include "landing.h"

TEST(number_ignored, "RSIG_IGN ignores it, and other signals that land elsewhere still interrupt") {
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, RSIG_IGN, NULL, NULL), RSIG_OK);
    for (int i = 0; i < 3; i++) CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_pump(), 0);
    ends(SYS_read, read_byte);
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_IGN);
}

TEST(number_handled, "a handler on it gets the program's own signals alone, with their payloads") {
    struct check_calls own_calls = {0};
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    for (int i = 1; i <= 100; i++) {
        ends(SYS_read, read_byte);
        CHECK_INT(own_calls.deliveries, i - 1);
        CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = i}));
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(own_calls.deliveries, i);
        CHECK_INT(own_calls.last_info.value_int, i);
    }
}

TEST(number_dispatched,
     "rsig_dispatch() of it runs its handler for the program's own signals alone") {
    struct check_calls own_calls = {0};
    pthread_t thread;
    set_up();
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    set_mask(RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(pthread_create(&thread, NULL, take_signal, (void *)(size_t)CHECK_SYS_SIGWAIT), 0);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGRTMAX), -1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(own_calls.calls, 0);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGRTMAX), -1), 1);
    CHECK_INT(own_calls.calls, 1);
}

TEST(number_taken_by_sigaction,
     "a handler that the program installs by sigaction() gets its own signals, and keeps them") {
    set_up();
    read_ready_byte();
    own(SIGRTMAX);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(rsig_pump(), 0);
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGRTMAX, &action), RSIG_OK);
    CHECK(action.handler == RSIG_FOREIGN);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)(size_t)plain_handler);
}

TEST(another_number_then,
     "when the program has taken the number by sigaction(), rsig takes another") {
    set_up();
    ends(SYS_read, read_byte);
    own(SIGRTMAX);
    ends(SYS_read, read_byte);
    CHECK_INT(plain_calls, 0);
    CHECK(signal(SIGRTMAX, SIG_DFL) != SIG_ERR);
    ends(SYS_read, read_byte);
}

static void *accept_it(void *unused) {
    sigset_t set;
    int got = 0;
    (void)unused;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    check_await_syscall(main_tid, SYS_read);
    CHECK_SYS(kill(getpid(), SIGRTMAX));
    check_await_syscall(main_tid, SYS_read); /* where it has woken it */
    CHECK_INT(sigwait(&set, &got), 0);
    CHECK_INT(got, SIGRTMAX);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(number_accepted_by_sigwait,
     "blocked by the program in all threads, it waits for the one that accepts it") {
    pthread_t thread;
    set_up();
    set_mask(~(rsig_sigset_t)0);
    CHECK_INT(pthread_create(&thread, NULL, accept_it, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* What the program sends of a number: so many, to the process and to the main thread. */
enum { EACH = 3 };

static void send_own(int signum) {
    union sigval first = {.sival_int = EACH * signum}, second = {.sival_int = EACH * signum + 1};
    CHECK_SYS(sigqueue(getpid(), signum, first));
    CHECK_INT(pthread_sigqueue(main_thread, signum, second), 0);
    CHECK_INT(pthread_kill(main_thread, signum), 0);
}

/* All of that is pending for the main thread, in whatever order, and nothing else. */
static void accept_own(rsig_sigset_t numbers) {
    static const struct timespec now;
    int seen[NSIG] = {0}, signum;
    rsig_sigset_t pending;
    sigset_t all;
    siginfo_t info;
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, numbers);
    sigfillset(&all);
    while ((signum = sigtimedwait(&all, &info, &now)) > 0) {
        int which = info.si_code == SI_QUEUE ? info.si_value.sival_int - EACH * signum : 2;
        CHECK(which >= 0 && which < EACH);
        CHECK_INT(info.si_pid, getpid());
        CHECK_INT(seen[signum] & 1 << which, 0);
        seen[signum] |= 1 << which;
    }
    for (int n = 1; n < NSIG; n++)
        CHECK_INT(seen[n], numbers & RSIG_SIGSET(n) ? (1 << EACH) - 1 : 0);
}

static rsig_sigset_t from_to(int first, int last) {
    rsig_sigset_t set = 0;
    for (int n = first; n <= last; n++) set |= RSIG_SIGSET(n);
    return set;
}

static void send_all_own(rsig_sigset_t numbers) {
    for (int n = rsig_sigset_next(numbers, 0); n > 0; n = rsig_sigset_next(numbers, n)) send_own(n);
}

/* The main thread blocks everything, and no other takes the program's own. */
static void block_everything(void) {
    set_mask(~(rsig_sigset_t)0);
    worker_mask = ~RSIG_SIGSET(SIGUSR1);
}

static void own_are_pending(rsig_sigset_t numbers) {
    rsig_sigset_t before = mask();
    send_all_own(numbers);
    for (int i = 0; i < 3; i++) {
        ends(SYS_read, read_byte);
        ends(CHECK_SYS_SIGWAIT, dispatch);
    }
    CHECK_INT(mask(), before);
    accept_own(numbers);
}

TEST(own_pending_before_the_first_call,
     "where everything is blocked and the program's own signals of such numbers are pending, "
     "a signal that lands elsewhere ends the first call, and they stay pending") {
    static const int lowest[] = {0, 1, 5};
    for (int i = 0; i < 3; i++) {
        set_up();
        block_everything();
        own_are_pending(from_to(SIGRTMAX - lowest[i], SIGRTMAX));
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

TEST(own_pending_before_a_call, "the same when rsig has its number already") {
    set_up();
    block_everything();
    read_ready_byte();
    own_are_pending(RSIG_SIGSET(SIGRTMAX));
    own_are_pending(from_to(SIGRTMAX - 1, SIGRTMAX));
    own_are_pending(from_to(SIGRTMAX - 5, SIGRTMAX));
    own_are_pending(from_to(SIGRTMIN, SIGRTMAX - 3));
}

TEST(own_pending_but_one, "the same when only one number is left") {
    set_up();
    block_everything();
    own_are_pending(from_to(SIGRTMIN + 1, SIGRTMAX));
    own_are_pending(from_to(SIGRTMIN, SIGRTMAX - 1));
}

/* A line of what the kernel says of the main thread. */
static unsigned long long main_status(const char *name, int base) {
    char line[256];
    unsigned long long value = 0;
    snprintf(line, sizeof line, "/proc/self/task/%d/status", (int)main_tid);
    FILE *file = fopen(line, "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name))) value = strtoull(line + strlen(name), NULL, base);
    fclose(file);
    return value;
}

static unsigned long long times_asleep(void) { return main_status("voluntary_ctxt_switches:", 10); }

/*
 * Once the main thread sleeps in the system call. Where it lets the first signal through, it sleeps
 * anew when this returns: just woken, it may still look asleep.
 */
static void wake_by(void (*send)(int), int signum, long number) {
    check_await_syscall(main_tid, number);
    unsigned long long before = times_asleep();
    int wakes = !(main_status("SigBlk:", 16) & RSIG_SIGSET(signum));
    send(signum);
    while (wakes && times_asleep() == before) sched_yield();
    check_await_syscall(main_tid, number);
}

/* Each time the main thread sleeps in the system call: the program's own, of the next number. */
static int lowest_sent;

static void *send_during(void *number) {
    set_mask(worker_mask);
    for (int n = SIGRTMAX; n >= lowest_sent; n--) wake_by(send_own, n, (long)(size_t)number);
    return take_signal(number);
}

static void own_arrive(long number, long (*call)(void)) {
    pthread_t thread;
    rsig_sigset_t before = mask();
    calls = (struct check_calls){.result = REFUSED};
    CHECK_INT(pthread_create(&thread, NULL, send_during, (void *)(size_t)number), 0);
    errno = 0;
    CHECK(call() < 0);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(mask(), before);
    accept_own(from_to(lowest_sent, SIGRTMAX));
    nothing_is_left(before);
}

TEST(own_arrive_during_a_call,
     "the same when they arrive while the call sleeps; rsig_fini() gives all numbers back") {
    set_up();
    block_everything();
    for (lowest_sent = SIGRTMAX; lowest_sent > SIGRTMIN; lowest_sent -= 4) {
        own_arrive(SYS_read, read_byte);
        own_arrive(CHECK_SYS_SIGWAIT, dispatch);
        own_arrive(SYS_ppoll, poll_pipe);
    }
    lowest_sent = SIGRTMIN + 1;
    own_arrive(SYS_read, read_byte);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) CHECK(check_kernel_handler(n) == SIG_DFL);
}

static void *write_when_asleep(void *unused) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

static void *send_usr2_when_asleep(void *unused) {
    set_mask(worker_mask);
    check_await_syscall(main_tid, CHECK_SYS_SIGWAIT);
    CHECK_INT(pthread_kill(main_thread, SIGUSR2), 0);
    return unused;
}

static void all_are_pending(void) {
    static struct check_calls accepted;
    pthread_t thread;
    rsig_sigset_t all = from_to(SIGRTMIN, SIGRTMAX), before = mask();
    accepted.calls = calls.calls = 0;
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &accepted, NULL), RSIG_OK);
    send_all_own(all);
    for (int i = 0; i < 3; i++) read_ready_byte();
    CHECK_INT(pthread_create(&thread, NULL, write_when_asleep, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(pthread_create(&thread, NULL, send_usr2_when_asleep, NULL), 0);
    CHECK_INT(dispatch(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(accepted.calls, 1);
    CHECK_INT(mask(), before);
    accept_own(all);
    ends(SYS_read, read_byte);
    nothing_is_left(before);
}

TEST(own_pending_of_every_number,
     "where there is no other number, calls still sleep, and have results, and nothing is lost") {
    set_up();
    block_everything();
    all_are_pending();
}

TEST(own_pending_of_every_number_later, "the same when rsig has its number already") {
    set_up();
    block_everything();
    read_ready_byte();
    all_are_pending();
    all_are_pending();
}

static void send_to_main(int signum) { CHECK_INT(pthread_kill(main_thread, signum), 0); }

/* Blocks nothing, and so would take what is sent to the process. */
static void *send_to_main_alone(void *unused) {
    set_mask(0);
    wake_by(send_to_main, SIGRTMAX, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

static void stays_on_main(void) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, send_to_main_alone, NULL), 0);
    CHECK_INT(read_byte(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    nothing_is_left(mask());
}

TEST(own_sent_to_main_alone,
     "what is sent to the main thread stays there, though another blocks nothing") {
    set_up();
    set_mask(~(rsig_sigset_t)0);
    stays_on_main();
}

TEST(own_handled_sent_to_main_alone, "the same where the program has a handler on it") {
    struct check_calls own_calls = {0};
    set_up();
    set_mask(~(rsig_sigset_t)0);
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &own_calls, NULL), RSIG_OK);
    stays_on_main();
    CHECK_INT(own_calls.calls, 0);
}

static int raises_itself(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    raise(signum);
    return 0;
}

TEST(own_pending_beside_a_handler_that_raises_itself,
     "a call that finds both still has the result that is there") {
    set_up();
    set_mask(~RSIG_SIGSET(SIGUSR1));
    read_ready_byte();
    CHECK_INT(rsig_signal(SIGUSR1, raises_itself, NULL, NULL), RSIG_OK);
    CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){0}));
    CHECK_INT(raise(SIGUSR1), 0);
    read_ready_byte();
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
}

TEST(own_timer_with_a_full_queue, "a timer's signal, whose place cannot be had anew, is not lost") {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX};
    const struct itimerspec now = {.it_value.tv_nsec = 1};
    rsig_sigset_t pending = 0;
    timer_t timer;
    set_up();
    set_mask(~(rsig_sigset_t)0);
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    read_ready_byte();
    fill_the_queue();
    CHECK_SYS(timer_settime(timer, 0, &now, NULL));
    while (!pending) CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    read_ready_byte();
    CHECK_INT(rsig_sigpending(&pending), RSIG_OK);
    CHECK_INT(pending, RSIG_SIGSET(SIGRTMAX));
    CHECK_INT(rsig_sigwait(RSIG_SIGSET(SIGRTMAX)), SIGRTMAX);
    nothing_is_left(mask());
}

static void queue_own(int count) {
    for (int i = 1; i <= count; i++)
        CHECK_SYS(sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = i}));
}

TEST(own_pending_at_fini, "rsig_fini() leaves what is pending of the number in its order") {
    set_up();
    set_mask(~(rsig_sigset_t)0);
    read_ready_byte();
    queue_own(5);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == SIG_DFL);
    accept_in_order(5);
}
