# SPDX-License-Identifier: Apache-2.0
"""The processes of a fake machine, and what UMD and TT-Metal left of them in /dev/shm."""
import dataclasses
import struct

BOOT_TIME_S = 1767139200  # 2025-12-31 00:00:00 UTC
NOW_NS = 1767225600 * 10**9  # a day later; TT-Metal's files were written now
TICKS_PER_S = 100
LOCK_FLAG = 0x5454554d444d5458  # "TTUMDMTX"
LOCK_KIND = 0x90  # robust, shared between processes
SHM_READY = 0x52454459


@dataclasses.dataclass(frozen=True)
class Process:
    pid: int
    comm: bytes
    cmdline: bytes  # arguments with a NUL after each; empty for a zombie
    uid: int = 1000
    state: str = "S (sleeping)"
    started_s: int = 3600  # after boot
    namespace_pids: tuple = ()  # pids in inner namespaces, outermost first
    cgroup: str = "0::/user.slice/user-1000.slice/session-2.scope"
    rss_kb: int | None = 812344  # None: a zombie has no memory left
    locked_kb: int | None = None
    pinned_kb: int | None = None
    fds: tuple = ()  # (number, target)

    def escaped_comm(self):
        """As the kernel writes it in status, where one line is one field; nowhere else."""
        return self.comm.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")

    def status(self):
        lines = [b"Name:\t" + self.escaped_comm(), f"State:\t{self.state}".encode()]
        lines += [f"{name}:\t{value}".encode() for name, value in (
            ("Tgid", self.pid), ("Pid", self.pid), ("PPid", 1),
            ("Uid", "\t".join([str(self.uid)] * 4)), ("Gid", "\t".join([str(self.uid)] * 4)),
            ("NSpid", "\t".join(map(str, (self.pid, *self.namespace_pids)))))]
        lines += [f"{name}:\t{value:8d} kB".encode() for name, value in (
            ("VmLck", self.locked_kb), ("VmPin", self.pinned_kb), ("VmRSS", self.rss_kb))
            if value is not None]
        return b"\n".join(lines) + b"\n"

    def stat(self):
        """Field 22 is the start in ticks; what stands between the brackets is not escaped."""
        rest = [self.state[0], 1, self.pid, self.pid, 0, -1, 4194560] + [0] * 12
        rest += [self.started_s * TICKS_PER_S] + [0] * 30
        return b"%d (%s) %s\n" % (self.pid, self.comm, " ".join(map(str, rest)).encode())

    def rollup(self):
        rss = self.rss_kb or 0
        return ("00400000-7ffd1a9fe000 ---p 00000000 00:00 0                          [rollup]\n"
                f"Rss:            {rss:8d} kB\nPss:            {rss - rss // 8:8d} kB\n"
                f"Anonymous:      {rss // 2:8d} kB\nSwap:           {0:8d} kB\n"
                f"Locked:         {self.locked_kb or 0:8d} kB\n").encode()

    def put(self, tree):
        home = f"proc/{self.pid}"
        for name, content in (("comm", self.comm + b"\n"), ("cmdline", self.cmdline),
                              ("status", self.status()), ("stat", self.stat()),
                              ("cgroup", self.cgroup.encode() + b"\n"),
                              ("smaps_rollup", self.rollup())):
            tree.put(f"{home}/{name}", content)
        for number, target in self.fds:
            tree.link_text(f"{home}/fd/{number}", target)


def lock(holder=None, died=False):
    """A UMD lock of 56 bytes; holder is (thread, process)."""
    thread, process = holder or (0, 0)
    word = thread | (0x40000000 if died else 0)
    return struct.pack("<IIIIi5I Q II", word, 1 if holder else 0, thread, 1 if holder else 0,
                       LOCK_KIND, 0, 0, 0, 0, 0, LOCK_FLAG, thread, process)


@dataclasses.dataclass(frozen=True)
class Statistics:
    """TT-Metal's own file of one chip, version 4: process is (pid, name) or None."""
    unique_id: int
    device: int
    process: tuple | None = None
    amounts: tuple = (0, 0, 0, 0, 0)  # DRAM, L1, L1_SMALL, trace, circular buffers
    written_ns: int = NOW_NS

    def name(self):
        return f"dev/shm/tt_device_{self.unique_id}_memory"

    def content(self):
        head = struct.pack("<IIQIIQQQ5Q", 4, 1 if self.process else 0, self.written_ns,
                           1 if self.process else 0, 0, 0, self.unique_id, self.device,
                           *self.amounts)
        chips = struct.pack("<II5Q", self.device, 0, *self.amounts)
        chips += struct.pack("<II5Q", 0xFFFFFFFF, 0, 0, 0, 0, 0, 0) * 15
        pid, name = self.process or (0, b"")
        row = struct.pack("<iI5QQ64s", pid, 0, *self.amounts,
                          self.written_ns if self.process else 0, name)
        return head + chips + row + bytes(120 * 63) + struct.pack("<II32x", SHM_READY, 0)
