/*
 * Loads librsig.so.0 as a plugin host does, unloads it and is sent a signal. Not linked to the
 * library; exit status 0: all is well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <rsig.h>
#include <stdio.h>
#include <string.h>
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
    CHECK(signum == SIGUSR1 && info->signo == SIGUSR1 && arg == &calls);
    calls += (int)info->count;
    return 0;
}

static void *load(void) {
    void *library = dlopen("librsig.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) fprintf(stderr, "%s\n", dlerror());
    CHECK(library);
    return library;
}

#define FUNCTION(library, name) ((__typeof__(&name))dlsym((library), #name))

static int is_mapped(void) {
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "/librsig.so.0")) found = 1;
    fclose(maps);
    return found;
}

int main(void) {
    CHECK(!is_mapped());
    void *library = load();
    CHECK(FUNCTION(library, rsig_init)(0) == RSIG_OK);
    CHECK(FUNCTION(library, rsig_signal)(SIGUSR1, handler, &calls, NULL) == RSIG_OK);
    CHECK(FUNCTION(library, rsig_signum)("SIGFOO") == RSIG_ERROR_VALUE);

    CHECK(dlclose(library) == 0);
    CHECK(is_mapped());
    raise(SIGUSR1);
    raise(SIGUSR1);

    /* The fork handlers are there too. */
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(0);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);

    library = load();
    CHECK(calls == 0);
    CHECK(FUNCTION(library, rsig_pump)() == 1);
    CHECK(calls == 2);
    CHECK(*FUNCTION(library, rsig_error_message)());
    CHECK(FUNCTION(library, rsig_fini)() == RSIG_OK);
    CHECK(FUNCTION(library, rsig_fini)() == RSIG_ERROR_STATE);
    CHECK(dlclose(library) == 0);
    return 0;
}
