/* rsig_version() and the header's version agree. */
#include "check.h"

TEST(header_and_library_agree, "the library's version is the header's") {
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", RSIG_VERSION_MAJOR, RSIG_VERSION_MINOR,
             RSIG_VERSION_PATCH);
    CHECK_STR(rsig_version(), text);
}
