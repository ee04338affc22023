/*
 * A server with a thread for each connection, which hears the signals for itself.
 *
 *     cc echo_server.c -o echo_server -pthread $(pkg-config --cflags --libs rsig)
 *     ./echo_server [port]
 *     nc 127.0.0.1 PORT            in other terminals: what you type comes back
 *
 * At SIGTERM and SIGINT (Ctrl-C) each thread says good-bye to its visitor, and when all have done
 * so the program ends. No flag is shared and no pipe made for that: each thread has a channel that
 * gets its own copy of every signal, and polls it beside its connection.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct visitor {
    int fd;
    rsig_channel_t *channel;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int visitors;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "echo_server: %s: %s\n", what, why);
    exit(1);
}

static void count(int more) {
    pthread_mutex_lock(&lock);
    visitors += more;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int send_all(int fd, const char *text, size_t size) {
    for (size_t sent = 0; sent < size;) {
        ssize_t n = rsig_send(fd, text + sent, size - sent, 0);
        if (n < 0) return -1;
        sent += (size_t)n;
    }
    return 0;
}

/* On all threads but the main one, rsig's calls are the system's, repeated after EINTR. */
static void echo(const struct visitor *visitor) {
    struct pollfd fds[] = {{.fd = visitor->fd, .events = POLLIN},
                           {.fd = rsig_channel_fd(visitor->channel), .events = POLLIN}};
    while (rsig_poll(fds, 2, -1) > 0) {
        char text[4096];
        rsig_siginfo_t info;
        if (rsig_channel_read(visitor->channel, &info, 1) > 0) {
            int size = snprintf(text, sizeof text, "%s: good-bye\n", rsig_signame(info.signo));
            send_all(visitor->fd, text, (size_t)size);
            return;
        }
        if (!fds[0].revents) continue;
        ssize_t got = rsig_recv(visitor->fd, text, sizeof text, 0);
        if (got <= 0 || send_all(visitor->fd, text, (size_t)got) < 0) return;
    }
}

static void *serve(void *arg) {
    struct visitor *visitor = arg;
    echo(visitor);
    rsig_channel_close(visitor->channel);
    close(visitor->fd);
    free(visitor);
    count(-1);
    return NULL;
}

/* Waits for the next visitor; 0, or an errno: EINTR where we are told to stop. */
static int welcome(int listener, rsig_sigset_t stop_signals) {
    struct timeval patience = {10, 0}; /* for one who does not read */
    pthread_t thread;
    struct visitor *visitor = malloc(sizeof *visitor);
    if (!visitor) return errno;
    /* Before the visitor comes: a signal either ends rsig_accept(), or is in the channel. */
    int error = 0;
    visitor->channel = NULL;
    visitor->fd = -1;
    if (rsig_channel_open(stop_signals, 1, &visitor->channel) < 0 ||
        rsig_channel_fd(visitor->channel) < 0 ||
        (visitor->fd = rsig_accept(listener, NULL, NULL)) < 0 ||
        setsockopt(visitor->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
        error = errno;
    count(1);
    if (!error) error = pthread_create(&thread, NULL, serve, visitor);
    if (!error) return pthread_detach(thread);
    count(-1);
    if (visitor->channel) rsig_channel_close(visitor->channel);
    if (visitor->fd >= 0) close(visitor->fd);
    free(visitor);
    return error;
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("cannot listen", strerror(errno));
    printf("listening on port %d\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv) {
    rsig_action_t inherited;
    rsig_sigset_t stop_signals = RSIG_SIGSET(SIGTERM);
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* Handlers that refuse end rsig_accept(). SIGINT has one already, unless it is ignored. */
    if (rsig_init(0) < 0 || rsig_signal(SIGTERM, rsig_default_int_handler, NULL, NULL) < 0 ||
        rsig_getsignal(SIGINT, &inherited) < 0)
        fail("cannot set up", rsig_error_message());
    if (inherited.handler != RSIG_IGN) stop_signals |= RSIG_SIGSET(SIGINT);

    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0), error;
    while ((error = welcome(listener, stop_signals)) != EINTR) {
        if (error == 0) continue;
        fprintf(stderr, "echo_server: %s\n", strerror(error));
        if (rsig_sleep(1) < 0) break; /* too many visitors: some will leave */
    }
    close(listener);

    pthread_mutex_lock(&lock);
    printf("stopping\n");
    while (visitors > 0) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    printf("all visitors have left\n");
    rsig_fini();
    return 0;
}
