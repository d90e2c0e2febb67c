# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that run on this machine.  Each tools/NAME.c is one program,
# build/tools/NAME.

TOOLS := $(patsubst tools/%.c,$(OUT)/tools/%,$(call sources,tools,*.c))

$(OUT)/tools/%: tools/%.c $(RULES)
	$(say) HOSTCC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -Iguest-abi/include -MMD -MP -MF $@.d -MT $@ \
	    $< -o $@

$(eval -include $(addsuffix .d,$(TOOLS)))

IMAGES += $(TOOLS)

# --- build/cairn.iso: GRUB, the hypervisor, the control domain, web guests ---

GRUB_MKRESCUE ?= grub-mkrescue

ISO_FILES := $(OUT)/cairn.elf $(OUT)/cairn-debug.elf \
    $(OUT)/guests/control.elf $(OUT)/guests/web.elf
ISO_GUESTS := $(or $(GUESTS),16)
ISO_PORT   := $(or $(PORT),9000)

# What was asked for is part of it: other words make another image.
$(OUT)/iso/boot/grub/grub.cfg: tools/iso/grub.cfg FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's|@HV_ARGS@|$(HV_ARGS)|' -e 's|@GUESTS@|$(ISO_GUESTS)|' \
	    -e 's|@PORT@|$(ISO_PORT)|' -e 's|@CONTROL_ARGS@|$(CONTROL_ARGS)|' \
	    -e 's| *$$||' $< >$@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(OUT)/cairn.iso: $(ISO_FILES) $(OUT)/iso/boot/grub/grub.cfg
	$(say) ISO $@
	$(Q)cp $(ISO_FILES) $(OUT)/iso/boot/
	$(Q)$(GRUB_MKRESCUE) --locales= --fonts= --themes= -o $@ $(OUT)/iso \
	    >$(OUT)/iso.log 2>&1 || { cat $(OUT)/iso.log >&2; exit 1; }
