/* A plugin with its own static copy of the library, for host.c. */
#include <rsig.h>
#include <stddef.h>

int plugin_calls;

static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    (void)signum;
    (void)arg;
    plugin_calls += (int)info->count;
    return 0;
}

int plugin_start(void);
int plugin_start(void) {
    rsig_action_t old;
    if (rsig_pump() != RSIG_ERROR_STATE) return 1; /* this copy is not the host's */
    if (rsig_init(0) != RSIG_OK) return 2;
    if (rsig_signal(SIGUSR2, handler, NULL, &old) != RSIG_OK || old.handler != RSIG_DFL) return 3;
    /* The host has it: to this copy a handler like any other. */
    if (rsig_signal(SIGUSR1, handler, NULL, &old) != RSIG_OK) return 4;
    return old.handler == RSIG_FOREIGN ? 0 : 5;
}

int plugin_pump(void);
int plugin_pump(void) { return rsig_pump(); }

int plugin_stop(void);
int plugin_stop(void) { return rsig_fini(); }
