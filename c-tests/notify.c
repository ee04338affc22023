/* rsig_set_notify(): each delivery calls the function in signal context, where it lands. */
#include "check.h"
#include <stdatomic.h>
#include <sys/socket.h>

static struct check_calls handled;
static atomic_int notified, recorded, last_signum, last_tid;
static _Atomic(void *) last_arg;

static void note(int signum, void *arg) {
    atomic_store(&last_signum, signum);
    atomic_store(&last_tid, check_gettid());
    atomic_store(&last_arg, arg);
    if (*rsig_tripped_flags() & RSIG_SIGSET(signum)) atomic_fetch_add(&recorded, 1);
    errno = 4711;
    atomic_fetch_add(&notified, 1);
}

static void note_otherwise(int signum, void *arg) { (void)signum, ++*(int *)arg; }

static void start(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &handled, NULL), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &handled, NULL), RSIG_OK);
}

static char mark;

TEST(each_delivery, "called once for each delivery, with the signal and the arg") {
    start();
    CHECK_INT(rsig_set_notify(note, &mark), RSIG_OK);
    for (int i = 1; i <= 100; i++) {
        const int signum = i % 3 ? SIGUSR1 : SIGUSR2;
        raise(signum);
        CHECK_INT(notified, i);
        CHECK_INT(last_signum, signum);
        CHECK(last_arg == &mark);
        CHECK_INT(last_tid, check_gettid());
    }
    CHECK_INT(handled.calls, 0);
    CHECK_INT(rsig_pump(), 2);
    CHECK_INT(handled.deliveries, 100);
    CHECK_INT(notified, 100);
}

TEST(after_the_record, "called after the delivery is recorded, so that whoever it wakes finds it") {
    start();
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    for (int i = 1; i <= 3; i++) {
        raise(SIGUSR1);
        CHECK_INT(recorded, i);
        CHECK_INT(rsig_pump(), 1);
    }
}

static void *raise_here(void *arg) {
    raise(SIGUSR1);
    CHECK_INT(last_tid, check_gettid());
    return arg;
}

TEST(on_the_landing_thread, "called on the thread where the signal lands") {
    pthread_t thread;
    start();
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, raise_here, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(notified, 1);
    CHECK_INT(recorded, 1);
}

TEST(errno_is_kept, "what it does to errno is undone") {
    start();
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    errno = 17;
    raise(SIGUSR1);
    CHECK_INT(errno, 17);
    CHECK_INT(notified, 1);
}

TEST(only_with_a_handler, "not called for signals that rsig does not handle") {
    start();
    signal(SIGHUP, SIG_IGN);
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    raise(SIGHUP);
    raise(SIGPIPE);
    CHECK_INT(notified, 0);
}

TEST(changed, "after a change the new function is called, and the old one is not; NULL is none") {
    int first = 0, second = 0;
    start();
    CHECK_INT(rsig_set_notify(note_otherwise, &first), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_set_notify(note_otherwise, &second), RSIG_OK);
    raise(SIGUSR1), raise(SIGUSR1);
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_set_notify(note_otherwise, &first), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(rsig_set_notify(NULL, &first), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(first, 2);
    CHECK_INT(second, 2);
    CHECK_INT(notified, 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(handled.deliveries, 6);
}

TEST(forgotten_by_fini, "rsig_fini() forgets it, only the last one") {
    start();
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(notified, 1);
    CHECK_INT(rsig_fini(), RSIG_OK);
    start();
    raise(SIGUSR1);
    CHECK_INT(notified, 1);
}

TEST(before_init, "before rsig_init() and after rsig_fini() it is an error") {
    CHECK_ERROR(rsig_set_notify(note, NULL), RSIG_ERROR_STATE, ENXIO);
    CHECK_ERROR(rsig_set_notify(NULL, NULL), RSIG_ERROR_STATE, ENXIO);
    start();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_ERROR(rsig_set_notify(note, NULL), RSIG_ERROR_STATE, ENXIO);
}

static void *set_here(void *arg) {
    CHECK_INT(rsig_set_notify(note, &mark), RSIG_OK);
    return arg;
}

TEST(any_thread, "any thread may set it") {
    pthread_t thread;
    start();
    CHECK_INT(pthread_create(&thread, NULL, set_here, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    raise(SIGUSR1);
    CHECK_INT(notified, 1);
}

static void notified_as_a_child(void) {
    raise(SIGUSR1);
    CHECK_INT(notified, 1);
    CHECK_INT(last_tid, getpid());
}

TEST(after_fork, "a forked child keeps it, for its own signals") {
    start();
    CHECK_INT(rsig_set_notify(note, NULL), RSIG_OK);
    CHECK_CHILD_OK(check_child(notified_as_a_child));
    CHECK_INT(notified, 0);
    raise(SIGUSR1);
    CHECK_INT(notified, 1);
}

static int fds[2];

/* As a runtime's own wake-up does it: what the loop is told to look at is there already. */
static void write_a_byte(int signum, void *arg) {
    (void)signum, (void)arg;
    CHECK_INT(rsig_tripped(), 1);
    if (write(fds[1], "x", 1) != 1) abort();
}

TEST(wakes_a_loop, "it may do what a signal handler may, such as waking a loop") {
    char byte;
    start();
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    CHECK_INT(rsig_set_notify(write_a_byte, NULL), RSIG_OK);
    raise(SIGUSR1);
    CHECK_INT(recv(fds[0], &byte, 1, MSG_DONTWAIT), 1);
    CHECK_INT(rsig_pump(), 1);
}

/* Under load, and while it is changed. */

enum { THREADS = 3, ROUNDS = 10000 };
static atomic_int notified_otherwise, sending;

static void note_quickly(int signum, void *arg) {
    (void)signum;
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void *raise_many(void *arg) {
    for (int i = 0; i < ROUNDS; i++) raise(SIGUSR1);
    atomic_fetch_sub(&sending, 1);
    return arg;
}

TEST(storm, "each of many deliveries on several threads calls it once, also while it is changed") {
    pthread_t threads[THREADS];
    start();
    CHECK_INT(rsig_set_notify(note_quickly, &notified), RSIG_OK);
    atomic_store(&sending, THREADS);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, raise_many, NULL), 0);
    while (atomic_load(&sending) > 0) {
        CHECK_INT(rsig_set_notify(note_quickly, &notified_otherwise), RSIG_OK);
        CHECK_INT(rsig_set_notify(note_quickly, &notified), RSIG_OK);
        CHECK(rsig_pump() >= 0);
    }
    for (int i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(notified + notified_otherwise, THREADS * ROUNDS);
    CHECK(rsig_pump() >= 0);
    CHECK_INT(handled.deliveries, THREADS * ROUNDS);
}
