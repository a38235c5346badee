#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the table in docs/rules.md, or check it: rules_page.py PROGRAM SOURCE_DIRECTORY [--check].

For every rule that PROGRAM lists: its class and section, the unit tests that provoke it
(tests/unit/rules, tests whose body names RULE_<id>), and the mutants whose header names it. Exit code 1 if
a rule has no test, or with --check if the page is not what would be written.
"""
import os
import re
import subprocess
import sys

BEGIN = "<!-- made by scripts/rules_page.py -->\n"
END = "<!-- end -->\n"


def rules_of(program):
    text = subprocess.run([program, "list", "rules"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        match = re.match(r"\s*(\S+)\s+(.{15}) (.{42}) (.*)", line)
        yield match[1], match[2].strip(), match[3].strip(), match[4].strip()


def tests_of(top):
    """Rule to the tests that provoke it, as file and name."""
    found = {}
    folder = os.path.join(top, "tests", "unit", "rules")
    for name in sorted(os.listdir(folder)):
        if not (name.startswith("test_") and name.endswith(".c")):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for test, body in re.findall(r"START_TEST\((\w+)\)(.*?)END_TEST", file.read(), re.S):
                for rule in set(re.findall(r"RULE_(\w+)", body)):
                    found.setdefault(rule, []).append(test)
    return found


def mutants_of(top):
    found = {}
    folder = os.path.join(top, "tests", "mutants")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".patch"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                rule = re.search(r"^Rule: (\S+)", file.read(), re.M)
            if rule:
                found.setdefault(rule[1], []).append(name.split("-")[0])
    return found


def table(program, top):
    tests, mutants = tests_of(top), mutants_of(top)
    rows = ["| Rule | Name | Class | Section | Tests that provoke it | Mutants |", "|---|---|---|---|---|---|"]
    bare = []
    for rule, kind, name, section in rules_of(program):
        if rule not in tests:
            bare.append(rule)
        shown = ", ".join(f"`{test}`" for test in tests.get(rule, []))
        rows.append(f"| {rule} | {name} | {kind} | {section} | {shown} | {', '.join(mutants.get(rule, [])) or '-'} |")
    rows.append("")
    rows.append(f"Mutants that only the check of the data catches: {', '.join(mutants.get('data', [])) or 'none'}.")
    return "\n".join(rows) + "\n", bare


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.splitlines()[0])
    program, top = sys.argv[1:3]
    made, bare = table(program, top)
    if bare:
        sys.exit(f"rules_page.py: no test in tests/unit/rules provokes {', '.join(bare)}")
    path = os.path.join(top, "docs", "rules.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    wanted = head + BEGIN + "\n" + made + "\n" + END + tail
    if "--check" in sys.argv:
        if wanted != text:
            sys.exit("rules_page.py: docs/rules.md is out of date; run scripts/rules_page.py PROGRAM .")
        print("docs/rules.md is up to date")
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(wanted)


if __name__ == "__main__":
    main()
