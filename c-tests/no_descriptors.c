/* Where no descriptor is free: what needs one says so, the rest works, and nothing is lost. */
#include "tour.h"
#include <dirent.h>
#include <sys/resource.h>

static struct rlimit room;

/* From now on so many more can be opened: the lowest that are free. */
static void leave(int count) {
    int fds[16];
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &room));
    for (int i = 0; i <= count; i++) CHECK_SYS(fds[i] = dup(STDERR_FILENO));
    for (int i = 0; i <= count; i++) close(fds[i]);
    struct rlimit limit = room;
    /* The first number that is too high. */
    limit.rlim_cur = (rlim_t)fds[count];
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
}

static void make_room(void) { CHECK_SYS(setrlimit(RLIMIT_NOFILE, &room)); }

static int count_open(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void *take_signal(void *unused) {
    CHECK_INT(raise(SIGUSR1), 0);
    return unused;
}

/* All that a descriptor's number is no result of. */
static void use_without_descriptors(int null) {
    const rsig_sigset_t usr2 = RSIG_SIGSET(SIGUSR2);
    rsig_channel_t *channel;
    rsig_siginfo_t info;
    int status;
    struct check_calls calls = {0};
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    pthread_t thread = tour_spawn(take_signal, NULL);
    while (calls.calls < 2) CHECK_INT(rsig_pause(), RSIG_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    thread = tour_spawn(take_signal, NULL);
    CHECK_INT(rsig_wait(-1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(rsig_sleep(1e-6), 0);
    CHECK_INT(rsig_channel_open(usr2, 2, &channel), RSIG_OK);
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_INT(rsig_dump(null), RSIG_OK);
    CHECK_INT(rsig_dump_json(null), RSIG_OK);
    pid_t child = fork();
    CHECK_SYS(child);
    if (child == 0) _exit(rsig_raise_signal(SIGUSR1) != RSIG_OK);
    CHECK_INT(rsig_waitpid(child, &status, 0), child);
    CHECK_CHILD_OK(status);
    CHECK_INT(calls.calls, 3);
}

TEST(a_life_without, "from rsig_init() to rsig_fini() without a descriptor, and then with") {
    int null = open("/dev/null", O_WRONLY);
    CHECK_SYS(null);
    leave(0);
    CHECK_INT(rsig_init(0), RSIG_OK);
    use_without_descriptors(null);
    CHECK_INT(rsig_fini(), RSIG_OK);
    make_room();
    tour();
}

TEST(sigwait_family,
     "the sigwait family and rsig_dispatch() accept, or say EMFILE; nothing is lost") {
    const rsig_sigset_t set = RSIG_SIGSET(SIGUSR1);
    struct check_calls calls = {0};
    rsig_siginfo_t info;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_pthread_sigmask(SIG_BLOCK, set, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    leave(0);
    CHECK_INT(rsig_sigtimedwait(set, 0, &info), SIGUSR1);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_sigwait(set), SIGUSR1);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_sigwaitinfo(set, &info), SIGUSR1);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_dispatch(set, -1), 1);
    if (!RSIG_RACE_FREE) {
        /* What is not pending yet takes a descriptor. */
        CHECK_ERROR(rsig_sigtimedwait(set, 1e-3, &info), RSIG_ERROR_OS, EMFILE);
        CHECK_ERROR(rsig_sigwait(set), RSIG_ERROR_OS, EMFILE);
        CHECK_ERROR(rsig_sigwaitinfo(set, &info), RSIG_ERROR_OS, EMFILE);
        CHECK_ERROR(rsig_dispatch(set, -1), RSIG_ERROR_OS, EMFILE);
    }
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    make_room();
    CHECK_INT(rsig_sigwait(set), SIGUSR1);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

/* What opens a descriptor: it works while there is room, and else it is EMFILE. */
enum { CHANNELS = 3, OPENERS = CHANNELS + 2 };

static void needs_room(int result, int code, int has_room) {
    if (has_room) {
        CHECK(result >= 0);
        return;
    }
    CHECK_INT(result, RSIG_ERROR_OS);
    CHECK_INT(code, EMFILE);
    CHECK(strstr(rsig_error_message(), "EMFILE"));
}

static void with_room_for(int count) {
    const rsig_sigset_t set = RSIG_SIGSET(SIGUSR1);
    rsig_channel_t *channels[CHANNELS];
    rsig_siginfo_t info;
    struct check_calls calls = {0};
    int pidfd, result, before = count_open();
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    for (int i = 0; i < CHANNELS; i++)
        CHECK_INT(rsig_channel_open(set, 2, &channels[i]), RSIG_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    leave(count);
    for (int i = 0; i < CHANNELS; i++) {
        result = rsig_channel_fd(channels[i]);
        needs_room(result, errno, i < count);
    }
    result = rsig_fd();
    needs_room(result, errno, CHANNELS < count);
    pidfd = rsig_pidfd_open(getpid(), 0);
    needs_room(pidfd, errno, CHANNELS + 1 < count);
    make_room();
    /* It waits still, and whoever is asked again has a descriptor that shows it. */
    CHECK(tour_is_readable(rsig_fd()));
    CHECK_INT(rsig_pump(), 1);
    CHECK(!tour_is_readable(rsig_fd()));
    for (int i = 0; i < CHANNELS; i++) {
        CHECK(tour_is_readable(rsig_channel_fd(channels[i])));
        CHECK_INT(rsig_channel_wait(channels[i], &info, -1), 1);
        CHECK(!tour_is_readable(rsig_channel_fd(channels[i])));
    }
    CHECK_INT(rsig_fini(), RSIG_OK);
    if (pidfd >= 0) close(pidfd);
    CHECK_INT(count_open(), before);
}

TEST(room_for_some,
     "with room for 0, 1, 2 ... the first so many are opened; the others are EMFILE, until there is "
     "room, and lose nothing; none is left open at the end") {
    int fd = (rsig_init(0), rsig_pidfd_open(getpid(), 0));
    if (fd < 0) check_skip("no pidfd_open() on this kernel");
    close(fd);
    CHECK_INT(rsig_fini(), RSIG_OK);
    for (int count = 0; count <= OPENERS; count++) with_room_for(count);
}

static rsig_channel_t *channel;

static void *wait_for_it(void *unused) {
    rsig_siginfo_t info;
    CHECK_INT(rsig_channel_wait(channel, &info, -1), 1);
    return unused;
}

TEST(a_waiter_stays,
     "who waits with a descriptor goes on where no more are free, and so does a second") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 4, &channel), RSIG_OK);
    CHECK(rsig_channel_fd(channel) >= 0);
    leave(0);
    pthread_t first = tour_spawn(wait_for_it, NULL), second = tour_spawn(wait_for_it, NULL);
    CHECK_INT(rsig_kill(getpid(), SIGUSR1), RSIG_OK);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(pthread_join(first, NULL), 0);
    CHECK_INT(pthread_join(second, NULL), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

TEST(opened, "rsig_open() is EMFILE; so is rsig_accept(), and the connection waits") {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    CHECK_INT(rsig_init(0), RSIG_OK);
    int listening = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_SYS(bind(listening, (struct sockaddr *)&address, sizeof address.sun_family));
    CHECK_SYS(getsockname(listening, (struct sockaddr *)&address, &length));
    CHECK_SYS(listen(listening, 1));
    CHECK_INT(rsig_connect(client, (struct sockaddr *)&address, length), 0);
    leave(0);
    CHECK_INT(rsig_open("/dev/null", O_RDONLY, 0), -1);
    CHECK_INT(errno, EMFILE);
    CHECK_INT(rsig_accept(listening, NULL, NULL), -1);
    CHECK_INT(errno, EMFILE);
    make_room();
    CHECK(rsig_open("/dev/null", O_RDONLY, 0) >= 0);
    CHECK(rsig_accept(listening, NULL, NULL) >= 0);
}
