# SPDX-License-Identifier: BSD-2-Clause
#
# Every #include between rooms of the hypervisor is one that its table allows.
#
#   usage: awk -f layers.awk hypervisor/LAYERS FILE ...

FILENAME == ARGV[1] {
    if (!/^#/ && NF) {
        for (i = 1; i <= NF; i++)
            may[$1, $i] = 1     # A room always knows itself.
        room[$1] = 1
    }
    next
}

FNR == 1 {
    split(FILENAME, path, "/")
    here = path[2]
    if (!(here in room)) {
        printf "%s: room '%s' is not in %s\n", FILENAME, here, ARGV[1]
        bad = 1
    }
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    split(quoted[2], part, "/")
    there = part[1]
    if (quoted[2] !~ /\// && quoted[2] != "asm_offsets.h") {
        printf "%s:%d: \"%s\" does not name its room\n", FILENAME, FNR, quoted[2]
        bad = 1
    } else if (there in room && !((here, there) in may)) {
        printf "%s:%d: room '%s' may not know '%s'\n", FILENAME, FNR, here, there
        bad = 1
    }
}

# What one program shares with another is the ABI, and nothing else.
/^[ \t]*#[ \t]*include[ \t]*["<](guests|tools|tests)\// {
    printf "%s:%d: the hypervisor includes no other program's files\n", \
        FILENAME, FNR
    bad = 1
}

END { exit bad }
