#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check docs/traps.md: from trap to origin to test. traps_map.py [--check] [SOURCE_DIRECTORY]

The page is written by hand. Each item of LISTS must have a row, and no other items may; each test that a row
names must be defined in its file (START_TEST) and added to a test case there; and each test whose name ends
in items (some_sentence__aros_4__genode_1) must be named in the rows of those items. Without --check the
number of items and tests is printed, too. Exits with 1 if anything is wrong.
"""
import glob
import os
import re
import sys

PAGE = "docs/traps.md"
LISTS = {"peers": 12, "aros": 18, "genode": 11, "netbsd": 8, "linux": 15, "amiga": 8}
ITEM = "|".join(LISTS)
ROW = re.compile(r"^\| ([a-z]+-\d+) \|(.*)\|(.*)\|$", re.M)
TEST = re.compile(r"^START_TEST\((\w+)\)", re.M)
ADDED = re.compile(r"tcase_add_(?:loop_)?test\(\s*\w+,\s*(\w+)")


def tests_of(top):
    """File below tests/ to the names of its tests, and of those that are run."""
    found = {}
    for path in glob.glob(os.path.join(top, "tests", "**", "test_*.c"), recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        name = os.path.relpath(path, os.path.join(top, "tests"))
        found[name] = (set(TEST.findall(text)), set(ADDED.findall(text)))
    return found


def cell_tests(cell):
    """(file, test) for each test of a cell: `file.c`: `test`, `test`; `file.c`: ..."""
    path = None
    for word in re.findall(r"`([^`]+)`", cell):
        if word.endswith(".c"):
            path = word
        else:
            yield path, word


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    top = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    with open(os.path.join(top, PAGE), encoding="utf-8") as file:
        page = file.read()
    tests, rows, faults = tests_of(top), {}, []
    for item, _, cell in ROW.findall(page):
        if item in rows:
            faults.append(f"{item} has two rows")
        rows[item] = list(cell_tests(cell))
        if not rows[item]:
            faults.append(f"{item} names no test")
        for path, test in rows[item]:
            defined, added = tests.get(path, (set(), set()))
            if test not in defined:
                faults.append(f"{item}: tests/{path} has no test {test}")
            elif test not in added:
                faults.append(f"{item}: {test} is never run")
    wanted = {f"{name}-{number}" for name, count in LISTS.items() for number in range(1, count + 1)}
    faults += [f"{item} has no row" for item in sorted(wanted - rows.keys())]
    faults += [f"{item} is in no list" for item in sorted(rows.keys() - wanted)]
    for path, (defined, _) in sorted(tests.items()):
        for test in sorted(defined):
            for name, number in re.findall(rf"__({ITEM})_(\d+)", test):
                if (path, test) not in rows.get(f"{name}-{number}", []):
                    faults.append(f"tests/{path}: {test} is not in the row of {name}-{number}")
    for fault in faults:
        print(f"traps_map: {fault}", file=sys.stderr)
    if "--check" not in sys.argv:
        named = {test for row in rows.values() for test in row}
        print(f"{len(rows)} traps, {len(named)} tests")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
