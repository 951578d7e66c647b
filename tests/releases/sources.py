# SPDX-License-Identifier: Apache-2.0
"""What our own sources take for granted about TT-Metal, read from those sources."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOOK = ROOT / "src" / "hook"


def text_of(name):
    """A source file without its comments."""
    return re.sub(r"/\*.*?\*/", " ", (HOOK / name).read_text(), flags=re.S)


def entries(name):
    """Of an X-macro file: {id: (mangled name, older name, ...)}, strings put together."""
    text = text_of(name)
    pieces = dict(re.findall(r'^#define (\w+) "([^"]*)"', text, re.M))
    out = {}
    for _, body in re.findall(r"^(HANDLER|SYMBOL)\(([^)]*)\)", text, re.M):
        identifier, *names = body.split(",")
        whole = []
        for part in names:
            tokens = re.findall(r'"([^"]*)"|(\w+)', part)
            whole.append("".join(literal or pieces.get(word, "") for literal, word in tokens))
        out[identifier.strip()] = tuple(n for n in whole if n.startswith("_Z"))
    return out


def handlers():
    return entries("handlers.def")


def symbols():
    return entries("symbols.def")


def numbers(name, prefix):
    """Every `#define PREFIX_NAME number` of a file: {name: number}."""
    found = re.findall(rf"^#define {prefix}_(\w+)\s+(\w+)", text_of(name), re.M)
    return {key: int(value, 0) for key, value in found}


def fields():
    """Offsets in Buffer that the hook reads where there are no accessors."""
    offsets = numbers("metal_buffer.c", "FIELD")
    offsets.pop("BYTES", None)  # how much is copied, no field
    return {key.lower(): value for key, value in offsets.items()}


def slots():
    """Slots of IDevice's vtable that the hook calls."""
    return {key.lower(): value for key, value in numbers("metal_device.c", "SLOT").items()}
