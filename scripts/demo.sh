#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The main job, from nothing: installs what is missing, builds the release preset, runs AmigaDiskBench on
# two published drivers, prints the tables beside the published figures, and leaves a CSV, a JSON file and
# plots in out/. More arguments go to `doorbell bench`.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

need gcc libc6-dev cmake ninja-build gnuplot-nox
configure_options=(-DDOORBELL_TESTS=OFF)
[ -f build/release/build.ninja ] && configure_options=()
build release doorbell

mkdir -p out
say "running AmigaDiskBench on nvme.device 1.61 and 1.65"
build/release/bin/doorbell bench amigadiskbench --driver amiga-1.61 --driver amiga-1.65 \
    --csv out/amigadiskbench.csv --json out/amigadiskbench.json --plot out/plots "$@"
say "results: out/amigadiskbench.csv, out/amigadiskbench.json, out/plots/*.png and *.svg"
