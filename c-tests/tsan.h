/*
 * What rustc's ThreadSanitizer calls and the runtime of an older gcc's does not have. The functions that these call are checked.
 * Included in front of each file, by tools/torture.sh.
 */
#ifndef TSAN_H
#define TSAN_H

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((weak)) void *__tsan_memcpy(void *to, const void *from, size_t size) {
    return memcpy(to, from, size);
}

__attribute__((weak)) void *__tsan_memmove(void *to, const void *from, size_t size) {
    return memmove(to, from, size);
}

__attribute__((weak)) void *__tsan_memset(void *to, int byte, size_t size) {
    return memset(to, byte, size);
}
#ifdef __cplusplus
}
#endif

#endif
