# SPDX-License-Identifier: BSD-2-Clause
#
# From `nm -n` to the table with which a backtrace names functions; see
# config/hypervisor.mk for its layout.  Only code is listed: that is what return
# addresses point to.
#
#   usage: nm -n cairn.pass1.elf | awk -f symbols.awk >symbols.S

# Low addresses belong to the boot code, which has no backtraces.
$2 ~ /^[tT]$/ && $1 ~ /^ffff/ && $1 != last {
    address[count++] = $1
    name[count - 1] = $3
    last = $1
}

END {
    print "    .section .rodata.symbols, \"a\""
    print "    .balign 8"
    table("symbol_address")
    for (i = 0; i < count; i++)
        print "    .quad 0x" address[i]
    table("symbol_count")
    print "    .long " count + 0
    table("symbol_name")
    for (i = 0; i < count; i++) {
        print "    .long " offset + 0
        offset += length(name[i]) + 1
    }
    table("symbol_names")
    for (i = 0; i < count; i++)
        print "    .asciz \"" name[i] "\""
    print "    .section .note.GNU-stack, \"\", @progbits"
}

function table(label)
{
    print "    .globl " label
    print "    .hidden " label
    print label ":"
}
