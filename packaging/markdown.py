#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""markdown.py FILE HEADER BRIEF: a document of docs/ as a man page in scdoc, on standard output.

    markdown.py docs/region.md 'ttmem-region(7) "ttmem 0.1.0" "..."' 'what it is in a few words'

Knows what our documents use: headings, paragraphs, lists, tables and indented blocks. What
stands before the first heading of the second level becomes DESCRIPTION. Whatever it does not
know ends it with an error rather than in the page.
"""
import pathlib
import re
import sys

from scdoc import inline

LIST = re.compile(r"(-|\d+\.) ")


def blocks(text):
    """Pieces between empty lines; a heading is one by itself."""
    apart = re.sub(r"(?m)^(#.*)$", r"\n\1\n", text).strip("\n")
    return [block for block in re.split(r"\n{2,}", apart) if block.strip()]


def heading(line):
    marks, _, text = line.partition(" ")
    text = text.replace("`", "")
    return f"# {text.upper()}" if len(marks) == 2 else f"## {text}"


def items(block):
    """List items keep their line breaks: what is indented belongs to the item above."""
    lines = []
    for line in block.splitlines():
        mark = LIST.match(line)
        if mark:
            lines.append(("-" if line.startswith("-") else ".") + " " + line[mark.end():])
        elif line.startswith("  "):
            lines[-1] += " " + line.strip()
        else:
            raise ValueError(f"neither an item of a list nor part of one: {line!r}")
    return "\n".join(line[:2] + inline(line[2:]) for line in lines)


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(block):
    """Columns as wide as their text, the last one as wide as the page lets it."""
    head, rule, *rows = block.splitlines()
    names = cells(head)
    if not re.fullmatch(r"[|\-: ]+", rule):
        raise ValueError(f"a table without a rule: {head!r}")
    lines = []
    for i, name in enumerate(names):
        lines.append(("|" if i == 0 else ":") + ("<" if i == len(names) - 1 else "[") +
                     f" *{inline(name)}*")
    for row in map(cells, rows):
        if len(row) != len(names):
            raise ValueError(f"a row with other columns than {names}: {row}")
        lines += [("|" if i == 0 else ":") + "  " + inline(cell) for i, cell in enumerate(row)]
    return "\n".join(lines)


def convert(block):
    if block.startswith("#"):
        return heading(block)
    if block.startswith("|"):
        return table(block)
    if LIST.match(block):
        return items(block)
    if block.startswith("    "):
        return "```\n" + re.sub("(?m)^    ", "", block).replace("\\", "\\\\") + "\n```"
    if re.match(r"[>!<\t ]|```", block):
        raise ValueError(f"not known: {block!r}")
    return inline(block)


def main(path, header, brief):
    name = header.partition("(")[0]
    title, *rest = blocks(pathlib.Path(path).read_text(encoding="utf-8"))
    if not title.startswith("# "):
        raise ValueError("a document begins with its title")
    page = [header, "# NAME", f"{name} - {brief}", "# DESCRIPTION", *map(convert, rest)]
    page += ["# SEE ALSO", "*ttmem*(1), *ttmemd*(8), *memfd_create*(2)"]
    print("\n\n".join(page))


if __name__ == "__main__":
    main(*sys.argv[1:])
