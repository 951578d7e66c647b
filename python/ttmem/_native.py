# SPDX-License-Identifier: Apache-2.0
"""libttmem by ctypes: its structs, as include/ttmem/ttmem.h has them, and its calls.

A struct's version holds its size, so one that does not agree with the library is refused by it
and never read wrongly.
"""
from __future__ import annotations

import ctypes
import os
import pathlib
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_uint32, c_uint64, c_void_p
from typing import Any, List, Optional, Type

HERE = pathlib.Path(__file__).resolve().parent
NONE = 0xFFFFFFFF
TYPES = ("dram", "l1", "l1_small", "trace")
KNOWN, ESTIMATE, STALE = 1, 2, 4

OPEN_NO_SERVER, OPEN_SERVER_ONLY, OPEN_OWN = 1, 2, 4
TAKE_BUFFERS, TAKE_LARGEST_FREE = 1, 2

INSUFFICIENT_SIZE, NOT_FOUND = 3, 2


class TtmemError(Exception):
    """A call of libttmem failed; `code` is its ttmemReturn_t."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code


class Value(Structure):
    _fields_ = [("value", c_uint64), ("state", c_uint32), ("reason", c_uint32)]

    def get(self) -> Optional[int]:
        return self.value if self.state in (KNOWN, ESTIMATE, STALE) else None


MEMORY_FIELDS = ("requested_bytes", "occupied_bytes", "allocatable_bytes", "free_bytes",
                 "largest_free_bytes", "banks", "bank_size_bytes", "bank_allocated_bytes",
                 "bank_free_bytes", "bank_largest_free_bytes", "buffers", "peak_requested_bytes",
                 "peak_occupied_bytes")


class Memory(Structure):
    _fields_ = [("version", c_uint32), ("type", c_uint32),
                *((name, Value) for name in MEMORY_FIELDS)]


class OpenOptions(Structure):
    _fields_ = [("version", c_uint32), ("flags", c_uint32), ("server", c_char_p),
                ("root", c_char_p)]


class TakeOptions(Structure):
    _fields_ = [("version", c_uint32), ("flags", c_uint32), ("pid", c_uint32),
                ("reserved", c_uint32)]


class SnapshotInfo(Structure):
    _fields_ = [("version", c_uint32), ("has_buffers", c_uint32), ("is_consistent", c_uint32),
                ("device_count", c_uint32), ("process_count", c_uint32),
                ("allocator_count", c_uint32), ("buffer_count", c_uint64),
                ("realtime_ns", c_uint64), ("server", c_char_p), ("driver", c_char_p)]


class Device(Structure):
    _fields_ = [("version", c_uint32), ("number", c_uint32), ("arch", c_uint32),
                ("is_remote", c_uint32), ("chip_id", c_uint32), ("reserved", c_uint32),
                ("unique_id", Value), ("tensix_cores", Value), ("dram_physical_bytes", Value),
                ("l1_physical_bytes", Value), ("board", c_char_p), ("pci_address", c_char_p),
                ("temperature_c", Value), ("power_w", Value), ("aiclk_mhz", Value)]


class Process(Structure):
    _fields_ = [("pid", c_uint32), ("uid", c_uint32), ("state", c_uint32), ("is_seen", c_uint32),
                ("is_hidden", c_uint32), ("allocator_count", c_uint32),
                ("live_buffers", c_uint64), ("event", c_uint64), ("failures", c_uint64),
                ("started_ns", c_uint64), ("user", c_char_p), ("command", c_char_p),
                ("entry", c_char_p), ("metal_version", c_char_p), ("container", c_char_p)]


class Allocator(Structure):
    _fields_ = [("pid", c_uint32), ("id", c_uint32), ("parent", c_uint32), ("is_open", c_uint32),
                ("arch", c_uint32), ("chip_count", c_uint32), ("grid_x", c_uint32),
                ("grid_y", c_uint32), ("l1_bytes_per_core", Value), ("memory", Memory * 4),
                ("base_address", c_uint64 * 4), ("allocations", c_uint64 * 4),
                ("frees", c_uint64 * 4), ("failures", c_uint64 * 4)]


class Chip(Structure):
    _fields_ = [("pid", c_uint32), ("allocator", c_uint32), ("chip_id", c_uint32),
                ("reserved", c_uint32), ("unique_id", Value)]


class Buffer(Structure):
    _fields_ = [("pid", c_uint32), ("allocator", c_uint32), ("type", c_uint32),
                ("layout", c_uint32), ("address", c_uint64), ("requested_bytes", c_uint64),
                ("bank_bytes", c_uint64), ("page_bytes", c_uint64), ("pages", c_uint64),
                ("age_ns", c_uint64), ("event", c_uint64), ("cores", c_uint32),
                ("thread", c_uint32), ("op", c_char_p), ("site_file", c_char_p),
                ("site_function", c_char_p), ("site_line", c_uint32), ("reserved", c_uint32),
                ("tag", c_char_p)]


class Peak(Structure):
    _fields_ = [("allocator", c_uint32), ("type", c_uint32), ("peak_requested_bytes", c_uint64),
                ("peak_bank_bytes", c_uint64), ("requested_bytes", c_uint64),
                ("bank_bytes", c_uint64)]


def version(struct: Type[Structure], number: int = 1) -> int:
    return ctypes.sizeof(struct) | number << 24


def text(raw: Optional[bytes]) -> Optional[str]:
    """Bytes of strangers: what is no UTF-8 is kept as escapes."""
    return None if raw is None else raw.decode("utf-8", "backslashreplace")


def _load() -> ctypes.CDLL:
    """Named by the user, beside this package (the wheel), or of the system."""
    beside = HERE / "lib" / "libttmem.so.0"
    named = os.environ.get("TTMEM_LIBRARY")
    library = ctypes.CDLL(named or (str(beside) if beside.exists() else "libttmem.so.0"),
                          use_errno=False)
    library.ttmemErrorString.restype = c_char_p
    library.ttmemErrorString.argtypes = [c_int]
    library.ttmemVersionString.restype = c_char_p
    library.ttmemReasonString.restype = c_char_p
    library.ttmemReasonString.argtypes = [c_uint32]
    library.ttmemOpen.argtypes = [POINTER(OpenOptions), POINTER(c_void_p)]
    library.ttmemClose.argtypes = [c_void_p]
    library.ttmemClose.restype = None
    library.ttmemSnapshotTake.argtypes = [c_void_p, POINTER(TakeOptions), POINTER(c_void_p)]
    library.ttmemSnapshotRelease.argtypes = [c_void_p]
    library.ttmemSnapshotRelease.restype = None
    library.ttmemSnapshotGetInfo.argtypes = [c_void_p, POINTER(SnapshotInfo)]
    library.ttmemDeviceGetInfo.argtypes = [c_void_p, c_uint32, POINTER(Device)]
    library.ttmemDeviceGetMemory.argtypes = [c_void_p, c_uint32, c_uint32, c_uint32,
                                             POINTER(Memory)]
    for name in ("Process", "Allocator", "Chip", "Buffer"):
        getattr(library, f"ttmem{name}GetList").argtypes = [c_void_p, c_uint32,
                                                            POINTER(c_uint64), c_void_p]
    library.ttmemOwnTakePeaks.argtypes = [c_uint32, POINTER(c_uint64), c_void_p]
    return library


_library: Optional[ctypes.CDLL] = None


def library() -> ctypes.CDLL:
    """Loaded at its first use, so that `import ttmem` costs little and cannot fail for it."""
    global _library
    if _library is None:
        _library = _load()
    return _library


def check(code: int) -> None:
    if code != 0:
        raise TtmemError(code, library().ttmemErrorString(code).decode())


class Taken:
    """A ttmemSnapshot_t that is released with `with`."""

    def __init__(self, where: int = 0, what: int = 0, pid: int = 0, root: Optional[str] = None,
                 server: Optional[str] = None):
        place = OpenOptions(version(OpenOptions), where, os.fsencode(server) if server else None,
                            os.fsencode(root) if root else None)
        options = TakeOptions(version(TakeOptions), what, pid, 0)
        opened = c_void_p()
        check(library().ttmemOpen(byref(place), byref(opened)))
        self.handle = c_void_p()
        try:
            check(library().ttmemSnapshotTake(opened, byref(options), byref(self.handle)))
        finally:
            library().ttmemClose(opened)

    def __enter__(self) -> "Taken":
        return self

    def __exit__(self, *what: Any) -> None:
        library().ttmemSnapshotRelease(self.handle)

    def info(self) -> SnapshotInfo:
        info = SnapshotInfo(version(SnapshotInfo))
        check(library().ttmemSnapshotGetInfo(self.handle, byref(info)))
        return info

    def device(self, index: int) -> Device:
        device = Device(version(Device))
        check(library().ttmemDeviceGetInfo(self.handle, index, byref(device)))
        return device

    def device_memory(self, index: int, pid: int, kind: int) -> Optional[Memory]:
        """None: the process does not use the device."""
        memory = Memory(version(Memory))
        code = library().ttmemDeviceGetMemory(self.handle, index, pid, kind, byref(memory))
        if code == NOT_FOUND:
            return None
        check(code)
        return memory

    def rows(self, struct: Type[Structure]) -> List[Any]:
        call = getattr(library(), f"ttmem{struct.__name__}GetList")
        count = c_uint64(0)
        check(call(self.handle, version(struct), byref(count), None))
        rows = (struct * count.value)()
        if count.value:
            check(call(self.handle, version(struct), byref(count), ctypes.cast(rows, c_void_p)))
        return list(rows)


def take_peaks() -> List[Peak]:
    """ttmemOwnTakePeaks; [] when this process has no table."""
    rows = (Peak * 1024)()
    count = c_uint64(len(rows))
    code = library().ttmemOwnTakePeaks(version(Peak), byref(count), ctypes.cast(rows, c_void_p))
    if code == NOT_FOUND:
        return []
    check(code)
    return list(rows[:count.value])
