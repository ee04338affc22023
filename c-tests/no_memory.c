/*
 * Memory exhausted at each point. This program's malloc() is also the library's, as the loader
 * binds that to the executable's; it fails at the n-th allocation, for every n until a whole
 * scenario needs no more of them.
 */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#include "check.h"

TEST(left_out, "nothing") { check_skip("a sanitizer's malloc() is its own"); }
#else
#include "tour.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

/* ---- the allocator: what was freed is not used again, as each case is a short process ---- */

enum { HEAP = 32 << 20, ALIGNMENT = 16, HEADER = 16 };

static _Alignas(4096) char heap[HEAP];
static atomic_size_t heap_used;
static atomic_int live;

/* Only for calls of rsig's, on the thread that makes one. */
static __thread int inside;
static atomic_int asked, fail_at, fail_from;

static int must_fail(void) {
    if (!inside) return 0;
    int number = ++asked;
    return number == fail_at || (fail_from && number >= fail_from);
}

static void *take(size_t alignment, size_t size) {
    if (must_fail()) return errno = ENOMEM, NULL;
    if (alignment < ALIGNMENT) alignment = ALIGNMENT;
    size_t needed = size + alignment + HEADER;
    size_t place = size > HEAP ? HEAP : atomic_fetch_add(&heap_used, needed);
    if (place + needed > HEAP) return errno = ENOMEM, NULL;
    size_t start = ((size_t)heap + place + HEADER + alignment - 1) & ~(alignment - 1);
    ((size_t *)start)[-1] = size;
    live++;
    return (void *)start;
}

void *malloc(size_t size) { return take(1, size); }
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size); }

int posix_memalign(void **place, size_t alignment, size_t size) {
    int before = errno;
    void *taken = take(alignment, size);
    errno = before;
    if (!taken) return ENOMEM;
    *place = taken;
    return 0;
}

void *calloc(size_t count, size_t size) {
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) return errno = ENOMEM, NULL;
    return take(1, whole); /* never used before, so it is zero */
}

void free(void *taken) { live -= taken != NULL; }

void *realloc(void *taken, size_t size) {
    void *more = take(1, size);
    if (!more || !taken) return more;
    size_t before = ((size_t *)taken)[-1];
    memcpy(more, taken, before < size ? before : size);
    free(taken);
    return more;
}

/* What rsig keeps for ever is in pages of its own. */
void *mmap(void *address, size_t size, int access, int flags, int fd, off_t offset) {
    if (must_fail()) return errno = ENOMEM, MAP_FAILED;
#ifdef SYS_mmap2
    return (void *)syscall(SYS_mmap2, address, size, access, flags, fd, offset / 4096);
#else
    return (void *)syscall(SYS_mmap, address, size, access, flags, fd, offset);
#endif
}

/* ---- the scenario ---- */

static int hits;

/* A call works, or is ENOMEM. Where only one allocation fails it works the second time. */
#define TRY(call)                                                                                  \
    ({                                                                                             \
        int try_result, try_errno;                                                                 \
        do {                                                                                       \
            inside = 1, errno = 0;                                                                 \
            try_result = (call);                                                                   \
            try_errno = errno, inside = 0;                                                         \
            if (try_result >= 0) break;                                                            \
            if (try_result != RSIG_ERROR_OS || try_errno != ENOMEM)                                \
                CHECK_FAIL("allocation %d: %s: result %d, errno %d", fail_at + fail_from, #call,   \
                           try_result, try_errno);                                                 \
            CHECK(strstr(rsig_error_message(), "ENOMEM"));                                         \
            hits++;                                                                                \
            if (!fail_from && hits > 1)                                                            \
                CHECK_FAIL("%s fails though there is memory", #call);                              \
        } while (!fail_from);                                                                      \
        try_result;                                                                                \
    })

/* These need no memory. */
#define NEEDS_NONE(call, expected)                                                                 \
    do {                                                                                           \
        inside = 1;                                                                                \
        long none_result = (call);                                                                 \
        inside = 0;                                                                                \
        CHECK_INT(none_result, expected);                                                          \
    } while (0)

static atomic_int plain_calls;
static void plain_handler(int signum) { (void)signum, plain_calls++; }
static void other_plain_handler(int signum) { (void)signum, plain_calls++; }

static int notified;
static void notify(int signum, void *arg) { notified++, (void)signum, (void)arg; }

static int null, pipe_fds[2];

/* What others have installed, of which rsig keeps a record; each another. */
static void install_plain(void) {
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_RESTART};
    CHECK_SYS(sigaction(SIGUSR2, &action, NULL));
    sigaddset(&action.sa_mask, SIGWINCH);
    CHECK_SYS(sigaction(SIGHUP, &action, NULL));
    action.sa_handler = other_plain_handler;
    CHECK_SYS(sigaction(SIGWINCH, &action, NULL));
    CHECK_SYS(sigaction(SIGQUIT, &action, NULL));
}

static void *land_elsewhere(void *unused) {
    CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

/* With a handler that has a record of what was there before, or none. */
static void try_handlers(struct check_calls *calls) {
    rsig_action_t action;
    if (TRY(rsig_signal(SIGUSR1, check_handler, calls, NULL)) == RSIG_OK) {
        int before = calls->calls;
        NEEDS_NONE(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(calls->calls, before + 1);
        pthread_t thread = tour_spawn(land_elsewhere, NULL);
        while (calls->calls == before + 1) NEEDS_NONE(rsig_pause(), RSIG_OK);
        CHECK_INT(pthread_join(thread, NULL), 0);
        thread = tour_spawn(land_elsewhere, NULL);
        NEEDS_NONE(rsig_wait(-1), 1);
        CHECK_INT(pthread_join(thread, NULL), 0);
    }
    if (TRY(rsig_getsignal(SIGUSR2, &action)) == RSIG_OK) {
        CHECK(action.handler == RSIG_FOREIGN);
        int r = TRY(rsig_signal(SIGUSR2, check_handler, calls, NULL)), before = calls->calls;
        int plain = plain_calls;
        NEEDS_NONE(rsig_raise_signal(SIGUSR2), RSIG_OK);
        /* One of the two has it. */
        CHECK_INT(calls->calls, before + (r == RSIG_OK));
        CHECK_INT(plain_calls, plain + (r != RSIG_OK));
        if (r == RSIG_OK)
            NEEDS_NONE(rsig_signal(SIGUSR2, action.handler, action.arg, NULL), RSIG_OK);
        CHECK(check_kernel_handler(SIGUSR2) == (void *)(size_t)plain_handler);
    }
    TRY(rsig_siginterrupt(SIGQUIT, 1));
    int plain = plain_calls;
    NEEDS_NONE(rsig_raise_signal(SIGQUIT), RSIG_OK);
    CHECK_INT(plain_calls, plain + 1);
    if (TRY(rsig_set_notify(notify, &notified)) == RSIG_OK) {
        int before = notified, has_own = check_kernel_handler(SIGUSR1) != (void *)SIG_DFL;
        if (has_own) NEEDS_NONE(rsig_raise_signal(SIGUSR1), RSIG_OK);
        CHECK_INT(notified, before + has_own);
        NEEDS_NONE(rsig_set_notify(NULL, NULL), RSIG_OK);
    }
}

/* SIGHUP and SIGWINCH have plain handlers, which go on. */
static void try_channels(void) {
    const rsig_sigset_t set = RSIG_SIGSET(SIGHUP) | RSIG_SIGSET(SIGWINCH) | RSIG_SIGSET(SIGTERM);
    rsig_channel_t *channels[3];
    rsig_siginfo_t info;
    for (int i = 0; i < 3; i++) {
        if (TRY(rsig_channel_open(set, 1u << 4 * i, &channels[i])) != RSIG_OK) channels[i] = NULL;
        int plain = plain_calls, is_open = 0;
        NEEDS_NONE(rsig_raise_signal(SIGWINCH), RSIG_OK);
        NEEDS_NONE(rsig_raise_signal(SIGHUP), RSIG_OK);
        CHECK_INT(plain_calls, plain + 2);
        for (int j = 0; j <= i; j++) {
            if (!channels[j]) continue;
            is_open = 1;
            NEEDS_NONE(rsig_channel_read(channels[j], &info, 1), 1);
            CHECK_INT(info.signo, SIGWINCH);
            NEEDS_NONE(rsig_channel_wait(channels[j], &info, -1), 1);
            CHECK_INT(info.signo, SIGHUP);
            NEEDS_NONE(rsig_channel_wait(channels[j], &info, 1e-6), 0);
        }
        if (is_open && TRY(rsig_siginterrupt(SIGHUP, i & 1)) == RSIG_OK) {
            NEEDS_NONE(rsig_raise_signal(SIGHUP), RSIG_OK);
            CHECK_INT(plain_calls, plain + 3);
            for (int j = 0; j <= i; j++)
                if (channels[j]) NEEDS_NONE(rsig_channel_read(channels[j], &info, 1), 1);
        }
    }
    for (int i = 0; i < 3; i++)
        if (channels[i]) NEEDS_NONE(rsig_channel_close(channels[i]), RSIG_OK);
    CHECK(check_kernel_handler(SIGHUP) == (void *)(size_t)plain_handler);
    CHECK(check_kernel_handler(SIGTERM) == (void *)SIG_DFL);
}

static void try_the_rest(void) {
    char byte;
    rsig_action_t action;
    struct pollfd one = {pipe_fds[0], POLLIN, 0};
    inside = 1;
    CHECK_ERROR(rsig_signal(99, RSIG_DFL, NULL, NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "99"));
    inside = 0;
    NEEDS_NONE(rsig_write(pipe_fds[1], "x", 1), 1);
    NEEDS_NONE(rsig_poll(&one, 1, -1), 1);
    NEEDS_NONE(rsig_read(pipe_fds[0], &byte, 1), 1);
    NEEDS_NONE(rsig_sleep(1e-6), 0);
    CHECK(TRY(rsig_fd()) >= 0);
    NEEDS_NONE(rsig_sigtimedwait(RSIG_SIGSET(SIGTERM), 1e-6, NULL), 0);
    NEEDS_NONE(rsig_dump(null), RSIG_OK);
    NEEDS_NONE(rsig_dump_json(null), RSIG_OK);
    NEEDS_NONE(rsig_set_main_thread(), RSIG_OK);
    inside = 1;
    pid_t child = fork();
    if (child == 0) {
        TRY(rsig_getsignal(SIGQUIT, &action));
        NEEDS_NONE(rsig_restore_signals(), RSIG_OK);
        _exit(0);
    }
    inside = 0;
    int status;
    NEEDS_NONE(rsig_waitpid(child, &status, 0), child);
    CHECK_CHILD_OK(status);
}

/* Flags and masks of the default action mean nothing, and are put back where there was memory. */
static int is_as_before(struct check_disposition before, struct check_disposition now) {
    if ((fail_at || fail_from) && before.handler <= 1) return now.handler == before.handler;
    return check_same_disposition(before, now);
}

static void scenario(void) {
    struct check_disposition before[NSIG];
    struct check_calls calls = {0};
    install_plain();
    for (int n = 1; n < NSIG; n++)
        if (n < 32 || n >= SIGRTMIN) before[n] = check_disposition(n);
    if (TRY(rsig_init(0)) == RSIG_OK) {
        try_handlers(&calls);
        try_channels();
        try_the_rest();
        NEEDS_NONE(rsig_fini(), RSIG_OK);
    }
    for (int n = 1; n < NSIG; n++)
        if ((n < 32 || n >= SIGRTMIN) && !is_as_before(before[n], check_disposition(n)))
            CHECK_FAIL("allocation %d: signal %d is not as it was", fail_at + fail_from, n);
}

/* ---- the cases ---- */

static int first, every, is_last;

static void run_one(void) {
    if (every)
        fail_from = first;
    else
        fail_at = first;
    scenario();
    is_last = asked < first;
    fail_at = fail_from = 0;
    signal(SIGUSR1, SIG_DFL);
    tour();
    _exit(is_last ? 7 : 0);
}

/* Each in a process of its own: until a scenario needs fewer. */
static void at_each_point(void) {
    CHECK_SYS(null = open("/dev/null", O_WRONLY));
    CHECK_SYS(pipe(pipe_fds));
    for (first = 1;; first++) {
        int status = check_child(run_one);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 7) break;
        CHECK_CHILD_OK(status);
    }
    printf("%d allocations\n", first - 1);
    /* It has met the library's own. */
    CHECK(first > 10);
}

TEST(one_fails,
     "where one allocation fails, the call works or is ENOMEM, and works when it is called again") {
    at_each_point();
}

TEST(all_fail, "the same where no allocation works any more; when there is memory, all works") {
    every = 1;
    at_each_point();
}

TEST(leaks_nothing, "what a scenario leaves is there for good: a second one leaves no more") {
    CHECK_SYS(null = open("/dev/null", O_WRONLY));
    CHECK_SYS(pipe(pipe_fds));
    scenario();
    int before = live;
    for (int i = 0; i < 5; i++) scenario();
    CHECK_INT(live, before);
}
#endif
