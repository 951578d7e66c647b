# SPDX-License-Identifier: Apache-2.0
"""A runtime in Python that reports by itself: what tests need in place of ttnn."""
from ctypes import POINTER, Structure, byref, c_char_p, c_uint32, c_uint64, c_void_p

from ttmem import _native as native


class Geometry(Structure):
    _fields_ = [("banks", c_uint32), ("alignment_bytes", c_uint32), ("bank_bytes", c_uint64),
                ("base_address", c_uint64)]


class Chip(Structure):
    _fields_ = [("unique_id", c_uint64), ("chip_id", c_uint32), ("reserved", c_uint32)]


class Allocator(Structure):
    _fields_ = [("version", c_uint32), ("arch", c_uint32), ("grid_x", c_uint32),
                ("grid_y", c_uint32), ("l1_bytes_per_core", c_uint64), ("parent", c_uint32),
                ("chip_count", c_uint32), ("chips", POINTER(Chip)), ("geometry", Geometry * 4)]


class Buffer(Structure):
    _fields_ = [("version", c_uint32), ("allocator", c_uint32), ("key", c_uint64),
                ("address", c_uint64), ("requested_bytes", c_uint64), ("bank_bytes", c_uint64),
                ("page_bytes", c_uint64), ("pages", c_uint32), ("cores", c_uint32),
                ("type", c_uint32), ("layout", c_uint32), ("site", c_uint32),
                ("reserved", c_uint32)]


class Site(Structure):
    _fields_ = [("version", c_uint32), ("line", c_uint32), ("op", c_char_p), ("file", c_char_p),
                ("function", c_char_p), ("tag", c_char_p)]


class Runtime:
    """One chip with 8 banks of DRAM (64 MiB each) and 64 cores (1 MiB of L1 each)."""

    BANKS = {"dram": 8, "l1": 64}

    def __init__(self, chip_ids=(0,)):
        self.library = native.library()
        self.library.ttmemReportOpen.argtypes = [c_void_p, POINTER(c_void_p)]
        self.library.ttmemReportAllocatorAdd.argtypes = [c_void_p, POINTER(Allocator),
                                                         POINTER(c_uint32)]
        self.library.ttmemReportAlloc.argtypes = [c_void_p, POINTER(Buffer)]
        self.library.ttmemReportFree.argtypes = [c_void_p, c_uint64]
        self.library.ttmemReportSite.argtypes = [c_void_p, POINTER(Site), POINTER(c_uint32)]
        self.library.ttmemReportAllocatorRemove.argtypes = [c_void_p, c_uint32]
        self.report, self.allocator, self.key = c_void_p(), c_uint32(), 0
        native.check(self.library.ttmemReportOpen(None, byref(self.report)))
        chips = (Chip * len(chip_ids))(*(Chip(0, chip_id) for chip_id in chip_ids))
        row = Allocator(version=native.version(Allocator), arch=3, parent=native.NONE,
                        chip_count=len(chip_ids), chips=chips)
        row.geometry[0] = Geometry(8, 64, 64 << 20, 0)
        row.geometry[1] = Geometry(64, 16, 1 << 20, 0)
        native.check(self.library.ttmemReportAllocatorAdd(self.report, byref(row),
                                                          byref(self.allocator)))

    def site(self, op, file, line, function, tag=None):
        """Gives the number that its allocations name it by."""
        number = c_uint32()
        row = Site(native.version(Site), line, op, file, function, tag)
        native.check(self.library.ttmemReportSite(self.report, byref(row), byref(number)))
        return number.value

    def allocate(self, kind, bank_bytes, address=0, site=0):
        """Gives the key of a new buffer."""
        self.key += 1
        row = Buffer(version=native.version(Buffer), allocator=self.allocator, key=self.key,
                     address=address, requested_bytes=bank_bytes * self.BANKS[kind],
                     bank_bytes=bank_bytes, pages=native.NONE, cores=native.NONE,
                     type=native.TYPES.index(kind), site=site)
        native.check(self.library.ttmemReportAlloc(self.report, byref(row)))
        return self.key

    def free(self, key):
        native.check(self.library.ttmemReportFree(self.report, key))

    def close(self):
        native.check(self.library.ttmemReportAllocatorRemove(self.report, self.allocator))
