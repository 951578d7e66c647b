# SPDX-License-Identifier: Apache-2.0
"""A machine with Tenstorrent cards as data, and the files its kernel would show of it."""
import dataclasses
import typing

import boards
from boards import BOARDS, PCI_DEVICE, PCI_REVISION, has
from tree import Tree
from users import BOOT_TIME_S, NOW_NS, lock

CHAR_MAJOR = 240
CLASS = "sys/class/tenstorrent"


@dataclasses.dataclass(frozen=True)
class Card:
    """One PCI function of a board."""
    board: str
    number: int
    address: str
    bridges: str  # the path of the PCI devices above it
    serial: int
    asic_id: int
    hwmon: int
    temp: int = 41062
    mv: int = 712
    ma: int = 26000
    uw: int = 19000000
    fan: int = 0xFFFFFFFF
    aiclk: int = 800
    heartbeat: int = 904511
    bundle: str = "19.9.0.0"
    counters: tuple = ((0, 0),) * 6  # (NOC 0, NOC 1) in the order of COUNTERS
    numa: int = 0
    cpus: str = "0-31"
    pids: tuple | bytes = ()
    started_by: tuple | None = None  # (thread, process) in CHIP_IN_USE

    @property
    def kind(self):
        return BOARDS[self.board]

    @property
    def pci(self):
        return f"sys/devices/{self.bridges}/{self.address}"

    @property
    def home(self):
        return f"{self.pci}/tenstorrent/tenstorrent!{self.number}"

    @property
    def hwmon_home(self):
        return f"{self.pci}/hwmon/hwmon{self.hwmon}"


@dataclasses.dataclass(frozen=True)
class Host:
    name: str
    why: str
    driver: str | None  # None: not loaded
    cards: tuple = ()
    processes: tuple = ()
    statistics: tuple = ()
    disk: str = "pci0000:00/0000:00:02.2/0000:02:00.0"
    change: typing.Callable | None = None  # of the finished tree, in place

    def tree(self):
        """All files of the machine, and what is wrong with it."""
        tree = Tree()
        release = version_of(self.driver or "0")
        put_machine(tree, self)
        for card in self.cards:
            put_pci(tree, card)
            put_class(tree, card, release)
            put_hwmon(tree, card, release)
            put_node(tree, card, release)
            put_locks(tree, card)
        for process in self.processes:
            process.put(tree)
        for statistics in self.statistics:
            tree.put(statistics.name(), statistics.content())
        if self.change:
            self.change(tree)
        return tree


def version_of(text):
    return tuple(int(part) for part in text.split("-")[0].split("."))


def put_machine(tree, host):
    """What is there whether or not there is a card: a disk, the module, the clock."""
    disk = f"sys/devices/{host.disk}/nvme/nvme0/hwmon0"
    for name, text in (("name", "nvme"), ("temp1_input", 45850), ("temp1_label", "Composite")):
        tree.put(f"{disk}/{name}", str(text))
    tree.link("sys/class/hwmon/hwmon0", disk)
    uptime_s = NOW_NS // 10**9 - BOOT_TIME_S
    tree.put("proc/stat", f"cpu  0 0 0 0 0 0 0 0 0 0\nbtime {BOOT_TIME_S}\nprocesses 9000")
    tree.put("proc/uptime", f"{uptime_s}.00 {uptime_s * 16}.00")
    if not host.driver:
        return
    tree.put("sys/module/tenstorrent/version", host.driver)
    for name, (value, since) in boards.PARAMETERS.items():
        if version_of(host.driver) >= since:
            tree.put(f"sys/module/tenstorrent/parameters/{name}", value)
    for path in (CLASS, "sys/bus/pci/drivers/tenstorrent"):
        if not host.cards:
            tree.directory(path)
    if host.cards:
        tree.put("dev/shm/TT_UMD_LOCK.ARC_MSG", lock())


def put_pci(tree, card):
    board, pci = card.kind, card.pci
    device, subsystem = PCI_DEVICE[board.arch], board.subsystem
    for name, text in (
            ("vendor", "0x1e52"), ("device", f"0x{device:04x}"), ("subsystem_vendor", "0x1e52"),
            ("subsystem_device", f"0x{subsystem:04x}"), ("class", "0x120000"),
            ("revision", f"0x{PCI_REVISION[board.arch]:02x}"), ("enable", 1), ("irq", 96),
            ("current_link_speed", board.link), ("max_link_speed", board.link),
            ("current_link_width", 16), ("max_link_width", 16),
            ("numa_node", card.numa), ("local_cpulist", card.cpus),
            ("uevent", "DRIVER=tenstorrent\nPCI_CLASS=120000\n"
             f"PCI_ID=1E52:{device:04X}\nPCI_SUBSYS_ID=1E52:{subsystem:04X}\n"
             f"PCI_SLOT_NAME={card.address}\nMODALIAS=pci:v00001E52d{device:08X}"
             f"sv00001E52sd{subsystem:08X}bc12sc00i00")):
        tree.put(f"{pci}/{name}", str(text))
    tree.link(f"{pci}/subsystem", "sys/bus/pci")
    tree.link(f"{pci}/driver", "sys/bus/pci/drivers/tenstorrent")
    tree.link(f"sys/bus/pci/drivers/tenstorrent/{card.address}", pci)
    tree.link(f"sys/bus/pci/devices/{card.address}", pci)


def put_class(tree, card, release):
    """The class device, by the names under which it can be found, with its attributes."""
    home, arch = card.home, card.kind.arch
    tree.link(f"{CLASS}/tenstorrent!{card.number}", home)
    tree.link(f"sys/dev/char/{CHAR_MAJOR}:{card.number}", home)
    tree.link_text(f"{home}/device", f"../../../{card.address}")
    tree.link(f"{home}/subsystem", CLASS)
    tree.put(f"{home}/dev", f"{CHAR_MAJOR}:{card.number}")
    tree.put(f"{home}/uevent",
             f"MAJOR={CHAR_MAJOR}\nMINOR={card.number}\nDEVNAME=tenstorrent/{card.number}")
    tree.put(f"{home}/power/runtime_status", "unsupported")
    values = {"tt_aiclk": card.aiclk, "tt_serial": f"{card.serial:016X}",
              "tt_card_type": card.board, "tt_asic_id": f"{card.asic_id:016X}",
              "tt_fw_bundle_ver": card.bundle, "tt_heartbeat": card.heartbeat,
              **boards.FIRMWARE[arch]}
    for name, since in boards.ATTRIBUTES.items():
        if has(since, arch, release):
            tree.put(f"{home}/{name}", str(values[name]))
    if release >= boards.COUNTERS_SINCE:
        for name, both in zip(boards.COUNTERS, card.counters):
            for noc, value in enumerate(both):
                tree.put(f"{home}/pcie_perf_counters/{name}{noc}", str(value))


def put_hwmon(tree, card, release):
    home, board = card.hwmon_home, card.kind
    values = {"temp1_input": card.temp, "temp1_max": board.max_temp, "in0_input": card.mv,
              "in0_max": board.max_mv, "curr1_input": card.ma, "curr1_max": board.max_ma,
              "power1_input": card.uw, "power1_max": board.max_uw, "fan1_input": card.fan}
    for name, since in boards.HWMON.items():
        if has(since, board.arch, release):
            tree.put(f"{home}/{name}", str(values[name]))
    for name, text in boards.LABELS[board.arch].items():
        tree.put(f"{home}/{name}", text)
    tree.put(f"{home}/name", board.arch)
    tree.put(f"{home}/uevent", b"")
    tree.link_text(f"{home}/device", f"../../../{card.address}")
    tree.link(f"{home}/subsystem", "sys/class/hwmon")
    tree.link(f"sys/class/hwmon/hwmon{card.hwmon}", home)


def put_node(tree, card, release):
    """The device file, which no reader may open, and the list of those who did."""
    tree.put(f"dev/tenstorrent/{card.number}", b"")
    if release >= boards.BY_ID_SINCE:
        tree.link_text(f"dev/tenstorrent/by-id/{card.kind.arch}-{card.asic_id:016X}",
                       f"../{card.number}")
    if release >= boards.PIDS_SINCE:
        pids = card.pids
        if not isinstance(pids, bytes):
            pids = "".join(f"{pid}\n" for pid in pids).encode()
        tree.put(f"proc/driver/tenstorrent/{card.number}/pids", pids)


def put_locks(tree, card):
    types = ["ARC_MSG", "REMOTE_ARC_MSG", "MEM_BARRIER", "CHIP_IN_USE", "PCIE_DMA"]
    if card.kind.arch == "wormhole":
        types.append("NON_MMIO")
    for name in types:
        holder = card.started_by if name == "CHIP_IN_USE" else None
        tree.put(f"dev/shm/TT_UMD_LOCK.{name}_{card.number}_PCIe", lock(holder))
