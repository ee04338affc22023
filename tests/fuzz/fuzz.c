/*
 * Calls the functions of rsig.h in random order with random arguments, on three threads, while signals arrive, and compares all
 * that can be seen with a model (model.h). A seed is a sequence of calls; each runs in a process of its own. One that fails is cut
 * down to the calls that it needs, and these are shown.
 *
 *   fuzz --seed N --seeds COUNT [--jobs N]     seeds N to N+COUNT-1
 *   fuzz --seed N --only 3,17,20               these calls of one sequence, as a failure tells; or: all
 *   fuzz --functions                           the functions that it calls
 */
#include "calls.h"
#include "driver.h"

struct operation {
    const struct call *call;
    int thread;
    uint64_t r;
};
enum { OPERATIONS = 60, CALL_BUDGET = 8 };

struct sequence {
    uint64_t seed;
    int count, with_noise;
    struct operation operations[OPERATIONS];
    char is_kept[OPERATIONS];
};

/* --- Threads: one at a time, but for a helper --- */

static struct {
    void (*run)(uint64_t *r);
    uint64_t r;
} workers[THREADS];

static void check_mask(void) {
    sigset_t mask;
    uint64_t blocked = 0;
    REQUIRE(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    for (int n = 1; n < 65; n++)
        if (!is_the_c_librarys(n) && sigismember(&mask, n) == 1) blocked |= bit(n);
    if (blocked != m.blocked[self])
        fail("thread %s blocks %#llx, not %#llx", thread_names[self], (long long)blocked,
             (long long)m.blocked[self]);
}

static void *work(void *arg) {
    self = (int)(intptr_t)arg;
    tids[self] = (pid_t)syscall(SYS_gettid);
    for (;;) {
        tell(M, &inboxes[M].is_called);
        await_call();
        if (!workers[self].run) return NULL;
        workers[self].run(&workers[self].r);
    }
}

static void begin_on(int thread, void (*run)(uint64_t *), uint64_t r) {
    workers[thread].run = run;
    workers[thread].r = r;
    tell(thread, &inboxes[thread].is_called);
}

static void run_on(int thread, void (*run)(uint64_t *), uint64_t r) {
    if (thread == M) {
        run(&r);
        return;
    }
    begin_on(thread, run, r);
    await_call();
}

static void check_own_mask(uint64_t *r) {
    (void)r;
    check_mask();
}

/* --- A call that sleeps, and a signal that ends it --- */

enum sleeper { PAUSE, WAIT, LONG_WAIT, READ, POLL, SYSCALL, CHANNEL_WAIT, SLEEPERS };

static struct {
    enum sleeper kind;
    int signum, is_process, to;
    struct channel *channel;
    int delay, calls_before;
    atomic_int is_over;
} nap;

/* Sends while the other one is anywhere: before the call, in it, asleep. Then, where a signal alone does not end it, a byte. */
static void wake(uint64_t *r) {
    (void)r;
    for (int i = 0; i < nap.delay; i++) sched_yield();
    REQUIRE(nap.is_process ? kill(getpid(), nap.signum) == 0
                           : pthread_kill(threads[nap.to], nap.signum) == 0);
    if (nap.kind != READ && nap.kind != POLL) return;
    while (atomic_load(&handler_calls) == nap.calls_before && !atomic_load(&nap.is_over)) sched_yield();
    REQUIRE(write(pipe_fds[1], "x", 1) == 1);
}

static void sleep_until_woken(uint64_t *r) {
    (void)r;
    struct pollfd entry = {pipe_fds[0], POLLIN, 0};
    rsig_siginfo_t info, want;
    struct frame *frame = enter(nap.kind == SYSCALL ? NEVER : REPEATEDLY);
    frame->pass.late = nap.kind == SYSCALL || nap.kind == CHANNEL_WAIT ? nap.signum : 0;
    IN_FRAME(frame,
             nap.kind == PAUSE       ? rsig_pause()
             : nap.kind == WAIT      ? rsig_wait(-1)
             : nap.kind == LONG_WAIT ? rsig_wait(1e300)
             : nap.kind == READ      ? rsig_read(pipe_fds[0], buffer, 1)
             : nap.kind == POLL      ? rsig_poll(&entry, 1, -1)
             : nap.kind == SYSCALL   ? rsig_syscall(SYS_read, pipe_fds[0], (long)buffer, 1, 0, 0, 0)
                                     : rsig_channel_wait(nap.channel->handle, &info, -1),
             nap.kind == READ || nap.kind == POLL ? -1 : RSIG_ERROR_HANDLER);
    atomic_store(&nap.is_over, 1);
    switch (nap.kind) {
    case PAUSE: came_through(frame, RSIG_OK, 0); break;
    case WAIT:
    case LONG_WAIT: came_through(frame, 1, 0); break;
    case READ: in_pipe += 1 - has_result(frame, 1, 0); break;
    case POLL:
        has_result(frame, 1, 0);
        in_pipe++;
        break;
    case SYSCALL: has_result(frame, -1, EINTR); break;
    default:
        if (came_through(frame, 1, 0) && next_of_channel(nap.channel, &want)) check_info(&info, &want);
    }
}

static void call_sleeper(uint64_t *r) {
    if (!is_up() || m.tripped || noise || m.wakeup_failed || in_pipe || m.main == B) return;
    int sleeper = m.main, helper = sleeper == M ? A : M;
    memset(&nap, 0, sizeof nap);
    nap.signum = one_of_pool(r);
    nap.kind = (enum sleeper)below(r, SLEEPERS);
    nap.is_process = below(r, 2);
    nap.to = chance(r, 50) ? sleeper : helper;
    nap.delay = chance(r, 50) ? below(r, 4) : below(r, 200);
    nap.calls_before = atomic_load(&handler_calls);
    nap.channel = some_channel(r);
    if (!is_function(&m.told[nap.signum]) || m.kernel[nap.signum].kind != LOW_LEVEL) return;
    if (!can_send(nap.signum) || (m.blocked[sleeper] | m.blocked[helper]) & bit(nap.signum)) return;
    if (nap.kind == CHANNEL_WAIT &&
        (!nap.channel->is_open || is_readable_channel(nap.channel) || !(nap.channel->set & bit(nap.signum))))
        return;
    trace("asleep on %s in call %d: %s to %s", thread_names[sleeper], nap.kind, name_of(nap.signum),
          nap.is_process ? "the process" : thread_names[nap.to]);
    rsig_siginfo_t info = info_of(nap.signum, nap.is_process ? SI_USER : SI_TKILL, 0);
    send_signal(nap.is_process ? -1 : nap.to, nap.signum, &info);
    int may_fail = m.wakeup_failed;
    m.wakeup_failed = 0;
    plain_handlers = 1;
    if (sleeper == M) {
        begin_on(A, wake, 0);
        sleep_until_woken(r);
        await_call();
    } else {
        begin_on(A, sleep_until_woken, 0);
        wake(r);
        await_call();
    }
    plain_handlers = 0;
    await_others();
    m.wakeup_failed |= may_fail;
    settle_wakeup_failure();
}

static const struct call sleeper_call = {"(asleep)", call_sleeper, 0};

/* --- What can be seen after each call --- */

static int is_readable(int fd) {
    struct pollfd entry = {fd, POLLIN, 0};
    return poll(&entry, 1, 0) == 1 && entry.revents & POLLIN;
}

static void check_wakeup_bytes(void) {
    unsigned char bytes[4096];
    ssize_t size;
    int at = 0;
    while ((size = read(wakeup_reader, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < size; i++) {
            if (noise && bytes[i] == noise_signal) continue;
            if (at >= m.byte_count || bytes[i] != m.bytes[at])
                fail("wakeup byte %d is %d, not %d", at, bytes[i], at < m.byte_count ? m.bytes[at] : -1);
            at++;
        }
    if (at != m.byte_count) fail("%d wakeup bytes, not %d", at, m.byte_count);
    m.byte_count = 0;
}

static void check_warnings(void) {
    count_warnings();
    if (!noise && warnings_heard != m.warnings) fail("%lld warnings, not %lld", warnings_heard, m.warnings);
    m.warnings = warnings_heard;
}

static void check_kernel(void) {
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) {
        int signum = pool[i];
        struct disposition now = kernel_now(signum), want = m.kernel[signum];
        if (want.kind == STAND_IN) want.kind = LOW_LEVEL;
        /* rsig may have taken it for itself. */
        if (now.kind == LOW_LEVEL && want.kind != LOW_LEVEL && signum >= SIGRTMAX - 1) continue;
        if (now.kind != want.kind || (is_foreign(now.kind) && now.restart != want.restart))
            fail("the kernel has %s as %d (restart %d), not %d (%d)", name_of(signum), now.kind, now.restart,
                 want.kind, want.restart);
    }
}

static void check_all(void) {
    uint64_t flags = tripped_now();
    if (flags != m.tripped) fail("%#llx is tripped, not %#llx", (long long)flags, (long long)m.tripped);
    if (!noise && rsig_tripped() != (m.tripped != 0)) fail("rsig_tripped()");
    if (m.fd >= 0 && (!noise || m.tripped) && is_readable(m.fd) != (m.tripped != 0))
        fail("rsig_fd() is %sreadable", m.tripped ? "not " : "");
    for (int i = 0; i < CHANNELS; i++) {
        const struct channel *channel = &m.channels[i];
        if (channel->is_open && channel->fd >= 0 && is_readable(channel->fd) != is_readable_channel(channel))
            fail("the descriptor of channel %d is %sreadable", i, is_readable_channel(channel) ? "not " : "");
    }
    check_wakeup_bytes();
    check_warnings();
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) {
        int n = pool[i];
        if (notify_calls[n] != m.notified[n])
            fail("notified of %s %lld times, not %lld", name_of(n), notify_calls[n], m.notified[n]);
        if (foreign_seen[n] != m.foreign_calls[n])
            fail("the foreign handler of %s ran %lld times, not %lld", name_of(n), foreign_seen[n],
                 m.foreign_calls[n]);
    }
    check_kernel();
    check_mask();
}

/* --- Noise --- */

static timer_t noise_timer;

static void start_noise(uint64_t *r) {
    set_foreign(noise_signal, (struct disposition){IGNORED, 0});
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = noise_signal;
    event._sigev_un._tid = tids[below(r, THREADS)];
    REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &noise_timer) == 0);
    long time = 20000 + below(r, 200000);
    struct itimerspec often = {{0, time}, {0, time}};
    REQUIRE(timer_settime(noise_timer, 0, &often, NULL) == 0);
    is_timer_on = 1;
}

static void hear_noise(uint64_t *r) {
    (void)r;
    m.has_noise = 1;
    struct frame *frame = PUMPING(rsig_signal(noise_signal, noise_handler, &noise, NULL));
    if (frame->left || frame->pass.refused || !is_up()) m.has_noise = 0;
}

/* --- A sequence, in a process of its own --- */

static uint64_t open_fds(void) {
    uint64_t set = 0;
    for (int fd = 0; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) >= 0) set |= 1ULL << fd;
    return set;
}

static void prepare(uint64_t *r) {
    REQUIRE(pipe2(wakeup_fds, O_NONBLOCK | O_CLOEXEC) == 0);
    wakeup_reader = wakeup_fds[0];
    wakeup_fds[0] = good_wakeup_fd = wakeup_fds[1];
    int broken[2];
    REQUIRE(pipe2(broken, O_NONBLOCK | O_CLOEXEC) == 0);
    wakeup_fds[1] = broken[1];
    close(broken[0]);
    REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
    wakeup_fds[2] = pipe_fds[1];
    wakeup_fds[3] = wakeup_reader;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_fds) == 0);
    REQUIRE((full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC)) >= 0);
    REQUIRE((memory_fd = memfd_create("dump", MFD_CLOEXEC)) >= 0);
    int errors = memfd_create("errors", MFD_CLOEXEC);
    REQUIRE(errors >= 0 && dup2(errors, STDERR_FILENO) == STDERR_FILENO && close(errors) == 0);

    sem_init(&pong, 0, 0);
    for (int thread = 0; thread < THREADS; thread++) sem_init(&inboxes[thread].mail, 0, 0);
    m.fd = m.wakeup_fd = -1;
    for (int n = 1; n < 65; n++) m.kernel[n].kind = DEFAULT;
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) {
        m.kernel[pool[i]] = some_disposition(r);
        /* Mostly default, as in most programs. */
        if (chance(r, 40)) m.kernel[pool[i]] = (struct disposition){DEFAULT, 0};
        set_foreign(pool[i], m.kernel[pool[i]]);
    }
    choose_from_pool(r);
    threads[M] = pthread_self();
    tids[M] = getpid();
    for (int thread = A; thread < THREADS; thread++) {
        REQUIRE(pthread_create(&threads[thread], NULL, work, (void *)(intptr_t)thread) == 0);
        await_call();
    }
}

static void finish_on_main(uint64_t *r) {
    (void)r;
    fini();
}

/* As if nobody had sent it. */
static void drain(uint64_t *r) {
    (void)r;
    sigset_t all;
    sigemptyset(&all);
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) sigaddset(&all, pool[i]);
    struct timespec none = {0, 0};
    while (sigtimedwait(&all, NULL, &none) > 0) continue;
    m.own[self].count = m.shared.count = 0;
}

/* Everything is put back. */
static void finish(uint64_t fds) {
    plain_handlers = 1;
    if (noise) {
        REQUIRE(timer_delete(noise_timer) == 0);
        is_timer_on = 0;
        await_others();
    }
    for (int i = 0; i < CHANNELS; i++)
        if (m.channels[i].is_open) read_to_the_end(&m.channels[i]);
    check_all();
    for (int rounds = 0; is_up(); rounds++) {
        trace("at the end:");
        /* Each refusal takes a signal from those that are tripped. */
        if (rounds > 200) fail("rsig_fini() refuses for ever");
        run_on(m.main, finish_on_main, 0);
    }
    check_all();
    for (int thread = 0; thread < THREADS; thread++) run_on(thread, drain, 0);
    /* What a fini elsewhere could not give back. */
    EXPECT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK, 0);
    EXPECT(rsig_fini(), RSIG_OK, 0);
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++)
        if (kernel_now(pool[i]).kind == LOW_LEVEL) fail("%s is not given back", name_of(pool[i]));
    check_kernel();
    if (open_fds() != fds) fail("descriptors %#llx, not %#llx", (long long)open_fds(), (long long)fds);
    for (int thread = A; thread < THREADS; thread++) {
        begin_on(thread, NULL, 0);
        REQUIRE(pthread_join(threads[thread], NULL) == 0);
    }
}

static void run_sequence(const struct sequence *sequence) {
    uint64_t r = sequence->seed ^ 0x5eed;
    prepare(&r);
    uint64_t fds = open_fds();
    noise = sequence->with_noise;
    if (noise) start_noise(&r);
    for (int i = 0; i < sequence->count; i++) {
        if (!sequence->is_kept[i]) continue;
        const struct operation *operation = &sequence->operations[i];
        if (noise && is_up() && !m.has_noise) run_on(m.main, hear_noise, 0);
        if (tracing) dprintf(STDOUT_FILENO, "%3d", i);
        budget = CALL_BUDGET;
        run_on(operation->thread, operation->call->run, operation->r);
        if (depth || nesting) fail("depth %d, nesting %d", depth, nesting);
        if (operation->thread != M) run_on(operation->thread, check_own_mask, 0);
        check_all();
    }
    finish(fds);
}

/* --- The driver --- */

static void make_sequence(struct sequence *sequence, uint64_t seed) {
    uint64_t r = seed * 0x2545f4914f6cdd1d + 1;
    memset(sequence, 0, sizeof *sequence);
    sequence->seed = seed;
    sequence->count = 10 + below(&r, OPERATIONS - 10);
    sequence->with_noise = chance(&r, 20);
    /* Few do anything before rsig_init(). */
    int init_at = chance(&r, 90) ? 0 : below(&r, sequence->count);
    for (int i = 0; i < sequence->count; i++) {
        struct operation *operation = &sequence->operations[i];
        operation->call = chance(&r, 5) ? &sleeper_call : some_call(&r);
        operation->thread = chance(&r, 75) || operation->call == &sleeper_call ? M : below(&r, THREADS);
        operation->r = draw(&r);
        sequence->is_kept[i] = 1;
        if (i == init_at) operation->call = calls;
    }
}

static void run_to_the_end(const void *sequence) { run_sequence(sequence); }

/* 1: as the model has it; else 0, and `report` says what was not. */
static int passes(const struct sequence *sequence) { return ends_well(run_to_the_end, sequence); }

/* Leaves out what the failure does not need: halves, quarters, and so on to single calls, until nothing more can go. */
static void minimise(struct sequence *sequence) {
    guard = 10000;
    for (int again = 1; again;) {
        again = 0;
        for (int size = sequence->count; size >= 1; size /= 2)
            for (int from = 0; from < sequence->count; from += size) {
                struct sequence less = *sequence;
                int left_out = 0;
                for (int i = from; i < from + size && i < less.count; i++) {
                    left_out += less.is_kept[i];
                    less.is_kept[i] = 0;
                }
                if (!left_out || passes(&less)) continue;
                *sequence = less;
                again = 1;
            }
    }
}

static void show(struct sequence *sequence) {
    const char *separator = "";
    printf("seed %llu fails: %s\n", (unsigned long long)sequence->seed, report);
    minimise(sequence);
    printf("The least that fails, to be run again by: fuzz --seed %llu --only ",
           (unsigned long long)sequence->seed);
    for (int i = 0; i < sequence->count; i++)
        if (sequence->is_kept[i]) {
            printf("%s%d", separator, i);
            separator = ",";
        }
    printf("\n");
    fflush(stdout);
    tracing = 1;
    passes(sequence);
    tracing = 0;
    printf("  => %s\n", *report ? report : "(this time it passes)");
    fflush(stdout);
}

/* How many of the seeds fail, of each `step`th; it stops after `most`. */
static int run_seeds(uint64_t first, uint64_t count, uint64_t step, int most) {
    int failures = 0;
    struct sequence sequence;
    for (uint64_t seed = first; seed < first + count && failures < most; seed += step) {
        make_sequence(&sequence, seed);
        if (passes(&sequence)) continue;
        failures++;
        show(&sequence);
    }
    return failures;
}

static int run_only(uint64_t seed, char *list) {
    struct sequence sequence;
    make_sequence(&sequence, seed);
    if (list) memset(sequence.is_kept, 0, sizeof sequence.is_kept);
    for (char *one = list ? strtok(list, ",") : NULL; one; one = strtok(NULL, ",")) {
        int at = atoi(one);
        if (at >= 0 && at < sequence.count) sequence.is_kept[at] = 1;
    }
    tracing = 1;
    int ok = passes(&sequence);
    printf("  => %s\n", ok ? "passes" : report);
    return !ok;
}

int main(int argc, char **argv) {
    uint64_t seed = 1, seeds = 1000;
    int jobs = 1, most = 3;
    char *only = NULL;
    make_pool();
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--functions")) {
            for (int call = 0; call < CALLS; call++)
                if (!strncmp(calls[call].name, "rsig_", 5)) puts(calls[call].name);
            return 0;
        }
        if (!strcmp(argv[i], "--seed")) seed = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--seeds")) seeds = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--jobs")) jobs = atoi(value);
        else if (!strcmp(argv[i], "--failures")) most = atoi(value);
        else if (!strcmp(argv[i], "--only")) only = argv[i + 1];
        else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
        i++;
    }
    prepare_driver();
    if (only) return run_only(seed, strcmp(only, "all") ? only : NULL);
    int failed = run_jobs(run_seeds, seed, seeds, jobs, most);
    printf("%llu sequences from seed %llu: %s\n", (unsigned long long)seeds, (unsigned long long)seed,
           failed ? "some failed" : "all as the model has it");
    return failed;
}
