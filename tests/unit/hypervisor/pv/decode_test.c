/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder of class pv on encodings whose meaning is known, and on those it
 * has to refuse.  decode_fuzz_test.c compares it with a disassembler.
 */

/* LINK: hypervisor/pv/decode.c */

#include "unit/hypervisor/pv/insn_text.h"
#include "unit/test.h"

struct known {
    const char *bytes; /* hexadecimal */
    const char *text;
};

/* Decodes the bytes, which end where readable memory does. */
static bool decode_text(const char *text, struct insn *insn)
{
    uint8_t bytes[INSN_MAX + 1], *copy;
    size_t count = 0;
    int used;
    bool ok;

    while (count < sizeof(bytes) &&
           sscanf(text, "%2hhx%n", &bytes[count], &used) == 1) {
        text += used;
        count++;
    }
    copy = malloc(count + !count);
    memcpy(copy, bytes, count);
    ok = insn_decode(insn, copy, count, true);
    EXPECT_TRUE(!ok || insn->length == count);
    EXPECT_EQ(ok, insn->op != INSN_REFUSED);
    free(copy);
    return ok;
}

static void check(const struct known *known, size_t count)
{
    struct insn insn;

    for (size_t i = 0; i < count; i++) {
        decode_text(known[i].bytes, &insn);
        test_string(insn_text(&insn), known[i].text, known[i].bytes, __FILE__,
                    __LINE__);
    }
}

#define CHECK(known) check(known, sizeof(known) / sizeof((known)[0]))

static const struct known encodings[] = {
    {"0f 06", "clts"},
    {"0f 09", "wbinvd"},
    {"f3 0f 09", "wbinvd"},
    {"0f 20 c0", "read_cr8 rax 0"},
    {"41 0f 20 d1", "read_cr8 r9 2"},
    {"0f 22 db", "write_cr8 rbx 3"},
    {"41 0f 22 e7", "write_cr8 r15 4"},
    {"0f 21 f9", "read_dr8 rcx 7"},
    {"41 0f 23 c4", "write_dr8 r12 0"},
    {"0f 31", "rdtsc"},
    {"0f 01 f9", "rdtscp"},
    {"0f 32", "rdmsr"},
    {"0f 30", "wrmsr"},
    {"0f a2", "cpuid"},
    {"0f 01 d1", "xsetbv"},
    {"fa", "cli"},
    {"fb", "sti"},
    {"e4 71", "in1 $113"},
    {"e5 71", "in4 $113"},
    {"ec", "in1 rax"},
    {"66 ed", "in2 rax"},
    {"ed", "in4 rax"},
    {"e6 80", "out1 $-128"},
    {"66 e7 80", "out2 $-128"},
    {"ee", "out1 rax"},
    {"ef", "out4 rax"},
    {"6c", "ins1 [rdi] rax"},
    {"66 f3 6d", "rep ins2 [rdi] rax"},
    {"6d", "ins4 [rdi] rax"},
    {"f3 6e", "rep outs1 [rsi] rax"},
    {"66 6f", "outs2 [rsi] rax"},
    {"65 6f", "outs4 gs:[rsi] rax"},
    {"88 07", "mov1 [rdi] rax"},
    {"88 27", "mov1 [rdi] ah"},
    {"40 88 37", "mov1 [rdi] rsi"},
    {"44 88 6f 10", "mov1 [rdi+0x10] r13"},
    {"66 89 4d fe", "mov2 [rbp-0x2] rcx"},
    {"89 94 88 78 56 34 12", "mov4 [rax+rcx*4+0x12345678] rdx"},
    {"48 89 07", "mov8 [rdi] rax"},
    {"4d 89 3c 24", "mov8 [r12] r15"},
    {"4d 89 7d 00", "mov8 [r13] r15"},
    {"48 89 34 24", "mov8 [rsp] rsi"},
    {"48 89 05 00 10 00 00", "mov8 [rip+0x1000] rax"},
    {"48 89 04 25 00 00 00 81", "mov8 [--0x7f000000] rax"},
    {"4a 89 04 e5 40 00 00 00", "mov8 [-+r12*8+0x40] rax"},
    {"65 48 89 04 25 28 00 00 00", "mov8 gs:[-+0x28] rax"},
    {"64 48 89 02", "mov8 fs:[rdx] rax"},
    {"c6 07 7f", "mov1 [rdi] $127"},
    {"66 c7 07 fe ff", "mov2 [rdi] $-2"},
    {"c7 07 00 00 00 80", "mov4 [rdi] $-2147483648"},
    {"48 c7 07 ff ff ff ff", "mov8 [rdi] $-1"},
    {"48 c7 40 08 00 00 00 00", "mov8 [rax+0x8] $0"},
    {"0f c3 07", "mov4 [rdi] rax"},
    {"48 0f c3 07", "mov8 [rdi] rax"},
    {"86 02", "xchg1 [rdx] rax"},
    {"48 87 02", "xchg8 [rdx] rax"},
    {"f0 4c 87 02", "lock xchg8 [rdx] r8"},
    {"00 0f", "add1 [rdi] rcx"},
    {"66 09 0f", "or2 [rdi] rcx"},
    {"11 0f", "adc4 [rdi] rcx"},
    {"48 19 0f", "sbb8 [rdi] rcx"},
    {"f0 48 21 0f", "lock and8 [rdi] rcx"},
    {"29 0f", "sub4 [rdi] rcx"},
    {"30 2f", "xor1 [rdi] ch"},
    {"48 81 07 00 10 00 00", "add8 [rdi] $4096"},
    {"f0 81 0f 00 00 02 00", "lock or4 [rdi] $131072"},
    {"80 17 01", "adc1 [rdi] $1"},
    {"66 81 1f 34 12", "sbb2 [rdi] $4660"},
    {"f0 80 27 fd", "lock and1 [rdi] $-3"},
    {"48 83 2f 80", "sub8 [rdi] $-128"},
    {"83 37 7f", "xor4 [rdi] $127"},
    {"f6 17", "not1 [rdi]"},
    {"f0 48 f7 17", "lock not8 [rdi]"},
    {"f7 1f", "neg4 [rdi]"},
    {"66 ff 07", "inc2 [rdi]"},
    {"f0 48 ff 0f", "lock dec8 [rdi]"},
    {"fe 0f", "dec1 [rdi]"},
    {"f0 48 0f ba 2f 05", "lock bts8 [rdi] $5"},
    {"f0 48 0f ba 37 3f", "lock btr8 [rdi] $63"},
    {"66 0f ba 3f 01", "btc2 [rdi] $1"},
    {"0f ab 07", "bts4 [rdi] rax"},
    {"f0 4c 0f b3 0f", "lock btr8 [rdi] r9"},
    {"48 0f bb 07", "btc8 [rdi] rax"},
    {"f0 48 0f b1 0f", "lock cmpxchg8 [rdi] rcx"},
    {"0f b0 0f", "cmpxchg1 [rdi] rcx"},
    {"44 0f b1 17", "cmpxchg4 [rdi] r10"},
    {"f0 48 0f c1 0f", "lock xadd8 [rdi] rcx"},
    {"0f c0 37", "xadd1 [rdi] dh"},
    {"aa", "stos1 [rdi] rax"},
    {"66 ab", "stos2 [rdi] rax"},
    {"f3 ab", "rep stos4 [rdi] rax"},
    {"f3 48 ab", "rep stos8 [rdi] rax"},
    {"3e 48 0f ba 37 05", "btr8 [rdi] $5"},
};

TEST("each supported form says what it is")
{
    CHECK(encodings);
}

TEST("a prefix counts where the processor lets it count")
{
    static const struct known known[] = {
        /* REX.W is stronger than 66, and nothing unless it is the last. */
        {"66 48 89 07", "mov8 [rdi] rax"},
        {"48 66 89 07", "mov2 [rdi] rax"},
        {"4f 41 89 07", "mov4 [r15] rax"},
        {"4c f0 00 27", "lock add1 [rdi] ah"},
        /* Segments that are flat override nothing, not even each other. */
        {"3e 89 07", "mov4 [rdi] rax"},
        {"65 3e 89 07", "mov4 gs:[rdi] rax"},
        {"65 64 89 07", "mov4 fs:[rdi] rax"},
        {"64 ab", "stos4 [rdi] rax"},
        {"64 6d", "ins4 [rdi] rax"},
        /* Ports are at most four bytes wide. */
        {"48 ed", "in4 rax"},
        {"66 48 ed", "in4 rax"},
        {"f3 48 6d", "rep ins4 [rdi] rax"},
        {"f2 48 6f", "rep outs4 [rsi] rax"},
        /* Any REX makes 4 to 7 the low bytes of other registers. */
        {"40 86 27", "xchg1 [rdi] rsp"},
        {"86 27", "xchg1 [rdi] ah"},
        {"66 0f 32", "rdmsr"},
    };

    CHECK(known);
}

TEST("the address forms that have their own rules")
{
    static const struct known known[] = {
        {"89 04 24", "mov4 [rsp] rax"},
        {"89 04 64", "mov4 [rsp] rax"}, /* scale of no index */
        {"42 89 04 24", "mov4 [rsp+r12*1] rax"},
        {"41 89 04 24", "mov4 [r12] rax"},
        {"89 05 ff ff ff ff", "mov4 [rip-0x1] rax"},
        {"41 89 05 ff ff ff ff", "mov4 [rip-0x1] rax"},
        {"89 45 80", "mov4 [rbp-0x80] rax"},
        {"89 04 25 01 00 00 00", "mov4 [-+0x1] rax"},
        {"41 89 04 25 01 00 00 00", "mov4 [-+0x1] rax"},
        {"89 44 25 01", "mov4 [rbp+0x1] rax"},
        {"89 04 c5 00 00 00 80", "mov4 [-+rax*8-0x80000000] rax"},
        {"41 89 84 fd 00 00 00 80", "mov4 [r13+rdi*8-0x80000000] rax"},
    };

    CHECK(known);
}

TEST("what no guest needs is refused")
{
    static const char *const refused[] = {
        "f4",                /* hlt */
        "0f 01 17",          /* lgdt (%rdi) */
        "0f 01 1f",          /* lidt (%rdi) */
        "0f 01 3f",          /* invlpg (%rdi) */
        "0f 01 f8",          /* swapgs */
        "0f 01 d0",          /* xgetbv */
        "0f 01 f0",          /* lmsw %ax */
        "0f 00 d8",          /* ltr %ax */
        "0f 08",             /* invd */
        "0f 07",             /* sysret */
        "0f 35",             /* sysexit */
        "0f 33",             /* rdpmc */
        "0f 20 c8",          /* mov %cr1,%rax */
        "44 0f 20 c0",       /* mov %cr8,%rax */
        "f0 0f 20 c0",       /* the same on AMD's 32-bit processors */
        "44 0f 23 c0",       /* mov %rax,%db8 */
        "89 c7",             /* mov %eax,%edi */
        "87 c7",             /* xchg %eax,%edi */
        "0f c3 c7",          /* movnti between registers */
        "8b 07",             /* mov (%rdi),%eax */
        "39 07",             /* cmp %eax,(%rdi) */
        "83 3f 01",          /* cmpl $1,(%rdi) */
        "f7 07 01 00 00 00", /* testl $1,(%rdi) */
        "f7 27",             /* mull (%rdi) */
        "ff 17",             /* call *(%rdi) */
        "ff 37",             /* pushq (%rdi) */
        "8f 07",             /* popq (%rdi) */
        "0f ba 27 05",       /* bt $5,(%rdi) */
        "0f a3 07",          /* bt %eax,(%rdi) */
        "0f c7 0f",          /* cmpxchg8b (%rdi) */
        "48 0f c7 0f",       /* cmpxchg16b (%rdi) */
        "a4",                /* movsb */
        "f3 48 a5",          /* rep movsq */
        "8c 1f",             /* mov %ds,(%rdi) */
        "0f 11 07",          /* movups %xmm0,(%rdi) */
        "48 a3 01 02 03 04 05 06 07 08", /* movabs %rax,... */
        "82 07 01",                      /* addb of 32-bit code */
        "c4 e1 78 11 07",                /* vmovups, by VEX */
        "62 f1 7c 48 11 07",             /* and by EVEX */
        "67 89 07",                      /* mov %eax,(%edi) */
        "67 0f 32",                      /* rdmsr */
        "f0 89 07",                      /* LOCK before what cannot be locked */
        "f0 c7 07 00 00 00 00",
        "f0 ab",
        "f0 0f 30",
        "f3 89 07", /* F2 and F3 where they repeat nothing */
        "f2 f0 48 0f b1 0f",
        "f2 0f 09",
        "f3 0f 32",
        "66 0f c3 07", /* 66 where it makes another instruction */
        "66 0f 01 d1",
        "",
    };
    struct insn insn;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        test_report(!decode_text(refused[i], &insn), false, __FILE__, __LINE__,
                    refused[i]);
}

TEST("an instruction of more than 15 bytes is refused")
{
    static const char fits[] = "3e 3e 3e 3e 3e 3e 3e 48 c7 40 08 00 00 00 00";
    static const char long_one[] =
        "3e 3e 3e 3e 3e 3e 3e 3e 48 c7 40 08 00 00 00 00";
    struct insn insn;

    EXPECT_TRUE(decode_text(fits, &insn));
    EXPECT_FALSE(decode_text(long_one, &insn));
    EXPECT_FALSE(
        decode_text("66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", &insn));
}

TEST("code of compatibility mode is refused")
{
    static const uint8_t cli[] = {0xfa};
    struct insn insn;

    EXPECT_TRUE(insn_decode(&insn, cli, 1, true));
    EXPECT_FALSE(insn_decode(&insn, cli, 1, false));
    EXPECT_EQ(insn.op, INSN_REFUSED);
}
