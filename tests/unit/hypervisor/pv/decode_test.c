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
    {"0f 06", "CLTS"},
    {"0f 09", "WBINVD"},
    {"f3 0f 09", "WBINVD"},
    {"0f 20 c0", "READ_CR8 rax 0"},
    {"41 0f 20 d1", "READ_CR8 r9 2"},
    {"0f 22 db", "WRITE_CR8 rbx 3"},
    {"41 0f 22 e7", "WRITE_CR8 r15 4"},
    {"0f 21 f9", "READ_DR8 rcx 7"},
    {"41 0f 23 c4", "WRITE_DR8 r12 0"},
    {"0f 31", "RDTSC"},
    {"0f 01 f9", "RDTSCP"},
    {"0f 32", "RDMSR"},
    {"0f 30", "WRMSR"},
    {"0f a2", "CPUID"},
    {"0f 01 d1", "XSETBV"},
    {"fa", "CLI"},
    {"fb", "STI"},
    {"e4 71", "IN1 $113"},
    {"e5 71", "IN4 $113"},
    {"ec", "IN1 rax"},
    {"66 ed", "IN2 rax"},
    {"ed", "IN4 rax"},
    {"e6 80", "OUT1 $-128"},
    {"66 e7 80", "OUT2 $-128"},
    {"ee", "OUT1 rax"},
    {"ef", "OUT4 rax"},
    {"6c", "INS1 [rdi] rax"},
    {"66 f3 6d", "rep INS2 [rdi] rax"},
    {"6d", "INS4 [rdi] rax"},
    {"f3 6e", "rep OUTS1 [rsi] rax"},
    {"66 6f", "OUTS2 [rsi] rax"},
    {"65 6f", "OUTS4 gs:[rsi] rax"},
    {"88 07", "MOV1 [rdi] rax"},
    {"88 27", "MOV1 [rdi] ah"},
    {"40 88 37", "MOV1 [rdi] rsi"},
    {"44 88 6f 10", "MOV1 [rdi+0x10] r13"},
    {"66 89 4d fe", "MOV2 [rbp-0x2] rcx"},
    {"89 94 88 78 56 34 12", "MOV4 [rax+rcx*4+0x12345678] rdx"},
    {"48 89 07", "MOV8 [rdi] rax"},
    {"4d 89 3c 24", "MOV8 [r12] r15"},
    {"4d 89 7d 00", "MOV8 [r13] r15"},
    {"48 89 34 24", "MOV8 [rsp] rsi"},
    {"48 89 05 00 10 00 00", "MOV8 [rip+0x1000] rax"},
    {"48 89 04 25 00 00 00 81", "MOV8 [--0x7f000000] rax"},
    {"4a 89 04 e5 40 00 00 00", "MOV8 [-+r12*8+0x40] rax"},
    {"65 48 89 04 25 28 00 00 00", "MOV8 gs:[-+0x28] rax"},
    {"64 48 89 02", "MOV8 fs:[rdx] rax"},
    {"c6 07 7f", "MOV1 [rdi] $127"},
    {"66 c7 07 fe ff", "MOV2 [rdi] $-2"},
    {"c7 07 00 00 00 80", "MOV4 [rdi] $-2147483648"},
    {"48 c7 07 ff ff ff ff", "MOV8 [rdi] $-1"},
    {"48 c7 40 08 00 00 00 00", "MOV8 [rax+0x8] $0"},
    {"0f c3 07", "MOV4 [rdi] rax"},
    {"48 0f c3 07", "MOV8 [rdi] rax"},
    {"86 02", "XCHG1 [rdx] rax"},
    {"48 87 02", "XCHG8 [rdx] rax"},
    {"f0 4c 87 02", "lock XCHG8 [rdx] r8"},
    {"00 0f", "ADD1 [rdi] rcx"},
    {"66 09 0f", "OR2 [rdi] rcx"},
    {"11 0f", "ADC4 [rdi] rcx"},
    {"48 19 0f", "SBB8 [rdi] rcx"},
    {"f0 48 21 0f", "lock AND8 [rdi] rcx"},
    {"29 0f", "SUB4 [rdi] rcx"},
    {"30 2f", "XOR1 [rdi] ch"},
    {"48 81 07 00 10 00 00", "ADD8 [rdi] $4096"},
    {"f0 81 0f 00 00 02 00", "lock OR4 [rdi] $131072"},
    {"80 17 01", "ADC1 [rdi] $1"},
    {"66 81 1f 34 12", "SBB2 [rdi] $4660"},
    {"f0 80 27 fd", "lock AND1 [rdi] $-3"},
    {"48 83 2f 80", "SUB8 [rdi] $-128"},
    {"83 37 7f", "XOR4 [rdi] $127"},
    {"f6 17", "NOT1 [rdi]"},
    {"f0 48 f7 17", "lock NOT8 [rdi]"},
    {"f7 1f", "NEG4 [rdi]"},
    {"66 ff 07", "INC2 [rdi]"},
    {"f0 48 ff 0f", "lock DEC8 [rdi]"},
    {"fe 0f", "DEC1 [rdi]"},
    {"f0 48 0f ba 2f 05", "lock BTS8 [rdi] $5"},
    {"f0 48 0f ba 37 3f", "lock BTR8 [rdi] $63"},
    {"66 0f ba 3f 01", "BTC2 [rdi] $1"},
    {"0f ab 07", "BTS4 [rdi] rax"},
    {"f0 4c 0f b3 0f", "lock BTR8 [rdi] r9"},
    {"48 0f bb 07", "BTC8 [rdi] rax"},
    {"f0 48 0f b1 0f", "lock CMPXCHG8 [rdi] rcx"},
    {"0f b0 0f", "CMPXCHG1 [rdi] rcx"},
    {"44 0f b1 17", "CMPXCHG4 [rdi] r10"},
    {"f0 48 0f c1 0f", "lock XADD8 [rdi] rcx"},
    {"0f c0 37", "XADD1 [rdi] dh"},
    {"aa", "STOS1 [rdi] rax"},
    {"66 ab", "STOS2 [rdi] rax"},
    {"f3 ab", "rep STOS4 [rdi] rax"},
    {"f3 48 ab", "rep STOS8 [rdi] rax"},
    {"3e 48 0f ba 37 05", "BTR8 [rdi] $5"},
};

TEST("each supported form says what it is")
{
    CHECK(encodings);
}

TEST("a prefix counts where the processor lets it count")
{
    static const struct known known[] = {
        /* REX.W is stronger than 66, and nothing unless it is the last. */
        {"66 48 89 07", "MOV8 [rdi] rax"},
        {"48 66 89 07", "MOV2 [rdi] rax"},
        {"4f 41 89 07", "MOV4 [r15] rax"},
        {"4c f0 00 27", "lock ADD1 [rdi] ah"},
        /* Segments that are flat override nothing, not even each other. */
        {"3e 89 07", "MOV4 [rdi] rax"},
        {"65 3e 89 07", "MOV4 gs:[rdi] rax"},
        {"65 64 89 07", "MOV4 fs:[rdi] rax"},
        {"64 ab", "STOS4 [rdi] rax"},
        {"64 6d", "INS4 [rdi] rax"},
        /* Ports are at most four bytes wide. */
        {"48 ed", "IN4 rax"},
        {"66 48 ed", "IN4 rax"},
        {"f3 48 6d", "rep INS4 [rdi] rax"},
        {"f2 48 6f", "rep OUTS4 [rsi] rax"},
        /* Any REX makes 4 to 7 the low bytes of other registers. */
        {"40 86 27", "XCHG1 [rdi] rsp"},
        {"86 27", "XCHG1 [rdi] ah"},
        {"66 0f 32", "RDMSR"},
    };

    CHECK(known);
}

TEST("the address forms that have their own rules")
{
    static const struct known known[] = {
        {"89 04 24", "MOV4 [rsp] rax"},
        {"89 04 64", "MOV4 [rsp] rax"}, /* scale of no index */
        {"42 89 04 24", "MOV4 [rsp+r12*1] rax"},
        {"41 89 04 24", "MOV4 [r12] rax"},
        {"89 05 ff ff ff ff", "MOV4 [rip-0x1] rax"},
        {"41 89 05 ff ff ff ff", "MOV4 [rip-0x1] rax"},
        {"89 45 80", "MOV4 [rbp-0x80] rax"},
        {"89 04 25 01 00 00 00", "MOV4 [-+0x1] rax"},
        {"41 89 04 25 01 00 00 00", "MOV4 [-+0x1] rax"},
        {"89 44 25 01", "MOV4 [rbp+0x1] rax"},
        {"89 04 c5 00 00 00 80", "MOV4 [-+rax*8-0x80000000] rax"},
        {"41 89 84 fd 00 00 00 80", "MOV4 [r13+rdi*8-0x80000000] rax"},
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

/* Whether both decoders say the same of @count bytes, which end with memory. */
static bool is_same(const uint8_t *bytes, size_t count, bool long_mode)
{
    uint8_t *copy = memcpy(malloc(count + !count), bytes, count);
    struct insn one, other;
    bool ok = insn_decode(&one, copy, count, long_mode);
    bool same = insn_decode_store(&other, copy, count, long_mode) == ok &&
                memcmp(&one, &other, sizeof(one)) == 0;

    free(copy);
    return same;
}

TEST("of each first prefix, opcode and operand, stores are decoded as others")
{
    uint8_t bytes[INSN_MAX] = {0, 0, 0, 0x85, 0xf6, 0x7f, 0x91, 0x80};
    unsigned int differ = 0;

    for (unsigned int rex = 0x40; rex < 0x50; rex++)
        for (unsigned int rest = 0; rest <= 0xffff; rest++) {
            bytes[0] = (uint8_t)rex;
            bytes[1] = (uint8_t)(rest >> 8);
            bytes[2] = (uint8_t)rest;
            differ += !is_same(bytes, INSN_MAX, true);
        }
    for (unsigned int first = 0; first < 256; first++)
        for (size_t count = 0; count < 12; count++) {
            const uint8_t mov[] = {
                (uint8_t)first, 0x89, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9};

            differ += !is_same(mov, count, true);
            differ += !is_same(mov, count, false);
        }
    EXPECT_EQ(differ, 0);
}
