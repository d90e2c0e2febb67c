/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start-up: from the builder's registers to main() in the first thread.
 *
 * The order matters: the address space first, since all else touches memory;
 * then exceptions, so that later mistakes are reported; the console; the event
 * loop; the C library; the program.
 */

#include <rt/start.h>

#include <stdlib.h>
#include <string.h>

#include <abi/sched.h>
#include <abi/version.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/thread.h>

#include "internal.h"

/* A program with more words than this on its command line loses the rest. */
#define ARGV_MAX 64

/* Stack of main(): populated as it is touched. */
#define MAIN_STACK_BYTES (64U * 1024U)

const struct start_info *rt_start_info;
struct light_layout rt_layout;

static bool class_light;
/* The command line's words, a NUL behind each: for rt_option(), for main(). */
static char command_line[START_INFO_CMDLINE];
static char arguments[START_INFO_CMDLINE];

int main(int argc, char **argv);
void __libc_init_array(void);
_Noreturn void rt_start(const struct start_info *si);

bool rt_is_light(void)
{
    return class_light;
}

bool rt_is_initial_domain(void)
{
    return (rt_start_info->flags & SIF_INITDOMAIN) != 0;
}

static bool detect_class_light(void)
{
    struct xen_feature_info info = {.submap_idx = 0};

    if (hypercall_xen_version(XENVER_get_features, &info) != 0)
        return false;
    return (info.submap & (1U << XENFEAT_auto_translated_physmap)) != 0;
}

const char *rt_option(const char *name)
{
    size_t name_size = strlen(name);
    const char *word = command_line;

    while (word < command_line + sizeof(command_line) && *word != '\0') {
        if (strncmp(word, name, name_size) == 0 && word[name_size] == '=')
            return word + name_size + 1;
        word += strlen(word) + 1;
    }
    return NULL;
}

/*
 * Copy @from to @text, which has as much room, word by word with a NUL behind
 * each; note up to @max of them in @words and return how many.
 */
static int split_words(char *text, const char *from, char **words, int max)
{
    char *out = text;
    int count = 0;

    while (*from != '\0') {
        while (*from == ' ')
            from++;
        if (*from == '\0')
            break;
        if (count < max)
            words[count++] = out;
        while (*from != '\0' && *from != ' ')
            *out++ = *from++;
        *out++ = '\0';
    }
    return count;
}

static void main_thread(void *arg)
{
    static char program[] = "cairn-guest";
    static char *argv[ARGV_MAX + 2];
    int argc;

    (void)arg;
    argv[0] = program;
    argc = 1 + split_words(arguments, (const char *)rt_start_info->cmd_line,
                           argv + 1, ARGV_MAX);
    exit(main(argc, argv));
}

static void save_command_line(void)
{
    split_words(command_line, (const char *)rt_start_info->cmd_line, NULL, 0);
}

_Noreturn void rt_start(const struct start_info *si)
{
    rt_start_info = si;
    class_light = detect_class_light();
    if (class_light)
        rt_light_memory_init();
    else
        rt_xen_memory_init();
    rt_traps_init();
    rt_time_init();
    rt_events_init();
    rt_console_init();
    page_guard(rt_loop_guard);
    save_command_line();
    __libc_init_array();

    if (!thread_create("main", MAIN_STACK_BYTES, main_thread, NULL))
        rt_panic("no memory for the first thread");
    rt_loop();
}

_Noreturn void rt_shutdown(unsigned int reason)
{
    struct sched_shutdown arg = {.reason = reason};

    rt_console_drain();
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &arg);
}
