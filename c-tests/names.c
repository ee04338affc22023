/* rsig_strsignal(), rsig_signame(), rsig_signum(), rsig_constant() and rsig_valid_signals(). */
#include "check.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <sys/stat.h>
#include <sys/time.h>

static const struct {
    int number;
    const char *name, *description;
} standard[] = {
    {SIGHUP, "SIGHUP", "Hangup"},
    {SIGINT, "SIGINT", "Interrupt"},
    {SIGQUIT, "SIGQUIT", "Quit"},
    {SIGILL, "SIGILL", "Illegal instruction"},
    {SIGTRAP, "SIGTRAP", "Trace/breakpoint trap"},
    {SIGABRT, "SIGABRT", "Aborted"},
    {SIGBUS, "SIGBUS", "Bus error"},
    {SIGFPE, "SIGFPE", "Floating point exception"},
    {SIGKILL, "SIGKILL", "Killed"},
    {SIGUSR1, "SIGUSR1", "User defined signal 1"},
    {SIGSEGV, "SIGSEGV", "Segmentation fault"},
    {SIGUSR2, "SIGUSR2", "User defined signal 2"},
    {SIGPIPE, "SIGPIPE", "Broken pipe"},
    {SIGALRM, "SIGALRM", "Alarm clock"},
    {SIGTERM, "SIGTERM", "Terminated"},
    {SIGSTKFLT, "SIGSTKFLT", "Stack fault"},
    {SIGCHLD, "SIGCHLD", "Child exited"},
    {SIGCONT, "SIGCONT", "Continued"},
    {SIGSTOP, "SIGSTOP", "Stopped (signal)"},
    {SIGTSTP, "SIGTSTP", "Stopped"},
    {SIGTTIN, "SIGTTIN", "Stopped (tty input)"},
    {SIGTTOU, "SIGTTOU", "Stopped (tty output)"},
    {SIGURG, "SIGURG", "Urgent I/O condition"},
    {SIGXCPU, "SIGXCPU", "CPU time limit exceeded"},
    {SIGXFSZ, "SIGXFSZ", "File size limit exceeded"},
    {SIGVTALRM, "SIGVTALRM", "Virtual timer expired"},
    {SIGPROF, "SIGPROF", "Profiling timer expired"},
    {SIGWINCH, "SIGWINCH", "Window changed"},
    {SIGIO, "SIGIO", "I/O possible"},
    {SIGPWR, "SIGPWR", "Power failure"},
    {SIGSYS, "SIGSYS", "Bad system call"},
};
enum { STANDARD = sizeof standard / sizeof *standard };

static const int out_of_range[] = {0, -1, NSIG, NSIG + 1, 255, 256 + SIGINT, INT_MAX, INT_MIN};
enum { OUT_OF_RANGE = sizeof out_of_range / sizeof *out_of_range };

TEST(standard_signals,
     "each standard signal has its name and description, and the name its number") {
    for (int i = 0; i < STANDARD; i++) {
        CHECK_STR(rsig_signame(standard[i].number), standard[i].name);
        CHECK_STR(rsig_strsignal(standard[i].number), standard[i].description);
        CHECK_INT(rsig_signum(standard[i].name), standard[i].number);
    }
}

TEST(every_number,
     "each signal that a program may use has a name that leads back, and a description") {
    int named = 0;
    for (int n = 1; n < NSIG; n++) {
        if (n > SIGSYS && n < SIGRTMIN) continue;
        CHECK(rsig_signame(n) && rsig_strsignal(n));
        CHECK_INT(rsig_signum(rsig_signame(n)), n);
        for (int other = 1; other < n; other++)
            if (rsig_signame(other)) CHECK(strcmp(rsig_signame(other), rsig_signame(n)));
        named++;
    }
    CHECK_INT(named, STANDARD + SIGRTMAX - SIGRTMIN + 1);
}

TEST(aliases, "SIGCLD, SIGPOLL and SIGIOT are names too, though not the first") {
    CHECK_INT(rsig_signum("SIGCLD"), SIGCHLD);
    CHECK_INT(rsig_signum("SIGPOLL"), SIGPOLL);
    CHECK_INT(rsig_signum("SIGIOT"), SIGIOT);
    CHECK_STR(rsig_signame(SIGPOLL), "SIGIO");
    CHECK_STR(rsig_signame(SIGIOT), "SIGABRT");
}

TEST(real_time,
     "real-time signals are counted from SIGRTMIN or SIGRTMAX, and both are understood") {
    CHECK_STR(rsig_signame(SIGRTMIN), "SIGRTMIN");
    CHECK_STR(rsig_signame(SIGRTMAX), "SIGRTMAX");
    CHECK_STR(rsig_signame(SIGRTMIN + 3), "SIGRTMIN+3");
    CHECK_STR(rsig_signame(SIGRTMAX - 2), "SIGRTMAX-2");
    int span = SIGRTMAX - SIGRTMIN;
    for (int k = 0; k <= span; k++) {
        char name[32], description[32];
        snprintf(name, sizeof name, "SIGRTMIN+%d", k);
        CHECK_INT(rsig_signum(name), SIGRTMIN + k);
        snprintf(name, sizeof name, "SIGRTMAX-%d", k);
        CHECK_INT(rsig_signum(name), SIGRTMAX - k);
        snprintf(description, sizeof description, "Real-time signal %d", k);
        CHECK_STR(rsig_strsignal(SIGRTMIN + k), description);
    }
    char beyond[32];
    snprintf(beyond, sizeof beyond, "SIGRTMIN+%d", span + 1);
    CHECK_ERROR(rsig_signum(beyond), RSIG_ERROR_VALUE, EINVAL);
    snprintf(beyond, sizeof beyond, "SIGRTMAX-%d", span + 1);
    CHECK_ERROR(rsig_signum(beyond), RSIG_ERROR_VALUE, EINVAL);
}

TEST(reserved, "the C library's own signals have no name and no description, which is no error") {
    int reserved = 0;
    for (int n = SIGSYS + 1; n < SIGRTMIN; n++, reserved++) {
        errno = ERANGE;
        CHECK(!rsig_strsignal(n));
        CHECK_INT(errno, 0);
        errno = ERANGE;
        CHECK(!rsig_signame(n));
        CHECK_INT(errno, 0);
    }
    CHECK(reserved > 0);
    CHECK_STR(rsig_error_message(), "");
}

TEST(invalid_numbers, "a number out of range has neither, with EINVAL and a message") {
    for (int i = 0; i < OUT_OF_RANGE; i++) {
        const char *(*const lookup[])(int) = {rsig_strsignal, rsig_signame};
        for (int which = 0; which < 2; which++) {
            char number[32];
            snprintf(number, sizeof number, "%d", out_of_range[i]);
            CHECK_ERROR(rsig_signum("X"), RSIG_ERROR_VALUE, EINVAL); /* another message first */
            errno = 0;
            CHECK(!lookup[which](out_of_range[i]));
            CHECK_INT(errno, EINVAL);
            CHECK(strstr(rsig_error_message(), number));
            CHECK(strstr(rsig_error_message(), "64"));
        }
    }
}

TEST(fixed_pointers, "the strings stay where they are") {
    for (int n = 1; n < NSIG; n++) {
        const char *name = rsig_signame(n), *description = rsig_strsignal(n);
        rsig_signame(SIGINT);
        rsig_strsignal(SIGRTMAX);
        CHECK(rsig_signame(n) == name);
        CHECK(rsig_strsignal(n) == description);
    }
}

/* A catalogue with which the C library says `to` for `from`: gettext's .mo format, one string. */
static void write_catalogue(const char *path, const char *from, const char *to) {
    uint32_t head[] = {0x950412de, 0, 1, 28, 36, 0, 44, (uint32_t)strlen(from), 44,
                       (uint32_t)strlen(to), 44 + (uint32_t)strlen(from) + 1};
    FILE *file = fopen(path, "w");
    CHECK(file);
    CHECK_INT(fwrite(head, sizeof head, 1, file), 1);
    CHECK_INT(fwrite(from, strlen(from) + 1, 1, file), 1);
    CHECK_INT(fwrite(to, strlen(to) + 1, 1, file), 1);
    CHECK_INT(fclose(file), 0);
}

TEST(not_localised,
     "the description is English where the C library's own speaks another language") {
    static const char *const below[] = {"", "/xx", "/xx/LC_MESSAGES"};
    char folder[] = "rsig-XXXXXX", path[128];
    CHECK(mkdtemp(folder));
    for (int i = 1; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", folder, below[i]);
        CHECK_SYS(mkdir(path, 0700));
    }
    snprintf(path, sizeof path, "%s/xx/LC_MESSAGES/libc.mo", folder);
    write_catalogue(path, "Interrupt", "Unterbrechung");
    setenv("LANGUAGE", "xx", 1);
    const char *locale = NULL, *const candidates[] = {"C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8"};
    for (int i = 0; i < 3 && !locale; i++) locale = setlocale(LC_ALL, candidates[i]);
    bindtextdomain("libc", folder);
    int translated = !strcmp(strsignal(SIGINT), "Unterbrechung");
    CHECK_SYS(unlink(path));
    for (int i = 2; i >= 0; i--) {
        snprintf(path, sizeof path, "%s%s", folder, below[i]);
        CHECK_SYS(rmdir(path));
    }
    CHECK_STR(rsig_strsignal(SIGINT), "Interrupt");
    if (!translated) check_skip("no locale that makes the C library translate");
}

TEST(unknown_names, "what is no signal's name is refused, and the message shows it") {
    static const char *const unknown[] = {
        "",           "INT",         "sigint",      "SigInt",       "SIGINT ",      " SIGINT",
        "SIGINT\n",   "SIG",         "SIGFOO",      "2",            "SIGINTX",      "SIGRT",
        "SIGRTMIN+",  "SIGRTMIN-1",  "SIGRTMAX+1",  "SIGRTMIN+-1",  "SIGRTMIN++1",  "SIGRTMIN+ 1",
        "SIGRTMIN+x", "SIGRTMIN1",   "SIGRTMAX-",   "SIGRTMIN+001", "SIGRTMIN+1x",  "SIG_DFL",
        "NSIG",       "SIGSTKSZ",    "SIGEMT",      "SIGBREAK",     "SIGRTMIN+300",
        "SIGRTMAX-4294967296",
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_ERROR(rsig_signum(unknown[i]), RSIG_ERROR_VALUE, EINVAL);
        if (!strchr(unknown[i], '\n')) CHECK(strstr(rsig_error_message(), unknown[i]));
    }
    CHECK_ERROR(rsig_signum(NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "name") && strstr(rsig_error_message(), "NULL"));
}

TEST(weird_names,
     "whatever bytes a name has, the message is a printable line of at most 255 bytes") {
    enum { LONG = 1 << 20 };
    char all[256], *huge = malloc(LONG);
    int value = 99;
    CHECK(huge);
    for (int i = 0; i < 255; i++) all[i] = (char)(i + 1);
    all[255] = '\0';
    memset(huge, 'A', LONG - 1);
    huge[LONG - 1] = '\0';
    const char *const names[] = {all,  huge,      "\xff\xfe", "%s%n%d", "\"\\\r\n\t\033[31m",
                                 "{}", "SIG\xc3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int which = 0; which < 2; which++) {
            if (which == 0)
                CHECK_ERROR(rsig_signum(names[i]), RSIG_ERROR_VALUE, EINVAL);
            else
                CHECK_ERROR(rsig_constant(names[i], &value), RSIG_ERROR_VALUE, EINVAL);
            const char *message = rsig_error_message();
            CHECK(strlen(message) <= 255);
            for (; *message; message++) CHECK(*message >= ' ' && *message <= '~');
        }
    }
    CHECK_INT(value, 99);
    free(huge);
}

TEST(constants, "each constant of Python's module has the platform's value") {
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        {"SIG_DFL", 0},
        {"SIG_IGN", 1},
        {"SIG_BLOCK", SIG_BLOCK},
        {"SIG_UNBLOCK", SIG_UNBLOCK},
        {"SIG_SETMASK", SIG_SETMASK},
        {"ITIMER_REAL", ITIMER_REAL},
        {"ITIMER_VIRTUAL", ITIMER_VIRTUAL},
        {"ITIMER_PROF", ITIMER_PROF},
        {"NSIG", NSIG},
        {"SIGCLD", SIGCHLD},
        {"SIGPOLL", SIGPOLL},
        {"SIGIOT", SIGIOT},
    };
    int value;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        value = 99;
        CHECK_INT(rsig_constant(constants[i].name, &value), RSIG_OK);
        CHECK_INT(value, constants[i].value);
    }
    CHECK((rsig_handler_t)0 == RSIG_DFL && SIG_DFL == (void (*)(int))0);
    CHECK((rsig_handler_t)1 == RSIG_IGN && SIG_IGN == (void (*)(int))1);
    for (int i = 0; i < STANDARD; i++) {
        value = 99;
        CHECK_INT(rsig_constant(standard[i].name, &value), RSIG_OK);
        CHECK_INT(value, standard[i].number);
    }
    CHECK_INT(rsig_constant("SIGRTMIN", &value), RSIG_OK);
    CHECK_INT(value, SIGRTMIN);
    CHECK_INT(rsig_constant("SIGRTMAX", &value), RSIG_OK);
    CHECK_INT(value, SIGRTMAX);
    CHECK_INT(rsig_constant("SIGRTMIN+3", &value), RSIG_OK);
    CHECK_INT(value, SIGRTMIN + 3);
}

TEST(constants_of_others,
     "what only other platforms have is unsupported, and the message names it") {
    static const char *const others[] = {"CTRL_C_EVENT", "CTRL_BREAK_EVENT", "SIGBREAK",
                                         "SIGEMT",       "SIGINFO",          "SIGLOST"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int value = 99;
        CHECK_ERROR(rsig_constant(others[i], &value), RSIG_ERROR_UNSUPPORTED, ENOSYS);
        CHECK(strstr(rsig_error_message(), others[i]));
        CHECK_INT(value, 99);
    }
}

TEST(unknown_constants, "an unknown name, or NULL, is refused and nothing is stored") {
    static const char *const unknown[] = {"",      "SIG",    "SIG_ERR", "nsig",
                                          "NSIG ", "SIGFOO", "ITIMER"};
    int value = 99;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_ERROR(rsig_constant(unknown[i], &value), RSIG_ERROR_VALUE, EINVAL);
        CHECK(strstr(rsig_error_message(), unknown[i]));
    }
    CHECK_ERROR(rsig_constant(NULL, &value), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "name"));
    CHECK_INT(value, 99);
    CHECK_ERROR(rsig_constant("SIGINT", NULL), RSIG_ERROR_VALUE, EINVAL);
    CHECK(strstr(rsig_error_message(), "value"));
}

TEST(valid, "the valid signals are those of sigfillset()") {
    sigset_t full;
    sigfillset(&full);
    for (int n = 1; n < NSIG; n++)
        CHECK_INT((rsig_valid_signals() >> (n - 1)) & 1, sigismember(&full, n) == 1);
    for (int n = 1; n < NSIG; n++)
        CHECK_INT((rsig_valid_signals() >> (n - 1)) & 1, rsig_signame(n) != NULL);
}
