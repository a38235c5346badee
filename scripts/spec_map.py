#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write docs/spec-map.md: from section of NVMe 1.4 to file to test. spec_map.py [--check] [SOURCE_DIRECTORY]

The sections and what is said of them are in spec_sections.csv; files and tests are found by the section
numbers in their comments: "(5.21.1.8)", "section 6.6", "sections 5.3 to 5.6", "/* 6.7: ...". A number
belongs to the standard named before it ("PCI Local Bus 3.0, 6.8.2"), up to the end of the parenthesis, the
sentence or a semicolon; without a name to NVMe, in rooms about PCI Express to PCI.

--check (ctest: spec-map) writes nothing and exits with 1 if the page is not what would be written, a cited
section does not exist, a section has neither file nor remark, one that has controller files has neither test
nor remark, or one is called not implemented and has files all the same.
"""
import csv
import os
import re
import sys

TABLE = "scripts/spec_sections.csv"
PAGE = "docs/spec-map.md"
CLAIMS = "tests/unit/nvme/test_claims.def"
CONTROLLER = ("sim/nvme", "sim/pcie", "sim/media")
DRIVER = ("driver/include/nvme", "driver/src")
TESTS = ("tests/unit/nvme", "tests/unit/driver", "tests/unit/device", "tests/unit/pcie", "tests/raw", "tests/fuzz")
ABOUT_PCI = ("sim/pcie", "tests/unit/pcie")
# Not written in the page; the first that matches.
USUAL = ("sim/nvme/", "sim/", "driver/include/nvme/", "driver/src/", "tests/unit/nvme/", "tests/unit/", "tests/")

COMMENT = re.compile(r"/\*(.*?)\*/|//([^\n]*)", re.S)
VERSION = r"(?:\s+\d\.\d[a-f]?(?![.\d]))"
BEFORE_NUMBER = r"(?=[,:]?\s+(?:sections?|chapters?|figures?|§)?\s*\d)"
TOKEN = re.compile(
    rf"(?P<nvme>\b(?:NVMe|NVM Express)(?:\s+Base)?(?:\s+Specification)?(?:{VERSION}|{BEFORE_NUMBER}))"
    rf"|(?P<other>\b(?:PCI Local Bus|Local Bus|PCI Express Base|PCI Express|Express Base|Express|"
    rf"PCI Power Management|Power Management|PCI)(?:\s+Specification)?(?:{VERSION}|{BEFORE_NUMBER}))"
    r"|(?P<figure>\bfigures?\s+\d+(?:(?:,| and)\s+\d+)*)"
    r"|(?P<sections>\bsections?\s+(?=\d))"
    r"|(?P<number>(?<![\w.])\d{1,2}(?:\.\d{1,2})*(?![\w.]*\w))"
    r"|(?P<open>\()|(?P<close>\))|(?P<reset>;|[.](?=\s|$))|(?P<link>,\s|\b(?:and|or|to|of)\s)"
    r"|(?P<word>[^\s()\d;,.][^\s(),;]*|\d[^\s(),;]*)"
)
UNIT = re.compile(r"\s*(?:[kKMGT]?i?B\b|[kMG]Hz|GT/s|[mnup]s\b|s\b|%|standard|A\b|W\b)")


class Section:
    """A line of the table, and who cites it."""

    def __init__(self, row):
        self.number, self.title = row["section"], row["title"]
        self.key = tuple(int(part) for part in self.number.split("."))
        self.subsections, self.remark = int(row["subsections"]), row["remark"]
        self.controller, self.driver, self.tests = set(), set(), set()


def read_table(top):
    with open(os.path.join(top, TABLE), encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        sections = [Section(row) for row in rows]
    return {section.key: section for section in sections}


def comments(text):
    for match in COMMENT.finditer(text):
        body = match.group(1) if match.group(1) is not None else match.group(2)
        yield re.sub(r"\s*\n\s*\**\s*", " ", body).strip()


def is_citation(number, text, end, listed):
    """listed: after "section", "(", at the start of a comment, or in a list that began so."""
    parts = number.split(".")
    if len(parts) >= 3:
        return True
    if not listed or UNIT.match(text, end):
        return False
    # 1.4 is a version, not a section
    return parts[0] != "1" or (len(parts) == 2 and 5 <= int(parts[1]) <= 9)


def expand(first, last):
    """"5.3 to 5.6": the numbers in between, both ends included."""
    low, high = first.split("."), last.split(".")
    if low[:-1] != high[:-1] or int(low[-1]) > int(high[-1]):
        return [last]
    return [".".join(low[:-1] + [str(n)]) for n in range(int(low[-1]), int(high[-1]) + 1)]


def citations(text, nvme_is_default):
    """Section numbers of NVMe that a comment cites."""
    found, stack = [], []
    nvme, keyword, listed, previous, link = nvme_is_default, False, True, None, ""
    for token in TOKEN.finditer(text):
        kind, value = token.lastgroup, token.group()
        if kind in ("nvme", "other"):
            nvme, keyword, listed, previous = kind == "nvme", False, True, None
        elif kind == "sections":
            keyword, listed, previous = True, True, None
        elif kind == "open":
            stack.append(nvme)
            keyword, listed, previous = False, True, None
        elif kind == "close":
            nvme = stack.pop() if stack else nvme_is_default
            keyword, listed, previous = False, False, None
        elif kind == "reset":
            nvme, keyword, listed, previous = nvme_is_default, False, value == ";", None
        elif kind == "link":
            link = value.strip()
            listed = listed or link == "of" or (link == "," and bool(stack))
        elif kind == "number":
            if ("." in value or keyword) and is_citation(value, text, token.end(), listed):
                if nvme:
                    between = link == "to" and previous is not None
                    found += expand(previous, value) if between else [value]
                previous, listed = value, True
            link = ""
        else:  # any other word ends a list, but for "(queues: 4.1"
            listed, keyword, previous, link = value.endswith(":"), False, None, ""
    return found


def find_section(sections, number):
    key = tuple(int(part) for part in number.split("."))
    while key:
        if key in sections:
            return sections[key]
        parent = sections.get(key[:-1])
        if parent is not None:
            return parent if 1 <= key[-1] <= parent.subsections else None
        key = key[:-1]
    return None


def source_files(top, folders):
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(top, folder))):
            if not name.endswith((".c", ".h", ".def")):
                continue
            if not folder.startswith("tests/unit") or name.startswith("test_"):  # else what tests stand on
                yield folder, name


def scan(top, sections, complain):
    kinds = (("controller", CONTROLLER), ("driver", DRIVER), ("tests", TESTS))
    for kind, folders in kinds:
        for folder, name in source_files(top, folders):
            path = f"{folder}/{name}"
            with open(os.path.join(top, path), encoding="utf-8") as file:
                text = file.read()
            for comment in comments(text):
                for number in citations(comment, folder not in ABOUT_PCI):
                    section = find_section(sections, number)
                    if section is None:
                        complain(f"{path}: cites section {number}, which is not in {TABLE}")
                    else:
                        getattr(section, kind).add(path)


def below(sections, section, kind):
    """Files of the sections below."""
    files = set()
    for other in sections.values():
        if other.key[: len(section.key)] == section.key and other is not section:
            files |= getattr(other, kind)
    return files


def tests_of(sections, section):
    """Tests that cite the section; else one below; else its parent, if that is a command or the like."""
    key = section.key
    found = section.tests or below(sections, section, "tests")
    while not found and len(key) > 2:
        key = key[:-1]
        parent = sections.get(key)
        found = parent.tests if parent else set()
    return found


def judge(sections, complain):
    for section in sections.values():
        if len(section.key) == 1:
            continue
        name = f"section {section.number} ({section.title})"
        files = section.controller | section.driver
        if not files and not section.remark and not below(sections, section, "controller"):
            complain(f"{name}: neither file nor remark")
        if section.controller and not section.remark and not tests_of(sections, section):
            complain(f"{name}: files of the controller, no test that cites it and no remark that says why")
        if section.remark.startswith("partly") and not files:
            complain(f"{name}: said to be there in part, but no file cites it")
        if section.remark.startswith("not implemented") and section.controller:
            complain(f"{name}: called not implemented, but cited by " + ", ".join(sorted(section.controller)))


def short(files):
    """Names, with their directory where it is not the usual one; a header only if there is no source of its name."""
    sources = {path[:-2] for path in files if path.endswith(".c")}
    names = []
    for path in sorted(files):
        if path.endswith(".h") and path[:-2] in sources:
            continue
        prefix = next((usual for usual in USUAL if path.startswith(usual)), "")
        names.append(path[len(prefix) :])
    return ", ".join(names)


CLAIM = re.compile(r'^CLAIM\("([^"]+)", (\w+)(?:\((\w+)\))?, (\w+), (\w+), .*\) /\* ([\d., ]+) \*/$', re.M)
WHEN = {"OPTIONAL": "if configured", "ALWAYS": "always", "NEVER": "never"}
REFUSALS = {"CLAIM_DOES_NOT": "does not work", "INVALID_NSID": "Invalid Namespace or Format",
            "INVALID_LOG": "Invalid Log Page", "NOT_SAVEABLE": "Feature Identifier Not Saveable",
            "SGL_LENGTH": "Data SGL Length Invalid", "SGL_TYPE": "SGL Descriptor Type Invalid"}


def bits_of(argument):
    """"3": bit 3; "0x7", a mask: bits 2:0; nothing: the field is not zero."""
    if argument is None:
        return "not 0"
    if not argument.startswith("0x"):
        return argument
    mask = int(argument, 16)
    low, high = (mask & -mask).bit_length() - 1, mask.bit_length() - 1
    return str(low) if low == high else f"{high}:{low}"


def render_claims(top):
    with open(os.path.join(top, CLAIMS), encoding="utf-8") as file:
        text = file.read()
    rows = CLAIM.findall(text)
    if len(rows) != text.count("\nCLAIM("):
        sys.exit(f"spec-map: {CLAIMS}: a row that is not understood")
    yield ("\n## What Identify and CAP claim\n\nA row per bit and per way to use what it stands for, from "
           f"`{CLAIMS}`. A test tries each on a\ncontroller with everything that can be configured, where it "
           "has to work if it is claimed, and on one with\nnothing of it, where it has to end like this.\n")
    yield "| field | bit | use | claimed | otherwise | section |\n|---|---|---|---|---|---|"
    for name, field, argument, when, refusal, where in rows:
        end = "-" if when == "ALWAYS" else REFUSALS.get(refusal, refusal.replace("_", " ").title())
        field = field.removesuffix("_BIT")
        yield f"| {field} | {bits_of(argument or None)} | {name} | {WHEN[when]} | {end} | {where} |"


def first_remark_word(section):
    return section.remark.split(":")[0] if section.remark.startswith(("not implemented", "partly")) else ""


def render(sections):
    ordered = [sections[key] for key in sorted(sections)]
    whole = [s for s in ordered if len(s.key) > 1]
    absent = sum(first_remark_word(s).startswith("not implemented") for s in whole)
    partly = sum(first_remark_word(s) == "partly" for s in whole)
    yield "# Specification map\n"
    yield ("From section of the NVM Express Base Specification 1.4 to file to test. Generated by `scripts/spec_map.py` from\n"
           "the section numbers in comments and from `scripts/spec_sections.csv`, which has titles (shortened) and remarks; the\n"
           "test `spec-map` compares. Do not edit.\n")
    yield (f"Of {len(whole)} sections, {absent} are not implemented and {partly} in part; the remark says what a host meets. What\n"
           "Identify and CAP claim is tried bit by bit, see the [end](#what-identify-and-cap-claim).\n")
    yield ("Files are in `sim/nvme`, `driver/src` or `driver/include/nvme`, and `tests/unit/nvme` where no directory is\n"
           "given, others below `sim`, and `tests/unit` or `tests`. A test is listed if it cites the section, or else one below or\n"
           "its parent. The driver's column is the other reading of the standard: it shares no definition with the controller.\n")
    for section in ordered:
        if len(section.key) == 1:
            yield f"## {section.number} {section.title}\n"
            chapter = (("controller", section.controller), ("driver", section.driver), ("tests", section.tests))
            parts = [f"{what}: {short(files)}" for what, files in chapter if files]
            if parts:
                yield "The chapter as a whole: " + "; ".join(parts) + ".\n"
            yield "| section | title | controller | driver | tests | remarks |\n|---|---|---|---|---|---|"
            continue
        has_files = section.controller or section.driver
        tests = tests_of(sections, section) if has_files else section.tests
        cells = (section.number, section.title, short(section.controller),
                 short(section.driver), short(tests), section.remark)
        yield "| " + " | ".join(cells) + " |"
        following = ordered.index(section) + 1
        if following < len(ordered) and len(ordered[following].key) == 1:
            yield ""


def main(arguments):
    checking = "--check" in arguments
    places = [argument for argument in arguments if argument != "--check"]
    if len(places) > 1 or any(place.startswith("-") for place in places):
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} [--check] [SOURCE_DIRECTORY]")
    top = places[0] if places else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    complaints = []
    sections = read_table(top)
    scan(top, sections, complaints.append)
    judge(sections, complaints.append)
    page = "\n".join([*render(sections), *render_claims(top)]) + "\n"
    path = os.path.join(top, PAGE)
    if checking:
        old = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = file.read()
        if old != page:
            complaints.append(f"{PAGE} is stale: run scripts/spec_map.py")
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
    for complaint in complaints:
        print(f"spec-map: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
