/* Channels across fork(): the child's are open and empty, and its own. */
#include "channel.h"
#include <sys/epoll.h>


static rsig_channel_t *channel, *narrow;
static int fd;

static void prepare(void) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    channel = open_channel(ONE | TWO, 8);
    narrow = open_channel(ONE, 1);
    fd = rsig_channel_fd(channel);
    CHECK_SYS(fd);
}

static void is_empty_and_works(void) {
    rsig_siginfo_t info;
    check_empty(channel), check_empty(narrow);
    CHECK_INT(rsig_channel_wait(channel, &info, 0), 0);
    CHECK_INT(rsig_channel_fd(channel), fd);
    CHECK(!is_readable(fd));
    for (int i = 1; i <= 20; i++) queue_here(SIGONE, i);
    CHECK(is_readable(fd));
    CHECK(is_readable(rsig_channel_fd(narrow)));
    for (int i = 1; i <= 8; i++) CHECK_NEXT(channel, SIGONE, i, 1);
    CHECK_NEXT(channel, SIGONE, 9, 12);
    CHECK_NEXT(narrow, SIGONE, 1, 1);
    CHECK_NEXT(narrow, SIGONE, 2, 19);
    CHECK(!is_readable(fd));
    queue_here(SIGTWO, 3);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    close_channel(channel);
    CHECK(fcntl(fd, F_GETFD) < 0);
    close_channel(narrow);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
    close_channel(open_channel(ONE, 65536));
}

static void check_parents(void) {
    CHECK(is_readable(fd));
    CHECK_NEXT(channel, SIGONE, 1, 1);
    CHECK_NEXT(channel, SIGONE, 2, 1);
    CHECK_NEXT(channel, SIGTWO, 3, 1);
    CHECK(!is_readable(fd));
    CHECK_NEXT(narrow, SIGONE, 1, 1);
    CHECK_NEXT(narrow, SIGONE, 2, 1);
    check_empty(channel), check_empty(narrow);
}

TEST(child_is_empty, "the child's channels are empty and work, and the parent's records stay the parent's") {
    prepare();
    queue_here(SIGONE, 1), queue_here(SIGONE, 2), queue_here(SIGTWO, 3);
    CHECK_CHILD_OK(check_child(is_empty_and_works));
    check_parents();
}

TEST(half_read, "so it is where the parent has taken part of a batch") {
    prepare();
    queue_here(SIGONE, 0), queue_here(SIGONE, 1), queue_here(SIGONE, 2), queue_here(SIGTWO, 3);
    CHECK_NEXT(channel, SIGONE, 0, 1);
    CHECK_NEXT(narrow, SIGONE, 0, 1);
    CHECK_CHILD_OK(check_child(is_empty_and_works));
    CHECK_NEXT(channel, SIGONE, 1, 1);
    CHECK_NEXT(channel, SIGONE, 2, 1);
    CHECK_NEXT(channel, SIGTWO, 3, 1);
    CHECK_NEXT(narrow, SIGONE, 1, 2);
}

static void *fork_here(void *arg) {
    CHECK_CHILD_OK(check_child(is_empty_and_works));
    return arg;
}

TEST(forked_by_a_thread, "so it is where another thread forks") {
    prepare();
    queue_here(SIGONE, 1), queue_here(SIGONE, 2), queue_here(SIGTWO, 3);
    on_thread(fork_here, NULL);
    check_parents();
}

static void has_a_child(void) {
    queue_here(SIGTWO, 1);
    CHECK_CHILD_OK(check_child(is_empty_and_works));
    CHECK_NEXT(channel, SIGTWO, 1, 1);
}

TEST(grandchild, "so it is for the child's child") {
    prepare();
    CHECK_CHILD_OK(check_child(has_a_child));
}

static void queue_and_read(void) {
    for (int i = 0; i < 3; i++) queue_here(SIGONE, i);
    for (int i = 0; i < 3; i++) CHECK_NEXT(channel, SIGONE, i, 1);
}

TEST(child_wakes_nobody, "what the child receives and reads does not show in the parent's descriptor") {
    prepare();
    CHECK_CHILD_OK(check_child(queue_and_read));
    CHECK(!is_readable(fd));
    raise_here(SIGONE);
    CHECK(is_readable(fd));
    CHECK_CHILD_OK(check_child(queue_and_read));
    CHECK(is_readable(fd));
    CHECK_INT(next_record(channel).count, 1);
}

static void in_new_epoll(void) {
    struct epoll_event event = {.events = EPOLLIN};
    int loop = epoll_create1(0);
    CHECK_SYS(epoll_ctl(loop, EPOLL_CTL_ADD, rsig_channel_fd(channel), &event));
    CHECK_INT(epoll_wait(loop, &event, 1, 0), 0);
    raise_here(SIGONE);
    CHECK_INT(epoll_wait(loop, &event, 1, -1), 1);
}

TEST(new_epoll, "the child's descriptor works in an epoll of its own") {
    prepare();
    raise_here(SIGONE);
    CHECK_CHILD_OK(check_child(in_new_epoll));
}

static rsig_channel_t *closed;

static void knows_the_closed(void) {
    rsig_siginfo_t info;
    CHECK_ERROR(rsig_channel_read(closed, &info, 1), RSIG_ERROR_VALUE, EINVAL);
    CHECK(open_channel(ONE, 1) != closed);
    CHECK_ERROR(rsig_channel_close(closed), RSIG_ERROR_VALUE, EINVAL);
}

TEST(closed_before, "a channel closed before the fork is closed in the child") {
    prepare();
    closed = open_channel(ONE, 1);
    close_channel(closed);
    CHECK_CHILD_OK(check_child(knows_the_closed));
}

static void fini(void) {
    int before = count_fds();
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK_INT(count_fds(), before - 1);
    CHECK(check_kernel_handler(SIGONE) == (void *)SIG_DFL);
}

TEST(child_ends_rsig, "rsig_fini in the child closes its channels, and the parent's stay open") {
    prepare();
    CHECK_CHILD_OK(check_child(fini));
    raise_here(SIGONE);
    CHECK_INT(next_record(channel).signo, SIGONE);
}

/* --- other threads meanwhile --- */

static int stop;

static void *read_until_stop(void *arg) {
    rsig_siginfo_t infos[4];
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        CHECK(rsig_channel_read((rsig_channel_t *)arg, infos, 4) >= 0);
    return NULL;
}

static void *raise_until_stop(void *arg) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) raise_here(SIGONE);
    return arg;
}

static void *open_until_stop(void *arg) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        rsig_channel_t *mine = open_channel(TWO, 3);
        CHECK(rsig_channel_fd(mine) >= 0);
        close_channel(mine);
    }
    return arg;
}

static void *read_closed_until_stop(void *arg) {
    rsig_siginfo_t info;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        CHECK_INT(rsig_channel_read((rsig_channel_t *)arg, &info, 1), RSIG_ERROR_VALUE);
    return NULL;
}

/* Every lock that the child may ever take is taken, and what another thread was about is over. */
static void fill_all_places(void) {
    rsig_channel_t *more;
    queue_here(SIGONE, 5);
    CHECK_NEXT(channel, SIGONE, 5, 1);
    check_empty(channel);
    int count = 0;
    while (rsig_channel_open(ONE, 1, &more) == RSIG_OK) count++;
    CHECK(count == 254 || count == 253); /* another thread may have one open */
    CHECK_INT(errno, EMFILE);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void fork_while(void *(*body)(void *), void *arg, int times) {
    pthread_t thread;
    start(&thread, body, arg);
    for (int i = 0; i < times; i++) CHECK_CHILD_OK(check_child(fill_all_places));
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    join(thread);
}

TEST(while_reading, "a fork while another thread reads leaves the child no lock that nobody holds") {
    prepare();
    fork_while(read_until_stop, channel, 100);
}

TEST(while_delivered, "nor while one receives: the child's channels are empty and work") {
    prepare();
    fork_while(raise_until_stop, NULL, 100);
}

TEST(while_opening, "nor while one opens and closes others") {
    prepare();
    fork_while(open_until_stop, NULL, 100);
}

TEST(while_asking_for_closed, "nor while one asks for a channel that is closed") {
    prepare();
    rsig_channel_t *gone = open_channel(ONE, 1);
    close_channel(gone);
    fork_while(read_closed_until_stop, gone, 400);
}

static pid_t waiting;

static void *wait_for_one(void *arg) {
    rsig_siginfo_t info;
    __atomic_store_n(&waiting, check_gettid(), __ATOMIC_RELEASE);
    CHECK_INT(rsig_channel_wait((rsig_channel_t *)arg, &info, -1), 1);
    CHECK_INT(info.value_int, 6);
    return NULL;
}

TEST(while_waiting, "a thread that waits goes on in the parent, and the child can close the channel for good") {
    pthread_t thread;
    prepare();
    start(&thread, wait_for_one, channel);
    pid_t tid;
    while (!(tid = __atomic_load_n(&waiting, __ATOMIC_ACQUIRE))) sched_yield();
    check_await_syscall(tid, SYS_ppoll);
    CHECK_CHILD_OK(check_child(fini));
    CHECK_CHILD_OK(check_child(is_empty_and_works));
    queue_here(SIGONE, 6);
    join(thread);
}
