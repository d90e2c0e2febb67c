#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Turn the files of a folder into C: an array each, and a table of them
# ascending by path (struct embedded_file in content.h).
#
#   usage: embed.sh FOLDER >FILE.c

set -eu
cd "$1"
LC_ALL=C
export LC_ALL

type_of()
{
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.txt) echo 'text/plain; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.png) echo 'image/png' ;;
    *.ico) echo 'image/x-icon' ;;
    *.js) echo 'text/javascript' ;;
    *.json) echo 'application/json' ;;
    *) echo 'application/octet-stream' ;;
    esac
}

files=$(find . -type f ! -name '.*' | sed 's|^\./||' | sort)

echo '/* Made by embed.sh. */'
echo '#include "content.h"'
i=0
for file in $files; do
    echo "static const unsigned char data_${i}[] = {"
    od -An -v -tu1 "$file" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
    echo '};'
    i=$((i + 1))
done

echo 'const struct embedded_file embedded_files[] = {'
i=0
for file in $files; do
    etag=$(sha256sum "$file" | cut -c1-16)
    printf '{"/%s", "%s", "\\"%s\\"",\n (const char *)data_%d, sizeof(data_%d)},\n' \
        "$file" "$(type_of "$file")" "$etag" $i $i
    i=$((i + 1))
done
echo '};'
echo 'const size_t embedded_file_count ='
echo '    sizeof(embedded_files) / sizeof(embedded_files[0]);'
