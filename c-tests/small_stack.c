/* Small stacks: the low-level handler on an alternate one, and all functions on a thread's. */
#include "tour.h"
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* What README.md says, beside the kernel's frame. */
enum { HANDLER_NEEDS = 2048 };

enum { PAINT = 0xa5 };

/* With a page below it that cannot be touched. */
static char *new_stack(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    char *place = mmap(NULL, page + whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    if (place == MAP_FAILED) CHECK_FAIL("mmap: %s", strerror(errno));
    CHECK_SYS(mprotect(place, page, PROT_NONE));
    memset(place + page, PAINT, whole);
    /* Its end is at the guard. */
    return place + page;
}

/* How much of it was used, from its top. */
static size_t used(const char *stack, size_t size) {
    size_t low = 0;
    while (low < size && stack[low] == (char)PAINT) low++;
    return size - low;
}

/* The largest that the kernel can need for a frame, with this processor's registers. */
static size_t frame(void) {
#ifdef _SC_MINSIGSTKSZ
    long size = sysconf(_SC_MINSIGSTKSZ);
    if (size > 0) return (size_t)size;
#endif
    /* Where the C library is older than the kernel. */
    unsigned long told = getauxval(AT_MINSIGSTKSZ);
    return told > 0 ? told : MINSIGSTKSZ;
}

static struct check_calls calls;
static int pipe_fds[2];
static pid_t main_tid;
static atomic_int notified;
static void notify(int signum, void *arg) { (void)signum, (void)arg, notified++; }

/* All that a delivery can set in motion; no reader for the wakeup fd. */
static void start(void) {
    enum { CHANNELS = 5 };
    static rsig_channel_t *channels[CHANNELS];
    int ends[2];
    CHECK_INT(rsig_init(0), RSIG_OK);
    main_tid = check_gettid();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK(rsig_fd() >= 0);
    for (int i = 0; i < CHANNELS; i++) {
        rsig_sigset_t set = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2) | RSIG_SIGSET(SIGRTMIN);
        CHECK_INT(rsig_channel_open(set, 1, &channels[i]), RSIG_OK);
        CHECK(rsig_channel_fd(channels[i]) >= 0);
    }
    CHECK_INT(rsig_set_notify(notify, NULL), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(tour_hook, NULL), RSIG_OK);
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    CHECK_INT(rsig_set_wakeup_fd(ends[1], 1, NULL), RSIG_OK);
    close(ends[0]);
    CHECK_SYS(pipe(pipe_fds));
}

enum { ROUNDS = 50 };

static void take_signals(void) {
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(raise(SIGUSR2), 0);
        CHECK_INT(raise(SIGRTMIN), 0);
    }
}

static void plain_handler(int signum) { (void)signum; }

static void raise_plain(void) {
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_ONSTACK};
    CHECK_SYS(sigaction(SIGQUIT, &action, NULL));
    CHECK_INT(raise(SIGQUIT), 0);
}

static size_t use_alternate(void (*body)(void)) {
    size_t size = frame() + HANDLER_NEEDS;
    char *stack = new_stack(size);
    stack_t alternate = {.ss_sp = stack, .ss_size = size}, none = {.ss_flags = SS_DISABLE};
    CHECK_SYS(sigaltstack(&alternate, NULL));
    body();
    CHECK_SYS(sigaltstack(&none, NULL));
    CHECK(used(stack, size) > 0);
    return used(stack, size);
}

static void compare_with_plain(void) {
    size_t plain = use_alternate(raise_plain), own = use_alternate(take_signals);
    printf("%zu bytes beside %zu\n", own - plain, plain);
    CHECK(own - plain <= HANDLER_NEEDS);
}

TEST(alternate, "on an alternate stack of sysconf(_SC_MINSIGSTKSZ) and what README.md says") {
    start();
    compare_with_plain();
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, ROUNDS);
    CHECK_INT(notified, 3 * ROUNDS);
}

/* While the main thread is in a call, which has to be ended. */
static void *use_alternate_elsewhere(void *unused) {
    check_await_syscall(main_tid, SYS_read);
    compare_with_plain();
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return unused;
}

TEST(alternate_elsewhere, "so it is on another thread, while the main thread waits in a call") {
    char byte;
    start();
    pthread_t thread = tour_spawn(use_alternate_elsewhere, NULL);
    CHECK_INT(rsig_read(pipe_fds[0], &byte, 1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.deliveries, ROUNDS);
}

/* ---- threads with small stacks ---- */

static size_t thread_stack(void) {
    long least = sysconf(_SC_THREAD_STACK_MIN);
    return least > 0 ? (size_t)least : 16384;
}

static pthread_t spawn_small(void *(*body)(void *), void *arg) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_INT(pthread_attr_init(&attributes), 0);
    CHECK_INT(pthread_attr_setstacksize(&attributes, thread_stack()), 0);
    CHECK_INT(pthread_create(&thread, &attributes, body, arg), 0);
    return thread;
}

static void *take_signals_there(void *unused) {
    take_signals();
    return unused;
}

TEST(smallest_threads, "many threads of PTHREAD_STACK_MIN take signals, and the counts add up") {
    enum { THREADS = 20 };
    pthread_t threads[THREADS];
    start();
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(take_signals_there, NULL);
    for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, THREADS * ROUNDS);
}

static rsig_channel_t *awaited;

static void *use_channels(void *unused) {
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGTERM), 16, &channel), RSIG_OK);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_INT(rsig_raise_signal(SIGTERM), RSIG_OK);
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    }
    CHECK_INT(rsig_channel_wait(channel, &info, 1e-6), 0);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_channel_wait(awaited, &info, -1), 1);
    return unused;
}

TEST(channels_there, "they open, read and close channels, and wait") {
    start();
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGHUP), 2, &awaited), RSIG_OK);
    pthread_t thread = spawn_small(use_channels, NULL);
    CHECK_INT(raise(SIGHUP), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void *tour_there(void *unused) {
    tour();
    return unused;
}

TEST(main_thread_there, "one of them can be the main thread, take the whole tour, dump and fork") {
    CHECK_INT(pthread_join(spawn_small(tour_there, NULL), NULL), 0);
}

static void *fork_there(void *unused) {
    int status;
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) {
        raise(SIGUSR1);
        _exit(rsig_pump() != 1);
    }
    CHECK_SYS(waitpid(child, &status, 0));
    CHECK_CHILD_OK(status);
    return unused;
}

TEST(forks_there, "one that is not the main thread can fork") {
    start();
    CHECK_INT(pthread_join(spawn_small(fork_there, NULL), NULL), 0);
}
