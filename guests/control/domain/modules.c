/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot modules. */

#include "domain/modules.h"

#include <stdio.h>
#include <string.h>

#include <rt/start.h>

#include "domain/hv.h"

/* "build/guests/web.elf args" is called "web.elf". */
static void name_of(const char *string, char *name)
{
    size_t size = strcspn(string, " \t");
    size_t from = size;

    while (from > 0 && string[from - 1] != '/')
        from--;
    memcpy(name, string + from, size - from);
    name[size - from] = '\0';
}

bool module_get(uint32_t index, struct module *module)
{
    char string[CONTROL_MODULE_STRING] = "";
    uint64_t bytes;
    uint32_t gfn;

    if (hv_module(index, string, &gfn, &bytes))
        return false;
    string[sizeof(string) - 1] = '\0';
    name_of(string, module->name);
    module->data = rt_gfn_va(gfn);
    module->size = bytes;

    return true;
}

bool module_find(const char *name, struct module *module)
{
    for (uint32_t i = 0; module_get(i, module); i++)
        if (strcmp(module->name, name) == 0)
            return true;

    return false;
}

void module_names(char *out, size_t room)
{
    struct module m;
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; used < room && module_get(i, &m); i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "",
                                 m.name);
}
