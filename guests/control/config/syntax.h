/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syntax of domain configuration files, which is xl.cfg's:
 *
 *     name = "web1"            # a string, in " or '
 *     memory = 16              # a number: decimal, 0x hexadecimal, 0 octal
 *     vif = [ 'ip=10.64.0.2', 'mac=00:16:3e:00:00:01' ]
 *
 * A statement ends with its line or a ';'.  In a command (SYNTAX_COMMAND)
 * statements may also follow one another on a line, and a value that is one
 * plain word needs no quotes.
 */

#ifndef CONFIG_SYNTAX_H
#define CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds on what is read; no real file comes near them. */
#define SYNTAX_TEXT_MAX   (64U * 1024U)
#define SYNTAX_VALUES_MAX 1024U
#define SYNTAX_DEPTH_MAX  2U /* a list of lists */

enum syntax_type {
    SYNTAX_NUMBER,
    SYNTAX_STRING,
    SYNTAX_LIST,
};

struct syntax_value {
    enum syntax_type type;
    unsigned int line, column;
    uint64_t number;
    char *string;              /* without NULs inside */
    struct syntax_value *item; /* of a list, the first */
    struct syntax_value *next; /* in the list */
};

struct syntax_entry {
    char *key;
    unsigned int line, column;
    struct syntax_value *value;
    struct syntax_entry *next;
};

#define SYNTAX_ERROR_BYTES 160

struct syntax {
    struct syntax_entry *first; /* in order; a key may come twice */
    unsigned int error_line, error_column;
    char error[SYNTAX_ERROR_BYTES];
};

enum syntax_mode {
    SYNTAX_FILE,
    SYNTAX_COMMAND,
};

/*
 * Read @size bytes.  False: @syntax->error says what is wrong, and where;
 * syntax_free() is needed in any case.
 */
bool syntax_parse(struct syntax *syntax, const char *text, size_t size,
                  enum syntax_mode mode);
void syntax_free(struct syntax *syntax);

#endif /* CONFIG_SYNTAX_H */
