/*
 * A web server that stops when it is told to, but not in the middle of an answer.
 *
 *     cc http_server.c -o http_server $(pkg-config --cflags --libs rsig)
 *     ./http_server [port]
 *
 * SIGINT (Ctrl-C) and SIGTERM stop it. To keep the example short it serves one visitor after the
 * other, and one page. http_client.c is a visitor.
 *
 * Its calls are the ones that it would make without signals. The handler refuses, so that the call
 * which the signal finds fails with EINTR; and where that comes just before the call, it fails too.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE "<!doctype html><title>rsig</title><p>Stop me with Ctrl-C.</p>\n"
#define PATIENCE 60 /* seconds for a visitor to say something */

struct server {
    int listener;
    int stop_signal; /* 0 while nobody has asked it to stop */
    int visitors;
};

static void fail(const char *what, const char *why) {
    fprintf(stderr, "http_server: %s: %s\n", what, why);
    exit(1);
}

/* Runs inside the call that waits, where it may print; in a real signal handler it might not. */
static int on_stop(int signum, const rsig_siginfo_t *info, void *arg) {
    struct server *server = arg;
    if (server->stop_signal) return 0; /* timeout(1), for one, tells it twice */
    server->stop_signal = signum;
    if (info->pid)
        printf("%s from process %d: stopping\n", rsig_signame(signum), (int)info->pid);
    else
        printf("%s from the terminal: stopping\n", rsig_signame(signum));
    return 1;
}

static void handle(struct server *server, int signum) {
    rsig_action_t inherited;
    if (rsig_getsignal(signum, &inherited) < 0) fail("rsig_getsignal", rsig_error_message());
    /* A script's shell starts `http_server &` with SIGINT ignored: Ctrl-C is not meant for it. */
    if (inherited.handler == RSIG_IGN) return;
    if (rsig_signal(signum, on_stop, server, NULL) < 0) fail("rsig_signal", rsig_error_message());
}

static void set_up_signals(struct server *server) {
    if (rsig_init(0) < 0) fail("rsig_init", rsig_error_message());
    handle(server, SIGINT);
    handle(server, SIGTERM);
}

static void listen_on(struct server *server, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("cannot listen", strerror(errno));
    server->listener = fd;
    printf("listening on http://127.0.0.1:%d/\n", ntohs(address.sin_port));
}

/* Reads up to the empty line that ends a request; 0, or -1 if there will be none. */
static int read_request(struct server *server, int fd) {
    char text[8192] = "";
    size_t size = 0;
    while (!strstr(text, "\r\n\r\n")) {
        /* Browsers connect in advance; one that has asked for nothing shall not hold us up. */
        double patience = server->stop_signal && size == 0 ? 0 : PATIENCE;
        struct pollfd visitor = {.fd = fd, .events = POLLIN};
        ssize_t got = rsig_poll(&visitor, 1, patience);
        if (got == 0 && patience > 0)
            printf("visitor %d says nothing any more\n", server->visitors);
        /* Also 0 when there is no room left: nobody needs that long a request here. */
        if (got > 0) got = rsig_recv(fd, text + size, sizeof text - 1 - size, 0);
        if (got < 0 && errno == EINTR) continue; /* told to stop: this visitor is the last one */
        if (got <= 0) return -1;
        size += (size_t)got;
        text[size] = '\0';
    }
    return 0;
}

static void serve(struct server *server, int fd) {
    char answer[512];
    if (read_request(server, fd) < 0) return;
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n" PAGE,
                        strlen(PAGE));
    for (int sent = 0; sent < size;) {
        ssize_t n = rsig_send(fd, answer + sent, (size_t)(size - sent), 0);
        if (n < 0 && errno == EINTR) continue; /* told to stop in the middle of it, it goes on */
        if (n < 0) return; /* the visitor has gone; but for rsig_init(), SIGPIPE had killed us */
        sent += (int)n;
    }
}

int main(int argc, char **argv) {
    char *end = "";
    long port = argc > 1 ? strtol(argv[1], &end, 10) : 0;
    if (argc > 2 || *end || port < 0 || port > 65535) {
        fprintf(stderr, "usage: http_server [port]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads the log through a pipe wants each line now */

    struct server server = {0};
    set_up_signals(&server); /* before anybody can learn where to connect */
    listen_on(&server, (int)port);

    while (!server.stop_signal) {
        int fd = rsig_accept(server.listener, NULL, NULL);
        if (fd < 0) continue; /* told to stop, or the visitor has gone again */
        printf("visitor %d\n", ++server.visitors);
        serve(&server, fd);
        close(fd);
    }

    printf("stopped, visitors: %d\n", server.visitors);
    rsig_fini();
    return 0;
}
