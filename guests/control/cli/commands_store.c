/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands on nodes of the store. */

#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <cJSON.h>

#include <rt/store.h>

#include "cli/command.h"
#include "domain/hv.h"

#define PATH_BYTES 3073

static void fail_path(struct cli_call *call, const char *path, int rc)
{
    cli_fail(call, "%s: %s", path,
             rc == -ABI_ENOENT ? "there is no such node" : hv_error_text(rc));
}

/* Bytes that would confuse a terminal are shown as \xx. */
static void print_value(struct cli_call *call, const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];

        if (c < ' ' || c > '~' || c == '\\')
            cli_print(call, "\\%02x", c);
        else
            cli_print(call, "%c", c);
    }
}

/* --- store-ls ------------------------------------------------------------- */

static void list_node(struct cli_call *call, const char *path, int depth,
                      cJSON *json);

static void list_child(struct cli_call *call, const char *path,
                       const char *name, int depth, cJSON *json)
{
    char *child = malloc(PATH_BYTES);
    size_t size = 0;
    char *value = NULL;
    cJSON *node = NULL;
    int bytes;

    if (!child)
        return;
    bytes = snprintf(child, PATH_BYTES, "%s/%s",
                     strcmp(path, "/") == 0 ? "" : path, name);
    if (bytes < PATH_BYTES &&
        xs_read(xs_default(), 0, child, &value, &size) == 0) {
        if (json) {
            node = cJSON_AddObjectToObject(json, name);
            cJSON_AddStringToObject(node, "value", value);
            node = cJSON_AddObjectToObject(node, "children");
        } else {
            cli_print(call, "%*s%s = \"", depth, "", name);
            print_value(call, value, size);
            cli_print(call, "\"\n");
        }
        list_node(call, child, depth + 1, node);
    }
    free(value);
    free(child);
}

/* No path is deeper than PATH_DEPTH_MAX (store/path.h). */
static void list_node(struct cli_call *call, const char *path, int depth,
                      cJSON *json)
{
    char **names;
    size_t count;
    int rc = xs_directory(xs_default(), 0, path, &names, &count);

    if (rc) {
        if (depth == 0) /* Deeper, it has gone meanwhile. */
            fail_path(call, path, rc);
        return;
    }
    for (size_t i = 0; i < count; i++)
        list_child(call, path, names[i], depth, json);
    free(names);
}

static void run_ls(struct cli_call *call)
{
    const char *path = call->argc ? call->argv[0] : "/";
    cJSON *json = NULL;

    if (!cli_check_args(call, 0, 1))
        return;
    if (call->json)
        json = cJSON_CreateObject();
    list_node(call, path, 0, json);
    if (json && !call->failed)
        cli_print_json(call, json);
    else
        cJSON_Delete(json);
}

/* --- The others ----------------------------------------------------------- */

static void run_read(struct cli_call *call)
{
    size_t size;
    char *value;
    cJSON *json;
    int rc;

    if (!cli_check_args(call, 1, 1))
        return;
    rc = xs_read(xs_default(), 0, call->argv[0], &value, &size);
    if (rc) {
        fail_path(call, call->argv[0], rc);
        return;
    }
    if (call->json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "path", call->argv[0]);
        cJSON_AddStringToObject(json, "value", value);
        cli_print_json(call, json);
    } else {
        print_value(call, value, size);
        cli_print(call, "\n");
    }
    free(value);
}

static void run_write(struct cli_call *call)
{
    int rc;

    if (!cli_check_args(call, 2, 2))
        return;
    rc = xs_write(xs_default(), 0, call->argv[0], call->argv[1]);
    if (rc)
        fail_path(call, call->argv[0], rc);
}

static void run_rm(struct cli_call *call)
{
    int rc;

    if (!cli_check_args(call, 1, 1))
        return;
    rc = xs_rm(xs_default(), 0, call->argv[0]);
    if (rc)
        fail_path(call, call->argv[0], rc);
}

static struct cli_command commands[] = {
    {.name = "store-ls",
     .usage = "[PATH] [--json]",
     .help = "show the nodes of the store below a path",
     .run = run_ls},
    {.name = "store-read",
     .usage = "PATH [--json]",
     .help = "show the value of a node",
     .run = run_read},
    {.name = "store-write",
     .usage = "PATH VALUE",
     .help = "change the value of a node, which is made if needed",
     .run = run_write},
    {.name = "store-rm",
     .usage = "PATH",
     .help = "remove a node with all below it",
     .run = run_rm},
};

void commands_store_register(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        cli_register(&commands[i]);
}
