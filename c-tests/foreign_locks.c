/*
 * Locks that are not rsig's: the allocator's, and the loader's. A fork takes rsig's when it may have theirs already, and the
 * loader has its own while it calls a plugin's constructor, which may use rsig. So rsig asks neither for anything while it has a
 * lock, and the allocator for nothing in a fork. This program's own malloc(), free() and dlsym() stand in the way of the C
 * library's: wherever rsig calls one, another thread forks, which takes all of rsig's locks.
 */
#include "tour.h"
#include <locale.h>
#include <semaphore.h>
#include <sys/resource.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
TEST(left_out, "nothing") { check_skip("a sanitizer's malloc() is its own"); }
#elif !defined __GLIBC__
TEST(left_out, "nothing") { check_skip("the C library has no other name for its malloc()"); }
#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *taken, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *taken);

static sem_t asked, answered;
static __thread int is_watched, is_forking;
static int forks;

static void *fork_when_asked(void *unused) {
    for (;;) {
        CHECK_SYS(sem_wait(&asked));
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        int status;
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_CHILD_OK(status);
        CHECK_SYS(sem_post(&answered));
    }
    return unused;
}

static void elsewhere_a_fork(void) {
    if (is_forking) CHECK_FAIL("in a fork");
    if (!is_watched) return;
    int errno_before = errno;
    is_watched = 0;
    CHECK_SYS(sem_post(&asked));
    while (sem_wait(&answered) != 0) CHECK_INT(errno, EINTR);
    forks++;
    is_watched = 1;
    errno = errno_before;
}

void *malloc(size_t size) {
    elsewhere_a_fork();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    elsewhere_a_fork();
    return __libc_calloc(count, size);
}

void *realloc(void *taken, size_t size) {
    elsewhere_a_fork();
    return __libc_realloc(taken, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    elsewhere_a_fork();
    *place = __libc_memalign(alignment, size);
    return *place ? 0 : ENOMEM;
}

void free(void *taken) {
    elsewhere_a_fork();
    __libc_free(taken);
}

/* What is looked up is nowhere. */
void *dlsym(void *restrict library, const char *restrict name) {
    (void)library, (void)name;
    elsewhere_a_fork();
    return NULL;
}

static void begin_fork(void) { is_forking = 1; }
static void end_fork(void) { is_forking = 0; }

/* After rsig's own: so these come before, and go after them. */
static void start(void) {
    sigset_t all, before;
    CHECK_INT(pthread_atfork(begin_fork, end_fork, end_fork), 0);
    CHECK_SYS(sem_init(&asked, 0, 0));
    CHECK_SYS(sem_init(&answered, 0, 0));
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
    tour_spawn(fork_when_asked, NULL);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

TEST(errors, "no sentence about a failure is looked for in a translation, or put together in memory, with a lock of rsig's") {
    static rsig_channel_t *channels[257];
    struct rlimit before, none;
    rsig_action_t action;
    start();
    CHECK(setlocale(LC_ALL, "C.UTF-8"));
    is_watched = 1;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGTERM), 1, &channels[0]), RSIG_OK);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &before));
    none = before, none.rlim_cur = 3;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_ERROR(rsig_fd(), RSIG_ERROR_OS, EMFILE);
    CHECK_ERROR(rsig_channel_fd(channels[0]), RSIG_ERROR_OS, EMFILE);
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &before));
    CHECK_ERROR(rsig_getsignal(32, &action), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_signal(SIGKILL, RSIG_IGN, NULL, NULL), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_siginterrupt(SIGSTOP, 1), RSIG_ERROR_OS, EINVAL);
    CHECK_ERROR(rsig_channel_open(RSIG_SIGSET(33), 1, &channels[1]), RSIG_ERROR_OS, EINVAL);
    for (int i = 1; i < 256; i++)
        CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGTERM), 1, &channels[i]), RSIG_OK);
    CHECK_ERROR(rsig_channel_open(RSIG_SIGSET(SIGTERM), 1, &channels[256]), RSIG_ERROR_OS, EMFILE);
    CHECK_INT(rsig_fini(), RSIG_OK);
    is_watched = 0;
    /* It was there to be asked. */
    CHECK(forks > 256);
}

TEST(the_whole_library, "no function holds a lock of rsig's where it asks the allocator or the loader for something") {
    start();
    is_watched = 1;
    tour();
    is_watched = 0;
    printf("%d forks\n", forks);
    CHECK(forks > 5);
}

#endif
