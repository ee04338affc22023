/*
 * Fork handlers of the program's that use rsig and are registered as early as a program can, before main(). A shared library's own
 * are registered before anyway; what rsig does for it is seen by this program with librsig.a (tests/static_library.rs).
 */
#include "check.h"

static rsig_action_t in_parent, in_child;

static void use(rsig_action_t *found) {
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_INT(rsig_getsignal(SIGTERM, found), RSIG_OK);
    CHECK_INT(rsig_fini(), RSIG_OK);
}

static void before(void) { use(&in_parent); }
static void after_in_parent(void) { use(&in_parent); }
static void after_in_child(void) { use(&in_child); }

/* The first that is not the C library's or the compiler's. */
__attribute__((constructor(101))) static void early(void) {
    CHECK_INT(pthread_atfork(before, after_in_parent, after_in_child), 0);
}

static void was_used(void) { CHECK(in_child.handler == RSIG_DFL); }

TEST(fork_handlers, "rsig's own lock is not held in them, as rsig's fork handlers were there before") {
    in_parent.handler = in_child.handler = RSIG_IGN;
    CHECK_INT(rsig_init(0), RSIG_OK);
    CHECK_CHILD_OK(check_child(was_used));
    CHECK(in_parent.handler == RSIG_DFL);
    CHECK_INT(rsig_fini(), RSIG_OK);
}
