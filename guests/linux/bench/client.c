/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetches a page many times over one TCP connection, and says how many ticks of
 * the time-stamp counter each answer took, from the request to its last byte.
 *
 *   client ADDRESS PATH TIMES NAME     prints bench,NAME,MEDIAN,LEAST,MOST and
 *                                      client,NAME,ANSWERS,BYTES,TICKS
 *
 * It waits until somebody listens, for two minutes at most.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PORT = 80,
    TRIES = 1200,
    TRY_MICROSECONDS = 100 * 1000,
    BUFFER = 64 * 1024,
    MOST_TIMES = 100 * 1000,
};

static char buffer[BUFFER];

static uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int connect_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        fail(address);
    for (int left = TRIES; left > 0; left--) {
        int at = socket(AF_INET, SOCK_STREAM, 0);
        if (at < 0)
            fail("socket");
        if (connect(at, (struct sockaddr *)&to, sizeof to) == 0)
            return at;
        (void)close(at);
        (void)usleep(TRY_MICROSECONDS);
    }
    fail("connect");
    return -1;
}

static size_t receive(int at, size_t offset)
{
    ssize_t got = recv(at, buffer + offset, sizeof buffer - 1 - offset, 0);
    if (got <= 0)
        fail("recv");
    return (size_t)got;
}

/* One request and its answer; returns how long its body is. */
static uint64_t fetch(int at, const char *request)
{
    size_t length = strlen(request), have = 0;
    if (send(at, request, length, 0) != (ssize_t)length)
        fail("send");
    const char *end = NULL;
    while (!end) {
        have += receive(at, have);
        buffer[have] = 0;
        end = strstr(buffer, "\r\n\r\n");
        if (!end && have == sizeof buffer - 1)
            fail("header");
    }
    const char *size = strcasestr(buffer, "\r\nContent-Length:");
    if (strncmp(buffer, "HTTP/1.1 200", 12) != 0 || !size || size > end)
        fail("answer");
    uint64_t body = strtoull(strchr(size, ':') + 1, NULL, 10);
    uint64_t left = body - (have - (size_t)(end + 4 - buffer));
    while (left)
        left -= receive(at, 0);
    return body;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

int main(int count, char **words)
{
    char request[1024];
    size_t times = count == 5 ? strtoul(words[3], NULL, 10) : 0;
    if (times == 0 || times > MOST_TIMES) {
        fprintf(stderr, "usage: client ADDRESS PATH TIMES NAME\n");
        return 2;
    }
    (void)snprintf(request, sizeof request,
                   "GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", words[2], words[1]);
    uint64_t *took = calloc(times, sizeof *took);
    if (!took)
        fail("calloc");
    int at = connect_to(words[1]);
    (void)fetch(at, request); /* the first one is not counted */
    uint64_t bytes = 0, began = ticks();
    for (size_t i = 0; i < times; i++) {
        uint64_t start = ticks();
        bytes += fetch(at, request);
        took[i] = ticks() - start;
    }
    uint64_t total = ticks() - began;
    qsort(took, times, sizeof took[0], compare);
    printf("bench,%s,%llu,%llu,%llu\n", words[4],
           (unsigned long long)took[times / 2], (unsigned long long)took[0],
           (unsigned long long)took[times - 1]);
    printf("client,%s,%zu,%llu,%llu\n", words[4], times,
           (unsigned long long)bytes, (unsigned long long)total);
    free(took);
    return 0;
}
