# SPDX-License-Identifier: BSD-2-Clause
#
# Helpers of the command-line tests. To be sourced; $1 of the test is the doorbell program. Each test works in
# a directory of its own, with a blank in its name, which is removed at the end.

set -u
doorbell=$(realpath "$1")
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/doorbell test.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export DOORBELL_PATH="$source_dir/sim/profiles"
unset DOORBELL_SET XDG_CONFIG_HOME
export HOME="$work"
# Every bench here compares with the shipped figures.
published=(--published "$source_dir/sim/profiles/published/amiga.csv")
passed=0
failed=0

ok() {
    passed=$((passed + 1))
}

bad() {
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$*"
}

# expect CODE TEXT -- ARGUMENT...: doorbell ends with CODE, and what it says on standard error contains TEXT
# and is one message (no more than a diagnostic of three lines).
expect() {
    local code=$1 text=$2 actual
    shift 3
    "$doorbell" "$@" >stdout 2>stderr </dev/null
    actual=$?
    if [ "$actual" -ne "$code" ]; then
        bad "doorbell $*: exit code $actual, not $code: $(head -c 300 stderr)"
    elif [ -n "$text" ] && ! grep -qF -- "$text" stderr; then
        bad "doorbell $*: standard error does not say '$text' but: $(head -c 300 stderr)"
    elif [ "$(wc -l <stderr)" -gt 4 ]; then
        bad "doorbell $*: more than one message: $(head -c 600 stderr)"
    elif [ "$code" -ge 2 ] && [ -s stdout ]; then
        bad "doorbell $*: refused, and yet printed: $(head -c 300 stdout)"
    else
        ok
    fi
}

same() {
    if cmp -s "$1" "$2"; then ok; else bad "$1 and $2 differ ($3)"; fi
}

absent() {
    local path
    for path in "$@"; do
        if [ -e "$path" ]; then bad "$path was left behind"; else ok; fi
    done
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
