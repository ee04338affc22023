/*
 * The process that starts others for the seeds, each in a process of its own, and looks how they end.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "fuzz.h"

enum { JOBS = 64 };
/* Which of them this process is. */
static int job;

/* Far beyond what any machine needs for one seed, in milliseconds. */
static int guard = 60000;

/* 1: `run` has come to its end with `what`; else 0, and `report` says why not. */
static int ends_well(void (*run)(const void *), const void *what) {
    *report = 0;
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(2);
    }
    if (child == 0) {
        run(what);
        _exit(0);
    }
    int status, fd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd end = {fd, POLLIN, 0};
    int ended = poll(&end, 1, guard);
    close(fd);
    if (ended == 0) kill(child, SIGKILL);
    waitpid(child, &status, 0);
    if (ended == 0 && !*report) snprintf(report, REPORT, "it hangs");
    if (WIFSIGNALED(status) && !*report)
        snprintf(report, REPORT, "it died of signal %d", WTERMSIG(status));
    if (status && !*report) snprintf(report, REPORT, "it ended with status %#x", status);
    return status == 0;
}

/* How many of the seeds fail, of each `step`th; it stops after `most`. */
typedef int seeds_runner(uint64_t first, uint64_t count, uint64_t step, int most);

static int run_jobs(seeds_runner *run, uint64_t first, uint64_t count, int jobs, int most) {
    int failed = 0;
    if (jobs < 1 || jobs > JOBS) jobs = 1;
    for (job = 0; job < jobs; job++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            exit(2);
        }
        if (child == 0) {
            report += REPORT * job;
            exit(run(first + (uint64_t)job, count - (uint64_t)job, (uint64_t)jobs, most) != 0);
        }
    }
    for (int done = 0, status; done < jobs; done++) failed |= wait(&status) < 0 || status;
    return failed;
}

static void *shared_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) exit(2);
    return memory;
}

static void prepare_driver(void) {
    report = shared_memory(REPORT * JOBS);
    /* Whoever runs this may have been started with signals ignored or blocked. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL);
}

#endif
