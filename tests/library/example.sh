#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# example.sh PROGRAM PROFILES EXPECTED: the example prints exactly what is expected, runs with every
# drive profile, and says what is wrong with a profile that is not there.
set -eu

"$1" "$2" | diff -u "$3" -
for profile in "$2"/drives/*.ini; do
    name=$(basename "$profile" .ini)
    "$1" "$2" "$name" | grep -q 'data verified' || {
        echo "example: no verified data with $name" >&2
        exit 1
    }
done
if "$1" "$2" no-such-drive >/dev/null 2>&1; then
    echo "example: a drive that is not there was taken" >&2
    exit 1
fi
