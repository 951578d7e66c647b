#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the driver tells of cards, as JSON: each fake host against its own description.

Reason: the driver hands out codes, all ones and old values as if they were figures, and leaves
attributes away by release and firmware. A figure must be the one that was described, and where
there is none the reason must be the right one.
"""
import contextlib
import dataclasses
import os
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / part) for part in ("lib", "hosts", "faults", "integration")]
sys.dont_write_bytecode = True

import broken
import faults
import healthy
import hosts
from fake import Fake, card_of, chips_of, users_of
from machine import Host
from server import Server, directory
from standin import App
from testing import TTMEM, equal, run_tests, ttmem, wait_until
from users import lock

GIB = 2**30
STANDIN_ID = 10**18 + 1  # of its first chip; the next ones count on
ONES = 0xFFFFFFFF
NOT_EXPORTED = "this driver or firmware does not export it"
IMPOSSIBLE = "the driver gave a value that cannot be"
RESET = "the card is being reset"
FAILED = "reading it failed"
STUCK = "the driver does not answer"
NO_SENSOR = "the board has none"
NOT_TOLD = "the driver does not tell who has the device open"
UNSEEN = "a process has the device open and does not report its memory"
ELSEWHERE = "in a PID namespace that this viewer does not see"
# figure -> (file, place, field of a Card or limit of its board, divisor)
FIGURES = {
    "temperature_c": ("temp1_input", "hwmon", "temp", 1000),
    "power_w": ("power1_input", "hwmon", "uw", 1000000),
    "current_a": ("curr1_input", "hwmon", "ma", 1000),
    "voltage_mv": ("in0_input", "hwmon", "mv", 1),
    "fan_rpm": ("fan1_input", "hwmon", "fan", 1),
    "temperature_limit_c": ("temp1_max", "hwmon", "max_temp", 1000),
    "power_limit_w": ("power1_max", "hwmon", "max_uw", 1000000),
    "current_limit_a": ("curr1_max", "hwmon", "max_ma", 1000),
    "voltage_limit_mv": ("in0_max", "hwmon", "max_mv", 1),
    "aiclk_mhz": ("tt_aiclk", "class", "aiclk", 1),
    "heartbeat": ("tt_heartbeat", "class", "heartbeat", 1),
    "axiclk_mhz": ("tt_axiclk", "class", {"wormhole": 900, "blackhole": 1000}, 1),
    "arcclk_mhz": ("tt_arcclk", "class", {"wormhole": 540, "blackhole": 800}, 1),
    "thermal_trips": ("tt_therm_trip_count", "class", {"blackhole": 0}, 1),
}
# board -> Tensix cores, DRAM in GiB, L1 of a core, chips behind one function
BOARDS = {
    "n150": (72, 12, 1499136, 1), "n300": (64, 12, 1499136, 2),
    "galaxy-wormhole": (80, 12, 1499136, 1), "p100a": (120, 28, 1572864, 1),
    "p150a": (120, 32, 1572864, 1), "p150b": (120, 32, 1572864, 1),
    "p300a": (120, 32, 1572864, 1), "galaxy-blackhole": (130, 32, 1572864, 1),
}
# hosts whose files are not what their cards say; each has a test of its own
ODD = {"driver-2.8-reset", "sentinels", "garbage", "garbage-texts"}
ODD_CARDS = {("unplugged", 1), ("no-pci", 0)}
ODD_LISTS = {("pids-dead", 1), ("pids-dead", 2)}
LIVE = ["live-n150", "live-n300", "live-t3k", "live-p150", "live-4xp150"]


def rounded(value, divisor):
    return (value + divisor // 2) // divisor


def described(card, where, value):
    if isinstance(value, dict):
        return value.get(card.kind.arch)
    return getattr(card, value, None) if hasattr(card, value) else getattr(card.kind, value)


def check_figures(fake, card, got):
    """Every figure that has a file is the described one, rounded; every other says why not."""
    why = got.get("unavailable", {})
    for name, (file, where, value, divisor) in FIGURES.items():
        path = f"{card.hwmon_home if where == 'hwmon' else card.home}/{file}"
        figure, what = got["telemetry"][name], f"{fake.host.name} {card.number} {name}"
        reason = why.get("telemetry." + name)
        number = described(card, where, value)
        if path not in fake.tree.entries:
            equal((figure, reason), (None, NOT_EXPORTED), what)
        elif name == "fan_rpm" and number == ONES:
            equal((figure, reason), (None, NO_SENSOR), what)
        else:
            equal((figure, reason), (rounded(number, divisor), None), what)


def check_identity(fake, card, got):
    has = {name: f"{card.home}/{name}" in fake.tree.entries
           for name in ("tt_serial", "tt_asic_id", "tt_fw_bundle_ver")}
    what = f"{fake.host.name} {card.number}"
    want = {
        "pci_address": card.address, "board": card.board, "chips": BOARDS[card.board][3],
        "arch": {"wormhole": "wormhole_b0"}.get(card.kind.arch, card.kind.arch), "state": "ok",
        "serial": f"{card.serial:016X}" if has["tt_serial"] else None,
        "asic_id": f"{card.asic_id:016X}" if has["tt_asic_id"] else None,
        "firmware": card.bundle if has["tt_fw_bundle_ver"] else None,
        "started_by": card.started_by[1] if card.started_by else None,
    }
    equal({name: got[name] for name in want}, want, what)
    generation = {"16.0 GT/s PCIe": 4, "32.0 GT/s PCIe": 5}[card.kind.link]
    equal(got["pcie"], {"generation": generation, "width": 16, "generation_max": generation,
                        "width_max": 16, "numa_node": card.numa if card.numa >= 0 else None},
          what)
    for name in ("serial", "asic_id"):
        equal(got.get("unavailable", {}).get(name), None if want[name] else NOT_EXPORTED, what)


def check_users(fake, card, got):
    """As many descriptors as lines, and each process once, in the order of the list."""
    what = f"{fake.host.name} {card.number}"
    if f"proc/driver/tenstorrent/{card.number}/pids" not in fake.tree.entries:
        equal((got["handles"], got["foreign_handles"], got["users"]), (None, None, []), what)
        equal(got["unavailable"]["handles"], NOT_TOLD, what)
        return
    pids = [pid for pid in card.pids if pid]
    equal((got["handles"], got["foreign_handles"]), (len(card.pids), card.pids.count(0)), what)
    equal(got["users"], [{"pid": pid, "handles": pids.count(pid)} for pid in dict.fromkeys(pids)],
          what)


def check_chips(fake, card, document):
    """As many as the board has; nominal figures are estimates; unused is 0 only when known."""
    chips, what = chips_of(document, card.number), f"{fake.host.name} {card.number}"
    tensix, dram_gib, l1, count = BOARDS[card.board]
    equal([chip["remote"] for chip in chips], [False, True][:count], what)
    equal(chips[0]["number"], card.number, what)
    for chip in chips:
        equal((chip["tensix_cores"], chip["dram_physical_bytes"], chip["l1_physical_bytes"]),
              (tensix, dram_gib * GIB, tensix * l1), what)
        equal(set(chip["estimates"]), {"tensix_cores", "dram_physical_bytes", "l1_physical_bytes"}
              | ({"unique_id"} if "galaxy" in card.board else set()), what)
        dram = chip["memory"]["dram"]
        if fake.tree.entries.get(f"proc/driver/tenstorrent/{card.number}/pids", b"?") == b"":
            equal((dram["occupied_bytes"], dram["buffers"]), (0, 0), what)
            equal(dram["free_bytes"], dram["allocatable_bytes"], what)
        else:
            known = f"proc/driver/tenstorrent/{card.number}/pids" in fake.tree.entries
            reason = (ELSEWHERE if 0 in card.pids else UNSEEN) if known else NOT_TOLD
            equal((dram["occupied_bytes"], dram["free_bytes"]), (None, None), what)
            equal(dram["unavailable"]["occupied_bytes"], reason, what)
        equal(dram["allocatable_bytes"] < dram_gib * GIB, True, what)
        equal(dram["estimates"]["allocatable_bytes"].startswith("nominal"), True, what)


def one_host(name):
    with Fake(name) as fake:
        document = fake.look()
        equal(document["driver"], {"loaded": fake.host.driver is not None,
                                   "version": fake.host.driver}, name)
        found = [card["number"] for card in document["cards"]]
        equal([n for n in found if name != "strange-names" or n == 0],
              sorted(card.number for card in fake.host.cards), name)
        numbers = [device["number"] for device in document["devices"]]
        equal(len(set(numbers)), len(numbers), "each number once")
        for card in fake.host.cards:
            if (name, card.number) in ODD_CARDS:
                continue
            got = card_of(document, card.number)
            check_figures(fake, card, got)
            check_identity(fake, card, got)
            if (name, card.number) not in ODD_LISTS:
                check_users(fake, card, got)
                check_chips(fake, card, document)


def check_possible(document, name):
    """Whatever the files say: no figure that no chip can have."""
    ranges = {"temperature": (-40, 149), "power": (0, 2000), "current": (0, 2000),
              "voltage": (0, 2000), "fan": (0, 30000), "aiclk": (0, 5000), "axiclk": (0, 5000),
              "arcclk": (0, 5000), "heartbeat": (0, ONES - 1), "thermal": (0, ONES - 1)}
    for card in document["cards"]:
        for figure, value in card["telemetry"].items():
            low, high = ranges[figure.split("_")[0]]
            equal(value is None or low <= value <= high, True, f"{name} {figure} {value}")
            equal(value is not None or "telemetry." + figure in card["unavailable"], True,
                  f"{name} {figure}: no reason")
        for text, form in (("board", r"[a-z][a-z0-9-]*"), ("firmware", r"\d+\.\d+\.\d+\.\d+"),
                           ("serial", r"[0-9A-F]{16}"), ("asic_id", r"[0-9A-F]{16}"),
                           ("pci_address", r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")):
            equal(card[text] is None or bool(re.fullmatch(form, card[text])), True,
                  f"{name} {text} {card[text]!r}")
        equal("FFFFFFFFFFFFFFFF" in (card["serial"], card["asic_id"]), False, name)


def test_garbage_is_never_shown():
    """Of every host, good and bad: nothing that cannot be, and a reason for each null."""
    for name in hosts.HOSTS:
        with Fake(name) as fake:
            document = fake.look()
            check_possible(document, name)
            version = document["driver"]["version"]
            equal(version is None or bool(re.fullmatch(r"[\w.+-]+", version)), True, name)


def test_garbage_numbers():
    """Each kind of garbage in every number: null, and the one kind that is a number is it."""
    with Fake("garbage") as fake:
        document = fake.look()
        for number, (name, _, value) in enumerate(broken.GARBAGE):
            card = card_of(document, number)
            equal(card["telemetry"]["aiclk_mhz"], value, name)
            equal(card["telemetry"]["temperature_c"], value and 1, name)
            equal(card["pcie"]["width"], None, name)  # 800 lanes are none either
            equal(card["pcie"]["numa_node"], value, name)
            equal(card["board"], "p150b", name)
            if value is None:
                equal(card["unavailable"]["telemetry.aiclk_mhz"], IMPOSSIBLE, name)
                equal(card["telemetry"]["power_w"], None, name)


def test_garbage_texts():
    """A card without one good text is still a card; its figures are not touched by that."""
    with Fake("garbage-texts") as fake:
        document = fake.look()
        equal(document["driver"], {"loaded": True, "version": None}, "driver")
        for number, text in enumerate(broken.TEXT_GARBAGE):
            card = card_of(document, number)
            # where the serial number is one, it names the board
            named = card["serial"] and int(card["serial"], 16) and "n150"
            equal((card["board"], card["firmware"]), (named or None, None), text)
            equal(card["telemetry"]["aiclk_mhz"], 800, text)
            equal(card["telemetry"]["temperature_c"], 41, text)
        serials = {document["cards"][i]["serial"] for i in range(len(broken.TEXT_GARBAGE))}
        # two ways to write the same number, and zero
        equal(serials, {None, "010001861180B479", "0000000000000000"}, "serials")


def test_all_ones_of_driver_2_8():
    """A dead chip reads as all ones, some of them turned into figures: 4096 C, 1110 W."""
    with Fake("driver-2.8-reset") as fake:
        document = fake.look()
        for card in document["cards"]:
            equal(card["state"], "gone", "nothing good in it")
            for name, value in card["telemetry"].items():
                absent = NO_SENSOR if name == "fan_rpm" and card["arch"] == "blackhole" else IMPOSSIBLE
                reason = card["unavailable"]["telemetry." + name]
                equal((value, reason in (absent, NOT_EXPORTED)), (None, True), f"{name} {reason}")
            equal((card["serial"], card["asic_id"], card["firmware"]), (None, None, None), "ids")
        # what the PCI bus says is still true, and enough to name the board
        equal([card["board"] for card in document["cards"]], ["n150", "p150b"], "boards")
        equal([card["arch"] for card in document["cards"]], ["wormhole_b0", "blackhole"], "archs")


def test_sentinels():
    """A code for an error is none; below zero is below zero; 150 degrees and 0 are no heat."""
    wants = dict(zip((card.number for card in broken.SENTINEL_CARDS), (None, -5, None, None)))
    with Fake("sentinels") as fake:
        document = fake.look()
        for number, want in wants.items():
            card = card_of(document, number)
            equal(card["telemetry"]["temperature_c"], want, number)
            equal(card.get("unavailable", {}).get("telemetry.temperature_c"),
                  IMPOSSIBLE if want is None else None, number)
            equal(card["state"], "ok", number)


def test_rounding_and_limits():
    """To the nearest degree, watt and ampere, and the last figures that can be."""
    card = healthy.P150.cards[0]
    temps = {499: 0, 500: 1, 1499: 1, 1500: 2, 41499: 41, 41500: 42, 149499: 149, 149500: None,
             65535999: None, 65535600: 0, 65535400: -1, 65496000: -40, 65495000: None,
             32768001: None, 4294967295: None, 18446744073709551615: None}
    powers = {499999: 0, 500000: 1, 2000499999: 2000, 2000500000: None, 4293967296: None}
    clocks = {0: 0, 5000: 5000, 5001: None, ONES: None}
    with Fake("p150") as fake:
        def check(file, name, values):
            for raw, want in values.items():
                fake.put(file, raw)
                equal(card_of(fake.look())["telemetry"][name], want, f"{name} of {raw}")
        check(f"{card.hwmon_home}/temp1_input", "temperature_c", temps)
        check(f"{card.hwmon_home}/power1_input", "power_w", powers)
        check(f"{card.home}/tt_aiclk", "aiclk_mhz", clocks)


def test_drivers_that_are_wrong():
    """Before 1.34 a Wormhole's degrees are 2.4 % high; 1.27 gives power in the wrong unit."""
    card = healthy.N150.cards[0]
    for sixteenths in (528, 805, 872, 1000, 16 * 75, 16 * 50 + 5):
        for driver, factor in (("1.33", 64), ("1.30", 64), ("1.34", 62.5), ("2.0.0", 62.5)):
            raw = int(sixteenths * factor)
            host = Host("old", "", driver, (dataclasses.replace(card, temp=raw),))
            with Fake(host) as fake:
                equal(card_of(fake.look())["telemetry"]["temperature_c"],
                      (sixteenths + 8) // 16, f"{driver} {sixteenths}")
    with Fake(Host("oldest", "", "1.27", (dataclasses.replace(card, uw=22000),))) as fake:
        got = card_of(fake.look())
        equal((got["telemetry"]["power_w"], got["telemetry"]["current_a"]), (None, 25), "1.27")
        equal(got["unavailable"]["telemetry.power_w"], IMPOSSIBLE, "1.27")
    with Fake(Host("oldest", "", "1.28", (card,))) as fake:
        equal(card_of(fake.look())["telemetry"]["power_w"], 22, "1.28")


def test_unplugged():
    """A name that leads nowhere is a card that is gone; the one beside it is as ever."""
    with Fake("unplugged") as fake:
        card = card_of(fake.look(), 1)
        equal((card["state"], card["board"], card["pci_address"]), ("gone", None, None), "gone")
        equal(set(card["telemetry"].values()), {None}, "figures")
        equal((card["handles"], card["users"]), (None, []), "users")


def test_no_pci():
    """Attributes of the class are read; what the PCI device would say is not known."""
    with Fake("no-pci") as fake:
        card = card_of(fake.look())
        equal((card["state"], card["board"], card["pci_address"]), ("ok", "n150", None), "card")
        equal((card["telemetry"]["aiclk_mhz"], card["telemetry"]["power_w"]), (500, None), "figures")
        equal(set(card["pcie"].values()), {None}, "link")
        equal(card["unavailable"]["pcie.width"], NOT_EXPORTED, "its reason")
        equal(card["arch"], "wormhole_b0", "from the board")


def test_strange_names():
    """Only tenstorrent!NUMBER is a card; one of which nothing can be read is gone."""
    with Fake("strange-names") as fake:
        states = {card["number"]: card["state"] for card in fake.look()["cards"]}
        equal(states, {0: "ok", 5: "gone", 6: "gone", 8: "gone"}, "states")


def test_lists_of_users():
    """Dead, foreign, many and malformed: counted once, none invented."""
    with Fake("pids-dead") as fake:
        document = fake.look()
        equal([card_of(document, n)["handles"] for n in range(4)], [5, 14001, 1, 2], "handles")
        equal([card_of(document, n)["foreign_handles"] for n in range(4)], [3, 0, 0, 0], "foreign")
        equal([users_of(document, n) for n in range(4)],
              [{999999: 1, 4242: 1}, {4242: 14000, 4310: 1}, {4310: 1}, {4400: 2}], "users")
        processes = {p["pid"]: p for p in document["processes"]}
        equal((processes[999999]["state"], processes[999999]["command"]), ("gone", None), "dead")
        equal((processes[4400]["state"], processes[4400]["command"]), ("live", "python3"), "zombie")
        equal(processes[4400]["host_memory_bytes"], None, "no memory is left of it")
        equal(processes[4242]["source"], "driver", "keeps no table")
        equal(chips_of(document)[0]["memory"]["dram"]["unavailable"]["occupied_bytes"], ELSEWHERE,
              "somebody unseen")


def test_many_users():
    """More processes than a card's list has places: the descriptors are still all counted."""
    with Fake("n150") as fake:
        hosts.set_pids(fake.path, 0, range(100000, 100400))
        card = card_of(fake.look())
        equal((card["handles"], len(card["users"])), (400, 256), "users")
        equal([user["pid"] for user in card["users"]], list(range(100000, 100256)), "the newest")


def test_hostile_commands():
    """Whatever a process is called, it is one process and the document is whole."""
    with Fake("hostile") as fake:
        processes = {p["pid"]: p for p in fake.look()["processes"]}
        for pid, (comm, command) in zip(broken.HOSTILE_PIDS, broken.HOSTILE):
            equal(processes[pid]["state"], "live", comm)
            equal(processes[pid]["uid"], 1000, comm)
            equal("\0" in (processes[pid]["command"] or ""), False, comm)


def test_lock_is_read_and_not_taken():
    """Who started the chip: read-only, without a system call that could take the mutex."""
    card, name = healthy.N300.cards[0], "dev/shm/TT_UMD_LOCK.CHIP_IN_USE_0_PCIe"
    holder = lock((4251, 4242))
    cases = (
        (holder, 4242), (lock(), None), (lock((4251, 4242), died=True), 4242),
        (holder[:48], None), (holder[:55], None), (holder + b"more", 4242), (b"", None),
        (holder[:40] + b"NOTALOCK" + holder[48:], None), (holder[:52] + bytes(4), None),
        (holder[:52] + b"\xff" * 4, None),
    )
    with Fake("n300") as fake:
        for content, want in cases:
            fake.put(name, content)
            before = (fake.path / name).read_bytes(), (fake.path / name).stat().st_mtime_ns
            equal(card_of(fake.look())["started_by"], want, content)
            equal(((fake.path / name).read_bytes(), (fake.path / name).stat().st_mtime_ns), before,
                  "untouched")
        # not the lock that is meant: a link could lead to the device itself
        fake.remove(name)
        os.symlink(fake.path / "dev/tenstorrent" / str(card.number), fake.path / name)
        met = faults.run([TTMEM, "--no-server", "--root", str(fake.path), "--format=json"])
        equal((met.process.returncode, met.opened_below("dev/tenstorrent")), (0, []), "a link")


def test_dead_holder():
    """A lock of a process that ended is a hint that says so; nobody has the card open."""
    with Fake("dead-holder") as fake:
        document = fake.look()
        equal((card_of(document)["started_by"], card_of(document)["users"]), (4242, []), "hint")
        equal([p for p in document["processes"] if p["pid"] == 4242], [], "no such process")


def test_containers_and_host_memory():
    """The container a user runs in, by what the kernel calls its group; memory in bytes."""
    with Fake("containers") as fake:
        processes = {p["pid"]: p for p in fake.look()["processes"]}
        got = [(p["container"], p["pod"], p["inner_pid"])
               for p in (processes[6001], processes[6002])]
        equal(got, [(broken.CONTAINER_ID, broken.POD_UID.replace("_", "-"), 17),
                    (broken.CONTAINER_ID[::-1], None, 9)], "container, pod, number in it")
        equal((processes[6001]["pinned_memory_bytes"], "unavailable" in processes[6001]),
              (None, False), "a kernel that has no such line")
    with Fake("host-memory") as fake:
        process = next(p for p in fake.look()["processes"] if p["pid"] == 4242)
        equal((process["host_memory_bytes"], process["pinned_memory_bytes"]),
              (812344 * 1024, 2097152 * 1024), "memory")


def test_32_cards():
    """Every one of a galaxy, by the driver's number, each chip with an id of its own."""
    for name in ("galaxy-wh", "galaxy-bh"):
        with Fake(name) as fake:
            document = fake.look()
            equal([d["number"] for d in document["devices"]], list(range(32)), name)
            equal([int(d["unique_id"]) for d in document["devices"]],
                  [fake.card(n).asic_id for n in range(32)], name)


def test_two_functions_of_a_board():
    """Two cards with one serial number and an id each, and none of them remote."""
    with Fake("p300") as fake:
        document = fake.look()
        cards = document["cards"]
        equal(len({card["serial"] for card in cards}), 1, "one board")
        equal(len({card["asic_id"] for card in cards}), 2, "two chips")
        equal([(d["card"], d["remote"]) for d in document["devices"]], [(0, False), (1, False)],
              "devices")


def with_serial(host, *serials):
    """A host whose cards have other serial numbers and no ids of their own that would match."""
    cards = [dataclasses.replace(card, serial=serial) for card, serial in zip(host.cards, serials)]
    return dataclasses.replace(host, cards=tuple(cards))


@contextlib.contextmanager
def user_of(fake, *numbers, chips=1):
    """The stand-in with a buffer, as a user of these cards; its chips are STANDIN_ID and on."""
    with App() as program:
        program("open", chips, 0, 0)
        program("many", 0, 5)
        for card in fake.host.cards:
            hosts.set_pids(fake.path, card.number,
                           [program.pid] * 2 if card.number in numbers else [])
        yield program


def test_chip_on_its_card():
    """A process's chip is found on the card whose serial number it is; the other card is idle."""
    host = with_serial(dataclasses.replace(healthy.N150, cards=broken.PAIR), STANDIN_ID, 0x41231911139)
    with Fake(host) as fake, user_of(fake, 0) as program:
        document = fake.look()
        used, idle = chips_of(document, 0)[0], chips_of(document, 1)[0]
        equal((used["unique_id"], used["number"], used["chip_id"]), (str(STANDIN_ID), 0, 0), "it")
        equal(used["memory"]["dram"]["buffers"] > 0, True, "its buffers")
        equal("estimates" in used["memory"]["dram"], False, "told by its process, not nominal")
        equal((idle["chip_id"], idle["memory"]["dram"]["occupied_bytes"]), (None, 0), "idle")
        equal(users_of(document, 0), {program.pid: 2}, "user")
        process = next(p for p in document["processes"] if p["pid"] == program.pid)
        equal((process["source"], process["host_memory_bytes"] > 1 << 20), ("hook", True), "process")


def test_chip_of_no_card():
    """Better no card than a wrong one: it stands behind all cards, and says so."""
    with Fake("mixed") as fake, user_of(fake, 3) as program:
        document = fake.look()
        lost = [d for d in document["devices"] if d["card"] is None]
        equal([(d["unique_id"], d["number"]) for d in lost], [(str(STANDIN_ID), 8)], "lost")
        equal((lost[0]["dram_physical_bytes"], lost[0]["unavailable"]["dram_physical_bytes"]),
              (None, "no card of this machine has this chip"), "its size")
        equal(users_of(document, 3), {program.pid: 2}, "user")
        text = ttmem("--no-server", "--root", fake.path, "--width", 80).stdout
        equal("! matches no card" in text, True, "said")


def test_chip_of_one_of_two():
    """Two functions with one serial number: the one its process has open, else none of them."""
    host = with_serial(hosts.HOSTS["p300"], STANDIN_ID >> 5, STANDIN_ID >> 5)
    for opened, want in (((0,), 0), ((1,), 1), ((0, 1), None), ((), None)):
        with Fake(host) as fake, user_of(fake, *opened):
            document = fake.look()
            chip = next(d for d in document["devices"] if d["unique_id"] == str(STANDIN_ID))
            equal((chip["card"], chip["remote"]), (want, False), opened)
            others = [d for d in document["devices"] if d is not chip]
            equal([d["card"] for d in others], [1 - want] if want is not None else [0, 1], opened)
            for other in others:
                dram = other["memory"]["dram"]
                if want is None:  # it may be this one's
                    equal((dram["occupied_bytes"], dram["unavailable"]["occupied_bytes"]),
                          (None, "no card of this machine has this chip"), opened)
                else:
                    equal(dram["occupied_bytes"], 0, opened)


def test_stranger_beside_a_known_user():
    """One that reports and one that does not: the first one's memory is shown, as a part."""
    host = with_serial(healthy.N150, STANDIN_ID)
    with Fake(host, change=lambda tree: healthy.demo().put(tree)) as fake, user_of(fake, 0) as app:
        hosts.set_pids(fake.path, 0, [app.pid, 4242])
        document = fake.look()
        equal(users_of(document), {app.pid: 1, 4242: 1}, "users")
        equal({p["pid"]: p["source"] for p in document["processes"] if p["pid"] in (app.pid, 4242)},
              {app.pid: "hook", 4242: "driver"}, "sources")
        equal(chips_of(document)[0]["memory"]["dram"]["buffers"] > 0, True, "its buffers")


def served(fake, *options, **more):
    """A server over a fake machine that looks twenty times a second."""
    stack = contextlib.ExitStack()
    where = stack.enter_context(directory())
    server = Server(where, "--root", str(fake.path), "--sample", "0.05", *options, **more)
    stack.push(server)
    server.close = stack.close
    return server


def snapshot_card(server, number=0):
    cards = [c for c in server.get("/v1/snapshot")["cards"] if c["number"] == number]
    return cards[0] if cards else None


def test_server_agrees_with_the_tool():
    """The same figures by either way, of all hosts that are more than a text."""
    for name in ("n300", "p150x4", "pids-dead", "galaxy-bh", "sentinels", "containers"):
        with Fake(name) as fake:
            server, own = served(fake), fake.look()
            try:
                theirs = server.get("/v1/snapshot")
                for document in (own, theirs):
                    for card in document["cards"]:
                        card.pop("age_ns")
                equal(theirs["cards"], own["cards"], name)
                equal(theirs["driver"], own["driver"], name)
                equal(theirs["devices"], own["devices"], name)
                through = ttmem("--format=json", "--root", fake.path,
                                env={"TTMEM_SOCKET_DIR": str(server.directory)}).stdout
                equal('"server":null' in through.replace(" ", ""), False, "through the server")
            finally:
                server.close()


def test_telemetry_that_comes_late():
    """A card that just started: its attributes and sensors appear while the server runs."""
    full = healthy.N150.tree()
    with Fake("late-telemetry") as fake:
        server = served(fake)
        try:
            card = snapshot_card(server)
            equal((card["state"], card["board"], card["serial"]), ("ok", "n150", None), "before")
            equal(set(card["telemetry"].values()), {None}, "before")
            for path, content in full.entries.items():
                there = fake.path / path
                if isinstance(content, bytes) and not there.exists() and (
                        "/tt_" in path or "/hwmon/" in path):
                    there.parent.mkdir(parents=True, exist_ok=True)
                    fake.put(path, content)
            card = wait_until("its serial number", lambda: (
                c := snapshot_card(server)) and c["serial"] and c)
            equal((card["serial"], card["firmware"]), ("010001861180B479", "19.9.0.0"), "after")
            equal((card["telemetry"]["temperature_c"], card["telemetry"]["temperature_limit_c"],
                   card["telemetry"]["aiclk_mhz"]), (34, 75, 500), "after")
        finally:
            server.close()


def test_unplugged_and_back():
    """A card that leaves the class is no card any more; another one in its place is new."""
    with Fake("mixed") as fake:
        server, card = served(fake), fake.card(3)
        name = f"sys/class/tenstorrent/tenstorrent!{card.number}"
        target = os.readlink(fake.path / name)
        try:
            equal(snapshot_card(server, 3)["serial"], f"{card.serial:016X}", "before")
            fake.remove(name)
            wait_until("it goes", lambda: snapshot_card(server, 3) is None)
            fake.put(f"{card.home}/tt_serial", "0000040231911FFF")
            fake.put(f"{card.home}/tt_fw_bundle_ver", "19.10.1.0")
            os.symlink(target, fake.path / name)
            # it is listed at once, and read a moment later
            back = wait_until("it comes back", lambda: (
                c := snapshot_card(server, 3)) and c["serial"] and c)
            equal((back["serial"], back["firmware"]), ("0000040231911FFF", "19.10.1.0"), "new")
            equal([c["number"] for c in server.get("/v1/snapshot")["cards"]], [0, 3, 7], "order")
        finally:
            server.close()


def test_reset_and_back():
    """While it is reset: no figure, the reason, but still the same card. Then all is read again."""
    with Fake("n150") as fake:
        server = served(fake, env={**os.environ, "LD_PRELOAD": str(faults.LIBRARY),
                                   "TTMEM_FAULT": "/tt_:read.ENODATA:40:4000"})
        try:
            card = wait_until("the reset", lambda: (
                c := snapshot_card(server)) and c["state"] == "reset" and c)
            fake.put(f"{fake.card().home}/tt_fw_bundle_ver", "20.0.0.0")
            card = wait_until("a whole look", lambda: (
                c := snapshot_card(server)) and c["firmware"] is None and c)
            equal((card["telemetry"]["aiclk_mhz"], card["unavailable"]["telemetry.aiclk_mhz"]),
                  (None, RESET), "figures")
            equal((card["serial"], card["board"], card["pci_address"]),
                  ("010001861180B479", "n150", "0000:01:00.0"), "the same card")
            card = wait_until("its end", lambda: (
                c := snapshot_card(server)) and c["state"] == "ok" and c)
            equal((card["firmware"], card["telemetry"]["aiclk_mhz"]), ("20.0.0.0", 500), "after")
            equal((card["serial"], "stale" in card), ("010001861180B479", False), "after")
        finally:
            server.close()


def cases():
    for name in hosts.HOSTS:
        if name not in ODD:
            yield f"host {name}", lambda n=name: one_host(n)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), cases()))
