/* rsig_restore_signals(): a child, between fork and exec, has the signals of before rsig_init(). */
#include "check.h"
#include <link.h>
#include <sys/mman.h>

static struct check_calls calls;

static void foreign_handler(int signum) { (void)signum; }
static void other_foreign_handler(int signum) { (void)signum; }

static void restore(void) { CHECK_INT(rsig_restore_signals(), RSIG_OK); }
static void nothing(void) {}

static void change_mask(int how, int signum) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signum);
    CHECK_INT(pthread_sigmask(how, &set, NULL), 0);
}

static rsig_sigset_t mask(void) {
    sigset_t now;
    rsig_sigset_t set;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK_INT(rsig_sigset_from_posix(&now, &set), RSIG_OK);
    return set;
}

/* --- what an executed program starts with --- */

struct start {
    unsigned long long blocked, ignored, caught;
};

static void execute_cat(int out) {
    dup2(out, STDOUT_FILENO);
    execlp("cat", "cat", "/proc/self/status", (char *)NULL);
    _exit(127);
}

/* What cat writes of itself. */
static struct start read_start(int fd, pid_t pid) {
    struct start start = {1, 1, 1};
    char line[256];
    int found = 0, status;
    FILE *file = fdopen(fd, "r");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        found += sscanf(line, "SigBlk: %llx", &start.blocked) == 1;
        found += sscanf(line, "SigIgn: %llx", &start.ignored) == 1;
        found += sscanf(line, "SigCgt: %llx", &start.caught) == 1;
    }
    fclose(file);
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_OK(status);
    CHECK_INT(found, 3);
    /* The C library's own two come as they please. */
    start.blocked &= rsig_valid_signals();
    start.ignored &= rsig_valid_signals();
    start.caught &= rsig_valid_signals();
    return start;
}

static struct start start_after(void (*between)(void)) {
    int ends[2];
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        between();
        execute_cat(ends[1]);
    }
    close(ends[1]);
    return read_start(ends[0], pid);
}

static void check_same(struct start actual, struct start expected) {
    CHECK_INT(actual.blocked, expected.blocked);
    CHECK_INT(actual.ignored, expected.ignored);
    CHECK_INT(actual.caught, expected.caught);
}

TEST(defaults_of_init, "SIGPIPE and SIGXFSZ, which rsig_init ignored, have their default action") {
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(start_after(nothing).ignored, RSIG_SIGSET(SIGPIPE) | RSIG_SIGSET(SIGXFSZ));
    check_same(start_after(restore), before);
}

TEST(ignored_by_the_parent, "what was ignored before rsig_init is ignored again") {
    int ignored[] = {SIGPIPE, SIGINT, SIGHUP, SIGRTMIN};
    for (int i = 0; i < 4; i++) CHECK(signal(ignored[i], SIG_IGN) != SIG_ERR);
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGPIPE, RSIG_DFL, NULL, NULL), RSIG_OK);
    for (int i = 1; i < 4; i++)
        CHECK_INT(rsig_signal(ignored[i], check_handler, &calls, NULL), RSIG_OK);
    CHECK(start_after(nothing).ignored != before.ignored);
    check_same(start_after(restore), before);
}

TEST(all_handled, "however many signals rsig has handled or ignored") {
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    rsig_sigset_t valid = rsig_valid_signals();
    for (int n = rsig_sigset_next(valid, 0); n; n = rsig_sigset_next(valid, n)) {
        /* Ignored, it would leave no child to wait for; handled, it would interrupt the wait. */
        if (n == SIGCHLD) continue;
        if (n == SIGKILL || n == SIGSTOP) {
            CHECK_ERROR(rsig_signal(n, RSIG_IGN, NULL, NULL), RSIG_ERROR_OS, EINVAL);
        } else {
            CHECK_INT(rsig_signal(n, n % 2 ? RSIG_IGN : check_handler, &calls, NULL), RSIG_OK);
        }
    }
    check_same(start_after(restore), before);
}

TEST(mask_of_before, "the mask is that of before rsig_init, wherever it has gone since") {
    change_mask(SIG_BLOCK, SIGUSR1);
    struct start before = start_after(nothing);
    CHECK_INT(before.blocked, RSIG_SIGSET(SIGUSR1));
    CHECK_INT(rsig_init(0), RSIG_OK);
    change_mask(SIG_UNBLOCK, SIGUSR1);
    change_mask(SIG_BLOCK, SIGUSR2);
    check_same(start_after(restore), before);
}

TEST(mask_of_first_init, "of several rsig_init, the first one's mask counts") {
    change_mask(SIG_BLOCK, SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    change_mask(SIG_BLOCK, SIGUSR2);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(start_after(restore).blocked, RSIG_SIGSET(SIGUSR1));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(start_after(restore).blocked, RSIG_SIGSET(SIGUSR1));
}

static void *start_here(void *arg) {
    change_mask(SIG_BLOCK, SIGTERM);
    *(struct start *)arg = start_after(restore);
    return NULL;
}

TEST(any_thread, "a child of another thread gets the mask of the thread that called rsig_init") {
    struct start start, before;
    pthread_t thread;
    change_mask(SIG_BLOCK, SIGUSR1);
    before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, start_here, &start), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    check_same(start, before);
}

TEST(second_session, "after rsig_fini a new rsig_init counts, and nothing of the one before") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    change_mask(SIG_BLOCK, SIGUSR1);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    change_mask(SIG_UNBLOCK, SIGUSR1);
    change_mask(SIG_BLOCK, SIGUSR2);
    struct start before = start_after(nothing);

    CHECK_INT(rsig_init(0), RSIG_OK);
    check_same(start_after(restore), before);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    check_same(start_after(restore), before);
}

/* --- in the child itself --- */

static void install(int signum, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_NODEFER;
    sigaddset(&action.sa_mask, SIGTERM);
    CHECK_SYS(sigaction(signum, &action, NULL));
}

static void foreign_is_back(void) {
    struct sigaction now;
    restore();
    CHECK_SYS(sigaction(SIGUSR1, NULL, &now));
    CHECK(now.sa_handler == foreign_handler);
    CHECK_INT(now.sa_flags & ~0x04000000 /* SA_RESTORER */, SA_RESTART | SA_NODEFER);
    CHECK_INT(sigismember(&now.sa_mask, SIGTERM), 1);
}

TEST(foreign_handler_before, "a handler from before rsig_init is back, with its mask and flags") {
    install(SIGUSR1, foreign_handler);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_CHILD_OK(check_child(foreign_is_back));
}

static void foreign_is_there(void) {
    restore();
    CHECK(check_kernel_handler(SIGUSR1) == (void *)(size_t)foreign_handler);
}

TEST(foreign_handler_since, "a handler that somebody has installed over rsig's stays") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install(SIGUSR1, foreign_handler);
    CHECK_CHILD_OK(check_child(foreign_is_there));
}

static void usr1_is_ignored(void) {
    restore();
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_IGN);
}

TEST(found_first, "what rsig found first counts, not what it displaced later") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    install(SIGUSR1, other_foreign_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_CHILD_OK(check_child(usr1_is_ignored));
    CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
    CHECK_CHILD_OK(check_child(usr1_is_ignored));
}

static void usr2_stays_ignored(void) {
    restore();
    CHECK(check_kernel_handler(SIGUSR2) == (void *)SIG_IGN);
}

TEST(never_touched, "a signal that rsig has never touched stays as the program has made it") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    CHECK_CHILD_OK(check_child(usr2_stays_ignored));
}

static int poke_number;

static void poke_is_default(void) {
    restore();
    CHECK(check_kernel_handler(poke_number) == (void *)SIG_DFL);
}

TEST(poke, "the signal with which rsig interrupts its main thread has its default action again") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_sleep(0), 0);
    poke_number = SIGRTMAX;
    while (check_kernel_handler(poke_number) == (void *)SIG_DFL) CHECK(--poke_number > SIGRTMIN);
    CHECK_CHILD_OK(check_child(poke_is_default));
}

static void raise_held_back(void) {
    change_mask(SIG_BLOCK, SIGTERM);
    raise(SIGTERM);
    restore();
}

TEST(mask_comes_last, "a signal that was held back finds the old disposition, not rsig's") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGTERM, check_handler, &calls, NULL), RSIG_OK);
    CHECK_CHILD_KILLED(check_child(raise_held_back), SIGTERM);
}

static int report;

static void restore_and_execute(int signum) {
    (void)signum;
    restore();
    execute_cat(report);
}

TEST(in_a_handler, "it works in a plain signal handler of a forked child") {
    int ends[2];
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        report = ends[1];
        CHECK(signal(SIGUSR2, restore_and_execute) != SIG_ERR);
        raise(SIGUSR2);
        _exit(126);
    }
    close(ends[1]);
    check_same(read_start(ends[0], pid), before);
}

/* --- vfork --- */

/* The child's part, in a frame of its own: it shares this stack. */
__attribute__((noinline)) static void restore_in_vfork(int out) {
    if (rsig_restore_signals() != RSIG_OK) _exit(126);
    execute_cat(out);
}

TEST(vfork_child, "a vfork()ed child starts clean, and its parent's signals are as they were") {
    int ends[2];
    sigset_t all;
    change_mask(SIG_BLOCK, SIGUSR2);
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_ERROR(rsig_signal(0, RSIG_IGN, NULL, NULL), RSIG_ERROR_VALUE, EINVAL);
    raise(SIGUSR1);
    CHECK_SYS(pipe2(ends, O_CLOEXEC));
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    rsig_sigset_t blocked = mask();

    pid_t pid = vfork();
    if (pid == 0) restore_in_vfork(ends[1]);
    CHECK_SYS(pid);
    close(ends[1]);
    check_same(read_start(ends[0], pid), before);

    CHECK_INT(mask(), blocked);
    sigemptyset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    CHECK(check_kernel_handler(SIGPIPE) == (void *)SIG_IGN);
    CHECK_STR(rsig_error_message(), "signal number 0 is out of range: 1 to 64");
    /* What was tripped is so still, and the next delivery joins it. */
    CHECK_INT(rsig_tripped(), 1);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(calls.deliveries, 2);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
}

static int protected_segments;

/* From now on a write to the library's memory is death. */
static int protect(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    if (!strstr(info->dlpi_name, "librsig")) return 0;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W)) continue;
        size_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        start &= ~(page - 1);
        CHECK_SYS(mprotect((void *)start, end - start, PROT_READ));
        protected_segments++;
    }
    return 0;
}

static void restore_protected(void) {
    CHECK_INT(rsig_signal(65, RSIG_IGN, NULL, NULL), RSIG_ERROR_VALUE);
    dl_iterate_phdr(protect, NULL);
    CHECK(protected_segments > 0);
    restore();
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_DFL);
    CHECK_STR(rsig_error_message(), "signal number 65 is out of range: 1 to 64");
}

TEST(writes_no_memory, "it writes nothing to the library's memory, and leaves no message") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_sleep(0), 0);
    CHECK_CHILD_OK(check_child(restore_protected));
}

/* --- errors --- */

static void fail_protected(void) {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    dl_iterate_phdr(protect, NULL);
    errno = 0;
    CHECK_INT(rsig_restore_signals(), RSIG_ERROR_STATE);
    CHECK_INT(errno, ENXIO);
    CHECK_STR(rsig_error_message(), "");
    CHECK(check_kernel_handler(SIGUSR1) == (void *)SIG_IGN);
}

TEST(without_init, "before rsig_init and after rsig_fini: RSIG_ERROR_STATE, without a message") {
    CHECK_CHILD_OK(check_child(fail_protected));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_CHILD_OK(check_child(fail_protected));
}

static void restore_twice(void) {
    errno = 42;
    restore();
    restore();
    CHECK_INT(errno, 42);
}

TEST(twice, "a second call changes nothing, and success leaves errno alone") {
    struct start before = start_after(nothing);
    CHECK_INT(rsig_init(0), RSIG_OK);
    check_same(start_after(restore_twice), before);
}
