/* A plugin with librsig.a in it, for copies.c. */
#include "copy.h"

extern const struct copy plugin_copy;
const struct copy plugin_copy = THIS_COPY;
