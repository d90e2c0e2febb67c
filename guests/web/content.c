/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding files and making pages; see content.h. */

#include "content.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rt/page.h>
#include <rt/time.h>

#include "http_server.h"

/* One at a time: it is copied before the next is made. */
static char page[CONTENT_PAGE_MAX];
static size_t page_size;

struct guest_facts guest_facts = {.name = "unnamed", .domid = -1};

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
    va_list args;
    int size;

    va_start(args, format);
    size = vsniprintf(page + page_size, sizeof(page) - page_size, format, args);
    va_end(args);
    if (size > 0)
        page_size += (size_t)size;
    if (page_size >= sizeof(page))
        page_size = sizeof(page) - 1;
}

/* Text for HTML and for JSON strings: what either would trip over. */
static void add_text(const char *text, bool json)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (json && (c < ' ' || c == '"' || c == '\\'))
            add("\\u%04x", c);
        else if (!json && strchr("<>&\"'", c))
            add("&#%d;", c);
        else
            add("%c", c);
    }
}

static unsigned long uptime_seconds(void)
{
    return (unsigned long)((rt_now_ns() - rt_start_ns()) / RT_NS_PER_S);
}

/* With the one that is being answered. */
static unsigned long requests(void)
{
    return (unsigned long)http_server_stats.requests + 1;
}

static unsigned long memory_kib(size_t pages)
{
    return (unsigned long)(pages * PAGE_BYTES / 1024);
}

static void make_index(struct content *content)
{
    unsigned long up = uptime_seconds();

    page_size = 0;
    add("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
        "<title>");
    add_text(guest_facts.name, false);
    add("</title>\n<link rel=\"stylesheet\" href=\"/style.css\"></head>\n"
        "<body>\n<h1>");
    add_text(guest_facts.name, false);
    add("</h1>\n<p>A web server in a domain of its own, on Cairn.</p>\n"
        "<table>\n");
    if (guest_facts.domid >= 0)
        add("<tr><th>Domain</th><td>%d</td></tr>\n", guest_facts.domid);
    add("<tr><th>Uptime</th><td>%lu s</td></tr>\n", up);
    add("<tr><th>Requests</th><td>%lu</td></tr>\n", requests());
    add("<tr><th>Connections</th><td>%u</td></tr>\n",
        http_server_stats.connections);
    add("<tr><th>Memory in use</th><td>%lu of %lu KiB</td></tr>\n",
        memory_kib(page_total_count() - page_free_count()),
        memory_kib(page_total_count()));
    add("</table>\n<p><a href=\"/status.json\">status.json</a> "
        "<a href=\"/about.html\">about</a></p>\n</body>\n</html>\n");
    content->type = "text/html; charset=utf-8";
}

static void make_status(struct content *content)
{
    page_size = 0;
    add("{\"name\":\"");
    add_text(guest_facts.name, true);
    add("\",\"domid\":");
    if (guest_facts.domid >= 0)
        add("%d", guest_facts.domid);
    else
        add("null");
    add(",\"uptime_s\":%lu,\"requests\":%lu,\"connections\":%u,"
        "\"connections_max\":%u,\"refused\":%lu,"
        "\"memory_kib\":%lu,\"memory_free_kib\":%lu}\n",
        uptime_seconds(), requests(), http_server_stats.connections,
        HTTP_CONNECTIONS_MAX, (unsigned long)http_server_stats.refused,
        memory_kib(page_total_count()), memory_kib(page_free_count()));
    content->type = "application/json";
}

static const struct {
    const char *path;
    void (*make)(struct content *content);
} made_pages[] = {
    {"/", make_index},
    {"/status.json", make_status},
};

static bool find_embedded(const char *path, struct content *content)
{
    size_t low = 0, high = embedded_file_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct embedded_file *file = &embedded_files[middle];
        int order = strcmp(path, file->path);

        if (order == 0) {
            *content = (struct content){.type = file->type,
                                        .etag = file->etag,
                                        .data = file->data,
                                        .size = file->size,
                                        .constant = true};
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static void made(struct content *content)
{
    content->etag = NULL;
    content->data = page;
    content->size = page_size;
    content->constant = false;
}

bool content_find(const char *path, struct content *content)
{
    for (size_t i = 0; i < sizeof(made_pages) / sizeof(made_pages[0]); i++)
        if (strcmp(path, made_pages[i].path) == 0) {
            made_pages[i].make(content);
            made(content);
            return true;
        }
    return find_embedded(path, content);
}

void content_error(int status, const char *reason, struct content *content)
{
    page_size = 0;
    add("<!DOCTYPE html>\n<html lang=\"en\"><head><title>%d %s</title></head>"
        "<body><h1>%s</h1></body></html>\n",
        status, reason, reason);
    content->type = "text/html; charset=utf-8";
    made(content);
}
