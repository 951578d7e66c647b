#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the fake machines what they say they are?

Reason: every test of what we read from the driver stands on these trees. A link that does not
resolve or a format of our own would make a reader right about a machine that does not exist.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "hosts")]
sys.dont_write_bytecode = True

import boards
import broken
import healthy
import hosts
import ids
import users
from testing import equal, run_tests

CLUSTERS = TESTS / "metal/clusters"
# where links or formats are wrong on purpose
ODD_LINKS = {"unplugged", "strange-names", "no-pci"}
ODD_FORMATS = {"garbage", "garbage-texts", "pids-dead"}
# thousands of small files: in memory where there is such a place
ALL = tempfile.TemporaryDirectory(prefix="ttmem-hosts.",
                                  dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
ROOT = pathlib.Path(ALL.name)


def links(root, part):
    """Symbolic links below a part of the tree: (path, where it points)."""
    for directory, names, others in os.walk(os.path.join(root, part)):
        for name in (*names, *others):
            path = os.path.join(directory, name)
            if os.path.islink(path):
                yield path, os.path.normpath(os.path.join(directory, os.readlink(path)))


def files(root):
    """(path, content) of plain files."""
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                yield path, pathlib.Path(path).read_bytes()


def every_host():
    for name, host in hosts.HOSTS.items():
        if not (ROOT / name).exists():
            hosts.build(name, ROOT / name)
        yield host, ROOT / name


def test_links_resolve():
    """A class link leads to its device and back, by each of the names a reader may use."""
    for host, root in every_host():
        if host.name in ODD_LINKS:
            continue
        for path, target in (*links(root, "sys"), *links(root, "dev")):
            equal(os.path.exists(path), True, f"{path} leads somewhere")
            equal(target.startswith(f"{root}/"), True, f"{path} stays inside")
        for card in host.cards:
            device = (root / f"sys/class/tenstorrent/tenstorrent!{card.number}").resolve()
            equal(device, (root / card.home).resolve(), f"{host.name} {card.number} class")
            equal((device / "device").resolve(), (root / card.pci).resolve(), "its device")
            equal((root / f"sys/dev/char/240:{card.number}").resolve(), device, "by number")
            equal((root / card.pci / "driver").resolve(),
                  (root / "sys/bus/pci/drivers/tenstorrent").resolve(), "driver")
            equal((root / card.pci / "tenstorrent" / device.name).resolve(), device, "from PCI")


def test_hwmon_beside_strangers():
    """hwmon0 is a disk's everywhere; a card's own is found from its PCI device."""
    for host, root in every_host():
        equal((root / "sys/class/hwmon/hwmon0/name").read_text(), "nvme\n", host.name)
        for card in host.cards:
            if host.name in ("no-hwmon", "late-telemetry"):
                equal((root / card.pci / "hwmon").exists(), False, host.name)
            elif host.name not in ODD_LINKS and host.name != "garbage-texts":
                home = root / f"sys/class/hwmon/hwmon{card.hwmon}"
                equal((home / "name").read_text(), card.kind.arch + "\n", host.name)
                equal((home / "device").resolve(), (root / card.pci).resolve(), host.name)


def test_formats():
    """Each file with a known format has it, to its last byte, and each format is met."""
    met = set()
    for host, root in every_host():
        if host.name in ODD_FORMATS:
            continue
        for path, content in files(root):
            name = os.path.basename(path)
            if name in boards.FORMATS:
                met.add(name)
                if not re.fullmatch(boards.FORMATS[name], content.decode("ascii")):
                    raise AssertionError(f"{path}: {content!r} is not {boards.FORMATS[name]}")
    equal(set(boards.FORMATS) - met, set(), "formats that no file has")


def test_attributes_by_release():
    """A file exists from its release on; what fails here is a table against itself, so the
    figures that were published are written out."""
    roots = {host.name: root for host, root in every_host()}
    def names(root, pattern):
        return {p.name for p in root.glob("sys/devices/*/*/*/" + pattern)}
    equal(names(roots["old-driver"], "tenstorrent/*/tt_*"),
          {"tt_aiclk", "tt_axiclk", "tt_arcclk", "tt_serial", "tt_card_type", "tt_fw_bundle_ver",
           "tt_m3app_fw_ver", "tt_m3bl_fw_ver", "tt_arc_fw_ver", "tt_eth_fw_ver",
           "tt_ttflash_ver"}, "1.34 on Wormhole")
    equal(names(roots["old-driver"], "tenstorrent/*/pcie*"), set(), "1.34 has no counters")
    equal((roots["old-driver"] / "proc/driver").exists(), False, "1.34 has no list of users")
    equal((roots["old-driver"] / "dev/tenstorrent/by-id").exists(), False, "1.34 has no by-id")
    equal(names(roots["p150"], "tenstorrent/*/tt_*"),
          {"tt_aiclk", "tt_axiclk", "tt_arcclk", "tt_serial", "tt_card_type", "tt_asic_id",
           "tt_fw_bundle_ver", "tt_m3app_fw_ver", "tt_heartbeat", "tt_therm_trip_count"},
          "2.10 on Blackhole")
    equal(names(roots["old-firmware"], "tenstorrent/*/tt_*"), set(), "old firmware")
    equal("temp1_input" in names(roots["old-firmware"], "hwmon/*/temp*"), True, "its sensors")
    equal((roots["empty"] / "sys/class/tenstorrent").exists(), False, "no driver, no class")
    equal(list((roots["driver-only"] / "sys/class/tenstorrent").iterdir()), [], "no card")


def test_boards():
    """The board's number stands in the serial number and in the PCI device alike."""
    for host, _ in every_host():
        for card in host.cards:
            equal(card.serial >> 36 & 0xFFFF, card.kind.subsystem, f"{host.name} {card.number}")
        for what in ("number", "address", "hwmon", "asic_id"):
            values = [getattr(card, what) for card in host.cards]
            equal(len(set(values)), len(values), f"{host.name}: each {what} once")


def test_galaxy_numbers():
    """The driver's rule, from the bus number: 8 * tray + low digit - 1."""
    for name, trays in (("galaxy-wh", (0xC, 0x8, 0x0, 0x4)), ("galaxy-bh", (0x0, 0x4, 0xC, 0x8))):
        cards = hosts.HOSTS[name].cards
        equal(sorted(card.number for card in cards), list(range(32)), name)
        for card in cards:
            bus = int(card.address[5:7], 16)
            equal(card.number, trays.index(bus >> 4) * 8 + (bus & 0xF) - 1, f"{name} bus {bus:x}")


def cluster_ids(cluster):
    """chip -> unique id of a mock cluster."""
    text = (CLUSTERS / f"{cluster}.yaml").read_text()
    block = re.search(r"chip_unique_ids:\s*\{(.*?)\}", text, re.S).group(1)
    return {int(chip): int(value) for chip, value in re.findall(r"(\d+): (\d+)", block)}


def test_live_ids():
    """A live host has, card by card, the chips of the mock cluster of its name."""
    def cards(name):
        return hosts.HOSTS["live-" + name].cards
    equal(cluster_ids("n150"), {0: ids.wormhole_alone(cards("n150")[0].serial)}, "n150")
    for name in ("n300", "t3k"):
        serials = [card.serial for card in cards(name)]
        linked = [ids.wormhole_linked(serial, place) for place in (ids.ON_PCI, ids.BEHIND_LINK)
                  for serial in serials]
        equal(cluster_ids(name), dict(enumerate(linked)), name)
    equal(cluster_ids("p150"), {0: ids.blackhole_alone(cards("p150")[0].asic_id)}, "p150")
    equal(cluster_ids("4xp150"), {chip: ids.blackhole_linked(card.serial)
                                  for chip, card in enumerate(cards("4xp150"))}, "4xp150")


def test_id_rules():
    """The rules against ids and serial numbers that machines have shown."""
    equal(ids.wormhole_linked(0x010001451170C0C4, ids.ON_PCI), 9956278468, "n300")
    equal(ids.wormhole_linked(0x010001451170C0C4, ids.BEHIND_LINK), 14251245764, "n300")
    equal(ids.wormhole_linked(0x010001461190302B, ids.ON_PCI), 10226774059, "t3k")
    equal(ids.blackhole_linked(0x4123191110E), 143238000419264, "p150")
    equal(ids.wormhole_alone(0x010001861180B479), 72059269368820857, "n150")


def test_locks_and_statistics():
    """56 and 8,576 bytes, with the owner where UMD has him; the statistics are private."""
    for host, root in every_host():
        for path in (root / "dev/shm").glob("TT_UMD_LOCK.*"):
            content = path.read_bytes()
            equal(len(content), 56, path)
            equal(content[40:48], b"XTMDMUTT", path)
        for path in (root / "dev/shm").glob("tt_device_*"):
            equal((path.stat().st_size, path.stat().st_mode & 0o777), (8576, 0o600), path)
            equal(int.from_bytes(path.read_bytes()[32:40], "little"),
                  int(path.name.split("_")[2]), "its id")
    lock = (ROOT / "n300/dev/shm/TT_UMD_LOCK.CHIP_IN_USE_0_PCIe").read_bytes()
    equal([int.from_bytes(lock[at:at + 4], "little") for at in (0, 8, 48, 52)],
          [4251, 4251, 4251, 4242], "holder")


def test_processes():
    """What the kernel promises of /proc: field 22, one line a field, no memory of the dead."""
    for host, root in every_host():
        for process in host.processes:
            home = root / "proc" / str(process.pid)
            stat = (home / "stat").read_bytes()
            equal(stat.split(b" ", 1)[0], str(process.pid).encode(), host.name)
            after = stat[stat.rindex(b")") + 2:].split()
            equal(len(after), 50, f"{host.name} {process.pid} fields of stat")
            equal(int(after[22 - 3]), process.started_s * users.TICKS_PER_S, "start")
            status = (home / "status").read_bytes().removesuffix(b"\n").split(b"\n")
            equal([line for line in status if b":\t" not in line], [], "lines of status")
    equal(b"VmRSS" in (ROOT / "pids-dead/proc/4400/status").read_bytes(), False, "a zombie")
    equal((ROOT / "pids-dead/proc/999999").exists(), False, "a dead one")
    equal(os.path.getsize(ROOT / "pids-dead/proc/driver/tenstorrent/1/pids") > 65536, True, "long")


def test_broken_ones_are_broken():
    """What each is for is there; a fault that is not there tests nothing."""
    roots = {host.name: root for host, root in every_host()}
    gone = roots["unplugged"] / "sys/class/tenstorrent/tenstorrent!1"
    equal((gone.is_symlink(), gone.exists()), (True, False), "dangling")
    for number, (name, content, _) in enumerate(broken.GARBAGE):
        device = roots["garbage"] / f"sys/class/tenstorrent/tenstorrent!{number}"
        equal((device / "tt_aiclk").read_bytes(), content, name)
        hwmon = next((device / "device/hwmon").iterdir())
        equal((hwmon / "temp1_input").read_bytes(), content, name)
    dead = roots["driver-2.8-reset"]
    equal([(dead / card.hwmon_home / "temp1_input").read_text() for card in broken.PAIR],
          ["4095937\n", "65535999\n"], "heat of dead chips")
    hwmons = {p.name for p in (roots["two-hwmon"] / healthy.N150_CARD.pci / "hwmon").iterdir()}
    equal(hwmons, {"hwmon9", "hwmon10"}, "two of them")
    started = users.BOOT_TIME_S + broken.REUSED.started_s
    written = hosts.HOSTS["pid-reuse"].statistics[0].written_ns
    equal(written < started * 10**9, True, "the figures are older than the process")


def test_built_twice():
    """Nothing of the builder's surroundings gets in: order of hashes, umask, time."""
    roots = {host.name: root for host, root in every_host()}
    for name in ("n150", "n300", "p150x4", "hostile", "containers"):
        with tempfile.TemporaryDirectory() as other:
            subprocess.run([sys.executable, str(TESTS / "hosts/hosts.py"), "build", name, other],
                           check=True, umask=0o027,
                           env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
            for what in (files, lambda root: links(root, "")):
                one, two = (sorted((os.path.relpath(path, root), text if what is files else
                                    os.path.relpath(text, root)) for path, text in what(root))
                            for root in (str(roots[name]), other))
                equal(len(one) > 10, True, name)
                equal(one == two, True, f"{name} is the same twice")


def test_command():
    """list names all with a reason; a wrong name is refused; a full directory is kept."""
    def run(*arguments):
        return subprocess.run([sys.executable, str(TESTS / "hosts/hosts.py"), *arguments],
                              capture_output=True, text=True)
    lines = run("list").stdout.splitlines()
    equal([line.split()[0] for line in lines], list(hosts.HOSTS), "names")
    equal(all(len(line.split()) > 3 for line in lines), True, "reasons")
    equal(run("build", "nonsense", "/nowhere").returncode, 2, "unknown name")
    list(every_host())
    equal("FileExistsError" in run("build", "n150", str(ROOT / "n300")).stderr, True, "full")


def test_set_pids():
    """A process that opens a card, as the next sample sees it."""
    with tempfile.TemporaryDirectory() as directory:
        hosts.build("n150", directory)
        hosts.set_pids(directory, 0, [7, 7, 9])
        home = pathlib.Path(directory) / "proc/driver/tenstorrent/0"
        equal([p.name for p in home.iterdir()], ["pids"], "nothing left behind")
        equal((home / "pids").read_text(), "7\n7\n9\n", "users")


if __name__ == "__main__":
    code = run_tests(globals())
    ALL.cleanup()
    sys.exit(code)
