/* What the low-level handler owes the code that it interrupts: errno, the stack, no SIGPIPE. */
#include "check.h"
#include <sys/socket.h>

enum { SENTINEL = 4711, ROUNDS = 1000 };

static struct check_calls calls;

static void prepare(void) {
    /* Without the defaults a SIGPIPE would kill. */
    CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static void be_silent(const char *message, void *arg) {
    (void)message;
    ++*(int *)arg;
}

static int warned;

static void set_wakeup_fd(int fd) {
    CHECK_INT(rsig_set_warning_hook(be_silent, &warned), RSIG_OK);
    CHECK_INT(rsig_set_wakeup_fd(fd, 1, NULL), RSIG_OK);
}

static void check_errno(void) {
    for (int i = 0; i < ROUNDS; i++) {
        errno = SENTINEL;
        raise(SIGUSR1);
        CHECK_INT(errno, SENTINEL);
    }
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, ROUNDS);
}

static void pipe_of(int ends[2]) { CHECK_SYS(pipe2(ends, O_NONBLOCK)); }

TEST(errno_stays, "errno is the same after the low-level handler") {
    prepare();
    check_errno();
}

TEST(errno_stays_with_full_pipe, "errno is the same where the wakeup fd is full") {
    int ends[2];
    char bytes[4096] = {0};
    prepare();
    pipe_of(ends);
    while (write(ends[1], bytes, sizeof bytes) > 0) continue;
    CHECK_INT(errno, EAGAIN);
    set_wakeup_fd(ends[1]);
    check_errno();
    CHECK_INT(warned, 1);
}

TEST(errno_stays_with_closed_fd, "errno is the same where the wakeup fd was closed") {
    int ends[2];
    prepare();
    pipe_of(ends);
    set_wakeup_fd(ends[1]);
    CHECK_SYS(close(ends[1]));
    check_errno();
    CHECK_INT(warned, 1);
}

TEST(errno_stays_with_broken_pipe, "errno is the same, and no SIGPIPE, where the reader has gone") {
    int ends[2];
    prepare();
    pipe_of(ends);
    set_wakeup_fd(ends[1]);
    CHECK_SYS(close(ends[0]));
    check_errno();
    CHECK_INT(warned, 1);
}

TEST(errno_stays_with_broken_socket, "the same with a socket whose peer has gone") {
    int ends[2];
    prepare();
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    set_wakeup_fd(ends[1]);
    CHECK_SYS(close(ends[0]));
    check_errno();
    CHECK_INT(warned, 1);
}

static void break_wakeup_fd(void) {
    int ends[2];
    pipe_of(ends);
    set_wakeup_fd(ends[1]);
    CHECK_SYS(close(ends[0]));
}

TEST(no_sigpipe_for_its_handler, "a broken wakeup fd delivers no SIGPIPE to the handler of that") {
    struct check_calls pipe_calls = {0};
    prepare();
    CHECK_INT(rsig_signal(SIGPIPE, check_handler, &pipe_calls, NULL), RSIG_OK);
    break_wakeup_fd();
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(pipe_calls.calls, 0);
}

static void block_sigpipe(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

TEST(no_sigpipe_pending, "nor does it leave one pending where SIGPIPE is blocked") {
    sigset_t pending;
    prepare();
    block_sigpipe();
    break_wakeup_fd();
    raise(SIGUSR1);
    CHECK_SYS(sigpending(&pending));
    CHECK(!sigismember(&pending, SIGPIPE));
}

TEST(sigpipe_of_others_stays, "nor does it take away one that was pending before") {
    sigset_t pending;
    prepare();
    block_sigpipe();
    raise(SIGPIPE);
    break_wakeup_fd();
    raise(SIGUSR1);
    CHECK_SYS(sigpending(&pending));
    CHECK(sigismember(&pending, SIGPIPE));
}

TEST(no_sigpipe_for_a_warning,
     "nor does a warning on a broken standard error raise one, or leave it blocked") {
    int ends[2];
    sigset_t mask;
    prepare();
    break_wakeup_fd();
    CHECK_INT(rsig_set_warning_hook(NULL, NULL), RSIG_OK);
    raise(SIGUSR1);
    int stderr_before = dup(STDERR_FILENO);
    CHECK_SYS(stderr_before);
    pipe_of(ends);
    CHECK_SYS(dup2(ends[1], STDERR_FILENO));
    CHECK_SYS(close(ends[0]));
    int ran = rsig_pump();
    CHECK_SYS(dup2(stderr_before, STDERR_FILENO));
    CHECK_INT(ran, 1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK(sigisemptyset(&mask));
}

enum { STACK = 65536 };
static unsigned char stack_bytes[STACK];

/* How much of the alternate stack was written to. */
static int used(void) {
    int n = 0;
    for (int i = 0; i < STACK; i++) n += stack_bytes[i] != 0xa5;
    return n;
}

static void *raise_on_alternate_stack(void *arg) {
    stack_t stack = {.ss_sp = stack_bytes, .ss_size = STACK};
    memset(stack_bytes, 0xa5, STACK);
    CHECK_SYS(sigaltstack(&stack, NULL));
    CHECK_INT(used(), 0);
    raise(SIGUSR1);
    CHECK(used() > 0);
    return arg;
}

TEST(alternate_stack,
     "the low-level handler runs on the thread's alternate stack, where it has one") {
    pthread_t thread;
    prepare();
    CHECK_INT(pthread_create(&thread, NULL, raise_on_alternate_stack, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 1);
}
