#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every driver profile runs every workload with its data verified; a combination that cannot be is refused with
# its reason; what `bench driver` writes: drivers.sh DOORBELL
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# verified WHAT COMMAND...: ends well, and has verified blocks, all as they should be.
verified() {
    local what=$1
    shift
    if ! "$doorbell" "$@" >out.txt 2>err.txt; then
        bad "$what: $(head -c 300 err.txt)"
    elif ! grep -q '^blocks verified: [1-9][0-9]*, mismatched: 0$' out.txt; then
        bad "$what: $(tail -1 out.txt)"
    else
        ok
    fi
}

number=0
profiles=()
for profile in "$source_dir"/sim/profiles/drivers/*.ini; do
    profiles+=("$(basename "$profile" .ini)")
done
for driver in "${profiles[@]}"; do
    case $driver in
    amiga-*) machine=() curves=(--drive qemu-nvme --host pegasos2-tcg -s ctrl.msix_vectors=0) ;;
    *-dbbuf) machine=(--drive qemu-nvme-dbbuf --host kvm-guest) curves=("${machine[@]}") ;;
    *) machine=(--drive fixed-latency --host generic) curves=("${machine[@]}") ;;
    esac
    verified "$driver, suites" bench amigadiskbench --driver "$driver" "${machine[@]}" --suite all \
        --block-size 1MiB -s workload.passes=1
    verified "$driver, random reads" bench random-read --driver "$driver" "${machine[@]}" --ios 500
    # all traces, one with each driver in turn, and the small one with every driver
    traces=("$source_dir"/traces/*.iolog)
    trace=${traces[$((number++ % ${#traces[@]}))]}
    verified "$driver, $(basename "$trace")" replay "$trace" --driver "$driver" "${machine[@]}"
    verified "$driver, a trace" replay "$source_dir/traces/adb-Sprinter.iolog" --driver "$driver" "${machine[@]}"
    verified "$driver, curves of a drive" bench drive --driver "$driver" "${curves[@]}" --ios 5 \
        --footprint '64 MiB' --curve block
done
[ "$("$doorbell" list profiles | sed -n '2,/^drives/p' | grep -c '^  [a-z]')" = ${#profiles[@]} ] && ok ||
    bad "list profiles"

# what cannot be, and why
expect 2 "driver.irq = msix needs ctrl.msix_vectors above 0" -- bench amigadiskbench --driver linux
expect 2 "driver.registered_buffers = yes needs host.coherent = yes" -- \
    bench amigadiskbench --driver genode-request-stream
expect 2 "driver.full = reject" -- bench random-read --driver amiga-1.65 --depth 17
expect 2 "driver.irq = msi needs ctrl.msi_vectors above 0" -- bench random-read --driver netbsd-msi \
    --drive qemu-nvme-dbbuf --host kvm-guest

# the four curves: points, determinism, graphs
plots=()
command -v gnuplot >/dev/null && plots=(--plot "curves here")
"$doorbell" bench driver --ios 100 -s host.cpus=4 --csv a.csv --json a.json "${plots[@]}" >a.txt 2>err.txt ||
    bad "bench driver: $(cat err.txt)"
for jobs in 1 3; do
    "$doorbell" bench driver --ios 100 -s host.cpus=4 --curve doorbells --curve overload --csv $jobs.csv --json $jobs.json -j $jobs \
        >$jobs.txt 2>/dev/null
done
for kind in csv json txt; do
    same 1.$kind 3.$kind "workers"
done
cmp -s 1.csv <(grep -e ^curve, -e ^doorbells, -e ^overload, a.csv) && ok || bad "two curves alone give other figures"
python3 -m json.tool a.json >/dev/null && ok || bad "a.json is no JSON"
[ "$(cut -d, -f1,2 a.csv | tail -n +2 | sort | uniq -c | awk '{print $1 $2}' | tr '\n' ' ')" = "9copies,genode-request-stream \
9copies,genode-slot 3cpus,netbsd-intx 3cpus,netbsd-msix 9doorbells,linux 9doorbells,linux-dbbuf \
8overload,aros-current 8overload,aros-reviewed " ] && ok || bad "points of the curves"
for graph in cpus-kiops cpus-lock-wait-percent copies-mb-per-s copies-cpu-us doorbells-kiops doorbells-register-writes \
    overload-refused-percent overload-p99-us; do
    [ ${#plots[@]} -eq 0 ] || { [ -s "curves here/drivers-$graph.png" ] && [ -s "curves here/drivers-$graph.svg" ]; } &&
        ok || bad "no $graph"
done

# what the curves show
column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR > 1 { print $1, $2, $6, $7, $at }' a.csv
}
column copied_bytes | grep -q '^copies genode-slot 8 65536 65536.000$' && ok || bad "the bounced request is not copied once"
column copied_bytes | grep '^copies genode-request-stream' | grep -vq ' 0.000$' && bad "zero copy copies" || ok
column refused_percent | grep '^overload aros-reviewed' | grep -vq ' 0.000$' && bad "a driver that waits refuses" || ok
column refused | grep -q '^overload aros-current 64 4096 [1-9]' && ok || bad "a driver that rejects does not"
"$doorbell" bench driver --curve doorbells --driver openbsd --driver spdk-poll --ios 50 --quiet --csv c.csv && ok ||
    bad "other drivers on a curve"
[ "$(cut -d, -f2 c.csv | sort -u | tr '\n' ' ')" = "driver openbsd spdk-poll " ] && ok || bad "--driver"
expect 2 "--curve: unknown curve 'depth'; allowed: cpus, copies, doorbells, overload, all" -- bench driver --curve depth
expect 2 "--block-size: bench driver does not take it" -- bench driver --block-size 4096
expect 2 "--driver linux: named twice" -- bench driver --driver linux --driver linux
expect 2 "takes one --drive" -- bench driver --drive worst-case --drive fixed-latency
finish
