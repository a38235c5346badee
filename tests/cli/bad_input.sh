#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Wrong input of every kind gets one clear message and the documented exit code, and nothing is left half
# written: bad_input.sh DOORBELL
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
quick=(bench amigadiskbench --suite Sprinter --block-size 4096 -s workload.passes=1 "${published[@]}")

# commands and options
expect 2 "unknown command 'bensh'; did you mean 'bench'?" -- bensh
expect 2 "unknown workload 'amiga'" -- bench amiga
expect 2 "name one workload" -- bench
expect 2 "explain-rule: no rule 'S99'" -- explain-rule S99
expect 2 "explain-rule: name one rule" -- explain-rule
expect 2 "--rules: 'on' is not allowed; allowed: fatal, report, off" -- bench random-read --rules on
expect 2 "--rules-file: nowhere: cannot be read" -- bench random-read --rules-file nowhere
expect 2 "did you mean --driver?" -- bench amigadiskbench --drivr amiga-1.61
expect 2 "unknown option -z" -- bench amigadiskbench -z
expect 2 "--seed: 'x' is not a number" -- bench amigadiskbench --seed x
expect 2 "--seed: '-1' is not a number" -- bench amigadiskbench --seed -1
expect 2 "--jobs: '0' is not a number from 1 to 256" -- bench amigadiskbench --jobs 0
expect 2 "--seed needs a value" -- bench amigadiskbench --seed
expect 2 "--quiet takes no value" -- bench amigadiskbench --quiet=yes
expect 2 "--progress: 'sometimes' is not allowed" -- bench amigadiskbench --progress sometimes
expect 2 "unknown suite 'Sprintr'; did you mean 'Sprinter'?" -- bench amigadiskbench --suite Sprintr
expect 2 "--block-size: 'big' is not a size" -- bench amigadiskbench --block-size big
expect 2 "--block-size 0" -- bench amigadiskbench --block-size 0
expect 2 "--block-size 64" -- bench amigadiskbench --block-size 64
expect 2 "--block-size 9GiB" -- bench amigadiskbench --block-size 9GiB
expect 2 "named twice" -- "${quick[@]}" --driver amiga-1.61 --driver amiga-1.61
expect 2 "random-read takes one" -- bench random-read --driver amiga-1.61 --driver amiga-1.65
expect 2 "--footprint" -- bench random-read --footprint 1
expect 2 "--trace: random-read does not take it" -- bench random-read --trace out.log
expect 2 "--depth: amigadiskbench does not take it" -- bench amigadiskbench --depth 4
expect 2 "--curve: amigadiskbench does not take it" -- bench amigadiskbench --curve depth
expect 2 "--curve: random-read does not take it" -- bench random-read --curve depth
expect 2 "name at least one --drive" -- bench drive
expect 2 "unknown profile 'optane'" -- bench drive --drive optane
expect 2 "--drive optane-p4800x: named twice" -- bench drive --drive optane-p4800x --drive optane-p4800x
expect 2 "takes one --driver" -- bench drive --drive worst-case --driver doorbell --driver amiga-1.65
expect 2 "--curve: unknown curve 'dept'; allowed: depth, block, link, cliff, datasheet, all" -- \
    bench drive --drive worst-case --curve dept
expect 2 "none of these drives has such a curve" -- bench drive --drive qemu-nvme --curve link
expect 2 "none of these drives has such a curve" -- bench drive --drive worst-case --curve datasheet
expect 2 "--footprint" -- bench drive --drive worst-case --curve depth --footprint '1 MiB'
expect 2 "--block-size: bench drive does not take it" -- bench drive --drive worst-case --block-size 4096
expect 2 "--depth: bench drive does not take it" -- bench drive --drive worst-case --depth 4
expect 2 "--setup: bench drive does not take it" -- bench drive --drive worst-case --setup amiga-pegasos2
expect 2 "no/such/directory" -- bench drive --drive worst-case --curve depth --csv no/such/directory/out.csv
expect 2 "--seed: ' 1' is not a number" -- bench amigadiskbench --seed ' 1'
expect 2 "a file without a name" -- "${quick[@]}" --csv ''
expect 2 "two outputs cannot go to the same file" -- "${quick[@]}" --csv same --json same
expect 2 "no/such/directory" -- bench random-read --ios 1 --csv no/such/directory/out.csv
expect 2 "list: say what" -- list
expect 2 "no section 'nothing'" -- list parameters nothing
expect 2 "stats: name one suite or random-read" -- stats
expect 2 "--depth" -- stats Sprinter --depth 4
expect 2 "no/such/directory" -- stats random-read --ios 1 --json no/such/directory/out.json
expect 2 "--request: Sprinter has requests 1 to" -- explain Sprinter --request 4000000

# profiles and parameters
expect 2 "unknown profile 'amiga-1.66'" -- "${quick[@]}" --driver amiga-1.66
expect 2 "unknown profile 'fast'" -- "${quick[@]}" --drive fast
expect 2 "unknown profile 'tcg'" -- "${quick[@]}" --host tcg
expect 2 "unknown profile 'nowhere'" -- "${quick[@]}" --setup nowhere
expect 2 "host.spinn: unknown key; did you mean 'host.spin'?" -- "${quick[@]}" -s host.spinn=1ns
expect 2 "unknown section" -- "${quick[@]}" -s hots.spin=1ns
expect 2 "host.spin: '1' has no unit" -- "${quick[@]}" -s host.spin=1
expect 2 "link.lanes: 17 is above the maximum" -- "${quick[@]}" -s link.lanes=17
expect 2 "link.lanes must be" -- "${quick[@]}" -s link.lanes=3
expect 2 "link.kind" -- "${quick[@]}" -s link.kind=usb
expect 2 "host.emulation = single-thread needs link.kind = emulated" -- "${quick[@]}" -s link.kind=pcie
expect 2 "allowed: 1 to" -- "${quick[@]}" -s driver.slots=64

expect 2 "--profiles: cannot read directory nowhere" -- "${quick[@]}" --profiles nowhere
mkdir -p mine/drivers mine/hosts
printf '; a\nextends = b\n[driver]\nslots = 4\n' >mine/drivers/a.ini
printf '; b\nextends = a\n' >mine/drivers/b.ini
expect 2 "a.ini" -- "${quick[@]}" --profiles mine --driver a
printf '; c\ninclude = c.ini\n' >mine/drivers/c.ini
expect 2 "c.ini" -- "${quick[@]}" --profiles mine --driver c
printf '; d\n[driver]\nslot = 4\n' >mine/drivers/d.ini
expect 2 "mine/drivers/d.ini:3:1: driver.slot: unknown key; did you mean 'driver.slots'?" -- "${quick[@]}" \
    --profiles mine --driver d
printf '; e\n[driver]\nbounce_bytes = 65536\n' >mine/drivers/e.ini
expect 2 "mine/drivers/e.ini:3:16: driver.bounce_bytes:" -- "${quick[@]}" --profiles mine --driver e
printf '; f\n[link]\nlanes = 4\n' >mine/drivers/f.ini
expect 2 "mine/drivers/f.ini:2:2:" -- "${quick[@]}" --profiles mine --driver f
mkdir -p mine/drivers/g.ini
expect 2 "drivers/g.ini" -- "${quick[@]}" --profiles mine --driver g
expect 2 "no-such.ini" -- "${quick[@]}" --config no-such.ini
expect 2 "no-such.ini" -- "${quick[@]}" --driver ./no-such.ini
DOORBELL_SET='host.spin=1' expect 2 "DOORBELL_SET" -- "${quick[@]}"

# output that cannot be written
expect 2 "no/such/directory" -- "${quick[@]}" --csv no/such/directory/out.csv
expect 2 "no/such/directory" -- "${quick[@]}" --json no/such/directory/out.json
expect 2 "no/such/directory" -- "${quick[@]}" --trace no/such/directory/out.log
: >file
expect 2 "is not a directory" -- "${quick[@]}" --plot file
expect 2 "cannot be made" -- "${quick[@]}" --plot no/such/plots
[ -e /dev/full ] && { "$doorbell" list parameters >/dev/full 2>stderr; [ $? -eq 2 ] && ok || bad "/dev/full"; }

# input that cannot be read
expect 3 "no-such.csv" -- "${quick[@]}" --published no-such.csv
printf 'set,version\n' >short.csv
expect 3 "short.csv:1" -- "${quick[@]}" --published short.csv
expect 3 "short.csv:1" -- bench drive --drive optane-p4800x --published short.csv
expect 3 "no-such.csv" -- bench drive --drive optane-p4800x --published no-such.csv
expect 3 "no-such.log: cannot be read" -- replay no-such.log
: >empty.log
expect 3 "empty.log" -- replay empty.log
printf 'fio version 3 iolog\n0 d add\n0 d open\n0 d read 0 4096\n1 d read 4096' >truncated.log
expect 3 "truncated.log:5" -- replay truncated.log
printf 'fio version 3 iolog\n0 d add\n0 d open\n0 d read 0 1000\n' >odd.log
expect 3 "odd.log:4" -- replay odd.log
printf 'fio version 3 iolog\n0 d add\n0 d open\n0 d read 99999999999999488 512\n' >far.log
expect 3 "far.log:4" -- replay far.log
printf 'fio version 3 iolog\n0 d add\n0 d open\n0 d trim 0 4096\n' >trim.log
expect 3 "trim.log:4" -- replay trim.log
expect 0 "" -- replay trim.log --trim zero
expect 0 "" -- replay trim.log --trim skip
expect 0 "" -- replay trim.log --trim deallocate
expect 2 "--trim: '' is not allowed; allowed: error, skip, zero, deallocate" -- replay trim.log --trim ''
expect 2 "allowed: error, skip, zero, deallocate; did you mean 'deallocate'?" -- replay trim.log --trim dealocate
expect 2 "allowed: error, skip, zero, deallocate" -- replay trim.log --trim skip,zero
expect 2 "--trim needs a value" -- replay trim.log --trim
expect 2 "--trim: bench does not take it" -- bench random-read --trim zero
expect 2 "--trim: stats does not take it" -- stats random-read --trim=zero
expect 3 "trim.log:4" -- replay trim.log --trim error
expect 2 "name one trace" -- replay
# A run that fails leaves none of its outputs, and what was there before stays.
printf 'precious\n' >kept.csv
expect 3 "odd.log:4" -- replay odd.log --csv kept.csv --json new.json --trace new.log
[ "$(cat kept.csv)" = precious ] && ok || bad "kept.csv was touched"
absent new.json new.log
expect 1 "ended early" -- "${quick[@]}" --suite Random4K -s ctrl.namespace_size='32 MiB' --csv new.csv --json new.json \
    --plot new.plots
absent new.csv new.json new.plots
expect 2 "driver.irq = msix needs ctrl.msix_vectors above 0" -- bench amigadiskbench --driver doorbell --suite Random4K
expect 2 "--depth is above driver.slots" -- bench random-read --depth 17
expect 0 "" -- bench random-read --ios 1000

# a machine that does not come up, and a drive that fails the driver
expect 1 "bring-up failed" -- bench drive --drive worst-case --curve depth -s ctrl.decode=1ms \
    -s driver.admin_timeout=1ms
expect 1 "bring-up failed" -- "${quick[@]}" -s ctrl.decode=1ms -s driver.admin_timeout=1ms

leftover=$(find . -name '*.tmp*' -o -name '*.part*' | head -3)
[ -z "$leftover" ] && ok || bad "temporary files left: $leftover"
finish
