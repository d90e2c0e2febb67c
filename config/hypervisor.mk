# SPDX-License-Identifier: BSD-2-Clause
#
# The hypervisor, twice from the same sources:
#
#   build/cairn.elf         release, what QEMU's -kernel or GRUB loads
#   build/cairn-debug.elf   with assertions and lock checks
#
# For each, build/MODE/ holds
#
#   cairn.sym.elf           ELF64 with symbols and debug information, for gdb
#   cairn.asm, cairn.sym    listings
#   gen/asm_offsets.h       offsets for assembly, from arch/.../asm_offsets.c
#
# The link is done twice, so that the image can name functions in a backtrace:
# the first link tells where they are, tools/symbols.awk writes that as a
# table into section .rodata.symbols, the second link holds the table.  Code
# precedes read-only data in the image, so it stays where it was; that is
# checked.  What reads the table (core's backtrace) declares
#
#   extern const uint32_t symbol_count;
#   extern const uint64_t symbol_address[];   ascending
#   extern const uint32_t symbol_name[];      offset of a name in ...
#   extern const char symbol_names[];         ... these, each ended by a nul

HV_ARCH    := hypervisor/arch/x86_64
HV_OFFSETS := $(HV_ARCH)/asm_offsets.c

HV_C := $(filter-out $(HV_OFFSETS),$(call sources,hypervisor,*.c))
HV_S := $(call sources,hypervisor,*.S)

# What unpacks a compressed initial domain: zlib, without its own allocator and
# whatever else needs a C library.
HV_ZLIB := $(patsubst %,$(ZLIB)/%.c,adler32 crc32 inffast inflate inftrees zutil)
HV_INC  += -isystem $(ZLIB) -DZ_SOLO

# hypervisor-mode(mode, image)
define hypervisor-mode

HV_OBJ_$(1) := $(patsubst %,$(OUT)/$(1)/%.o,$(HV_C) $(HV_S)) \
    $(HV_ZLIB:$(THIRD_PARTY)/%=$(OUT)/$(1)/%.o)
HV_GEN_$(1) := $(OUT)/$(1)/gen
HV_ALL_$(1)  = $$(HV_CFLAGS) $$(HV_CFLAGS_$(1)) $$(HV_INC) -I$$(HV_GEN_$(1))

$(OUT)/$(1)/%.c.o: %.c $(RULES) config/hypervisor.mk
	$$(say) CC "$$< ($(1))"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HV_ALL_$(1)) $$(DEPFLAGS) -c $$< -o $$@

$(OUT)/$(1)/zlib/%.c.o: $(ZLIB)/%.c $(RULES) config/hypervisor.mk
	$$(say) CC "zlib/$$*.c ($(1))"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HV_ALL_$(1)) -w $$(DEPFLAGS) -c $$< -o $$@

$(OUT)/$(1)/hypervisor/boot/unpack.c.o: | $(ZLIB)/.done

$(OUT)/$(1)/%.S.o: %.S $(RULES) config/hypervisor.mk | $$(HV_GEN_$(1))/asm_offsets.h
	$$(say) AS "$$< ($(1))"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HV_ALL_$(1)) $$(DEPFLAGS) -c $$< -o $$@

# The compiler's answer to "->NAME value" in asm_offsets.c is in its assembly.
$$(HV_GEN_$(1))/asm_offsets.h: $(HV_OFFSETS) $(RULES) config/hypervisor.mk
	$$(say) GEN $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HV_ALL_$(1)) -g0 -MMD -MP -MF $$@.d -MT $$@ \
	    -S $$< -o $$(@:.h=.s)
	$$(Q)sed -n \
	    's/^.*->\([A-Za-z0-9_]*\)[ \t]*[$$$$]\{0,1\}\(-\{0,1\}[0-9]*\).*/#define \1 \2/p' \
	    $$(@:.h=.s) >$$@

$(OUT)/$(1)/link.ld: $(HV_ARCH)/link.lds $(RULES) config/hypervisor.mk
	$$(say) GEN $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -E -P -x assembler-with-cpp $$(HV_INC) -MMD -MP -MF $$@.d \
	    -MT $$@ $$< -o $$@

# The list is part of the build: a deleted source must not stay in the image.
$(OUT)/$(1)/objects.list: FORCE
	@mkdir -p $$(@D)
	@echo '$$(HV_OBJ_$(1))' | cmp -s - $$@ || \
	    echo '$$(HV_OBJ_$(1))' >$$@

$(OUT)/$(1)/symbols-none.S: tools/symbols.awk
	@mkdir -p $$(@D)
	$$(Q)awk -f $$< </dev/null >$$@

$(OUT)/$(1)/symbols-none.o $(OUT)/$(1)/symbols.o: %.o: %.S
	$$(Q)$$(CC) -c $$< -o $$@

$(OUT)/$(1)/cairn.pass1.elf: $$(HV_OBJ_$(1)) $(OUT)/$(1)/symbols-none.o \
    $(OUT)/$(1)/link.ld $(OUT)/$(1)/objects.list
	$$(say) LD $$@
	$$(Q)$$(LD) $$(HV_LDFLAGS) -T $(OUT)/$(1)/link.ld -o $$@ \
	    $$(HV_OBJ_$(1)) $(OUT)/$(1)/symbols-none.o

$(OUT)/$(1)/symbols.S: $(OUT)/$(1)/cairn.pass1.elf tools/symbols.awk
	$$(say) GEN $$@
	$$(Q)$$(NM) -n $$< | awk -f tools/symbols.awk >$$@

$(OUT)/$(1)/cairn.sym.elf: $(OUT)/$(1)/cairn.pass1.elf $(OUT)/$(1)/symbols.o
	$$(say) LD $$@
	$$(Q)$$(LD) $$(HV_LDFLAGS) -T $(OUT)/$(1)/link.ld -o $$@ \
	    $$(HV_OBJ_$(1)) $(OUT)/$(1)/symbols.o
	$$(Q)$$(NM) -n $$@ | awk -f tools/symbols.awk | \
	    cmp -s - $(OUT)/$(1)/symbols.S || { echo "$$@: the symbol table" \
	    "moved the code it describes; section .rodata.symbols must come" \
	    "after .text in $(HV_ARCH)/link.lds" >&2; rm -f $$@; exit 1; }
	$$(Q)$$(NM) -n $$@ >$(OUT)/$(1)/cairn.sym
	$$(Q)$$(OBJDUMP) -d --no-show-raw-insn $$@ >$(OUT)/$(1)/cairn.asm

$(2): $(OUT)/$(1)/cairn.sym.elf $(OUT)/tools/mkmultiboot
	$$(say) IMAGE $$@
	$$(Q)$(OUT)/tools/mkmultiboot $$< $$@

-include $$(HV_OBJ_$(1):.o=.d)
-include $$(HV_GEN_$(1))/asm_offsets.h.d $(OUT)/$(1)/link.ld.d
endef

$(eval $(call hypervisor-mode,release,$(OUT)/cairn.elf))
$(eval $(call hypervisor-mode,debug,$(OUT)/cairn-debug.elf))

# Entered from entry.S, so that above it a backtrace has nobody to find.
$(OUT)/release/hypervisor/pv/bounce.c.o: HV_CFLAGS_release += \
    -fomit-frame-pointer

IMAGES += $(OUT)/cairn.elf $(OUT)/cairn-debug.elf
