/* The C library's own use of signals and of its two numbers goes on while rsig has every other signal. */
#include "check.h"
#include <aio.h>
#include <netdb.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/wait.h>

static sem_t done;
static rsig_channel_t *channel;

static int accept_all(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum, (void)info, (void)arg;
    return 0;
}

static rsig_sigset_t every_signal(void) {
    return rsig_valid_signals() & ~RSIG_SIGSET(SIGKILL) & ~RSIG_SIGSET(SIGSTOP);
}

static void open_channel(void) {
    CHECK_INT(rsig_channel_open(every_signal(), 64, &channel), RSIG_OK);
}

static void set_handlers(void) {
    rsig_sigset_t set = every_signal();
    for (int n = rsig_sigset_next(set, 0); n > 0; n = rsig_sigset_next(set, n))
        CHECK_INT(rsig_signal(n, accept_all, NULL, NULL), RSIG_OK);
}

static void take_poke_number(void) {
    int fds[2];
    char byte = 0;
    CHECK_SYS(pipe(fds));
    CHECK_INT(rsig_write(fds[1], &byte, 1), 1);
    CHECK_INT(rsig_read(fds[0], &byte, 1), 1);
}

/* In a child each, rsig has every signal: by handlers, by a channel, by both. */
static void in_each_way(void (*body)(void)) {
    for (int way = 1; way <= 3; way++) {
        fflush(NULL);
        pid_t pid = fork();
        CHECK_SYS(pid);
        if (pid == 0) {
            CHECK_SYS(sem_init(&done, 0, 0));
            CHECK_INT(rsig_init(0), RSIG_OK);
            take_poke_number();
            if (way & 1) set_handlers();
            if (way & 2) open_channel();
            body();
            CHECK_INT(rsig_fini(), RSIG_OK);
            _exit(0);
        }
        int status;
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_CHILD_OK(status);
    }
}

static void await_done(void) {
    while (sem_wait(&done) < 0) CHECK_INT(errno, EINTR);
}

static void notified(union sigval value) {
    CHECK_INT(value.sival_int, 42);
    CHECK_SYS(sem_post(&done));
}

static struct sigevent by_thread(void) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = notified;
    event.sigev_value.sival_int = 42;
    return event;
}

static void use_timer(void) {
    struct sigevent event = by_thread();
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    timer_t timer;
    CHECK_SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK_SYS(timer_settime(timer, 0, &every, NULL));
    for (int i = 0; i < 20; i++) await_done();
    CHECK_SYS(timer_delete(timer));
}

TEST(timer_threads, "timer_create() with SIGEV_THREAD, which has a signal of its own, calls its function") {
    in_each_way(use_timer);
}

static void use_aio(void) {
    int fds[2];
    char byte = 0;
    struct aiocb request;
    CHECK_SYS(pipe(fds));
    memset(&request, 0, sizeof request);
    request.aio_fildes = fds[0];
    request.aio_buf = &byte;
    request.aio_nbytes = 1;
    request.aio_sigevent = by_thread();
    CHECK_SYS(aio_read(&request));
    CHECK_INT(write(fds[1], "x", 1), 1);
    await_done();
    CHECK_INT(aio_error(&request), 0);
    CHECK_INT(aio_return(&request), 1);
    CHECK_INT(byte, 'x');
}

TEST(aio_threads, "aio_read() with SIGEV_THREAD calls its function") { in_each_way(use_aio); }

static void use_getaddrinfo(void) {
    struct addrinfo hints;
    struct gaicb request, *list[] = {&request};
    struct sigevent event = by_thread();
    memset(&hints, 0, sizeof hints);
    memset(&request, 0, sizeof request);
    hints.ai_flags = AI_NUMERICHOST;
    request.ar_name = "127.0.0.1";
    request.ar_request = &hints;
    CHECK_INT(getaddrinfo_a(GAI_NOWAIT, list, 1, &event), 0);
    await_done();
    CHECK_INT(gai_error(&request), 0);
    freeaddrinfo(request.ar_result);
}

TEST(resolver_threads, "getaddrinfo_a() with SIGEV_THREAD calls its function") {
    in_each_way(use_getaddrinfo);
}

static gid_t changed_gid(void) { return geteuid() == 0 ? 1 : getegid(); }

static pid_t main_tid;
static int to_main[2];

static void *changes_group(void *unused) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_SYS(setegid(changed_gid()));
    CHECK_INT(write(to_main[1], "x", 1), 1);
    return unused;
}

static pid_t bystander_tid;

static void *stands_by(void *unused) {
    __atomic_store_n(&bystander_tid, check_gettid(), __ATOMIC_SEQ_CST);
    await_done();
    CHECK_INT(syscall(SYS_getegid), changed_gid());
    return unused;
}

static void use_setegid(void) {
    char byte;
    pthread_t bystander, changer;
    main_tid = check_gettid();
    CHECK_SYS(pipe(to_main));
    CHECK_INT(pthread_create(&bystander, NULL, stands_by, NULL), 0);
    while (__atomic_load_n(&bystander_tid, __ATOMIC_SEQ_CST) == 0) sched_yield();
    check_await_syscall(bystander_tid, SYS_futex);
    CHECK_INT(pthread_create(&changer, NULL, changes_group, NULL), 0);
    CHECK_INT(rsig_read(to_main[0], &byte, 1), 1);
    CHECK_INT(syscall(SYS_getegid), changed_gid());
    CHECK_SYS(sem_post(&done));
    CHECK_INT(pthread_join(bystander, NULL), 0);
    CHECK_INT(pthread_join(changer, NULL), 0);
}

TEST(set_group, "setegid() reaches every thread, the main one in a call of rsig's too, which goes on") {
    in_each_way(use_setegid);
}

static pid_t sleeper_tid;

static void *sleeps(void *unused) {
    __atomic_store_n(&sleeper_tid, check_gettid(), __ATOMIC_SEQ_CST);
    for (;;) pause();
    return unused;
}

static void use_cancel(void) {
    pthread_t sleeper;
    void *result;
    CHECK_INT(pthread_create(&sleeper, NULL, sleeps, NULL), 0);
    while (__atomic_load_n(&sleeper_tid, __ATOMIC_SEQ_CST) == 0) sched_yield();
#ifdef SYS_pause
    check_await_syscall(sleeper_tid, SYS_pause);
#else
    check_await_syscall(sleeper_tid, SYS_ppoll);
#endif
    CHECK_INT(pthread_cancel(sleeper), 0);
    CHECK_INT(pthread_join(sleeper, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
}

TEST(cancel, "pthread_cancel() ends a thread that sleeps") { in_each_way(use_cancel); }

/* What the kernel has for SIGINT, SIGQUIT and SIGCHLD. */
static void note_handlers(void *handlers[3]) {
    handlers[0] = check_kernel_handler(SIGINT);
    handlers[1] = check_kernel_handler(SIGQUIT);
    handlers[2] = check_kernel_handler(SIGCHLD);
}

static void use_system(void) {
    void *before[3], *after[3];
    note_handlers(before);
    CHECK_INT(system("kill -INT $PPID; exit 3"), 3 << 8);
    note_handlers(after);
    for (int i = 0; i < 3; i++) CHECK(before[i] == after[i]);
    FILE *pipe = popen("echo all is well", "r");
    char line[32];
    CHECK(pipe && fgets(line, sizeof line, pipe));
    CHECK_STR(line, "all is well\n");
    CHECK_INT(pclose(pipe), 0);
}

TEST(system_and_popen, "system() and popen() get their child's status, and rsig its signals back") {
    in_each_way(use_system);
}

static void use_abort(void) {
    fflush(NULL);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) abort();
    int status;
    CHECK_INT(rsig_waitpid(pid, &status, 0), pid);
    CHECK_CHILD_KILLED(status, SIGABRT);
}

TEST(abort_ends, "abort() ends the process, whoever has SIGABRT") { in_each_way(use_abort); }
