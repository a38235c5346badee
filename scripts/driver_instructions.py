#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions per I/O of the driver core, by the slope between two callgrind runs.

Usage: driver_instructions.py PROGRAM [--assert-batched N] [--assert-unbatched N] [--assert-large-submit N]

PROGRAM is the driver_hot_path executable. Prints one `name: value` line per figure. Exit codes: 0 ok,
1 a figure is above its limit, 2 usage, 77 valgrind is missing.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

BATCH = 32
ROUNDS = (200, 1200)
# Figure: mode of the program, functions that are counted (with everything that they call).
FIGURES = {
    "batched": ("batched", ("submit_batch", "reap_batch")),
    "unbatched": ("unbatched", ("submit_batch", "reap_batch")),
    "batched_call": ("batched-call", ("submit_batch", "reap_batch")),
    "unbatched_call": ("unbatched-call", ("submit_batch", "reap_batch")),
    "large_submit": ("large", ("submit_batch",)),
}


def count(program, rounds, mode, functions):
    """Instructions inside the counted functions, with everything that they call."""
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no",
                   "--callgrind-out-file=" + out]
        command += ["--toggle-collect=" + name for name in functions]
        command += [program, str(rounds), mode]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit("driver_instructions: {} failed:\n{}".format(" ".join(command), run.stderr))
        with open(out, encoding="ascii", errors="replace") as lines:
            for line in lines:
                found = re.match(r"(?:summary|totals):\s*(\d+)", line)
                if found and int(found.group(1)):
                    return int(found.group(1))
    sys.exit("driver_instructions: callgrind counted nothing")


def per_io(program, mode, functions):
    few, many = (count(program, rounds, mode, functions) for rounds in ROUNDS)
    return (many - few) / ((ROUNDS[1] - ROUNDS[0]) * BATCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    for figure in FIGURES:
        parser.add_argument("--assert-" + figure.replace("_", "-"), type=float, metavar="N",
                            help="highest figure allowed, instructions per I/O")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("driver_instructions: valgrind is missing", file=sys.stderr)
        return 77
    above = 0
    for figure, (mode, functions) in FIGURES.items():
        value = per_io(arguments.program, mode, functions)
        limit = getattr(arguments, "assert_" + figure)
        print("driver_instructions_per_io_{}: {:.1f}".format(figure, value))
        if limit is not None and value > limit:
            print("driver_instructions: {} {:.1f} is above the limit of {:g}".format(
                figure, value, limit), file=sys.stderr)
            above = 1
    return above


if __name__ == "__main__":
    sys.exit(main())
