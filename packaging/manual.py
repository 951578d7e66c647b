#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manual.py TEMPLATE VERSION [LISTING] [HEADER.h]: a man page in scdoc, on standard output.

The template is prose. A line with one of these words alone is replaced by what the program
itself says, so that the page cannot differ from it:

    @OPTIONS@     options of ttmem without a command, and those of all commands
    @COMMANDS@    each command with its options, from the listing (ttmem --print-options)
    @OWN@         options of the command that the page is called after: ttmem-sites.1.scd
    @EXIT_CODES@  from the comments of src/tool/exit_codes.h
    @FUNCTIONS@   each function of a public header with the comment before it
"""
import pathlib
import re
import sys

from listing import ALONE, ANY, Listing
from scdoc import escape, inline


def option_names(option):
    """*-l*, *--loop*[=_SEC_], as a reader types them."""
    names = ", ".join(f"*{escape(name)}*" for name in option.names)
    if not option.argument:
        return names
    argument = f"=_{escape(option.argument)}_"
    return names + (f"[{argument}]" if option.optional else argument)


def option_entry(option):
    lines = [option_names(option), "\t" + escape(option.help)]
    if any(value not in option.help for value in option.values):
        lines += ["", "\tOne of " + ", ".join(f"*{escape(v)}*" for v in option.values) + "."]
    if option.optional and option.detached:
        lines += ["", f"\t_{escape(option.argument)}_ may also follow as a word of its own."]
    return "\n".join(lines)


def options(listing):
    rows = listing.options_of(ALONE) + listing.options_of(ANY)
    return "\n\n".join(map(option_entry, rows))


def commands(listing):
    """A command that shares an option with ttmem alone says so in one line."""
    alone = {option.long: option for option in listing.options_of(ALONE)}
    parts = []
    for command in listing.commands:
        own, shared = [], []
        for option in listing.options_of(command.name):
            twin = alone.get(option.long)
            same = twin and (twin.help, twin.values, twin.short) == (
                option.help, option.values, option.short)
            (shared if same else own).append(option)
        parts.append(f"## {command.name}")
        parts.append(escape(command.help))
        parts += map(option_entry, own)
        if shared:
            names = ", ".join(f"*{escape(option.long)}*" for option in shared)
            parts.append(f"Also, as above: {names}.")
    return "\n\n".join(parts)


def own_options(listing, template):
    name = pathlib.Path(template).name.partition(".")[0].removeprefix("ttmem-")
    return "\n\n".join(map(option_entry, listing.options_of(name) + listing.options_of(ANY)))


def exit_codes(header):
    entries = re.findall(r"\bEXIT_\w+ = (\d+),\s*/\*\s*(.*?)\s*\*/", header)
    if len(entries) != len(re.findall(r"\bEXIT_\w+ = \d+", header)):
        raise ValueError("an exit code without a comment")
    return "\n\n".join(f"*{code}*\n\t{inline(text)}" for code, text in entries)


def functions(header):
    """A comment above a function begins with its name."""
    entries = []
    pattern = r"/\*((?:(?!\*/).)*?)\*/\s*TTMEM_EXPORT\s+([^;]*?(ttmem\w+)\([^;]*\));"
    for comment, prototype, name in re.findall(pattern, header, flags=re.S):
        text = " ".join(re.sub(r"(?m)^\s*\* ?", "", comment).split())
        if not text.startswith(name + " - "):
            raise ValueError(f"the comment above {name} is not its own")
        entries.append(f"*{escape(' '.join(prototype.split()))}*\n\t"
                       + escape(text[len(name) + 3:]))
    if len(entries) != header.count("\nTTMEM_EXPORT "):
        raise ValueError("a function without a comment")
    return "\n\n".join(entries)


def main(template, version, *sources):
    text = pathlib.Path(template).read_text(encoding="utf-8")
    made = {"VERSION": lambda: version}
    for source in map(pathlib.Path, sources):
        content = source.read_text(encoding="utf-8")
        if source.suffix == ".h":
            made |= {"FUNCTIONS": lambda header=content: functions(header),
                     "EXIT_CODES": lambda header=content: exit_codes(header)}
        else:
            rows = Listing(content)
            made |= {"OPTIONS": lambda: options(rows), "COMMANDS": lambda: commands(rows),
                     "OWN": lambda: own_options(rows, template)}
    sys.stdout.write(re.sub(r"@([A-Z_]+)@", lambda word: made[word.group(1)](), text))


if __name__ == "__main__":
    main(*sys.argv[1:])
