/*
 * Another thread that calls sigaction(2) between rsig's asking what there is and its changing that. The program's own
 * sigaction(), which rsig calls too, plays that thread at exactly that moment.
 */
#include "check.h"
#include <dlfcn.h>
#include <semaphore.h>
#include <sys/mman.h>

/* The other's handler, and whether it is still to come. */
static void (*comes)(int);
static int is_to_come;
static struct sigaction displaced;
/* Of a thread that is to stop in rsig's handler, where that asks what there is, until the main thread has done something. */
static __thread int is_to_stop;
static sem_t has_stopped, is_done;

static void stop(void) {
    is_to_stop = 0;
    CHECK_SYS(sem_post(&has_stopped));
    CHECK_SYS(sem_wait(&is_done));
}

/* Whether another thread is to raise SIGRTMAX before the next change of it. */
static __thread int is_to_be_raised;

int sigaction(int signum, const struct sigaction *new, struct sigaction *old) {
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    if (signum == SIGUSR1 && new && is_to_come) {
        struct sigaction other;
        memset(&other, 0, sizeof other);
        other.sa_handler = comes;
        is_to_come = 0;
        CHECK_SYS(real(SIGUSR1, &other, &displaced));
    }
    if (!new && is_to_stop) stop();
    if (new && is_to_be_raised && signum == SIGRTMAX) {
        is_to_be_raised = 0;
        CHECK_SYS(sem_post(&is_done));
        CHECK_SYS(sem_wait(&has_stopped));
    }
    return real(signum, new, old);
}

static struct check_calls calls;
static volatile sig_atomic_t other_calls;
static void other_handler(int signum) { (void)signum, other_calls++; }

static void init(void) { CHECK_INT(rsig_init(RSIG_INIT_NO_DEFAULTS), RSIG_OK); }

static void other_comes(void (*handler)(int)) { comes = handler, is_to_come = 1; }

static void check_came(void) { CHECK(!is_to_come); }

static rsig_channel_t *open_channel(void) {
    rsig_channel_t *channel;
    CHECK_INT(rsig_channel_open(RSIG_SIGSET(SIGUSR1), 8, &channel), RSIG_OK);
    return channel;
}

static int is_installed(void (*handler)(int)) {
    return check_kernel_handler(SIGUSR1) == (void *)(size_t)handler;
}

static void check_both_hear(rsig_channel_t *channel, int called) {
    rsig_siginfo_t info;
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(rsig_channel_read(channel, &info, 1), 1);
    CHECK_INT(other_calls, called);
}

TEST(opened, "while the first channel is opened: both hear, and the other's handler stays at the end") {
    init();
    other_comes(other_handler);
    rsig_channel_t *channel = open_channel();
    check_came();
    check_both_hear(channel, 1);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK(is_installed(other_handler));
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(is_installed(other_handler));
}

TEST(opened_over_ignored, "while a channel is opened over SIG_IGN: the default action that the other has set comes back") {
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    init();
    other_comes(SIG_DFL);
    rsig_channel_t *channel = open_channel();
    check_came();
    check_both_hear(channel, 0);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK(is_installed(SIG_DFL));
}

TEST(closed, "while the last channel is closed: the other's handler stays, and what it has displaced is what was there") {
    init();
    rsig_channel_t *channel = open_channel();
    other_comes(other_handler);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    check_came();
    CHECK(is_installed(other_handler));
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(other_calls, 1);
    CHECK_SYS(sigaction(SIGUSR1, &displaced, NULL));
    rsig_action_t action;
    CHECK_INT(rsig_getsignal(SIGUSR1, &action), RSIG_OK);
    CHECK(action.handler == RSIG_DFL);
}

TEST(set, "while rsig_signal sets a function: `old` is the other's handler, and puts it back") {
    rsig_action_t old;
    init();
    other_comes(other_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, &old), RSIG_OK);
    check_came();
    CHECK(old.handler == RSIG_FOREIGN);
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
    CHECK_INT(rsig_signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
    CHECK(is_installed(other_handler));
}

TEST(set_anew, "while rsig_signal sets another function: the other's handler is over the first, and comes back at the end") {
    struct check_calls again = {0};
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    other_comes(other_handler);
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &again, NULL), RSIG_OK);
    check_came();
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(again.calls, 1);
    CHECK_SYS(sigaction(SIGUSR1, &displaced, NULL));
    CHECK_INT(rsig_raise_signal(SIGUSR1), RSIG_OK);
    CHECK_INT(calls.calls, 1);
}

TEST(restarted, "while rsig_siginterrupt changes the default action: the other's handler has its flag") {
    struct sigaction now;
    init();
    other_comes(other_handler);
    CHECK_INT(rsig_siginterrupt(SIGUSR1, 0), RSIG_OK);
    check_came();
    CHECK_SYS(sigaction(SIGUSR1, NULL, &now));
    CHECK(now.sa_handler == other_handler && now.sa_flags & SA_RESTART);
}

TEST(ended, "while rsig_fini puts back what was there: the other's handler stays") {
    init();
    CHECK_INT(rsig_signal(SIGUSR1, check_handler, &calls, NULL), RSIG_OK);
    other_comes(other_handler);
    CHECK_INT(rsig_fini(), RSIG_OK);
    check_came();
    CHECK(is_installed(other_handler));
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(other_calls, 1);
}

TEST(left, "while rsig's handler leaves the signal to SIG_IGN, which was there: the other's handler stays, and has the delivery") {
    struct sigaction saved;
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    init();
    rsig_channel_t *channel = open_channel();
    CHECK_SYS(sigaction(SIGUSR1, NULL, &saved));
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    CHECK_SYS(sigaction(SIGUSR1, &saved, NULL));
    other_comes(other_handler);
    CHECK_INT(raise(SIGUSR1), 0);
    check_came();
    CHECK_INT(other_calls, 1);
    CHECK(is_installed(other_handler));
}

/* --- a delivery that is on its way through rsig's handler while rsig puts back what that stands for --- */

static void install(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK_SYS(sigaction(SIGUSR1, &action, NULL));
}

static void before_handler(int signum) { (void)signum; }

static void *raise_slowly(void *unused) {
    (void)unused;
    is_to_stop = 1;
    CHECK_INT(raise(SIGUSR1), 0);
    return NULL;
}

static pthread_t stop_in_delivery(void *(*function)(void *)) {
    pthread_t thread;
    CHECK_SYS(sem_init(&has_stopped, 0, 0));
    CHECK_SYS(sem_init(&is_done, 0, 0));
    CHECK_INT(pthread_create(&thread, NULL, function, NULL), 0);
    CHECK_SYS(sem_wait(&has_stopped));
    return thread;
}

static void go_on(pthread_t thread) {
    CHECK_SYS(sem_post(&is_done));
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* Of two functions beneath a channel, one after the other, the second could know rsig's handler from the first time. */
static rsig_channel_t *open_over_two(void) {
    install(before_handler);
    CHECK_INT(rsig_channel_close(open_channel()), RSIG_OK);
    install(other_handler);
    return open_channel();
}

TEST(on_its_way_when_closed, "while the last channel is closed: the handler beneath gets the delivery, though it is not the first there") {
    init();
    rsig_channel_t *channel = open_over_two();
    pthread_t thread = stop_in_delivery(raise_slowly);
    CHECK_INT(rsig_channel_close(channel), RSIG_OK);
    go_on(thread);
    CHECK_INT(other_calls, 1);
}

TEST(on_its_way_at_the_end, "so it is while rsig_fini closes the channel") {
    init();
    open_over_two();
    pthread_t thread = stop_in_delivery(raise_slowly);
    CHECK_INT(rsig_fini(), RSIG_OK);
    go_on(thread);
    CHECK_INT(other_calls, 1);
}

/* --- two threads that fault at once --- */

static volatile char *pages;
static volatile sig_atomic_t repairs;

static void repairs_it(int signum, siginfo_t *info, void *context) {
    (void)signum, (void)context;
    char *address = info->si_addr;
    repairs++;
    CHECK_SYS(mprotect(address - (size_t)address % 4096, 4096, PROT_READ | PROT_WRITE));
}

static void protect(void) {
    repairs = 0;
    CHECK_SYS(mprotect((void *)pages, 8192, PROT_NONE));
}

static void install_repairer(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = repairs_it;
    action.sa_flags = SA_SIGINFO;
    CHECK_SYS(sigaction(SIGSEGV, &action, NULL));
    pages = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
}

static void *fault_slowly(void *unused) {
    (void)unused;
    is_to_stop = 1;
    pages[0] = 1;
    return NULL;
}

TEST(fault, "while another thread's fault brings its handler back, a fault under rsig_signal reaches that too, each time") {
    install_repairer(), init();
    for (int i = 0; i < 10; i++) {
        protect();
        CHECK_INT(rsig_signal(SIGSEGV, check_handler, &calls, NULL), RSIG_OK);
        pthread_t thread = stop_in_delivery(fault_slowly);
        pages[4096] = 1;
        go_on(thread);
        CHECK_INT(repairs, 2);
    }
}

/* --- rsig's own number --- */

static void *raise_number(void *unused) {
    (void)unused;
    CHECK_SYS(sem_wait(&is_done));
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_SYS(sem_post(&has_stopped));
    return NULL;
}

TEST(number_ignored, "while rsig_signal ignores the number that rsig had taken: its handler stays there, until rsig_fini") {
    pthread_t thread;
    init();
    CHECK_SYS(sem_init(&has_stopped, 0, 0));
    CHECK_SYS(sem_init(&is_done, 0, 0));
    CHECK_INT(pthread_create(&thread, NULL, raise_number, NULL), 0);
    CHECK_INT(rsig_sleep(0.001), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) != (void *)SIG_DFL);
    CHECK_INT(rsig_signal(SIGRTMAX, check_handler, &calls, NULL), RSIG_OK);
    is_to_be_raised = 1;
    CHECK_INT(rsig_signal(SIGRTMAX, RSIG_IGN, NULL, NULL), RSIG_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(check_kernel_handler(SIGRTMAX) != (void *)SIG_IGN);
    CHECK_INT(raise(SIGRTMAX), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
    CHECK(check_kernel_handler(SIGRTMAX) == (void *)SIG_DFL);
}
