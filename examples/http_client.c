/*
 * A web client that Ctrl-C ends at once, whatever it waits for.
 *
 *     cc http_client.c -o http_client $(pkg-config --cflags --libs rsig)
 *     ./http_server 8080 &
 *     ./http_client 8080
 *
 * It prints what a server on this machine answers, and gives up after half a minute. Exit status:
 * 0, 1 where there was no answer, or 130 after Ctrl-C.
 *
 * Each call goes on after a signal, unless its handler refuses; then it ends with EINTR. For SIGINT
 * rsig_init() has set such a handler.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <rsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

static int send_request(int fd) {
    for (size_t sent = 0; sent < sizeof request - 1;) {
        ssize_t n = rsig_send(fd, request + sent, sizeof request - 1 - sent, 0);
        if (n < 0) return -1;
        sent += (size_t)n;
    }
    return 0;
}

/* Up to where the server closes the connection. */
static int print_answer(int fd) {
    char text[4096];
    ssize_t got;
    while ((got = rsig_recv(fd, text, sizeof text, 0)) > 0) fwrite(text, 1, (size_t)got, stdout);
    return (int)got;
}

static int fetch(int fd, int port) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (rsig_connect(fd, (struct sockaddr *)&server, sizeof server) < 0) return -1;
    if (send_request(fd) < 0) return -1;
    return print_answer(fd);
}

/* The exit status. */
static int tell(int error) {
    int signum = 0, status = error == EINTR ? rsig_raised(&signum) : 1;
    const char *why = signum == SIGALRM ? "no answer in time" : strerror(error);
    fprintf(stderr, "http_client: %s\n", signum == SIGINT ? "interrupted" : why);
    return signum == SIGALRM ? 1 : status;
}

int main(int argc, char **argv) {
    int port = argc == 2 ? atoi(argv[1]) : 0;
    if (port < 1 || port > 65535) {
        fprintf(stderr, "usage: http_client PORT\n");
        return 2;
    }
    if (rsig_init(0) < 0 || rsig_signal(SIGALRM, rsig_default_int_handler, NULL, NULL) < 0) {
        fprintf(stderr, "http_client: %s\n", rsig_error_message());
        return 1;
    }
    rsig_alarm(30); /* for all of it together */

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int status = fd < 0 || fetch(fd, port) < 0 ? tell(errno) : 0;
    close(fd);
    rsig_alarm(0);
    rsig_fini();
    return status;
}
