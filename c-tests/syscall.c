/*
 * rsig_syscall(): one attempt at a system call, which something tripped keeps from beginning.
 */
#include "check.h"
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static struct check_calls calls;
static int pipe_fds[2];

static void set_up(void) {
    CHECK_SYS(pipe(pipe_fds));
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
}

static long read_byte(char *byte) {
    errno = 0;
    return rsig_syscall(SYS_read, pipe_fds[0], (long)byte, 1, 0, 0, 0);
}

static int in_pipe(void) {
    int bytes;
    CHECK_SYS(ioctl(pipe_fds[0], FIONREAD, &bytes));
    return bytes;
}

TEST(result, "the result is the system call's, and errno is left alone") {
    char byte = 0;
    set_up();
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    errno = ERANGE;
    CHECK_INT(rsig_syscall(SYS_read, pipe_fds[0], (long)&byte, 1, 0, 0, 0), 1);
    CHECK_INT(errno, ERANGE);
    CHECK_INT(byte, 'x');
    CHECK_INT(rsig_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), getpid());
}

TEST(failure, "a failure is -1 and errno") {
    set_up();
    errno = 0;
    CHECK_INT(rsig_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -1);
    CHECK_INT(errno, EBADF);
}

TEST(no_such_call, "a number that no system call has is ENOSYS") {
    set_up();
    errno = 0;
    CHECK_INT(rsig_syscall(9999, 0, 0, 0, 0, 0, 0), -1);
    CHECK_INT(errno, ENOSYS);
}

TEST(six_arguments, "all six arguments reach the kernel, each in its place") {
    set_up();
    FILE *file = tmpfile();
    long page = sysconf(_SC_PAGESIZE);
    CHECK_SYS(ftruncate(fileno(file), 3 * page));
    CHECK_INT(pwrite(fileno(file), "page two", 8, 2 * page), 8);
    char *place = mmap(NULL, (size_t)page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(place != MAP_FAILED);
    long flags = MAP_SHARED | MAP_FIXED;
#ifdef SYS_mmap2 /* where a long has 32 bits; the offset counts pages of 4 KiB */
    const long number = SYS_mmap2, offset = 2 * page / 4096;
#else
    const long number = SYS_mmap, offset = 2 * page;
#endif
    long got = rsig_syscall(number, (long)place, page, PROT_READ | PROT_WRITE, flags,
                            fileno(file), offset);
    CHECK_INT(got, (long)place);
    CHECK_INT(memcmp(place, "page two", 8), 0);
    memcpy(place, "PAGE", 4);
    char back[4];
    CHECK_INT(pread(fileno(file), back, 4, 2 * page), 4);
    CHECK_INT(memcmp(back, "PAGE", 4), 0);
    CHECK_SYS(munmap(place, (size_t)page));
}

TEST(high_address, "a result with the highest bit set is no failure, unless it is one") {
    set_up();
    /* lseek() of /proc/self/mem takes and returns any 64-bit offset. */
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    CHECK_SYS(fd);
    CHECK_INT(rsig_syscall(SYS_lseek, fd, -8192, SEEK_SET, 0, 0, 0), -8192);
    CHECK_INT(rsig_syscall(SYS_lseek, fd, -4096, SEEK_SET, 0, 0, 0), -4096);
}

TEST(tripped, "with something tripped it is EINTR without effect, and no handler runs") {
    char byte = 0;
    set_up();
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(raise(SIGUSR1), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(read_byte(&byte), -1);
        CHECK_INT(errno, EINTR);
    }
    CHECK_INT(in_pipe(), 1);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_tripped(), 1);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(read_byte(&byte), 1);
    CHECK_INT(byte, 'x');
    CHECK_INT(calls.deliveries, 1);
}

/* What another thread does while the main one sleeps in read(). */
static pid_t main_tid;

static void *interrupt_main(void *thread) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(*(pthread_t *)thread, SIGUSR1), 0);
    return NULL;
}

static void interrupted_while_it_sleeps(int restart) {
    char byte = 0;
    pthread_t thread, self = pthread_self();
    set_up();
    CHECK_INT(rsig_siginterrupt(SIGUSR1, !restart), RSIG_OK);
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, interrupt_main, &self), 0);
    CHECK_INT(read_byte(&byte), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(calls.calls, 0);
    CHECK_INT(rsig_pump(), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

TEST(interrupted, "a signal while it sleeps is EINTR, and no handler runs") {
    interrupted_while_it_sleeps(0);
}

TEST(interrupted_though_restarting, "also where siginterrupt() asked for a restart") {
    check_needs_stub();
    interrupted_while_it_sleeps(1);
}

static atomic_int plain_calls;

static void plain_handler(int signum) {
    (void)signum;
    plain_calls++;
}

TEST(plain_handlers, "a plain handler interrupts it, or lets it go on, as it does read()") {
    char byte = 0;
    pthread_t thread, self = pthread_self();
    struct sigaction action = {.sa_handler = plain_handler};
    set_up();
    main_tid = check_gettid();
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    CHECK_INT(pthread_create(&thread, NULL, interrupt_main, &self), 0);
    CHECK_INT(read_byte(&byte), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(rsig_tripped(), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void *write_after_signal(void *thread) {
    interrupt_main(thread);
    while (plain_calls == 0) sched_yield();
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(plain_restarting_handlers, "a plain handler with SA_RESTART does not end it") {
    char byte = 0;
    pthread_t thread, self = pthread_self();
    struct sigaction action = {.sa_handler = plain_handler, .sa_flags = SA_RESTART};
    set_up();
    main_tid = check_gettid();
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    CHECK_INT(pthread_create(&thread, NULL, write_after_signal, &self), 0);
    CHECK_INT(read_byte(&byte), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void *read_elsewhere(void *unused) {
    char byte = 0;
    (void)unused;
    CHECK_INT(read_byte(&byte), 1);
    CHECK_INT(byte, 'x');
    CHECK_INT(rsig_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -1);
    CHECK_INT(errno, EBADF);
    return NULL;
}

TEST(elsewhere, "on another thread it is the plain call, whatever is tripped") {
    pthread_t thread;
    set_up();
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(pthread_create(&thread, NULL, read_elsewhere, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_pump(), 1);
}

TEST(before_init, "before rsig_init() it is the plain call, and so it is after rsig_fini()") {
    char byte = 0;
    CHECK_SYS(pipe(pipe_fds));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(write(pipe_fds[1], "x", 1), 1);
        CHECK_INT(read_byte(&byte), 1);
        CHECK_INT(rsig_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -1);
        CHECK_INT(errno, EBADF);
        CHECK_INT(rsig_init(0), RSIG_OK);
        CHECK_INT(rsig_fini(), RSIG_OK);
    }
}

static void after_fork(void) {
    char byte = 0;
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    CHECK_INT(read_byte(&byte), 1);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(read_byte(&byte), -1);
    CHECK_INT(errno, EINTR);
}

TEST(forked, "a child begins with nothing tripped") {
    char byte;
    set_up();
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_CHILD_OK(check_child(after_fork));
    CHECK_INT(read_byte(&byte), -1);
    CHECK_INT(errno, EINTR);
}

static atomic_int inner;

static void forking_handler(int signum) {
    (void)signum;
    inner = fork();
}

/* Interrupts the child, and gives the parent its byte when that has ended. */
static void *end_both(void *thread) {
    int status;
    interrupt_main(thread);
    while (inner <= 0) sched_yield();
    check_await_syscall(inner, SYS_read);
    CHECK_SYS(kill(inner, SIGUSR2));
    CHECK_SYS(waitpid(inner, &status, 0));
    CHECK_CHILD_OK(status);
    CHECK_INT(write(pipe_fds[1], "x", 1), 1);
    return NULL;
}

TEST(forked_inside,
     "a plain handler may fork in the middle of it: it goes on in both, which can be interrupted") {
    char byte = 0;
    pthread_t thread, self = pthread_self();
    struct sigaction action = {.sa_handler = forking_handler, .sa_flags = SA_RESTART};
    set_up();
    main_tid = check_gettid();
    inner = -1;
    check_needs_stub();
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
    CHECK_INT(rsig_signal(SIGUSR2, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_siginterrupt(SIGUSR2, 0), RSIG_OK);
    CHECK_INT(pthread_create(&thread, NULL, end_both, &self), 0);
    long result = read_byte(&byte);
    if (inner == 0) {
        CHECK_INT(result, -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(rsig_pump(), 1);
        _exit(0);
    }
    CHECK_INT(result, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(read_byte(&byte), -1);
    CHECK_INT(errno, EINTR);
}
