#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is what we take for granted about TT-Metal true in every released build?

    check_releases.py [--cache DIRECTORY] [--write] [VERSION ...]

Reason: the hook steps into functions by their mangled names, reads some fields by their
offsets and names a build by its build id. None of this is promised by anybody, so it is
looked up in the libraries of all released wheels: what is exported, how calls to it are
bound, and which offsets the machine code of the accessors uses. Nothing of them is run.

Fails when something the hook needs is missing or different, or when src/metal/builds.c or
table.txt beside this file are not what the releases say; --write writes both anew. With
versions given only those are looked at and no file is compared.
"""
import argparse
import concurrent.futures
import difflib
import pathlib
import subprocess
import sys

import sources
import table
from release import DEVICE_CLASSES, FIELD_SOURCES, SLOT_METHODS, Release
from wheels import RELEASES, libraries

# Without one of each group there is nothing to see in a release, or no end to it.
NEEDED = (("track_allocate",), ("track_deallocate",),
          ("allocator_allocate", "allocator_impl_allocate"), ("device_close",), ("mesh_close",))
# What must have an accessor once fields cannot be read any more.
ACCESSORS = ("buffer_size", "buffer_type", "buffer_layout", "buffer_device", "buffer_allocator")
# Against these the hook checks the fields of a live object; without them it believes none.
SELF_CHECK = ("buffer_address", "buffer_page_size", "buffer_num_pages", "buffer_is_l1",
              "buffer_is_dram", "buffer_bank_bytes")


def faults(release, handlers, symbols, fields, slots):
    """What is wrong with a release, as lines."""
    if len(release.build_id) != 20:
        yield "no build id of 20 bytes"
    reached = {name for name, names in handlers.items()
               if release.binding(names[0]) not in ("", "never called")}
    for group in NEEDED:
        if not reached.intersection(group):
            yield f"nothing calls {' or '.join(group)} by name"
    for name in SELF_CHECK + (ACCESSORS if release.pimpl else ()):
        if not any(release.exports(n) for n in symbols[name]):
            yield f"{name} is not exported"
    for name, offset in fields.items():
        if name != "device" and name not in FIELD_SOURCES:
            yield f"field {name}: no accessor is known that would tell its offset"
            continue
        found = release.field(name)
        if found is None or not release.pimpl and found != offset:
            yield f"field {name}: the hook reads 0x{offset:x}, its code {table.hexadecimal(found)}"
    found = release.slots
    for name, slot in slots.items():
        if name not in SLOT_METHODS:
            yield f"slot {name}: no method is known for it"
        for device_class in DEVICE_CLASSES:
            real = found.get((device_class, name))
            if name in SLOT_METHODS and real != slot:
                yield f"slot {name} of {device_class} is {real}, not {slot}"


def notes(release, handlers, symbols):
    """What a release does not have, in one line each; no fault."""
    absent = [name for name, names in handlers.items() if not release.binding(names[0])]
    silent = [name for name, names in handlers.items()
              if release.binding(names[0]) == "never called"]
    lacking = [name for name, names in symbols.items()
               if not any(release.exports(n) for n in names)]
    for title, names in (("no handler", absent), ("handler never called", silent),
                         ("no accessor", lacking)):
        if names:
            yield f"{title}: {' '.join(names)}"


def same(path, text, write):
    """Is the file what it should be? With write it is made so."""
    old = path.read_text() if path.exists() else ""
    if old == text:
        return True
    if write:
        path.write_text(text)
        print(f"wrote {path.relative_to(sources.ROOT)}")
        return True
    name = str(path.relative_to(sources.ROOT))
    sys.stdout.writelines(difflib.unified_diff(
        old.splitlines(True), text.splitlines(True), name, name + " by the releases"))
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=pathlib.Path, default=sources.ROOT / "build" / "releases",
                        help="where the extracted libraries stay (default: build/releases)")
    parser.add_argument("--write", action="store_true", help="write the tables anew")
    parser.add_argument("versions", nargs="*", help="only these releases; no table is compared")
    options = parser.parse_args()
    looked_up = (sources.handlers(), sources.symbols(), sources.fields(), sources.slots())
    versions = options.versions or RELEASES
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # downloads, mostly
        try:
            paths = list(pool.map(lambda v: libraries(v, options.cache), versions))
        except subprocess.CalledProcessError as error:
            sys.exit(f"check_releases.py: cannot download: {' '.join(map(str, error.cmd))}")

    releases, good = [], True
    for version, found in zip(versions, paths):
        release = Release(version, found)
        releases.append(release)
        wrong = list(faults(release, *looked_up))
        good = good and not wrong
        print(f"{'not ok' if wrong else 'ok'} {version} {release.build_id.hex()}")
        for line in wrong:
            print("  fault:", line)
        for line in notes(release, *looked_up[:2]):
            print("  " + line)
    if not options.versions:
        good &= same(table.BUILDS, table.builds(releases), options.write)
        good &= same(table.TABLE, table.table(releases, *looked_up), options.write)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
