/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands: one table for whoever has a line of text and wants it carried out,
 * be it the machine's console or a connection.
 *
 * Commands run in threads, and may wait.
 */

#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/domid.h>

struct cJSON;
struct guest;
struct cli_call;

/* Where output goes. */
struct cli_sink {
    void (*write)(struct cli_sink *sink, const char *text, size_t size);
    /*
     * Connect who reads the sink with a domain's console until they have
     * enough; NULL: it cannot be done here.  0 or a negative error number.
     */
    int (*attach)(struct cli_sink *sink, domid_t domid);
};

struct cli_command {
    const char *name;
    const char *usage; /* arguments: "DOMAIN [--json]" */
    const char *help;  /* one line */
    void (*run)(struct cli_call *call);
    const char *details; /* more for `help NAME`; may be NULL */
    struct cli_command *next;
};

/* Add @command, static storage, to the table, which is kept sorted. */
void cli_register(struct cli_command *command);

/* The first of the table. */
const struct cli_command *cli_commands(void);

struct cli_call {
    const struct cli_command *command;
    struct cli_sink *sink;
    unsigned int argc; /* words behind the command's name, without options */
    char **argv;
    const char *rest; /* the line behind the command's name, as typed */
    bool json;        /* --json */
    bool failed;
};

/* Carry out @line; false: it failed, and the sink was told why. */
bool cli_run(const char *line, struct cli_sink *sink);

/* --- For commands --------------------------------------------------------- */

void cli_print(struct cli_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print text of a guest, with what a terminal would obey as "\1b". */
void cli_print_plain(struct cli_call *call, const char *text, size_t size);

/* Print why it fails, as text or JSON, and note that it does. */
void cli_fail(struct cli_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print and free @json; NULL: out of memory, which is told. */
void cli_print_json(struct cli_call *call, struct cJSON *json);

/* Print what @command is for and how it is typed, as text or JSON. */
void cli_explain(struct cli_call *call, const struct cli_command *command);

/* The same as JSON, to be freed; NULL: out of memory. */
struct cJSON *cli_explain_json(const struct cli_command *command);

/* Fail with the command's usage unless there are @min to @max arguments. */
bool cli_check_args(struct cli_call *call, unsigned int min, unsigned int max);

/* The guest named by argument @i; NULL: told. */
struct guest *cli_guest(struct cli_call *call, unsigned int i);

/* Does the argument list hold @option?  It is taken out. */
bool cli_option(struct cli_call *call, const char *option);

#endif /* CLI_COMMAND_H */
