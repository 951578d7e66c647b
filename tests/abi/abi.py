#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The binary interface of libttmem: names with their versions, and every type they take.

    abi.py write      writes libttmem.abi anew, after an addition; look at the difference

libttmem.abi is the promise; abidiff compares what the sources make with it. The library that is
compared is made here, with debug information and nothing below src/lib, so that neither paths of
a machine nor types that nobody sees are in it.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROMISE = HERE / "libttmem.abi"


def make(directory, header=None):
    """libttmem.so.0 with debug information, all that lies below left open."""
    made = pathlib.Path(directory) / "libttmem.so.0"
    instead = pathlib.Path(directory) / "ttmem"
    if header:
        instead.mkdir()
        (instead / "ttmem.h").write_text(header)
    sources = sorted(path.relative_to(ROOT) for path in (ROOT / "src/lib").glob("*.c"))
    subprocess.run(
        ["gcc", "-g", "-O0", "-shared", "-fPIC", "-std=gnu11", "-D_GNU_SOURCE", '-DTTMEM_VERSION="0"',
         f"-ffile-prefix-map={ROOT}=.", "-I", str(directory), "-Isrc", "-Iinclude", *map(str, sources), "-o", str(made),
         "-nostdlib", "-Wl,-soname,libttmem.so.0", "-Wl,--unresolved-symbols=ignore-all",
         "-Wl,--version-script=src/lib/libttmem.map"], cwd=ROOT, check=True)
    return made


def write():
    with tempfile.TemporaryDirectory() as directory:
        made = make(directory)
        subprocess.run(["abidw", "--no-corpus-path", "--no-show-locs", "--no-comp-dir-path",
                        "--no-elf-needed", "--exported-interfaces-only", "--drop-private-types",
                        "--headers-dir", str(ROOT / "include"), "--drop-undefined-syms",
                        "--out-file", str(PROMISE), str(made)], check=True)


def compare(header=None):
    """What abidiff says of the promise and the sources (with another text of the header, for
    trial); "" when they agree."""
    with tempfile.TemporaryDirectory() as directory:
        made = make(directory, header)
        # not with the header's directory: the promise has no places, and all its types were private
        done = subprocess.run(["abidiff", str(PROMISE), str(made)], capture_output=True,
                              text=True, timeout=240, env={**os.environ, "LC_ALL": "C"})
        return "" if done.returncode == 0 else done.stdout + done.stderr or str(done.returncode)


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    else:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
