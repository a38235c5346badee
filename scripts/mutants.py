#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge the mutants: mutants.py [NAME...] [--build DIR] [-j N] [--page FILE] [--check].

tests/mutants/NNN-name.patch is a known bug as a small diff against the driver core (or the port below
it). Each is applied to a copy, built against the objects of a build directory, and run; the rule that its
header names must be the first to complain. Ends with `N caught, N missed`; exit code 0 only if none was
missed. A NAME is a number, a name, or a part of one. --page writes docs/mutants.md after a run of all;
--check only looks whether headers are complete.

A header is lines before the diff:

    What: one line, what is wrong
    Published: where such a bug was published, or `own`
    Rule: the rule that must complain first, or `data` (blocks did not match) where no rule can
    Run: arguments of doorbell

and the lines go on where they are indented.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATCHES = os.path.join(ROOT, "tests", "mutants")
FIELDS = ("What", "Published", "Rule", "Run")
LIMIT_S = 900  # of one run: only a guard against one that never ends
COPIED = ("driver/", "sim/host/")  # what a mutant may change
COMPLAINT = re.compile(r"doorbell: rule (\w+) \([^)]*\), [\w ]+: at ([\d.]+) us")


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[: -len(".patch")]
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        head = self.text.split("\n--- ", 1)[0]
        self.header = {}
        for line in re.sub(r"\n[ \t]+", " ", head).splitlines():
            key, _, value = line.partition(":")
            self.header[key.strip()] = value.strip()
        self.files = re.findall(r"^\+\+\+ b/(\S+)", self.text, re.M)

    def fault(self, rules):
        """What is wrong with the patch file, or None."""
        for field in FIELDS:
            if not self.header.get(field):
                return f"has no {field}:"
        unknown = set(self.header) - set(FIELDS)
        if unknown:
            return f"has an unknown line {sorted(unknown)[0]}:"
        if self.header["Rule"] != "data" and self.header["Rule"] not in rules:
            return f"names rule {self.header['Rule']}, which doorbell list rules does not show"
        if not self.files:
            return "has no diff"
        for name in self.files:
            if not name.startswith(COPIED):
                return f"changes {name}; allowed are {' and '.join(COPIED)}"
        return None


class Failure(Exception):
    pass


class Build:
    """The commands of a build directory made by CMake with Ninja."""

    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        self.program = os.path.join(self.directory, "bin", "doorbell")
        run = subprocess.run(["ninja", "-C", self.directory, "-t", "commands", "bin/doorbell"],
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise SystemExit(f"mutants.py: {directory} is no build directory of Ninja's; try cmake --preset dev")
        self.compile, self.link = {}, None
        for line in run.stdout.splitlines():
            match = re.search(r"-o (\S+\.o) -c (\S+)$", line)
            if match:
                self.compile[os.path.relpath(os.path.join(self.directory, match[2]), ROOT)] = line
            elif re.search(r" -o bin/doorbell\b", line):
                self.link = line
        if self.link is None or not os.path.exists(self.program):
            raise SystemExit(f"mutants.py: build doorbell first: cmake --build {directory}")

    def rules(self):
        text = subprocess.run([self.program, "list", "rules"], capture_output=True, text=True, check=True).stdout
        return {line.split()[0] for line in text.splitlines() if line.strip()}

    def shell(self, command, what):
        run = subprocess.run(command, shell=True, cwd=self.directory, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failure(f"{what}: {(run.stderr or run.stdout).strip()[:600]}")

    def sources(self, files):
        """What must be compiled again: the file itself, or for a header every source that may see it."""
        wanted = {name for name in files if name.endswith(".c")}
        for name in files:
            if name.endswith(".h"):
                top = "driver/src/" if name.startswith("driver/") else "sim/host/"
                wanted |= {source for source in self.compile if source.startswith(top)}
        return sorted(wanted)

    def make(self, mutant, place):
        for top in COPIED:
            shutil.copytree(os.path.join(ROOT, top), os.path.join(place, top))
        run = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-s", "-i", mutant.path], cwd=place,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failure(f"does not apply: {(run.stdout + run.stderr).strip()[:300]}")
        objects = []
        for source in self.sources(mutant.files):
            if source not in self.compile:
                raise Failure(f"{source} is not part of doorbell")
            target = os.path.join(place, source.replace("/", "_") + ".o")
            command = re.sub(r"-MF \S+|-MD|-MT \S+", "", self.compile[source])
            command = re.sub(r"-o (\S+\.o) -c (\S+)$", f"-o {target} -c {os.path.join(place, source)}", command)
            command = command.replace(os.path.join(ROOT, "driver"), os.path.join(place, "driver"))
            command = command.replace("-Werror", "-w")
            if source.startswith("sim/host/"):
                command = command.replace(f"-I{ROOT}/sim", f"-I{place}/sim -I{ROOT}/sim")
            self.shell(command, "does not build")
            objects.append(target)
        program = os.path.join(place, "doorbell")
        self.shell(re.sub(r" -o bin/doorbell\b", f" -o {program} {' '.join(objects)}", self.link), "does not link")
        return program


class Outcome:
    def __init__(self, mutant, rule, when_us, seconds, said):
        self.mutant, self.rule, self.when_us, self.seconds, self.said = mutant, rule, when_us, seconds, said

    @property
    def caught(self):
        return self.rule == self.mutant.header["Rule"]


def judge(build, mutant):
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        try:
            program = build.make(mutant, place)
        except Failure as failure:
            return Outcome(mutant, None, None, 0, str(failure))
        words = shlex.split(mutant.header["Run"]) + ["--profiles", os.path.join(ROOT, "sim", "profiles")]
        start = time.perf_counter()
        try:
            run = subprocess.run([program, *words], capture_output=True, text=True, timeout=LIMIT_S, cwd=ROOT,
                                 check=False)
        except subprocess.TimeoutExpired:
            return Outcome(mutant, None, None, LIMIT_S, f"has not ended after {LIMIT_S} s")
        seconds = time.perf_counter() - start
    match = COMPLAINT.search(run.stderr)
    if match:
        return Outcome(mutant, match[1], float(match[2]), seconds, match[0])
    said = (run.stderr or run.stdout).strip().splitlines()
    if run.returncode == 1 and "did not hold what was written" in run.stderr:
        return Outcome(mutant, "data", None, seconds, said[-1] if said else "")
    return Outcome(mutant, None, None, seconds, f"exit code {run.returncode}; {said[-1] if said else 'nothing said'}")


def line_of(outcome):
    verdict = "caught" if outcome.caught else "MISSED"
    when = f"{outcome.when_us:.3f} us" if outcome.when_us is not None else "-"
    text = (f"{verdict} {outcome.mutant.name:<44} {outcome.mutant.header['Rule']:<5}"
            f" at {when:>16}, {outcome.seconds:6.2f} s")
    return text if outcome.caught else f"{text}; got {outcome.rule or 'nothing'}: {outcome.said}"


def page(outcomes):
    rows = [
        "# Mutants", "",
        "Known bugs as small diffs (`tests/mutants`), and the rule that catches each. Made by",
        "`scripts/mutants.sh --page docs/mutants.md`; the time is simulated time from power-on to the first",
        "complaint. `data` means that no rule can see it, and the check of the data does.", "",
        "| Mutant | What | Published | Rule | Caught after |", "|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        header = outcome.mutant.header
        when = f"{outcome.when_us:.1f} us" if outcome.when_us is not None else "the end"
        rows.append(f"| [{outcome.mutant.name}](../tests/mutants/{outcome.mutant.name}.patch) | {header['What']} |"
                    f" {header['Published']} | {header['Rule']} | {when} |")
    return "\n".join(rows) + "\n"


def choose(names):
    mutants = [Mutant(os.path.join(PATCHES, name)) for name in sorted(os.listdir(PATCHES)) if name.endswith(".patch")]
    if not names:
        return mutants
    chosen = [mutant for mutant in mutants if any(name in mutant.name for name in names)]
    if not chosen:
        sys.exit(f"mutants.py: no mutant has {' or '.join(names)} in its name; see tests/mutants")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "dev"))
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--page", metavar="FILE")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    build = Build(arguments.build)
    rules = build.rules()
    mutants = choose(arguments.names)
    faults = [f"{mutant.name} {mutant.fault(rules)}" for mutant in mutants if mutant.fault(rules)]
    if faults:
        sys.exit("\n".join("mutants.py: " + fault for fault in faults))
    if arguments.check:
        print(f"{len(mutants)} mutants, every header complete")
        return
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda mutant: judge(build, mutant), mutants):
            print(line_of(outcome), flush=True)
            outcomes.append(outcome)
    caught = sum(outcome.caught for outcome in outcomes)
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(f"{caught} caught, {len(outcomes) - caught} missed; slowest {slowest.seconds:.2f} s ({slowest.mutant.name})")
    if arguments.page and not arguments.names and caught == len(outcomes):
        with open(arguments.page, "w", encoding="utf-8") as file:
            file.write(page(outcomes))
    sys.exit(0 if caught == len(outcomes) else 1)


if __name__ == "__main__":
    main()
