/* What copies.c uses of a copy of the library. */
#ifndef COPY_H
#define COPY_H

#include <rsig.h>

struct copy {
    __typeof__(&rsig_init) init;
    __typeof__(&rsig_fini) fini;
    __typeof__(&rsig_signal) signal;
    __typeof__(&rsig_getsignal) getsignal;
    __typeof__(&rsig_pump) pump;
    __typeof__(&rsig_read) read;
    __typeof__(&rsig_channel_open) channel_open;
    __typeof__(&rsig_channel_read) channel_read;
    __typeof__(&rsig_channel_close) channel_close;
};

#define THIS_COPY                                                                                  \
    {                                                                                              \
        rsig_init, rsig_fini, rsig_signal, rsig_getsignal, rsig_pump, rsig_read,                   \
            rsig_channel_open, rsig_channel_read, rsig_channel_close                               \
    }

#endif
