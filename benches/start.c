/* A process from its start to its end: the program is the rest of the command line. */
#include "bench.h"
#include <spawn.h>
#include <sys/wait.h>

MEASURE(process) {
    EACH(0) {
        pid_t pid;
        int status;
        if (posix_spawnp(&pid, bench_args[0], NULL, NULL, bench_args, environ)) bench_fail("spawn");
        OK(waitpid(pid, &status, 0));
        if (status) bench_fail("the program");
    }
}

static const char *bench_version(void) { return ""; }
