#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the library that breaks files break them, and only those that it is told to?

Reason: a test of what happens on EIO passes at once when no EIO comes. So each kind is proved
on a program of which we know every call, built like ttmem, and the library is held against
the calls that ttmem and ttmemd import.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "faults")]
sys.dont_write_bytecode = True

import faults
from faults import LIBRARY, PROBE
from testing import TTMEM, TTMEMD, Skip, equal, run_tests

HOME = tempfile.TemporaryDirectory(prefix="ttmem-faults.")
PLACE = pathlib.Path(HOME.name)
CLOCK = PLACE / "0000:41:00.0" / "tt_aiclk"
LINK = PLACE / "link"
CLOCK.parent.mkdir()
CLOCK.write_text("1000\n")
(PLACE / "other").write_text("other\n")
LINK.symlink_to(CLOCK)
# calls as words for the probe: one of each sort, on the same file
EACH = {
    "open": ["open", CLOCK], "openat": ["open", CLOCK.parent, "openat", "tt_aiclk"],
    "fopen": ["fopen", CLOCK], "stat": ["stat", CLOCK], "access": ["access", CLOCK],
    "fstatat": ["open", CLOCK.parent, "fstatat", "tt_aiclk"],
    "read": ["open", CLOCK, "read", "100"], "pread": ["open", CLOCK, "pread", "0"],
    "readlink": ["readlink", LINK], "list": ["list", CLOCK.parent],
}
# what sort of call each is to the library
SORTS = {"open": "open", "openat": "open", "fopen": "open", "stat": "stat", "access": "stat",
         "fstatat": "stat", "read": "read", "pread": "read", "readlink": "link", "list": "list"}


def probe(words, fault=None, **more):
    """What it met, with the lines that the probe said."""
    met = faults.run([PROBE, *words], fault, **more)
    equal((met.process.returncode, met.process.stderr), (0, b""), f"{words} {fault}")
    met.lines = met.process.stdout.decode().replace("\n\n", "\n").splitlines()
    return met


def skip_sanitized():
    if os.environ.get("TTMEM_SANITIZED"):
        raise Skip("a sanitizer's runtime is in front of any preloaded library")


def test_nothing_without_a_fault():
    """Loaded and told nothing, it changes nothing and counts nothing."""
    for name, words in EACH.items():
        plain = subprocess.run([PROBE, *words], capture_output=True, check=True).stdout
        met = faults.run([PROBE, *words])
        equal((met.process.stdout, met.calls), (plain, []), name)


def test_each_error_in_each_call():
    """An error comes out of the call it was meant for, in all of them, under its own name."""
    for name, words in EACH.items():
        pattern = {"readlink": "link", "list": "0000:41:00.0"}.get(name, "tt_aiclk")
        for error in ("EIO", "ENODEV", "ENODATA", "ENOENT", "EACCES", "EINTR"):
            met = probe(words, f"{pattern}:{SORTS[name]}.{error}:1:0")
            equal(met.lines[-1].split(), [name, error], f"{name} {error}")
            equal([line.split()[1] for line in met.lines[:-1]], ["ok"] * (len(met.lines) - 1),
                  f"{name} {error}: what came before")


def test_all_calls_are_numbered():
    """N counts the matching calls in order; COUNT makes it several; each is named."""
    words = ["open", CLOCK, "read", "2", "read", "2", "read", "100", "open", PLACE / "other"]
    met = probe(words, "tt_aiclk:EIO:3")
    equal([line.split()[:2] for line in met.lines],
          [["open", "ok"], ["read", "ok"], ["read", "EIO"], ["read", "ok"], ["open", "ok"]],
          "the third")
    equal([line.split()[0] for line in met.calls], ["open", "read", "read", "read"], "calls")
    equal({line.split()[1] for line in met.calls}, {str(CLOCK)}, "their path")
    met = probe(words, "tt_aiclk:EIO:2:2")
    equal([line.split()[1] for line in met.lines], ["ok", "EIO", "EIO", "ok", "ok"], "two")
    met = probe(words, "tt_aiclk:EIO:2:0")
    equal([line.split()[1] for line in met.lines], ["ok", "EIO", "EIO", "EIO", "ok"], "all")
    met = probe(words, "tt_aiclk:read.EIO:1")
    equal([line.split()[1] for line in met.lines], ["ok", "EIO", "ok", "ok", "ok"], "reads only")
    equal(len(met.calls), 3, "and only reads are counted")
    met = probe(words, "tt_aiclk:EIO:9")
    equal([line.split()[1] for line in met.lines], ["ok"] * 5, "never reached")


def test_every():
    """The loop meets each call once and ends."""
    words = ["open", CLOCK, "read", "2", "read", "100"]
    failed = [[line.split()[1] for line in met.process.stdout.decode().splitlines() if line]
              .index("EIO") for _, met in faults.every([PROBE, *words], "tt_aiclk", "EIO")]
    equal(failed, [0, 1, 2], "which call")


def test_directory_by_link():
    """A path relative to a descriptor is made whole, and a descriptor is what links lead to."""
    met = probe(["open", CLOCK.parent, "openat", "tt_aiclk"], f"{CLOCK}:open.EIO:1")
    equal([line.split()[1] for line in met.lines], ["ok", "EIO"], "by its directory")
    met = probe(["open", LINK, "read", "100"], "tt_aiclk:EIO:1")
    equal([line.split()[1] for line in met.lines], ["ok", "EIO"], "the file behind the link")


def test_interrupted_is_tried_again():
    """EINTR leaves the file as it was, so the next try gets all."""
    met = probe(["open", CLOCK, "whole", "100"], "tt_aiclk:read.EINTR:1:3")
    equal((met.lines[-1], len(met.calls)), ("whole ok 1000", 5), "whole")


def test_short():
    """One byte at a time, until the end; a link is cut, as it would be in too small a buffer."""
    met = probe(["open", CLOCK, "whole", "100"], "tt_aiclk:short:1:0")
    equal(met.lines[-1], "whole ok 1000", "text")
    equal(len(met.calls), 1 + 5 + 1, "open, five bytes, the end")
    equal(probe(["open", CLOCK, "pread", "1"], "tt_aiclk:read.short:1").lines[-1],
          "pread ok 0", "one byte")
    equal(probe(["readlink", LINK], "link:short:1").lines, ["readlink ok /"], "link")


def test_ones():
    """What a dead chip says, whole and then the end, in one piece or in many reads."""
    for size in ("100", "4096"):
        met = probe(["open", CLOCK, "whole", size], "tt_aiclk:ones:1:0")
        equal(met.lines[-1], "whole ok 4294967295", size)
    for at, text in ((0, "4294967295"), (4, "967295"), (11, "")):
        equal(probe(["open", CLOCK, "pread", at], "tt_aiclk:ones:1:0").lines[-1].rstrip(),
              f"pread ok {text}".rstrip(), f"from {at}")


def test_hang():
    """It takes that long and then does what it should; a lower bound only, so no race."""
    begin = time.monotonic()
    met = probe(["open", CLOCK, "read", "100"], "tt_aiclk:read.hang=0.3:1")
    equal(time.monotonic() - begin >= 0.3, True, "slept")
    equal(met.lines[-1], "read ok 1000", "and read")


def test_threads():
    """No call is lost or counted twice when many threads make them."""
    met = probe(["open", CLOCK, "threads", "8"], "tt_aiclk:read.EIO:100000")
    equal(len(met.calls), 800, "calls")
    equal({line for line in met.calls}, {f"pread {CLOCK}"}, "whole lines")


def test_trace():
    """Each open with the name used, the file it was, and whether it was really opened."""
    met = probe(["open", LINK, "openat", "x", "open", CLOCK.parent, "openat", "tt_aiclk",
                 "open", "/nonsense", "list", PLACE, "fopen", PLACE / "other"])
    equal([line for line in met.opened if "/proc/" not in line[0]],
          [[str(LINK), str(CLOCK), "open"], [f"{CLOCK}/x", "", "open"],
           [str(CLOCK.parent), str(CLOCK.parent), "open"], [str(CLOCK), str(CLOCK), "open"],
           ["/nonsense", "", "open"], [str(PLACE), str(PLACE), "open"],
           [str(PLACE / "other"), str(PLACE / "other"), "open"]], "opens")
    equal(len(met.opened_below("tt_aiclk")), 3, "by name or by file")
    met = probe(["path", CLOCK])
    equal(met.opened, [[str(CLOCK), str(CLOCK), "path"]], "O_PATH")
    equal(met.opened_below("tt_aiclk"), [], "opens no device")


def test_misspelt():
    """A fault that cannot be understood ends the program instead of testing nothing."""
    for fault in ("", "x", "x:EIO", "x:EWHAT:1", "x:EIO:one", ":EIO:1", "x:hang=:1",
                  "x:write.EIO:1", "x:EIO:1:2:3"):
        process = subprocess.run([PROBE], capture_output=True, text=True,
                                 env={"LD_PRELOAD": str(LIBRARY), "TTMEM_FAULT": fault})
        equal(process.returncode, 97, fault)
        equal(process.stderr.startswith("libttmem-faults: "), True, fault)


def test_covers_our_programs():
    """A way to a file that ttmem begins to use and the library lacks would go unseen."""
    if not shutil.which("nm"):
        raise Skip("no nm")
    skip_sanitized()

    def symbols(path, *options):
        out = subprocess.run(["nm", "-D", *options, str(path)], capture_output=True, text=True,
                             check=True).stdout
        return {line.split()[-1].split("@")[0] for line in out.splitlines()}
    ours = symbols(LIBRARY, "--defined-only")
    # by descriptors that were opened otherwise, by streams that were, or not of a file's content
    known = {"fstat", "fstat64", "fstatfs", "fstatfs64", "fdopendir", "closedir", "rewinddir",
             "dirfd", "fread", "mkdir", "mkdirat", "rmdir", "realpath", "__realpath_chk"}
    words = ("open", "read", "stat", "access", "dent", "realpath", "dir")
    foreign = ("MHD_", "pthread_", "__asan", "__ubsan", "__tsan", "__sanitizer")
    for program in (TTMEM, TTMEMD):
        wanted = {name for name in symbols(program, "--undefined-only")
                  if any(word in name for word in words) and not name.startswith(foreign)}
        equal(len(wanted & ours) > 5, True, f"{program.name}: imports")
        equal(wanted - ours - known, set(), f"{program.name}: not stepped into")


def test_in_ttmem():
    """The real program takes it: its opens are seen, and a fault in them reaches it."""
    skip_sanitized()
    met = faults.run([TTMEM, "--format=json"])
    equal(met.process.returncode, 0, met.process.stderr)
    equal([line for line in met.opened if line[0] == "/proc"] != [], True, "opens /proc")
    equal(met.opened_below("/dev/tenstorrent"), [], "no device")
    met = faults.run([TTMEM, "--format=json"], "/proc:open.EACCES:1:0")
    equal(len(met.calls) > 0, True, "the fault was met")
    equal(met.process.returncode >= 0, True, "no crash")


if __name__ == "__main__":
    code = run_tests(globals())
    HOME.cleanup()
    sys.exit(code)
