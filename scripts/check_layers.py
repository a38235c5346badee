#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that the arrows between the rooms run one way: check_layers.py SOURCE_DIRECTORY.

Every `#include "room/file.h"` in sim/ must go to a room that the including room stands on, and driver/
must include nothing but itself and the freestanding headers. Exit code 1 names every include that does
not.
"""
import os
import re
import sys

# Who stands on whom. `config` is the base: param.h is only macros and plain structures.
ALLOWED = {
    "config": set(),
    "engine": {"config"},
    "pcie": {"config", "engine"},
    "media": {"config", "engine"},
    "nvme": {"config", "engine", "pcie", "media"},
    "device": {"config", "engine", "pcie", "media", "nvme"},
    "host": {"config", "engine", "pcie"},
    # The block device that workloads see is declared with them and implemented by the machine.
    "machine": {"config", "engine", "pcie", "media", "nvme", "host", "workload/block.h"},
    "report": {"config", "engine", "pcie", "rules/rules.h"},
    "workload": {"config", "engine", "pcie", "report/result.h"},
    "rules": {"engine", "pcie"},
    "run": {"config", "engine", "pcie", "media", "nvme", "host", "machine", "workload", "report", "rules"},
    "cli": {"config", "engine", "pcie", "media", "nvme", "host", "machine", "workload", "report", "rules", "run"},
}
# Rooms that may use the driver core's public headers.
DRIVER_USERS = {"host", "machine", "run", "cli"}
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    with open(path, encoding="utf-8") as file:
        return INCLUDE.findall(file.read())


def sources(directory):
    for folder, _, names in os.walk(directory):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".def")):
                yield os.path.join(folder, name)


def check_sim(top, complain):
    for path in sources(os.path.join(top, "sim")):
        room = os.path.relpath(path, os.path.join(top, "sim")).split(os.sep)[0]
        for kind, name in includes(path):
            if kind == "<":
                if name.startswith("nvme/") and room not in DRIVER_USERS:
                    complain(path, name, "only the host and what stands on it know the driver core")
                continue
            target = name.split("/")[0]
            if target != room and target not in ALLOWED[room] and name not in ALLOWED[room]:
                complain(path, name, f"{room} does not stand on {target}")


def check_driver(top, complain):
    driver = os.path.join(top, "driver")
    own = {os.path.basename(path) for path in sources(os.path.join(driver, "src"))}
    for part in ("include", "src", "services"):
        for path in sources(os.path.join(driver, part)):
            for kind, name in includes(path):
                # Services know the public interface only, as any caller does.
                good = (name in FREESTANDING or name.startswith("nvme/")) if kind == "<" else (
                    name in own and part != "services")
                if not good:
                    complain(path, name, "the driver core includes itself and freestanding headers only")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    top, wrong = sys.argv[1], []

    def complain(path, name, why):
        wrong.append(f"{os.path.relpath(path, top)}: includes {name}: {why}")

    check_sim(top, complain)
    check_driver(top, complain)
    print("\n".join(wrong) if wrong else "all includes follow the arrows")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
