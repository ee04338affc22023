/*
 * Signals in a program of many threads: blocked in all of them, accepted by one.
 *
 *     cc worker_threads.c -o worker_threads -pthread $(pkg-config --cflags --libs rsig)
 *     ./worker_threads
 *
 * SIGUSR1 gives the workers a job; SIGTERM and SIGINT (Ctrl-C) let them finish what they have, and
 * end the program.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS 3
#define SIGNALS (RSIG_SIGSET(SIGUSR1) | RSIG_SIGSET(SIGTERM) | RSIG_SIGSET(SIGINT))

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int waiting, done; /* jobs */
    int stop_signal;   /* 0 while nobody has asked to stop */
};

static void fail(const char *what, const char *why) {
    fprintf(stderr, "worker_threads: %s: %s\n", what, why);
    exit(1);
}

static void *work(void *arg) {
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->waiting && !pool->stop_signal)
            pthread_cond_wait(&pool->changed, &pool->lock);
        if (!pool->waiting) break;
        pool->waiting--;
        pthread_mutex_unlock(&pool->lock);
        /* Here the job is done. No signal interrupts it: its system calls see no EINTR. */
        pthread_mutex_lock(&pool->lock);
        printf("job %d done\n", ++pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Accepts the signals one by one, as ordinary code: it may lock, which a signal handler may not. */
static void *accept_signals(void *arg) {
    struct pool *pool = arg;
    for (;;) {
        int signum = rsig_sigwait(SIGNALS);
        if (signum < 0) fail("rsig_sigwait", rsig_error_message());

        pthread_mutex_lock(&pool->lock);
        if (signum == SIGUSR1)
            pool->waiting++;
        else
            pool->stop_signal = signum;
        pthread_cond_broadcast(&pool->changed);
        pthread_mutex_unlock(&pool->lock);
        if (signum != SIGUSR1) return NULL;
    }
}

static pthread_t start(void *(*run)(void *), struct pool *pool) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, pool);
    if (error) fail("pthread_create", strerror(error));
    return thread;
}

static void join(pthread_t thread) {
    int error = pthread_join(thread, NULL);
    if (error) fail("pthread_join", strerror(error));
}

int main(void) {
    struct pool pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t workers[WORKERS];
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads through a pipe wants each line now */

    if (rsig_init(0) < 0) fail("rsig_init", rsig_error_message());
    /* Before the first thread is started: each inherits the mask, so that none can be hit. */
    if (rsig_pthread_sigmask(SIG_BLOCK, SIGNALS, NULL) < 0)
        fail("rsig_pthread_sigmask", rsig_error_message());

    pthread_t acceptor = start(accept_signals, &pool);
    for (int i = 0; i < WORKERS; i++) workers[i] = start(work, &pool);
    printf("%d workers; kill -USR1 %d is a job, kill -TERM %d the end\n", WORKERS, (int)getpid(),
           (int)getpid());

    join(acceptor);
    for (int i = 0; i < WORKERS; i++) join(workers[i]);
    printf("%s: %d workers ended, jobs done: %d, left: %d\n", rsig_signame(pool.stop_signal),
           WORKERS, pool.done, pool.waiting);
    rsig_fini();
    return 0;
}
