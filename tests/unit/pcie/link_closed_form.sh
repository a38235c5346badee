#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The link's throughput against the closed form, to 1 %, at both levels of detail; and the comparison
# itself, which must find one row that is 2 % off.
#
# usage: link_closed_form.sh link_probe python link_closed_form.py
set -eu

probe=$1 python=$2 script=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$probe" >"$work/measured.csv"
"$python" "$script" --measured "$work/measured.csv" --tolerance 1 --minimum-rows 16200

awk -F, -v OFS=, 'NR == 1234 { $NF = int($NF * 1.02) } { print }' "$work/measured.csv" \
    >"$work/wrong.csv"
if "$python" "$script" --measured "$work/wrong.csv" --tolerance 1 >/dev/null; then
    echo "a row that is 2 % off was not found"
    exit 1
fi
