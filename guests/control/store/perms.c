/* SPDX-License-Identifier: BSD-2-Clause */
/* Permission lists: making, asking, reading and writing them as text. */

#include "store/perms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct perms *perms_new(const struct perm *entries, uint32_t count)
{
    struct perms *p = malloc(sizeof(*p) + count * sizeof(entries[0]));

    if (!p)
        return NULL;
    p->refs = 1;
    p->count = count;
    memcpy(p->entry, entries, count * sizeof(entries[0]));

    return p;
}

struct perms *perms_get(struct perms *p)
{
    p->refs++;

    return p;
}

void perms_put(struct perms *p)
{
    if (p && --p->refs == 0)
        free(p);
}

struct perms *perms_with_owner(struct perms *p, domid_t owner)
{
    struct perms *copy;

    if (perms_owner(p) == owner)
        return perms_get(p);

    copy = perms_new(p->entry, p->count);
    if (copy)
        copy->entry[0].domid = owner;

    return copy;
}

domid_t perms_owner(const struct perms *p)
{
    return p->entry[0].domid;
}

unsigned int perms_of(const struct perms *p, domid_t domid)
{
    if (perms_owner(p) == domid)
        return PERM_BOTH;

    for (uint32_t i = 1; i < p->count; i++)
        if (p->entry[i].domid == domid)
            return p->entry[i].bits;

    return p->entry[0].bits;
}

bool perms_all_read(const struct perms *p)
{
    return p->entry[0].bits & PERM_READ;
}

static int bits_of_letter(char letter)
{
    static const char letters[] = "nrwb"; /* in the order of PERM_* */
    const char *at = letter ? strchr(letters, letter) : NULL;

    return at ? (int)(at - letters) : -1;
}

static int parse_one(struct perm *out, const char *text)
{
    int bits = bits_of_letter(text[0]);
    unsigned long domid = 0;

    if (bits < 0 || text[1] == '\0')
        return -EINVAL;
    for (const char *c = text + 1; *c; c++) {
        if (*c < '0' || *c > '9')
            return -EINVAL;
        domid = domid * 10 + (unsigned long)(*c - '0');
        if (domid > UINT16_MAX)
            return -EINVAL;
    }
    out->domid = (domid_t)domid;
    out->bits = (uint8_t)bits;

    return 0;
}

static uint32_t count_texts(const char *text, size_t bytes)
{
    uint32_t count = 0;

    for (size_t i = 0; i < bytes; i++)
        count += text[i] == '\0';

    return count;
}

int perms_parse(struct perms **out, const char *text, size_t bytes)
{
    uint32_t count = bytes ? count_texts(text, bytes) : 0;
    struct perms *p;

    if (count == 0 || text[bytes - 1] != '\0')
        return -EINVAL;

    p = malloc(sizeof(*p) + count * sizeof(p->entry[0]));
    if (!p)
        return -ENOMEM;
    p->refs = 1;
    p->count = count;
    for (uint32_t i = 0; i < count; i++, text += strlen(text) + 1) {
        if (parse_one(&p->entry[i], text)) {
            free(p);
            return -EINVAL;
        }
    }
    *out = p;

    return 0;
}

size_t perms_format(const struct perms *p, char *out, size_t room)
{
    static const char letters[] = "nrwb";
    size_t used = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        char text[PERM_TEXT_BYTES];
        size_t bytes;

        bytes = (size_t)snprintf(text, sizeof(text), "%c%u",
                                 letters[p->entry[i].bits & PERM_BOTH],
                                 (unsigned int)p->entry[i].domid) +
                1;
        if (used + bytes <= room)
            memcpy(out + used, text, bytes);
        used += bytes;
    }

    return used;
}
