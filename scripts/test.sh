#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every test, from nothing: installs what is missing, builds with gcc, clang and sanitizers, runs all
# tests in the release and the sanitizer builds, compares the outputs of both compilers byte by byte, and
# checks formatting. Builds nothing again when nothing has changed.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

need gcc libc6-dev cmake ninja-build clang clang-format check pkg-config valgrind gnuplot-nox python3 \
    gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu gcc-powerpc-linux-gnu \
    libc6-dev-arm64-cross libc6-dev-riscv64-cross libc6-dev-powerpc-cross

say "checking formatting"
find driver sim tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror

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
say "all tests passed"
