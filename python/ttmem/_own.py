# SPDX-License-Identifier: Apache-2.0
"""The memory of this very process: how much, how much at most, and what it was for.

Peaks come from the writer of the table, which keeps the highest figure since it was asked last.
So whoever asks must tell everybody who is waiting for one: that is what _Peaks is for, and why
regions may be nested, overlap, and lie in several threads. They are those of the process: what
another thread allocates meanwhile counts as well.
"""
from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Tuple

from . import _native as native
from ._snapshot import Buffer, Memory, buffer_of, memory_of

_Place = Tuple[int, str]  # chip id, memory type


def _chips_of(device: Any) -> Optional[FrozenSet[int]]:
    """None: all. A number is a chip id; a ttnn device knows its own."""
    if device is None:
        return None
    if isinstance(device, int):
        return frozenset([device])
    for name in ("get_device_ids", "id"):
        call = getattr(device, name, None)
        if callable(call):
            ids = call()
            return frozenset([ids] if isinstance(ids, int) else ids)
    raise TypeError(f"a chip id or a ttnn device, not {type(device).__name__}")


def _check_type(kind: str) -> str:
    if kind not in native.TYPES:
        raise ValueError(f"type is one of {', '.join(native.TYPES)}, not {kind!r}")
    return kind


def _memories(kind: str, flags: int = 0) -> Dict[int, Memory]:
    """By chip id: this process's memory of one type."""
    with native.Taken(native.OPEN_OWN, flags) as taken:
        found = {}
        for index in range(taken.info().device_count):
            raw = taken.device_memory(index, os.getpid(), native.TYPES.index(_check_type(kind)))
            if raw:
                found[taken.device(index).chip_id] = memory_of(raw)
        return found


def _select(found: Dict[int, Any], chips: Optional[FrozenSet[int]]) -> List[Any]:
    return [value for chip, value in found.items() if chips is None or chip in chips]


def is_recorded() -> bool:
    """Does this process have a table: is the hook in it, and has a device been opened?"""
    with native.Taken(native.OPEN_OWN) as taken:
        return bool(taken.rows(native.Process))


def memory_allocated(device: Any = None, type: str = "dram") -> int:
    """Bytes that this process's live buffers occupy, in all banks of the device.

    device  a ttnn device, a chip id, or None: the sum over all chips of this process
    type    "dram", "l1", "l1_small" or "trace"

    Equal to ttnn's total_bytes_allocated_per_bank x num_banks. 0 without a device.
    """
    own = _select(_memories(type), _chips_of(device))
    return sum(memory.occupied_bytes or 0 for memory in own)


def memory_stats(device: Any = None, type: str = "dram") -> Dict[str, Optional[int]]:
    """Figures by the names that PJRT gives them, in bytes; None: not known.

    bytes_in_use              occupied, in all banks
    bytes_limit               allocatable: what the allocator was given
    peak_bytes_in_use         highest since the process started, or since reset_peak()
    largest_free_block_bytes  the largest range that is free in every bank, x banks; of several
                              chips that of the worst one

    device and type as in memory_allocated().
    """
    own = _select(_memories(type, native.TAKE_LARGEST_FREE), _chips_of(device))
    holes = [memory.largest_free_bytes for memory in own]
    limits = [memory.allocatable_bytes for memory in own]
    return {
        "bytes_in_use": sum(memory.occupied_bytes or 0 for memory in own),
        "bytes_limit": None if not own or None in limits else sum(filter(None, limits)),
        "peak_bytes_in_use": max_memory_allocated(device, type),
        "largest_free_block_bytes": None if not own or None in holes else min(holes, default=None),
    }


def own_buffers() -> Tuple[Buffer, ...]:
    """The live buffers of this process."""
    with native.Taken(native.OPEN_OWN, native.TAKE_BUFFERS) as taken:
        return tuple(map(buffer_of, taken.rows(native.Buffer)))


def last_event() -> int:
    """Number of the last allocation, free or failure of this process; 0: it has no table."""
    with native.Taken(native.OPEN_OWN) as taken:
        return max((process.event for process in taken.rows(native.Process)), default=0)


class Peak:
    """The highest figures of a region of code; they go on rising until the region is left."""

    def __init__(self) -> None:
        self._bytes: Dict[_Place, int] = {}
        self._bank_bytes: Dict[_Place, int] = {}
        self._is_exact = True
        self._is_active = False

    def _raise(self, level: "_Level") -> None:
        for place, value in level.bytes.items():
            self._bytes[place] = max(value, self._bytes.get(place, 0))
        for place, value in level.bank_bytes.items():
            self._bank_bytes[place] = max(value, self._bank_bytes.get(place, 0))
        self._is_exact = self._is_exact and level.is_exact

    def _forget(self, chips: Optional[FrozenSet[int]]) -> None:
        """What was on these chips; None: on all."""
        for figures in (self._bytes, self._bank_bytes):
            for place in [p for p in figures if chips is None or p[0] in chips]:
                del figures[place]
        self._is_exact = self._is_exact or chips is None

    def _now(self) -> None:
        if self._is_active:
            _peaks.take()

    def bytes(self, type: str = "dram", device: Any = None) -> int:
        """Most bytes that were occupied at once, in all banks; of all chips: the sum of theirs."""
        self._now()
        chips = _chips_of(device)
        return sum(value for (chip, kind), value in self._bytes.items()
                   if kind == _check_type(type) and (chips is None or chip in chips))

    def bytes_per_bank(self, type: str = "l1", device: Any = None) -> int:
        """Most bytes that one bank held; a bank of L1 is a core. Of all chips: the fullest."""
        self._now()
        chips = _chips_of(device)
        return max((value for (chip, kind), value in self._bank_bytes.items()
                    if kind == _check_type(type) and (chips is None or chip in chips)), default=0)

    @property
    def is_exact(self) -> bool:
        """False: several allocators covered a chip at once; the figures are an upper bound."""
        self._now()
        return self._is_exact

    dram = property(lambda self: self.bytes("dram"), doc="bytes of DRAM, all banks and chips")
    l1 = property(lambda self: self.bytes("l1"), doc="bytes of L1, all banks and chips")
    l1_small = property(lambda self: self.bytes("l1_small"), doc="bytes of L1_SMALL, likewise")
    trace = property(lambda self: self.bytes("trace"), doc="bytes of trace buffers, likewise")

    def __repr__(self) -> str:
        return f"<ttmem.Peak dram={self.dram} l1={self.l1} bytes>"


class _Level:
    """The highest figures since the last time, by chip and type."""

    def __init__(self, rows: List[native.Peak]) -> None:
        self.bytes: Dict[_Place, int] = {}
        self.bank_bytes: Dict[_Place, int] = {}
        self.is_exact = True
        rows = [row for row in rows if row.peak_bank_bytes]
        if not rows:
            return
        with native.Taken(native.OPEN_OWN) as taken:
            banks = {(a.id, kind): a.memory[kind].banks.get() or 0
                     for a in taken.rows(native.Allocator) for kind in range(4)}
            chips: Dict[int, List[int]] = {}
            for chip in taken.rows(native.Chip):
                chips.setdefault(chip.allocator, []).append(chip.chip_id)
        for row in rows:
            for chip in chips.get(row.allocator, ()):
                self._add((chip, native.TYPES[row.type]), row.peak_bank_bytes,
                          banks.get((row.allocator, row.type), 0))

    def _add(self, place: _Place, bank_bytes: int, banks: int) -> None:
        self.is_exact = self.is_exact and place not in self.bytes
        self.bytes[place] = self.bytes.get(place, 0) + bank_bytes * banks
        self.bank_bytes[place] = self.bank_bytes.get(place, 0) + bank_bytes


class _Peaks:
    """Everybody who waits for a peak; the first one is that of max_memory_allocated()."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = Peak()
        self.active: List[Peak] = [self.process]

    def take(self) -> None:
        with self.lock:
            self._take()

    def _take(self) -> None:
        level = _Level(native.take_peaks())
        for peak in self.active:
            peak._raise(level)

    def enter(self, peak: Peak) -> None:
        with self.lock:
            # what came before is not the new one's
            self._take()
            peak._is_active = True
            self.active.append(peak)
            # it begins with what is there; what came in between is everybody's
            self._take()

    def leave(self, peak: Peak) -> None:
        with self.lock:
            self._take()
            peak._is_active = False
            self.active.remove(peak)

    def reset(self, chips: Optional[FrozenSet[int]]) -> None:
        with self.lock:
            self._take()
            self.process._forget(chips)
            self._take()


_peaks = _Peaks()


def _after_fork() -> None:
    """A child has a table of its own, and a lock that another thread held may never be given."""
    global _peaks
    _peaks = _Peaks()


os.register_at_fork(after_in_child=_after_fork)


def max_memory_allocated(device: Any = None, type: str = "dram") -> int:
    """Most bytes that were occupied at once since the start, or since reset_peak().

    Exact with one allocator on a chip (what open_device and open_mesh_device make); an upper
    bound with submeshes. device and type as in memory_allocated().
    """
    _peaks.take()
    return _peaks.process.bytes(type, device)


def reset_peak(device: Any = None) -> None:
    """max_memory_allocated() and memory_stats() start anew from what is allocated now.

    device as in memory_allocated(); None: all chips of this process.
    """
    _peaks.reset(_chips_of(device))


@contextlib.contextmanager
def peak() -> Iterator[Peak]:
    """The peak of a region of code.

        with ttmem.peak() as p:
            model(x)
        print(p.dram, p.bytes_per_bank("l1"))

    It begins with what is allocated at its start. Regions may be nested and overlap.
    """
    one = Peak()
    _peaks.enter(one)
    try:
        yield one
    finally:
        _peaks.leave(one)


_tags = threading.local()

_LOOK_AGAIN_S = 0.1  # the hook may come later; a look takes longer than all the rest of a tag


class _HookTag:
    """The hook's own call: once found it stays, for the hook is never unloaded."""

    call: Optional[Any] = None
    looked_at = -_LOOK_AGAIN_S

    @classmethod
    def get(cls) -> Optional[Any]:
        """None: there is no hook, or an older one."""
        now = time.monotonic()
        if cls.call is None and now - cls.looked_at >= _LOOK_AGAIN_S:
            cls.call, cls.looked_at = _find_hook_tag(), now
        return cls.call


def _find_hook_tag() -> Optional[Any]:
    for name in (None, "libttmem-hook.so"):
        try:
            # RTLD_NOLOAD: never brings it in
            handle = ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_LAZY) if name else \
                ctypes.CDLL(None)
            call = handle.ttmem_hook_tag
        except (OSError, AttributeError):
            continue
        call.argtypes, call.restype = [ctypes.c_char_p], None
        return call
    return None


def _tell_tag() -> None:
    """The innermost tag of this thread, or that it has none any more."""
    call, stack = _HookTag.get(), _tags.__dict__.get("stack")
    if call:
        call(stack[-1][0] if stack else None)


@contextlib.contextmanager
def tag(name: str) -> Iterator[None]:
    """What this thread allocates within is marked with `name`; of nested ones the innermost counts.

    Shown behind the op of a buffer, a way to group (`ttmem sites --by=tag`) and to choose
    (`--tag=`). 63 bytes of it are kept. It is the thread's: with an `await` in between, other
    tasks of that thread allocate under it as well. No effect with TTMEM_SITES=off.
    """
    entry = (os.fsencode(name),)
    stack: List[Tuple[bytes]] = _tags.__dict__.setdefault("stack", [])
    stack.append(entry)
    try:
        _tell_tag()
        yield
    finally:
        # by identity: tasks and generators may leave in another order than they came
        stack[:] = [one for one in stack if one is not entry]
        _tell_tag()
