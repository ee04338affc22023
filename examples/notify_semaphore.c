/*
 * A main thread that waits on a semaphore, for its workers and for signals alike.
 *
 *     cc notify_semaphore.c -o notify_semaphore -pthread $(pkg-config --cflags --libs rsig)
 *     ./notify_semaphore 100000000
 *
 * It counts the primes below a limit, on four threads. SIGUSR1 asks how far it is, Ctrl-C ends it.
 * Exit status: 0, or 130 after Ctrl-C.
 *
 * sem_wait() alone sleeps over a signal that lands just before it, or on a worker. So a function
 * posts the semaphore at each delivery. So is told any runtime that can be told from a signal
 * handler: uv_async_send(), lua_sethook(), PyErr_SetInterruptEx().
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <rsig.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS 4
#define PART 10000 /* numbers that a worker takes at a time */

/* Not on a stack: a signal may post the semaphore for as long as rsig is there. */
static struct {
    sem_t event; /* a worker has ended, or a signal has come */
    unsigned long limit;
    atomic_ulong next, done, primes;
    atomic_int running, stop;
} work;

/* Signal context: it may do only what a signal handler may, and sem_post() is among that. */
static void post(int signum, void *semaphore) {
    (void)signum;
    sem_post(semaphore);
}

/* Ordinary code. */
static int on_question(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)info, (void)arg;
    printf("%s: %lu of %lu\n", rsig_signame(signum), atomic_load(&work.done), work.limit);
    return 0;
}

static int is_prime(unsigned long number) {
    if (number < 2) return 0;
    for (unsigned long divisor = 2; divisor <= number / divisor; divisor++)
        if (number % divisor == 0) return 0;
    return 1;
}

static void *count(void *arg) {
    unsigned long first;
    while (!work.stop && (first = atomic_fetch_add(&work.next, PART)) < work.limit) {
        unsigned long size = work.limit - first < PART ? work.limit - first : PART, primes = 0;
        for (unsigned long i = 0; i < size; i++) primes += (unsigned long)is_prime(first + i);
        atomic_fetch_add(&work.primes, primes);
        atomic_fetch_add(&work.done, size);
    }
    work.running--;
    sem_post(&work.event);
    return arg;
}

int main(int argc, char **argv) {
    pthread_t workers[WORKERS];
    int status = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    work.limit = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (work.limit == 0) {
        fprintf(stderr, "usage: notify_semaphore LIMIT\n");
        return 2;
    }
    sem_init(&work.event, 0, 0);
    work.running = WORKERS;
    /* SIGINT's handler refuses already, with 130. */
    if (rsig_init(0) < 0 || rsig_set_notify(post, &work.event) < 0 ||
        rsig_signal(SIGUSR1, on_question, NULL, NULL) < 0) {
        fprintf(stderr, "notify_semaphore: %s\n", rsig_error_message());
        return 1;
    }
    for (int i = 0; i < WORKERS; i++) {
        int error = pthread_create(&workers[i], NULL, count, NULL);
        if (error) {
            fprintf(stderr, "notify_semaphore: %s\n", strerror(error));
            return 1;
        }
    }
    printf("process %ld is counting\n", (long)getpid());

    while (work.running > 0) {
        sem_wait(&work.event); /* after EINTR too there is something to look at */
        if (rsig_tripped() && rsig_pump() < 0) {
            status = rsig_raised(NULL);
            break;
        }
    }
    work.stop = 1;
    for (int i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    if (status)
        printf("interrupted\n");
    else
        printf("primes below %lu: %lu\n", work.limit, work.primes);
    rsig_fini();
    return status;
}
