#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""roff.py SCDOC: a page in scdoc on standard input, tidy roff on standard output.

scdoc(1) writes roff that renders but that a checker finds fault with: paragraphs around headings,
hyphens where a minus is meant, and each cell of a table as a block of text, which then may be
broken within a name. This puts those right and adds nothing.
"""
import re
import subprocess
import sys

CELL_CHARACTERS = 32  # a cell up to that stays in one line


def short_cell(match):
    text = match.group(1).strip()
    shown = re.sub(r"\\f.|\\&", "", text)
    plain = "\n" not in text and len(shown) <= CELL_CHARACTERS and not shown.startswith(".")
    return text if plain else match.group(0)


def minus(match):
    return re.sub(r"(?<!\\)-", r"\\-", match.group(0))


def tidy(roff):
    roff = re.sub(r"T\{\n((?:(?!T\}).)*?)\n?T\}", short_cell, roff, flags=re.S)
    roff = re.sub(r"\\fB.*?\\fR", minus, roff, flags=re.S)
    roff = re.sub(r"^\.nf\n.*?^\.fi\n", minus, roff, flags=re.S | re.M)
    before = None
    while before != roff:
        before = roff
        roff = re.sub(r"^\.P\n(\.RE\n)", r"\1.P\n", roff, flags=re.M)
        roff = re.sub(r"^\.P\n(?=\.P$|\.S[HS] )", "", roff, flags=re.M)
        roff = re.sub(r"^(\.(?:TH|S[HS]) .*\n)\.P\n", r"\1", roff, flags=re.M)
    # on a terminal there are no pages, so no table has to fit on one
    if "\n.TS\n" in roff:
        roff = re.sub(r"(?m)^(\.TH .*\n)", r"\1.if n .pl 1000i\n", roff, count=1)
    # the line that tells man(1) to run tbl(1) first
    return ("'\\\" t\n" if "\n.TS\n" in roff else "") + roff


if __name__ == "__main__":
    made = subprocess.run([sys.argv[1]], stdin=sys.stdin, capture_output=True, text=True,
                          encoding="utf-8", check=False)
    sys.stderr.write(made.stderr)
    sys.stdout.write(tidy(made.stdout))
    sys.exit(made.returncode)
