# SPDX-License-Identifier: Apache-2.0
"""Machines as they should be: each kind of board, one to many, idle and in use."""
import dataclasses

import ids
from machine import Card, Host
from users import Process, Statistics

GIB, MIB = 2**30, 2**20
# a program that moves data: host writes and reads, and the card's own reads
WH_BUSY = ((4026531840, 1024), (73728, 0), (99614720, 512), (33554432, 0), (4096, 0),
           (2147483648, 4096))
# the last one wraps at its next few hundred flits of 32 bytes
BH_BUSY = ((2147483648, 777), (0, 0), (1234567, 0), (7654321, 0), (0, 0), (4294967000, 12))
BUSY = {"mv": 803, "ma": 121000, "uw": 97000000, "aiclk": 1350, "counters": BH_BUSY}


def wormhole(board, number, address, bridges, serial, asic_id, hwmon, **more):
    """An idle one: the figures of an n150 somebody published."""
    idle = {"temp": 33812, "mv": 850, "ma": 25000, "uw": 22000000, "aiclk": 500,
            "heartbeat": 1843215}
    return Card(board, number, address, bridges, serial, asic_id, hwmon, **{**idle, **more})


def demo(pid=4242, **more):
    return Process(pid, b"python3", b"python3\0demo.py\0--model\0llama-8b\0", **more)


N150_CARD = wormhole(
    "n150", 0, "0000:01:00.0", "pci0000:00/0000:00:01.1", 0x010001861180B479, 0x0335313930303043, 3,
    numa=-1, cpus="0-15",
    counters=((184320, 0), (512, 0), (40960, 0), (8192, 0), (64, 0), (2048, 0)))
N300_SERIAL = 0x010001451170C0C4
N300_CARD = wormhole(
    "n300", 0, "0000:41:00.0", "pci0000:40/0000:40:01.1", N300_SERIAL, 0x0335313930303056, 4,
    numa=1, cpus="16-31", temp=61437, mv=881, ma=74000, uw=65000000, aiclk=1000,
    counters=WH_BUSY, pids=(4310, 4242, 4242, 4242), started_by=(4251, 4242))
P150_CARDS = (
    Card("p150b", 1, "0000:01:00.0", "pci0000:00/0000:00:01.1", 0x41231911167, 0xF4D94A6F90A0C39B,
         6, temp=58437, fan=2310, **BUSY, pids=(7001, 7001), started_by=(7015, 7001)),
    Card("p150b", 2, "0000:41:00.0", "pci0000:40/0000:40:01.1", 0x41231911139, 0xF4590F46C60E813E,
         7, temp=59812, fan=1620, heartbeat=904512, **BUSY, numa=1, cpus="32-63",
         pids=(7001, 7001), started_by=(7015, 7001)),
    Card("p150b", 3, "0000:42:00.0", "pci0000:40/0000:40:03.1", 0x4123191110E, 0xF0E19F4663593603,
         8, heartbeat=904513, numa=1, cpus="32-63"),
    Card("p150b", 0, "0000:c1:00.0", "pci0000:c0/0000:c0:01.1", 0x41231911159, 0x446F496CDF3E31E5,
         5, temp=42062, heartbeat=904514, numa=1, cpus="32-63"),
)


def n300_statistics(serial, pid):
    used = (25165824, 0, 48 * MIB, 8 * MIB)
    return (Statistics(ids.wormhole_linked(serial, ids.ON_PCI), 0, (pid, b"python3"),
                       (6 * GIB, *used)),
            Statistics(ids.wormhole_linked(serial, ids.BEHIND_LINK), 1, (pid, b"python3"),
                       (6 * GIB - 256 * MIB, *used)))


def p150_statistics():
    """In the order of PCI addresses, which is TT-Metal's and not the driver's."""
    for device, (card, dram) in enumerate(zip(P150_CARDS, (12 * GIB, 12 * GIB + MIB, 0, 0))):
        used = ((7001, b"vllm_worker"), (dram, 40 * MIB, 0, 100 * MIB, 16 * MIB)) if dram else ()
        yield Statistics(ids.blackhole_linked(card.serial), device, *used)


def galaxy(board, serial, asic_id, bus_digits):
    """32 cards in four trays; the driver numbers them by tray and place, not by address."""
    for tray, digit in enumerate(bus_digits):
        for place in range(8):
            bus = digit << 4 | place + 1
            number = tray * 8 + place
            make = wormhole if board == "galaxy-wormhole" else Card
            yield make(board, number, f"0000:{bus:02x}:00.0",
                       f"pci0000:{digit:x}0/0000:{digit:x}0:{place + 1:02x}.1",
                       serial, asic_id(tray, place), number + 1, temp=40000 + 125 * number,
                       numa=digit >> 3, cpus=("0-95", "96-191")[digit >> 3])


DISK_ELSEWHERE = "pci0000:e0/0000:e0:02.2/0000:e1:00.0"
VLLM = Process(7001, b"vllm_worker", b"python3\0-m\0vllm.entrypoints.openai.api_server\0", uid=1001)
SWITCH = "pci0000:80/0000:80:01.1/0000:81:00.0"
P300_SERIAL = 0x4513190F004
T3K_BUSES = (("01", "00", "01"), ("41", "40", "01"), ("42", "40", "03"), ("c1", "c0", "01"))


def t3k_cards(serials):
    """Four n300 boards, each one function."""
    for number, (serial, (bus, root, port)) in enumerate(zip(serials, T3K_BUSES)):
        yield wormhole("n300", number, f"0000:{bus}:00.0",
                       f"pci0000:{root}/0000:{root}:{port}.1", serial, 0x0335313930303060 + number,
                       number + 3)


def live(host, why, **serials_and_ids):
    """The same machine with boards whose chips have the ids of tests/metal/clusters."""
    cards = [dataclasses.replace(card, pids=(), started_by=None,
                                 **{key: values[i] for key, values in serials_and_ids.items()})
             for i, card in enumerate(host.cards)]
    return Host("live-" + host.name, why, "2.10.0", tuple(cards))


N150 = Host("n150", "one idle card: its list of users is empty, not absent", "2.9.0", (N150_CARD,))
N300 = Host("n300", "one function for two chips; one user holds it open three times", "2.10.0",
            (N300_CARD,), (demo(), Process(4310, b"tt-smi", b"tt-smi\0")),
            n300_statistics(N300_SERIAL, 4242))
P150X4 = Host("p150x4", "the driver's numbers are not in the order of addresses; no fan on two",
              "2.10.0", P150_CARDS, (VLLM,), tuple(p150_statistics()))
T3K = Host("t3k", "four n300: eight chips, of which sysfs knows four", "2.10.0",
           tuple(t3k_cards((0x010001461190302B, 0x0100014611903099, 0x01000146119030A7,
                            0x01000146119030AA))))
P150 = Host("p150", "one Blackhole alone: its chip's id is its fuses'", "2.10.0",
            (dataclasses.replace(P150_CARDS[0], number=0, pids=(), started_by=None),))

HOSTS = (
    N150, N300, P150X4, T3K, P150,
    Host("empty", "no driver at all: that is an answer, not an error", None),
    Host("driver-only", "the driver is loaded and finds no card", "2.10.0"),
    Host("p100a", "a Blackhole with seven DRAM banks and no Ethernet", "2.10.0",
         (Card("p100a", 0, "0000:01:00.0", "pci0000:00/0000:00:01.1", 0x4310000A001,
               0x10AC645F3C88D8, 2, fan=1500),)),
    Host("p300", "two functions behind one switch, with one serial number", "2.10.0",
         (Card("p300a", 0, "0000:83:00.0", SWITCH + "/0000:82:00.0", P300_SERIAL,
               0xA1B2C3D4E5F60718, 2, temp=50000),
          Card("p300a", 1, "0000:84:00.0", SWITCH + "/0000:82:01.0", P300_SERIAL,
               0xA1B2C3D4E5F60719, 3, temp=51000))),
    Host("galaxy-wh", "32 cards whose numbers follow trays: bus c1 is 0, bus 01 is 16", "2.10.0",
         tuple(galaxy("galaxy-wormhole", 0x0100035511A00000,
                      lambda tray, place: 0x0335313930303000 | tray << 4 | place,
                      (0xC, 0x8, 0x0, 0x4))), disk=DISK_ELSEWHERE),
    Host("galaxy-bh", "32 Blackholes; ids above 2^63", "2.10.0",
         tuple(galaxy("galaxy-blackhole", 0x0000047331900000,
                      lambda tray, place: 0xF0E19F4663590000 | tray << 4 | place,
                      (0x0, 0x4, 0xC, 0x8))), disk=DISK_ELSEWHERE),
    Host("mixed", "both architectures, numbers with gaps and not in the order of addresses",
         "2.10.0",
         (dataclasses.replace(N150_CARD, number=7, address="0000:01:00.0"),
          Card("p150a", 3, "0000:41:00.0", "pci0000:40/0000:40:01.1", 0x4023191110A,
               0x446F496CDF3E31E6, 4, pids=(4242,)),
          Card("p150b", 0, "0000:c1:00.0", "pci0000:c0/0000:c0:01.1", 0x41231911160,
               0x446F496CDF3E31E7, 5)), (demo(),)),
    live(N150, "an n150 whose chip is that of the mock cluster n150",
         serial=(0x0100018511A71046,)),
    live(N300, "an n300 whose two chips are those of the mock cluster n300",
         serial=(0x010001451170302E,)),
    live(T3K, "four n300 whose chips are those of the mock cluster t3k",
         serial=(0x010001451170A040, 0x010001451170A053, 0x010001451170A066, 0x010001451170A079)),
    live(P150, "a p150 without a cable: the mock cluster p150", serial=(0x41231A0C0D0,),
         asic_id=(0x10AC645F3C88D7,)),
    live(dataclasses.replace(P150X4, name="4xp150"), "four cabled p150: the mock cluster 4xp150",
         serial=(0x41231A0C0D0, 0x41231A0C0ED, 0x41231A0C10A, 0x41231A0C127)),
)
