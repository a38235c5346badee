#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# port.sh PROGRAM PROFILES: the ported driver verifies its data on every drive profile, in 256 KiB of
# memory, and says what is wrong where there is no drive.
set -eu

for profile in "$2"/drives/*.ini; do
    name=$(basename "$profile" .ini)
    "$1" "$2" "$name" >out.$$ || {
        cat out.$$ >&2
        echo "port: no success with $name" >&2
        rm -f out.$$
        exit 1
    }
done
# Memory: the driver's state and the pool together.
awk '/^driver state:/ { gsub(",", ""); if ($5 + $9 > 262144 || $3 > $5) exit 1 }' out.$$ || {
    cat out.$$ >&2
    echo "port: more than 256 KiB" >&2
    rm -f out.$$
    exit 1
}
rm -f out.$$
if "$1" "$2" no-such-drive >/dev/null 2>&1; then
    echo "port: a drive that is not there was taken" >&2
    exit 1
fi
