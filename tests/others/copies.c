/*
 * Two copies of the library in one process: the shared one, to which this program is linked, and one in a plugin, which
 * RSIG_PLUGIN names. Each case runs with either of them as the first; to each other they are parties like any other.
 */
#include "check.h"
#include "copy.h"
#include <dlfcn.h>

static const struct copy program_copy = THIS_COPY;
static const struct copy *first, *second;
static struct check_calls first_calls, second_calls;

static void *load(void) {
    void *plugin = dlopen(getenv("RSIG_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    if (!plugin) CHECK_FAIL("%s", dlerror());
    return plugin;
}

static const struct copy *copy_of(void *plugin) {
    const struct copy *copy = (const struct copy *)dlsym(plugin, "plugin_copy");
    CHECK(copy && copy->init != rsig_init);
    return copy;
}

TEST(one_copy, "a plugin that shows librsig.a's symbols to the loader gets the program's copy, which counts both") {
    int (*init)(uint32_t), (*fini)(void);
    setenv("RSIG_PLUGIN", getenv("RSIG_SHARED_PLUGIN"), 1);
    const struct copy *copy = (const struct copy *)dlsym(load(), "plugin_copy");
    CHECK(copy);
    init = copy->init, fini = copy->fini;
    CHECK(init == rsig_init && fini == rsig_fini);
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(init(0), RSIG_OK);
    CHECK_INT(fini(), RSIG_OK);
    CHECK_INT(rsig_pump(), 0);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

/* In a child each, both being initialised. */
static void in_both_orders(void (*body)(void)) {
    const struct copy *plugin = copy_of(load());
    for (int turn = 0; turn < 2; turn++) {
        first = turn ? plugin : &program_copy;
        second = turn ? &program_copy : plugin;
        fflush(NULL);
        pid_t pid = fork();
        CHECK_SYS(pid);
        if (pid == 0) {
            CHECK_INT(first->init(0), RSIG_OK);
            CHECK_INT(second->init(0), RSIG_OK);
            body();
            _exit(0);
        }
        int status;
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (status) fprintf(stderr, "%s is first\n", turn ? "the plugin" : "the program");
        CHECK_CHILD_OK(status);
    }
}

static void set_handler(const struct copy *copy, struct check_calls *calls, rsig_action_t *old) {
    CHECK_INT(copy->signal(SIGUSR1, check_handler, calls, old), RSIG_OK);
}

static rsig_channel_t *open_channel(const struct copy *copy) {
    rsig_channel_t *channel;
    CHECK_INT(copy->channel_open(RSIG_SIGSET(SIGUSR1), 16, &channel), RSIG_OK);
    return channel;
}

static void close_channel(const struct copy *copy, rsig_channel_t *channel) {
    CHECK_INT(copy->channel_close(channel), RSIG_OK);
}

static int payload;

static void send_one(void) {
    CHECK_SYS(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = ++payload}));
}

static void check_record(const struct copy *copy, rsig_channel_t *channel) {
    rsig_siginfo_t infos[2];
    CHECK_INT(copy->channel_read(channel, infos, 2), 1);
    CHECK_INT(infos[0].count, 1);
    CHECK_INT(infos[0].value_int, payload);
}

static void check_ran(const struct copy *copy, struct check_calls *calls, int runs) {
    int before = calls->calls;
    CHECK_INT(copy->pump(), runs);
    CHECK_INT(calls->calls, before + runs);
    if (runs) {
        CHECK_INT(calls->last_info.count, 1);
        CHECK_INT(calls->last_info.value_int, payload);
    }
}

static volatile int plain_calls;

static void plain_handler(int signum) {
    (void)signum;
    plain_calls++;
}

static void install_plain(void) { CHECK(signal(SIGUSR1, plain_handler) != SIG_ERR); }

static int is_plain(void) { return check_kernel_handler(SIGUSR1) == (void *)(size_t)plain_handler; }

static void use_handlers(void) {
    rsig_action_t of_second, old;
    set_handler(first, &first_calls, NULL);
    void *kernels = check_kernel_handler(SIGUSR1);
    set_handler(second, &second_calls, &of_second);
    CHECK(of_second.handler == RSIG_FOREIGN);
    CHECK_INT(first->getsignal(SIGUSR1, &old), RSIG_OK);
    CHECK(old.handler == RSIG_FOREIGN);
    send_one();
    check_ran(first, &first_calls, 0);
    check_ran(second, &second_calls, 1);
    CHECK_INT(second->signal(SIGUSR1, of_second.handler, of_second.arg, NULL), RSIG_OK);
    CHECK(check_kernel_handler(SIGUSR1) == kernels);
    CHECK_INT(first->getsignal(SIGUSR1, &old), RSIG_OK);
    CHECK(old.handler == check_handler && old.arg == &first_calls);
    send_one();
    check_ran(first, &first_calls, 1);
    check_ran(second, &second_calls, 0);
}

TEST(two_handlers, "of two handlers the last one has the signal; its old action gives it back to the other") {
    in_both_orders(use_handlers);
}

static void use_channels(void) {
    install_plain();
    rsig_channel_t *one = open_channel(first), *other = open_channel(second);
    for (int i = 1; i <= 3; i++) {
        send_one();
        check_record(first, one);
        check_record(second, other);
        CHECK_INT(plain_calls, i);
    }
    close_channel(second, other);
    send_one();
    check_record(first, one);
    CHECK_INT(plain_calls, 4);
    close_channel(first, one);
    CHECK(is_plain());
}

TEST(two_channels, "two channels and a handler from before all hear of each delivery once") {
    in_both_orders(use_channels);
}

static void use_first_over_second_over_first(void) {
    install_plain();
    rsig_channel_t *lowest = open_channel(first), *middle = open_channel(second);
    rsig_channel_t *highest = open_channel(first);
    for (int i = 1; i <= 3; i++) {
        send_one();
        check_record(first, lowest);
        check_record(second, middle);
        check_record(first, highest);
        CHECK_INT(plain_calls, i);
    }
    close_channel(first, highest);
    close_channel(second, middle);
    send_one();
    check_record(first, lowest);
    CHECK_INT(plain_calls, 4);
    close_channel(first, lowest);
}

TEST(channels_in_turn, "channels of the one over the other's over the first's: each hears once, and who was there before") {
    in_both_orders(use_first_over_second_over_first);
}

static void use_many_turns(void) {
    rsig_channel_t *of_first[10], *of_second[10];
    for (int i = 0; i < 10; i++) of_first[i] = open_channel(first), of_second[i] = open_channel(second);
    for (int turn = 0; turn < 3; turn++) {
        send_one();
        for (int i = 0; i < 10; i++) check_record(first, of_first[i]), check_record(second, of_second[i]);
    }
    for (int i = 0; i < 10; i++) {
        close_channel(first, of_first[i]);
        send_one();
        for (int j = 0; j < 10; j++) {
            if (j > i) check_record(first, of_first[j]);
            check_record(second, of_second[j]);
        }
    }
}

TEST(many_turns, "ten channels of each, opened by turns: each hears once, as long as it is open") {
    in_both_orders(use_many_turns);
}

static void use_channel_over_handler(void) {
    set_handler(first, &first_calls, NULL);
    rsig_channel_t *channel = open_channel(second);
    send_one();
    check_ran(first, &first_calls, 1);
    check_record(second, channel);
    rsig_channel_t *another = open_channel(first);
    send_one();
    check_ran(first, &first_calls, 1);
    check_record(second, channel);
    check_record(first, another);
    close_channel(first, another);
    close_channel(second, channel);
    send_one();
    check_ran(first, &first_calls, 1);
}

TEST(channel_over_handler, "a channel over the other's handler leaves it the signal, and the other's next channel both") {
    in_both_orders(use_channel_over_handler);
}

static void use_handler_over_channel(void) {
    rsig_action_t old;
    rsig_channel_t *channel = open_channel(first);
    set_handler(second, &second_calls, &old);
    rsig_channel_t *another = open_channel(first);
    send_one();
    check_ran(second, &second_calls, 1);
    check_record(first, channel);
    check_record(first, another);
    close_channel(first, another);
    close_channel(first, channel);
    CHECK_INT(second->signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
}

TEST(handler_over_channel, "a handler over the other's channel, and the other's next channel over both: all hear once") {
    in_both_orders(use_handler_over_channel);
}

static void use_handler_and_channel_each(void) {
    set_handler(first, &first_calls, NULL);
    rsig_channel_t *of_first = open_channel(first);
    rsig_channel_t *of_second = open_channel(second);
    send_one();
    check_ran(first, &first_calls, 1);
    check_record(first, of_first);
    check_record(second, of_second);
    set_handler(second, &second_calls, NULL);
    send_one();
    check_ran(second, &second_calls, 1);
    check_ran(first, &first_calls, 0);
    check_record(second, of_second);
}

TEST(handler_and_channel_each, "a copy's handler over its own channel displaces what its channel had only passed on to") {
    in_both_orders(use_handler_and_channel_each);
}

/* --- pokes --- */

static int is_real_time_handled(int signum) { return check_kernel_handler(signum) != (void *)SIG_DFL; }

static int poke_numbers(void) {
    int count = 0;
    for (int n = SIGRTMIN; n <= SIGRTMAX; n++) count += is_real_time_handled(n);
    return count;
}

static pid_t main_tid;

static void *signals_itself(void *unused) {
    check_await_syscall(main_tid, SYS_read);
    CHECK_INT(pthread_kill(pthread_self(), SIGUSR1), 0);
    return unused;
}

/* A signal that lands on another thread ends this copy's call, as its handler refuses. */
static void check_poked(const struct copy *copy, struct check_calls *calls) {
    int fds[2];
    char byte;
    pthread_t thread;
    rsig_action_t old;
    CHECK_SYS(pipe(fds));
    calls->result = 1;
    set_handler(copy, calls, &old);
    main_tid = check_gettid();
    CHECK_INT(pthread_create(&thread, NULL, signals_itself, NULL), 0);
    errno = 0;
    CHECK_INT(copy->read(fds[0], &byte, 1), -1);
    CHECK_INT(errno, EINTR);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(copy->signal(SIGUSR1, old.handler, old.arg, NULL), RSIG_OK);
}

static void use_pokes(void) {
    check_poked(first, &first_calls);
    CHECK_INT(poke_numbers(), 1);
    check_poked(second, &second_calls);
    CHECK_INT(poke_numbers(), 2);
    for (int i = 0; i < 20; i++) check_poked(i % 2 ? first : second, i % 2 ? &first_calls : &second_calls);
    CHECK_INT(poke_numbers(), 2);
    CHECK_INT(first->fini(), RSIG_OK);
    CHECK_INT(poke_numbers(), 1);
    check_poked(second, &second_calls);
    CHECK_INT(second->fini(), RSIG_OK);
    CHECK_INT(poke_numbers(), 0);
}

TEST(pokes, "each interrupts its own calls, with a real-time signal of its own") { in_both_orders(use_pokes); }

/* The signal goes to a handler through the other's channel, while the handler's copy sleeps in a call. */
static void use_call_beneath_channel(void) {
    set_handler(first, &first_calls, NULL);
    rsig_channel_t *channel = open_channel(second);
    int fds[2];
    char byte;
    pthread_t thread;
    CHECK_SYS(pipe(fds));
    first_calls.result = 1;
    for (int i = 0; i < 20; i++) {
        rsig_siginfo_t info;
        main_tid = check_gettid();
        CHECK_INT(pthread_create(&thread, NULL, signals_itself, NULL), 0);
        CHECK_INT(first->read(fds[0], &byte, 1), -1);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(second->channel_read(channel, &info, 1), 1);
    }
}

TEST(call_beneath_a_channel, "a handler beneath the other's channel ends its copy's call") {
    in_both_orders(use_call_beneath_channel);
}

/* --- the end --- */

static void set_up(void) {
    install_plain();
    set_handler(first, &first_calls, NULL);
    open_channel(second);
}

static void end_in_reverse(void) {
    set_up();
    CHECK_INT(second->fini(), RSIG_OK);
    send_one();
    check_ran(first, &first_calls, 1);
    CHECK_INT(first->fini(), RSIG_OK);
    CHECK(is_plain());
}

TEST(reverse_end, "the last one goes first: the other has its signal back, and then who was there before both") {
    in_both_orders(end_in_reverse);
}

static void end_in_order(void) {
    install_plain();
    open_channel(first);
    rsig_channel_t *channel = open_channel(second);
    CHECK_INT(first->fini(), RSIG_OK);
    send_one();
    check_record(second, channel);
    CHECK_INT(plain_calls, 1);
    CHECK_INT(second->fini(), RSIG_OK);
    send_one();
    CHECK_INT(plain_calls, 2);
}

TEST(end_in_the_same_order, "the first one goes first: who was there before both goes on, and is all that is left") {
    in_both_orders(end_in_order);
}

static void end_with_default(void) {
    open_channel(first);
    open_channel(second);
    CHECK_INT(first->fini(), RSIG_OK);
    CHECK_INT(second->fini(), RSIG_OK);
    pid_t pid = fork();
    CHECK_SYS(pid);
    if (pid == 0) {
        raise(SIGUSR1);
        _exit(0);
    }
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_CHILD_KILLED(status, SIGUSR1);
}

TEST(end_of_channels, "the first one goes first: the signal has its default action again") {
    in_both_orders(end_with_default);
}

static void end_with_handlers(void) {
    set_handler(first, &first_calls, NULL);
    set_handler(second, &second_calls, NULL);
    CHECK_INT(first->fini(), RSIG_OK);
    send_one();
    check_ran(second, &second_calls, 1);
    CHECK_INT(second->fini(), RSIG_OK);
}

TEST(end_of_handlers, "the first one goes first: the other's handler stays") { in_both_orders(end_with_handlers); }

TEST(unloaded, "a plugin that came last and goes first can be unloaded, and leaves the program its signal") {
    CHECK_INT(rsig_init(0), RSIG_OK);
    set_handler(&program_copy, &first_calls, NULL);
    for (int i = 0; i < 3; i++) {
        void *plugin = load();
        const struct copy *copy = copy_of(plugin);
        CHECK_INT(copy->init(0), RSIG_OK);
        rsig_channel_t *channel = open_channel(copy);
        send_one();
        check_record(copy, channel);
        check_ran(&program_copy, &first_calls, 1);
        CHECK_INT(copy->fini(), RSIG_OK);
        CHECK_INT(dlclose(plugin), 0);
        CHECK(!dlopen(getenv("RSIG_PLUGIN"), RTLD_NOW | RTLD_NOLOAD));
        send_one();
        check_ran(&program_copy, &first_calls, 1);
    }
}
