#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# doorbell regress: nothing has changed, something has, something is broken: regress.sh DOORBELL BASELINE
# BASELINE is the one in the tree: what the model says today.
baseline=$(readlink -f "$2")
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect 2 "needs --baseline FILE" -- regress
expect 3 "nowhere: cannot be read" -- regress --baseline nowhere
expect 2 "--update: stores the whole matrix" -- regress --baseline new.txt --update --driver linux
expect 2 "unknown profile 'linx'" -- regress --baseline "$baseline" --driver linx
echo "something else" >bad.txt
expect 3 "bad.txt:1: the first line must be: doorbell baseline 1" -- regress --baseline bad.txt
printf 'doorbell baseline 1\ntolerance x 101\n' >bad.txt
expect 3 "bad.txt:2: allowed is: tolerance FIGURE PERCENT" -- regress --baseline bad.txt
printf 'doorbell baseline 1\na b c d -1\n' >bad.txt
expect 3 "bad.txt:2: '-1' is no number" -- regress --baseline bad.txt
printf 'doorbell baseline 1\na b c d 1\ne b c d 1\na b c e 1\n' >bad.txt
expect 3 "bad.txt:4: the figures of a cell must stand together" -- regress --baseline bad.txt

# what is in the tree is what comes out
"$doorbell" regress --baseline "$baseline" >out.txt 2>err.txt && ok || bad "the baseline in the tree: $(tail -5 out.txt err.txt)"

# one figure differs: said, exit code 1, in JUnit too; within a tolerance: not
one=(regress --driver netbsd-msix)
sed 's/^\(netbsd-msix fixed-latency read-4k-qd16 window_ps\) .*/\1 1000000000/' "$baseline" >changed.txt
"$doorbell" "${one[@]}" --baseline changed.txt --junit out.xml >out.txt
[ $? = 1 ] && grep -q "read-4k-qd16 *window_ps *1000000000 ->" out.txt && grep -q "1 figures changed" out.txt && ok ||
    bad "a changed figure"
grep -q 'failures="1"' out.xml && grep -q 'failure message="window_ps: [0-9]*, was 1000000000"' out.xml && ok ||
    bad "JUnit"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' out.xml && ok || bad "JUnit is no XML"
awk '/window_ps/ && /^netbsd-msix fixed-latency/ { $5 = sprintf("%.0f", $5 * 1.01) } { print }' "$baseline" >near.txt
sed -i '1a tolerance window_ps 2' near.txt
"$doorbell" "${one[@]}" --baseline near.txt >out.txt && ok || bad "a tolerance: $(tail -3 out.txt)"

# a cell that is new, and one that is gone
grep -v "^netbsd-msix fixed-latency read-4k-qd1 " "$baseline" >less.txt
"$doorbell" "${one[@]}" --baseline less.txt >out.txt
[ $? = 1 ] && grep -q "read-4k-qd1 *is new" out.txt && ok || bad "a new cell"

# data that does not match is a failure, whatever the figures
"$doorbell" "${one[@]}" --baseline "$baseline" -s 'ctrl.faults=opcode=read nth=20 : corrupt' >out.txt
[ $? = 1 ] && grep -q "data that was read back is not what was written" out.txt && ok || bad "corrupted data"
finish
