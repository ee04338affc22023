/*
 * Writes more than anybody wants to read, and ends quietly when the reader has gone: the note on
 * SIGPIPE of Python's signal documentation.
 *
 *     cc sigpipe.c -o sigpipe $(pkg-config --cflags --libs rsig)
 *     ./sigpipe | head -1
 *
 * rsig_init() ignores SIGPIPE, so that a write without a reader is an error like others, EPIPE, and
 * the program can still clean up. Exit status: 0 if all was written, else 1.
 */
#include <errno.h>
#include <rsig.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    if (rsig_init(0) < 0) {
        fprintf(stderr, "sigpipe: %s\n", rsig_error_message());
        return 1;
    }

    int error = 0;
    for (long line = 0; line < 1000000 && !error; line++)
        if (puts("y") == EOF) error = errno;
    /*
     * Not left to exit(), which would write what stdio still holds where nobody sees it fail; and
     * after rsig_fini(), when SIGPIPE kills again.
     */
    if (fclose(stdout) == EOF && !error) error = errno;

    /* A reader that has had enough is no news to anybody. */
    if (error && error != EPIPE) fprintf(stderr, "sigpipe: %s\n", strerror(error));
    rsig_fini();
    return error != 0;
}
