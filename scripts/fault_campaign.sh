#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A fault at every event of a mixed workload, of every kind, under every policy of the driver core
# (docs/faults.md): all of it, in the release build. Options go to the program: --policy, --kind, --at,
# --seed, --stride. Ends with 1, and the command that shows it again, at the first violation.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

need gcc libc6-dev cmake ninja-build check pkg-config
configure_options=(-DDOORBELL_TESTS=ON)
build release fault_campaign
exec build/release/bin/fault_campaign --all "$@"
