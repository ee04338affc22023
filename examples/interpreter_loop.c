/*
 * A tiny interpreter that looks for signals at every jump back, for the price of one load.
 *
 *     cc interpreter_loop.c -o interpreter_loop $(pkg-config --cflags --libs rsig)
 *     ./interpreter_loop [seconds]
 *
 * Its program counts for ever. SIGALRM, after so many seconds, sends it to a line of its own;
 * Ctrl-C ends it like an error of the program's, with a line number. Exit status: 0 where the
 * program ended itself, 130 after Ctrl-C.
 */
#define _XOPEN_SOURCE 700
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>

enum opcode { ADD, JUMP, PRINT_TIME_UP, HALT };

struct instruction {
    enum opcode opcode;
    int operand, line;
};

static const struct instruction program[] = {
    {ADD, 1, 10},  /* 10 LET N = N + 1 */
    {JUMP, 0, 20}, /* 20 GOTO 10 */
};

/* ON ALARM */
static const struct instruction on_alarm[] = {
    {PRINT_TIME_UP, 0, 100}, /* 100 PRINT "time is up, N > 0:"; N > 0 */
    {HALT, 0, 110},          /* 110 END */
};

struct machine {
    const struct instruction *next; /* a handler may send the program elsewhere */
    unsigned long number;
};

/* Runs between two instructions, where the machine is in order. */
static int alarm_rings(int signum, const rsig_siginfo_t *info, void *arg) {
    struct machine *machine = arg;
    (void)signum, (void)info;
    machine->next = on_alarm;
    return 0;
}

/* The program's exit status. */
static int interpret(struct machine *machine) {
    /* One word for all signals, at an address that never changes. */
    const volatile uint64_t *tripped = rsig_tripped_flags();
    for (;;) {
        const struct instruction *now = machine->next++;
        switch (now->opcode) {
        case ADD:
            machine->number += (unsigned long)now->operand;
            break;
        case JUMP:
            machine->next = program + now->operand;
            /* Each loop has a jump back, so none keeps a handler waiting. */
            if (*tripped && rsig_pump() < 0) {
                int signum, status = rsig_raised(&signum);
                printf("line %d: %s\n", now->line, rsig_signame(signum));
                return status;
            }
            break;
        case PRINT_TIME_UP:
            printf("time is up, N > 0: %s\n", machine->number > 0 ? "yes" : "no");
            break;
        case HALT:
            return 0;
        }
    }
}

int main(int argc, char **argv) {
    struct machine machine = {program, 0};
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    /* SIGINT's handler is rsig_default_int_handler() already: it refuses, with 130. */
    if (rsig_init(0) < 0 || rsig_signal(SIGALRM, alarm_rings, &machine, NULL) < 0 ||
        rsig_setitimer(ITIMER_REAL, seconds, 0, NULL) < 0) {
        fprintf(stderr, "interpreter_loop: %s\n", rsig_error_message());
        return 1;
    }
    printf("counting\n");
    fflush(stdout);
    int status = interpret(&machine);
    rsig_fini();
    return status;
}
