# SPDX-License-Identifier: Apache-2.0
"""Machines with something missing, late, stale, absurd or hostile.

Each is a healthy machine and one change of its files, so that what differs is what is told.
"""
import dataclasses

import ids
from healthy import GIB, N150_CARD, P150_CARDS, demo
from machine import CLASS, Card, Host
from users import NOW_NS, Process, Statistics

ONES = 0xFFFFFFFF
P150_CARD = dataclasses.replace(P150_CARDS[2], number=1)
PAIR = (N150_CARD, P150_CARD)  # one of each architecture
# what a dead chip reads as, through drivers that do not check (2.0 to 2.8)
DEAD_TEXTS = {
    "tt_aiclk": ONES, "tt_axiclk": ONES, "tt_arcclk": ONES, "tt_heartbeat": ONES,
    "tt_therm_trip_count": ONES, "tt_serial": "F" * 16, "tt_asic_id": "F" * 16,
    "tt_card_type": "unknown", "tt_eth_fw_ver": "255.15.4095",
    **dict.fromkeys(("tt_fw_bundle_ver", "tt_m3app_fw_ver", "tt_m3bl_fw_ver", "tt_arc_fw_ver",
                     "tt_ttflash_ver"), "255.255.255.255"),
}
DEAD_HWMON = {
    "wormhole": {"temp1_input": 4095937, "temp1_max": 65535000, "in0_input": ONES,
                 "in0_max": 65535, "curr1_input": 65535000, "curr1_max": 65535000,
                 "power1_input": 1110490560, "power1_max": 1110490560},
    "blackhole": {"temp1_input": 65535999, "in0_input": ONES, "fan1_input": ONES,
                  "curr1_input": 4294966296, "power1_input": 4293967296},
}
# what every number of a card says instead; (name, content, what a reader should make of it)
GARBAGE = (
    ("letters", b"abc\n", None), ("empty", b"", None), ("newline", b"\n", None),
    ("huge", b"99999999999999999999\n", None), ("2 to the 64", b"18446744073709551616\n", None),
    ("negative", b"-5\n", None), ("hexadecimal", b"0x320\n", None),
    ("no newline", b"800", 800), ("64 KiB", b"9" * 65536, None), ("NUL", b"80\x000\n", None),
    ("only NUL", b"\0" * 8, None), ("two lines", b"800\n900\n", None),
    ("trailing", b"800 MHz\n", None),
    ("not UTF-8", b"\xff\xfe\n", None), ("plus", b"+800\n", None), ("float", b"8e2\n", None),
)
NUMBERS = ("tt_aiclk", "tt_axiclk", "tt_arcclk", "tt_heartbeat", "tt_therm_trip_count")


def numbers_of(tree, card):
    """Paths of all files of a card that hold a number."""
    yield from (f"{card.home}/{name}" for name in NUMBERS if f"{card.home}/{name}" in tree.entries)
    yield from tree.below(f"{card.home}/pcie_perf_counters/")
    yield from (p for p in tree.below(card.hwmon_home + "/") if p.endswith(("_input", "_max")))
    yield from (f"{card.pci}/{name}" for name in ("numa_node", "current_link_width"))


def remove_telemetry(tree, card, hwmon=False):
    """As from firmware, or a driver that is not that far yet; no id, so no link by it either."""
    for path in tree.below(f"{card.home}/tt_"):
        tree.remove(path)
    tree.remove(f"dev/tenstorrent/by-id/{card.kind.arch}-{card.asic_id:016X}")
    if hwmon:
        remove_hwmon(tree, card)


def remove_hwmon(tree, card):
    tree.remove(f"{card.pci}/hwmon")
    tree.remove(f"sys/class/hwmon/hwmon{card.hwmon}")


def dead_chips(tree):
    for card in PAIR:
        for name, value in DEAD_TEXTS.items():
            if f"{card.home}/{name}" in tree.entries:
                tree.put(f"{card.home}/{name}", str(value))
        for path in tree.below(f"{card.home}/pcie_perf_counters/"):
            tree.put(path, str(ONES))
        for name, value in DEAD_HWMON[card.kind.arch].items():
            tree.put(f"{card.hwmon_home}/{name}", str(value))


def sentinels(tree):
    """In the order of SENTINELS."""
    for card, temp in zip(SENTINEL_CARDS, SENTINELS):
        tree.put(f"{card.hwmon_home}/temp1_input", str(temp))


SENTINELS = (32768000, 65531000, 150000, 0)  # error, -5 degrees, the edge, a plain zero
SENTINEL_CARDS = P150_CARDS


def two_hwmon(tree):
    """hwmon9 is left from before a reset; as text it sorts after hwmon10."""
    old = f"{N150_CARD.pci}/hwmon/hwmon9"
    for path in tree.below(TWO_HWMON_CARD.hwmon_home + "/"):
        tree.entries[path.replace("hwmon10/", "hwmon9/")] = tree.entries[path]
    for name in ("temp1_input", "in0_input", "curr1_input", "power1_input"):
        tree.put(f"{old}/{name}", "11")
    tree.link("sys/class/hwmon/hwmon9", old)


TWO_HWMON_CARD = dataclasses.replace(N150_CARD, hwmon=10)


def some_hwmon_files(tree):
    """Labels are always there; what counts is whether the value is."""
    for name in ("power1_input", "power1_max", "in0_input", "in0_max"):
        tree.remove(f"{N150_CARD.hwmon_home}/{name}")


def unplugged(tree):
    """Between the removal of the device and that of its name in the class."""
    for path in (P150_CARD.pci, f"sys/bus/pci/devices/{P150_CARD.address}",
                 f"sys/bus/pci/drivers/tenstorrent/{P150_CARD.address}",
                 f"proc/driver/tenstorrent/{P150_CARD.number}",
                 f"dev/tenstorrent/{P150_CARD.number}"):
        tree.remove(path)


def no_pci(tree):
    """The class device is there, its way up is not."""
    tree.remove(f"{N150_CARD.home}/device")


def garbage_cards():
    for number in range(len(GARBAGE)):
        bus = f"{number + 1:02x}"
        yield Card("p150b", number, f"0000:{bus}:00.0", f"pci0000:00/0000:00:{number:02x}.1",
                   0x41231911100 + number, 0xF4D94A6F90A0C300 + number, number + 1)


def garbage_numbers(tree):
    for card, (_, content, _) in zip(garbage_cards(), GARBAGE):
        for path in list(numbers_of(tree, card)):
            tree.put(path, content)


TEXT_GARBAGE = (b"", b"\n", b"A" * 65536, b"\x1b[31mn150\n", b"n150\0p150\n", b"\xff\xfe\n",
                b"<script>alert(1)</script>\n", b"n1,50\"'\\\n", b"no newline", b"zz\nyy\n",
                b"0x010001861180B479\n", b"010001861180b479\n", b"FFFFFFFFFFFFFFFFF\n", b"-1\n",
                b"unknown\n", b"0000000000000000\n")


def garbage_texts(tree):
    for card, content in zip(garbage_cards(), TEXT_GARBAGE):
        paths = [p for p in tree.below(card.home + "/tt_") if not p.endswith(NUMBERS)]
        paths += [f"{card.pci}/{name}" for name in (
            "vendor", "device", "subsystem_vendor", "subsystem_device", "current_link_speed",
            "local_cpulist", "revision", "class")]
        for path in [*paths, f"{card.hwmon_home}/name"]:
            tree.put(path, content)
    tree.put("sys/module/tenstorrent/version", b"\x1b]0;two\x07\n" + b"9" * 5000)


def strange_names(tree):
    """In the class directory, none of them a card; among the cards, devices of others."""
    for name in ("tenstorrent!", "tenstorrent!x", "tenstorrent!-1", "tenstorrent!007x",
                 "tenstorrent!4294967296", "tenstorrent!99999999999999999999", "tenstorrent!0 ",
                 "other!1", "tenstorrent!\x1b[2J"):
        tree.link(f"{CLASS}/{name}", N150_CARD.home)
    tree.put(f"{CLASS}/version", "a plain file")
    tree.directory(f"{CLASS}/tenstorrent!5")  # no link, and nothing in it
    tree.link_text(f"{CLASS}/tenstorrent!6", "tenstorrent!6")  # a loop
    tree.link_text(f"{CLASS}/tenstorrent!8", "/etc")  # out of the tree
    tree.directory("proc/driver/tenstorrent/x")
    tree.directory("proc/driver/tenstorrent/9")  # no list of users in it


def no_pids_file(tree):
    tree.remove("proc/driver")


LONG_PIDS = b"4242\n" * 14000 + b"4310\n"  # 70 KB: a first read does not reach the second user
ODD_PIDS = b"abc\n-1\n99999999999999999999\n4242 4310\n\n 4242\n4242\x00\n+4242\n4310"
PIDS_CARDS = (
    # a process that ended while a child kept its descriptor, and users in other namespaces
    dataclasses.replace(P150_CARDS[0], number=0, pids=(999999, 4242, 0, 0, 0), started_by=None),
    dataclasses.replace(P150_CARDS[1], number=1, pids=LONG_PIDS, started_by=None),
    dataclasses.replace(P150_CARDS[2], number=2, pids=ODD_PIDS),
    dataclasses.replace(P150_CARDS[3], number=3, pids=(4400, 4400)),
)
ZOMBIE = Process(4400, b"python3", b"", state="Z (zombie)", rss_kb=None)
HOSTILE = (
    (b"esc\x1b[31mred", b"\x1b]0;title\x07\0\x1b[2J\0"), (b"new\nline", b"a\nb\0c\n\0"),
    (b"comma,quote\"", b"a,b\0\"c\"\0'd'\0"), (b"<script>", b"<script>alert(1)</script>\0"),
    (b"\xff\xfe\x80", b"\xff\xfe\0\xc3\x28\0"), (b"long", b"x" * 4096 + b"\0"),
    (b"a) R (b", b"a) R 1 1 (b\0"), (b"back\\slash", b"\\n\0\\\0"), (b"title", b"set: no NUL"),
    (b"empty", b""), (b"nuls", b"\0\0\0\0"), (b"", b"\0"), (b"tab\tcr\rbs\b", b"\t\r\b\x7f\0"),
    ("\u202ertl\u2028".encode(), "\u202egpj.exe\0".encode()),
)
HOSTILE_PIDS = range(5001, 5001 + len(HOSTILE))
POD = ("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice/"
       "cri-containerd-{}.scope")
CONTAINER_ID = "0123456789abcdef" * 4
POD_UID = "8f1c9b1e_5a54_4f0e_9d5e_0d7f3a1b2c3d"
# number 4242 was a program of yesterday; a shell has it now
REUSED = Process(4242, b"bash", b"bash\0", started_s=86300)
OLD_USER = demo(fds=((7, "/dev/tenstorrent/0"), (8, "/dev/tenstorrent/0"), (9, "/dev/null")))


def statistics_of(card, pid, **more):
    return Statistics(ids.wormhole_alone(card.serial), 0, (pid, b"python3"), (GIB, 0, 0, 0, 0),
                      **more)


def held(card, pid, **more):
    return dataclasses.replace(card, pids=(pid, pid), started_by=(pid, pid), **more)


HOSTS = (
    Host("old-driver", "1.34: no list of users, no chip ids, no counters, all attributes always",
         "1.34", (N150_CARD,), (OLD_USER,)),
    Host("old-firmware", "Wormhole firmware before 18.4: no attributes, the sensors alone", "2.8.0",
         (N150_CARD,), change=lambda tree: remove_telemetry(tree, N150_CARD)),
    Host("late-telemetry", "up to two minutes after a reset: neither attributes nor sensors",
         "2.10.0", (N150_CARD,), change=lambda tree: remove_telemetry(tree, N150_CARD, True)),
    Host("driver-2.8-reset", "chips in reset read as all ones, which is no clock and no heat",
         "2.8.0", PAIR, change=dead_chips),
    Host("sentinels", "temperatures that are codes: an error, 5 degrees below zero", "2.10.0",
         SENTINEL_CARDS, change=sentinels),
    Host("two-hwmon", "a stale hwmon9 beside hwmon10, after a reset", "2.10.0", (TWO_HWMON_CARD,),
         change=two_hwmon),
    Host("no-hwmon", "the driver could not register its sensors", "2.10.0", (N150_CARD,),
         change=lambda tree: remove_hwmon(tree, N150_CARD)),
    Host("some-hwmon", "labels without values: firmware without those tags", "2.10.0",
         (N150_CARD,), change=some_hwmon_files),
    Host("unplugged", "a name in the class that leads nowhere, beside a healthy card", "2.10.0",
         PAIR, change=unplugged),
    Host("no-pci", "a class device without its PCI device", "2.10.0", (N150_CARD,), change=no_pci),
    Host("no-pids", "a /proc without the driver's directory, as subset=pid mounts it", "2.10.0",
         (N150_CARD,), change=no_pids_file),
    Host("garbage", "every number of a card is one kind of garbage, see GARBAGE", "2.10.0",
         tuple(garbage_cards()), change=garbage_numbers),
    Host("garbage-texts", "every text of a card is one kind of garbage, see TEXT_GARBAGE",
         "2.10.0", tuple(garbage_cards()), change=garbage_texts),
    Host("strange-names", "entries of the class directory that are no cards", "2.10.0",
         (N150_CARD,), change=strange_names),
    Host("pids-dead", "users that ended, are elsewhere, are many; lists over 64 KiB or malformed",
         "2.10.0", PIDS_CARDS, (demo(), Process(4310, b"tt-smi", b"tt-smi\0"), ZOMBIE)),
    Host("hostile", "commands made to break terminals, CSV, JSON, HTML and parsers of stat",
         "2.10.0", (dataclasses.replace(N150_CARD, pids=tuple(HOSTILE_PIDS)),),
         tuple(Process(pid, comm, command)
               for pid, (comm, command) in zip(HOSTILE_PIDS, HOSTILE))),
    Host("pid-reuse", "a number in the list and in old files that another program has now",
         "2.10.0", (held(N150_CARD, 4242),), (REUSED,),
         (statistics_of(N150_CARD, 4242, written_ns=NOW_NS - 7200 * 10**9),)),
    Host("dead-holder", "a killed program: its lock, its figures, no process", "2.10.0",
         (dataclasses.replace(N150_CARD, started_by=(4251, 4242)),), (),
         (statistics_of(N150_CARD, 4242),)),
    Host("containers", "users in a pod and a container; files with the inner pid", "2.10.0",
         (held(N150_CARD, 6001), held(P150_CARD, 6002)),
         (demo(6001, namespace_pids=(17,), cgroup=POD.format(POD_UID, CONTAINER_ID)),
          demo(6002, namespace_pids=(1, 9),
               cgroup=f"0::/system.slice/docker-{CONTAINER_ID[::-1]}.scope")),
         (statistics_of(N150_CARD, 17),)),
    Host("host-memory", "users with locked and pinned memory", "2.10.0", (held(N150_CARD, 4242),),
         (demo(locked_kb=1048576, pinned_kb=2097152),)),
)
