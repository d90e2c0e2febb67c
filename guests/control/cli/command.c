/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands, and carrying one out. */

#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/words.h"
#include "domain/guest.h"
#include "lib/text.h"

static struct cli_command *first;

void cli_register(struct cli_command *command)
{
    struct cli_command **at = &first;

    while (*at && strcmp((*at)->name, command->name) < 0)
        at = &(*at)->next;
    command->next = *at;
    *at = command;
}

const struct cli_command *cli_commands(void)
{
    return first;
}

static const struct cli_command *find(const char *name)
{
    const struct cli_command *c = first;

    while (c && strcmp(c->name, name) != 0)
        c = c->next;

    return c;
}

/* --- Output --------------------------------------------------------------- */

static void write_text(struct cli_call *call, const char *text)
{
    call->sink->write(call->sink, text, strlen(text));
}

/* malloc'd; NULL: out of memory. */
static char *format_text(const char *format, va_list args)
{
    va_list again;
    char *text;
    int size;

    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, args);
    text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);

    return text;
}

void cli_print(struct cli_call *call, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = format_text(format, args);
    va_end(args);
    if (text)
        write_text(call, text);
    free(text);
}

static void write_part(void *sink, const char *text, size_t size)
{
    struct cli_sink *s = sink;

    s->write(s, text, size);
}

void cli_print_plain(struct cli_call *call, const char *text, size_t size)
{
    text_write_plain(text, size, write_part, call->sink);
}

void cli_print_json(struct cli_call *call, struct cJSON *json)
{
    char *text = json ? cJSON_Print(json) : NULL;

    if (text) {
        text_write_json(text, write_part, call->sink);
        write_text(call, "\n");
    } else {
        call->failed = true;
        write_text(call, "error: the control domain is out of memory\n");
    }
    cJSON_free(text);
    cJSON_Delete(json);
}

static void fail_text(struct cli_call *call, const char *text)
{
    cJSON *json;

    call->failed = true;
    if (!call->json) {
        write_text(call, "error: ");
        write_text(call, text);
        write_text(call, "\n");
        return;
    }
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error", text);
    cli_print_json(call, json);
}

void cli_fail(struct cli_call *call, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = format_text(format, args);
    va_end(args);
    fail_text(call, text ? text : "the control domain is out of memory");
    free(text);
}

struct cJSON *cli_explain_json(const struct cli_command *command)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", command->name);
    cJSON_AddStringToObject(o, "usage", command->usage);
    cJSON_AddStringToObject(o, "help", command->help);
    if (command->details)
        cJSON_AddStringToObject(o, "details", command->details);

    return o;
}

void cli_explain(struct cli_call *call, const struct cli_command *command)
{
    if (call->json) {
        cli_print_json(call, cli_explain_json(command));
        return;
    }
    cli_print(call, "%s %s\n  %s\n", command->name, command->usage,
              command->help);
    if (command->details)
        cli_print(call, "%s\n", command->details);
}

/* --- Arguments ------------------------------------------------------------ */

bool cli_check_args(struct cli_call *call, unsigned int min, unsigned int max)
{
    if (call->argc >= min && call->argc <= max)
        return true;
    cli_fail(call, "%s arguments; usage: %s %s",
             call->argc < min ? "missing" : "too many", call->command->name,
             call->command->usage);

    return false;
}

struct guest *cli_guest(struct cli_call *call, unsigned int i)
{
    const char *text = call->argv[i];
    struct guest *g = guest_find_text(text);

    if (g)
        return g;
    if (text[0] == '-')
        cli_fail(call, "there is no option \"%s\"; usage: %s %s", text,
                 call->command->name, call->command->usage);
    else if (!strcmp(text, "0") || !strcmp(text, "control"))
        cli_fail(call,
                 "domain \"%s\" is the control domain; this command is for "
                 "guests",
                 text);
    else
        cli_fail(call,
                 "there is no domain \"%s\"; `list` shows those there are",
                 text);

    return NULL;
}

bool cli_option(struct cli_call *call, const char *option)
{
    for (unsigned int i = 0; i < call->argc; i++) {
        if (strcmp(call->argv[i], option) != 0)
            continue;
        memmove(&call->argv[i], &call->argv[i + 1],
                (call->argc - i) * sizeof(char *));
        call->argc--;
        return true;
    }

    return false;
}

/* --- Running -------------------------------------------------------------- */

static void run(struct cli_call *call, const char *name)
{
    call->command = find(name);
    call->json = cli_option(call, "--json");
    if (!call->command)
        cli_fail(call, "there is no command \"%s\"; `help` lists them", name);
    else if (cli_option(call, "--help"))
        cli_explain(call, call->command);
    else
        call->command->run(call);
}

bool cli_run(const char *line, struct cli_sink *sink)
{
    struct cli_call call = {.sink = sink};
    struct words words;
    const char *why;

    line += strspn(line, " \t");
    if (!words_split(&words, line, &why)) {
        cli_fail(&call, "%s", why);
    } else if (words.count) {
        call.argc = words.count - 1;
        call.argv = words.word + 1;
        call.rest = line + strcspn(line, " \t");
        run(&call, words.word[0]);
    }
    words_free(&words);

    return !call.failed;
}
