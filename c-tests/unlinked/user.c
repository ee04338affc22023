/* What any user's program does with the library; how it is linked is the test's business. */
#include <rsig.h>
#include <stdio.h>
#include <string.h>

static int calls;

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum;
    (void)arg;
    calls += (int)info->count;
    return 7;
}

int main(void) {
    int raised;
    if (rsig_init(0) != RSIG_OK || rsig_signal(SIGUSR1, handler, NULL, NULL) != RSIG_OK) return 1;
    if (rsig_raise_signal(SIGUSR1) != RSIG_ERROR_HANDLER || calls != 1) return 2;
    if (rsig_raised(&raised) != 7 || raised != SIGUSR1) return 3;
    if (!strstr(rsig_error_message(), "SIGUSR1")) return 4;
    if (rsig_fini() != RSIG_OK) return 5;
    puts(rsig_version());
    return 0;
}
