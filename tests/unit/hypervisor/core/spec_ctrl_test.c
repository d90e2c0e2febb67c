/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The speculation policy: which defence on which processor, what spec-ctrl=
 * changes, and what is written to it.  No emulator has IBPB, VERW's side effect
 * or IBRS, so the instructions are doubles here.
 */

#include "unit/test.h"

#include "arch/x86_64/cpu.h"

static struct cpuid_regs leaf_7, leaf_88, leaf_821;
static uint32_t vendor;
static uint64_t capabilities;
static char written[200];

static struct cpuid_regs double_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r = {0};

    (void)subleaf;
    switch (leaf) {
    case 0:
        r.eax = 7;
        r.ebx = vendor;
        return r;
    case 7:
        return leaf_7;
    case 0x80000000:
        r.eax = 0x80000021;
        return r;
    case 0x80000008:
        return leaf_88;
    case 0x80000021:
        return leaf_821;
    default:
        return r;
    }
}

static uint64_t double_rdmsr(uint32_t msr)
{
    return msr == 0x10a ? capabilities : 0x500;
}

static void double_wrmsr(uint32_t msr, uint64_t value)
{
    size_t at = strlen(written);

    snprintf(written + at, sizeof(written) - at, "%x=%lx ", msr,
             (unsigned long)value);
}

static void double_verw(uint16_t selector)
{
    size_t at = strlen(written);

    snprintf(written + at, sizeof(written) - at, "verw %x ", selector);
}

#define cpuid(leaf, subleaf) double_cpuid(leaf, subleaf)
#define rdmsr(msr)           double_rdmsr(msr)
#define wrmsr(msr, value)    double_wrmsr(msr, value)
#define verw(selector)       double_verw(selector)
#include "core/spec_ctrl.c"
#undef cpuid
#undef rdmsr
#undef wrmsr
#undef verw

struct cpu_features cpu_features;

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

#define INTEL 0x756e6547U
#define AMD   0x68747541U

void setup(void)
{
    memset(&leaf_7, 0, sizeof(leaf_7));
    memset(&leaf_88, 0, sizeof(leaf_88));
    memset(&leaf_821, 0, sizeof(leaf_821));
    memset(&wishes, 0, sizeof(wishes));
    memset(&examined, 0, sizeof(examined));
    vendor = AMD;
    capabilities = 0;
    spec_active = 0;
    written[0] = '\0';
}

static bool option(const char *text)
{
    return parse_option((struct text){text, strlen(text)});
}

/* An Intel that has everything and needs everything. */
static void be_an_old_intel(void)
{
    vendor = INTEL;
    leaf_7.edx = 1U << 10 | 1U << 26 | 1U << 29;
}

TEST("an old Intel gets tables of their own for guests, and both flushes")
{
    be_an_old_intel();
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(XPTI) | SPEC_BIT(IBPB) | SPEC_BIT(VERW));
    EXPECT_TRUE(cpu_features.xpti);
}

TEST("an Intel without ARCH_CAPABILITIES is taken to leak")
{
    vendor = INTEL;
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(XPTI));
}

TEST("an Intel that says it does not leak gets what it still needs")
{
    be_an_old_intel();
    capabilities = 1U << 0 | 1U << 1 | 1U << 5;
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(IBPB) | SPEC_BIT(IBRS));
    EXPECT_FALSE(cpu_features.xpti);
}

TEST("an AMD gets the barrier, and automatic IBRS where it has that")
{
    leaf_88.ebx = 1U << 12;
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(IBPB));
    leaf_821.eax = 1U << 8;
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(IBPB) | SPEC_BIT(IBRS));
}

TEST("no switches all off, auto all back, and later words win")
{
    be_an_old_intel();
    EXPECT_TRUE(option("no"));
    spec_init();
    EXPECT_EQ(spec_active, 0);
    EXPECT_TRUE(option("auto,no-verw"));
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(XPTI) | SPEC_BIT(IBPB));
    EXPECT_TRUE(option("no-xpti,verw"));
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(IBPB) | SPEC_BIT(VERW));
    EXPECT_TRUE(option("no,xpti"));
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(XPTI));
}

TEST("tables of their own can be asked for anywhere, flushes only where they "
     "are")
{
    EXPECT_TRUE(option("xpti,ibpb,verw,ibrs"));
    spec_init();
    EXPECT_EQ(spec_active, SPEC_BIT(XPTI));
}

TEST("what is no word of the option changes nothing")
{
    static const char *const bad[] = {"",     "xpt",      "xptii", "no-",
                                      "no-x", "xpti,,no", "xpti,", "XPTI"};

    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        EXPECT_FALSE(option(bad[i]));
        EXPECT_EQ(wishes.on | wishes.off, 0);
    }
}

TEST("between domains the predictor and the buffers are emptied, once each")
{
    be_an_old_intel();
    spec_init();
    spec_flush();
    EXPECT_STR(written, "49=1 verw e010 ");
}

TEST("with nothing on nothing is written")
{
    be_an_old_intel();
    EXPECT_TRUE(option("no"));
    spec_init();
    spec_flush();
    spec_init_cpu();
    EXPECT_STR(written, "");
}

TEST("IBRS is switched on where each vendor has it")
{
    be_an_old_intel();
    capabilities = 1U << 1;
    spec_init();
    spec_init_cpu();
    EXPECT_STR(written, "48=1 ");

    setup();
    leaf_821.eax = 1U << 8;
    spec_init();
    spec_init_cpu();
    EXPECT_STR(written, "c0000080=200500 ");
}
