#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every test, from nothing: installs what is missing, builds with gcc, clang and sanitizers, runs all
# tests in the release and the sanitizer builds, compares the outputs of both compilers byte by byte, and
# checks formatting. Then the fuzzers of the controller and of the driver core run for
# DOORBELL_FUZZ_SECONDS together (60; 0: not at all) from the corpora in the tree; what they find is left
# in out/. Builds nothing again when nothing has changed.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

fuzz_seconds=${DOORBELL_FUZZ_SECONDS:-60}
case $fuzz_seconds in
'' | *[!0-9]*)
    echo "DOORBELL_FUZZ_SECONDS must be a number of seconds" >&2
    exit 2
    ;;
esac

need gcc libc6-dev cmake ninja-build patch clang libclang-rt-dev clang-format check pkg-config valgrind gnuplot-nox python3 \
    gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu gcc-powerpc-linux-gnu \
    libc6-dev-arm64-cross libc6-dev-riscv64-cross libc6-dev-powerpc-cross

say "checking formatting"
find driver sim tests examples -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror

# demo.sh may have configured the release preset without tests.
if [ -f build/release/build.ninja ]; then
    cmake --preset release -DDOORBELL_TESTS=ON >/dev/null
fi
configure_options=(-DDOORBELL_TESTS=ON)
build release
configure_options=(-DDOORBELL_TESTS=ON)
build asan
configure_options=(-DDOORBELL_TESTS=OFF)
build clang

jobs=$(nproc)
say "running all tests (release)"
DOORBELL_SECOND="$root/build/clang/bin/doorbell" ctest --preset release -j "$jobs"
say "judging the mutants"
configure_options=(-DDOORBELL_TESTS=OFF)
build dev doorbell
python3 scripts/mutants.py --build build/dev -j "$jobs"
say "running all tests under AddressSanitizer and UndefinedBehaviorSanitizer"
ctest --preset asan -j "$jobs" -LE 'speed|check'

if [ "$fuzz_seconds" -gt 0 ]; then
    configure_options=()
    build fuzz fuzz_controller fuzz_driver
    mkdir -p out
    found=$(mktemp -d)
    trap 'rm -rf "$found"' EXIT
    # New inputs go to the first directory; a finding is written to out/ and ends the run.
    for side in controller:corpus driver:driver_corpus; do
        seconds=$(((fuzz_seconds + 1) / 2))
        say "fuzzing the ${side%:*} for $seconds s (half of DOORBELL_FUZZ_SECONDS)"
        mkdir -p "$found/${side%:*}"
        "build/fuzz/bin/fuzz_${side%:*}" -max_total_time="$seconds" -max_len=800 -len_control=0 \
            -timeout=20 -artifact_prefix="out/fuzz-${side%:*}-" -verbosity=0 "$found/${side%:*}" \
            "tests/fuzz/${side#*:}"
    done
fi
say "all tests passed"
