#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every test, from nothing: installs what is missing, builds with gcc, clang and sanitizers, runs all
# tests in the release and the sanitizer builds, compares the outputs of both compilers byte by byte, and
# checks formatting. Then the fuzzer of the controller runs for DOORBELL_FUZZ_SECONDS (60; 0: not at
# all) from the corpus in the tree; what it finds is left in out/. Builds nothing again when nothing has
# changed.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

fuzz_seconds=${DOORBELL_FUZZ_SECONDS:-60}
case $fuzz_seconds in
'' | *[!0-9]*)
    echo "DOORBELL_FUZZ_SECONDS must be a number of seconds" >&2
    exit 2
    ;;
esac

need gcc libc6-dev cmake ninja-build clang libclang-rt-dev clang-format check pkg-config valgrind gnuplot-nox python3 \
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
say "running all tests under AddressSanitizer and UndefinedBehaviorSanitizer"
ctest --preset asan -j "$jobs" -LE 'speed|check'

if [ "$fuzz_seconds" -gt 0 ]; then
    configure_options=()
    build fuzz fuzz_controller
    say "fuzzing the controller for $fuzz_seconds s (DOORBELL_FUZZ_SECONDS)"
    mkdir -p out
    found=$(mktemp -d)
    trap 'rm -rf "$found"' EXIT
    # New inputs go to the first directory; a finding is written to out/ and ends the run.
    build/fuzz/bin/fuzz_controller -max_total_time="$fuzz_seconds" -max_len=800 -len_control=0 \
        -timeout=20 -artifact_prefix=out/fuzz- -verbosity=0 "$found" tests/fuzz/corpus
fi
say "all tests passed"
