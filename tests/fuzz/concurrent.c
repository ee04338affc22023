/*
 * Random calls from several threads at once, while signals arrive on all of them. Nobody can foresee a result then; so what is
 * checked is what holds in any order: no crash and no hang, each result is one that the manual allows, no record of what was not
 * sent, no handler on two threads at once, and at the end what is counted adds up and all is as it was.
 *
 * A seed determines each thread's calls, not how they meet: one that fails is repeated by --times.
 *
 * Left out, as the manual forbids it: the last rsig_fini() and rsig_set_main_thread() while another thread is in a call that waits
 * or runs handlers (see `gate`); rsig_restore_signals() beside rsig_init() and rsig_fini(), so it has a child to itself; a wakeup
 * descriptor that is closed while it is set. As docs/limits.md says what they cost: plain handlers that leave by siglongjmp(), vfork(),
 * and others' handlers that pass signals on.
 */
#include "concurrent_calls.h"
#include "driver.h"

/* --- A round, in a process of its own --- */

static pthread_barrier_t all_have_played;
static atomic_int is_over, ready;

static void begin(int player) {
    self = player;
    me = &players[player];
    me->tid = (pid_t)syscall(SYS_gettid);
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < ALL) sched_yield();
}

static void play(void) {
    for (int i = 0; i < CALLS_EACH; i++) do_some_call(&me->r);
    board->now[self] = "(done)";
    /* Until then each can be sent to. */
    pthread_barrier_wait(&all_have_played);
}

static void *play_elsewhere(void *player) {
    begin((int)(intptr_t)player);
    play();
    while (!may_be_down && own_inits) play_fini(&me->r);
    return NULL;
}

/* Accepts all signals, as it blocks none, and lets nobody sleep for long. */
static void *tick(void *player) {
    const struct timespec between = {0, 200000};
    begin((int)(intptr_t)player);
    while (!atomic_load(&is_over)) {
        nanosleep(&between, NULL);
        REQUIRE(raise(TICK) == 0);
        for (int i = 0; i < PLAYERS; i++) REQUIRE(pthread_kill(players[i].thread, NUDGE) == 0);
    }
    return NULL;
}

static uint64_t open_fds(void) {
    uint64_t set = 0;
    for (int fd = 0; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) >= 0) set |= 1ULL << fd;
    return set;
}

static void prepare(uint64_t seed) {
    uint64_t r = seed * 0x2545f4914f6cdd1d + 1;
    my_pid = getpid();
    has_moved = may_be_down = chance(&r, 50);
    choose_from_pool(&r);
    for (int i = 0; i < 3; i++) favourites[i] = some_call(&r);
    for (int i = 0; i < 6; i += 2) REQUIRE(pipe2(wakeup_fds + i, i < 4 ? O_NONBLOCK | O_CLOEXEC : O_CLOEXEC) == 0);
    close(wakeup_fds[2]);
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++)
        if (!is_kept_back(pool[i])) set_plain(&r, pool[i]);
    set_plain(&r, audited);
    set_plain(&r, SIGVTALRM);
    set_plain(&r, SIGPROF);
    /* Not ignored: it has to end system calls. */
    struct sigaction action = {.sa_handler = plain_handler};
    REQUIRE(sigaction(NUDGE, &action, NULL) == 0 && sigaction(TICK, &action, NULL) == 0);
    will_send(NUDGE), will_send(TICK), will_send(audited);
    for (int n = 1; n < 65; n++)
        if (!is_the_c_librarys(n)) REQUIRE(sigaction(n, NULL, &before[n]) == 0);
    pthread_barrier_init(&all_have_played, NULL, PLAYERS);
    for (int i = 0; i < ALL; i++) players[i].r = draw(&r), players[i].handlers_r = draw(&r);
}

static void add_up(void) {
    uint64_t r = 1;
    while (rsig_tripped()) allow_waiting(WAITING(rsig_pump()), 64, 0, 0);
    long long had;
    do {
        had = atomic_load(&audited_read);
        read_audit(&r);
    } while (atomic_load(&audited_read) != had);
    if (atomic_load(&audited_handled) != atomic_load(&audited_sent) || had != atomic_load(&audited_sent))
        fail("of %lld signals %lld were handled, and the channel had %lld", (long long)audited_sent,
             (long long)audited_handled, had);
}

static void run_round(const void *arg) {
    prepare(*(const uint64_t *)arg);
    uint64_t fds = open_fds();
    EXPECT(rsig_init(0), RSIG_OK, 0);
    if (!may_be_down) {
        EXPECT(rsig_signal(audited, audit_handler, &audited, NULL), RSIG_OK, 0);
        EXPECT(rsig_channel_open(bit(audited), 16, &audit), RSIG_OK, 0);
    }
    players[M].thread = pthread_self();
    for (int i = A; i < PLAYERS; i++)
        REQUIRE(pthread_create(&players[i].thread, NULL, play_elsewhere, (void *)(intptr_t)i) == 0);
    REQUIRE(pthread_create(&players[TICKER].thread, NULL, tick, (void *)(intptr_t)TICKER) == 0);
    begin(M);
    play();

    atomic_store(&is_over, 1);
    REQUIRE(pthread_join(players[TICKER].thread, NULL) == 0);
    for (int i = A; i < PLAYERS; i++) REQUIRE(pthread_join(players[i].thread, NULL) == 0);
    static const struct itimerval off;
    for (int which = 0; which < 3; which++) setitimer(which, &off, NULL);
    sigset_t none;
    sigemptyset(&none);
    plain_handlers = 1;
    if (!may_be_down) {
        set_main_thread(NULL);
        REQUIRE(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
        add_up();
        own_inits++;
        while (own_inits > 1) play_fini(&me->r);
        allow_waiting(WAITING(rsig_fini()), RSIG_OK, 0, 0);
        EXPECT_STATE(rsig_fini());
    }
    undo_all();
    REQUIRE(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    /* What could not be given back while a thread that was the main one might still wait. */
    EXPECT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK, 0);
    undo_all();
    EXPECT(rsig_tripped(), 0, 0);
    check_as_before(0);
    read_wakeup_bytes();
    if (open_fds() != fds) fail("descriptors %#llx, not %#llx", (long long)open_fds(), (long long)fds);
}

/* --- The driver --- */

static struct board *boards;
static int times = 1;
/* What a round, or a sanitizer in it, has to say. */
static int errors_fd;

static void show(uint64_t seed) {
    char text[8192];
    printf("seed %llu fails: %s\nAs it ended:", (unsigned long long)seed, report);
    for (int i = 0; i < PLAYERS; i++) printf(" %s in %s%s", thread_names[i], board->now[i], i < PLAYERS - 1 ? "," : "\n");
    ssize_t size = pread(errors_fd, text, sizeof text, 0);
    if (size > 0) printf("%.*s", (int)size, text);
    printf("To be run again, as threads meet otherwise each time, by: concurrent --seed %llu --seeds 1 --times 1000\n",
           (unsigned long long)seed);
    fflush(stdout);
}

static int round_passes(uint64_t seed) {
    for (int i = 0; i < ALL; i++) board->now[i] = "nothing";
    REQUIRE(ftruncate(errors_fd, 0) == 0 && lseek(errors_fd, 0, SEEK_SET) == 0);
    return ends_well(run_round, &seed);
}

static int run_seeds(uint64_t first, uint64_t count, uint64_t step, int most) {
    int failures = 0;
    board = &boards[job];
    int out = memfd_create("errors", MFD_CLOEXEC);
    REQUIRE(out >= 0 && (errors_fd = dup2(out, STDERR_FILENO)) == STDERR_FILENO && close(out) == 0);
    for (uint64_t seed = first; seed < first + count && failures < most; seed += step)
        for (int i = 0; i < times && failures < most; i++) {
            if (round_passes(seed)) continue;
            failures++;
            show(seed);
        }
    return failures;
}

static void show_totals(void) {
    struct board all;
    memset(&all, 0, sizeof all);
    for (int i = 0; i < JOBS; i++) {
        all.calls += boards[i].calls;
        all.handlers += boards[i].handlers;
        all.refusals += boards[i].refusals;
        all.records += boards[i].records;
        all.children += boards[i].children;
        all.down += boards[i].down;
    }
    printf("%lld calls, %lld handlers, of which %lld refused, %lld records, %lld children; %lld times rsig was down\n", all.calls,
           all.handlers, all.refusals, all.records, all.children, all.down);
}

int main(int argc, char **argv) {
    uint64_t seed = 1, seeds = 100;
    int jobs = 1, most = 3;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--functions")) {
            for (int call = 0; call < CALLS; call++)
                if (!strncmp(calls[call].name, "rsig_", 5)) puts(calls[call].name);
            return 0;
        }
        if (!strcmp(argv[i], "--seed")) seed = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--seeds")) seeds = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--times")) times = atoi(value);
        else if (!strcmp(argv[i], "--jobs")) jobs = atoi(value);
        else if (!strcmp(argv[i], "--failures")) most = atoi(value);
        else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
        i++;
    }
    choose_signals();
    prepare_driver();
    boards = shared_memory(sizeof *boards * JOBS);
    int failed = run_jobs(run_seeds, seed, seeds, jobs, most);
    show_totals();
    printf("%llu rounds from seed %llu: %s\n", (unsigned long long)seeds * (unsigned long long)times, (unsigned long long)seed,
           failed ? "some failed" : "all as the manual allows");
    return failed;
}
