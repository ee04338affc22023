/* rsig_fd(): readable exactly while something waits for rsig_pump(). */
#include "check.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int fd;
static struct check_calls usr1, usr2;

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &usr2, NULL), RSIG_OK);
    fd = rsig_fd();
    CHECK(fd >= 0);
}

static int is_readable(void) {
    struct pollfd now = {.fd = fd, .events = POLLIN};
    CHECK_SYS(poll(&now, 1, 0));
    CHECK((now.revents & ~POLLIN) == 0);
    return now.revents != 0;
}

/* As an event loop and as rsig_tripped() sees it. */
#define CHECK_READABLE(expected)                                                                   \
    do {                                                                                           \
        CHECK_INT(is_readable(), expected);                                                        \
        CHECK_INT(rsig_tripped(), expected);                                                       \
    } while (0)

static pthread_t spawn(void *(*body)(void *), void *arg) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_INT(pthread_join(thread, NULL), 0); }

static void *become_main(void *arg) {
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    return arg;
}

static void *raise_here(void *signum) {
    raise(*(int *)signum);
    return NULL;
}

static void raise_elsewhere(int signum) { join(spawn(raise_here, &signum)); }

TEST(from_signal_to_pump, "readable from the signal until the pump, each time") {
    start();
    CHECK_READABLE(0);
    for (int i = 1; i <= 3; i++) {
        raise(SIGUSR1);
        CHECK_READABLE(1);
        CHECK_READABLE(1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_READABLE(0);
        CHECK_INT(rsig_pump(), 0);
        CHECK_READABLE(0);
    }
}

TEST(from_other_threads, "the same for signals that land on other threads") {
    start();
    for (int i = 1; i <= 3; i++) {
        raise_elsewhere(SIGUSR1);
        CHECK_READABLE(1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_READABLE(0);
    }
}

TEST(made_late, "readable from the start where something is pending when it is asked for") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    raise(SIGUSR1);
    fd = rsig_fd();
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
}

static void *find_it(void *found) {
    *(int *)found = rsig_fd();
    return NULL;
}

TEST(same_each_time, "the same descriptor each time, from any thread, closed by exec") {
    start();
    CHECK_INT(rsig_fd(), fd);
    raise(SIGUSR1);
    CHECK_INT(rsig_fd(), fd);
    CHECK_READABLE(1);
    int found;
    join(spawn(find_it, &found));
    CHECK_INT(found, fd);
    CHECK_READABLE(1);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(rsig_pump(), 1);
}

/* Inside handlers. */

static int expected; /* what the handler shall see */
static int seen;

static int look(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_READABLE(expected);
    seen++;
    expected = 0;
    return 0;
}

TEST(inside_handlers, "readable in a handler while others wait, not in the last one") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, look, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, look, NULL, NULL), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    expected = 1;
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(seen, 2);
    CHECK_READABLE(0);
}

static int raise_in_handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    if (seen++ == 0) {
        CHECK_READABLE(0);
        raise(signum);
    }
    CHECK_READABLE(seen == 1);
    return 0;
}

TEST(raised_by_a_handler, "readable again from a signal that a handler raises") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, raise_in_handler, NULL, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
}

static int pump_inside(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
    return 0;
}

TEST(nested_pump, "not readable after a pump within a handler has run the rest") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, pump_inside, NULL, NULL), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(usr2.calls, 1);
    CHECK_READABLE(0);
}

TEST(after_a_refusal, "after a refusal readable only if something else is pending") {
    start();
    usr1.result = usr2.result = 7;
    raise(SIGUSR1), raise(SIGUSR2);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(usr2.calls, 0);
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), RSIG_ERROR_HANDLER);
    CHECK_INT(usr2.calls, 1);
    CHECK_READABLE(0);
}

static jmp_buf out;

static int jump(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    longjmp(out, 1);
}

static void pump_and_jump(void) {
    if (setjmp(out)) return;
    rsig_pump();
    CHECK_FAIL("rsig_pump() returned");
}

TEST(after_longjmp, "after longjmp() readable only if something else is pending") {
    start();
    CHECK_INT(rsig_signal(SIGUSR1, jump, NULL, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, jump, NULL, NULL), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR2);
    pump_and_jump();
    CHECK_READABLE(1);
    pump_and_jump();
    CHECK_READABLE(0);
    raise(SIGUSR2);
    CHECK_READABLE(1);
}

/* Each way to run handlers. */

static int poll_nothing(void) { return rsig_poll(NULL, 0, 0); }
static int sleep_nothing(void) { return rsig_sleep(0); }
static int read_nothing(void) { return (int)rsig_read(-1, NULL, 0); }
static int raise_nothing(void) { return rsig_raise_signal(0); }
static int wait_for_nothing(void) { return rsig_wait(0); }
static int dispatch_nothing(void) { return rsig_dispatch(0, 0); }
static int sigwait_nothing(void) { return rsig_sigtimedwait(0, 0, NULL); }
static int mask_nothing(void) { return rsig_pthread_sigmask(SIG_BLOCK, 0, NULL); }

TEST(all_that_pump, "not readable after any function that ran the handlers") {
    static int (*const functions[])(void) = {
        rsig_pump,    rsig_pause,       wait_for_nothing, poll_nothing,  sleep_nothing,
        read_nothing, dispatch_nothing, sigwait_nothing,  raise_nothing, mask_nothing,
    };
    start();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        raise(SIGUSR1), raise(SIGUSR2);
        CHECK_READABLE(1);
        functions[i]();
        CHECK_INT(usr1.calls, (int)i + 1);
        CHECK_INT(usr2.calls, (int)i + 1);
        CHECK_READABLE(0);
    }
}

static pid_t main_tid;

static void *raise_when_asleep(void *number) {
    check_await_syscall(main_tid, *(long *)number);
    raise(SIGUSR1);
    return NULL;
}

TEST(beside_the_waits, "the library's own waits leave it as it should be") {
    long ppoll_number = SYS_ppoll, accept_number = CHECK_SYS_SIGWAIT;
    start();
    main_tid = check_gettid();
    for (int i = 0; i < 3; i++) {
        pthread_t thread = spawn(raise_when_asleep, &ppoll_number);
        CHECK_INT(rsig_wait(-1), 1);
        join(thread);
        CHECK_READABLE(0);
        thread = spawn(raise_when_asleep, &accept_number);
        CHECK_INT(rsig_dispatch(0, -1), 1);
        join(thread);
        CHECK_READABLE(0);
        CHECK_INT(rsig_wait(1e-3), 0);
        CHECK_READABLE(0);
        raise(SIGUSR1);
        CHECK_READABLE(1);
        CHECK_INT(rsig_pump(), 1);
    }
}

/* How many writes have made it readable: what the kernel shows of its counter. */
static long long written(void) {
    char path[64], line[256];
    unsigned long long count = 0;
    int shown = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    if (!file) check_skip("there is no /proc/self/fdinfo");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "eventfd-count: %llx", &count) == 1) shown = 1;
    fclose(file);
    if (!shown) check_skip("the kernel does not show an eventfd's counter");
    return (long long)count;
}

TEST(one_write_per_batch, "a batch of signals is one write") {
    start();
    CHECK_INT(written(), 0);
    for (int batch = 0; batch < 3; batch++) {
        for (int i = 0; i < 1000; i++) raise(SIGUSR1), raise(SIGUSR2);
        for (int i = 0; i < 10; i++) raise_elsewhere(SIGUSR1);
        CHECK_INT(written(), 1);
        CHECK_INT(rsig_pump(), 2);
        CHECK_INT(written(), 0);
    }
}

TEST(nothing_written_unasked, "nobody pays for it who does not ask for it") {
    struct rlimit before, none;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(rsig_sleep(0), 0);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
}

/* fork(). */

static int to_child[2], to_parent[2];

static void tell(int pipe[2]) { CHECK_INT(write(pipe[1], "x", 1), 1); }

static void hear(int pipe[2]) {
    char byte;
    CHECK_INT(read(pipe[0], &byte, 1), 1);
}

static void be_a_child(void) {
    const int parents = fd;
    CHECK_SYS(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* a parent that has failed says nothing more */
    CHECK_READABLE(0); /* what is pending is the parent's */
    CHECK_INT(rsig_fd(), parents);
    raise(SIGUSR2);
    CHECK_READABLE(1);
    tell(to_parent);
    hear(to_child);
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
    tell(to_parent);
    hear(to_child);
    CHECK_READABLE(0); /* the parent's is */
    raise_elsewhere(SIGUSR2);
    CHECK_READABLE(1);
}

static void fork_with(int pending) {
    start();
    CHECK_SYS(pipe(to_child));
    CHECK_SYS(pipe(to_parent));
    if (pending) raise(SIGUSR1);
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        be_a_child();
        _exit(0);
    }
    hear(to_parent);
    CHECK_READABLE(pending); /* the child's is */
    CHECK_INT(rsig_pump(), pending);
    CHECK_READABLE(0);
    tell(to_child);
    hear(to_parent);
    raise(SIGUSR1);
    CHECK_READABLE(1); /* the child's is not */
    tell(to_child);
    int status;
    CHECK_SYS(waitpid(pid, &status, 0));
    CHECK_CHILD_OK(status);
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
}

TEST(fork_with_nothing_pending, "a child has its own, under the same number") {
    fork_with(0);
}

TEST(fork_with_something_pending, "a child's is not readable where the parent's was") {
    fork_with(1);
}

static void see_that_it_works(void) {
    CHECK_READABLE(0);
    raise(SIGUSR1);
    CHECK_READABLE(1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
}

TEST(fork_with_a_full_table, "a child has its own even where no descriptor is free") {
    struct rlimit before, limit;
    start();
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    limit = before, limit.rlim_cur = 64;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(0) >= 0) continue;
    CHECK_INT(errno, EMFILE);
    CHECK_CHILD_OK(check_child(see_that_it_works));
    see_that_it_works();
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
}

static void fork_again(void) {
    see_that_it_works();
    raise(SIGUSR1);
    CHECK_CHILD_OK(check_child(see_that_it_works));
    CHECK_READABLE(1);
}

TEST(fork_in_a_child, "a child's child has its own as well") {
    start();
    CHECK_CHILD_OK(check_child(fork_again));
    see_that_it_works();
}

/* epoll. */

static int ready(int epoll) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, 0);
    CHECK_SYS(count);
    return count;
}

static void epoll_with(uint32_t flags) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | flags};
    CHECK_SYS(epoll);
    start();
    CHECK_SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_INT(ready(epoll), 0);
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
        CHECK_INT(ready(epoll), 1);
        CHECK_INT(ready(epoll), flags & EPOLLET ? 0 : 1);
        CHECK_INT(rsig_pump(), 1);
        CHECK_INT(ready(epoll), 0);
    }
}

TEST(epoll, "epoll sees it") { epoll_with(0); }

TEST(epoll_edges, "so does edge-triggered epoll, once per batch") { epoll_with(EPOLLET); }

/* Life cycle. */

TEST(before_init, "before rsig_init() there is none") {
    CHECK_ERROR(rsig_fd(), RSIG_ERROR_STATE, ENXIO);
}

TEST(after_fini, "after rsig_fini() there is none; after another rsig_init() there is one again") {
    start();
    raise(SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_fd(), RSIG_ERROR_STATE, ENXIO);
    CHECK_INT(fcntl(fd, F_GETFD), -1);
    CHECK_INT(errno, EBADF);
    start();
    see_that_it_works();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(fcntl(fd, F_GETFD), -1);
}

TEST(old_number, "after rsig_fini() nothing is written to what has its number now") {
    char byte;
    int ends[2];
    CHECK_SYS(pipe2(ends, O_NONBLOCK));
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_SYS(dup2(ends[1], fd));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &usr1, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(read(ends[0], &byte, 1), -1);
    CHECK_INT(errno, EAGAIN);
    CHECK(rsig_fd() != fd);
    fd = rsig_fd();
    see_that_it_works();
}

TEST(until_the_last_fini, "the first of two rsig_fini() leaves it") {
    start();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(rsig_fd(), fd);
    see_that_it_works();
}

TEST(no_descriptor_free, "EMFILE where no descriptor is free, and it works when one is") {
    struct rlimit limit, none;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    none = limit;
    none.rlim_cur = 0;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_ERROR(rsig_fd(), RSIG_ERROR_OS, EMFILE);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_INT(rsig_fini(), RSIG_OK);
    start();
    see_that_it_works();
}

static void look_at_numbers(void) {
    rsig_channel_t *channel;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_SYS(close(STDIN_FILENO));
    CHECK_SYS(close(STDOUT_FILENO));
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGTERM), 1, &channel), RSIG_OK);
    int descriptors[] = {rsig_fd(), rsig_channel_fd(channel)};
    for (int i = 0; i < 2; i++) {
        CHECK(descriptors[i] > STDERR_FILENO);
        CHECK(fcntl(descriptors[i], F_GETFD) & FD_CLOEXEC);
    }
    /* Nothing else is left open. */
    CHECK(fcntl(STDIN_FILENO, F_GETFD) == -1 && fcntl(STDOUT_FILENO, F_GETFD) == -1);
}

TEST(no_standard_stream, "never the number of a standard stream that is closed, where others might write") {
    CHECK_CHILD_OK(check_child(look_at_numbers));
}

TEST(main_thread_handed_on, "the next main thread's pump makes it unreadable") {
    start();
    raise(SIGUSR1);
    join(spawn(become_main, NULL));
    CHECK_READABLE(1);
    CHECK_INT(rsig_set_main_thread(), RSIG_OK);
    CHECK_INT(rsig_pump(), 1);
    CHECK_READABLE(0);
}

/* A storm. */

enum { THREADS = 3, ROUNDS = 20000 };
static atomic_int sending;

static void *raise_many(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) raise(i % 2 ? SIGUSR1 : SIGUSR2);
    /* The last one wakes a loop that would otherwise wait for ever. */
    if (atomic_fetch_sub(&sending, 1) == 1) raise(SIGUSR1);
    return NULL;
}

TEST(storm, "a loop that polls it and pumps misses nothing, and never spins") {
    pthread_t threads[THREADS];
    long long idle = 0, total = THREADS * ROUNDS + 1;
    start();
    atomic_store(&sending, THREADS);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(raise_many, NULL);
    while (usr1.deliveries + usr2.deliveries < total) {
        struct pollfd now = {.fd = fd, .events = POLLIN};
        while (poll(&now, 1, -1) < 0) CHECK_INT(errno, EINTR);
        int ran = rsig_pump();
        CHECK(ran >= 0);
        idle += ran == 0;
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK_INT(usr1.deliveries + usr2.deliveries, total);
    /* A delivery that is pumped before its own write wakes the loop for nothing: once. */
    CHECK(idle <= total);
    CHECK_INT(rsig_pump(), 0);
    CHECK_READABLE(0);
}
