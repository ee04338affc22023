/*
 * The calls: each draws its arguments, tells the model, calls the library, and compares. One that begins with rsig_ in the table
 * (at the end) is a function of rsig.h; the others are what a program does besides.
 */
#ifndef CALLS_H
#define CALLS_H

#include "model.h"
#include "plain.h"

/* --- Between driver and calls --- */

static pid_t tids[THREADS];
static pthread_t threads[THREADS];
static int alive = THREADS;

/* Each thread waits for what the others tell it. */
static struct inbox {
    sem_t mail;
    atomic_int is_pinged, is_called;
} inboxes[THREADS];
static sem_t pong;

/* Whether handlers only return, as what they did could not be foreseen. */
static int plain_handlers;
/* How many calls the handlers may still make. */
static int budget;
/* Noise: a timer's signal, at any instruction. What depends on it is not compared. */
static int noise, is_timer_on;
static atomic_int noise_calls;

static long long notify_calls[65], foreign_seen[65], warnings_heard;
static off_t stderr_seen;

static void await(sem_t *semaphore) {
    while (sem_wait(semaphore)) REQUIRE(errno == EINTR);
}

static void tell(int thread, atomic_int *what) {
    atomic_store(what, 1);
    sem_post(&inboxes[thread].mail);
}

/* Until it is this thread's turn. */
static void await_call(void) {
    struct inbox *inbox = &inboxes[self];
    for (;;) {
        await(&inbox->mail);
        if (atomic_exchange(&inbox->is_pinged, 0)) sem_post(&pong);
        if (atomic_exchange(&inbox->is_called, 0)) return;
    }
}

/* Returns when a thread that waits has handled what was sent to it: it answers after all its signal handlers. */
static void await_thread(int thread) {
    if (thread == self || alive == 1) return;
    tell(thread, &inboxes[thread].is_pinged);
    await(&pong);
}

static void await_others(void) {
    for (int thread = 0; thread < THREADS; thread++) await_thread(thread);
}

/* --- Frames: calls that may run handlers --- */

struct frame {
    sigjmp_buf env;
    struct pass pass;
    int left, error, nesting;
    long result;
};
static struct frame frames[32];
static int depth;

enum { ONCE, REPEATEDLY, NEVER };

/* For a call that pumps once, or again while something is tripped, or not. */
static struct frame *enter(int pumps) {
    if (depth == sizeof frames / sizeof *frames) fail("too deep");
    struct frame *frame = &frames[depth++];
    memset(&frame->pass, 0, sizeof frame->pass);
    frame->left = 0;
    frame->nesting = nesting;
    frame->pass.is_on = pumps != NEVER && is_main();
    frame->pass.is_repeated = pumps == REPEATEDLY;
    if (frame->pass.is_on) begin_pass(&frame->pass);
    return frame;
}

/* What the default hook has written, a line each, counts too. */
static void count_warnings(void) {
    struct stat now;
    char text[4096];
    REQUIRE(fstat(STDERR_FILENO, &now) == 0);
    while (stderr_seen < now.st_size) {
        ssize_t size = pread(STDERR_FILENO, text, sizeof text, stderr_seen);
        REQUIRE(size > 0);
        for (ssize_t i = 0; i < size; i++) warnings_heard += text[i] == '\n';
        stderr_seen += size;
    }
}

/* Where the library may have pumped once more or not: whether it has told of the wakeup descriptor. */
static void settle_wakeup_failure(void) {
    if (!m.wakeup_failed || noise) return;
    count_warnings();
    if (warnings_heard > m.warnings) tell_wakeup_failure();
}

static struct frame *leave(struct frame *frame, int refusal) {
    depth = (int)(frame - frames) + 1;
    if (!frame->left) end_pass(&frame->pass, frame->result == refusal && frame->error == EINTR);
    if (frame->pass.is_repeated) settle_wakeup_failure();
    depth--;
    return frame;
}

/* The call, in a frame of its own that handlers may leave to. `refusal` is its result where one refuses. */
#define IN_FRAME(place, expression, refusal)                                                       \
    ({                                                                                             \
        struct frame *frame_ = (place);                                                            \
        if (sigsetjmp(frame_->env, 0)) {                                                           \
            frame_->left = 1;                                                                      \
        } else {                                                                                   \
            errno = 0;                                                                             \
            frame_->result = (long)(expression);                                                   \
            frame_->error = errno;                                                                 \
        }                                                                                          \
        leave(frame_, refusal);                                                                    \
    })
#define PUMPING(expression) IN_FRAME(enter(ONCE), expression, RSIG_ERROR_HANDLER)
#define REPEATED(expression) IN_FRAME(enter(REPEATEDLY), expression, RSIG_ERROR_HANDLER)
#define PEP475(expression) IN_FRAME(enter(REPEATEDLY), expression, -1)

/* What a call that pumped should have said; whether it came to that. */
static int came_through(const struct frame *frame, long status, int code) {
    if (frame->left) return 0;
    if (frame->pass.refused) {
        expect(frame->result, frame->error, RSIG_ERROR_HANDLER, EINTR);
        return 0;
    }
    expect(frame->result, frame->error, status, code);
    return 1;
}

/* --- Handlers --- */

static void run_some_call(uint64_t *r);

/* An argument of a handler's: a number that says what it does. */
struct slot {
    uint64_t r;
    int calls;
};
static struct slot slots[256];
static int next_slot;

static int behave(struct slot *slot) {
    uint64_t r = slot->r + (uint64_t)slot->calls++ * 77;
    int what = below(&r, 100);
    static const int refusals[] = {1, -1, 130, INT_MIN, INT_MAX, 77};
    int refusal = ONE_OF(&r, refusals);
    int goes_on = below(&r, 4) != 0;
    if (what < 40) return 0;
    if (what < 55) return refusal;
    if (plain_handlers) return 0;
    if (what < 64) {
        /* To the call that pumped, or to an outer one. */
        int to = chance(&r, 70) ? depth - 1 : below(&r, depth);
        trace("  siglongjmp(to depth %d)", to);
        nesting = frames[to].nesting;
        depth = to + 1;
        siglongjmp(frames[to].env, 1);
    }
    for (int calls = 1 + below(&r, 4); calls > 0 && budget > 0 && depth < 12; calls--) {
        budget--;
        run_some_call(&r);
    }
    return goes_on ? 0 : refusal;
}

/* For a thread that waits for one. */
static atomic_int handler_calls;

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    struct frame *frame = depth ? &frames[depth - 1] : NULL;
    struct slot *slot = arg;
    trace("  handler(%s, count %u, slot %d)", name_of(signum), info->count, (int)(slot - slots));
    handler_runs(frame ? &frame->pass : NULL, signum, info, arg);
    atomic_fetch_add(&handler_calls, 1);
    nesting++;
    int value = behave(slot);
    nesting--;
    trace("  ... returns %d", value);
    if (value) note_refusal(&frame->pass, signum, value);
    return value;
}

static int noise_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    if (signum != noise_signal || arg != &noise || info->count < 1) fail("the noise is wrong");
    if (!is_main()) fail("the noise's handler runs on thread %s", thread_names[self]);
    atomic_fetch_add(&noise_calls, 1);
    return 0;
}

/* --- Arguments --- */

/* One that can be sent: nobody dies of it, and it is none of the C library's. */
static int sendable_signum(uint64_t *r) {
    static const int odd[] = {0, -1, INT_MIN, INT_MAX, 65, 128};
    if (chance(r, 8)) return ONE_OF(r, odd);
    int signum = one_of_pool(r);
    return can_send(signum) ? signum : 0;
}

static uint64_t some_set(uint64_t *r) {
    uint64_t set = draw(r) & draw(r) & in_pool;
    if (chance(r, 10)) set = in_pool;
    if (chance(r, 10)) set = 0;
    return set;
}

/* With what the system leaves out of a mask. */
static uint64_t some_mask(uint64_t *r) {
    uint64_t set = some_set(r) & (chance(r, 60) ? draw(r) : ~0ULL);
    return chance(r, 10) ? set | bit(SIGKILL) | bit(SIGSTOP) | bit(32) | bit(33) : set;
}

/* --- init.rs --- */

static void call_init(uint64_t *r) {
    uint32_t flags = chance(r, 70) ? 0 : RSIG_INIT_NO_DEFAULTS;
    static const uint32_t bad[] = {2, 3, UINT32_MAX, 0x80000000};
    if (chance(r, 10)) {
        flags = ONE_OF(r, bad);
        trace("rsig_init(%#x)", flags);
        EXPECT_VALUE(rsig_init(flags));
        return;
    }
    trace("rsig_init(%u)", flags);
    model_init(flags);
    EXPECT(rsig_init(flags), RSIG_OK, 0);
}

/* The last one pumps. */
static void fini(void) {
    trace("rsig_fini()");
    if (!is_up()) {
        EXPECT_STATE(rsig_fini());
        return;
    }
    int is_last = m.users == 1;
    struct frame *frame = IN_FRAME(enter(is_last ? ONCE : NEVER), rsig_fini(), RSIG_ERROR_HANDLER);
    if (!frame->left && !frame->pass.refused && is_last) tell_wakeup_failure();
    if (!is_up())
        came_through(frame, RSIG_ERROR_STATE, ENXIO);
    else if (came_through(frame, RSIG_OK, 0))
        model_fini();
}

static void call_fini(uint64_t *r) {
    (void)r;
    fini();
}

static void call_set_main_thread(uint64_t *r) {
    (void)r;
    trace("rsig_set_main_thread()");
    if (!is_up()) {
        EXPECT_STATE(rsig_set_main_thread());
        return;
    }
    /* While it waits for a call of its handlers', the old one must not be replaced. */
    if (depth && !is_main()) return;
    m.main = self;
    EXPECT(rsig_set_main_thread(), RSIG_OK, 0);
}

/* --- signal.rs --- */

/* What rsig_getsignal() has shown once. */
static struct {
    rsig_action_t raw;
    struct action action;
} noted[16];
static int noted_count;

static void check_action(int signum, const rsig_action_t *told, const struct action *want) {
    if (told->handler != want->handler)
        fail("%s has handler %#zx, not %#zx", name_of(signum), (size_t)told->handler,
             (size_t)want->handler);
    if (is_function(want) && told->arg != want->arg) fail("%s has another argument", name_of(signum));
    if (want->handler == RSIG_FOREIGN && !told->arg) fail("no note of a foreign handler");
    noted[noted_count % 16].raw = *told;
    noted[noted_count++ % 16].action = *want;
}

/* Fills both forms; 0 where it is none that rsig accepts. */
static int some_action(uint64_t *r, rsig_action_t *raw, struct action *action) {
    *action = default_action;
    raw->handler = RSIG_DFL;
    raw->arg = NULL;
    int what = below(r, 100);
    if (what < 60) {
        struct slot *slot = &slots[next_slot++ % 256];
        slot->r = draw(r);
        slot->calls = 0;
        raw->handler = handler;
        raw->arg = slot;
    } else if (what < 70) {
        raw->handler = RSIG_IGN;
    } else if (what < 75) {
        raw->handler = rsig_default_int_handler;
        raw->arg = r;
    } else if (what < 85 && noted_count) {
        int at = below(r, noted_count < 16 ? noted_count : 16);
        *raw = noted[at].raw;
        *action = noted[at].action;
        return 1;
    } else if (what < 87) {
        raw->handler = (rsig_handler_t)(size_t)SIG_ERR;
        return 0;
    } else if (what < 90) {
        raw->handler = RSIG_FOREIGN;
        raw->arg = chance(r, 50) ? NULL : &raw;
        return 0;
    }
    action->handler = raw->handler;
    action->arg = raw->arg;
    return 1;
}

static void call_signal(uint64_t *r) {
    int signum = some_signum(r);
    rsig_action_t raw, old;
    struct action action;
    int is_good = some_action(r, &raw, &action), with_old = chance(r, 70);
    trace("rsig_signal(%s, %s%#zx, slot %td, %s)", name_of(signum),
          raw.handler == handler ? "handler " : "", (size_t)raw.handler,
          raw.handler == handler ? (struct slot *)raw.arg - slots : -1, with_old ? "&old" : "NULL");
    if (!is_main() || !is_signum(signum)) {
        int status = !is_up() ? RSIG_ERROR_STATE : !is_main() ? RSIG_ERROR_THREAD : RSIG_ERROR_VALUE;
        static const int codes[] = {[1] = EINVAL, [2] = EPERM, [6] = ENXIO};
        EXPECT(rsig_signal(signum, raw.handler, raw.arg, with_old ? &old : NULL), status, codes[-status]);
        return;
    }
    struct frame *frame = PUMPING(rsig_signal(signum, raw.handler, raw.arg, with_old ? &old : NULL));
    if (!frame->left && !frame->pass.refused && !is_up()) {
        came_through(frame, RSIG_ERROR_STATE, ENXIO);
    } else if (is_the_c_librarys(signum)) {
        came_through(frame, RSIG_ERROR_OS, EINVAL);
    } else if (!is_good) {
        came_through(frame, RSIG_ERROR_VALUE, EINVAL);
    } else if (signum == SIGKILL || signum == SIGSTOP) {
        came_through(frame, RSIG_ERROR_OS, EINVAL);
    } else if (came_through(frame, RSIG_OK, 0)) {
        struct action before = describe(signum);
        set_action(signum, action);
        if (with_old) check_action(signum, &old, &before);
    }
}

static void call_getsignal(uint64_t *r) {
    int signum = some_signum(r), is_null = chance(r, 4);
    rsig_action_t action;
    rsig_action_t *place = is_null ? NULL : &action;
    trace("rsig_getsignal(%s, %s)", name_of(signum), is_null ? "NULL" : "&action");
    if (!is_up()) {
        EXPECT_STATE(rsig_getsignal(signum, place));
    } else if (is_null || !is_signum(signum)) {
        EXPECT_VALUE(rsig_getsignal(signum, place));
    } else if (is_the_c_librarys(signum)) {
        EXPECT_OS(rsig_getsignal(signum, place), EINVAL);
    } else {
        struct action want = describe(signum);
        EXPECT(rsig_getsignal(signum, place), RSIG_OK, 0);
        check_action(signum, &action, &want);
    }
}

static void call_siginterrupt(uint64_t *r) {
    int signum = some_signum(r), flag = chance(r, 50) ? below(r, 3) : (int)draw(r);
    trace("rsig_siginterrupt(%s, %d)", name_of(signum), flag);
    if (!is_up()) {
        EXPECT_STATE(rsig_siginterrupt(signum, flag));
    } else if (!is_signum(signum)) {
        EXPECT_VALUE(rsig_siginterrupt(signum, flag));
    } else if (is_the_c_librarys(signum) || signum == SIGKILL || signum == SIGSTOP) {
        EXPECT_OS(rsig_siginterrupt(signum, flag), EINVAL);
    } else {
        struct action action = describe(signum);
        struct disposition new = m.kernel[signum];
        new.restart = action.foreign.restart = !flag;
        if (new.kind == STAND_IN && action.handler == RSIG_FOREIGN)
            change_action(signum, action);
        else
            install(signum, new);
        EXPECT(rsig_siginterrupt(signum, flag), RSIG_OK, 0);
    }
}

/* --- pump.rs --- */

/* How many handlers ran; the noise's come on top. */
static int ran(const struct frame *frame) {
    if (frame->left || frame->pass.refused) return 0;
    return noise && frame->result > frame->pass.ran ? (int)frame->result : frame->pass.ran;
}

static int not_main(long result, int error) {
    if (is_main()) return 0;
    if (is_up())
        expect(result, error, RSIG_ERROR_THREAD, EPERM);
    else
        expect(result, error, RSIG_ERROR_STATE, ENXIO);
    return 1;
}

static void call_pump(uint64_t *r) {
    (void)r;
    trace("rsig_pump()");
    int was_main = is_main();
    struct frame *frame = PUMPING(rsig_pump());
    if (was_main)
        came_through(frame, ran(frame), 0);
    else
        not_main(frame->result, frame->error);
}

static void call_raised(uint64_t *r) {
    int signum = -5, is_null = chance(r, 20);
    trace("rsig_raised(%s)", is_null ? "NULL" : "&signum");
    EXPECT(rsig_raised(is_null ? NULL : &signum) == m.raised, 1, 0);
    if (!is_null && signum != m.raised_signum)
        fail("rsig_raised() tells signal %d, not %d", signum, m.raised_signum);
}

static void hook(const char *message, void *arg) {
    if (arg != &warnings_heard || !message || !*message) fail("the warning is wrong");
    trace("  warning: %s", message);
    warnings_heard++;
}

static void call_set_warning_hook(uint64_t *r) {
    int is_null = chance(r, 30);
    trace("rsig_set_warning_hook(%s)", is_null ? "NULL" : "hook");
    if (is_up())
        EXPECT(rsig_set_warning_hook(is_null ? NULL : hook, &warnings_heard), RSIG_OK, 0);
    else
        EXPECT_STATE(rsig_set_warning_hook(is_null ? NULL : hook, &warnings_heard));
}

/* --- event.rs --- */

static void call_fd(uint64_t *r) {
    (void)r;
    trace("rsig_fd()");
    if (!is_up()) {
        EXPECT_STATE(rsig_fd());
        return;
    }
    int fd = rsig_fd();
    if (fd < 0 || (m.fd >= 0 && fd != m.fd)) fail("rsig_fd() is %d, and was %d", fd, m.fd);
    m.fd = fd;
}

/* What the library says is tripped, without the noise. */
static uint64_t tripped_now(void) {
    uint64_t flags = *(const volatile uint64_t *)rsig_tripped_flags();
    return noise ? flags & ~bit(noise_signal) : flags;
}

static void call_tripped(uint64_t *r) {
    (void)r;
    trace("rsig_tripped()");
    int result = rsig_tripped();
    if (noise && result == 1) return;
    EXPECT(result, m.tripped != 0, 0);
}

static void call_tripped_flags(uint64_t *r) {
    (void)r;
    trace("rsig_tripped_flags()");
    if (tripped_now() != m.tripped)
        fail("%#llx is tripped, not %#llx", (long long)tripped_now(), (long long)m.tripped);
}

static void notify(int signum, void *arg) {
    if (arg != notify_calls && arg != notify_calls + 1) fail("the notify function's argument");
    __atomic_fetch_add(&notify_calls[signum], 1, __ATOMIC_RELAXED);
}

static void call_set_notify(uint64_t *r) {
    void *arg = chance(r, 30) ? NULL : notify_calls + below(r, 2);
    trace("rsig_set_notify(%s)", arg ? "notify" : "NULL");
    if (!is_up()) {
        EXPECT_STATE(rsig_set_notify(arg ? notify : NULL, arg));
        return;
    }
    EXPECT(rsig_set_notify(arg ? notify : NULL, arg), RSIG_OK, 0);
    m.notify = arg;
}

/* --- wakeup.rs --- */

/* A good one; one without a reader; a blocking one; the reading end. */
static int wakeup_fds[4], wakeup_reader;

static void call_set_wakeup_fd(uint64_t *r) {
    int what = below(r, 100), old = -7, with_old = chance(r, 70), warn = below(r, 2);
    int fd = what < 45   ? wakeup_fds[0]
             : what < 60 ? -1
             : what < 70 ? wakeup_fds[1]
             : what < 78 ? wakeup_fds[2]
             : what < 86 ? wakeup_fds[3]
                         : some_fd_that_is_none(r);
    trace("rsig_set_wakeup_fd(%d, %d, %s)", fd, warn, with_old ? "&old" : "NULL");
    errno = 0;
    int result = rsig_set_wakeup_fd(fd, warn, with_old ? &old : NULL), error = errno;
    if (not_main(result, error)) return;
    int is_taken = fd == -1 || fd == wakeup_fds[0] || fd == wakeup_fds[1];
    if (is_taken) {
        expect(result, error, RSIG_OK, 0);
        if (with_old && old != m.wakeup_fd) fail("the old one is %d, not %d", old, m.wakeup_fd);
        tell_wakeup_failure();
        m.wakeup_fd = fd;
    } else if (fd == wakeup_fds[2] || fd == wakeup_fds[3]) {
        expect(result, error, RSIG_ERROR_VALUE, EINVAL);
    } else {
        expect(result, error, RSIG_ERROR_OS, EBADF);
    }
}

/* --- mask.rs --- */

static void call_pthread_sigmask(uint64_t *r) {
    static const int hows[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
    static const int bad[] = {-1, 3, 99, INT_MIN, INT_MAX};
    int how = chance(r, 93) ? ONE_OF(r, hows) : ONE_OF(r, bad), with_old = chance(r, 70);
    uint64_t set = some_mask(r), before = m.blocked[self], mask = before, old = 0;
    uint64_t effective = set & in_pool;
    if (how == SIG_BLOCK) mask |= effective;
    if (how == SIG_UNBLOCK) mask &= ~effective;
    if (how == SIG_SETMASK) mask = effective;
    if (!can_unblock(self, mask)) return;
    trace("rsig_pthread_sigmask(%d, %#llx, %s)", how, (long long)set, with_old ? "&old" : "NULL");
    uint64_t *place = with_old ? &old : NULL;
    if (!is_up()) {
        EXPECT_STATE(rsig_pthread_sigmask(how, set, place));
    } else if (how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK) {
        EXPECT_OS(rsig_pthread_sigmask(how, set, place), EINVAL);
    } else {
        set_mask(self, mask);
        struct frame *frame = PUMPING(rsig_pthread_sigmask(how, set, place));
        came_through(frame, RSIG_OK, 0);
        if (!frame->left && with_old && old != before)
            fail("the old mask is %#llx, not %#llx", (long long)old, (long long)before);
    }
}

static void call_sigpending(uint64_t *r) {
    int is_null = chance(r, 5);
    uint64_t set = 0;
    trace("rsig_sigpending(%s)", is_null ? "NULL" : "&set");
    if (!is_up()) {
        EXPECT_STATE(rsig_sigpending(is_null ? NULL : &set));
    } else if (is_null) {
        EXPECT_VALUE(rsig_sigpending(NULL));
    } else {
        EXPECT(rsig_sigpending(&set), RSIG_OK, 0);
        if (set != pending_for(self))
            fail("%#llx is pending, not %#llx", (long long)set, (long long)pending_for(self));
    }
}

/* --- send.rs --- */

static int sending_status(int signum) { return signum >= 0 && signum <= 64; }

static void call_raise_signal(uint64_t *r) {
    int signum = chance(r, 5) ? 32 + below(r, 2) : sendable_signum(r);
    trace("rsig_raise_signal(%s)", name_of(signum));
    if (!is_up()) {
        EXPECT_STATE(rsig_raise_signal(signum));
    } else if (!sending_status(signum) || is_the_c_librarys(signum)) {
        EXPECT_OS(rsig_raise_signal(signum), EINVAL);
    } else {
        rsig_siginfo_t info = info_of(signum, SI_TKILL, 0);
        if (signum) send_signal(self, signum, &info);
        came_through(PUMPING(rsig_raise_signal(signum)), RSIG_OK, 0);
    }
}

static void call_pthread_kill(uint64_t *r) {
    int signum = chance(r, 5) ? 32 + below(r, 2) : sendable_signum(r), to = below(r, THREADS);
    int is_bad = !sending_status(signum) || is_the_c_librarys(signum);
    if (alive == 1) to = self;
    int is_late = is_main() && to != self && !is_bad && signum && !(m.blocked[to] & bit(signum));
    /* The library may see it or not: then nothing else may happen. */
    if (is_late && (depth || m.tripped || noise || m.wakeup_failed)) {
        to = self;
        is_late = 0;
    }
    int is_nobody = chance(r, 3);
    trace("rsig_pthread_kill(%s, %s)", is_nobody ? "0" : thread_names[to], name_of(signum));
    if (!is_up()) {
        EXPECT_STATE(rsig_pthread_kill(threads[to], signum));
    } else if (is_nobody) {
        EXPECT_OS(rsig_pthread_kill(0, signum), ESRCH);
    } else if (is_bad) {
        EXPECT_OS(rsig_pthread_kill(threads[to], signum), EINVAL);
    } else {
        rsig_siginfo_t info = info_of(signum, SI_TKILL, 0);
        int plain_before = plain_handlers, may_fail = 0;
        if (signum) send_signal(to, signum, &info);
        if (is_late) {
            may_fail = m.wakeup_failed;
            m.wakeup_failed = 0;
            plain_handlers = 1;
        }
        struct frame *frame = enter(ONCE);
        if (is_late) frame->pass.late = signum;
        IN_FRAME(frame, rsig_pthread_kill(threads[to], signum), RSIG_ERROR_HANDLER);
        plain_handlers = plain_before;
        await_thread(to);
        m.wakeup_failed |= may_fail;
        settle_wakeup_failure();
        came_through(frame, RSIG_OK, 0);
    }
}

static pid_t nobody_pid(uint64_t *r) {
    static const pid_t pids[] = {INT_MAX, INT_MIN, INT_MIN + 1};
    return ONE_OF(r, pids);
}

/* Sent to the process: on whichever thread it lands, it has when this returns. */
static void sent_to_process(int signum, int code, uint64_t value) {
    rsig_siginfo_t info = info_of(signum, code, value);
    if (signum) send_signal(-1, signum, &info);
}

static void call_kill(uint64_t *r) {
    int signum = sendable_signum(r), is_nobody = chance(r, 8);
    pid_t pid = is_nobody ? nobody_pid(r) : getpid();
    trace("rsig_kill(%d, %s)", is_nobody ? pid : 0, name_of(signum));
    if (!is_up()) {
        EXPECT_STATE(rsig_kill(pid, signum));
    } else if (is_nobody) {
        EXPECT_OS(rsig_kill(pid, 0), ESRCH);
    } else if (!sending_status(signum)) {
        EXPECT_OS(rsig_kill(pid, signum), EINVAL);
    } else {
        sent_to_process(signum, SI_USER, 0);
        EXPECT(rsig_kill(pid, signum), RSIG_OK, 0);
        await_others();
    }
}

static void call_sigqueue(uint64_t *r) {
    int signum = sendable_signum(r), is_nobody = chance(r, 8);
    static const uint64_t values[] = {0, 1, UINT64_MAX, 0x80000000, 0x7fffffff, 1ULL << 63};
    uint64_t value = chance(r, 50) ? draw(r) : ONE_OF(r, values);
    pid_t pid = is_nobody ? nobody_pid(r) : getpid();
    trace("rsig_sigqueue(%d, %s, %#llx)", is_nobody ? pid : 0, name_of(signum), (long long)value);
    if (!is_up()) {
        EXPECT_STATE(rsig_sigqueue(pid, signum, value));
    } else if (is_nobody) {
        EXPECT_OS(rsig_sigqueue(pid, 0, value), ESRCH);
    } else if (!sending_status(signum)) {
        EXPECT_OS(rsig_sigqueue(pid, signum, value), EINVAL);
    } else {
        sent_to_process(signum, SI_QUEUE, value);
        EXPECT(rsig_sigqueue(pid, signum, value), RSIG_OK, 0);
        await_others();
    }
}

static void call_thread_kill(uint64_t *r) {
    int signum = chance(r, 5) ? 32 + below(r, 2) : sendable_signum(r), to = below(r, THREADS);
    static const pid_t bad[] = {0, -1, INT_MIN, INT_MAX, 1};
    int is_bad = chance(r, 8);
    if (alive == 1) to = self;
    pid_t tid = is_bad ? ONE_OF(r, bad) : to == self ? (pid_t)syscall(SYS_gettid) : tids[to];
    trace("rsig_thread_kill(%d of %s, %s)", is_bad ? tid : 0, thread_names[to], name_of(signum));
    if (!is_up()) {
        EXPECT_STATE(rsig_thread_kill(tid, signum));
    } else if (is_bad) {
        EXPECT_OS(rsig_thread_kill(tid, 0), tid <= 0 ? EINVAL : ESRCH);
    } else if (!sending_status(signum) || is_the_c_librarys(signum)) {
        EXPECT_OS(rsig_thread_kill(tid, signum), EINVAL);
    } else {
        rsig_siginfo_t info = info_of(signum, SI_TKILL, 0);
        if (signum) send_signal(to, signum, &info);
        EXPECT(rsig_thread_kill(tid, signum), RSIG_OK, 0);
        await_thread(to);
    }
}

static void call_pidfd_open(uint64_t *r) {
    static const pid_t bad[] = {0, -1, INT_MIN};
    int what = below(r, 4);
    trace("rsig_pidfd_open(case %d)", what);
    if (!is_up()) {
        EXPECT_STATE(rsig_pidfd_open(getpid(), 0));
    } else if (what == 0) {
        EXPECT_OS(rsig_pidfd_open(ONE_OF(r, bad), 0), EINVAL);
    } else if (what == 1) {
        EXPECT_OS(rsig_pidfd_open(INT_MAX, 0), ESRCH);
    } else if (what == 2) {
        EXPECT_OS(rsig_pidfd_open(getpid(), 0x40), EINVAL);
    } else {
        int fd = rsig_pidfd_open(getpid(), 0);
        REQUIRE(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        close(fd);
    }
}

static void call_pidfd_send_signal(uint64_t *r) {
    int signum = sendable_signum(r), what = below(r, 10);
    trace("rsig_pidfd_send_signal(case %d, %s)", what, name_of(signum));
    if (!is_up()) {
        EXPECT_STATE(rsig_pidfd_send_signal(-1, signum, NULL, 0));
    } else if (what == 0) {
        EXPECT_VALUE(rsig_pidfd_send_signal(-1, signum, r, 0));
    } else if (what == 1) {
        EXPECT_OS(rsig_pidfd_send_signal(some_fd_that_is_none(r), signum, NULL, 0), EBADF);
    } else if (what == 2) {
        EXPECT_OS(rsig_pidfd_send_signal(wakeup_fds[0], signum, NULL, 0), EBADF);
    } else {
        int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        REQUIRE(fd >= 0);
        if (what == 3 || !sending_status(signum)) {
            EXPECT_OS(rsig_pidfd_send_signal(fd, signum, NULL, what == 3 ? 0x4000 : 0), EINVAL);
        } else {
            sent_to_process(signum, SI_USER, 0);
            EXPECT(rsig_pidfd_send_signal(fd, signum, NULL, 0), RSIG_OK, 0);
            await_others();
        }
        close(fd);
    }
}

/* --- wait.rs --- */

/* Whether the pump that is about to run has a handler to run. */
static int has_handler_to_run(void) {
    for (int n = 1; n < 65; n++)
        if (m.tripped & bit(n) && is_function(&m.told[n])) return 1;
    return 0;
}

static void call_pause(uint64_t *r) {
    (void)r;
    if (is_up() && (!is_main() || !has_handler_to_run())) return;
    trace("rsig_pause()");
    if (!is_up())
        EXPECT_STATE(rsig_pause());
    else
        came_through(PUMPING(rsig_pause()), RSIG_OK, 0);
}

static void call_wait(uint64_t *r) {
    double timeout = chance(r, 10) ? ONE_OF(r, bad_times) : ONE_OF(r, short_times);
    if (has_handler_to_run() && chance(r, 50)) timeout = chance(r, 50) ? -1e300 : 1e300;
    trace("rsig_wait(%g)", timeout);
    if (is_main() && !isfinite(timeout)) {
        EXPECT_VALUE(rsig_wait(timeout));
        return;
    }
    int was_main = is_main();
    struct frame *frame = IN_FRAME(enter(timeout != 0 ? REPEATEDLY : ONCE), rsig_wait(timeout), RSIG_ERROR_HANDLER);
    if (!was_main)
        not_main(frame->result, frame->error);
    else if (!frame->left && !frame->pass.refused && !is_up())
        came_through(frame, ran(frame) ? ran(frame) : RSIG_ERROR_STATE, ENXIO);
    else
        came_through(frame, ran(frame), 0);
}

/* What the sigwait family accepts on this thread, and the model with it; 0: nothing. */
static int accept_signal(uint64_t set, rsig_siginfo_t *info) {
    return dequeue(self, set & m.blocked[self], info);
}

static void check_info(const rsig_siginfo_t *info, const rsig_siginfo_t *want) {
    if (memcmp(info, want, sizeof *info))
        fail("the record is %s code %d pid %d value %#llx count %u, not %s %d %d %#llx %u",
             name_of(info->signo), info->code, info->pid, (long long)info->value_ptr, info->count,
             name_of(want->signo), want->code, want->pid, (long long)want->value_ptr, want->count);
}

static void sigwait_with(const char *name, uint64_t set, double timeout, int which, int is_null) {
    rsig_siginfo_t info, want;
    trace("%s(%#llx, %g, %s)", name, (long long)set, timeout, is_null ? "NULL" : "&info");
    int plain_before = plain_handlers;
    plain_handlers = 1;
    struct frame *frame = enter(REPEATEDLY);
    IN_FRAME(frame,
             which == 0   ? rsig_sigwait(set)
             : which == 1 ? rsig_sigwaitinfo(set, is_null ? NULL : &info)
                          : rsig_sigtimedwait(set, timeout, is_null ? NULL : &info),
             RSIG_ERROR_HANDLER);
    plain_handlers = plain_before;
    if (frame->left || frame->pass.refused) {
        came_through(frame, 0, 0);
        return;
    }
    int signum = accept_signal(set, &want);
    came_through(frame, signum, 0);
    if (signum && which && !is_null) check_info(&info, &want);
}

static void call_sigtimedwait(uint64_t *r) {
    double timeout = chance(r, 10) ? ONE_OF(r, bad_times) : ONE_OF(r, short_times);
    if (chance(r, 5)) timeout = -1e-9;
    uint64_t set = some_mask(r);
    if (!is_up()) {
        EXPECT_STATE(rsig_sigtimedwait(set, timeout, NULL));
    } else if (!isfinite(timeout) || timeout < 0) {
        EXPECT_VALUE(rsig_sigtimedwait(set, timeout, NULL));
    } else {
        sigwait_with("rsig_sigtimedwait", set, timeout, 2, chance(r, 20));
    }
}

/* Without a limit: only for what is there. */
static void call_sigwait(uint64_t *r) {
    uint64_t set = some_mask(r);
    if (!is_up()) EXPECT_STATE(rsig_sigwait(set));
    else if (set & pending_for(self)) sigwait_with("rsig_sigwait", set, -1, 0, 1);
}

static void call_sigwaitinfo(uint64_t *r) {
    uint64_t set = some_mask(r);
    if (!is_up()) EXPECT_STATE(rsig_sigwaitinfo(set, NULL));
    else if (set & pending_for(self)) sigwait_with("rsig_sigwaitinfo", set, -1, 1, chance(r, 20));
}

static void call_dispatch(uint64_t *r) {
    double timeout = chance(r, 10) ? ONE_OF(r, bad_times) : ONE_OF(r, short_times);
    uint64_t set = some_mask(r);
    trace("rsig_dispatch(%#llx, %g)", (long long)set, timeout);
    if (is_main() && !isfinite(timeout)) {
        EXPECT_VALUE(rsig_dispatch(set, timeout));
        return;
    }
    if (!is_main()) {
        errno = 0;
        long result = rsig_dispatch(set, timeout);
        not_main(result, errno);
        return;
    }
    /* It could come between its two looks. */
    if (noise) return;
    int before = has_handler_to_run();
    if (!before) {
        /* What was dropped is gone before anything is accepted. */
        struct pass pass = {.is_on = 1};
        begin_pass(&pass);
        next_of_pass(&pass);
        rsig_siginfo_t info;
        int signum = dequeue(self, set & m.handled & m.blocked[self], &info);
        if (signum) record(signum, &info, 1);
    }
    struct frame *frame = IN_FRAME(enter(timeout != 0 ? REPEATEDLY : ONCE), rsig_dispatch(set, timeout), RSIG_ERROR_HANDLER);
    came_through(frame, ran(frame), 0);
}

/* --- channel.rs --- */

static struct channel *some_channel(uint64_t *r) { return &m.channels[below(r, CHANNELS)]; }

/* A number that is no open channel's. */
static rsig_channel_t *no_channel(uint64_t *r) {
    const struct channel *channel = some_channel(r);
    if (!channel->is_open && channel->handle && chance(r, 70)) return channel->handle;
    static const size_t bad[] = {0, 1, 255, 256, 12345, SIZE_MAX};
    size_t number = ONE_OF(r, bad);
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open && (size_t)m.channels[i].handle == number) return NULL;
    return (rsig_channel_t *)number;
}

static void call_channel_open(uint64_t *r) {
    static const uint32_t capacities[] = {1, 1, 2, 3, 8, 64, 65536};
    static const uint32_t bad[] = {0, 65537, UINT32_MAX};
    struct channel *channel = some_channel(r);
    uint32_t capacity = chance(r, 93) ? capacities[below(r, chance(r, 3) ? 7 : 6)] : ONE_OF(r, bad);
    uint64_t set = some_set(r), never = bit(SIGKILL) | bit(SIGSTOP) | bit(32) | bit(33);
    if (chance(r, 5)) set |= draw(r) & never;
    int is_null = chance(r, 3);
    rsig_channel_t *handle = NULL;
    if (channel->is_open) return;
    trace("rsig_channel_open(%#llx, %u, %s)", (long long)set, capacity, is_null ? "NULL" : "&channel");
    if (!is_up()) {
        EXPECT_STATE(rsig_channel_open(set, capacity, is_null ? NULL : &handle));
    } else if (is_null) {
        EXPECT_VALUE(rsig_channel_open(set, capacity, NULL));
    } else if (!set || capacity < 1 || capacity > 65536) {
        EXPECT_VALUE(rsig_channel_open(set, capacity, &handle));
    } else if (set & never) {
        EXPECT_OS(rsig_channel_open(set, capacity, &handle), EINVAL);
    } else {
        EXPECT(rsig_channel_open(set, capacity, &handle), RSIG_OK, 0);
        if (!handle) fail("no channel");
        *channel = (struct channel){.handle = handle, .is_open = 1, .fd = -1};
        channel->set = set;
        channel->capacity = capacity;
        hear_all(set);
    }
}

static void call_channel_close(uint64_t *r) {
    struct channel *channel = some_channel(r);
    rsig_channel_t *handle = channel->handle;
    if (!channel->is_open) handle = no_channel(r);
    trace("rsig_channel_close(%#zx)", (size_t)handle);
    if (!is_up()) {
        EXPECT_STATE(rsig_channel_close(handle));
    } else if (!channel->is_open) {
        EXPECT_VALUE(rsig_channel_close(handle));
    } else {
        EXPECT(rsig_channel_close(handle), RSIG_OK, 0);
        close_channel(channel);
    }
}

static void call_channel_fd(uint64_t *r) {
    struct channel *channel = some_channel(r);
    rsig_channel_t *handle = channel->handle;
    if (!channel->is_open) handle = no_channel(r);
    trace("rsig_channel_fd(%#zx)", (size_t)handle);
    if (!is_up()) {
        EXPECT_STATE(rsig_channel_fd(handle));
    } else if (!channel->is_open) {
        EXPECT_VALUE(rsig_channel_fd(handle));
    } else {
        int fd = rsig_channel_fd(handle);
        if (fd < 0 || (channel->fd >= 0 && fd != channel->fd))
            fail("rsig_channel_fd() is %d, and was %d", fd, channel->fd);
        channel->fd = fd;
    }
}

/* All that waits in it, as it should be. */
static void read_to_the_end(struct channel *channel) {
    rsig_siginfo_t info, want;
    while (next_of_channel(channel, &want)) {
        EXPECT(rsig_channel_read(channel->handle, &info, 1), 1, 0);
        check_info(&info, &want);
    }
    EXPECT(rsig_channel_read(channel->handle, &info, 1), 0, 0);
}

static void call_channel_read(uint64_t *r) {
    struct channel *channel = some_channel(r);
    rsig_channel_t *handle = channel->handle;
    rsig_siginfo_t infos[64], want;
    static const size_t maxima[] = {0, 1, 1, 2, 5, 64};
    size_t max = ONE_OF(r, maxima);
    int is_null = chance(r, 5);
    if (!channel->is_open) handle = no_channel(r);
    trace("rsig_channel_read(%#zx, %s, %zu)", (size_t)handle, is_null ? "NULL" : "infos", max);
    if (!is_up()) {
        EXPECT_STATE(rsig_channel_read(handle, is_null ? NULL : infos, max));
    } else if (is_null && max) {
        EXPECT_VALUE(rsig_channel_read(handle, NULL, max));
    } else if (!channel->is_open) {
        EXPECT_VALUE(rsig_channel_read(handle, infos, max));
    } else {
        int count = rsig_channel_read(handle, is_null ? NULL : infos, max), left = count;
        for (size_t i = 0; i < max && next_of_channel(channel, &want); i++, left--) {
            if (left <= 0) fail("%d records, and %s is missing", count, name_of(want.signo));
            check_info(&infos[i], &want);
        }
        if (left) fail("%d records, of which %d are too many", count, left);
    }
}

static void call_channel_wait(uint64_t *r) {
    struct channel *channel = some_channel(r);
    rsig_channel_t *handle = channel->handle;
    rsig_siginfo_t info, want;
    double timeout = chance(r, 10) ? ONE_OF(r, bad_times) : ONE_OF(r, short_times);
    int is_null = chance(r, 4), plain_before = plain_handlers;
    if (!channel->is_open) handle = no_channel(r);
    else if (is_readable_channel(channel) && chance(r, 40)) timeout = -1;
    trace("rsig_channel_wait(%#zx, %s, %g)", (size_t)handle, is_null ? "NULL" : "&info", timeout);
    if (!is_up()) {
        EXPECT_STATE(rsig_channel_wait(handle, is_null ? NULL : &info, timeout));
        return;
    }
    if (is_null || !isfinite(timeout)) {
        EXPECT_VALUE(rsig_channel_wait(handle, is_null ? NULL : &info, timeout));
        return;
    }
    /* A handler could close it. */
    plain_handlers = 1;
    struct frame *frame = REPEATED(rsig_channel_wait(handle, &info, timeout));
    plain_handlers = plain_before;
    if (!channel->is_open) {
        came_through(frame, RSIG_ERROR_VALUE, EINVAL);
    } else if (came_through(frame, is_readable_channel(channel), 0) &&
               next_of_channel(channel, &want)) {
        check_info(&info, &want);
    }
}

/* --- blocking.rs --- */

/* A pipe, and a pair of sockets, and how much is in them. */
static int pipe_fds[2], pair_fds[2];
static long in_pipe, in_pair;

/* The result of a call that handlers may have ended; whether it has one. */
static int has_result(const struct frame *frame, long result, int code) {
    if (frame->left) return 0;
    if (frame->pass.refused) {
        result = -1;
        code = EINTR;
    }
    if (frame->result != result || (result < 0 && frame->error != code))
        fail("the result is %ld, errno %d, not %ld, %d", frame->result, frame->error, result, code);
    return !frame->pass.refused;
}

static void call_syscall(uint64_t *r) {
    int what = below(r, 3);
    trace("rsig_syscall(case %d)", what);
    long number = what == 0 ? SYS_getpid : what == 1 ? -1 : SYS_close;
    long want = what == 0 ? getpid() : -1;
    int code = what == 0 ? 0 : what == 1 ? ENOSYS : EBADF;
    errno = 0;
    long result = rsig_syscall(number, -1, 0, 0, 0, 0, 0);
    int error = errno;
    if (noise && is_main() && result == -1 && error == EINTR) return;
    if (is_main() && m.tripped) {
        want = -1;
        code = EINTR;
    }
    if (result != want || (want < 0 && error != code))
        fail("the result is %ld, errno %d, not %ld, %d", result, error, want, code);
}

static void call_open(uint64_t *r) {
    static const char *const paths[] = {"/dev/null", "/dev/null/no", "", NULL};
    static const int codes[] = {0, ENOTDIR, ENOENT, EFAULT};
    int what = below(r, 4);
    trace("rsig_open(%s)", paths[what] ? paths[what] : "NULL");
    struct frame *frame = PEP475(rsig_open(paths[what], O_RDONLY | O_CLOEXEC, 0));
    if (what || frame->pass.refused || frame->left)
        has_result(frame, -1, codes[what]);
    else if (frame->result < 0 || close((int)frame->result))
        fail("rsig_open() is %ld, errno %d", frame->result, frame->error);
}

static char buffer[64];

static void call_read(uint64_t *r) {
    int what = below(r, 4);
    size_t size = (size_t)below(r, sizeof buffer + 1);
    trace("rsig_read(case %d, %zu)", what, size);
    if (what == 0) {
        has_result(PEP475(rsig_read(some_fd_that_is_none(r), buffer, 1)), -1, EBADF);
    } else if (in_pipe && what == 1) {
        has_result(PEP475(rsig_read(pipe_fds[0], NULL, 1)), -1, EFAULT);
    } else if (in_pipe || !size) {
        /* A handler may read it, too. */
        int plain_before = plain_handlers;
        plain_handlers = 1;
        struct frame *frame = PEP475(rsig_read(pipe_fds[0], buffer, size));
        plain_handlers = plain_before;
        long want = (long)size < in_pipe ? (long)size : in_pipe;
        if (has_result(frame, want, 0)) in_pipe -= want;
    }
}

static void call_write(uint64_t *r) {
    int what = below(r, 4);
    size_t size = (size_t)below(r, sizeof buffer + 1);
    trace("rsig_write(case %d, %zu)", what, size);
    if (what == 0)
        has_result(PEP475(rsig_write(some_fd_that_is_none(r), buffer, 1)), -1, EBADF);
    else if (what == 1)
        has_result(PEP475(rsig_write(pipe_fds[1], NULL, 1)), -1, EFAULT);
    else if (in_pipe < 1000 && has_result(PEP475(rsig_write(pipe_fds[1], buffer, size)), (long)size, 0))
        in_pipe += (long)size;
}

static void call_recv(uint64_t *r) {
    int what = below(r, 4), peek = below(r, 2) ? MSG_PEEK : 0;
    trace("rsig_recv(case %d)", what);
    if (what == 0) {
        has_result(PEP475(rsig_recv(pipe_fds[0], buffer, 1, 0)), -1, ENOTSOCK);
    } else if (what == 1) {
        has_result(PEP475(rsig_recv(some_fd_that_is_none(r), buffer, 1, 0)), -1, EBADF);
    } else {
        int plain_before = plain_handlers;
        plain_handlers = 1;
        struct frame *frame = PEP475(rsig_recv(pair_fds[0], buffer, 1, peek | MSG_DONTWAIT));
        plain_handlers = plain_before;
        if (has_result(frame, in_pair ? 1 : -1, EAGAIN) && in_pair && !peek) in_pair--;
    }
}

static void call_send(uint64_t *r) {
    int what = below(r, 4);
    trace("rsig_send(case %d)", what);
    if (what == 0)
        has_result(PEP475(rsig_send(pipe_fds[1], buffer, 1, 0)), -1, ENOTSOCK);
    else if (what == 1)
        has_result(PEP475(rsig_send(pair_fds[1], NULL, 1, 0)), -1, EFAULT);
    else if (in_pair < 500 && has_result(PEP475(rsig_send(pair_fds[1], buffer, 7, MSG_NOSIGNAL)), 7, 0))
        in_pair += 7;
}

/* Two calls at once, as one needs the other. */
static void call_connect(uint64_t *r) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    int what = below(r, 5);
    trace("rsig_connect(), rsig_accept(case %d)", what);
    if (what == 0) {
        has_result(PEP475(rsig_connect(some_fd_that_is_none(r), (struct sockaddr *)&address, length)), -1,
                   EBADF);
        has_result(PEP475(rsig_accept(some_fd_that_is_none(r), NULL, NULL)), -1, EBADF);
        return;
    }
    /* Their descriptors must not be left behind. */
    int plain_before = plain_handlers;
    plain_handlers = 1;
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), caller = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(listening >= 0 && caller >= 0);
    REQUIRE(bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    REQUIRE(getsockname(listening, (struct sockaddr *)&address, &length) == 0);
    if (what == 1) {
        has_result(PEP475(rsig_connect(caller, (struct sockaddr *)&address, length)), -1, ECONNREFUSED);
        has_result(PEP475(rsig_accept(listening, NULL, NULL)), -1, EINVAL);
    } else {
        REQUIRE(listen(listening, 1) == 0);
        if (what == 2) has_result(PEP475(rsig_accept(listening, NULL, NULL)), -1, EAGAIN);
        if (has_result(PEP475(rsig_connect(caller, (struct sockaddr *)&address, length)), 0, 0)) {
            struct sockaddr_un peer;
            socklen_t size = sizeof peer;
            struct frame *frame = PEP475(rsig_accept(listening, (struct sockaddr *)&peer, &size));
            if (!frame->pass.refused && (frame->result < 0 || close((int)frame->result)))
                fail("rsig_accept() is %ld, errno %d", frame->result, frame->error);
            if (frame->pass.refused) has_result(frame, -1, EINTR);
        }
    }
    close(listening);
    close(caller);
    plain_handlers = plain_before;
}

static void call_waitpid(uint64_t *r) {
    int what = below(r, 4), status = -1;
    trace("rsig_waitpid(case %d)", what);
    if (what == 0) {
        has_result(PEP475(rsig_waitpid(-1, NULL, WNOHANG)), -1, ECHILD);
    } else if (what == 1) {
        has_result(PEP475(rsig_waitpid(-1, NULL, 0x1234567)), -1, EINVAL);
    } else {
        int plain_before = plain_handlers;
        plain_handlers = 1;
        pid_t child = quiet_child();
        REQUIRE(child >= 0);
        if (child == 0) _exit(7);
        if (has_result(PEP475(rsig_waitpid(child, &status, __WALL)), child, 0)) {
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) fail("status %#x", status);
        } else {
            await_child(child);
        }
        plain_handlers = plain_before;
    }
}

static void call_poll(uint64_t *r) {
    int what = below(r, 6);
    double timeout = ONE_OF(r, short_times), wrong = ONE_OF(r, bad_times);
    struct pollfd fds[2] = {{pipe_fds[1], POLLOUT, 0}, {-1, POLLIN, 0}};
    trace("rsig_poll(case %d, %g)", what, what ? timeout : wrong);
    if (what == 0) {
        EXPECT(rsig_poll(fds, 1, wrong) == -1 && errno == EINVAL, 1, 0);
    } else if (what == 1) {
        has_result(PEP475(rsig_poll(NULL, 1, timeout)), -1, EFAULT);
    } else if (what == 2) {
        has_result(PEP475(rsig_poll(fds, (nfds_t)-1, timeout)), -1, EINVAL);
    } else if (what == 3) {
        has_result(PEP475(rsig_poll(NULL, 0, timeout)), 0, 0);
    } else {
        has_result(PEP475(rsig_poll(fds, 2, what == 4 ? -1.0 : timeout)), 1, 0);
    }
}

static void call_sleep(uint64_t *r) {
    static const double bad[] = {NAN, INFINITY, -INFINITY, -1, -1e-300, -1e300};
    double seconds = chance(r, 30) ? ONE_OF(r, bad) : ONE_OF(r, short_times);
    trace("rsig_sleep(%g)", seconds);
    if (!isfinite(seconds) || seconds < 0)
        EXPECT(rsig_sleep(seconds) == -1 && errno == EINVAL, 1, 0);
    else
        has_result(PEP475(rsig_sleep(seconds)), 0, 0);
}

/* --- timer.rs --- */

/* Some are far away, so that none fires. */
static const double far[] = {0, -0.0, 1000.5, 1e6, 9e9, 1e18};
static const double never_times[] = {NAN, INFINITY, -INFINITY, -1, -1e-9, 1e19, 1e300};

static int is_near(double told, double set) {
    double limit = set > 9e9 ? 9e9 : set;
    return set > 0 ? told > 0 && told <= limit + 0.1 && told > limit - 100 : told == 0;
}

static void check_timer(int which, const rsig_itimer_t *told) {
    const double *set = m.timers[which];
    if (!is_near(told->delay, set[0])) fail("timer %d: %g left of %g", which, told->delay, set[0]);
    /* That of one that is off is nobody's business. */
    double interval = set[1];
    if (set[0] == 0) return;
    if (told->interval < (interval > 9e9 ? 9e9 : interval) * 0.999999 || (interval == 0 && told->interval != 0))
        fail("timer %d: interval %g of %g", which, told->interval, interval);
}

static int some_timer(uint64_t *r) {
    static const int bad[] = {-1, 3, INT_MIN, INT_MAX};
    return chance(r, 90) ? below(r, 3) : ONE_OF(r, bad);
}

static void call_setitimer(uint64_t *r) {
    int which = some_timer(r), with_old = chance(r, 70);
    double delay = chance(r, 85) ? ONE_OF(r, far) : ONE_OF(r, never_times), interval = ONE_OF(r, far);
    if (chance(r, 15)) interval = chance(r, 50) ? 1e-9 : 5e-324;
    if (chance(r, 8)) interval = ONE_OF(r, never_times);
    rsig_itimer_t old, *place = with_old ? &old : NULL;
    trace("rsig_setitimer(%d, %g, %g, %s)", which, delay, interval, with_old ? "&old" : "NULL");
    int is_good = delay >= 0 && delay < 9e18 && interval >= 0 && interval < 9e18;
    if (!is_up()) {
        EXPECT_STATE(rsig_setitimer(which, delay, interval, place));
    } else if (which < 0 || which > 2 || !is_good) {
        EXPECT(rsig_setitimer(which, delay, interval, place), RSIG_ERROR_ITIMER, EINVAL);
    } else {
        EXPECT(rsig_setitimer(which, delay, interval, place), RSIG_OK, 0);
        if (with_old) check_timer(which, &old);
        m.timers[which][0] = delay;
        m.timers[which][1] = interval;
    }
}

static void call_getitimer(uint64_t *r) {
    int which = some_timer(r), is_null = chance(r, 5);
    rsig_itimer_t now;
    trace("rsig_getitimer(%d, %s)", which, is_null ? "NULL" : "&now");
    if (!is_up()) {
        EXPECT_STATE(rsig_getitimer(which, &now));
    } else if (is_null) {
        EXPECT_VALUE(rsig_getitimer(which, NULL));
    } else if (which < 0 || which > 2) {
        EXPECT(rsig_getitimer(which, &now), RSIG_ERROR_ITIMER, EINVAL);
    } else {
        EXPECT(rsig_getitimer(which, &now), RSIG_OK, 0);
        check_timer(which, &now);
    }
}

static void call_alarm(uint64_t *r) {
    static const unsigned all[] = {0, 1000, INT_MAX, UINT_MAX};
    unsigned seconds = ONE_OF(r, all), left = rsig_alarm(seconds);
    trace("rsig_alarm(%u)", seconds);
    if ((left != 0) != (m.timers[ITIMER_REAL][0] > 0)) fail("rsig_alarm() is %u", left);
    m.timers[ITIMER_REAL][0] = seconds;
    m.timers[ITIMER_REAL][1] = 0;
}

/* --- dump.rs --- */

static int memory_fd, full_fd;

static void check_dumped_line(const char *line) {
    int signum;
    char restart[8], blocked[8], pending[8], tripped[8], disposition[16], name[24];
    unsigned long long deliveries;
    int channels;
    int fields = sscanf(line,
                        "{\"signum\":%d,\"name\":\"%23[^\"]\",\"disposition\":\"%15[^\"]\",\"restart\":%7[a-z],"
                        "\"blocked\":%7[a-z],\"pending\":%7[a-z],\"tripped\":%7[a-z],\"deliveries\":%llu,"
                        "\"channels\":%d",
                        &signum, name, disposition, restart, blocked, pending, tripped, &deliveries, &channels);
    if (fields != 9) fail("%d fields in %s", fields, line);
    if (signum == noise_signal) return;
    struct action action = describe(signum);
    const char *want = is_function(&action)               ? "rsig"
                       : action.handler == RSIG_FOREIGN   ? "foreign"
                       : action.handler == RSIG_IGN       ? "ignored"
                                                          : "default";
    int listeners = 0;
    for (int i = 0; i < CHANNELS; i++)
        listeners += m.channels[i].is_open && m.channels[i].set & bit(signum);
    if (strcmp(want, disposition) || listeners != channels)
        fail("not %s, %d: %s", want, listeners, line);
    if ((*tripped == 't') != ((m.tripped & bit(signum)) != 0)) fail("tripped? %s", line);
    if ((*pending == 't') != ((pending_for(self) & bit(signum)) != 0)) fail("pending? %s", line);
    if ((*blocked == 't') != ((m.blocked[self] & bit(signum)) != 0)) fail("blocked? %s", line);
}

static void dump_with(uint64_t *r, int (*dump)(int), int is_json) {
    int what = below(r, 5), lines = 0;
    trace("%s(case %d)", is_json ? "rsig_dump_json" : "rsig_dump", what);
    if (!is_up()) {
        EXPECT_STATE(dump(memory_fd));
    } else if (what == 0) {
        EXPECT_OS(dump(some_fd_that_is_none(r)), EBADF);
    } else if (what == 1) {
        EXPECT_OS(dump(full_fd), ENOSPC);
    } else if (what == 2) {
        EXPECT_OS(dump(wakeup_fds[1]), EPIPE);
    } else {
        static char text[65536];
        REQUIRE(ftruncate(memory_fd, 0) == 0 && lseek(memory_fd, 0, SEEK_SET) == 0);
        EXPECT(dump(memory_fd), RSIG_OK, 0);
        ssize_t size = pread(memory_fd, text, sizeof text - 1, 0);
        REQUIRE(size > 0);
        text[size] = 0;
        char *rest = text, *line;
        for (; (line = strsep(&rest, "\n")) && *line; lines++)
            if (is_json) check_dumped_line(line);
        if (lines != 62 + !is_json) fail("%d lines", lines);
    }
}

static void call_dump(uint64_t *r) { dump_with(r, rsig_dump, 0); }
static void call_dump_json(uint64_t *r) { dump_with(r, rsig_dump_json, 1); }

/* --- child.rs, die.rs --- */

static struct disposition kernel_now(int signum);

/* In a child that did not run fork's handlers. */
static void call_restore_signals(uint64_t *r) {
    (void)r;
    trace("rsig_restore_signals()");
    int up = is_up();
    pid_t child = quiet_child();
    REQUIRE(child >= 0);
    if (child == 0) {
        errno = 0;
        int result = rsig_restore_signals(), error = errno;
        if (!up) {
            if (result != RSIG_ERROR_STATE || error != ENXIO) fail("result %d, errno %d", result, error);
            _exit(0);
        }
        if (result != RSIG_OK) fail("result %d, errno %d", result, error);
        for (int n = 1; n < 65; n++) {
            /* These rsig may have taken for itself, and so have found another one first. */
            if (!(m.touched & bit(n)) || n >= SIGRTMAX - 1) continue;
            enum kind want = is_foreign(m.kernel[n].kind) ? m.kernel[n].kind : m.found[n].kind;
            if (kernel_now(n).kind != want)
                fail("%s is %d in a child, not %d", name_of(n), kernel_now(n).kind, want);
        }
        sigset_t mask;
        uint64_t blocked = 0;
        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        for (int n = 1; n < 65; n++)
            if (!is_the_c_librarys(n) && sigismember(&mask, n) == 1) blocked |= bit(n);
        if (blocked != m.mask_at_init) fail("the child blocks %#llx", (long long)blocked);
        _exit(0);
    }
    if (await_child(child)) fail("the child of rsig_restore_signals() failed");
}

/* --- What a program does besides --- */

static void foreign_handler(int signum) { __atomic_fetch_add(&foreign_seen[signum], 1, __ATOMIC_RELAXED); }

static void foreign_handler_with_mask(int signum, siginfo_t *info, void *context) {
    if (!info || !context || info->si_signo != signum) fail("a foreign handler's arguments");
    __atomic_fetch_add(&foreign_seen[signum], 1, __ATOMIC_RELAXED);
}

static struct disposition kernel_now(int signum) {
    struct sigaction now;
    REQUIRE(sigaction(signum, NULL, &now) == 0);
    struct disposition found = {LOW_LEVEL, (now.sa_flags & SA_RESTART) != 0};
    if (now.sa_handler == SIG_DFL) found.kind = DEFAULT;
    if (now.sa_handler == SIG_IGN) found.kind = IGNORED;
    if (now.sa_handler == foreign_handler) found.kind = FOREIGN;
    if (now.sa_sigaction == foreign_handler_with_mask) found.kind = FOREIGN_WITH_MASK;
    return found;
}

static void set_foreign(int signum, struct disposition new) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = new.kind == DEFAULT ? SIG_DFL : new.kind == IGNORED ? SIG_IGN : foreign_handler;
    if (new.kind == FOREIGN_WITH_MASK) {
        action.sa_sigaction = foreign_handler_with_mask;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaddset(&action.sa_mask, SIGURG);
    }
    if (new.restart) action.sa_flags |= SA_RESTART;
    REQUIRE(sigaction(signum, &action, NULL) == 0);
}

static struct disposition some_disposition(uint64_t *r) {
    static const enum kind kinds[] = {DEFAULT, IGNORED, FOREIGN, FOREIGN, FOREIGN_WITH_MASK};
    return (struct disposition){ONE_OF(r, kinds), below(r, 2)};
}

static void call_sigaction(uint64_t *r) {
    int signum = one_of_pool(r);
    struct disposition new = some_disposition(r);
    /* Whether that is taken for rsig's own, and undone, depends on whether rsig has taken the number for itself. */
    if (signum >= SIGRTMAX - 1 && new.kind == m.installed[signum]) return;
    /* What rsig has sent to its own main thread at this moment can arrive there. */
    if (signum >= SIGRTMAX - 1 && is_timer_on) return;
    trace("sigaction(%s, kind %d, restart %d)", name_of(signum), new.kind, new.restart);
    set_kernel(signum, new);
    set_foreign(signum, new);
}

/* Sometimes several at once. */
static int some_count(uint64_t *r) { return chance(r, 75) ? 1 : 2 + below(r, 6); }

static void call_raise(uint64_t *r) {
    int signum = one_of_pool(r), count = some_count(r);
    rsig_siginfo_t info = info_of(signum, SI_TKILL, 0);
    trace("raise(%s), %d times", name_of(signum), count);
    for (; count > 0 && can_send(signum); count--) {
        send_signal(self, signum, &info);
        REQUIRE(raise(signum) == 0);
    }
}

static void call_system_kill(uint64_t *r) {
    int signum = one_of_pool(r);
    if (!can_send(signum)) return;
    trace("kill(%s)", name_of(signum));
    sent_to_process(signum, SI_USER, 0);
    REQUIRE(kill(getpid(), signum) == 0);
    await_others();
}

static void call_pthread_sigqueue(uint64_t *r) {
    int signum = one_of_pool(r), to = alive == 1 ? self : below(r, THREADS), code;
    for (int count = some_count(r); count > 0 && can_send(signum); count--) {
        union sigval value = {.sival_ptr = (void *)draw(r)};
        trace("pthread_sigqueue(%s, %s, %p)", thread_names[to], name_of(signum), value.sival_ptr);
        rsig_siginfo_t info = info_of(signum, SI_QUEUE, (uint64_t)value.sival_ptr);
        send_signal(to, signum, &info);
        while ((code = pthread_sigqueue(threads[to], signum, value)) == EAGAIN) sched_yield();
        REQUIRE(code == 0);
        await_thread(to);
    }
}

/* What a forked child must find; the parent then gets its SIGCHLD. */
static void in_forked_child(int signum) {
    alive = 1;
    budget = 0;
    plain_handlers = 1;
    m.tripped = 0;
    for (int i = 0; i < THREADS; i++) m.own[i].count = 0;
    m.shared.count = 0;
    if (is_up()) m.main = self;
    threads[self] = pthread_self();
    if (tripped_now()) fail("a forked child has %#llx tripped", (long long)tripped_now());
    for (int i = 0; i < CHANNELS; i++) {
        struct channel *channel = &m.channels[i];
        if (!channel->is_open) continue;
        channel->count = 0;
        channel->folded = 0;
        read_to_the_end(channel);
    }
    if (!is_up()) return;
    EXPECT(rsig_set_wakeup_fd(-1, 0, NULL), RSIG_OK, 0);
    m.wakeup_fd = -1;
    m.wakeup_failed = 0;
    struct pollfd entry = {m.fd, POLLIN, 0};
    if (!noise && m.fd >= 0 && poll(&entry, 1, 0) != 0) fail("a forked child's rsig_fd() is readable");
    if (signum && !(m.blocked[self] & bit(signum))) {
        rsig_siginfo_t info = info_of(signum, SI_TKILL, 0);
        send_signal(self, signum, &info);
        came_through(PUMPING(rsig_raise_signal(signum)), RSIG_OK, 0);
    }
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open) read_to_the_end(&m.channels[i]);
}

static void call_fork(uint64_t *r) {
    int signum = sendable_signum(r), status;
    if (!is_signum(signum)) signum = 0;
    if (!can_send(SIGCHLD) || alive == 1) return;
    trace("fork()");
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        in_forked_child(signum);
        _exit(0);
    }
    pid_t done;
    while ((done = waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
    int is_reaped = done < 0 && errno == ECHILD;
    if (!is_reaped && (done != child || status)) fail("a forked child has ended with %#x", status);
    rsig_siginfo_t info = info_of(SIGCHLD, CLD_EXITED, 0);
    info.pid = child;
    send_signal(-1, SIGCHLD, &info);
    await_others();
}

/* --- The table --- */

struct call {
    const char *name;
    void (*run)(uint64_t *r);
    int weight;
};

static const struct call calls[] = {
    {"rsig_init", call_init, 6},
    {"rsig_fini", call_fini, 3},
    {"rsig_set_main_thread", call_set_main_thread, 2},
    {"rsig_signal", call_signal, 16},
    {"rsig_getsignal", call_getsignal, 5},
    {"rsig_siginterrupt", call_siginterrupt, 3},
    {"rsig_default_int_handler", call_default_int_handler, 1},
    {"rsig_pump", call_pump, 10},
    {"rsig_raised", call_raised, 2},
    {"rsig_set_warning_hook", call_set_warning_hook, 1},
    {"rsig_fd", call_fd, 2},
    {"rsig_tripped", call_tripped, 1},
    {"rsig_tripped_flags", call_tripped_flags, 1},
    {"rsig_set_notify", call_set_notify, 2},
    {"rsig_set_wakeup_fd", call_set_wakeup_fd, 4},
    {"rsig_pthread_sigmask", call_pthread_sigmask, 8},
    {"rsig_sigpending", call_sigpending, 2},
    {"rsig_raise_signal", call_raise_signal, 6},
    {"rsig_pthread_kill", call_pthread_kill, 5},
    {"rsig_get_ident", call_get_ident, 1},
    {"rsig_kill", call_kill, 4},
    {"rsig_sigqueue", call_sigqueue, 5},
    {"rsig_thread_kill", call_thread_kill, 4},
    {"rsig_pidfd_open", call_pidfd_open, 1},
    {"rsig_pidfd_send_signal", call_pidfd_send_signal, 2},
    {"rsig_pause", call_pause, 3},
    {"rsig_wait", call_wait, 4},
    {"rsig_sigwait", call_sigwait, 4},
    {"rsig_sigwaitinfo", call_sigwaitinfo, 4},
    {"rsig_sigtimedwait", call_sigtimedwait, 4},
    {"rsig_dispatch", call_dispatch, 5},
    {"rsig_channel_open", call_channel_open, 8},
    {"rsig_channel_close", call_channel_close, 3},
    {"rsig_channel_fd", call_channel_fd, 3},
    {"rsig_channel_read", call_channel_read, 6},
    {"rsig_channel_wait", call_channel_wait, 4},
    {"rsig_syscall", call_syscall, 2},
    {"rsig_open", call_open, 1},
    {"rsig_read", call_read, 2},
    {"rsig_write", call_write, 2},
    {"rsig_recv", call_recv, 2},
    {"rsig_send", call_send, 1},
    {"rsig_connect", call_connect, 1},
    {"rsig_accept", call_connect, 1},
    {"rsig_waitpid", call_waitpid, 1},
    {"rsig_poll", call_poll, 2},
    {"rsig_sleep", call_sleep, 2},
    {"rsig_setitimer", call_setitimer, 2},
    {"rsig_getitimer", call_getitimer, 2},
    {"rsig_alarm", call_alarm, 1},
    {"rsig_strsignal", call_strsignal, 1},
    {"rsig_signame", call_signame, 1},
    {"rsig_signum", call_signum, 1},
    {"rsig_constant", call_constant, 1},
    {"rsig_valid_signals", call_valid_signals, 1},
    {"rsig_sigset_add", call_sigset, 1},
    {"rsig_sigset_remove", call_sigset, 1},
    {"rsig_sigset_contains", call_sigset, 1},
    {"rsig_sigset_next", call_sigset, 1},
    {"rsig_sigset_to_posix", call_sigset, 1},
    {"rsig_sigset_from_posix", call_sigset, 1},
    {"rsig_error_message", call_error_message, 1},
    {"rsig_strerror", call_strerror, 1},
    {"rsig_version", call_version, 1},
    {"rsig_dump", call_dump, 1},
    {"rsig_dump_json", call_dump_json, 2},
    {"rsig_restore_signals", call_restore_signals, 1},
    {"rsig_die", call_die, 1},
    {"sigaction", call_sigaction, 5},
    {"raise", call_raise, 12},
    {"kill", call_system_kill, 4},
    {"pthread_sigqueue", call_pthread_sigqueue, 8},
    {"fork", call_fork, 1},
};
enum { CALLS = sizeof calls / sizeof *calls };

static const struct call *some_call(uint64_t *r) {
    int total = 0;
    for (int i = 0; i < CALLS; i++) total += calls[i].weight;
    int at = below(r, total);
    const struct call *call = calls;
    while (at >= call->weight) at -= call++->weight;
    return call;
}

/* In a handler: half of them of those that make more handlers run. */
static void run_some_call(uint64_t *r) {
    static void (*const lively[])(uint64_t *) = {call_pump, call_raise, call_raise, call_raise_signal,
                                                 call_pthread_sigmask};
    uint64_t own = draw(r);
    void (*run)(uint64_t *) = chance(&own, 50) ? ONE_OF(&own, lively) : some_call(&own)->run;
    run(&own);
}

#endif
