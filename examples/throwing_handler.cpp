/*
 * Ctrl-C as a C++ exception, out of a read that waits, as Python has it.
 *
 *     c++ throwing_handler.cpp -o throwing_handler $(pkg-config --cflags --libs rsig)
 *     ./throwing_handler
 *
 * It copies lines until the end of its input (status 0) or Ctrl-C (status 130). The handler is
 * ordinary code that rsig_read() calls, so what it throws goes to who called rsig_read(), and the
 * destructors on the way run. The next Ctrl-C, while it cleans up, finds everything in order.
 */
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <rsig.h>
#include <stdexcept>
#include <string>
#include <system_error>

struct KeyboardInterrupt : std::exception {
    const char *what() const noexcept override { return "interrupted by the keyboard"; }
};

static int interrupt(int, const rsig_siginfo_t *, void *) { throw KeyboardInterrupt(); }

static int check(int result) {
    if (result < 0) throw std::runtime_error(rsig_error_message());
    return result;
}

/* The library, and Ctrl-C as an exception, for as long as an object of this lives. */
class Signals {
  public:
    Signals() {
        rsig_action_t inherited;
        check(rsig_init(0));
        check(rsig_getsignal(SIGINT, &inherited));
        /* A shell's script starts background jobs with SIGINT ignored: Ctrl-C is not for them. */
        if (inherited.handler != RSIG_IGN) check(rsig_signal(SIGINT, interrupt, nullptr, nullptr));
    }
    ~Signals() { rsig_fini(); }
    Signals(const Signals &) = delete;
    Signals &operator=(const Signals &) = delete;
};

/* What is done with each line; its end is told however the work ends. */
class Copy {
  public:
    Copy() { std::puts("copying"), std::fflush(stdout); }
    ~Copy() { std::printf("lines copied: %d\n", lines); }
    Copy(const Copy &) = delete;
    Copy &operator=(const Copy &) = delete;

    void from(int fd) {
        char buffer[4096];
        for (;;) {
            ssize_t size = rsig_read(fd, buffer, sizeof buffer);
            if (size < 0) throw std::system_error(errno, std::generic_category(), "read");
            if (size == 0) return;
            std::fwrite(buffer, 1, static_cast<std::size_t>(size), stdout);
            std::fflush(stdout);
            for (ssize_t i = 0; i < size; i++) lines += buffer[i] == '\n';
        }
    }

  private:
    int lines = 0;
};

int main() {
    try {
        Signals signals;
        try {
            Copy().from(0);
        } catch (const KeyboardInterrupt &error) {
            std::printf("%s\n", error.what());
            return RSIG_KEYBOARD_INTERRUPT;
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "throwing_handler: %s\n", error.what());
        return 1;
    }
    return 0;
}
