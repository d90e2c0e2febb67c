# SPDX-License-Identifier: BSD-2-Clause
#
# What every build.mk uses: quiet commands, dependency files, and how a guest is
# compiled and linked.

# V=1 shows the commands; otherwise one line says what is done.
Q   := $(if $(V),,@)
say := @printf '  %-7s %s\n'

# Flags or the build itself changed: compile again.
RULES := config/flags.mk config/rules.mk

# Each compiled file leaves a list of the headers it read beside its object.
DEPFLAGS = -MMD -MP -MF $(@:.o=.d) -MT $@

# sources(folder, patterns): what matches in it and three levels below it, and
# sorted, so that every link has the same order.
sources = $(sort $(foreach below,* */* */*/* */*/*/*,\
    $(filter $(subst *,%,$(2)),$(wildcard $(1)/$(below)))))

# read-deps(objects): what the last build learnt about them.
read-deps = $(eval -include $(1:.o=.d))

IMAGES :=

# --- Guest objects --------------------------------------------------------
#
# guest-objects(prefix, flags) compiles any source below the repository into
# $(prefix)/SOURCE.o; newlib's headers must be there before the first one.

define guest-objects
$(1)/%.c.o: %.c $(RULES) $(NEWLIB)/.done
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(GUEST_CFLAGS) $(2) $$(DEPFLAGS) -c $$< -o $$@

$(1)/%.S.o: %.S $(RULES) $(NEWLIB)/.done
	$$(say) AS $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(GUEST_CFLAGS) $(2) $$(DEPFLAGS) -c $$< -o $$@
endef

# An archive with the members named and nothing else: no dates, no owners, and
# no member left over from a file that was deleted since.
define make-archive
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)
endef

# guest-image(image, objects and libraries in link order): IMAGE.elf to boot,
# with symbols but without debug information; IMAGE.dbg.elf for gdb; listings.

define guest-image
$(1).dbg.elf: $(2) $(RUNTIME_LIB) $(GUEST_LDS) $(RULES) $(NEWLIB)/.done
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(GUEST_LDFLAGS) -T $(GUEST_LDS) -o $$@ \
	    $(filter %.o,$(2)) -Wl,--start-group $(filter %.a,$(2)) \
	    $(RUNTIME_LIB) $(NEWLIB)/lib/libc.a $(NEWLIB)/lib/libm.a \
	    -Wl,--end-group

$(1).elf: $(1).dbg.elf
	$$(say) STRIP $$@
	$$(Q)$$(OBJCOPY) --strip-debug $$< $$@
	$$(Q)$$(NM) -n $$< >$(1).sym
	$$(Q)$$(OBJDUMP) -d --no-show-raw-insn $$< >$(1).asm
endef

# A file that names it is looked at each time; it changes only if its content
# does, so what depends on it is left alone.
.PHONY: FORCE
FORCE:
