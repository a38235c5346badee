#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Code size of the driver on each target, from nothing but driver/.

Usage: code_size.py [--assert-text [TARGET=]BYTES]...

Compiles driver/src with everything (whole), driver/src without the parts that a port may leave out
(core; driver/include/nvme/config.h lists them), and driver/services (what a port links only if it
calls it) freestanding with each target's gcc, for size (-Os) and for speed (-O2), and prints one line per part,
target and level: bytes of machine code (.text), of constants and message texts (.rodata and such),
and of variables, which there must be none of. A limit applies to the code of core at -Os, what a
port that is short of memory builds: on one target, or on all that have no limit of their own. Exit codes: 0 ok, 1 above the limit or a variable, 2 usage, 77
a compiler is missing.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

TARGETS = {
    "x86-64": "",
    "aarch64": "aarch64-linux-gnu-",
    "riscv64": "riscv64-linux-gnu-",
    "powerpc": "powerpc-linux-gnu-",
}
PARTS = {"whole": "src", "core": "src", "services": "services"}
LEVELS = ("-Os", "-O2")
# As a kernel or a boot program is built: no position independence, no unwind tables.
FLAGS = ("-std=c11", "-ffreestanding", "-fno-pie", "-fno-asynchronous-unwind-tables",
         "-fno-stack-protector", "-Wall", "-Wextra", "-Werror")
KINDS = {
    "text": (".text",),
    "rodata": (".rodata", ".srodata", ".data.rel.ro", ".sdata2"),
    "data": (".data", ".sdata", ".bss", ".sbss"),
}


def kind_of(section):
    """KINDS' key of a section, the longest prefix deciding; None for notes and the like."""
    best = None
    for kind, prefixes in KINDS.items():
        for prefix in prefixes:
            if section == prefix or section.startswith(prefix + "."):
                if best is None or len(prefix) > len(best[1]):
                    best = (kind, prefix)
    return best[0] if best else None


def switches(root):
    """The macros that leave out a part each, as config.h lists them."""
    with open(os.path.join(root, "driver", "include", "nvme", "config.h")) as header:
        return ["-D" + name for name in re.findall(r"^ \* (NVME_NO_[A-Z_]+):", header.read(), re.M)]


def limits(words):
    """{target or None: bytes} from [TARGET=]BYTES."""
    found = {}
    for word in words:
        target, _, number = word.rpartition("=")
        if not number.isdigit() or (target and target not in TARGETS):
            raise ValueError(word)
        found[target or None] = int(number)
    return found


def sizes(root, part, prefix, level):
    macros = switches(root) if part == "core" else []
    total = dict.fromkeys(KINDS, 0)
    with tempfile.TemporaryDirectory() as work:
        for source in sorted(glob.glob(os.path.join(root, "driver", PARTS[part], "*.c"))):
            target = os.path.join(work, os.path.basename(source) + ".o")
            subprocess.run([prefix + "gcc", *FLAGS, *macros, level,
                            "-I" + os.path.join(root, "driver", "include"),
                            "-I" + os.path.join(root, "driver", "src"), "-c", source, "-o", target],
                           check=True)
            listing = subprocess.run([prefix + "size", "-A", target], check=True,
                                     capture_output=True, text=True).stdout
            for line in listing.splitlines():
                words = line.split()
                if len(words) == 3 and kind_of(words[0]) and words[1].isdigit():
                    total[kind_of(words[0])] += int(words[1])
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assert-text", action="append", default=[],
                        metavar="[TARGET=]BYTES", help="highest number of bytes of core's code at -Os")
    arguments = parser.parse_args()
    try:
        limit = limits(arguments.assert_text)
    except ValueError as error:
        parser.error("--assert-text {}: not [TARGET=]BYTES".format(error))
    missing = [prefix + tool for prefix in TARGETS.values() for tool in ("gcc", "size")
               if not shutil.which(prefix + tool)]
    if missing:
        print("code_size: missing: " + " ".join(missing), file=sys.stderr)
        return 77
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    status = 0
    print("{:8} {:8} {:5} {:>7} {:>7} {:>5}".format("part", "target", "level", *KINDS))
    for part in PARTS:
        for level in LEVELS:
            for target, prefix in TARGETS.items():
                size = sizes(root, part, prefix, level)
                print("{:8} {:8} {:5} {:7} {:7} {:5}".format(part, target, level, *size.values()))
                if size["data"]:
                    print("code_size: {} has variables on {}".format(part, target), file=sys.stderr)
                    status = 1
                most = limit.get(target, limit.get(None))
                if part == "core" and level == "-Os" and most is not None and size["text"] > most:
                    print("code_size: {} bytes of code on {} are above the limit of {}".format(
                        size["text"], target, most), file=sys.stderr)
                    status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
