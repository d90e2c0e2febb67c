#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# How large things are: images, the hypervisor by room, and its lines of code.
# Called by `make size`.

set -euo pipefail
cd "$(dirname "$0")/.."
OUT=${OUT:-build}

echo "Bytes of each image"
find "$OUT"/*/cairn.sym.elf "$OUT/guests" -maxdepth 1 -name '*.elf' \
    ! -name '*.dbg.elf' | sort | xargs size |
    awk 'NR == 1 { printf "%10s %10s %10s  %s\n", "text", "data", "bss", "image"
                   next }
         { printf "%10d %10d %10d  %s\n", $1, $2, $3, $6 }'

echo
echo "Bytes of the hypervisor by room (release, before unused parts are dropped)"
find "$OUT/release/hypervisor" -name '*.o' | sort | xargs size | awk '
    NR == 1 { printf "%10s %10s %10s  %s\n", "text", "data", "bss", "room"; next }
    { file = $6; sub(/.*release\/hypervisor\//, "", file); sub(/\/.*/, "", file)
      text[file] += $1; data[file] += $2; bss[file] += $3 }
    END { for (room in text)
              printf "%10d %10d %10d  %s\n", text[room], data[room],
                  bss[room], room | "sort -k 4" }'

echo
echo "Lines of the hypervisor"
if command -v cloc >/dev/null; then
    cloc --quiet --hide-rate hypervisor | sed '/^$/d'
else
    find hypervisor -name '*.[chS]' | sort | xargs wc -l | tail -n 1
fi
