#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Trace points that are off cost nothing: each file of driver/src compiles to the same object code,
# byte for byte, with its trace points and with them cut out of the source. And with NVME_TRACING it
# does not, so that the comparison compares something. Run by ctest (trace-is-free) and by hand, from
# anywhere. Exit 0 ok, 1 a difference, 77 no compiler.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
cc=${CC:-cc}
command -v "$cc" >/dev/null 2>&1 || exit 77
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/cut" "$work/kept" || exit 1
cp "$root"/driver/src/*.[ch] "$work/kept" || exit 1
cp "$root"/driver/src/*.[ch] "$work/cut" || exit 1
# A trace point is one statement, over one line or more.
for file in "$work"/cut/*.[ch]; do
    sed -e ':again' -e '/NVME_TRACE\(_ENDS\)\{0,1\}([^;]*$/{N;b again' -e '}' \
        -e 's/NVME_TRACE\(_ENDS\)\{0,1\}([^;]*;/;/' "$file" >"$work/out" && mv "$work/out" "$file" || exit 1
done
if grep -l "NVME_TRACE" "$work"/cut/*.c >&2; then
    echo "trace_free: trace points left in the files above" >&2
    exit 1
fi

# object DIRECTORY FILE FLAGS...: its object file, in which nothing says where the source was.
object() {
    directory=$1
    file=$2
    shift 2
    (cd "$work/$directory" && "$cc" -std=c11 -ffreestanding -Wno-empty-body "$@" -I"$root/driver/include" \
        -c "$file" -o "$file.o")
}

status=0
traced=0
for level in -O2 -Os; do
    for path in "$work"/kept/*.c; do
        file=$(basename "$path")
        object cut "$file" "$level" && object kept "$file" "$level" || exit 1
        if ! cmp -s "$work/cut/$file.o" "$work/kept/$file.o"; then
            echo "trace_free: $file $level: trace points that are off leave code behind" >&2
            status=1
        fi
        object kept "$file" "$level" -DNVME_TRACING=1 || exit 1
        cmp -s "$work/cut/$file.o" "$work/kept/$file.o" || traced=$((traced + 1))
    done
done
if [ "$traced" -eq 0 ]; then
    echo "trace_free: NVME_TRACING makes no difference" >&2
    status=1
fi
exit $status
