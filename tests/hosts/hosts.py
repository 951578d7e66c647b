#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fake machines: trees of files to be given to ttmem --root, one directory each.

    hosts.py list               names, and why each exists
    hosts.py build NAME DIR     writes one into DIR, which is empty or not there yet
    hosts.py all DIR            writes each into DIR/NAME

Contents are made up, formats are the driver's. What plain files cannot do (errors, hangs,
files that vanish) is in tests/faults.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import broken
import healthy
from tree import replace

HOSTS = {host.name: host for host in (*healthy.HOSTS, *broken.HOSTS)}


def build(name, directory):
    """Writes the machine of that name and gives its description."""
    host = HOSTS[name]
    host.tree().write(directory)
    return host


def set_pids(directory, number, pids):
    """Other users of a card in a tree that was built: as when a process opens or closes it."""
    replace(directory, f"proc/driver/tenstorrent/{number}/pids",
            "".join(f"{pid}\n" for pid in pids).encode())


def main(arguments):
    match arguments:
        case ["list"]:
            for host in HOSTS.values():
                print(f"{host.name:18} {host.why}")
        case ["build", name, directory] if name in HOSTS:
            build(name, directory)
        case ["all", directory]:
            for name in HOSTS:
                build(name, pathlib.Path(directory) / name)
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
