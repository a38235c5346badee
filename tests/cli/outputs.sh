#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the command writes: the same bytes from every run, any number of workers, contents as tags or bytes,
# and (when DOORBELL_SECOND names one) a build by another compiler; formats that others can read; help,
# lists and dumps: outputs.sh DOORBELL
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
both=(--driver amiga-1.61 --driver amiga-1.65)
job=(bench amigadiskbench "${both[@]}" --suite Random4K --suite Sprinter --suite HeavyLifter
    --block-size 65536 --block-size 1MiB "${published[@]}")

# determinism
"$doorbell" "${job[@]}" --csv a.csv --json a.json >a.txt || bad "the first run failed"
"$doorbell" "${job[@]}" --csv b.csv --json b.json -j 1 >b.txt || bad "the second run failed"
"$doorbell" "${job[@]}" --csv c.csv --json c.json -j 3 --plain >c.txt || bad "the plain run failed"
for run in b c; do
    same a.csv $run.csv "run $run"
    same a.json $run.json "run $run"
    same a.txt $run.txt "run $run"
done
if [ -z "${DOORBELL_SECOND:-}" ]; then
    echo "SKIPPED: no second compiler's build in DOORBELL_SECOND"
else
    "$DOORBELL_SECOND" "${job[@]}" --csv d.csv --json d.json >d.txt || bad "the second compiler's run failed"
    same a.csv d.csv "second compiler"
    same a.json d.json "second compiler"
    same a.txt d.txt "second compiler"
fi
mixed=(bench amigadiskbench --suite MixedRW --block-size 4096 -s workload.passes=1 "${published[@]}" --quiet)
"$doorbell" "${mixed[@]}" --csv seed1.csv && "$doorbell" "${mixed[@]}" --csv seed2.csv --seed 2 || bad "--seed"
cmp -s seed1.csv seed2.csv && bad "another seed gives the same mix of reads and writes" || ok

# formats
[ "$(head -1 a.csv)" = "suite,block_size_bytes,driver,drive,host,mib_per_s,published_mib_per_s,error_percent,\
requests,commands,sq_doorbells,cq_doorbells,other_register_writes,register_reads,bytes_copied,bounced,direct,\
lines_dirty,lines_clean,lines_absent,prp_lists,polls,interrupts,splits" ] && ok || bad "CSV header"
python3 -m json.tool a.json >/dev/null && ok || bad "a.json is no JSON"
grep -q '"blocks_mismatched": *0' a.json && ok || bad "mismatched blocks"
[ "$(tail -1 a.txt | grep -c '^blocks verified: [0-9]*, mismatched: 0$')" = 1 ] && ok || bad "last line of the table"
"$doorbell" "${job[@]}" --csv - | cmp -s - a.csv && ok || bad "--csv - differs from --csv FILE"
"$doorbell" bench random-read --driver doorbell --drive fixed-latency --host generic --ios 100 --csv - >single.csv
[ "$(head -c 6 single.csv)" = suite, ] && ok || bad "random-read --csv - prints more than the CSV"
"$doorbell" "${job[@]}" --quiet >quiet.txt 2>quiet.err
[ ! -s quiet.txt ] && [ ! -s quiet.err ] && ok || bad "--quiet prints (a progress bar in a pipe?)"

# figures that a one-line change of the model would move: counts per request, exact
row=$(grep '^Random4K,1048576,amiga-1.65' a.csv)
IFS=, read -ra cell <<<"$row"
[ "${cell[8]}" = 12288 ] && ok || bad "Random4K: 3 passes of 4096 requests, not ${cell[8]}"
[ "${cell[9]}" = 24576 ] && ok || bad "1 MiB is two commands of MDTS = 512 KiB each, not ${cell[9]}"
[ "${cell[10]}" = "${cell[9]}" ] && [ "${cell[11]}" = "${cell[9]}" ] && ok || bad "one SQ and one CQ doorbell per command"
[ "${cell[17]}" = 0 ] && [ "${cell[18]}" = 0 ] && ok || bad "an emulator has no dirty and no clean lines"

# published figures belong to the published machine
"$doorbell" bench amigadiskbench --suite Random4K --block-size 65536 -s workload.passes=1 --csv pub.csv --quiet
"$doorbell" bench amigadiskbench --suite Random4K --block-size 65536 -s workload.passes=1 --csv other.csv \
    --host pegasos2-cached >other.txt
grep -q "host pegasos2-cached: .*NOT VALIDATED" other.txt && ok || bad "pegasos2-cached is not labelled"
[ "$(cut -d, -f7 pub.csv | tail -1)" = 117.000 ] && ok || bad "the published figure of Random4K at 64 KiB"
[ -z "$(cut -d, -f7 other.csv | tail -1)" ] && ok || bad "another host is compared with the published machine"

# plots
if command -v gnuplot >/dev/null; then
    "$doorbell" bench amigadiskbench "${both[@]}" --suite Sprinter "${published[@]}" --plot "plots here" --quiet ||
        bad "--plot failed"
    for kind in png svg; do
        [ -s "plots here/sprinter.$kind" ] && ok || bad "no sprinter.$kind"
    done
fi

# traces: one run, several runs, and the way back
"$doorbell" bench amigadiskbench --suite Sprinter --block-size 4096 --trace one.log --quiet -s workload.passes=1 \
    "${published[@]}" || bad "--trace failed"
[ "$(head -1 one.log)" = "fio version 3 iolog" ] && ok || bad "one.log is no iolog"
"$doorbell" replay one.log --trace two.log --quiet || bad "replay failed"
cut -d' ' -f2- one.log >one.requests
cut -d' ' -f2- two.log >two.requests
same one.requests two.requests "a trace of a replay of a trace"
"$doorbell" replay - --quiet <one.log && ok || bad "replay from standard input"
"$doorbell" bench amigadiskbench "${both[@]}" --suite Sprinter --suite MixedRW --block-size 4096 --trace many.log \
    --quiet -s workload.passes=1 "${published[@]}" || bad "--trace with several runs failed"
[ -s many.amiga-1.61.Sprinter.4096.log ] && [ -s many.amiga-1.65.MixedRW70-30.4096.log ] && ok ||
    bad "names of several traces: $(ls)"
for trace in "$source_dir"/traces/*.iolog; do
    "$doorbell" replay "$trace" --trim zero --quiet && ok || bad "the shipped trace $trace"
done

# interrupted: no output, nothing left behind
mkdir interrupted
"$doorbell" bench random-read --ios 400000000 --quiet --csv interrupted/out.csv --driver doorbell --drive fixed-latency \
    --host generic &
sleep 1
kill -TERM $!
wait $! 2>/dev/null
"$doorbell" replay - --quiet --trace interrupted/out.log < <(head -3 one.log; sleep 5) &
sleep 1
kill -TERM $!
wait $! 2>/dev/null
[ -z "$(ls -A interrupted)" ] && ok || bad "left behind after SIGTERM: $(ls -A interrupted)"

# configuration: a dump is an input that gives the same configuration
"$doorbell" bench amigadiskbench --driver amiga-1.61 --dump-config -s host.spin=200ns >dump.ini || bad "--dump-config"
grep -q 'spin *= *200 ns *; *-s' dump.ini && ok || bad "origin of -s"
grep -q 'drivers/amiga-1.61.ini:[0-9]' dump.ini && ok || bad "origin of a profile"
"$doorbell" bench amigadiskbench --driver amiga-1.65 --config dump.ini --dump-config >again.ini || bad "--config"
sed 's/ *;.*//' dump.ini >dump.plain
sed 's/ *;.*//' again.ini >again.plain
same dump.plain again.plain "dump read back"
grep -q "$work\|$source_dir" dump.ini a.json a.csv && bad "a path of this machine in an output" || ok

# help and lists
for what in "--help" "help" "help bench" "help replay" "help explain" "help stats" "help list" "bench --help" "--version" \
    "list profiles" "list suites" "list parameters" "list parameters host"; do
    # shellcheck disable=SC2086 # words on purpose
    "$doorbell" $what >help.txt 2>help.err && [ -s help.txt ] && [ ! -s help.err ] && ok || bad "doorbell $what"
done
"$doorbell" list parameters-markdown | cmp -s - "$source_dir/docs/parameters.md" && ok ||
    bad "docs/parameters.md is not what doorbell list parameters-markdown prints"

# stats: driver and controller agree, nothing is written twice, and the three outputs say the same
"$doorbell" stats random-read --driver doorbell --drive fixed-latency --host generic --ios 3000 \
    -s driver.shadow_doorbells=yes -s ctrl.shadow_doorbells=yes --csv stats.csv --json stats.json >stats.txt && ok || bad stats
[ "$(awk -F, '$1 != "admin" && $2 == "commands" && $3 == "all" {print $4}' stats.csv | sort -u)" = 3000 ] && ok ||
    bad "stats: driver and controller count commands differently"
grep -q '^controller,same_value_doorbells,all,0,' stats.csv && ok || bad "stats: a doorbell was written twice"
grep -q '^driver,shadow_updates,1,[1-9]' stats.csv && ok || bad "stats: shadow doorbells were not used"
grep -q '^smart,host_reads,all,3000,' stats.csv && grep -q '^smart,temperature_k,all,313,' stats.csv && ok ||
    bad "stats: SMART"
grep -q '"requests": 3000' stats.json && grep -q '^3000 block requests' stats.txt && ok || bad "stats: requests"
"$doorbell" stats HeavyLifter --driver amiga-1.65 --block-size 65536 --csv - >stats.csv && ok || bad "stats HeavyLifter"
[ "$(head -n 1 stats.csv)" = "side,counter,queue,value,per_request" ] && ok || bad "stats --csv -: a table before it"

# explain
"$doorbell" explain SequentialRead --driver amiga-1.65 --block-size 65536 --request 2000 >ledger.txt && ok || bad explain
[ "$(awk '$1 == "sum" {print $2}' ledger.txt)" = "$(awk '$1 == "latency" {print $2}' ledger.txt)" ] && ok ||
    bad "the ledger's sum is not the latency"
finish
