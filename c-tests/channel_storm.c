/* Channels under a storm, from processes and threads at once: every delivery counts, once in each channel. */
#include "channel.h"
#include <stdatomic.h>
#include <sys/prctl.h>

#define RT(n) RSIG_SIGSET(SIGRTMIN + (n))

enum { LARGEST = 65536, BATCH = 64 };

static void init(void) { CHECK_INT(rsig_init(0), RSIG_OK); }

/* --- senders of numbered payloads --- */

/*
 * Processes, and threads of this one that take no signal. Each has so many on their way at most: so the channels have room. It
 * waits for the reader's bytes, one for each CREDIT records.
 */
enum { CREDIT = 256, ON_THEIR_WAY = 16 * CREDIT, SENDER_SHIFT = 24 };

struct sender {
    pid_t pid, receiver; /* the same where it is a thread */
    pthread_t thread;
    int credits[2];
    int index, signum, count;
    int next; /* the payload that the reader expects */
};

static void wait_for_credit(struct sender *it, int *on_their_way) {
    char byte;
    if (read(it->credits[0], &byte, 1) != 1) _exit(3);
    *on_their_way -= CREDIT;
}

/* A pipe, where the reader is to know when a sender has first found the queue full. */
static int told_when_full[2];

/* By either function. */
static int queue_one(struct sender *it, int payload) {
    union sigval value = {.sival_ptr = NULL};
    value.sival_int = it->index << SENDER_SHIFT | payload;
    if (it->index & 2) return rsig_sigqueue(it->receiver, it->signum, (uint64_t)(size_t)value.sival_ptr);
    return sigqueue(it->receiver, it->signum, value);
}

static void *send_all(void *arg) {
    struct sender *it = (struct sender *)arg;
    int on_their_way = 0;
    for (int i = 0; i < it->count; i++) {
        if (on_their_way == ON_THEIR_WAY) wait_for_credit(it, &on_their_way);
        while (queue_one(it, i) < 0) {
            if (errno != EAGAIN) _exit(2);
            if (told_when_full[1] && write(told_when_full[1], "", 1) != 1) _exit(4);
            told_when_full[1] = 0;
            /* RLIMIT_SIGPENDING. Where none of ours are on their way others have filled the queue. */
            if (on_their_way >= CREDIT)
                wait_for_credit(it, &on_their_way);
            else
                sched_yield();
        }
        on_their_way++;
    }
    return NULL;
}

static void prepare_sender(struct sender *it, int index, int signum, int count) {
    it->index = index, it->signum = signum, it->count = count, it->next = 0;
    it->pid = it->receiver = getpid();
    CHECK_SYS(pipe(it->credits));
}

static void start_sender(struct sender *it, int index, int signum, int count) {
    prepare_sender(it, index, signum, count);
    fflush(NULL);
    CHECK_SYS(it->pid = fork());
    if (it->pid) return;
    /* A case that has failed is not kept by who waits for its credit. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    send_all(it);
    _exit(0);
}

static void start_sending_thread(struct sender *it, int index, int signum, int count) {
    sigset_t all, before;
    prepare_sender(it, index, signum, count);
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    start(&it->thread, send_all, it);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void give_credit(struct sender *it) {
    if (it->next % CREDIT == 0) CHECK_INT(write(it->credits[1], "", 1), 1);
}

static void reap(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK_INT(errno, EINTR);
    CHECK_CHILD_OK(status);
}

static void end_sender(struct sender *it) {
    if (it->pid == it->receiver)
        join(it->thread);
    else
        reap(it->pid);
}

/* The record is the next one of its sender. */
static void check_next(struct sender *senders, const rsig_siginfo_t *info) {
    struct sender *it = &senders[info->value_int >> SENDER_SHIFT];
    CHECK_INT(info->count, 1);
    CHECK_INT(info->signo, it->signum);
    CHECK_INT(info->code, SI_QUEUE);
    CHECK_INT(info->pid, it->pid);
    CHECK_INT(info->value_int & ((1 << SENDER_SHIFT) - 1), it->next);
    it->next++;
}

/* One thread receives; the last so many senders are threads. */
static void check_every_payload(int threads) {
    enum { SENDERS = 4, CHANNELS = 3, COUNT = 25000 };
    struct sender senders[CHANNELS][SENDERS];
    rsig_channel_t *channels[CHANNELS];
    struct check_calls calls[2] = {{0}};
    rsig_siginfo_t infos[BATCH];
    init();
    for (int i = 0; i < 2; i++)
        CHECK_INT(rsig_signal(SIGRTMIN + i, check_handler, &calls[i], NULL), RSIG_OK);
    for (int c = 0; c < CHANNELS; c++) channels[c] = open_channel(RT(0) | RT(1), LARGEST);
    for (int i = 0; i < SENDERS; i++) {
        void (*start_this)(struct sender *, int, int, int) = i < SENDERS - threads ? start_sender : start_sending_thread;
        start_this(&senders[0][i], i, SIGRTMIN + i % 2, COUNT);
        for (int c = 1; c < CHANNELS; c++) senders[c][i] = senders[0][i];
    }
    /* The first channel, waited for, sets the pace; the others are read behind it. */
    for (int left = SENDERS * COUNT; left > 0; left--) {
        CHECK_INT(rsig_channel_wait(channels[0], &infos[0], -1), 1);
        check_next(senders[0], &infos[0]);
        for (int c = 1; c < CHANNELS; c++) {
            if (left % BATCH != 1) continue;
            int count = rsig_channel_read(channels[c], infos, BATCH);
            CHECK(count >= 0);
            for (int i = 0; i < count; i++) check_next(senders[c], &infos[i]);
        }
        /* Credit for what the slowest has read. */
        if (left % BATCH != 1) continue;
        for (int i = 0; i < SENDERS; i++) {
            static int given[SENDERS];
            int slowest = senders[0][i].next;
            for (int c = 1; c < CHANNELS; c++)
                if (senders[c][i].next < slowest) slowest = senders[c][i].next;
            for (; given[i] + CREDIT <= slowest; given[i] += CREDIT)
                CHECK_INT(write(senders[0][i].credits[1], "", 1), 1);
        }
    }
    for (int c = 0; c < CHANNELS; c++) {
        int count;
        while ((count = rsig_channel_read(channels[c], infos, BATCH)) > 0)
            for (int i = 0; i < count; i++) check_next(senders[c], &infos[i]);
        for (int i = 0; i < SENDERS; i++) CHECK_INT(senders[c][i].next, COUNT);
    }
    for (int i = 0; i < SENDERS; i++) end_sender(&senders[0][i]);
    CHECK(rsig_pump() >= 0);
    for (int i = 0; i < 2; i++) CHECK_INT(calls[i].deliveries, SENDERS / 2 * COUNT);
}

TEST(every_payload, "every payload of several processes, once, in order, in each channel") { check_every_payload(0); }

TEST(every_payload_of_threads, "the same of several threads of this process") { check_every_payload(4); }

TEST(every_payload_of_both, "the same of processes and threads at once") { check_every_payload(2); }

TEST(full_queue, "RLIMIT_SIGPENDING: whoever sends waits, and nothing is lost") {
    enum { SENDERS = 2, COUNT = 20000 };
    struct sender senders[SENDERS];
    struct rlimit limit;
    rsig_siginfo_t info;
    char byte;
    init();
    CHECK_SYS(getrlimit(RLIMIT_SIGPENDING, &limit));
    limit.rlim_cur = CREDIT + 44;
    CHECK_SYS(setrlimit(RLIMIT_SIGPENDING, &limit));
    rsig_channel_t *channel = open_channel(RT(0), LARGEST);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGRTMIN);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_SYS(pipe(told_when_full));
    start_sender(&senders[0], 0, SIGRTMIN, COUNT);
    CHECK_INT(read(told_when_full[0], &byte, 1), 1);
    check_empty(channel);
    CHECK_INT(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    for (int i = 1; i < SENDERS; i++) start_sender(&senders[i], i, SIGRTMIN, COUNT);
    for (int left = SENDERS * COUNT; left > 0; left--) {
        CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
        check_next(senders, &info);
        give_credit(&senders[info.value_int >> SENDER_SHIFT]);
    }
    for (int i = 0; i < SENDERS; i++) end_sender(&senders[i]);
    check_empty(channel);
}

/* --- senders that are threads; readers that are threads --- */

static atomic_int sending;   /* how many senders have not ended */
static atomic_llong sent[NSIG];

/* A signal that is delivered before the call returns, and that the kernel never merges: to the caller itself. */
static void raise_counted(int signum) {
    raise_here(signum);
    atomic_fetch_add(&sent[signum], 1);
}

struct numbers {
    int first, count, rounds;
};

static void *raise_numbers(void *arg) {
    struct numbers *it = (struct numbers *)arg;
    for (int i = 0; i < it->rounds; i++) raise_counted(it->first + i % it->count);
    atomic_fetch_sub(&sending, 1);
    return NULL;
}

struct reader {
    pthread_t thread;
    rsig_channel_t *channel;
    int by_wait;
    long long counts[NSIG];
    long long records;
};

static void count_record(struct reader *it, const rsig_siginfo_t *info) {
    CHECK(info->count >= 1);
    it->counts[info->signo] += info->count;
    it->records++;
}

/* Until nobody sends, and then once more. */
static void *read_all(void *arg) {
    struct reader *it = (struct reader *)arg;
    rsig_siginfo_t infos[BATCH];
    int last;
    do {
        last = atomic_load(&sending) == 0;
        int count = it->by_wait ? rsig_channel_wait(it->channel, infos, last ? 0 : 0.001)
                                : rsig_channel_read(it->channel, infos, BATCH);
        CHECK(count >= 0);
        for (int i = 0; i < count; i++) count_record(it, &infos[i]);
        if (count) last = 0;
    } while (!last);
    return NULL;
}

static void start_readers(struct reader *readers, int count, rsig_channel_t *channel) {
    memset(readers, 0, (size_t)count * sizeof *readers);
    for (int i = 0; i < count; i++) {
        readers[i].channel = channel, readers[i].by_wait = i % 2;
        start(&readers[i].thread, read_all, &readers[i]);
    }
}

static long long join_readers(struct reader *readers, int count, int signum) {
    long long sum = 0;
    for (int i = 0; i < count; i++) {
        if (readers[i].channel) join(readers[i].thread);
        readers[i].channel = NULL;
        sum += readers[i].counts[signum];
    }
    return sum;
}

TEST(rings_of_one, "in rings of one the counts equal what was sent, with several readers of each channel") {
    enum { SENDERS = 3, READERS = 2, NUMBERS = 3, ROUNDS = 70000 };
    struct numbers numbers = {SIGRTMIN, NUMBERS, ROUNDS};
    struct check_calls calls[NUMBERS] = {{0}};
    struct reader one[READERS], other[READERS];
    pthread_t senders[SENDERS];
    init();
    for (int i = 0; i < NUMBERS; i++)
        CHECK_INT(rsig_signal(SIGRTMIN + i, check_handler, &calls[i], NULL), RSIG_OK);
    rsig_channel_t *never = open_channel(RT(0) | RT(1), 1);
    rsig_channel_t *small = open_channel(RT(0) | RT(1) | RT(2), 1);
    rsig_channel_t *two = open_channel(RT(1) | RT(2), 2);
    atomic_store(&sending, SENDERS);
    start_readers(one, READERS, small), start_readers(other, READERS, two);
    for (int i = 0; i < SENDERS; i++) start(&senders[i], raise_numbers, &numbers);
    while (atomic_load(&sending)) {
        raise_counted(SIGRTMIN + 1);
        CHECK(rsig_pump() >= 0);
    }
    for (int i = 0; i < SENDERS; i++) join(senders[i]);
    join_readers(one, READERS, 0), join_readers(other, READERS, 0);
    /* What the main thread has raised last, and the channel that nobody has read. */
    struct reader rest = {.channel = small}, rest_of_two = {.channel = two}, all = {.channel = never};
    read_all(&rest), read_all(&rest_of_two), read_all(&all);
    CHECK(rsig_pump() >= 0);
    for (int i = 0; i < NUMBERS; i++) {
        int n = SIGRTMIN + i;
        long long was_sent = atomic_load(&sent[n]);
        CHECK(was_sent > 0);
        CHECK_INT(calls[i].deliveries, was_sent);
        CHECK_INT(join_readers(one, READERS, n) + rest.counts[n], was_sent);
        if (i > 0) CHECK_INT(join_readers(other, READERS, n) + rest_of_two.counts[n], was_sent);
        if (i < 2) CHECK_INT(all.counts[n], was_sent);
    }
    CHECK_INT(all.records, 3); /* one, and one fold for each number */
}

/* --- standard signals, which the kernel merges: counted as they are delivered --- */

static const int several[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGURG, SIGWINCH};
enum { SEVERAL = sizeof several / sizeof *several };
static rsig_sigset_t several_set(void) {
    rsig_sigset_t set = 0;
    for (int i = 0; i < SEVERAL; i++) set |= RSIG_SIGSET(several[i]);
    return set;
}

static atomic_llong notified[NSIG], displaced[NSIG], over[NSIG];

static void notify(int signum, void *arg) {
    (void)arg;
    atomic_fetch_add(&notified[signum], 1);
}

static void count_displaced(int signum) { atomic_fetch_add(&displaced[signum], 1); }

static struct sigaction rsigs[NSIG];
static void count_over(int signum, siginfo_t *info, void *context) {
    atomic_fetch_add(&over[signum], 1);
    rsigs[signum].sa_sigaction(signum, info, context);
}

static void install_over(int signum) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = count_over, action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(signum, &action, &rsigs[signum]));
}

enum { KILLERS = 3, KILLS = 60000 };
static pthread_t targets[KILLERS + 1];
static pthread_barrier_t all_there, all_sent;

/* At each other and at the main thread. */
static void *kill_all(void *arg) {
    (void)arg;
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < KILLS; i++)
        CHECK_INT(pthread_kill(targets[i % (KILLERS + 1)], several[i % SEVERAL]), 0);
    /* Nobody ends while another might still send to him. */
    pthread_barrier_wait(&all_sent);
    atomic_fetch_sub(&sending, 1);
    return NULL;
}

static pid_t kill_from_process(void) {
    pid_t target = getpid(), pid = fork();
    CHECK_SYS(pid);
    if (pid) return pid;
    for (int i = 0; i < KILLS; i++)
        if (kill(target, several[i % SEVERAL]) < 0) _exit(1);
    _exit(0);
}

TEST(as_delivered, "standard signals: the counts equal the kernel's deliveries, with a handler, without, with a foreign one") {
    enum { READERS = 2, CHANNELS = 3 };
    struct check_calls calls[SEVERAL] = {{0}};
    struct reader readers[CHANNELS][READERS];
    rsig_channel_t *channels[CHANNELS];
    const uint32_t capacities[CHANNELS] = {1, 64, LARGEST};
    pid_t killer[2];
    /* Of six a third each: a handler of rsig's; nothing; a handler that the channel displaces. */
    for (int i = 2; i < SEVERAL; i += 3) CHECK(signal(several[i], count_displaced) != SIG_ERR);
    init();
    CHECK_INT(rsig_set_notify(notify, NULL), RSIG_OK);
    for (int i = 0; i < SEVERAL; i += 3)
        CHECK_INT(rsig_signal(several[i], check_handler, &calls[i], NULL), RSIG_OK);
    for (int c = 0; c < CHANNELS; c++) channels[c] = open_channel(several_set(), capacities[c]);
    for (int i = 0; i < SEVERAL; i++) install_over(several[i]);
    CHECK_INT(pthread_barrier_init(&all_there, NULL, KILLERS + 1), 0);
    CHECK_INT(pthread_barrier_init(&all_sent, NULL, KILLERS), 0);
    fflush(NULL);
    for (int i = 0; i < 2; i++) killer[i] = kill_from_process();
    atomic_store(&sending, KILLERS);
    targets[0] = pthread_self();
    for (int i = 1; i <= KILLERS; i++) start(&targets[i], kill_all, NULL);
    for (int c = 0; c < CHANNELS; c++) start_readers(readers[c], READERS, channels[c]);
    pthread_barrier_wait(&all_there);
    while (atomic_load(&sending)) CHECK(rsig_pump() >= 0);
    for (int i = 1; i <= KILLERS; i++) join(targets[i]);
    for (int i = 0; i < 2; i++) reap(killer[i]);
    for (int c = 0; c < CHANNELS; c++) join_readers(readers[c], READERS, 0);
    CHECK(rsig_pump() >= 0);
    for (int i = 0; i < SEVERAL; i++) {
        int n = several[i];
        long long delivered = atomic_load(&over[n]);
        CHECK(delivered > 0);
        CHECK_INT(atomic_load(&notified[n]), delivered);
        if (i % 3 == 0) CHECK_INT(calls[i].deliveries, delivered);
        if (i % 3 == 2) CHECK_INT(atomic_load(&displaced[n]), delivered);
    }
    for (int c = 0; c < CHANNELS; c++) {
        struct reader rest = {.channel = channels[c]};
        read_all(&rest);
        for (int i = 0; i < SEVERAL; i++)
            CHECK_INT(join_readers(readers[c], READERS, several[i]) + rest.counts[several[i]],
                      atomic_load(&over[several[i]]));
    }
}

/* --- no wait misses anything --- */

/* Bursts, each with silence until all of it was read: no later signal can hide a missed one. */
static atomic_llong taken;
static pthread_t receiver;

enum { BURSTS = 12000 };
static const long long in_bursts = BURSTS / 4 * (1 + 2 + 3 + 4);

static void *send_bursts(void *arg) {
    long long so_far = 0;
    for (int i = 0; i < BURSTS; i++) {
        for (int n = i % 4; n >= 0; n--, so_far++) {
            if (i / 4 % 2)
                raise_here(SIGRTMIN);
            else
                queue_to(receiver, SIGRTMIN, 0);
        }
        for (int spins = 0; atomic_load(&taken) < so_far; spins++)
            if (spins > 100) sched_yield();
    }
    return arg;
}

static rsig_channel_t *bursts;

static void take_by_wait(void) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_wait(bursts, &info, -1), 1);
    atomic_fetch_add(&taken, info.count);
}

/* As an event loop does it. */
static void take_by_fd(void) {
    rsig_siginfo_t infos[3];
    struct pollfd entry = {rsig_channel_fd(bursts), POLLIN, 0};
    int result = poll(&entry, 1, -1);
    if (result < 0) {
        CHECK_INT(errno, EINTR);
        return;
    }
    int count = rsig_channel_read(bursts, infos, 3);
    CHECK(count >= 0);
    for (int i = 0; i < count; i++) atomic_fetch_add(&taken, infos[i].count);
}

static void *check_bursts(void *take) {
    pthread_t thread;
    receiver = pthread_self();
    start(&thread, send_bursts, NULL);
    for (int takes = 1; atomic_load(&taken) < in_bursts; takes++) {
        /* Now sooner, now later than the signals. */
        for (volatile int wait = takes % 101 * 20; wait > 0; wait--) continue;
        (*(void (**)(void))take)();
        /* On a busy machine the sender may be waiting for this processor. */
        if (takes % 50 == 0) sched_yield();
    }
    join(thread);
    check_empty(bursts);
    CHECK(!is_readable(rsig_channel_fd(bursts)));
    CHECK_INT(atomic_load(&taken), in_bursts);
    return NULL;
}

static void open_bursts(void) {
    init();
    bursts = open_channel(RT(0), 2); /* folds the longer ones */
}

TEST(wait_misses_none, "rsig_channel_wait misses no signal, at whichever instruction it lands") {
    void (*take)(void) = take_by_wait;
    open_bursts();
    check_bursts(&take);
}

TEST(wait_misses_none_elsewhere, "nor on another thread than the main one") {
    void (*take)(void) = take_by_wait;
    open_bursts();
    on_thread(check_bursts, &take);
}

TEST(fd_misses_none, "nor does the descriptor, which is unreadable when all is read") {
    void (*take)(void) = take_by_fd;
    open_bursts();
    check_bursts(&take);
}

TEST(fd_misses_none_elsewhere, "nor on another thread") {
    void (*take)(void) = take_by_fd;
    open_bursts();
    on_thread(check_bursts, &take);
}

/* --- opened and closed meanwhile --- */

static void *open_and_close(void *set) {
    rsig_siginfo_t infos[4];
    for (int i = 0; atomic_load(&sending); i++) {
        rsig_channel_t *channel = open_channel(*(rsig_sigset_t *)set, 1 + i % 5);
        if (i % 2) CHECK(rsig_channel_fd(channel) >= 0);
        if (i % 3) CHECK(rsig_channel_read(channel, infos, 4) >= 0);
        if (i % 7 == 0) CHECK(rsig_channel_wait(channel, infos, 0) >= 0);
        close_channel(channel);
    }
    return NULL;
}

static atomic_int warnings;
static void count_warning(const char *message, void *arg) {
    (void)arg;
    fprintf(stderr, "%s\n", message);
    atomic_fetch_add(&warnings, 1);
}

static void check_reopened(int permanent) {
    enum { SENDERS = 2, OPENERS = 2, ROUNDS = 40000 };
    struct numbers numbers = {SIGRTMIN, 3, ROUNDS};
    rsig_sigset_t sets[OPENERS] = {RT(0) | RT(1) | RT(2), RT(1) | RT(2)};
    struct check_calls calls = {0};
    struct reader reader;
    pthread_t senders[SENDERS], openers[OPENERS];
    rsig_channel_t *channel = NULL;
    /* One with a handler that rsig displaces, one with one of rsig's, one that is ignored. */
    CHECK(signal(SIGRTMIN, count_displaced) != SIG_ERR);
    CHECK(signal(SIGRTMIN + 2, SIG_IGN) != SIG_ERR);
    init();
    CHECK_INT(rsig_set_warning_hook(count_warning, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGRTMIN + 1, check_handler, &calls, NULL), RSIG_OK);
    atomic_store(&sending, SENDERS);
    if (permanent) {
        channel = open_channel(RT(0) | RT(1) | RT(2), 8);
        start_readers(&reader, 1, channel);
    }
    for (int i = 0; i < OPENERS; i++) start(&openers[i], open_and_close, &sets[i]);
    for (int i = 0; i < SENDERS; i++) start(&senders[i], raise_numbers, &numbers);
    while (atomic_load(&sending)) CHECK(rsig_pump() >= 0);
    for (int i = 0; i < SENDERS; i++) join(senders[i]);
    for (int i = 0; i < OPENERS; i++) join(openers[i]);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(atomic_load(&displaced[SIGRTMIN]), atomic_load(&sent[SIGRTMIN]));
    CHECK_INT(calls.deliveries, atomic_load(&sent[SIGRTMIN + 1]));
    CHECK_INT(warnings, 0);
    if (permanent) {
        for (int n = SIGRTMIN; n < SIGRTMIN + 3; n++)
            CHECK_INT(join_readers(&reader, 1, n), atomic_load(&sent[n]));
        close_channel(channel);
    }
    CHECK(check_kernel_handler(SIGRTMIN) == (void *)(size_t)count_displaced);
    CHECK(check_kernel_handler(SIGRTMIN + 2) == (void *)SIG_IGN);
}

TEST(reopened, "opening and closing under a storm takes nothing from handlers, rsig's and others'") {
    check_reopened(0);
}

TEST(reopened_beside_another, "nor from a channel that stays open") { check_reopened(1); }

static atomic_uintptr_t current;
static void *read_the_current(void *arg) {
    rsig_siginfo_t info;
    for (int i = 0; atomic_load(&sending); i++) {
        rsig_channel_t *channel = (rsig_channel_t *)atomic_load(&current);
        int result = i % 2 ? rsig_channel_read(channel, &info, 1) : rsig_channel_wait(channel, &info, 0.0001);
        CHECK(result >= 0 || result == RSIG_ERROR_VALUE);
        if (result == 1) CHECK(info.signo >= SIGRTMIN && info.signo < SIGRTMIN + 3 && info.count > 0);
        result = rsig_channel_fd(channel);
        CHECK(result >= 0 || result == RSIG_ERROR_VALUE);
    }
    return arg;
}

TEST(closed_under_readers, "a channel may be closed under readers, waiters and deliveries: no late one touches it") {
    enum { SENDERS = 2, READERS = 3, ROUNDS = 60000 };
    struct numbers numbers = {SIGRTMIN, 3, ROUNDS};
    pthread_t senders[SENDERS], readers[READERS];
    init();
    int fds = count_fds();
    rsig_channel_t *stays = open_channel(RT(0) | RT(1) | RT(2), 1);
    atomic_store(&sending, SENDERS);
    for (int i = 0; i < READERS; i++) start(&readers[i], read_the_current, NULL);
    for (int i = 0; i < SENDERS; i++) start(&senders[i], raise_numbers, &numbers);
    for (int i = 0; atomic_load(&sending); i++) {
        rsig_channel_t *channel = open_channel(RT(i % 3) | RT(1), i % 10 ? 3 : 5000);
        atomic_store(&current, (uintptr_t)channel);
        if (i % 4 == 0) sched_yield();
        close_channel(channel);
    }
    for (int i = 0; i < SENDERS; i++) join(senders[i]);
    for (int i = 0; i < READERS; i++) join(readers[i]);
    close_channel(stays);
    CHECK_INT(count_fds(), fds);
    CHECK(check_kernel_handler(SIGRTMIN) == (void *)SIG_DFL);
}

/* --- fork --- */

static rsig_channel_t *forked[2];

/* In the child nobody sends but itself. */
static void has_only_its_own(void) {
    rsig_siginfo_t info;
    for (int c = 0; c < 2; c++) {
        check_empty(forked[c]);
        CHECK(!is_readable(rsig_channel_fd(forked[c])));
    }
    for (int i = 0; i < 20; i++) queue_here(SIGRTMIN, i);
    for (int i = 0; i < 20; i++) CHECK_NEXT(forked[0], SIGRTMIN, i, 1);
    CHECK_NEXT(forked[1], SIGRTMIN, 0, 1);
    CHECK_INT(rsig_channel_wait(forked[1], &info, -1), 1);
    CHECK_INT(info.count, 19);
    for (int c = 0; c < 2; c++) {
        check_empty(forked[c]);
        close_channel(forked[c]);
    }
    CHECK(check_kernel_handler(SIGRTMIN) == (void *)SIG_DFL);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static atomic_int enough;

static void *raise_until_enough(void *arg) {
    while (!atomic_load(&enough)) raise_counted(SIGRTMIN);
    atomic_fetch_sub(&sending, 1);
    return arg;
}

TEST(forked_meanwhile, "children forked under a storm have nothing of it, and the parent loses nothing to them") {
    enum { SENDERS = 2, CHILDREN = 80 };
    struct reader readers[2];
    pthread_t senders[SENDERS];
    init();
    forked[0] = open_channel(RT(0), 1000), forked[1] = open_channel(RT(0), 1);
    CHECK(rsig_channel_fd(forked[0]) >= 0);
    atomic_store(&sending, SENDERS);
    start_readers(&readers[0], 1, forked[0]), start_readers(&readers[1], 1, forked[1]);
    for (int i = 0; i < SENDERS; i++) start(&senders[i], raise_until_enough, NULL);
    for (int i = 0; i < CHILDREN; i++) CHECK_CHILD_OK(check_child(has_only_its_own));
    atomic_store(&enough, 1);
    for (int i = 0; i < SENDERS; i++) join(senders[i]);
    for (int c = 0; c < 2; c++)
        CHECK_INT(join_readers(&readers[c], 1, SIGRTMIN), atomic_load(&sent[SIGRTMIN]));
}

/* --- all at once --- */

TEST(all_at_once, "processes and threads, every real-time number, 64 channels and a handler: the counts add up") {
    enum { SENDERS = 2, PROCESSES = 2, CHANNELS = 64, ROUNDS = 8000, SENT = 4000 };
    struct numbers numbers = {SIGRTMIN + 1, 8, ROUNDS};
    struct check_calls calls = {0};
    static struct reader readers[CHANNELS];
    struct sender processes[PROCESSES];
    pthread_t senders[SENDERS];
    rsig_sigset_t set = 0;
    init();
    CHECK_INT(rsig_signal(SIGRTMIN, check_handler, &calls, NULL), RSIG_OK);
    for (int i = 0; i <= 8; i++) set |= RT(i);
    for (int c = 0; c < CHANNELS; c++) readers[c].channel = open_channel(set, (uint32_t)c * 5 + 1);
    /* With as much credit as they need: the kernel's queue is their limit. */
    for (int i = 0; i < PROCESSES; i++) {
        start_sender(&processes[i], i, SIGRTMIN, SENT);
        for (int credit = 0; credit < SENT; credit += CREDIT)
            CHECK_INT(write(processes[i].credits[1], "", 1), 1);
    }
    atomic_store(&sending, SENDERS);
    for (int i = 0; i < SENDERS; i++) start(&senders[i], raise_numbers, &numbers);
    while (atomic_load(&sending)) {
        rsig_siginfo_t infos[BATCH];
        for (int c = 0; c < CHANNELS; c++) {
            int count = rsig_channel_read(readers[c].channel, infos, BATCH);
            CHECK(count >= 0);
            for (int i = 0; i < count; i++) count_record(&readers[c], &infos[i]);
        }
        CHECK(rsig_pump() >= 0);
    }
    for (int i = 0; i < SENDERS; i++) join(senders[i]);
    for (int i = 0; i < PROCESSES; i++) end_sender(&processes[i]);
    /* The senders' last: on whichever thread, they were delivered before this one got on. */
    CHECK(rsig_pump() >= 0);
    CHECK_INT(calls.deliveries, PROCESSES * SENT);
    atomic_store(&sent[SIGRTMIN], PROCESSES * SENT);
    for (int c = 0; c < CHANNELS; c++) {
        read_all(&readers[c]);
        for (int i = 0; i <= 8; i++)
            CHECK_INT(readers[c].counts[SIGRTMIN + i], atomic_load(&sent[SIGRTMIN + i]));
    }
}
