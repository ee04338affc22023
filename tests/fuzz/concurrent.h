/*
 * What the calls of several threads share: which signals there are, who may be in a call while another thread is in one, and which
 * results and records are right.
 */
#ifndef CONCURRENT_H
#define CONCURRENT_H

#include "plain.h"

/* Those that call at random, the process's first thread among them; and one that only disturbs them. */
enum { C = THREADS, TICKER, ALL, PLAYERS = TICKER };
enum { CALLS_EACH = 200, DEEPEST = 5, CHANNELS = 6, EVER_OPENED = 4096 };

static struct player {
    pthread_t thread;
    pid_t tid;
    uint64_t r, handlers_r;
} players[ALL];
static _Thread_local struct player *me;

/* Whether the library may be down: if not, its last rsig_init() is undone at the end alone, and more can be said of the results. */
static int may_be_down;
/* Handlers only return. */
static int plain_handlers;
static pid_t my_pid;

/* For whoever reads of a failure, also after a crash; and what there was in all. */
struct board {
    const char *volatile now[ALL];
    atomic_llong calls, handlers, refusals, records, children, down;
};
static struct board *board;

/* --- Signals --- */

/* Not in the game: the ticker's own, which ends waits that have no limit; one with a plain handler, for system calls; and one that
   nobody blocks, ignores or accepts, so that each one sent must arrive. */
enum { TICK = SIGIO, NUDGE = SIGCONT };
static int audited;
static atomic_int is_sent[65];
static atomic_llong audited_sent, audited_handled, audited_read;

static int is_harmless(int signum) { return signum == SIGCHLD || signum == SIGURG || signum == SIGWINCH; }
/* Somebody else may set a handler for it at any time. */
static int is_others(int signum) { return signum == SIGUSR2 || signum == SIGRTMIN + 6; }
/* Never sent, so that they may have their default action: the one that rsig_init() takes, and the one that rsig keeps. */
static int is_kept_back(int signum) { return signum == SIGINT || signum == SIGRTMAX; }

static void choose_signals(void) {
    make_pool();
    /* That of a timer, for SIGPIPE, which is not sent either: nothing that rsig writes raises it. */
    pool[3] = SIGALRM;
    in_pool |= bit(SIGALRM);
    audited = SIGRTMIN + 3;
}

static int will_send(int signum) {
    if (is_signum(signum)) atomic_store(&is_sent[signum], 1);
    return signum;
}

/* One that nobody dies of. */
static int sendable_signum(uint64_t *r) {
    static const int odd[] = {0, -1, INT_MIN, INT_MAX, 65, 128};
    if (chance(r, 8)) return ONE_OF(r, odd);
    int signum = one_of_pool(r);
    return will_send(is_kept_back(signum) ? 0 : signum);
}

static uint64_t some_set(uint64_t *r) {
    uint64_t set = draw(r) & draw(r) & in_pool;
    if (chance(r, 10)) set = in_pool;
    if (chance(r, 10)) set = 0;
    return set;
}

/* What may be what rsig interrupts with, too. */
static uint64_t some_mask(uint64_t *r) { return some_set(r) | (chance(r, 20) ? bit(SIGRTMAX) : 0); }

static uint32_t half_of(uint32_t half, int signum) {
    uint64_t state = (uint64_t)half << 8 | (unsigned)signum;
    return (uint32_t)draw(&state);
}

/* One half tells the other, so that a torn one shows. */
static uint64_t some_payload(uint64_t *r, int signum) {
    uint32_t half = (uint32_t)draw(r);
    return (uint64_t)half << 32 | half_of(half, signum);
}

static void check_record(const rsig_siginfo_t *info) {
    int n = info->signo, is_timers = n == SIGALRM || n == SIGVTALRM || n == SIGPROF, ok = 0;
    atomic_fetch_add(&board->records, 1);
    if (!is_signum(n) || !atomic_load(&is_sent[n])) fail("a record of %s, which was not sent", name_of(n));
    switch (info->code) {
    case SI_USER:
    case SI_TKILL: ok = info->pid == my_pid && info->uid == getuid() && !info->value_ptr; break;
    case SI_QUEUE:
        ok = info->pid == my_pid && (uint32_t)info->value_ptr == half_of((uint32_t)(info->value_ptr >> 32), n) &&
             info->value_int == (int)(uint32_t)info->value_ptr;
        break;
    case SI_KERNEL: ok = is_timers && !info->pid && !info->value_ptr; break;
    case CLD_EXITED:
    case CLD_KILLED: ok = n == SIGCHLD && info->pid > 0 && info->pid != my_pid; break;
    }
    if (!ok || !info->count)
        fail("a record of %s with code %d, pid %d, value %#llx, count %u", name_of(n), info->code, info->pid,
             (long long)info->value_ptr, info->count);
}

static void plain_handler(int signum) {
    if (!atomic_load(&is_sent[signum])) fail("a plain handler is called for %s", name_of(signum));
}

static void plain_handler_with_mask(int signum, siginfo_t *info, void *context) {
    if (!info || !context || info->si_signo != signum) fail("a plain handler's arguments");
    plain_handler(signum);
}

static void set_plain(uint64_t *r, int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    switch (below(r, 3)) {
    case 0: action.sa_handler = SIG_IGN; break;
    case 1: action.sa_handler = plain_handler; break;
    default:
        action.sa_sigaction = plain_handler_with_mask;
        action.sa_flags = SA_SIGINFO;
        sigaddset(&action.sa_mask, SIGURG);
    }
    if (chance(r, 50)) action.sa_flags |= SA_RESTART;
    REQUIRE(sigaction(signum, &action, NULL) == 0);
}

/* --- Who is in a call --- */

/* How many threads are in calls that wait or run handlers; -1: one of them is alone there, and may do what needs that. */
static atomic_int gate, wants_alone;
static _Thread_local int depth, is_alone;
/* Where the library is never down. */
static atomic_int main_player;
/* Whether another thread than the first may have been the main one. */
static atomic_int has_moved;
/* Whose handlers are running, from 1 on; and how many of them, one within the other. */
static atomic_int runner;
static _Thread_local int running;

static void come_in(void) {
    if (depth || is_alone) return;
    for (;;) {
        int inside = atomic_load(&gate);
        if (inside >= 0 && !atomic_load(&wants_alone) && atomic_compare_exchange_weak(&gate, &inside, inside + 1)) return;
        sched_yield();
    }
}

static void go_out(void) {
    if (!depth && !is_alone) atomic_fetch_sub(&gate, 1);
}

/* 0: others are inside, and a handler must not wait for them. */
static int become_alone(void) {
    int inside = depth != 0;
    if (inside) return atomic_compare_exchange_strong(&gate, &inside, -1);
    atomic_fetch_add(&wants_alone, 1);
    while (!atomic_compare_exchange_weak(&gate, &inside, -1)) {
        inside = 0;
        sched_yield();
    }
    atomic_fetch_sub(&wants_alone, 1);
    return 1;
}

static void do_alone(void (*what)(uint64_t *), uint64_t *r) {
    if (is_alone) {
        what(r);
        return;
    }
    if (!become_alone()) return;
    is_alone = 1;
    what(r);
    is_alone = 0;
    atomic_store(&gate, depth != 0);
}

/* --- Frames: calls that may run handlers --- */

static _Thread_local struct frame {
    sigjmp_buf env;
    int refused, left, was_main, error, running;
    long result;
} frames[DEEPEST + 3];

static struct frame *enter(void) {
    come_in();
    if (depth == sizeof frames / sizeof *frames) fail("too deep");
    struct frame *frame = &frames[depth++];
    frame->refused = frame->left = 0;
    frame->running = running;
    frame->was_main = !may_be_down && atomic_load(&main_player) == self;
    return frame;
}

static void handlers_are_done(int still) {
    running = still;
    if (!still && !may_be_down) atomic_store(&runner, 0);
}

static struct frame *leave(struct frame *frame) {
    if (frame->left && running != frame->running) handlers_are_done(frame->running);
    depth--;
    go_out();
    return frame;
}

#define WAITING(expression)                                                                        \
    ({                                                                                             \
        struct frame *frame_ = enter();                                                            \
        if (sigsetjmp(frame_->env, 0)) {                                                           \
            frame_->left = 1;                                                                      \
        } else {                                                                                   \
            errno = 0;                                                                             \
            frame_->result = (long)(expression);                                                   \
            frame_->error = errno;                                                                 \
        }                                                                                          \
        leave(frame_);                                                                             \
    })

/* --- Results --- */

static const char *check_message(void) {
    const char *message = rsig_error_message();
    if (!message) fail("rsig_error_message() is NULL");
    size_t size = strnlen(message, 256);
    if (size > 255) fail("a message of more than 255 bytes");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)message[i] < ' ') fail("a message with a byte %d in it", message[i]);
    return message;
}

/* Sets of statuses. */
enum { VALUE = 1 << 1, THREAD = 1 << 2, OS = 1 << 3, TIMER = 1 << 4, HANDLER = 1 << 5, STATE = 1 << 6 };

/* A result up to `most`, or one of these errors; where it is the system's, with this errno. */
static void allow(long result, int error, long most, int errors, int code) {
    const int codes[] = {0, EINVAL, EPERM, code, EINVAL, EINTR, ENXIO};
    const char *message = check_message();
    if (!may_be_down) errors &= ~STATE;
    if (result >= 0 && result <= most) return;
    if (result >= 0 || result < RSIG_ERROR_STATE || !(errors >> -result & 1))
        fail("the result is %ld; errno %d, \"%s\"", result, error, message);
    if (error != codes[-result]) fail("errno is %d, not %d; \"%s\"", error, codes[-result], message);
    if (!*message) fail("no message");
    if (result == RSIG_ERROR_STATE) atomic_fetch_add(&board->down, 1);
}

#define ALLOW(expression, most, errors, code)                                                      \
    ({                                                                                             \
        errno = 0;                                                                                 \
        long result_ = (long)(expression);                                                         \
        int error_ = errno;                                                                        \
        allow(result_, error_, most, errors, code);                                                \
        result_;                                                                                   \
    })

/* Of a call that may have run handlers; its result, or -1 where one has left it. */
static long allow_waiting(const struct frame *frame, long most, int errors, int code) {
    if (frame->left) return -1;
    allow(frame->result, frame->error, most, errors | (frame->refused ? HANDLER : 0), code);
    if (frame->refused && frame->result >= 0) fail("the result is %ld, and a handler has refused", frame->result);
    return frame->result;
}

/* Of one that only the main thread may make. */
static long allow_on_main(const struct frame *frame, long most, int errors, int code) {
    if (may_be_down) return allow_waiting(frame, most, errors | THREAD | STATE, code);
    if (frame->was_main) return allow_waiting(frame, most, errors, code);
    expect(frame->result, frame->error, RSIG_ERROR_THREAD, EPERM);
    return frame->result;
}

/* Of one that is as the system's. */
static void allow_as_system(const struct frame *frame, long result, int code) {
    check_message();
    if (frame->left) return;
    if (frame->refused) result = -1, code = EINTR;
    if (frame->result != result || (result < 0 && frame->error != code))
        fail("the result is %ld, errno %d, not %ld, %d", frame->result, frame->error, result, code);
}

/* --- Handlers --- */

static void do_some_call(uint64_t *r);
static char slots[64];

static void handlers_begin(int signum, const rsig_siginfo_t *info) {
    atomic_fetch_add(&board->handlers, 1);
    check_record(info);
    if (info->signo != signum) fail("the handler of %s has a record of %s", name_of(signum), name_of(info->signo));
    if (!depth) fail("a handler runs in a call that runs none");
    if (frames[depth - 1].refused) fail("a handler runs after one has refused");
    int nobody = 0;
    /* Where the library goes down in a handler, another thread may be the main one before that returns. */
    if (!running++ && !may_be_down && !atomic_compare_exchange_strong(&runner, &nobody, self + 1))
        fail("handlers run on thread %s, too", thread_names[nobody - 1]);
    if (!may_be_down && !frames[depth - 1].was_main) fail("a handler runs on a thread that is not the main one");
}

static int refuse(int signum) {
    atomic_fetch_add(&board->refusals, 1);
    frames[depth - 1].refused = 1;
    return 1000 + signum;
}

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    uint64_t *r = &me->handlers_r;
    if ((char *)arg < slots || (char *)arg >= slots + sizeof slots) fail("a handler's argument");
    handlers_begin(signum, info);
    int what = below(r, 100), result = 0;
    if (plain_handlers) what = 0;
    if (what >= 70 && depth < DEEPEST)
        for (int calls = 1 + below(r, 2); calls > 0; calls--) do_some_call(r);
    if (what >= 50 && what < 55) siglongjmp(frames[depth - 1].env, 1);
    if (what >= 55 && what < 75) result = refuse(signum);
    handlers_are_done(running - 1);
    return result;
}

static int tick_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    if (signum != TICK || arg != &gate) fail("the tick is wrong");
    handlers_begin(signum, info);
    handlers_are_done(running - 1);
    return 0;
}

static int audit_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    if (signum != audited || arg != &audited) fail("what is audited is wrong");
    handlers_begin(signum, info);
    atomic_fetch_add(&audited_handled, info->count);
    handlers_are_done(running - 1);
    return 0;
}

static void notify(int signum, void *arg) {
    if (arg != is_sent && arg != is_sent + 1) fail("the notify function's argument");
    if (!atomic_load(&is_sent[signum])) fail("notified of %s", name_of(signum));
}

static void hook(const char *message, void *arg) {
    if (arg != is_sent || !message || !*message) fail("the warning is wrong");
}

#endif
