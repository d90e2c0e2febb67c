/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP over lwIP's raw API; see http_server.h.
 *
 * serve() is the heart: called whenever something may have become possible, it
 * goes on with the answer under way, then with the next request, until it
 * lacks input or room to send.  A request is dropped from the input only when
 * its answer has been accepted for sending.
 */

#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <rt/time.h>

#include "content.h"
#include "http_request.h"
#include "lwip/tcp.h"

/* lwIP calls connection_poll() every so many half seconds. */
#define POLL_INTERVAL 4U
#define IDLE_POLLS    (HTTP_IDLE_SECONDS * 2U / POLL_INTERVAL)

#define HEADER_MAX 512U

/* Buffers that the input of one connection may lie in. */
#define PIECES_MAX 16U

struct connection {
    TAILQ_ENTRY(connection) link; /* in connections */
    struct tcp_pcb *pcb;
    struct pbuf *input; /* not looked at yet; NULL: none */
    const char *body;   /* constant content still to be sent */
    size_t body_left;
    uint64_t skip; /* of a request's body, to be ignored */
    unsigned int idle_polls;
    bool closing; /* close when all is sent; take no more requests */
    bool ended;   /* the client will send no more */
};

/* The one whose last answer, or opening, is longest ago comes first. */
static TAILQ_HEAD(connection_list,
                  connection) connections = TAILQ_HEAD_INITIALIZER(connections);

struct http_server_stats http_server_stats;

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Error";
    }
}

/* "Date: ...\r\n", made once a second. */
static const char *date_field(void)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static char text[64];
    static time_t made;
    time_t now = (time_t)(rt_wall_ns() / RT_NS_PER_S);
    struct tm tm;

    if (now != made) {
        made = now;
        gmtime_r(&now, &tm);
        sniprintf(text, sizeof(text),
                  "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n",
                  days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
                  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
    return text;
}

/* --- The end of a connection ---------------------------------------------- */

static void forget(struct connection *c)
{
    if (c->input)
        pbuf_free(c->input);
    TAILQ_REMOVE(&connections, c, link);
    free(c);
    http_server_stats.connections--;
}

static void drop_input(struct connection *c, size_t size)
{
    tcp_recved(c->pcb, (u16_t)size);
    c->input = pbuf_free_header(c->input, (u16_t)size);
}

/* False: lwIP has no memory for it now; the poll tries again. */
static bool close_connection(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    /* Input that nobody took would turn the close into a reset. */
    if (c->input)
        drop_input(c, c->input->tot_len);
    if (tcp_close(pcb) != ERR_OK)
        return false;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
    forget(c);
    return true;
}

/* --- Answers -------------------------------------------------------------- */

/* What a status and a request make of an answer. */
struct answer {
    int status;
    bool head_only;
    bool keep_alive;
    struct content content;
};

static size_t make_header(const struct answer *answer, char *header)
{
    const struct content *content = &answer->content;
    int size =
        sniprintf(header, HEADER_MAX,
                  "HTTP/1.1 %d %s\r\nServer: Cairn\r\n%s"
                  "Content-Type: %s\r\nContent-Length: %lu\r\n"
                  "%s%s%s%s%s\r\n",
                  answer->status, reason_of(answer->status), date_field(),
                  content->type, (unsigned long)content->size,
                  answer->status == 405 ? "Allow: GET, HEAD\r\n" : "",
                  content->etag ? "ETag: " : "Cache-Control: no-store",
                  content->etag ? content->etag : "", "\r\n",
                  answer->keep_alive ? "Connection: keep-alive\r\n"
                                     : "Connection: close\r\n");

    return (size_t)size;
}

/* Header, and content that will not stay, in one piece.  False: no room. */
static bool send_answer(struct connection *c, const struct answer *answer)
{
    static char out[HEADER_MAX + CONTENT_PAGE_MAX];
    const struct content *content = &answer->content;
    bool has_body = !answer->head_only && answer->status != 304;
    size_t size = make_header(answer, out);
    u8_t flags = TCP_WRITE_FLAG_COPY;

    if (has_body && !content->constant) {
        memcpy(out + size, content->data, content->size);
        size += content->size;
    }
    if (has_body && content->constant)
        flags |= TCP_WRITE_FLAG_MORE;
    if (tcp_sndbuf(c->pcb) < size ||
        tcp_write(c->pcb, out, (u16_t)size, flags) != ERR_OK)
        return false;

    if (has_body && content->constant) {
        c->body = content->data;
        c->body_left = content->size;
    }
    c->closing = !answer->keep_alive;
    http_server_stats.requests++;
    return true;
}

static bool etag_matches(const struct http_request *request, const char *etag)
{
    size_t size = strlen(etag);
    const char *at = request->if_none_match;
    size_t left = request->if_none_match_size;

    if (left == 1 && at[0] == '*')
        return true;
    for (; left >= size; at++, left--)
        if (memcmp(at, etag, size) == 0)
            return true;
    return false;
}

static void find_answer(const struct http_request *request,
                        struct answer *answer)
{
    answer->head_only = request->method == HTTP_HEAD;
    answer->keep_alive = request->keep_alive;
    answer->status = 200;
    if (request->method == HTTP_OTHER)
        answer->status = 405;
    else if (!content_find(request->path, &answer->content))
        answer->status = 404;
    else if (answer->content.etag && request->if_none_match &&
             etag_matches(request, answer->content.etag))
        answer->status = 304;
    if (answer->status >= 400)
        content_error(answer->status, reason_of(answer->status),
                      &answer->content);
}

/* Constant content goes out without being copied. */
static void send_body(struct connection *c)
{
    while (c->body_left > 0) {
        size_t size = tcp_sndbuf(c->pcb);

        if (size > c->body_left)
            size = c->body_left;
        if (size == 0 ||
            tcp_write(c->pcb, c->body, (u16_t)size,
                      size < c->body_left ? TCP_WRITE_FLAG_MORE : 0) != ERR_OK)
            return;
        c->body += size;
        c->body_left -= size;
    }
}

/* --- Requests ------------------------------------------------------------- */

/* The start of the input in one piece; a request is seldom in several. */
static const char *input_head(const struct connection *c, size_t *size)
{
    static char joined[HTTP_HEAD_MAX];

    if (!c->input->next) {
        *size = c->input->len;
        return c->input->payload;
    }
    *size = pbuf_copy_partial(c->input, joined, sizeof(joined), 0);
    return joined;
}

static void skip_body(struct connection *c)
{
    while (c->skip > 0 && c->input) {
        size_t size = c->input->tot_len;

        if (size > c->skip)
            size = (size_t)c->skip;
        c->skip -= size;
        drop_input(c, size);
    }
}

/* Answer the next request; false: nothing can be done now. */
static bool next_request(struct connection *c)
{
    struct http_request request;
    struct answer answer;
    const char *data;
    size_t size;
    int head;

    skip_body(c);
    if (!c->input)
        return false;
    data = input_head(c, &size);
    head = http_request_parse(data, size, &request);
    if (head == 0)
        return false;
    if (head > 0) {
        find_answer(&request, &answer);
    } else {
        answer = (struct answer){.status = -head};
        content_error(-head, reason_of(-head), &answer.content);
    }
    if (!send_answer(c, &answer))
        return false;
    c->idle_polls = 0;
    TAILQ_REMOVE(&connections, c, link);
    TAILQ_INSERT_TAIL(&connections, c, link);
    if (head > 0) {
        c->skip = request.body_size;
        drop_input(c, (size_t)head);
    }
    return true;
}

/* False: the connection is gone. */
static bool serve(struct connection *c)
{
    do {
        send_body(c);
        if (c->body_left > 0)
            return true;
    } while (!c->closing && next_request(c));

    if (c->closing || (c->ended && !c->input))
        return !close_connection(c);
    return true;
}

/* --- lwIP's calls --------------------------------------------------------- */

/*
 * A byte in a frame of its own keeps a whole buffer: many are put together.
 * Bytes are no sign of life, only whole requests are: else a request that
 * never ends would keep its connection.
 */
static void add_input(struct connection *c, struct pbuf *p)
{
    if (!c->input) {
        c->input = p;
        return;
    }
    pbuf_cat(c->input, p);
    if (pbuf_clen(c->input) > PIECES_MAX)
        c->input = pbuf_coalesce(c->input, PBUF_RAW);
}

static err_t connection_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
                             err_t err)
{
    struct connection *c = arg;

    (void)pcb;
    (void)err;
    if (!p)
        c->ended = true;
    else
        add_input(c, p);
    serve(c);
    return ERR_OK;
}

static err_t connection_sent(void *arg, struct tcp_pcb *pcb, u16_t size)
{
    struct connection *c = arg;

    (void)pcb;
    (void)size;
    c->idle_polls = 0;
    serve(c);
    return ERR_OK;
}

static err_t connection_poll(void *arg, struct tcp_pcb *pcb)
{
    struct connection *c = arg;

    if (!serve(c))
        return ERR_OK;
    if (++c->idle_polls < IDLE_POLLS)
        return ERR_OK;
    /* A client that does not even acknowledge is not waited for. */
    if (c->closing || c->body_left > 0 || !close_connection(c)) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    return ERR_OK;
}

/* lwIP has freed its part already. */
static void connection_error(void *arg, err_t err)
{
    (void)err;
    if (arg)
        forget(arg);
}

/* Nothing is being sent on it, and nothing comes but slowly. */
static bool is_spare(const struct connection *c)
{
    return c->body_left == 0 && (!c->input || c->idle_polls > 0);
}

/* Who has waited longest for a client's next request gives way to a new one. */
static void make_room(void)
{
    struct connection *c = TAILQ_FIRST(&connections);

    while (c && !is_spare(c))
        c = TAILQ_NEXT(c, link);
    if (c && !close_connection(c))
        tcp_abort(c->pcb); /* connection_error() forgets it. */
}

static err_t connection_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct connection *c = NULL;

    (void)arg;
    if (err != ERR_OK || !pcb)
        return ERR_VAL;
    if (http_server_stats.connections >= HTTP_CONNECTIONS_MAX)
        make_room();
    if (http_server_stats.connections < HTTP_CONNECTIONS_MAX)
        c = calloc(1, sizeof(*c));
    if (!c) {
        http_server_stats.refused++;
        return ERR_MEM; /* lwIP resets it. */
    }
    http_server_stats.connections++;
    TAILQ_INSERT_TAIL(&connections, c, link);
    c->pcb = pcb;
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, c);
    tcp_recv(pcb, connection_recv);
    tcp_sent(pcb, connection_sent);
    tcp_poll(pcb, connection_poll, POLL_INTERVAL);
    tcp_err(pcb, connection_error);
    return ERR_OK;
}

int http_server_start(void)
{
    struct tcp_pcb *pcb = tcp_new();
    struct tcp_pcb *listener;
    err_t err;

    if (!pcb)
        return ERR_MEM;
    err = tcp_bind(pcb, IP_ADDR_ANY, HTTP_PORT);
    if (err != ERR_OK)
        return err;
    listener =
        tcp_listen_with_backlog_and_err(pcb, TCP_DEFAULT_LISTEN_BACKLOG, &err);
    if (!listener)
        return err;
    tcp_accept(listener, connection_accept);
    return 0;
}
