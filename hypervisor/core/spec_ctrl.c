/* SPDX-License-Identifier: BSD-2-Clause */
/* Which defences against speculation are on. */

#include "core/spec_ctrl.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/segment.h"

/* SDM volume 4, table 2-2; AMD64 manual 2, 3.2.9. */
#define MSR_SPEC_CTRL        0x48U
#define MSR_PRED_CMD         0x49U
#define MSR_ARCH_CAPS        0x10aU
#define SPEC_CTRL_IBRS       (1UL << 0)
#define PRED_CMD_IBPB        (1UL << 0)
#define ARCH_CAPS_RDCL_NO    (1UL << 0)
#define ARCH_CAPS_IBRS_ALL   (1UL << 1)
#define ARCH_CAPS_MDS_NO     (1UL << 5)
#define EFER_AUTOMATIC_IBRS  (1UL << 21)
#define LEAF7_EDX_MD_CLEAR   (1U << 10)
#define LEAF7_EDX_IBRS_IBPB  (1U << 26)
#define LEAF7_EDX_ARCH_CAPS  (1U << 29)
#define LEAF88_EBX_IBPB      (1U << 12)
#define LEAF821_EAX_AUTOIBRS (1U << 8)
#define INTEL_EBX            0x756e6547U /* "Genu", of "GenuineIntel" */

uint32_t spec_active;

/* What matters here of a processor. */
static struct {
    bool leaks_supervisor; /* Meltdown: Intel's without RDCL_NO */
    bool leaks_buffers;    /* MDS: Intel's without MDS_NO */
    uint32_t able;         /* SPEC_BIT()s it can do */
    bool amd_ibrs;         /* IBRS is a bit of EFER */
} examined;

/* From spec-ctrl=: SPEC_BIT()s to do, and not to do, whatever it needs. */
static struct spec_wishes {
    uint32_t on, off;
} wishes;

static const char *const names[] = {
#define SPEC_NAME_(name, text) [SPEC_##name] = (text),
    SPEC_DEFENCES(SPEC_NAME_)};

static bool parse_word(struct text word, struct spec_wishes *w)
{
    bool no = word.bytes > 3 && !memcmp(word.at, "no-", 3);
    bool off = text_is(word, "no") || text_is(word, "off");

    if (off || text_is(word, "auto")) {
        *w = (struct spec_wishes){.off = off ? ~0U : 0};
        return true;
    }
    if (no)
        word = (struct text){word.at + 3, word.bytes - 3};
    for (unsigned int i = 0; i < SPEC_COUNT; i++)
        if (text_is(word, names[i])) {
            w->on = (w->on & ~(1U << i)) | (uint32_t)!no << i;
            w->off = (w->off & ~(1U << i)) | (uint32_t)no << i;
            return true;
        }
    return false;
}

/* Several words, with commas; one that is none, and nothing has changed. */
static bool parse_option(struct text text)
{
    struct spec_wishes result = wishes;

    for (size_t at = 0, end; at <= text.bytes; at = end + 1) {
        for (end = at; end < text.bytes && text.at[end] != ','; end++)
            ;
        if (!parse_word((struct text){text.at + at, end - at}, &result))
            return false;
    }
    wishes = result;
    return true;
}
BOOT_OPTION_PARSED(spec_ctrl, "spec-ctrl",
                   "no, auto, or a list of [no-]xpti, ibpb, verw, ibrs",
                   parse_option);

static uint32_t choose(void)
{
    uint32_t needed = SPEC_BIT(IBPB) | SPEC_BIT(IBRS);

    if (examined.leaks_supervisor)
        needed |= SPEC_BIT(XPTI);
    if (examined.leaks_buffers)
        needed |= SPEC_BIT(VERW);
    return ((needed & ~wishes.off) | wishes.on) &
           (examined.able | SPEC_BIT(XPTI));
}

static void examine(void)
{
    bool intel = cpuid(0, 0).ebx == INTEL_EBX;
    uint32_t edx = cpuid(0, 0).eax >= 7 ? cpuid(7, 0).edx : 0;
    uint32_t extended = cpuid(0x80000000, 0).eax;
    uint64_t caps = edx & LEAF7_EDX_ARCH_CAPS ? rdmsr(MSR_ARCH_CAPS) : 0;

    examined.leaks_supervisor = intel && !(caps & ARCH_CAPS_RDCL_NO);
    examined.leaks_buffers = intel && !(caps & ARCH_CAPS_MDS_NO);
    if (edx & LEAF7_EDX_MD_CLEAR)
        examined.able |= SPEC_BIT(VERW);
    if (edx & LEAF7_EDX_IBRS_IBPB)
        examined.able |= SPEC_BIT(IBPB);
    if (extended >= 0x80000008 && cpuid(0x80000008, 0).ebx & LEAF88_EBX_IBPB)
        examined.able |= SPEC_BIT(IBPB);
    examined.amd_ibrs = extended >= 0x80000021 &&
                        cpuid(0x80000021, 0).eax & LEAF821_EAX_AUTOIBRS;
    if (examined.amd_ibrs || caps & ARCH_CAPS_IBRS_ALL)
        examined.able |= SPEC_BIT(IBRS);
}

void spec_init(void)
{
    examine();
    spec_active = choose();
    cpu_features.xpti = spec_active & SPEC_BIT(XPTI);
    for (unsigned int i = 0; i < SPEC_COUNT; i++)
        if ((wishes.on & ~spec_active) >> i & 1)
            log_warning("spec-ctrl: this processor has no %s", names[i]);
    log_info("speculation: %s%s%s%s%s",
             spec_active & SPEC_BIT(XPTI) ? "xpti " : "",
             spec_active & SPEC_BIT(IBPB) ? "ibpb " : "",
             spec_active & SPEC_BIT(VERW) ? "verw " : "",
             spec_active & SPEC_BIT(IBRS) ? "ibrs " : "",
             spec_active ? "on" : "no defence is on");
}

void spec_init_cpu(void)
{
    if (!(spec_active & SPEC_BIT(IBRS)))
        return;
    if (examined.amd_ibrs)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTOMATIC_IBRS);
    else
        wrmsr(MSR_SPEC_CTRL, SPEC_CTRL_IBRS);
}

void spec_flush_out_of_line(void)
{
    if (spec_active & SPEC_BIT(IBPB))
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    if (spec_active & SPEC_BIT(VERW))
        verw(SELECTOR_HV_DS);
}
