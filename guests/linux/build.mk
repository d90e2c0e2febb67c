# SPDX-License-Identifier: BSD-2-Clause
#
# build/guests/linux/: guests that are not ours, from Debian's packages that
# `make deps` unpacks into the cache.
#
#   vmlinuz-amd64, vmlinuz-cloud   Debian's kernels, as they are
#   initrd.cpio.gz                 busybox, scripts of tests, a measuring program
#   nginx.cpio.gz                  the same and nginx, which serves port 80
#   grub.bin                       Debian's GRUB for PV domains, as it is
#   grub-chain.bin                 GRUB with a memory disk, from which it starts
#                                  vmlinuz-amd64 with initrd.cpio.gz

LINUX     := $(OUT)/guests/linux
UNPACKED  := $(CACHE)/unpacked
GRUB_MODS := $(UNPACKED)/grub-xen-bin/usr/lib/grub/x86_64-xen

LINUX_ROOT := $(sort $(shell find guests/linux/root -type f))
LINUX_MAKE := guests/linux/mkinitrd.py tools/newc.py guests/linux/build.mk
LINUX_PROGRAMS := $(LINUX)/bench $(LINUX)/client
LINUX_BASE := $(LINUX_ROOT) $(LINUX_MAKE) $(LINUX_PROGRAMS) $(foreach p,\
    busybox-static linux-image-amd64 linux-image-cloud-amd64,$(UNPACKED)/$(p)/.done)

# What is missing there, only `make deps` brings.
$(UNPACKED)/%/.done:
	@echo "$* is not unpacked; run make deps" >&2; exit 1

# copy-unpacked(package, pattern): the only file of it that matches
define copy-unpacked
	$(say) COPY $@
	@mkdir -p $(@D)
	$(Q)cp --no-preserve=all $(UNPACKED)/$(1)/$(2) $@
endef

$(LINUX)/vmlinuz-amd64: $(UNPACKED)/linux-image-amd64/.done
	$(call copy-unpacked,linux-image-amd64,boot/vmlinuz-*)

$(LINUX)/vmlinuz-cloud: $(UNPACKED)/linux-image-cloud-amd64/.done
	$(call copy-unpacked,linux-image-cloud-amd64,boot/vmlinuz-*)

$(LINUX)/grub.bin: $(UNPACKED)/grub-xen-host/.done
	$(call copy-unpacked,grub-xen-host,usr/lib/grub-xen/grub-x86_64-xen.bin)

# Programs of Linux: the host's compiler and static C library.
$(LINUX_PROGRAMS): $(LINUX)/%: guests/linux/bench/%.c $(RULES)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -static -s -Wl,--build-id=none $< -o $@

$(LINUX)/initrd.cpio.gz: $(LINUX_BASE)
	$(say) PACK $@
	$(Q)$(PYTHON) guests/linux/mkinitrd.py $@ $(UNPACKED) \
	    --programs $(LINUX_PROGRAMS)

$(LINUX)/nginx.cpio.gz: $(LINUX_BASE) guests/linux/nginx.conf $(foreach p,\
    nginx nginx-common libc6 libcrypt1 libpcre2-8-0 libssl3 zlib1g,\
    $(UNPACKED)/$(p)/.done)
	$(say) PACK $@
	$(Q)$(PYTHON) guests/linux/mkinitrd.py $@ $(UNPACKED) \
	    --programs $(LINUX_PROGRAMS) --nginx

# The memory disk: no dates and no owners.
$(LINUX)/grub-disk.tar: $(LINUX)/vmlinuz-amd64 $(LINUX)/initrd.cpio.gz
	$(say) PACK $@
	$(Q)tar -c -f $@ -C $(LINUX) --format=ustar --mtime=@0 --mode=644 \
	    --owner=0 --group=0 --numeric-owner --transform='s/-amd64$$//' \
	    --transform='s/[.]cpio[.]gz$$//' vmlinuz-amd64 initrd.cpio.gz

$(LINUX)/grub-chain.bin: $(LINUX)/grub-disk.tar guests/linux/grub/chain.cfg \
    guests/linux/build.mk $(UNPACKED)/grub-xen-bin/.done
	$(say) GRUB $@
	$(Q)grub-mkimage -d $(GRUB_MODS) -O x86_64-xen -p '(memdisk)' -m $< \
	    -c guests/linux/grub/chain.cfg -o $@ \
	    memdisk tar linux xzio gzio gcry_crc gcry_sha256 echo test ls cat \
	    minicmd normal halt reboot

LINUX_IMAGES := $(addprefix $(LINUX)/,vmlinuz-amd64 vmlinuz-cloud \
    initrd.cpio.gz nginx.cpio.gz grub.bin grub-chain.bin)
IMAGES += $(LINUX_IMAGES)
