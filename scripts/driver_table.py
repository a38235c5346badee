#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The table of driver profiles in docs/drivers.md, from the profiles: driver_table.py [--check] SOURCE_DIRECTORY.

Without --check it writes the part between the two marks anew."""
import pathlib
import re
import sys

BEGIN, END = "<!-- table: scripts/driver_table.py -->", "<!-- end of the table -->"
COLUMNS = [("io_queues", "queues"), ("io_depth", "depth"), ("slots", "in flight"), ("full", "full"),
           ("bounce_bytes", "bounce"), ("transfer_cap", "longest"), ("split", "split"), ("ring", "SQ doorbell"),
           ("cq_ring", "CQ doorbell"), ("completion", "completion"), ("irq", "interrupt"), ("sgl", "SGLs")]


def defaults(source):
    text = (source / "sim/machine/driver.def").read_text()
    return {m[1]: m[2] for m in re.finditer(r'^PARAM(?:_ENUM)?\(driver, (\w+),(?: \w+,)? "([^"]*)"', text, re.M)}


def values(path):
    found = {}
    for line in path.read_text().splitlines():
        match = re.match(r"(\w+) = (.*?)\s*(?:;.*)?$", line)
        if not match:
            continue
        if match[1] == "extends":
            found.update(values(path.parent / f"{match[2]}.ini"))
        else:
            found[match[1]] = match[2]
    return found


def cell(key, profile):
    value = profile[key]
    if key == "io_queues" and value == "0":
        return "per CPU"
    if key == "transfer_cap" and value == "0 B":
        return "MDTS"
    if key == "bounce_bytes" and value == "0 B":
        return "registered" if profile["registered_buffers"] == "yes" else "none"
    if key == "irq":
        return "-" if profile["completion"] == "poll" else value + (", deferred" if profile["deferred"] == "yes" else "")
    return value


def table(source):
    rows = ["| profile | " + " | ".join(head for _, head in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for path in sorted((source / "sim/profiles/drivers").glob("*.ini")):
        profile = {**defaults(source), **values(path)}
        rows.append(f"| `{path.stem}` | " + " | ".join(cell(key, profile) for key, _ in COLUMNS) + " |")
    return "\n".join(rows)


def main():
    check = "--check" in sys.argv
    source = pathlib.Path(next((a for a in sys.argv[1:] if a != "--check"), "."))
    page = source / "docs/drivers.md"
    text = page.read_text()
    before, rest = text.split(BEGIN)
    new = f"{before}{BEGIN}\n{table(source)}\n{END}{rest.split(END)[1]}"
    if not check:
        page.write_text(new)
    elif new != text:
        sys.exit("docs/drivers.md: the table is not that of the profiles; run scripts/driver_table.py")


main()
