#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Build and judge the mutants of tests/mutants, all or those named: mutants.sh [NAME...]
# Ends with `N caught, N missed`. See mutants.py for the form of a patch and for options.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/dev
if [ ! -f "$build/build.ninja" ]; then
    cmake --preset dev >/dev/null
fi
cmake --build "$build" --target doorbell >/dev/null
exec python3 scripts/mutants.py --build "$build" "$@"
