#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure the simulator and the driver core: measure.py BUILD_DIRECTORY [--assert-instructions N].

Prints one `name: value` line per figure. The workload is simulated 4 KiB random reads at depth 32 on the
fixed-latency drive, on one core. Instructions per I/O are the slope between two run lengths under
callgrind, so start-up and bring-up do not count.
"""
import argparse
import os
import re
import subprocess
import sys
import time
import typing

SHORT, LONG = 20_000, 60_000  # I/Os under callgrind
TIMED = 2_000_000  # I/Os for rates
REPEATS = 3


# The same drive on flash: every read is one from a die.
NAND = ["-s", "media.kind=nand", "-s", "media.precondition=sequential"]


class Reads(typing.NamedTuple):
    """A kind of reads whose instructions are counted."""

    text: str
    name: str  # of the figure
    verify: bool
    options: typing.Sequence[str] = ()


COUNTED = {
    "instructions": Reads("reads without verification", "sim_instructions_per_io", False),
    "verified-instructions": Reads("verified reads", "sim_instructions_per_io_verified", True),
    "nand-instructions": Reads("reads of flash", "sim_instructions_per_io_nand", False, NAND),
    "judged-instructions": Reads("verified reads under the rules", "sim_instructions_per_io_judged", True,
                                 ["--rules", "fatal"]),
}


def command(build, ios, verify, options=()):
    words = [os.path.join(build, "bin", "doorbell"), "bench", "random-read", "--driver", "doorbell",
             "--drive", "fixed-latency", "--host", "generic", "--quiet", "--rules", "off", "--ios", str(ios), *options]
    return words if verify else words + ["--no-verify"]


def rate(build, verify, options=()):
    """Simulated reads per second of wall time, start-up removed; the best of a few runs."""
    best = 0.0
    for _ in range(REPEATS):
        times = []
        for ios in (TIMED // 10, TIMED):
            start = time.perf_counter()
            subprocess.run(command(build, ios, verify, options), check=True)
            times.append(time.perf_counter() - start)
        best = max(best, (TIMED - TIMED // 10) / (times[1] - times[0]))
    return best


def instructions(words):
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words],
                         check=True, capture_output=True, text=True)
    match = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if match is None:
        sys.exit("measure.py: callgrind printed no count:\n" + run.stderr)
    return int(match.group(1))


def slope(build, verify, options=()):
    short, long = (instructions(command(build, ios, verify, options)) for ios in (SHORT, LONG))
    return (long - short) / (LONG - SHORT)


def medium_slope(build, op):
    """One operation on flash in its steady state, the medium and its event alone."""
    bench = os.path.join(build, "bin", "bench_media_nand")
    short, long = (instructions([bench, op, str(count)]) for count in (SHORT, LONG))
    return (long - short) / (LONG - SHORT)


def peak_mib(build, ios):
    """Peak resident memory of one run, in a child of its own so that earlier ones do not count."""
    code = ("import resource,subprocess,sys;"
            "subprocess.run(sys.argv[1:],check=True);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    run = subprocess.run([sys.executable, "-c", code] + command(build, ios, True), check=True,
                         capture_output=True, text=True)
    return int(run.stdout) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    for what, meaning in COUNTED.items():
        parser.add_argument(f"--assert-{what}", type=float, metavar="N",
                            help=f"only count instructions of {meaning.text}; exit 1 above N per I/O")
    parser.add_argument("--assert-flat", action="store_true",
                        help="only compare peak memory of a run with one 100 times as long; exit 1 if it"
                        " grew by more than 2 MiB")
    arguments = parser.parse_args()
    build = arguments.build
    for what, reads in COUNTED.items():
        limit = getattr(arguments, "assert_" + what.replace("-", "_"))
        if limit is not None:
            count = slope(build, reads.verify, reads.options)
            print(f"{reads.name}: {count:.1f}")
            sys.exit(0 if count <= limit else 1)
    if arguments.assert_flat:
        short, long = peak_mib(build, 20_000), peak_mib(build, 2_000_000)
        print(f"sim_peak_rss_mib: {short:.1f} for 20,000 I/Os, {long:.1f} for 2,000,000")
        sys.exit(0 if long <= short + 2 else 1)
    print(f"sim_reads_per_second: {rate(build, False):.0f}")
    print(f"sim_reads_per_second_verified: {rate(build, True):.0f}")
    print(f"sim_reads_per_second_nand: {rate(build, False, NAND):.0f}")
    for reads in COUNTED.values():
        print(f"{reads.name}: {slope(build, reads.verify, reads.options):.1f}")
    for op in ("read", "write"):
        print(f"medium_instructions_per_{op}_nand: {medium_slope(build, op):.1f}")
    print(f"sim_peak_rss_mib: {peak_mib(build, TIMED):.1f}")
    sys.stdout.flush()
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, os.path.join(here, "driver_instructions.py"),
                    os.path.join(build, "tests", "bench", "driver_hot_path")], check=True)


if __name__ == "__main__":
    main()
