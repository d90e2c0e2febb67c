/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time-stamp ticks of operations that a Linux kernel asks its hypervisor for:
 * under an emulator that counts instructions they are instructions, of the
 * program, the kernel and the hypervisor together.
 *
 *   bench            prints NAME,MEDIAN,LEAST,MOST for each operation
 *   bench exit       ends at once: what fork_exec_exit runs
 *
 * One sample is one operation, or half of one that goes forth and back.  The
 * median leaves out the few that a timer interrupted.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SAMPLES = 101,
    WARM_UP = 8, /* the first ones fill caches and allocate */
    PAGE = 4096,
    MAPPED_PAGES = 16,
};

static const char *self;

static uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

/* --- Operations: each returns the ticks of one ------------------------- */

static uint64_t nothing(void)
{
    uint64_t began = ticks();
    return ticks() - began;
}

static uint64_t null_syscall(void)
{
    uint64_t began = ticks();
    (void)syscall(SYS_getppid);
    return ticks() - began;
}

static char *arena;

static void arena_make(void)
{
    arena = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(arena != MAP_FAILED, "mmap");
}

static uint64_t page_fault(void)
{
    must(madvise(arena, PAGE, MADV_DONTNEED) == 0, "madvise");
    uint64_t began = ticks();
    *(volatile char *)arena = 1;
    return ticks() - began;
}

static uint64_t map_unmap(void)
{
    uint64_t began = ticks();
    void *at = mmap(NULL, MAPPED_PAGES * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)munmap(at, MAPPED_PAGES * PAGE);
    return ticks() - began;
}

/* With every page written: its frame, its entry, and both taken back. */
static uint64_t map_touch_unmap(void)
{
    uint64_t began = ticks();
    char *at = mmap(NULL, MAPPED_PAGES * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < MAPPED_PAGES; i++)
        ((volatile char *)at)[i * PAGE] = 1;
    (void)munmap(at, MAPPED_PAGES * PAGE);
    return ticks() - began;
}

static uint64_t protect(void)
{
    uint64_t began = ticks();
    (void)mprotect(arena, PAGE, PROT_READ);
    (void)mprotect(arena, PAGE, PROT_READ | PROT_WRITE);
    return ticks() - began;
}

static void handler(int number)
{
    (void)number;
}

static void signal_make(void)
{
    struct sigaction action = {.sa_handler = handler};
    must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static uint64_t signal_self(void)
{
    pid_t me = getpid();
    uint64_t began = ticks();
    (void)kill(me, SIGUSR1);
    return ticks() - began;
}

static int forth[2], back[2];

static void pipes_make(void)
{
    must(pipe(forth) == 0 && pipe(back) == 0, "pipe");
}

/* A byte into a pipe and out of it, without another process. */
static uint64_t pipe_byte(void)
{
    char byte = 1;
    uint64_t began = ticks();
    int good = write(forth[1], &byte, 1) == 1 && read(forth[0], &byte, 1) == 1;
    uint64_t took = ticks() - began;
    must(good, "pipe");
    return took;
}

static pid_t echo;

static void echo_make(void)
{
    echo = fork();
    must(echo >= 0, "fork");
    if (echo == 0) {
        char byte;
        while (read(forth[0], &byte, 1) == 1 && byte)
            (void)!write(back[1], &byte, 1);
        _exit(0);
    }
}

/* To another process that waits for a byte, and back: two switches. */
static uint64_t context_switch(void)
{
    char byte = 1;
    uint64_t began = ticks();
    int good = write(forth[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1;
    uint64_t took = ticks() - began;
    must(good, "echo");
    return took / 2;
}

static void echo_end(void)
{
    char byte = 0;
    must(write(forth[1], &byte, 1) == 1, "echo");
    must(waitpid(echo, NULL, 0) == echo, "waitpid");
}

static uint64_t fork_exit(void)
{
    uint64_t began = ticks();
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    (void)waitpid(child, NULL, 0);
    uint64_t took = ticks() - began;
    must(child > 0, "fork");
    return took;
}

static uint64_t fork_exec_exit(void)
{
    uint64_t began = ticks();
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "exit", (char *)NULL);
        _exit(1);
    }
    int status = 1;
    (void)waitpid(child, &status, 0);
    uint64_t took = ticks() - began;
    must(child > 0 && status == 0, "exec");
    return took;
}

/* --- Measuring ---------------------------------------------------------- */

static const struct operation {
    const char *name;
    void (*make)(void);
    uint64_t (*sample)(void);
    void (*end)(void);
} operations[] = {
    {"nothing", NULL, nothing, NULL},
    {"null_syscall", NULL, null_syscall, NULL},
    {"page_fault", arena_make, page_fault, NULL},
    {"mprotect_twice", NULL, protect, NULL},
    {"mmap_munmap_16", NULL, map_unmap, NULL},
    {"mmap_touch_munmap_16", NULL, map_touch_unmap, NULL},
    {"signal", signal_make, signal_self, NULL},
    {"pipe_byte", pipes_make, pipe_byte, NULL},
    {"context_switch", echo_make, context_switch, echo_end},
    {"fork_exit", NULL, fork_exit, NULL},
    {"fork_exec_exit", NULL, fork_exec_exit, NULL},
};

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void measure(const struct operation *operation)
{
    uint64_t took[SAMPLES];
    if (operation->make)
        operation->make();
    for (int i = -WARM_UP; i < SAMPLES; i++) {
        uint64_t one = operation->sample();
        if (i >= 0)
            took[i] = one;
    }
    if (operation->end)
        operation->end();
    qsort(took, SAMPLES, sizeof took[0], compare);
    printf("bench,%s,%llu,%llu,%llu\n", operation->name,
           (unsigned long long)took[SAMPLES / 2], (unsigned long long)took[0],
           (unsigned long long)took[SAMPLES - 1]);
    fflush(stdout);
}

/* Where this process is, its children are. */
static void stay(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(0, &here);
    must(sched_setaffinity(0, sizeof here, &here) == 0, "sched_setaffinity");
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "exit") == 0)
        return 0;
    self = words[0];
    stay();
    printf("bench,operation,median,least,most\n");
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        measure(&operations[i]);
    return 0;
}
