/*
 * The C programs under valgrind. Included in front of each file, by tools/torture.sh.
 */
#ifndef VALGRIND_H
#define VALGRIND_H

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* It keeps the highest real-time signal for itself, and does not say so. This is SIGRTMAX, for rsig too. */
#ifdef __cplusplus
extern "C" int __libc_current_sigrtmax(void) throw() { return 63; }
#else
int __libc_current_sigrtmax(void) { return 63; }
#endif

/* After kill(2), but not after these, it looks for signals, so that what a thread sends itself is there before it goes on. */
static inline int valgrind_looks(int result) {
    kill(getpid(), 0);
    return result;
}

/* It cannot always make the main thread's stack larger for a signal's frame. */
__attribute__((constructor)) static void valgrind_makes_room(void) {
    volatile char room[1 << 20];
    for (size_t i = sizeof room; i > 0; i -= 1024) room[i - 1] = 0;
}

#define pthread_sigqueue(thread, signum, value) \
    valgrind_looks(pthread_sigqueue(thread, signum, value))
#define sigqueue(pid, signum, value) valgrind_looks(sigqueue(pid, signum, value))

#endif
