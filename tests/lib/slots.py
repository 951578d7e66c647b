# SPDX-License-Identifier: Apache-2.0
"""The words of a process through which calls of TT-Metal go, found with readelf and not by us."""
import pathlib
import re
import struct
import subprocess

from testing import ROOT

NAMES = re.findall(r'"(_ZN[^"]+)"', (ROOT / "src/hook/handlers.def").read_text())


def relocations(library):
    """(offset, name) of each slot of a function that the hook steps into."""
    lines = subprocess.run(["readelf", "-rW", str(library)], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    for line in lines:
        found = re.match(r"([0-9a-f]+) +[0-9a-f]+ +R_X86_64_(?:JUMP_SLOT|GLOB_DAT|64) +"
                         r"[0-9a-f]+ +(\S+?)(?:@\S+)? \+ 0$", line)
        if found and found.group(2) in NAMES:
            yield int(found.group(1), 16), found.group(2)


class Slots:
    def __init__(self, pid, *libraries):
        self.path = f"/proc/{pid}/mem"
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        self.at = {}  # address: name
        for library in libraries:
            base = int(re.search(r"([0-9a-f]+)-[0-9a-f]+ \S+ 00000000 .*"
                                 + re.escape(str(pathlib.Path(library).resolve())), maps)[1], 16)
            self.at.update({base + offset: name for offset, name in relocations(library)})

    def words(self):
        with open(self.path, "rb", buffering=0) as memory:
            out = {}
            for address in self.at:
                memory.seek(address)
                out[address] = struct.unpack("<Q", memory.read(8))[0]
            return out

    def named(self, part):
        """The one slot of a function."""
        address, = (a for a, name in self.at.items() if part in name)
        return address

    def write(self, address, word):
        with open(self.path, "r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(struct.pack("<Q", word))
