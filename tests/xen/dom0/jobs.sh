# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scripts `run` of jobs share; . /jobs.sh

log_of() {
    echo "/var/log/xen/console/guest-$1.log"
}

# wait_line DOMAIN TEXT [COUNT]: until its console has shown TEXT so often; that
# line is printed.
wait_line() {
    left=600 count=${3:-1}
    until [ -f "$(log_of "$1")" ] &&
        [ "$(grep -c "$2" "$(log_of "$1")")" -ge "$count" ]; do
        left=$((left - 1))
        # To look whether it still lives costs much, so not each time.
        [ $left != 0 ] && { [ $((left % 20)) != 0 ] ||
            xl domid "$1" >/dev/null 2>&1; } ||
            { echo "$1: never said: $2"; return 1; }
        usleep 200000
    done
    grep "$2" "$(log_of "$1")" | tail -n 1 | tr -d '\r'
}

# type_line DOMAIN TEXT: to its console.
type_line() {
    printf '%s\r' "$2" >"$(xenstore-read "/local/domain/$(xl domid "$1")/console/tty")"
}

# fetch ADDRESS PATH: as soon as somebody answers there
fetch() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        timeout 5 wget -q -O- "http://$1/$2" && return 0
        sleep 1
    done
    echo "no answer from $1"
    return 1
}
