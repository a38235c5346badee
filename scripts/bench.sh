#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Speed of the simulator and of the driver core, one `name: value` line per figure. Rates depend on the
# machine; instruction counts (callgrind, slope between two run lengths) do not. Compare rates only
# within one run of this script.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

need gcc libc6-dev cmake ninja-build check pkg-config valgrind python3 >&2
configure_options=()
if [ -f build/release/build.ninja ]; then
    cmake --preset release -DDOORBELL_TESTS=ON >/dev/null
fi
build release >&2
exec python3 scripts/measure.py build/release
