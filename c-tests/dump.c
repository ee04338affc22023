/* rsig_dump() and rsig_dump_json(): the state of every signal. */
#include "check.h"
#include <stdatomic.h>
#include <sys/resource.h>

static struct check_calls calls;

/* A line of the table. */
struct row {
    int number;
    char name[32], disposition[16], restart[8], blocked[8], pending[8], tripped[8];
    unsigned long long deliveries;
    int channels;
    char note[64];
};

static struct row table[NSIG];

/* All that `dump` writes. */
static char *text_of(int (*dump)(int)) {
    static char text[65536];
    FILE *file = tmpfile();
    CHECK(file);
    CHECK_INT(dump(fileno(file)), RSIG_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

/* Its rows, in `table`; how many. */
static int parse(char *text) {
    int rows = 0;
    char *rest = NULL, *line = strtok_r(text, "\n", &rest);
    CHECK_STR(line, "NO NAME         DISPOSITION RESTART BLOCKED PENDING TRIPPED DELIVERIES CHANNELS NOTE");
    memset(table, 0, sizeof table);
    while ((line = strtok_r(NULL, "\n", &rest))) {
        struct row row;
        int fields = sscanf(line, "%d %31s %15s %7s %7s %7s %7s %llu %d %63[^\n]", &row.number,
                            row.name, row.disposition, row.restart, row.blocked, row.pending,
                            row.tripped, &row.deliveries, &row.channels, row.note);
        if (fields != 10) CHECK_FAIL("%d fields in: %s", fields, line);
        CHECK(row.number > 0 && row.number < NSIG);
        table[row.number] = row;
        rows++;
    }
    return rows;
}

static struct row *row_of(int signum) {
    parse(text_of(rsig_dump));
    return &table[signum];
}

/* A case needs rsig, and none of what rsig_init() sets. */
static void init(void) { CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK); }

static void handle(int signum) {
    CHECK_INT(rsig_signal(signum, check_handler, &calls, NULL), RSIG_OK);
}

static void foreign_handler(int signum) { (void)signum; }

TEST(every_signal, "a line for each valid signal, in ascending order, with its name") {
    int last = 0;
    init();
    char *text = text_of(rsig_dump), *line = text;
    while ((line = strchr(line, '\n')) && line[1]) {
        int number = atoi(++line);
        CHECK_INT(number, rsig_sigset_next(rsig_valid_signals(), last));
        last = number;
    }
    CHECK_INT(last, SIGRTMAX);
    CHECK_INT(parse(text), __builtin_popcountll(rsig_valid_signals()));
    for (int n = 1; n < NSIG; n++)
        if (table[n].number) CHECK_STR(table[n].name, rsig_signame(n));
}

TEST(untouched, "a signal that nobody has touched has its default action and nothing more") {
    init();
    struct row *row = row_of(SIGUSR1);
    CHECK_STR(row->disposition, "default");
    CHECK_STR(row->restart, "-");
    CHECK_STR(row->blocked, "-");
    CHECK_STR(row->pending, "-");
    CHECK_STR(row->tripped, "-");
    CHECK_INT(row->deliveries, 0);
    CHECK_STR(row->note, "-");
}

TEST(dispositions, "the disposition is what the kernel has now, whoever has set it") {
    init();
    handle(SIGUSR1);
    CHECK_STR(row_of(SIGUSR1)->disposition, "rsig");
    CHECK_INT(rsig_signal(SIGUSR1, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_STR(row_of(SIGUSR1)->disposition, "ignored");
    handle(SIGUSR1);
    CHECK(signal(SIGUSR1, foreign_handler) != SIG_ERR);
    CHECK_STR(row_of(SIGUSR1)->disposition, "foreign");
    CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
    CHECK_STR(row_of(SIGUSR1)->disposition, "default");
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_STR(row_of(SIGUSR1)->disposition, "ignored");
}

TEST(restart, "whether a handler, rsig's or not, lets system calls go on") {
    init();
    handle(SIGUSR1);
    CHECK_STR(row_of(SIGUSR1)->restart, "-");
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK_STR(row_of(SIGUSR1)->restart, "yes");
    /* glibc's signal() sets SA_RESTART. */
    CHECK(signal(SIGUSR2, foreign_handler) != SIG_ERR);
    CHECK_STR(row_of(SIGUSR2)->restart, "yes");
}

static void *dump_other_thread(void *arg) {
    CHECK_STR(row_of(SIGUSR1)->blocked, "-");
    return arg;
}

TEST(blocked, "blocked is what the calling thread blocks, and pending only what was sent") {
    pthread_t thread;
    sigset_t set;
    init();
    CHECK_INT(pthread_create(&thread, NULL, dump_other_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_STR(row_of(SIGUSR1)->blocked, "yes");
    CHECK_STR(table[SIGUSR1].pending, "-");
    CHECK_STR(row_of(SIGUSR2)->blocked, "-");
    CHECK_STR(row_of(SIGPIPE)->blocked, "-");
}

TEST(pending_then_tripped,
     "what is blocked is pending, what is delivered is tripped, and what is pumped is counted") {
    rsig_sigset_t both = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2);
    init();
    handle(SIGUSR1);
    handle(SIGUSR2);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, both, NULL), RSIG_OK);
    raise(SIGUSR1);           /* for this thread */
    kill(getpid(), SIGUSR2);  /* for the process */
    for (int n = SIGUSR1; n <= SIGUSR2; n += SIGUSR2 - SIGUSR1) {
        CHECK_STR(row_of(n)->pending, "yes");
        CHECK_STR(table[n].tripped, "-");
        CHECK_INT(table[n].deliveries, 0);
    }
    sigset_t none;
    sigemptyset(&none);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
    raise(SIGUSR1);
    CHECK_STR(row_of(SIGUSR1)->pending, "-");
    CHECK_STR(table[SIGUSR1].tripped, "yes");
    CHECK_INT(table[SIGUSR1].deliveries, 2);
    CHECK_INT(rsig_pump(), 2);
    CHECK_STR(row_of(SIGUSR1)->tripped, "-");
    CHECK_INT(table[SIGUSR1].deliveries, 2);
    CHECK_INT(table[SIGUSR2].deliveries, 1);
    CHECK_INT(table[SIGTERM].deliveries, 0);
}

static void *raise_many(void *arg) {
    for (int i = 0; i < 10000; i++) raise(SIGUSR1);
    return arg;
}

TEST(channels, "channels are counted, and what they have displaced is shown as it is to the program") {
    rsig_channel_t *two, *one;
    init();
    handle(SIGUSR1);
    CHECK(signal(SIGUSR2, foreign_handler) != SIG_ERR);
    const rsig_sigset_t both = RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGUSR2);
    CHECK_INT(rsig_channel_open(both | RSIG_SIGSET(SIGTERM), 1, &two), RSIG_OK);
    CHECK_INT(rsig_channel_open(both, 1, &one), RSIG_OK);
    raise(SIGUSR2);
    parse(text_of(rsig_dump));
    CHECK_INT(table[SIGUSR1].channels, 2);
    CHECK_STR(table[SIGUSR1].disposition, "rsig");
    CHECK_INT(table[SIGUSR2].channels, 2);
    CHECK_STR(table[SIGUSR2].disposition, "foreign");
    CHECK_INT(table[SIGUSR2].deliveries, 1);
    CHECK_INT(table[SIGTERM].channels, 1);
    CHECK_STR(table[SIGTERM].disposition, "default");
    CHECK_INT(table[SIGHUP].channels, 0);
    CHECK_INT(rsig_channel_close(two), RSIG_OK);
    CHECK_INT(row_of(SIGUSR1)->channels, 1);
    CHECK_INT(row_of(SIGTERM)->channels, 0);
}

TEST(deliveries_on_all_threads, "deliveries on several threads at once are all counted") {
    pthread_t threads[4];
    init();
    handle(SIGUSR1);
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, raise_many, NULL), 0);
    for (int i = 0; i < 4; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(row_of(SIGUSR1)->deliveries, 40000);
}

TEST(dispatched, "what rsig_dispatch accepts counts as delivered") {
    init();
    handle(SIGUSR1);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGUSR1), NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_dispatch(RSIG_SIGSET(SIGUSR1), 0), 1);
    CHECK_INT(row_of(SIGUSR1)->deliveries, 1);
}

static void has_none(void) {
    CHECK_INT(row_of(SIGUSR1)->deliveries, 0);
    raise(SIGUSR1);
    CHECK_INT(row_of(SIGUSR1)->deliveries, 1);
}

TEST(counted_anew, "rsig_init and a forked child begin to count at 0") {
    init();
    handle(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(has_none));
    CHECK_INT(row_of(SIGUSR1)->deliveries, 2);
    init();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(row_of(SIGUSR1)->deliveries, 2);
    CHECK_INT(rsig_fini(), RSIG_OK);
    init();
    handle(SIGUSR1);
    has_none();
}

TEST(own_signal,
     "the signal with which rsig interrupts its main thread is shown as the program has made it") {
    const char *note = "rsig interrupts its main thread with it";
    init();
    CHECK_INT(rsig_sleep(0), 0);
    int number = SIGRTMAX;
    while (check_kernel_handler(number) == (void *)SIG_DFL) CHECK(--number > SIGRTMIN);
    CHECK_STR(row_of(number)->disposition, "default");
    CHECK_STR(table[number].restart, "-");
    CHECK_STR(table[number].note, note);
    CHECK_INT(rsig_signal(number, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_STR(row_of(number)->disposition, "ignored");
    CHECK_STR(table[number].note, note);
    handle(number);
    CHECK_STR(row_of(number)->disposition, "rsig");
    CHECK_STR(table[number].note, note);
    CHECK(signal(number, foreign_handler) != SIG_ERR);
    CHECK_STR(row_of(number)->disposition, "foreign");
    CHECK_STR(table[number].note, "-");
}

/* --- JSON --- */

TEST(json_lines, "rsig_dump_json has an object on a line for each signal, with the same facts") {
    init();
    handle(SIGUSR1);
    raise(SIGUSR1);
    CHECK_INT(rsig_sleep(0), 0);
    raise(SIGUSR1);
    int number = SIGRTMAX, lines = 0;
    while (check_kernel_handler(number) == (void *)SIG_DFL) CHECK(--number > SIGRTMIN);
    char expected[256], *text = text_of(rsig_dump_json);
    for (char *at = text; *at; at++) lines += *at == '\n';
    CHECK_INT(lines, __builtin_popcountll(rsig_valid_signals()));
    CHECK(strstr(text, "{\"signum\":10,\"name\":\"SIGUSR1\",\"disposition\":\"rsig\","
                       "\"restart\":false,\"blocked\":false,\"pending\":false,\"tripped\":true,"
                       "\"deliveries\":2,\"channels\":0,\"note\":null}\n"));
    snprintf(expected, sizeof expected,
             "{\"signum\":%d,\"name\":\"%s\",\"disposition\":\"default\",\"restart\":false,"
             "\"blocked\":false,\"pending\":false,\"tripped\":false,\"deliveries\":0,"
             "\"channels\":0,\"note\":\"rsig interrupts its main thread with it\"}\n",
             number, rsig_signame(number));
    CHECK(strstr(text, expected));
}

TEST(json_in_python, "Python's json reads it, and finds what the table shows") {
    char path[] = "rsig-dump-XXXXXX", command[4096];
    if (system("python3 -c 'import json' 2>/dev/null")) check_skip("no python3");
    init();
    handle(SIGUSR1);
    handle(SIGUSR2);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGALRM, foreign_handler) != SIG_ERR);
    CHECK_INT(rsig_sleep(0), 0);
    raise(SIGUSR1);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, RSIG_SIGSET(SIGTERM), NULL), RSIG_OK);
    raise(SIGTERM);
    raise(SIGUSR2);
    int fd = mkstemp(path);
    CHECK_SYS(fd);
    CHECK_INT(rsig_dump(fd), RSIG_OK);
    CHECK_INT(rsig_dump_json(fd), RSIG_OK);
    close(fd);
    snprintf(command, sizeof command,
             "python3 -c '\n"
             "import json, sys\n"
             "lines = open(sys.argv[1]).read().splitlines()\n"
             "half = len(lines) // 2\n"
             "yes = lambda fact: \"yes\" if fact else \"-\"\n"
             "assert len(lines) == 2 * half + 1\n"
             "for line, text in zip(lines[1:half + 1], lines[half + 1:]):\n"
             "    o = json.loads(text)\n"
             "    facts = (\"restart\", \"blocked\", \"pending\", \"tripped\")\n"
             "    facts = [yes(o[fact]) for fact in facts]\n"
             "    note = o[\"note\"] or \"-\"\n"
             "    row = [str(o[\"signum\"]), o[\"name\"], o[\"disposition\"], *facts,\n"
             "           str(o[\"deliveries\"]), str(o[\"channels\"]), *note.split()]\n"
             "    assert row == line.split(), (row, line)\n"
             "' %s",
             path);
    int status = system(command);
    unlink(path);
    CHECK_INT(status, 0);
}

/* --- where it writes to --- */

TEST(errors, "a descriptor that cannot be written to is RSIG_ERROR_OS, without init it is STATE") {
    CHECK_ERROR(rsig_dump(STDOUT_FILENO), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_dump_json(-1), RSIG_ERROR_STATE, ENXIO);
    init();
    int read_only = open("/dev/null", O_RDONLY);
    CHECK_SYS(read_only);
    CHECK_ERROR(rsig_dump(-1), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_dump_json(-1), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_dump(read_only), RSIG_ERROR_OS, EBADF);
    CHECK_ERROR(rsig_dump_json(read_only), RSIG_ERROR_OS, EBADF);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_dump(STDOUT_FILENO), RSIG_ERROR_STATE, ENXIO);
}

TEST(pipe_without_reader, "a pipe without a reader is EPIPE, and no SIGPIPE that would kill") {
    int ends[2];
    sigset_t pending;
    init();
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_DFL);
    CHECK_SYS(pipe(ends));
    close(ends[0]);
    CHECK_ERROR(rsig_dump(ends[1]), RSIG_ERROR_OS, EPIPE);
    CHECK_ERROR(rsig_dump_json(ends[1]), RSIG_ERROR_OS, EPIPE);
    CHECK_SYS(sigpending(&pending));
    CHECK_INT(sigismember(&pending, SIGPIPE), 0);
}

TEST(partial_write, "what did not fit is tried again: a full file is an error, not half a line") {
    struct rlimit limit;
    CHECK_INT(rsig_init(0), RSIG_OK);
    /* The last line is the one that does not fit. */
    size_t room = strlen(text_of(rsig_dump)) - 10;
    FILE *file = tmpfile();
    CHECK(file);
    CHECK_SYS(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = room;
    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    CHECK_ERROR(rsig_dump(fileno(file)), RSIG_ERROR_OS, EFBIG);
    CHECK_INT(lseek(fileno(file), 0, SEEK_END), room);
}

static pid_t dumper;
static atomic_int dumper_started;

static void *dump_here(void *arg) {
    dumper = check_gettid();
    atomic_store(&dumper_started, 1);
    CHECK_INT(rsig_dump(*(int *)arg), RSIG_OK);
    close(*(int *)arg);
    return NULL;
}

TEST(slow_reader,
     "an interrupted write goes on, and while it waits the other threads can use rsig") {
    int ends[2];
    char *expected, text[65536];
    size_t length = 0;
    pthread_t thread;
    init();
    handle(SIGUSR1);
    expected = strdup(text_of(rsig_dump));
    CHECK(expected);
    CHECK_SYS(pipe(ends));
    /* One page has no room for the whole table. */
    CHECK_SYS(fcntl(ends[1], F_SETPIPE_SZ, 4096));
    CHECK((size_t)fcntl(ends[1], F_GETPIPE_SZ) < strlen(expected));
    CHECK_INT(pthread_create(&thread, NULL, dump_here, &ends[1]), 0);
    while (!atomic_load(&dumper_started)) sched_yield();
    check_await_syscall(dumper, SYS_write);

    handle(SIGUSR2);
    CHECK_CHILD_OK(check_child(has_none));
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    while (!rsig_tripped()) sched_yield();
    check_await_syscall(dumper, SYS_write);

    for (ssize_t n; (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    text[length] = 0;
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_STR(text, expected);
    free(expected);
}
