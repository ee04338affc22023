/*
 * A storm for some minutes (SOAK_SECONDS): processes and threads send, while handlers, channels, masks, children and threads come
 * and go. At the end every count adds up, every payload has arrived once, and nothing is left behind.
 */
#include "channel.h"
#include <malloc.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { EXACT = 6, SENDERS = 3, CROWD = 6, ON_THEIR_WAY = 400 };

/*
 * Real-time signals: of these each one sent must arrive. The last is taken by the main thread alone, so in the order of each sender.
 * The rest merges in the kernel, and is only there to disturb.
 */
static int exact(int index) { return SIGRTMIN + 1 + index; }
enum { IN_ORDER = EXACT - 1 };
static const int others[] = {SIGUSR1, SIGUSR2, SIGCHLD, SIGURG, SIGWINCH, SIGTERM};
enum { OTHERS = sizeof others / sizeof *others };

/* Between processes. */
static struct shared {
    atomic_llong sent[EXACT], handled[EXACT], noted[EXACT];
    /* Of all payloads, each by a number that looks random: so two such sums are equal where each payload has come once. */
    atomic_ullong payloads[EXACT];
    atomic_int is_over;
} *shared;

static long long accepted[EXACT], audited[EXACT];
static uint64_t payloads[EXACT];
static atomic_llong threads_made, forks_made, channels_made, other_handled;

static uint64_t draw(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int below(uint64_t *state, int limit) { return (int)(draw(state) % (unsigned)limit); }

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A forked child counts for itself. */
static atomic_llong own_handled[EXACT], *handled;

/* Whichever of these is set: `arg` is the number's place. */
static int handle_one(int signum, const rsig_siginfo_t *info, void *arg) {
    atomic_llong *count = arg;
    CHECK_INT(signum, exact((int)(count - shared->handled)));
    atomic_fetch_add(&handled[count - shared->handled], info->count);
    return 0;
}

static int handle_one_otherwise(int signum, const rsig_siginfo_t *info, void *arg) {
    return handle_one(signum, info, arg);
}

static int handle_other(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)arg;
    atomic_fetch_add(&other_handled, info->count);
    return 0;
}

static void foreign(int signum) { (void)signum; }
static void notified(int signum, void *arg) { (void)signum, (void)arg; }
static void hook(const char *message, void *arg) { (void)message, (void)arg; }

/* --- Who sends --- */

/* Numbers its payloads, those of each signal by themselves. */
struct sender {
    int who, next[EXACT];
    uint64_t random;
};

enum { WHO_SHIFT = 24, NUMBER_MASK = (1 << WHO_SHIFT) - 1 };

static uint64_t scatter(int payload) {
    uint64_t state = (uint64_t)payload;
    return draw(&state);
}

/* Not so many at once that the user's queue of signals fills up, or the ledger. */
static int has_room(int index) {
    return atomic_load(&shared->sent[index]) - atomic_load(&shared->noted[index]) < ON_THEIR_WAY;
}

/* Counted before it can arrive. */
static int next_payload(struct sender *it, int index) {
    int payload = it->who << WHO_SHIFT | (it->next[index]++ & NUMBER_MASK);
    atomic_fetch_add(&shared->payloads[index], scatter(payload));
    atomic_fetch_add(&shared->sent[index], 1);
    return payload;
}

static void send_one(struct sender *it, pid_t pid, int index) {
    union sigval value = {next_payload(it, index)};
    while (sigqueue(pid, exact(index), value) < 0) {
        if (errno != EAGAIN) _exit(2);
        sched_yield();
    }
}

static void send_from_process(pid_t pid, int who) {
    struct sender it = {.who = who, .random = (uint64_t)who};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!atomic_load(&shared->is_over)) {
        int sent = 0;
        for (int burst = below(&it.random, 50); burst > 0; burst--) {
            int index = below(&it.random, EXACT);
            if (!has_room(index)) continue;
            send_one(&it, pid, index);
            sent++;
        }
        /* Who only disturbs keeps the others from their work. */
        if (sent) kill(pid, others[below(&it.random, OTHERS)]);
        if (!sent || below(&it.random, 4) == 0) usleep(200);
    }
    _exit(0);
}

/* --- The crowd: threads that live for a moment --- */

static void in_forked_child(rsig_channel_t *channel) {
    rsig_siginfo_t info;
    handled = own_handled;
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, 0, NULL), RSIG_OK);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 0);
    CHECK_INT(rsig_raise_signal(exact(0)), RSIG_OK);
    CHECK_INT(atomic_load(&own_handled[0]), 1);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
#ifndef __SANITIZE_ADDRESS__ /* whose allocator has a lock that no fork waits for */
    CHECK_INT(rsig_fini(), RSIG_OK);
#endif
    _exit(0);
}

static void fork_one(rsig_channel_t *channel) {
    int status;
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) in_forked_child(channel);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) {
            /* Where somebody ignores SIGCHLD. */
            CHECK_INT(errno, ECHILD);
            status = 0;
            break;
        }
    CHECK_CHILD_OK(status);
    atomic_fetch_add(&forks_made, 1);
}

static void *live_for_a_moment(void *arg) {
    struct sender *it = arg;
    uint64_t r = it->random;
    rsig_siginfo_t infos[16];
    rsig_sigset_t set = RSIG_SIGSET(exact(0)), old;
    for (int i = 0; i < EXACT; i++)
        if (below(&r, 2)) set |= RSIG_SIGSET(exact(i));
    if (below(&r, 2)) set |= RSIG_SIGSET(others[below(&r, OTHERS)]);
    rsig_channel_t *channel = open_channel(set, 1 + (uint32_t)below(&r, 40));
    int fd = below(&r, 2) ? rsig_channel_fd(channel) : -1;
    for (int work = below(&r, 8); work > 0; work--) {
        int index = below(&r, EXACT);
        CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, draw(&r) & ~RSIG_SIGSET(exact(index)), &old), RSIG_OK);
        switch (below(&r, 5)) {
        case 0:
            if (has_room(index)) send_one(it, getpid(), index);
            break;
        case 1:
            if (index != IN_ORDER) queue_here(exact(index), next_payload(it, index));
            break;
        case 2: CHECK_INT(rsig_raise_signal(others[below(&r, 4)]), RSIG_OK); break;
        case 3: CHECK(rsig_channel_wait(channel, infos, 1e-4) >= 0); break;
        default: sched_yield();
        }
        CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, old, NULL), RSIG_OK);
        struct pollfd entry = {fd, POLLIN, 0};
        if (fd >= 0 && rsig_poll(&entry, 1, 0) == 1)
            CHECK(rsig_channel_read(channel, infos, 16) >= 0);
    }
    if (below(&r, 12) == 0) fork_one(channel);
    close_channel(channel);
    atomic_fetch_add(&channels_made, 1);
    return NULL;
}

static struct {
    pthread_t thread;
    struct sender sender;
} crowd[CROWD];

static void start_all(uint64_t *r) {
    rsig_sigset_t old;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(exact(IN_ORDER)), &old), RSIG_OK);
    for (int i = 0; i < CROWD; i++) {
        crowd[i].sender.who = SENDERS + i, crowd[i].sender.random = draw(r);
        start(&crowd[i].thread, live_for_a_moment, &crowd[i].sender);
        atomic_fetch_add(&threads_made, 1);
    }
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, old, NULL), RSIG_OK);
}

static void join_all(void) {
    for (int i = 0; i < CROWD; i++) join(crowd[i].thread);
}

/* --- The main thread --- */

/* Open all the time: one that folds, and one with room for all that can be on its way. */
static rsig_channel_t *audit, *ledger;
enum { LEDGER = 4096 };

static void note(const rsig_siginfo_t *info) {
    static int next[SENDERS + CROWD];
    int index = info->signo - exact(0), who = info->value_int >> WHO_SHIFT;
    CHECK_INT(info->count, 1);
    CHECK(who >= 0 && who < SENDERS + CROWD);
    if (index == IN_ORDER) CHECK_INT(info->value_int & NUMBER_MASK, next[who]++ & NUMBER_MASK);
    payloads[index] += scatter(info->value_int);
    atomic_fetch_add(&shared->noted[index], 1);
}

static void read_ledger(void) {
    rsig_siginfo_t infos[64];
    int count;
    while ((count = rsig_channel_read(ledger, infos, 64)) > 0)
        for (int i = 0; i < count; i++) note(&infos[i]);
    CHECK_INT(count, 0);
}

static void read_audit(void) {
    rsig_siginfo_t infos[64];
    int count;
    while ((count = rsig_channel_read(audit, infos, 64)) > 0)
        for (int i = 0; i < count; i++) audited[infos[i].signo - exact(0)] += infos[i].count;
    CHECK_INT(count, 0);
}

static void set_some_handler(uint64_t *r) {
    int index = below(r, EXACT);
    rsig_action_t old;
    CHECK_INT(rsig_signal(exact(index), below(r, 2) ? handle_one : handle_one_otherwise,
                          &shared->handled[index], &old),
              RSIG_OK);
    CHECK(old.handler == handle_one || old.handler == handle_one_otherwise);
    int signum = others[below(r, OTHERS)];
    switch (below(r, 4)) {
    case 0: CHECK_INT(rsig_signal(signum, RSIG_IGN, NULL, NULL), RSIG_OK); break;
    case 1: CHECK_SYS(signal(signum, foreign) == SIG_ERR ? -1 : 0); break;
    default: CHECK_INT(rsig_signal(signum, handle_other, NULL, NULL), RSIG_OK);
    }
    CHECK_INT(rsig_siginterrupt(exact(index), below(r, 2)), RSIG_OK);
}

static void accept_one(uint64_t *r) {
    int index = below(r, EXACT), got;
    rsig_sigset_t set = RSIG_SIGSET(exact(index)), old;
    rsig_siginfo_t info;
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, &old), RSIG_OK);
    /* What came before. */
    read_ledger();
    got = rsig_sigtimedwait(set, 1e-5, &info);
    CHECK(got == 0 || got == exact(index));
    if (got) {
        note(&info);
        accepted[index]++;
        atomic_fetch_add(&shared->handled[index], 1);
    }
    CHECK(rsig_dispatch(set, 0) >= 0);
    CHECK_INT(rsig_pthread_sigmask(SIG_SETMASK, old, NULL), RSIG_OK);
}

static void do_something(uint64_t *r, const int *pipes) {
    struct pollfd ready = {rsig_fd(), POLLIN, 0};
    rsig_siginfo_t info;
    char byte;
    CHECK(ready.fd >= 0);
    switch (below(r, 12)) {
    case 0: CHECK(rsig_wait(1e-3) >= 0); break;
    case 1: CHECK(rsig_poll(&ready, 1, 1e-3) >= 0); break;
    case 2: CHECK_INT(rsig_sleep(1e-4), 0); break;
    case 3:
        CHECK_INT(rsig_write(pipes[1], "x", 1), 1);
        CHECK_INT(rsig_read(pipes[0], &byte, 1), 1);
        break;
    case 4: set_some_handler(r); break;
    case 5: accept_one(r); break;
    case 6: CHECK_INT(rsig_set_wakeup_fd(below(r, 2) ? -1 : pipes[3], 0, NULL), RSIG_OK); break;
    case 7: CHECK_INT(rsig_set_notify(below(r, 2) ? notified : NULL, NULL), RSIG_OK); break;
    case 8:
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_fini(), RSIG_OK);
        break;
    case 9:
        if (rsig_channel_wait(audit, &info, 1e-4) == 1) audited[info.signo - exact(0)] += info.count;
        break;
    case 10:
        join_all();
        start_all(r);
        break;
    default: CHECK(rsig_pump() >= 0);
    }
    if (below(r, 4) == 0) read_audit();
    read_ledger();
}

/* --- What is left --- */

static long status_of(const char *key) {
    char line[128];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) value = strtol(line + strlen(key), NULL, 10);
    fclose(file);
    CHECK(value >= 0);
    return value;
}

/* With all threads asleep or gone, and nothing left to handle. */
static void settle(void) {
    while (rsig_tripped()) CHECK(rsig_pump() >= 0);
    read_audit();
    read_ledger();
}

TEST(soak, "after a storm every count adds up, every payload has come once, and neither descriptor, memory, thread nor disposition is left") {
    const char *told = getenv("SOAK_SECONDS");
    double length = told ? strtod(told, NULL) : 20, began = seconds(), warm = began + length / 4;
    struct kept_action before[NSIG];
    pid_t senders[SENDERS];
    int pipes[4], fds, status;
    size_t used = 0;
    long resident = 0;
    uint64_t r = 5;

    mallopt(M_ARENA_MAX, 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    handled = shared->handled;
    CHECK_SYS(pipe2(pipes, O_CLOEXEC));
    CHECK_SYS(pipe2(pipes + 2, O_CLOEXEC | O_NONBLOCK));
    for (int n = 1; n < NSIG; n++)
        if (rsig_valid_signals() & RSIG_SIGSET(n)) before[n] = kept_action(n);
    fds = count_fds();

    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_set_warning_hook(hook, NULL), RSIG_OK);
    rsig_sigset_t set = 0;
    for (int i = 0; i < EXACT; i++) {
        CHECK_INT(rsig_signal(exact(i), handle_one, &shared->handled[i], NULL), RSIG_OK);
        set |= RSIG_SIGSET(exact(i));
    }
    for (int i = 0; i < OTHERS; i++)
        CHECK_INT(rsig_signal(others[i], handle_other, NULL, NULL), RSIG_OK);
    audit = open_channel(set, 64), ledger = open_channel(set, LEDGER);
    for (int i = 0; i < SENDERS; i++) {
        pid_t pid = getpid();
        CHECK_SYS(senders[i] = fork());
        if (senders[i] == 0) send_from_process(pid, i);
    }
    start_all(&r);
    while (seconds() < began + length) {
        do_something(&r, pipes);
        if (!used && seconds() > warm) {
            used = mallinfo2().uordblks;
            resident = status_of("VmRSS:");
        }
    }

    atomic_store(&shared->is_over, 1);
    for (int i = 0; i < SENDERS; i++) {
        while (waitpid(senders[i], &status, 0) < 0 && errno == EINTR) continue;
        if (WIFEXITED(status)) CHECK_INT(WEXITSTATUS(status), 0);
    }
    join_all();
    settle();
    for (int i = 0; i < EXACT; i++) {
        CHECK_INT(atomic_load(&shared->handled[i]), atomic_load(&shared->sent[i]));
        CHECK_INT(audited[i] + accepted[i], atomic_load(&shared->sent[i]));
        CHECK_INT(atomic_load(&shared->noted[i]), atomic_load(&shared->sent[i]));
        CHECK(payloads[i] == atomic_load(&shared->payloads[i]));
    }
    long long total = 0;
    for (int i = 0; i < EXACT; i++) total += atomic_load(&shared->sent[i]);
    fprintf(stderr, "%lld real-time signals, %lld others, %lld threads, %lld forks, %lld channels\n", total,
            (long long)other_handled, (long long)threads_made, (long long)forks_made, (long long)channels_made);
    CHECK(total > 0);

    /* Whatever the crowd had at the one moment, it has as much at any other. */
    fprintf(stderr, "in use: %zu then, %zu now; resident: %ld kB, %ld kB\n", used, mallinfo2().uordblks, resident,
            status_of("VmRSS:"));
    CHECK(mallinfo2().uordblks <= used + (64 << 10));
    CHECK(status_of("VmRSS:") <= resident + 4096);
    CHECK_INT(status_of("Threads:"), 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(count_fds(), fds);
    for (int n = 1; n < NSIG; n++) {
        if (!(rsig_valid_signals() & RSIG_SIGSET(n))) continue;
        /* What was foreign at the end is not rsig's. */
        if (check_kernel_handler(n) == (void *)(size_t)foreign) continue;
        CHECK_SAME_ACTION(n, before[n]);
    }
}
