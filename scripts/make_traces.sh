#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Write traces/ anew: one pass of each AmigaDiskBench suite at 64 KiB, as fio iolog v3. The requests do not
# depend on the driver; their time stamps are those of the default set-up.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
configure_options=()
build release doorbell
for suite in Sprinter HeavyLifter Legacy DailyGrind Sequential Random4K Profiler SequentialRead \
    Random4KRead MixedRW; do
    build/release/bin/doorbell bench amigadiskbench --suite "$suite" --block-size 65536 \
        -s workload.passes=1 --quiet --trace "traces/adb-$suite.iolog"
done
