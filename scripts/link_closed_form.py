#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Throughput of a PCI Express link from the standard's overheads, apart from the model.

    link_closed_form.py                      the closed form as CSV: generations, widths, payloads,
                                             transfer sizes; writes and reads
    link_closed_form.py --measured FILE      compares what tests/unit/pcie/link_probe has measured,
                                             row by row; fails above --tolerance (in percent)

The overheads are those of PCI Express Base 3.1 and 5.0, in bytes on the wire per packet. A transfer
cannot be faster than any of these, and is as fast as the slowest:
  - the wire of each direction: packets, their overheads, and the acknowledgements of what the other
    direction carries;
  - reads: tags x request / round trip;
  - credits: packets that the receiver has room for / time until their credits are back.
"""

import argparse
import csv
import sys

# Per lane: 10^9 transfers per second, and bits of payload per bit sent (4.2.1, 4.2.2).
GIGATRANSFERS = {1: 2.5, 2: 5.0, 3: 8.0, 4: 16.0, 5: 32.0}
CODING = {1: 8 / 10, 2: 8 / 10, 3: 128 / 130, 4: 128 / 130, 5: 128 / 130}

# Bytes of a packet beside its data. Framing and sequence number: STP 1, sequence 2, END 1 with
# 8b/10b (3.5.2.1, 4.2.1.2); the STP token of 4 with 128b/130b (4.2.2.3.1): 4 either way.
FRAMING_AND_SEQUENCE = 4
LCRC = 4                                # 3.5.2.1
ECRC = 4                                # 2.7
HEADER_3DW = 12                         # completion, or 32-bit address (2.2.1)
HEADER_4DW = 16                         # 64-bit address
MEMORY = FRAMING_AND_SEQUENCE + HEADER_4DW + LCRC
COMPLETION = FRAMING_AND_SEQUENCE + HEADER_3DW + LCRC
DLLP = 2 + 4 + 2                        # framing, contents, CRC (3.4.1)
DATA_CREDIT = 16                        # 2.6.1

SIZES = [4, 64, 128, 512, 4096, 16384, 65536, 262144, 2097152]
DEFAULTS = {
    "configuration": "share", "max_read_request": 512, "completion_payload": 64,
    "completion_boundary": 64, "tags": 64, "propagation_ps": 150000, "memory_latency_ps": 120000,
    "ecrc": 0, "flow_overhead_ppm": 20000, "ack_every": 0, "update_every": 0, "posted_headers": 0,
    "posted_data": 0, "nonposted_headers": 0, "completion_headers": 0, "completion_data": 0,
    "credit_return_ps": 0,
}


def ceil_div(a, b):
    return -(-a // b)


def ps_per_byte(row):
    bytes_per_ps = (GIGATRANSFERS[row["generation"]] * CODING[row["generation"]] / 8e3
                    * row["lanes"])
    return 1 / (bytes_per_ps * (1 - row["flow_overhead_ppm"] / 1e6))


def dllp_bytes(row, packets):
    """What the other direction carries for so many packets."""
    return sum(packets * DLLP / row[every] for every in ("ack_every", "update_every") if row[every])


def credit_limit(row, packets, data, overhead, headers, data_credits):
    """Time for equal packets of so much data when their credits must come back first."""
    fit = []
    if headers:
        fit.append(headers)
    if data_credits and data:
        fit.append(data_credits // ceil_div(data, DATA_CREDIT))
    if not fit:
        return 0
    loop = ((data + overhead) * ps_per_byte(row) + 2 * row["propagation_ps"]
            + row["credit_return_ps"])
    return packets * loop / min(fit)


def write_ps(row):
    size, payload = row["bytes"], row["max_payload"]
    overhead = MEMORY + (ECRC if row["ecrc"] else 0)
    packets = ceil_div(size, payload)
    wire = (size + packets * overhead) * ps_per_byte(row)
    return max(wire, credit_limit(row, packets, min(size, payload), overhead,
                                  row["posted_headers"], row["posted_data"]))


def read_ps(row):
    size, byte = row["bytes"], ps_per_byte(row)
    digest = ECRC if row["ecrc"] else 0
    # A completion ends at a multiple of the boundary, answers one request, keeps to the payload.
    payload = min(max(row["completion_payload"], row["completion_boundary"]),
                  row["max_read_request"], row["max_payload"])
    request = min(size, row["max_read_request"])
    requests = ceil_div(size, row["max_read_request"])
    completions = ceil_div(request, payload) * requests
    up = (requests * (MEMORY + digest) + dllp_bytes(row, completions)) * byte
    down = size + completions * (COMPLETION + digest) + dllp_bytes(row, requests)
    down *= byte
    round_trip = (MEMORY + digest) * byte + 2 * row["propagation_ps"] + row["memory_latency_ps"]
    round_trip += (request + completions / requests * (COMPLETION + digest)) * byte
    return max(up, down, requests * round_trip / row["tags"],
               credit_limit(row, requests, 0, MEMORY + digest, row["nonposted_headers"], 0),
               credit_limit(row, completions, min(request, payload), COMPLETION + digest,
                            row["completion_headers"], row["completion_data"]))


def closed_form_ps(row):
    """Time per transfer when many follow each other."""
    return read_ps(row) if row["kind"] == "read" else write_ps(row)


def print_closed_form():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["kind", "generation", "lanes", "max_payload", "bytes", "ps", "bytes_per_second"])
    for generation in GIGATRANSFERS:
        for lanes in (1, 2, 4, 8, 16):
            for payload in (128, 256, 512):
                for size in SIZES:
                    for kind in ("write-up", "write-down", "read"):
                        row = dict(DEFAULTS, kind=kind, generation=generation, lanes=lanes,
                                   max_payload=payload, bytes=size)
                        ps = closed_form_ps(row)
                        out.writerow([kind, generation, lanes, payload, size, round(ps),
                                      round(size / ps * 1e12)])


TEXT = ("configuration", "detail", "kind")


def read_rows(path):
    with (sys.stdin if path == "-" else open(path, encoding="ascii")) as file:
        return [{k: v if k in TEXT else int(v) for k, v in row.items()}
                for row in csv.DictReader(file)]


def name_of(row):
    return "%s %s %s generation %d x%d payload %d, %d bytes" % (
        row["configuration"], row["detail"], row["kind"], row["generation"], row["lanes"],
        row["max_payload"], row["bytes"])


def compare(path, tolerance, minimum_rows):
    worst, wrong, line = {}, 0, {}
    rows = read_rows(path)
    for row in rows:
        measured, expected = row["ps"] / row["transfers"], closed_form_ps(row)
        errors = [("closed form", expected, measured / expected - 1)]
        key = tuple(v for k, v in row.items() if k not in ("detail", "ps"))
        if row["detail"] == "line":
            line[key] = measured
        else:
            errors.append(("detail line", line[key], measured / line[key] - 1))
        for against, reference, error in errors:
            group = (row["configuration"], row["detail"], row["kind"], against)
            if abs(error) >= abs(worst.get(group, (0, None))[0]):
                worst[group] = (error, row)
            if abs(error) * 100 > tolerance:
                wrong += 1
                if wrong <= 20:
                    print("%s: %.0f ps a transfer, %s %.0f ps (%+.2f %%)" % (
                        name_of(row), measured, against, reference, error * 100))
    for group in sorted(worst):
        print("largest error, %-11s %-4s %-10s against %s: %+.3f %% (generation %d x%d, payload "
              "%d, %d bytes)" % (*group, worst[group][0] * 100, worst[group][1]["generation"],
                                 worst[group][1]["lanes"], worst[group][1]["max_payload"],
                                 worst[group][1]["bytes"]))
    largest = max((abs(error) for error, _ in worst.values()), default=0)
    print("%d rows, largest error %.3f %%, %d above %g %%" % (
        len(rows), largest * 100, wrong, tolerance))
    if len(rows) < minimum_rows:
        print("fewer than %d rows: the sweep is not whole" % minimum_rows)
        return 1
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--measured", metavar="FILE", help="CSV of link_probe; - reads from stdin")
    parser.add_argument("--tolerance", type=float, default=1, metavar="PERCENT")
    parser.add_argument("--minimum-rows", type=int, default=1, metavar="N")
    options = parser.parse_args()
    if options.measured is None:
        print_closed_form()
        return 0
    return compare(options.measured, options.tolerance, options.minimum_rows)


if __name__ == "__main__":
    sys.exit(main())
