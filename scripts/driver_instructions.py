#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions per I/O of the driver core, by the slope between two callgrind runs.

Usage: driver_instructions.py PROGRAM [--assert-batched N]

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
COUNTED = ("submit_batch", "reap_batch")


def count(program, rounds, mode):
    """Instructions inside the counted functions, with everything that they call."""
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no",
                   "--callgrind-out-file=" + out]
        command += ["--toggle-collect=" + name for name in COUNTED]
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


def per_io(program, mode):
    few, many = (count(program, rounds, mode) for rounds in ROUNDS)
    return (many - few) / ((ROUNDS[1] - ROUNDS[0]) * BATCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--assert-batched", type=float, metavar="N")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("driver_instructions: valgrind is missing", file=sys.stderr)
        return 77
    batched = per_io(arguments.program, "batched")
    unbatched = per_io(arguments.program, "unbatched")
    print("driver_instructions_per_io_batched: {:.1f}".format(batched))
    print("driver_instructions_per_io_unbatched: {:.1f}".format(unbatched))
    if arguments.assert_batched is not None and batched > arguments.assert_batched:
        print("driver_instructions: {:.1f} is above the limit of {:g}".format(
            batched, arguments.assert_batched), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
