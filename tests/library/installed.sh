#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# installed.sh CMAKE BUILD COMPILER SOURCE EXPECTED [FLAG...]: install into a temporary directory, move
# that elsewhere, build the example there with what pkg-config says, and compare what it prints.
set -eu

cmake=$1 build=$2 compiler=$3 source=$4 expected=$5
shift 5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
pc=$(find "$work/moved" -name doorbell-device.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
cp "$source" "$work/host.c"
# shellcheck disable=SC2046 # flags are words
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror "$@" "$work/host.c" -o "$work/host" \
    $(pkg-config --cflags --libs doorbell-device)
"$work/host" "$(pkg-config --variable=profiles doorbell-device)" | diff -u "$expected" -
