# SPDX-License-Identifier: Apache-2.0
"""What one release says when its libraries are read and not run."""
import functools

import elf
from machine_code import Walk

BUFFER = "_ZNK2tt8tt_metal6Buffer"
CONSTRUCTORS = ("_ZN2tt8tt_metal6BufferC1EPNS0_7IDeviceE",
                "_ZN2tt8tt_metal10BufferImplC1EPNS0_7IDeviceE")
DEVICE_CLASSES = ("_ZTVN2tt8tt_metal6DeviceE", "_ZTVN2tt8tt_metal11distributed10MeshDeviceE")
# Method of IDevice by our name for its slot
SLOT_METHODS = {"arch": "4archEv", "id": "2idEv", "l1_bytes": "16l1_size_per_coreEv"}

# Field: accessor, which of its loads and compares (without the one of the pointer to the
# implementation), and how wide that is
FIELD_SOURCES = {
    "page_size": ("9page_sizeEv", 0, 8),
    "size": ("9num_pagesEv", 1, 8),  # the page size divides it
    "type": ("5is_l1Ev", 0, 4),
    "layout": ("9num_coresEv", 0, 4),
    "allocator": ("9alignmentEv", 0, 8),
    "status": ("12is_allocatedEv", 0, 1),
    "address": ("7addressEv", 1, 4),  # after the status
}
POINTER_TO_IMPLEMENTATION = 0x10


class Release:
    def __init__(self, version, paths):
        self.version = version
        self.libraries = {path.name: elf.Library(path) for path in paths}
        self.metal = self.libraries.get("libtt_metal.so") or self.libraries["_ttnncpp.so"]
        self.build_id = self.metal.build_id()
        # what dlsym() on that library sees: it and the driver below it
        self.visible = [library for name, library in self.libraries.items()
                        if library is self.metal or name != "_ttnncpp.so"]

    @property
    def pimpl(self):
        return self.exports(BUFFER + "4implEv")

    def exports(self, name):
        return any(name in library.exported for library in self.visible)

    @functools.cached_property
    def _references(self):
        """name -> how it is reached: relocations by which a preloaded library gets the call."""
        out = {}
        for name in ("libtt_metal.so", "_ttnncpp.so"):
            library = self.libraries.get(name)
            if library is None:
                continue
            vtables = elf.Vtables(library)
            for address, kind, symbol, _ in library.relocations():
                if not symbol:
                    continue
                if kind == elf.R_JUMP_SLOT:
                    out.setdefault(symbol, set()).add("PLT")
                elif kind == elf.R_64:
                    out.setdefault(symbol, set()).add("vtable" if vtables.at(address) else "data")
                elif kind == elf.R_GLOB_DAT:
                    out.setdefault(symbol, set()).add("GOT")
        return out

    def binding(self, name):
        """Empty when not exported; "never called" when no call goes by the name."""
        if name not in self.metal.exported:
            return ""
        return "+".join(sorted(self._references.get(name, ()))) or "never called"

    def field(self, name):
        """Offset of a field, in Buffer or behind its pointer to the implementation; or None."""
        if name == "device":
            return self._device_field()
        accessor, which, size = FIELD_SOURCES[name]
        seen = [a for a in Walk(self.metal.code(BUFFER + accessor) or b"").accesses
                if a.kind in ("load", "compare")]
        if self.pimpl:
            if not seen or seen[0].path != (POINTER_TO_IMPLEMENTATION,):
                return None
            seen = [a._replace(path=a.path[1:]) for a in seen[1:]]
        if which >= len(seen) or seen[which].bytes != size or len(seen[which].path) != 1:
            return None
        return seen[which].path[0]

    def _device_field(self):
        """The constructor stores its first argument there."""
        offsets = set()
        for name in self.metal.exported:
            if name.startswith(CONSTRUCTORS):
                offsets |= {a.path[0] for a in Walk(self.metal.code(name)).accesses
                            if a.kind == "store" and a.value == "arg1" and len(a.path) == 1}
        return offsets.pop() if len(offsets) == 1 else None

    @functools.cached_property
    def slots(self):
        """{(class, our name of a slot): slot number} by what the vtables hold."""
        wanted, out = {}, {}
        for name in DEVICE_CLASSES:
            if name in self.metal.exported:
                start, size = self.metal.exported[name]
                wanted.update({start + 16 + 8 * n: (name, n) for n in range((size - 16) // 8)})
        local = self.metal.local_names()
        for address, kind, symbol, addend in self.metal.relocations():
            if address not in wanted:
                continue
            names = [symbol] if symbol else local.get(addend, ())
            for ours, method in SLOT_METHODS.items():
                if any(n.endswith(method) for n in names):
                    out.setdefault((wanted[address][0], ours), wanted[address][1])
        return out

    def cluster_description(self):
        """Offset of the cluster description in tt::Cluster.

        get_ubb_asic_id() passes it on; needed only where get_cluster_desc() is not exported.
        """
        passed = Walk(self.metal.code("_ZNK2tt7Cluster15get_ubb_asic_idEi") or b"").passed
        return passed[1] if passed and passed[0] == "this" and len(passed) == 2 else None
