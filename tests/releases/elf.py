# SPDX-License-Identifier: Apache-2.0
"""As much of an ELF reader as the check needs: 64-bit little-endian shared libraries.

It answers four questions about a file: what is its build id, which functions does it export,
through which relocations are they reached, and what bytes lie at an address.
"""
import bisect
import mmap
import struct

SHT_SYMTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_DYNSYM = 2, 4, 7, 8, 11
NT_GNU_BUILD_ID = 3
STT_OBJECT, STT_FUNC, STT_GNU_IFUNC = 1, 2, 10
R_64, R_GLOB_DAT, R_JUMP_SLOT = 1, 6, 7

SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELA = struct.Struct("<QQq")


class Library:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        at, = struct.unpack_from("<Q", self.data, 0x28)
        size, count = struct.unpack_from("<HH", self.data, 0x3A)
        self.sections = [SECTION.unpack_from(self.data, at + i * size) for i in range(count)]
        # name -> (address, size) of what is defined here and visible to others
        self.exported = {}
        self.dynamic_names = []
        for name, kind, defined, address, size in self._symbols(SHT_DYNSYM):
            self.dynamic_names.append(name)
            if defined and kind in (STT_OBJECT, STT_FUNC, STT_GNU_IFUNC):
                self.exported[name] = (address, size)

    def _symbols(self, section_type):
        for section in self.sections:
            if section[1] != section_type:
                continue
            offset, size, link = section[4], section[5], section[6]
            strings = self.sections[link]
            names = self.data[strings[4]:strings[4] + strings[5]]
            for name, info, _, index, address, length in SYMBOL.iter_unpack(
                    self.data[offset:offset + size]):
                end = names.index(b"\0", name)
                yield names[name:end].decode(), info & 15, index != 0, address, length

    def local_names(self):
        """Address -> names, of all functions the full symbol table has, exported or not."""
        out = {}
        for name, kind, defined, address, _ in self._symbols(SHT_SYMTAB):
            if defined and kind == STT_FUNC:
                out.setdefault(address, []).append(name)
        return out

    def relocations(self):
        """(address, type, name or "", addend) of every dynamic relocation."""
        for section in self.sections:
            if section[1] != SHT_RELA:
                continue
            offset, size = section[4], section[5]
            for address, info, addend in RELA.iter_unpack(self.data[offset:offset + size]):
                index = info >> 32
                yield address, info & 0xFFFFFFFF, self.dynamic_names[index] if index else "", addend

    def build_id(self):
        """The build id as bytes; empty where there is none."""
        for section in self.sections:
            if section[1] != SHT_NOTE:
                continue
            at, end = section[4], section[4] + section[5]
            while at + 12 <= end:
                name, desc, kind = struct.unpack_from("<III", self.data, at)
                start = at + 12 + (name + 3 & ~3)
                if kind == NT_GNU_BUILD_ID and self.data[at + 12:at + 16] == b"GNU\0":
                    return self.data[start:start + desc]
                at = start + (desc + 3 & ~3)
        return b""

    def bytes_at(self, address, size):
        for section in self.sections:
            start, offset, length = section[3], section[4], section[5]
            if section[1] != SHT_NOBITS and start and start <= address < start + length:
                at = offset + address - start
                return self.data[at:at + min(size, start + length - address)]
        return b""

    def code(self, name):
        """The machine code of an exported function, None if it is not exported."""
        if name not in self.exported:
            return None
        address, size = self.exported[name]
        return self.bytes_at(address, size)


class Vtables:
    """Which of a library's addresses lie in a vtable, and whose."""

    def __init__(self, library):
        found = sorted((address, address + size, name) for name, (address, size)
                       in library.exported.items() if name.startswith("_ZTV"))
        self.starts = [f[0] for f in found]
        self.found = found

    def at(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return self.found[i][2] if i >= 0 and address < self.found[i][1] else ""
