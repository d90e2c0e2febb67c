/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panics.  The other CPUs are stopped first.  What is printed goes straight to
 * the UART, past all locks, because nobody knows what state they are in; a
 * panic inside a panic only stops.
 */

#include "core/panic.h"

#include "arch/x86_64/upcalls.h"
#include "core/console.h"
#include "lib/format.h"

#define LINE_MAX 240

static bool panicking;
const char *boot_stage = "start-up";

static void __printf(1, 2) print(const char *fmt, ...)
{
    char line[LINE_MAX];
    va_list args;
    int size;

    va_start(args, fmt);
    size = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    console_write_panic(line, size < LINE_MAX ? (size_t)size : LINE_MAX - 1);
}

static void print_address(uint64_t address)
{
    uint64_t offset;
    const char *name = symbol_find(address, &offset);

    if (name)
        print("    %016lx  %s+%#lx\n", address, name, offset);
    else
        print("    %016lx\n", address);
}

/* The caller is where the call is: what follows it may be another function. */
static void print_caller(uint64_t address)
{
    print_address(address - 1);
}

/*
 * Once: whatever happens in here must not begin again.  Of several CPUs that
 * panic at once the first alone gets past cpus_stop().
 */
static void begin(void)
{
    cpus_stop();
    if (panicking) {
        print("panic inside a panic\n");
        cpu_halt();
    }
    panicking = true;
    print("\n*** Cairn panics on CPU %u%s%s\n", this_cpu(cpu_id),
          *boot_stage ? " during " : "", boot_stage);
}

static void __noreturn end(void)
{
    print("*** end of panic\n");
    machine_reset();
}

static void print_error_code(const struct cpu_regs *r, uint64_t cr2)
{
    uint32_t code = r->error_code;

    if (r->entry_vector == VECTOR_PF)
        print("    %s of %016lx by ring %d: %s%s\n",
              code & PF_FETCH   ? "fetch"
              : code & PF_WRITE ? "write"
                                : "read",
              cr2, code & PF_USER ? 3 : 0,
              code & PF_PRESENT ? "not allowed" : "not present",
              code & PF_RESERVED ? ", reserved bits set in a table" : "");
    /* Those between have the selector that was at fault, if any. */
    if (code && r->entry_vector >= VECTOR_TS && r->entry_vector <= VECTOR_GP)
        print("    selector %04x in the %s%s\n", code & 0xfff8U,
              code & 2   ? "IDT"
              : code & 4 ? "LDT"
                         : "GDT",
              code & 1 ? ", external" : "");
}

void registers_tell(const struct cpu_regs *r, void (*tell)(const char *line))
{
    /* As struct cpu_regs begins. */
    static const char names[][4] = {"r15", "r14", "r13", "r12", "rbp",
                                    "rbx", "r11", "r10", "r9",  "r8",
                                    "rax", "rcx", "rdx", "rsi", "rdi"};
    const uint64_t *value = (const uint64_t *)r;
    char line[LINE_MAX];

    snprintf(line, sizeof(line),
             "rip %04lx:%016lx rsp %04lx:%016lx rflags %08lx", r->cs & 0xffff,
             r->rip, r->ss & 0xffff, r->rsp, r->rflags);
    tell(line);
    for (size_t i = 0, at = 0; i < ARRAY_SIZE(names); i++) {
        at += (size_t)snprintf(line + at, sizeof(line) - at, "%s %016lx ",
                               names[i], value[i]);
        if (i % 5 == 4) {
            tell(line);
            at = 0;
        }
    }
}

static void print_registers(const char *line)
{
    print("    %s\n", line);
}

static void print_control(uint64_t cr2)
{
    print("    cr0 %016lx  cr2 %016lx  cr3 %016lx  cr4 %016lx\n", read_cr0(),
          cr2, read_cr3(), read_cr4());
}

void panic(const char *fmt, ...)
{
    char reason[LINE_MAX - 16];
    va_list args;

    begin();
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    print("*** %s\n", reason);
    print_control(read_cr2());
    print("called from:\n");
    backtrace((uint64_t)__builtin_frame_address(0), print_caller);
    end();
}

void upcall_fatal_exception(const struct cpu_regs *regs, uint64_t cr2,
                            const char *what)
{
    begin();
    print("*** %s: %s (vector %u), error code %#x\n", what,
          exception_name(regs->entry_vector), regs->entry_vector,
          regs->error_code);
    print_error_code(regs, cr2);
    registers_tell(regs, print_registers);
    print_control(cr2);
    if (!(regs->cs & 3)) {
        print("at, called from:\n");
        print_address(regs->rip);
        backtrace(regs->rbp, print_caller);
    }
    end();
}

void assert_failed(const char *file, int line, const char *belief)
{
    panic("%s:%d: not so: %s", file, line, belief);
}
