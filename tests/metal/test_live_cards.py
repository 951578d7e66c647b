#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the memory of a real process stand on the right cards?

Reason: the join of what TT-Metal says with what the driver says is the point of it all. The
released library runs on a mock cluster; the fake machine of the same name has the cards that
such chips would be on. Every chip must be on its card, chips behind Ethernet on their board,
and their figures those that the program's own allocators gave.
"""
import contextlib
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / part) for part in ("hosts", "lib", "unit"))]
sys.dont_write_bytecode = True

import hosts
from compare import check_devices, open_allocators, process_of
from fake import Fake, card_of, chips_of, users_of
from mock import Mock
from test_host_screens import check_box, constant_head
from test_live_hosts import LIVE, VERSION
from test_truth import installed
from testing import TTMEM, Skip, equal, run_tests, ttmem

GOLDEN = HERE.parent / "unit/golden/live"
COMMAND_AT = 28


def check_places(fake, document, rule, pid, chips_told):
    """Card by card: its own chip, then the one behind it, by the ids of the rule.

    A chip that no allocator covers any more is there without its id, as one that is idle.
    """
    told = [d for d in document["devices"] if d["unique_id"]]
    equal(len(told), chips_told, "chips that the process tells of")
    equal([d for d in document["devices"] if d["card"] is None], [], "chips without a card")
    for card in fake.host.cards:
        chips = chips_of(document, card.number)
        want = [str(i) for i in rule(card)]
        equal([chip["unique_id"] or i for chip, i in zip(chips, want)], want, card.number)
        equal([chip["remote"] for chip in chips], [False, True][:len(chips)], card.number)
        equal(users_of(document, card.number), {pid: 2}, card.number)
        equal(card_of(document, card.number)["serial"], f"{card.serial:016X}", card.number)
        for chip in chips:
            whys = chip["memory"]["dram"].get("estimates", {}).values()
            equal(any(why.startswith("nominal") for why in whys), chip["unique_id"] is None,
                  "told by its process, or nominal")
    numbers = [device["number"] for device in document["devices"]]
    equal(numbers, list(range(len(numbers))), "numbers")


def check_pause(fake, rule, line):
    document = fake.look()
    process = process_of(document, line["pid"])
    if not line["views"]:
        equal(open_allocators(process), [], "allocators")
        for device in document["devices"]:
            dram = device["memory"]["dram"]
            equal((dram["occupied_bytes"], dram["buffers"]), (0, 0), f"{device['number']} closed")
        return document
    alone = line["event"] == "parent closed"  # a submesh of one chip is what is left
    check_places(fake, document, rule, line["pid"],
                 1 if alone else sum(len(rule(card)) for card in fake.host.cards))
    allocators = {"allocators": process["allocators"]}
    told = [device for device in document["devices"] if device["unique_id"]]
    check_devices({**allocators, "devices": told}, line["views"], line["event"])
    check_devices({**allocators, "devices": process["devices"]}, line["views"], line["event"])
    return document


def constant(text):
    """Version, time, pid, user and command line; figures stay."""
    lines = []
    for line in text.split("\n"):
        line = constant_head(line)
        if re.match(r"│ \d+ +\S+ +[\d,-]+ ", line):
            chips = re.match(r"│ \d+ +\S+ +([\d,-]+) ", line).group(1)
            head = f"│ {'PID':<8}{'USER':<10}{chips:<10}"
            line = head + "COMMAND".ljust(len(line) - len(head) - 2) + " │"
        lines.append(line)
    return "\n".join(lines)


def screens(fake, cluster, document, pid):
    others = [p for p in document["processes"] if p["pid"] != pid]
    if others:
        raise Skip(f"{len(others)} other processes would be in the picture")
    for width in (80, 120, 200):
        text = constant(ttmem("--no-server", "--root", fake.path, "--width", width).stdout)
        check_box(text, width, cluster)
        file = GOLDEN / f"{cluster}-{width}.txt"
        if os.environ.get("GOLDEN_UPDATE"):
            GOLDEN.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif text != file.read_text():
            raise AssertionError(f"{cluster}-{width} is not what {file} has:\n{text}")


@contextlib.contextmanager
def program(cluster, shape):
    python = installed(VERSION)
    with Fake("live-" + cluster) as fake, Mock(
            python, "mesh.py", *shape, cluster=cluster,
            prefix=[str(TTMEM), "run", "--"]) as mock:
        yield fake, mock


def on_its_card(cluster, shape, rule):
    skipped = None
    with program(cluster, shape) as (fake, mock):
        pauses = []
        for line in mock.pauses():
            for card in fake.host.cards:
                hosts.set_pids(fake.path, card.number, [line["pid"]] * 2)
            document = check_pause(fake, rule, line)
            pauses.append(line["event"])
            if line["event"] == "submesh":
                try:
                    screens(fake, cluster, document, line["pid"])
                except Skip as why:
                    skipped = why
        code, err = mock.end()
        equal((code, len(pauses)), (0, 6), f"{pauses} {err[-300:]}")
    if skipped:
        raise skipped


def cases():
    for cluster, shape, rule in LIVE:
        yield f"cards {cluster}", lambda c=cluster, s=shape, r=rule: on_its_card(c, s, r)


if __name__ == "__main__":
    sys.exit(run_tests({}, cases()))
