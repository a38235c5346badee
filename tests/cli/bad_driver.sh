#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Values of driver parameters that cannot be: each one below its minimum and above its maximum, each choice
# that is none, and the combinations that no single limit can say. One message each, with where, what and what
# is allowed; exit code 2 (docs/reference.md): bad_driver.sh DOORBELL
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
machine=(--driver doorbell --drive optane-p4800x --host generic)

# refused TEXT SECTION.KEY=VALUE...: these settings together are refused with TEXT.
refused() {
    local text=$1 set=()
    shift
    for setting in "$@"; do set+=(-s "$setting"); done
    expect 2 "$text" -- bench random-read --ios 1 "${machine[@]}" "${set[@]}"
}

# ---- single values, from the list of parameters ----

limits='^      allowed: ([0-9]+)( [a-zA-Z]+)? to ([0-9]+)( [a-zA-Z]+)?( \(.*)?$'
key=""
while IFS= read -r line; do
    if [[ $line =~ ^\ \ ([a-z_]+)\ = ]]; then
        key=driver.${BASH_REMATCH[1]}
    elif [[ $line =~ $limits ]]; then
        low="$((BASH_REMATCH[1] - 1))${BASH_REMATCH[2]}" high="$((BASH_REMATCH[3] + 1))${BASH_REMATCH[4]}"
        below="below the minimum"
        [ "${BASH_REMATCH[1]}" -eq 0 ] && below="is negative"
        refused "-s: $key: " "$key=$low"
        grep -qF "$below; allowed: ${BASH_REMATCH[1]}${BASH_REMATCH[2]} to " stderr && ok ||
            bad "$key=$low: $(cat stderr)"
        refused "-s: $key: $high is above the maximum; allowed: ${BASH_REMATCH[1]}${BASH_REMATCH[2]} to " "$key=$high"
    elif [[ $line =~ ^\ \ \ \ \ \ allowed: && $line != *bytes\ of\ printable* ]]; then
        refused "; ${line#      }" "$key=neither"
    fi
done < <("$doorbell" list parameters driver)
[ "$passed" -gt 100 ] && ok || bad "only $passed values were found to try"

# ---- combinations ----

refused "-s: driver.slots = 1024: one entry of a queue always stays empty; allowed: 1 to 1023 with driver.io_depth = 1024 (driver.io_depth: -s)" \
    driver.io_depth=1024 driver.slots=1024
refused "drivers/doorbell.ini:" driver.io_depth=2
refused "allowed: 1 to 64512 with driver.cid_base = 1023" driver.cid_generation=no driver.cid_base=1023 \
    driver.io_depth=65535 driver.slots=64513
refused "-s: driver.cid_base = 5: with driver.cid_generation = yes" driver.cid_base=5
refused "driver.bounce_bytes = 4097 B; allowed: 0 B to 2 MiB, multiples of 4 KiB" 'driver.bounce_bytes=4097 B'
refused "driver.read_direct_align = 3 B; allowed: 1 B to 1 MiB, powers of two" 'driver.read_direct_align=3 B'
refused "driver.write_direct_align = 12 B; allowed: 1 B to 1 MiB, powers of two" 'driver.write_direct_align=12 B'
refused "driver.transfer_cap = 4095 B; allowed: 0 B, or 4 KiB to 1 GiB" 'driver.transfer_cap=4095 B'
refused "driver.transfer_no_mdts = 1 B; allowed: 0 B, or 4 KiB to 1 GiB" 'driver.transfer_no_mdts=1 B'
refused "driver.ring = at-poll: with driver.completion = interrupt" driver.ring=at-poll driver.completion=interrupt
refused "driver.io_timeout = 3 ms: shorter than the driver can notice; allowed: 0 s, or 4 ms to 3600 s" \
    'driver.io_timeout=3 ms'
refused "driver.io_timeout = 4.5 ms: the driver counts in steps of 1 ms" 'driver.io_timeout=4500 us'
refused "driver.abort_timeout = 1.5 ms:" 'driver.abort_timeout=1500 us'
refused "driver.admin_timeout = 1001 us:" 'driver.admin_timeout=1001 us'
refused "driver.shutdown_timeout = 1999 us:" 'driver.shutdown_timeout=1999 us'
refused "driver.coalescing_time = 150 us: the driver counts in steps of 100 us" 'driver.coalescing_time=150 us'
refused "-s: driver.priorities: 'hgh' begins with no class; allowed: urgent, high, medium or low, up to 64 of them" \
    'driver.priorities=low, hgh'
refused "driver.priorities: '' begins with no class" driver.priorities=
refused "driver.priorities: '' begins with no class" driver.priorities=low,
refused "driver.priorities: 'high' begins with no class" 'driver.priorities=low high'
refused "begins with no class" "driver.priorities=low$(printf ',low%.0s' {1..64})"
refused "driver.irq = msix needs ctrl.msix_vectors above 0" driver.completion=interrupt driver.irq=msix \
    ctrl.msix_vectors=0
refused "driver.registered_buffers = yes needs host.coherent = yes" driver.registered_buffers=yes host.coherent=no

# A device that does not reach the callers' buffers needs bounce buffers.
reach="the device does not reach callers' buffers, which lie from host.memory_base = 0x100000000"
refused "-s: host.dma_bits = 32: $reach, and driver.bounce_bytes = 0 B leaves nothing to copy through; allowed: 33 to 64, or driver.bounce_bytes above 0 B" \
    'driver.bounce_bytes=0 B' host.dma_bits=32
refused "allowed: 34 to 64" 'driver.bounce_bytes=0 B' host.dma_bits=33 host.memory_base=0x1f8000000
for good in host.dma_bits=33 'host.dma_bits=32 host.memory_base=0xf0000000' \
    'host.dma_bits=32 host.memory_base=0xfff00000 driver.bounce_bytes=65536B' \
    'host.dma_bits=32 driver.bounce_bytes=65536B'; do
    set=()
    for setting in $good; do set+=(-s "$setting"); done
    expect 0 "" -- bench random-read --ios 100 "${machine[@]}" "${set[@]}"
done
finish
