/*
 * The oracle: what the kernel and rsig should have come to, as plain data that one thread at a time changes.
 *
 * The kernel's half knows masks, what is pending, and in which order handlers run. rsig's half follows rsig.h. A pass of the pump
 * is not predicted but checked while it runs: each handler asks the model whether it is its turn (`handler_runs`), which makes
 * handlers that call anything, refuse, or leave by longjmp() nothing special.
 */
#ifndef MODEL_H
#define MODEL_H

#include "fuzz.h"

/* What the kernel does with a signal. The foreign ones are the driver's own plain handlers. */
enum kind { NOBODY, DEFAULT, IGNORED, FOREIGN, FOREIGN_WITH_MASK, LOW_LEVEL, STAND_IN };
struct disposition {
    enum kind kind;
    int restart;
};

/* What rsig_getsignal() tells. */
struct action {
    rsig_handler_t handler;
    void *arg;
    struct disposition foreign;
};

struct queue {
    struct {
        int signum;
        rsig_siginfo_t info;
    } items[128];
    int count;
};

enum { CHANNELS = 8, RECORDS = 512 };
struct channel {
    rsig_channel_t *handle;
    int is_open, fd, first, count, last;
    uint64_t set;
    uint32_t capacity;
    rsig_siginfo_t ring[RECORDS];
    uint64_t folded;
    rsig_siginfo_t folds[65];
};

static struct model {
    /* The kernel's. */
    uint64_t blocked[THREADS];
    struct queue own[THREADS], shared;
    struct disposition kernel[65];
    long long foreign_calls[65];
    /* rsig's. */
    uint32_t users;
    int main;
    uint64_t mask_at_init;
    uint64_t tripped;
    rsig_siginfo_t first[65];
    struct action action[65], beneath[65], told[65];
    enum kind installed[65];
    struct disposition displaced[65], found[65];
    uint64_t touched, handled;
    struct channel channels[CHANNELS];
    int fd;
    void *notify;
    long long notified[65];
    int wakeup_fd, wakeup_failed;
    unsigned char bytes[4096];
    int byte_count;
    int raised_signum, raised;
    long long warnings;
    int has_noise;
    double timers[3][2];
    /* Of the passes. */
    uint64_t taken, last[65];
} m;

/* A pipe with a reader; any other wakeup descriptor that rsig accepts here has none. */
static int good_wakeup_fd = -1;

static int is_up(void) { return m.users > 0; }
static int is_main(void) { return is_up() && m.main == self; }
static int is_function(const struct action *action) { return (size_t)action->handler > 2; }
static int is_rsigs(enum kind kind) { return kind == LOW_LEVEL || kind == STAND_IN; }
static int is_foreign(enum kind kind) { return kind == FOREIGN || kind == FOREIGN_WITH_MASK; }

static int is_harmless(int signum) {
    return signum == SIGCHLD || signum == SIGURG || signum == SIGWINCH || signum == SIGCONT;
}

/* Where the signal would end the process. */
static int is_deadly(int signum) {
    return m.kernel[signum].kind == DEFAULT && !is_harmless(signum);
}

static int is_ignored(int signum) {
    return m.kernel[signum].kind == IGNORED ||
           (m.kernel[signum].kind == DEFAULT && is_harmless(signum));
}

static int is_heard(int signum) {
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open && m.channels[i].set & bit(signum)) return 1;
    return 0;
}

/* --- Recording --- */

static void record_in_channel(struct channel *channel, const rsig_siginfo_t *info) {
    int signum = info->signo;
    if (!channel->folded && (uint32_t)channel->count < channel->capacity) {
        if (channel->count == RECORDS) fail("the model's channel is too small");
        channel->ring[(channel->first + channel->count++) % RECORDS] = *info;
    } else if (channel->folded & bit(signum)) {
        channel->folds[signum].count++;
    } else {
        channel->folded |= bit(signum);
        channel->folds[signum] = *info;
    }
}

/* The low-level handler's part. */
static void record(int signum, const rsig_siginfo_t *info, int for_pump) {
    if (!is_up()) return;
    if (for_pump) {
        if (!(m.tripped & bit(signum))) {
            m.tripped |= bit(signum);
            m.first[signum] = *info;
        } else {
            m.first[signum].count++;
        }
    }
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open && m.channels[i].set & bit(signum))
            record_in_channel(&m.channels[i], info);
    if (m.wakeup_fd == good_wakeup_fd && good_wakeup_fd >= 0) {
        if (m.byte_count == sizeof m.bytes) fail("the model's pipe is too small");
        m.bytes[m.byte_count++] = (unsigned char)signum;
    } else if (m.wakeup_fd >= 0) {
        m.wakeup_failed = 1;
    }
    if (m.notify) m.notified[signum]++;
}

/* --- The kernel --- */

static int take_from(struct queue *queue, int at, rsig_siginfo_t *info) {
    int signum = queue->items[at].signum;
    *info = queue->items[at].info;
    queue->count--;
    memmove(&queue->items[at], &queue->items[at + 1],
            (size_t)(queue->count - at) * sizeof *queue->items);
    return signum;
}

/* The lowest signal of a set, the first of its kind. */
static int find_in(const struct queue *queue, uint64_t set) {
    int best = -1;
    for (int i = 0; i < queue->count; i++)
        if (set & bit(queue->items[i].signum) &&
            (best < 0 || queue->items[i].signum < queue->items[best].signum))
            best = i;
    return best;
}

static uint64_t signals_in(const struct queue *queue) {
    uint64_t set = 0;
    for (int i = 0; i < queue->count; i++) set |= bit(queue->items[i].signum);
    return set;
}

static uint64_t pending_for(int thread) {
    return signals_in(&m.own[thread]) | signals_in(&m.shared);
}

/* Takes what is pending for a thread: its own before the process's, the lowest number first. */
static int dequeue(int thread, uint64_t set, rsig_siginfo_t *info) {
    int at = find_in(&m.own[thread], set);
    if (at >= 0) return take_from(&m.own[thread], at, info);
    at = find_in(&m.shared, set);
    return at >= 0 ? take_from(&m.shared, at, info) : 0;
}

static void handle(int signum, const rsig_siginfo_t *info, enum kind kind) {
    if (is_rsigs(kind)) record(signum, info, kind == LOW_LEVEL);
    if (is_foreign(kind) || (kind == STAND_IN && is_foreign(m.action[signum].foreign.kind) &&
                             m.action[signum].handler == RSIG_FOREIGN))
        m.foreign_calls[signum]++;
}

/* Whether the handler of a signal blocks another one. */
static uint64_t mask_of(int signum) {
    enum kind kind = m.kernel[signum].kind;
    if (kind == STAND_IN && m.action[signum].handler == RSIG_FOREIGN)
        kind = m.action[signum].foreign.kind;
    return bit(signum) | (kind == FOREIGN_WITH_MASK ? bit(SIGURG) : 0);
}

/* A thread goes back to its program: what is pending and not blocked gets a frame each, and the last one runs first. */
static void deliver_to(int thread) {
    struct {
        int signum;
        enum kind kind;
        rsig_siginfo_t info;
        uint64_t before;
    } frames[66];
    int count = 0;
    for (;;) {
        rsig_siginfo_t info;
        int signum = dequeue(thread, ~m.blocked[thread], &info);
        if (signum) {
            if (is_ignored(signum)) continue;
            if (is_deadly(signum)) fail("the driver has killed itself by %s", name_of(signum));
            frames[count].signum = signum;
            frames[count].kind = m.kernel[signum].kind;
            frames[count].info = info;
            frames[count++].before = m.blocked[thread];
            m.blocked[thread] |= mask_of(signum);
        } else if (count) {
            count--;
            handle(frames[count].signum, &frames[count].info, frames[count].kind);
            m.blocked[thread] = frames[count].before;
        } else {
            return;
        }
    }
}

static void deliver_all(void) {
    for (int thread = 0; thread < THREADS; thread++) deliver_to(thread);
}

/* To a thread, or to the process (-1). */
static void send_signal(int thread, int signum, const rsig_siginfo_t *info) {
    struct queue *queue = thread < 0 ? &m.shared : &m.own[thread];
    /* The process's first thread speaks for it. */
    if (is_ignored(signum) && !(m.blocked[thread < 0 ? M : thread] & bit(signum))) return;
    if (signum < 32 && signals_in(queue) & bit(signum)) return;
    if (queue->count == sizeof queue->items / sizeof *queue->items) fail("the model's queue is too small");
    queue->items[queue->count].signum = signum;
    queue->items[queue->count++].info = *info;
    deliver_all();
}

/* Whether it may be sent: there is somebody to take it, and room. */
static int can_send(int signum) {
    return !is_deadly(signum) && m.shared.count < 60 && m.own[M].count < 60 && m.own[A].count < 60 &&
           m.own[B].count < 60 && m.byte_count < 3000;
}

/* Whether a thread can unblock all but these without dying. */
static int can_unblock(int thread, uint64_t but) {
    uint64_t coming = pending_for(thread) & ~but;
    for (int n = 1; n < 65; n++)
        if (coming & bit(n) && is_deadly(n)) return 0;
    return 1;
}

static void set_mask(int thread, uint64_t mask) {
    m.blocked[thread] = mask;
    deliver_to(thread);
}

static void forget_pending(struct queue *queue, int signum) {
    int kept = 0;
    for (int i = 0; i < queue->count; i++)
        if (queue->items[i].signum != signum) queue->items[kept++] = queue->items[i];
    queue->count = kept;
}

static void set_kernel(int signum, struct disposition new) {
    m.kernel[signum] = new;
    if (!is_ignored(signum)) return;
    forget_pending(&m.shared, signum);
    for (int thread = 0; thread < THREADS; thread++) forget_pending(&m.own[thread], signum);
}

static rsig_siginfo_t info_of(int signum, int code, uint64_t value) {
    rsig_siginfo_t info;
    memset(&info, 0, sizeof info);
    info.signo = signum;
    info.code = code;
    info.pid = getpid();
    info.uid = getuid();
    info.value_ptr = value;
    info.value_int = (int32_t)value;
    info.count = 1;
    return info;
}

/* --- Dispositions --- */

static const struct action default_action = {RSIG_DFL, NULL, {NOBODY, 0}};

static struct action function_action(rsig_handler_t handler, void *arg) {
    return (struct action){handler, arg, {NOBODY, 0}};
}

static int is_ours(int signum) {
    enum kind now = m.kernel[signum].kind;
    return m.installed[signum] == now || (m.installed[signum] != NOBODY && is_rsigs(now));
}

static struct action describe(int signum) {
    struct disposition now = m.kernel[signum];
    if (is_rsigs(now.kind) && m.installed[signum] != NOBODY) {
        if (m.action[signum].handler == RSIG_FOREIGN && now.kind == LOW_LEVEL)
            return m.beneath[signum];
        return m.action[signum];
    }
    if (now.kind == DEFAULT) return default_action;
    if (now.kind == IGNORED) return (struct action){RSIG_IGN, NULL, {NOBODY, 0}};
    return (struct action){RSIG_FOREIGN, NULL, now};
}

static void install(int signum, struct disposition new) {
    if (!is_ours(signum)) {
        m.displaced[signum] = m.kernel[signum];
        if (!(m.touched & bit(signum))) m.found[signum] = m.kernel[signum];
        m.touched |= bit(signum);
        if (m.action[signum].handler != RSIG_FOREIGN) m.beneath[signum] = m.action[signum];
    }
    set_kernel(signum, new);
    m.installed[signum] = new.kind;
}

/* For a channel or rsig_siginterrupt(): the pump goes on as before. */
static void change_action(int signum, struct action action) {
    int heard = is_heard(signum), put_back = 0;
    struct disposition new = {LOW_LEVEL, 0};
    if (!is_function(&action)) {
        new = action.foreign;
        put_back = !heard && is_foreign(new.kind);
        if (action.handler == RSIG_DFL) new = (struct disposition){DEFAULT, 0};
        if (action.handler == RSIG_IGN) new = (struct disposition){IGNORED, 0};
        if (heard) new.kind = STAND_IN;
    }
    install(signum, new);
    m.action[signum] = put_back ? m.beneath[signum] : action;
}

static void set_action(int signum, struct action action) {
    change_action(signum, action);
    m.told[signum] =
        m.action[signum].handler == RSIG_FOREIGN ? m.beneath[signum] : m.action[signum];
    m.handled &= ~bit(signum);
    if (is_function(&action)) m.handled |= bit(signum);
}

/* A channel was opened or closed. */
static void hear(int signum) {
    struct action action = describe(signum);
    int own = is_ours(signum) && is_rsigs(m.kernel[signum].kind), heard = is_heard(signum);
    if (own && (is_function(&action) || (heard && m.kernel[signum].kind == STAND_IN))) return;
    if (heard || own) change_action(signum, action);
}

static void hear_all(uint64_t set) {
    for (int n = 1; n < 65; n++)
        if (set & bit(n)) hear(n);
}

static void close_channel(struct channel *channel) {
    channel->is_open = 0;
    uint64_t left = channel->set;
    for (int n = 1; n < 65; n++)
        if (is_heard(n)) left &= ~bit(n);
    hear_all(left);
}

/* --- Channels --- */

static int is_readable_channel(const struct channel *channel) {
    return channel->count || channel->folded;
}

static int next_of_channel(struct channel *channel, rsig_siginfo_t *info) {
    if (channel->count) {
        *info = channel->ring[channel->first];
        channel->first = (channel->first + 1) % RECORDS;
        channel->count--;
        return 1;
    }
    if (!channel->folded) return 0;
    int signum = rsig_sigset_next(channel->folded, channel->last);
    if (!signum) signum = rsig_sigset_next(channel->folded, 0);
    channel->folded &= ~bit(signum);
    channel->last = signum;
    *info = channel->folds[signum];
    return 1;
}

/* --- init and fini --- */

static void model_init(uint32_t flags) {
    if (m.users++) return;
    m.mask_at_init = m.blocked[self];
    m.tripped = m.touched = m.handled = 0;
    m.main = self;
    if (flags & RSIG_INIT_NO_DEFAULTS) return;
    const struct action ignore = {RSIG_IGN, NULL, {NOBODY, 0}};
    if (m.kernel[SIGPIPE].kind == DEFAULT) set_action(SIGPIPE, ignore);
    if (m.kernel[SIGXFSZ].kind == DEFAULT) set_action(SIGXFSZ, ignore);
    if (m.kernel[SIGINT].kind == DEFAULT)
        set_action(SIGINT, function_action(rsig_default_int_handler, NULL));
}

/* After the pump. */
static void model_fini(void) {
    if (--m.users) return;
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open) close_channel(&m.channels[i]);
    for (int n = 1; n < 65; n++) {
        if (m.installed[n] != NOBODY && is_ours(n)) set_kernel(n, m.displaced[n]);
        m.installed[n] = NOBODY;
        m.action[n] = m.beneath[n] = m.told[n] = default_action;
        if (m.tripped & bit(n)) m.warnings++;
    }
    m.tripped = m.touched = m.handled = 0;
    m.wakeup_fd = m.fd = -1;
    m.notify = NULL;
    m.has_noise = 0;
}

/* --- Passes of the pump --- */

struct pass {
    int is_on, is_repeated, ran, refused;
    /* A signal that may have come in time for this pass or not: it was sent to another thread. */
    int late;
    uint64_t set, began;
    int at;
};

static void tell_wakeup_failure(void) {
    m.warnings += m.wakeup_failed;
    m.wakeup_failed = 0;
}

static void begin_pass(struct pass *pass) {
    tell_wakeup_failure();
    pass->set = m.tripped;
    pass->began = m.taken;
    pass->at = 0;
}

static void take(int signum) {
    m.tripped &= ~bit(signum);
    m.last[signum] = ++m.taken;
}

/* Whose turn it is; 0 when the pass is over. What has lost its handler is dropped on the way. */
static int next_of_pass(struct pass *pass) {
    for (int n = pass->at + 1; n < 65; n++) {
        pass->at = n - 1;
        if (!(pass->set & bit(n)) || m.last[n] > pass->began) continue;
        if (m.tripped & bit(n)) {
            if (is_function(&m.told[n])) return n;
            m.warnings++;
        }
        take(n);
    }
    pass->at = 64;
    return 0;
}

static void note_refusal(struct pass *pass, int signum, int value) {
    pass->refused = 1;
    m.raised_signum = signum;
    m.raised = value;
}

/* A handler of the driver's has been called. */
static void handler_runs(struct pass *pass, int signum, const rsig_siginfo_t *info, void *arg) {
    if (!pass || !pass->is_on) fail("a handler runs without a pump");
    if (!is_main()) fail("a handler runs on thread %s", thread_names[self]);
    if (pass->refused) fail("the handler of %s runs after one that refused", name_of(signum));
    int next = next_of_pass(pass);
    if (!next && pass->is_repeated) {
        begin_pass(pass);
        next = next_of_pass(pass);
    }
    if (next != signum)
        fail("the handler of %s runs, not that of %s", name_of(signum), name_of(next));
    if (m.told[signum].arg != arg) fail("the handler of %s has another's argument", name_of(signum));
    const rsig_siginfo_t *want = &m.first[signum];
    if (info->count != want->count)
        fail("the handler of %s is told of %u deliveries, not %u", name_of(signum), info->count,
             want->count);
    if (memcmp(info, want, sizeof *info))
        fail("the handler of %s has another info: code %d pid %d value %d, not %d %d %d",
             name_of(signum), info->code, info->pid, info->value_int, want->code, want->pid,
             want->value_int);
    take(signum);
    pass->ran++;
}

/* The call that pumped has returned; `refuses`: it says that a handler did. */
static void end_pass(struct pass *pass, int refuses) {
    if (!pass->is_on || pass->refused) return;
    int next = next_of_pass(pass);
    if (!next && pass->is_repeated && refuses) {
        begin_pass(pass);
        next = next_of_pass(pass);
    }
    if (next && m.told[next].handler == rsig_default_int_handler && (next != pass->late || refuses)) {
        take(next);
        note_refusal(pass, next, RSIG_KEYBOARD_INTERRUPT);
    } else if (next && next != pass->late) {
        fail("the handler of %s did not run", name_of(next));
    }
}

#endif
