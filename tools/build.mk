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
