/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that guests have written, made harmless. */

#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The least character that is written with so many bytes. */
static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

static bool is_character(uint32_t code, size_t bytes)
{
    return code >= least[bytes] && code <= 0x10ffff &&
           (code < 0xd800 || code > 0xdfff);
}

/* The bytes of the UTF-8 character that begins @text; 0: there is none. */
static size_t take_character(const char *text, size_t size, uint32_t *code)
{
    uint8_t first = (uint8_t)text[0];
    size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (bytes == 1) {
        *code = first;
        return 1;
    }
    if (first < 0xc0 || first > 0xf7 || bytes > size)
        return 0;
    *code = first & (0x7fU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((uint8_t)text[i] & 0x3f);
    }

    return is_character(*code, bytes) ? bytes : 0;
}

/* 0x80 to 0x9f are what ESC and a letter are, in one character. */
static bool is_harmless(uint32_t code)
{
    return code == '\n' || code == '\r' || code == '\t' ||
           (code >= ' ' && code < 0x7f) || code >= 0xa0;
}

void text_write_plain(const char *text, size_t size, text_write_fn write,
                      void *arg)
{
    size_t plain = 0; /* so much before @at has not been written */

    for (size_t at = 0; at < size;) {
        uint32_t code;
        size_t bytes = take_character(text + at, size - at, &code);
        char escape[4];

        if (bytes && is_harmless(code)) {
            at += bytes;
            plain += bytes;
            continue;
        }
        write(arg, text + at - plain, plain);
        plain = 0;
        snprintf(escape, sizeof(escape), "\\%02x", (uint8_t)text[at++]);
        write(arg, escape, 3);
    }
    write(arg, text + size - plain, plain);
}

static void write_unit(uint32_t unit, text_write_fn write, void *arg)
{
    char escape[7];

    snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)(unit & 0xffff));
    write(arg, escape, 6);
}

/* In two halves where it does not fit into 16 bits (RFC 8259). */
static void write_escape(uint32_t code, text_write_fn write, void *arg)
{
    if (code < 0x10000) {
        write_unit(code, write, arg);
        return;
    }
    write_unit(0xd800 + ((code - 0x10000) >> 10), write, arg);
    write_unit(0xdc00 + ((code - 0x10000) & 0x3ff), write, arg);
}

void text_write_json(const char *json, text_write_fn write, void *arg)
{
    size_t size = strlen(json), plain = 0;

    for (size_t at = 0; at < size;) {
        uint32_t code;
        size_t bytes;

        if ((uint8_t)json[at] < 0x7f) {
            at++;
            plain++;
            continue;
        }
        write(arg, json + at - plain, plain);
        plain = 0;
        bytes = take_character(json + at, size - at, &code);
        write_escape(bytes ? code : (uint8_t)json[at], write, arg);
        at += bytes ? bytes : 1;
    }
    write(arg, json + size - plain, plain);
}
