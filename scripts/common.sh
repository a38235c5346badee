# SPDX-License-Identifier: BSD-2-Clause
#
# What demo.sh, test.sh and bench.sh share: installing what is missing, configuring, building. To be
# sourced; sets `root`, the top of the source tree, and changes into it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() {
    printf '== %s\n' "$*"
}

# need PACKAGE...: install those Debian packages that are not there. Only this needs root (or sudo).
need() {
    local missing=() package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" != 'ii ' ]; then
            missing+=("$package")
        fi
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "missing packages: ${missing[*]}; install them as root" >&2
            exit 2
        fi
        as=(sudo)
    fi
    say "installing: ${missing[*]}"
    # An old package list can name versions that are gone: refresh it once.
    "${as[@]}" apt-get update -q >/dev/null
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]: configure once, then build what has changed.
build() {
    local preset=$1
    shift
    # build.ninja is written last: a configuration that was interrupted is begun anew.
    if [ ! -f "build/$preset/build.ninja" ]; then
        say "configuring $preset"
        cmake --fresh --preset "$preset" -G Ninja ${configure_options[@]+"${configure_options[@]}"} >/dev/null
    fi
    say "building $preset"
    local targets=()
    [ $# -gt 0 ] && targets=(--target "$@")
    cmake --build --preset "$preset" ${targets[@]+"${targets[@]}"} -- --quiet
}
