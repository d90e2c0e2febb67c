# SPDX-License-Identifier: BSD-2-Clause
#
# build/bench/floor.elf: a program without a hypervisor, that measures what the
# processor alone asks for.  Not part of `all`; `make bench` makes it.

FLOOR_OBJ := $(patsubst %,$(OUT)/bench/obj/%.o,\
    $(wildcard tests/bench/floor/*.c tests/bench/floor/*.S))

# Runs where it is loaded, identity-mapped, in the low 2 GiB.
FLOOR_CFLAGS := -std=gnu11 -O2 -ffreestanding -fno-pie -mno-red-zone \
                -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
                -fno-asynchronous-unwind-tables $(WARN)

$(OUT)/bench/obj/%.o: % $(RULES) tests/bench/build.mk
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLOOR_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(OUT)/bench/floor.elf: $(FLOOR_OBJ) $(OUT)/tools/mkmultiboot
	$(say) LD $@
	$(Q)$(LD) -static -nostdlib -no-pie --build-id=none -z noexecstack \
	    -z max-page-size=4096 --no-warn-rwx-segments -Ttext=0x100000 \
	    -e start -o $(OUT)/bench/floor64.elf $(sort $(FLOOR_OBJ))
	$(Q)$(OUT)/tools/mkmultiboot $(OUT)/bench/floor64.elf $@

$(call read-deps,$(FLOOR_OBJ))
