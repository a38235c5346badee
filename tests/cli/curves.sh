#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `bench drive` writes: the same bytes from any number of workers, contents as tags or bytes; every curve
# with all its points; published figures beside the model's; graphs: curves.sh DOORBELL
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
curves=(bench drive --drive optane-p4800x --drive worst-case --ios 40 --footprint "64 MiB")

# determinism
some=("${curves[@]}" --curve datasheet --footprint "4 MiB")
"$doorbell" "${some[@]}" --csv a.csv --json a.json -j 1 >a.txt 2>/dev/null || bad "bench drive failed"
"$doorbell" "${some[@]}" --csv b.csv --json b.json -j 3 --plain >b.txt 2>/dev/null || bad "bench drive --plain failed"
for kind in csv json txt; do
    same a.$kind b.$kind "workers and contents"
done
python3 -m json.tool a.json >/dev/null && ok || bad "a.json is no JSON"
[ "$(tail -1 a.txt | grep -c '^blocks verified: [1-9][0-9]*, mismatched: 0$')" = 1 ] && ok || bad "last line of the table"
grep -q '^predicted  rand-read  *16 .* 550000.0 ' a.txt && ok || bad "no published figure that was not fitted"
grep -q '^fitted  *seq-read  *32 .* 2400.0 ' a.txt && ok || bad "no published figure that was fitted"

# all curves and their graphs
plots=()
command -v gnuplot >/dev/null && plots=(--plot "curves here")
"$doorbell" "${curves[@]}" --no-verify --csv all.csv "${plots[@]}" --quiet || bad "bench drive failed on all curves"
[ "$(cut -d, -f1,2 all.csv | sort | uniq -c | awk '{print $1 $2}' | tr '\n' ' ')" = "24block,optane-p4800x \
24block,worst-case 1curve,drive 7datasheet,optane-p4800x 18depth,optane-p4800x 18depth,worst-case \
24link,optane-p4800x 24link,worst-case " ] && ok || bad "points of the curves"
"$doorbell" "${curves[@]}" --no-verify --curve depth --csv - | cmp -s - <(head -1 all.csv; grep ^depth all.csv) && ok ||
    bad "--curve depth alone gives other figures"
for graph in iops-over-depth-rand-read iops-over-depth-rand-write throughput-over-block-seq-read \
    throughput-over-block-seq-write link-optane-p4800x link-worst-case; do
    [ ${#plots[@]} -eq 0 ] || { [ -s "curves here/$graph.png" ] && [ -s "curves here/$graph.svg" ]; } && ok ||
        bad "no $graph"
done

# a drive with flash: states of the data sheet, both ends of the write cliff, the second as a line
flash=(bench drive --drive wd-sn550 --drive worst-case --no-verify)
"$doorbell" "${flash[@]}" --curve cliff --ios 3000 -s "ctrl.namespace_size=256 MiB" --csv cliff.csv "${plots[@]}" \
    >cliff.txt 2>cliff.err || bad "bench drive --curve cliff failed"
[ "$(cut -d, -f1,2,5,8 cliff.csv | tail -n +2 | tr '\n' ' ')" = "cliff,wd-sn550,rand-write,fresh \
cliff,wd-sn550,rand-write,steady " ] && ok || bad "points of the cliff"
grep -q "drive worst-case has no curve 'cliff'" cliff.err && ok || bad "a cliff where no garbage is collected"
grep -q '^steady  *[1-9][0-9]*$' cliff.txt && ok || bad "no steady state in the table"
[ ${#plots[@]} -eq 0 ] || { [ "$(grep -c '^0 ' "curves here/iops-over-time-wd-sn550.dat")" = 1 ] &&
    grep -q 'title "steady"' "curves here/iops-over-time-wd-sn550.gp"; } && ok || bad "graph of the cliff"
"$doorbell" "${flash[@]}" --curve datasheet --ios 40 --csv sheet.csv --quiet && ok || bad "data sheet of a drive with flash"
[ "$(cut -d, -f5,8 sheet.csv | grep -c -e '^seq-write,fresh$' -e '^seq-write,filled$')" = 2 ] && ok ||
    bad "states of a data sheet"

# other machines
"$doorbell" bench drive --drive qemu-nvme --driver amiga-1.65 --host pegasos2-tcg -s ctrl.msix_vectors=0 --ios 50 \
    --curve depth --footprint "4 MiB" --quiet && ok || bad "bench drive with another driver and host"
"$doorbell" bench drive --drive worst-case --dump-config | grep -q 'hosts/ideal.ini:[0-9]' && ok ||
    bad "the default host of bench drive"
finish
