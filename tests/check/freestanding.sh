#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The driver core stands alone: driver/include, src and services compile freestanding for four machines,
# need nothing but memcpy, memmove, memset and memcmp, and include nothing from outside. Run by ctest
# (freestanding) and by hand, from anywhere. Exit 0 ok, 1 a check failed, 77 a compiler is missing.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
flags="-ffreestanding -nostdlib -std=c11 -Wall -Wextra -Werror -O2"
allowed="memcpy memmove memset memcmp"
status=0

fail() {
    echo "freestanding: $*" >&2
    status=1
}

# Which headers: three of the language, and the core's own.
for file in "$root"/driver/src/*.[ch] "$root"/driver/services/*.c "$root"/driver/include/nvme/*.h; do
    headers=$(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1/p' "$file")
    for header in $headers; do
        case $header in
        "<stdint.h>" | "<stddef.h>" | "<stdbool.h>") ;;
        "<nvme/"*.h">") ;;
        '"internal.h"' | '"byteorder.h"' | '"compiler.h"' | '"libc.h"' | '"list.h"' | '"parts.h"' | \
            '"slot.h"' | '"state.h"') ;;
        *) fail "${file#"$root"/} includes $header" ;;
        esac
    done
done

missing=""
for tool in gcc nm aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc powerpc-linux-gnu-gcc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "freestanding: missing:$missing" >&2
    [ "$status" -eq 0 ] && exit 77
    exit 1
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# check NAME PREFIX FILES [MACRO...]: compile the files, then look at what all objects together leave
# undefined.
check() {
    name=$1
    prefix=$2
    files=$3
    shift 3
    mkdir "$work/$name"
    for file in $files; do
        object="$work/$name/$(basename "$file" .c).o"
        # shellcheck disable=SC2086 # flags are several words
        "${prefix}gcc" $flags "$@" -I"$root/driver/include" -I"$root/driver/src" -c "$file" \
            -o "$object" || fail "$name: $(basename "$file") does not compile"
    done
    "${prefix}nm" -g "$work/$name"/*.o | awk '$2 ~ /^[TDRBVWSGC]$/ { print $3 }' | sort -u >"$work/$name/defined"
    "${prefix}nm" -u "$work/$name"/*.o | awk '$1 == "U" { print $2 }' | sort -u >"$work/$name/undefined"
    extra=""
    for symbol in $(comm -23 "$work/$name/undefined" "$work/$name/defined"); do
        case " $allowed " in
        *" $symbol "*) ;;
        *) extra="$extra $symbol" ;;
        esac
    done
    if [ -n "$extra" ]; then
        fail "$name: undefined:$extra"
    else
        echo "freestanding: $name ok"
    fi
}

core="$root/driver/src/*.c"
all="$core $root/driver/services/*.c"
check x86-64 "" "$all"
check aarch64 aarch64-linux-gnu- "$all"
check riscv64 riscv64-linux-gnu- "$all"
check powerpc-be powerpc-linux-gnu- "$all"

# The core without each of its parts, and without all of them (<nvme/config.h>).
parts=$(sed -n 's/^ \* \(NVME_NO_[A-Z_]*\): .*/\1/p' "$root/driver/include/nvme/config.h")
[ -n "$parts" ] || fail "config.h lists no parts"
without=""
for part in $parts; do
    check "x86-64-$part" "" "$core" "-D$part"
    check "powerpc-be-$part" powerpc-linux-gnu- "$core" "-D$part"
    without="$without -D$part"
done
# shellcheck disable=SC2086 # macros are several words
check x86-64-small "" "$core" $without
# shellcheck disable=SC2086
check powerpc-be-small powerpc-linux-gnu- "$core" $without
exit "$status"
