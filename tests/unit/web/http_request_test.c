/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads of requests: good ones, cut ones, and those that must be refused. */
/* LINK: guests/web/http_request.c */

#include "../../../guests/web/http_request.h"

#include "test.h"

static struct http_request request;

static int parse(const char *text)
{
    /* Exactly as long as it is, so that reading beyond is seen. */
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    int rc;

    memcpy(copy, text, size);
    rc = http_request_parse(copy, size, &request);
    free(copy);
    return rc;
}

TEST("a plain request is taken apart")
{
    const char *text = "GET /a/b.html?x=1 HTTP/1.1\r\nHost: here\r\n\r\nGET";

    EXPECT_EQ(parse(text), (int)strlen(text) - 3);
    EXPECT_EQ(request.method, HTTP_GET);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(strcmp(request.path, "/a/b.html"), 0);
    EXPECT_EQ(request.body_size, 0);
}

TEST("a request cut anywhere is not complete")
{
    const char *text = "\r\nHEAD / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n";
    char part[128];

    for (size_t size = 0; size < strlen(text); size++) {
        memcpy(part, text, size);
        part[size] = '\0';
        EXPECT_EQ(parse(part), 0);
    }
    EXPECT_EQ(parse(text), (int)strlen(text));
    EXPECT_EQ(request.method, HTTP_HEAD);
}

TEST("connections stay or close as version and field say")
{
    parse("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(request.keep_alive);
    parse("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n");
    EXPECT_TRUE(request.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(request.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive,close\r\n\r\n");
    EXPECT_FALSE(request.keep_alive);
}

TEST("paths are decoded")
{
    parse("GET /%61%2e%7A HTTP/1.0\r\n\r\n");
    EXPECT_EQ(strcmp(request.path, "/a.z"), 0);
    parse("GET HTTP://host:8/x HTTP/1.0\r\n\r\n");
    EXPECT_EQ(strcmp(request.path, "/x"), 0);
    parse("GET http://host HTTP/1.0\r\n\r\n");
    EXPECT_EQ(strcmp(request.path, "/"), 0);
}

TEST("a body's size is known")
{
    EXPECT_TRUE(parse("POST / HTTP/1.0\r\nContent-Length: 12\r\n\r\n") > 0);
    EXPECT_EQ(request.method, HTTP_OTHER);
    EXPECT_EQ(request.body_size, 12);
}

TEST("what is malformed is refused, with its status")
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET\r\n\r\n", 400},
        {" / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"GET x HTTP/1.0\r\n\r\n", 400},
        {"GET /% HTTP/1.0\r\n\r\n", 400},
        {"GET /%4 HTTP/1.0\r\n\r\n", 400},
        {"GET /%zz HTTP/1.0\r\n\r\n", 400},
        {"GET /%00 HTTP/1.0\r\n\r\n", 400},
        {"G\x01T / HTTP/1.0\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nName : x\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nA: b\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nA: b\x01\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nContent-Length: \r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
         400},
        {"GET / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_EQ(parse(cases[i].text), -cases[i].status);
}

TEST("paths and heads that are too long are refused")
{
    static char text[2 * HTTP_HEAD_MAX];

    strcpy(text, "GET /");
    memset(text + 5, 'x', HTTP_PATH_MAX);
    strcpy(text + 5 + HTTP_PATH_MAX, " HTTP/1.0\r\n\r\n");
    EXPECT_EQ(parse(text), -414);

    strcpy(text, "GET / HTTP/1.0\r\nA: ");
    memset(text + 19, 'x', HTTP_HEAD_MAX);
    EXPECT_EQ(parse(text), -431);
    memset(text, '\n', sizeof(text) - 1);
    EXPECT_EQ(parse(text), -431);
}
