# SPDX-License-Identifier: Apache-2.0
"""What can be seen of the machine, as plain immutable objects; str() of each is for people."""
from __future__ import annotations

import dataclasses
from typing import Dict, Mapping, NamedTuple, Optional, Tuple, Union

from . import _native as native
from ._words import clean, count_text, size_text

_ARCHITECTURES = {2: "wormhole_b0", 3: "blackhole", 4: "quasar"}
_LAYOUTS = {0: "interleaved", 1: "single_bank", 2: "height_sharded", 3: "width_sharded",
            4: "block_sharded"}
_STATES = {0: "live", 1: "exited", 2: "gone"}


@dataclasses.dataclass(frozen=True)
class Memory:
    """One memory type of a device, of a process on it, or of an allocator.

    All figures are bytes of all banks together; None is "not known". Where all three are known
    occupied_bytes + free_bytes == allocatable_bytes, exactly. `estimates` names the figures that
    are a bound or nominal.
    """

    type: str  # "dram", "l1", "l1_small" or "trace"
    requested_bytes: Optional[int]  # what programs asked for
    occupied_bytes: Optional[int]  # bytes per bank x banks
    allocatable_bytes: Optional[int]
    free_bytes: Optional[int]
    largest_free_bytes: Optional[int]  # the largest range that is free in every bank, x banks
    banks: Optional[int]  # a number
    bank_size_bytes: Optional[int]  # of one bank, as the next three
    bank_allocated_bytes: Optional[int]
    bank_free_bytes: Optional[int]
    bank_largest_free_bytes: Optional[int]
    buffers: Optional[int]  # a number of live ones
    peak_requested_bytes: Optional[int]  # highest so far
    peak_occupied_bytes: Optional[int]
    estimates: Tuple[str, ...] = ()

    def __str__(self) -> str:
        return (f"{self.type} {size_text(self.occupied_bytes)} of "
                f"{size_text(self.allocatable_bytes)} in {count_text(self.buffers, 'buffer')}")


def _memories_text(memories: Mapping[str, Memory]) -> str:
    """Those that are there at all."""
    return ", ".join(str(memory) for memory in memories.values()
                     if memory.allocatable_bytes or memory.buffers) or "nothing"


@dataclasses.dataclass(frozen=True)
class Device:
    """A chip of this machine. Temperatures are degrees Celsius, power watts, clocks MHz."""

    number: int  # N of /dev/tenstorrent/N; chips behind Ethernet are counted after these
    arch: Optional[str]
    board: Optional[str]
    pci_address: Optional[str]
    unique_id: Optional[int]  # as UMD gives it
    chip_id: Optional[int]  # as a process that uses it numbers it
    is_remote: bool  # behind Ethernet
    tensix_cores: Optional[int]
    dram_physical_bytes: Optional[int]
    l1_physical_bytes: Optional[int]
    temperature_c: Optional[int]
    power_w: Optional[int]
    aiclk_mhz: Optional[int]
    memory: Mapping[str, Memory]  # by type, all processes together

    def __str__(self) -> str:
        words = ["device", str(self.number), self.board, self.arch]
        return f"{' '.join(word for word in words if word)}: {_memories_text(self.memory)}"


@dataclasses.dataclass(frozen=True)
class Process:
    """A process that uses a device."""

    pid: int
    uid: int
    user: Optional[str]
    command: Optional[str]  # arguments separated by blanks, at most 256 bytes
    state: str  # "live", "exited", or "gone": the driver still lists it
    is_seen: bool  # False: it has a device open, no more is known
    is_hidden: bool  # its details are not for this user
    entry: Optional[str]  # the way it came in: "preload", "python", "attach", "report"
    metal_version: Optional[str]
    container: Optional[str]
    live_buffers: int  # a number
    event: int  # number of its last event
    failures: int  # a number, of allocations and programs so far
    started_ns: int  # CLOCK_REALTIME
    memory: Mapping[int, Mapping[str, Memory]]  # by Device.number, then by type

    def __str__(self) -> str:
        state = "" if self.state == "live" else f" ({self.state})"
        held = "; ".join(f"on device {number}: {_memories_text(memories)}"
                         for number, memories in self.memory.items())
        return (f"process {self.pid}{state} {clean(self.command or '-')}: "
                + (held or ("no device is open in it" if self.is_seen else "memory not visible")))


class Site(NamedTuple):
    """Where in the program a buffer was allocated; what is not known is None."""

    file: Optional[str]
    line: Optional[int]
    function: Optional[str]

    def __str__(self) -> str:
        place = clean(self.file or "-") + (f":{self.line}" if self.line else "")
        return place + (f" ({clean(self.function)})" if self.function else "")


@dataclasses.dataclass(frozen=True)
class Buffer:
    """A live buffer. Sizes are bytes; addresses are those within each bank."""

    pid: int
    allocator: int  # its id
    type: str  # "dram", "l1", "l1_small" or "trace"
    layout: Optional[str]
    address: int
    requested_bytes: int
    bank_bytes: int  # what it holds in each bank
    page_bytes: int
    pages: Optional[int]
    cores: Optional[int]  # a number; None: interleaved, or not known
    age_ns: int
    event: int  # orders the allocations of one process
    thread: int  # kernel thread id that allocated it
    op: Optional[str]  # "ttnn.matmul"
    site_file: Optional[str]
    site_line: Optional[int]
    site_function: Optional[str]
    tag: Optional[str]  # what the program says that it is for: `with ttmem.tag("kv-cache"):`

    @property
    def site(self) -> Optional[Site]:
        """File, line and function in one; None: not known."""
        site = Site(self.site_file, self.site_line, self.site_function)
        return site if any(site) else None

    def __str__(self) -> str:
        tag = f" [{clean(self.tag)}]" if self.tag else ""
        op = f" of {clean(self.op)}" if self.op else ""
        return (f"{self.type} {size_text(self.requested_bytes)}{op}{tag}"
                + (f" at {self.site}" if self.site else "") + f", pid {self.pid}")


@dataclasses.dataclass(frozen=True, repr=False)
class Snapshot:
    """The machine at one moment."""

    time_ns: int  # CLOCK_REALTIME
    server: Optional[str]  # directory of the server that told; None: this process looked itself
    driver: Optional[str]  # version of the kernel driver
    devices: Tuple[Device, ...]
    processes: Tuple[Process, ...]
    buffers: Optional[Tuple[Buffer, ...]]  # None: not asked for
    is_consistent: bool  # the buffers of each process are those of one moment

    def __repr__(self) -> str:
        parts = [count_text(len(self.devices), "device"),
                 count_text(len(self.processes), "process", "processes")]
        if self.buffers is not None:
            parts.append(count_text(len(self.buffers), "buffer"))
        return f"<ttmem.Snapshot: {', '.join(parts)}>"

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.devices, *self.processes))) or "nothing is seen"


def memory_of(raw: native.Memory) -> Memory:
    figures = {name: getattr(raw, name).get() for name in native.MEMORY_FIELDS}
    estimates = tuple(name for name in native.MEMORY_FIELDS
                      if getattr(raw, name).state == native.ESTIMATE)
    return Memory(native.TYPES[raw.type], **figures, estimates=estimates)


def _memories(taken: native.Taken, index: int, pid: int) -> Dict[str, Memory]:
    raw = (taken.device_memory(index, pid, kind) for kind in range(4))
    return {memory.type: memory for memory in map(memory_of, filter(None, raw))}


def _device(taken: native.Taken, index: int) -> Device:
    raw = taken.device(index)
    return Device(raw.number, _ARCHITECTURES.get(raw.arch), native.text(raw.board),
                  native.text(raw.pci_address), raw.unique_id.get(),
                  None if raw.chip_id == native.NONE else raw.chip_id, bool(raw.is_remote),
                  raw.tensix_cores.get(), raw.dram_physical_bytes.get(),
                  raw.l1_physical_bytes.get(), raw.temperature_c.get(), raw.power_w.get(),
                  raw.aiclk_mhz.get(), _memories(taken, index, 0))


def _process(taken: native.Taken, raw: native.Process, numbers: Tuple[int, ...]) -> Process:
    memory = {number: _memories(taken, index, raw.pid) for index, number in enumerate(numbers)}
    return Process(raw.pid, raw.uid, native.text(raw.user), native.text(raw.command),
                   _STATES.get(raw.state, "unknown"), bool(raw.is_seen), bool(raw.is_hidden),
                   native.text(raw.entry), native.text(raw.metal_version),
                   native.text(raw.container), raw.live_buffers, raw.event, raw.failures,
                   raw.started_ns, {number: of for number, of in memory.items() if of})


def buffer_of(raw: native.Buffer) -> Buffer:
    return Buffer(raw.pid, raw.allocator, native.TYPES[raw.type], _LAYOUTS.get(raw.layout),
                  raw.address, raw.requested_bytes, raw.bank_bytes, raw.page_bytes,
                  None if raw.pages == 2**64 - 1 else raw.pages,
                  None if raw.cores == native.NONE else raw.cores, raw.age_ns, raw.event,
                  raw.thread, native.text(raw.op), native.text(raw.site_file),
                  raw.site_line or None, native.text(raw.site_function), native.text(raw.tag))


def snapshot(buffers: bool = False, largest_free: bool = True, pid: Optional[int] = None,
             server: Union[bool, str, None] = None, root: Optional[str] = None) -> Snapshot:
    """Everything that can be seen now: from a server where one answers, else by looking here.

    buffers       list every live buffer as well
    largest_free  compute the largest free ranges (reads every live buffer)
    pid           this process only
    server        True: only from a server; False: ask none; the directory of one: only from that
    root          look for cards below this directory, a fake machine for tests

    No device is opened. Raises TtmemError. Takes 200 ms at most to find that a server is silent.
    """
    what = native.TAKE_BUFFERS if buffers else 0
    what |= native.TAKE_LARGEST_FREE if largest_free else 0
    where = (0 if server is None else
             native.OPEN_SERVER_ONLY if server else native.OPEN_NO_SERVER)
    named = server if isinstance(server, str) else None
    with native.Taken(where, what, pid or 0, root, named) as taken:
        info = taken.info()
        devices = tuple(_device(taken, index) for index in range(info.device_count))
        numbers = tuple(device.number for device in devices)
        processes = tuple(_process(taken, raw, numbers) for raw in taken.rows(native.Process))
        listed = tuple(map(buffer_of, taken.rows(native.Buffer))) if info.has_buffers else None
        return Snapshot(info.realtime_ns, native.text(info.server), native.text(info.driver),
                        devices, processes, listed, bool(info.is_consistent))


def processes() -> Tuple[Process, ...]:
    """The processes that use a device, as `snapshot()` has them."""
    return snapshot(largest_free=False).processes


def buffers(pid: Optional[int] = None) -> Tuple[Buffer, ...]:
    """All live buffers this user may see, or those of one process."""
    return snapshot(buffers=True, largest_free=False, pid=pid).buffers or ()
