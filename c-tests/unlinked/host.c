/*
 * A program with a static copy of the library loads plugin.c, which has another: argv[1]. Neither
 * gets into the other's way.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <rsig.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int calls;

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum;
    (void)arg;
    calls += (int)info->count;
    return 0;
}

static void check_fork(void) {
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(rsig_pump());
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK(rsig_init(0) == RSIG_OK);
    CHECK(rsig_signal(SIGUSR1, handler, NULL, NULL) == RSIG_OK);

    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) fprintf(stderr, "%s\n", dlerror());
    CHECK(plugin);
    int (*start)(void) = (int (*)(void))dlsym(plugin, "plugin_start");
    int (*pump)(void) = (int (*)(void))dlsym(plugin, "plugin_pump");
    int (*stop)(void) = (int (*)(void))dlsym(plugin, "plugin_stop");
    int *plugin_calls = (int *)dlsym(plugin, "plugin_calls");
    CHECK(start && pump && stop && plugin_calls);

    CHECK(start() == 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    CHECK(rsig_pump() == 0 && calls == 0);
    CHECK(pump() == 2 && *plugin_calls == 2);
    check_fork();

    /* The plugin's going gives the host its signal back, and no trace of the plugin stays. */
    CHECK(stop() == RSIG_OK);
    CHECK(dlclose(plugin) == 0);
    check_fork();
    raise(SIGUSR1);
    CHECK(rsig_pump() == 1 && calls == 1);
    CHECK(rsig_fini() == RSIG_OK);
    return 0;
}
