/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the syntax of domain configuration files: by recursive descent. */

#include "config/syntax.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct syntax *syntax;
    const char *text;
    size_t size, at;
    unsigned int line;
    size_t line_start;
    unsigned int value_count;
    enum syntax_mode mode;
    bool failed;
};

static void fail(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct parser *p, const char *format, ...)
{
    va_list args;

    if (p->failed)
        return; /* The first one counts. */
    p->failed = true;
    p->syntax->error_line = p->line;
    p->syntax->error_column = (unsigned int)(p->at - p->line_start) + 1;
    va_start(args, format);
    vsnprintf(p->syntax->error, sizeof(p->syntax->error), format, args);
    va_end(args);
}

/* --- Characters ----------------------------------------------------------- */

static bool at_end(const struct parser *p)
{
    return p->at == p->size;
}

/* -1 at the end. */
static int peek(const struct parser *p)
{
    return at_end(p) ? -1 : (unsigned char)p->text[p->at];
}

static void advance(struct parser *p)
{
    if (p->text[p->at++] == '\n') {
        p->line++;
        p->line_start = p->at;
    }
}

static void skip_comment(struct parser *p)
{
    while (!at_end(p) && peek(p) != '\n')
        advance(p);
}

/* Spaces; @lines: ends of lines and comments too. */
static void skip_space(struct parser *p, bool lines)
{
    for (;;) {
        int c = peek(p);

        if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n'))
            advance(p);
        else if (c == '#')
            skip_comment(p);
        else
            return;
    }
}

/* What to call the next character in a message. */
static const char *describe(const struct parser *p, char buffer[16])
{
    int c = peek(p);

    if (c < 0)
        return "the end";
    if (c == '\n')
        return "the end of the line";
    if (c < ' ' || c > '~')
        snprintf(buffer, 16, "byte 0x%02x", (unsigned int)c);
    else
        snprintf(buffer, 16, "'%c'", c);

    return buffer;
}

static bool is_key_char(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* Of a value without quotes in a command. */
static bool is_word_char(int c)
{
    return is_key_char(c) || (c > 0 && strchr("-./:,+@>%=", c));
}

static char *copy(struct parser *p, size_t from, size_t to)
{
    char *out = malloc(to - from + 1);

    if (!out) {
        fail(p, "out of memory");
        return NULL;
    }
    memcpy(out, p->text + from, to - from);
    out[to - from] = '\0';

    return out;
}

/* --- Values --------------------------------------------------------------- */

static struct syntax_value *parse_value(struct parser *p, unsigned int depth);

static void value_free(struct syntax_value *v)
{
    while (v) {
        struct syntax_value *next = v->next;

        value_free(v->item);
        free(v->string);
        free(v);
        v = next;
    }
}

static void parse_string(struct parser *p, struct syntax_value *v)
{
    int quote = peek(p);
    size_t from;

    advance(p);
    from = p->at;
    while (!at_end(p) && peek(p) != quote && peek(p) != '\n') {
        if (peek(p) == '\0')
            fail(p, "a NUL byte in a string");
        advance(p);
    }
    if (peek(p) != quote) {
        fail(p, "a string is not closed: %c is missing", quote);
        return;
    }
    v->type = SYNTAX_STRING;
    v->string = copy(p, from, p->at);
    advance(p);
}

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;

    return 16;
}

static bool parse_digits(const char *text, unsigned int base, uint64_t *out)
{
    uint64_t n = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        uint64_t d = (uint64_t)digit(*text);

        if (d >= base || n > (UINT64_MAX - d) / base)
            return false;
        n = n * base + d;
    }
    *out = n;

    return true;
}

static bool parse_number_text(const char *text, uint64_t *out)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_digits(text + 2, 16, out);
    if (text[0] == '0' && text[1])
        return parse_digits(text + 1, 8, out);

    return parse_digits(text, 10, out);
}

/* A number, or in a command any plain word. */
static void parse_word(struct parser *p, struct syntax_value *v)
{
    bool command = p->mode == SYNTAX_COMMAND;
    size_t from = p->at;
    char *word, buffer[16];

    while (command ? is_word_char(peek(p)) : is_key_char(peek(p)))
        advance(p);
    if (p->at == from) {
        fail(p, "expected a value, found %s", describe(p, buffer));
        return;
    }
    word = copy(p, from, p->at);
    if (!word)
        return;
    if (parse_number_text(word, &v->number)) {
        v->type = SYNTAX_NUMBER;
        free(word);
    } else if (command) {
        v->type = SYNTAX_STRING;
        v->string = word;
    } else {
        p->at = from;
        fail(p, "\"%.40s\" is no number; a string needs quotes", word);
        free(word);
    }
}

static void parse_list(struct parser *p, struct syntax_value *v,
                       unsigned int depth)
{
    struct syntax_value **last = &v->item;
    char buffer[16];

    v->type = SYNTAX_LIST;
    if (depth == SYNTAX_DEPTH_MAX) {
        fail(p, "lists are nested too deeply");
        return;
    }
    advance(p);
    for (;;) {
        skip_space(p, true);
        if (peek(p) == ']')
            break; /* a comma may stand before it */
        *last = parse_value(p, depth + 1);
        if (p->failed || !*last)
            return;
        last = &(*last)->next;
        skip_space(p, true);
        if (peek(p) == ']')
            break;
        if (peek(p) != ',') {
            fail(p, "expected ',' or ']' in a list, found %s",
                 describe(p, buffer));
            return;
        }
        advance(p);
    }
    advance(p);
}

static struct syntax_value *parse_value(struct parser *p, unsigned int depth)
{
    struct syntax_value *v = NULL;

    if (++p->value_count <= SYNTAX_VALUES_MAX)
        v = calloc(1, sizeof(*v));
    if (!v) {
        fail(p, "too many values");
        return NULL;
    }
    v->line = p->line;
    v->column = (unsigned int)(p->at - p->line_start) + 1;
    if (peek(p) == '"' || peek(p) == '\'')
        parse_string(p, v);
    else if (peek(p) == '[')
        parse_list(p, v, depth);
    else
        parse_word(p, v);

    return v;
}

/* --- Statements ----------------------------------------------------------- */

static void parse_key(struct parser *p, struct syntax_entry *e)
{
    size_t from = p->at;
    char buffer[16];

    e->line = p->line;
    e->column = (unsigned int)(p->at - p->line_start) + 1;
    while (is_key_char(peek(p)))
        advance(p);
    if (p->at == from)
        fail(p, "expected a key, found %s", describe(p, buffer));
    else
        e->key = copy(p, from, p->at);
}

static void parse_end(struct parser *p)
{
    bool space = peek(p) == ' ' || peek(p) == '\t';
    char buffer[16];
    int c;

    skip_space(p, false);
    c = peek(p);
    if (c == '\n' || c == ';')
        advance(p);
    else if (c >= 0 && !(p->mode == SYNTAX_COMMAND && space))
        fail(p, "expected the end of the line, found %s", describe(p, buffer));
}

static void parse_statement(struct parser *p, struct syntax_entry *e)
{
    char buffer[16];

    parse_key(p, e);
    if (p->failed)
        return;
    skip_space(p, false);
    if (peek(p) != '=') {
        fail(p, "expected '=' after \"%.40s\", found %s", e->key,
             describe(p, buffer));
        return;
    }
    advance(p);
    skip_space(p, false);
    e->value = parse_value(p, 0);
    if (!p->failed)
        parse_end(p);
}

bool syntax_parse(struct syntax *syntax, const char *text, size_t size,
                  enum syntax_mode mode)
{
    struct syntax_entry **last = &syntax->first;
    struct parser p = {
        .syntax = syntax,
        .text = text,
        .size = size,
        .line = 1,
        .mode = mode,
    };

    memset(syntax, 0, sizeof(*syntax));
    if (size > SYNTAX_TEXT_MAX)
        fail(&p, "longer than %u bytes", SYNTAX_TEXT_MAX);
    while (!p.failed) {
        skip_space(&p, true);
        if (at_end(&p))
            break;
        if (peek(&p) == ';') {
            advance(&p);
            continue;
        }
        *last = calloc(1, sizeof(**last));
        if (!*last) {
            fail(&p, "out of memory");
            break;
        }
        parse_statement(&p, *last);
        last = &(*last)->next;
    }

    return !p.failed;
}

void syntax_free(struct syntax *syntax)
{
    while (syntax->first) {
        struct syntax_entry *e = syntax->first;

        syntax->first = e->next;
        value_free(e->value);
        free(e->key);
        free(e);
    }
}
