#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does TT-Metal name the chips of a live host as our rules say it does?

Reason: a process and a card of the driver are brought together by the chip's unique id alone.
The fake machine live-NAME has serial numbers; the released library on the mock cluster NAME
has ids. Both must be the same chips, as the hook reports them from inside the program.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "hosts"), str(HERE.parent / "lib")]
sys.dont_write_bytecode = True

import hosts
import ids
from compare import process_of
from mock import Mock
from test_truth import installed
from testing import TTMEM, equal, run_tests, ttmem_json

VERSION = "0.81.1"


def n150(card):
    return [ids.wormhole_alone(card.serial)]


def n300(card):
    return [ids.wormhole_linked(card.serial, place) for place in (ids.ON_PCI, ids.BEHIND_LINK)]


def p150_alone(card):
    return [ids.blackhole_alone(card.asic_id)]


def p150_linked(card):
    return [ids.blackhole_linked(card.serial)]


# cluster, shape of its mesh, ids of one card's chips
LIVE = (("n150", (1, 1), n150), ("n300", (1, 2), n300), ("t3k", (2, 4), n300),
        ("p150", (1, 1), p150_alone), ("4xp150", (2, 2), p150_linked))


def same_chips(cluster, shape, rule):
    want = {str(chip) for card in hosts.HOSTS["live-" + cluster].cards for chip in rule(card)}
    with Mock(installed(VERSION), "mesh.py", *shape, cluster=cluster,
              prefix=[str(TTMEM), "run", "--"]) as mock:
        line = next(mock.pauses())
        devices = process_of(ttmem_json(), line["pid"])["devices"]
        equal({device["unique_id"] for device in devices}, want, cluster)


def cases():
    for cluster, shape, rule in LIVE:
        yield f"same chips {cluster}", lambda c=cluster, s=shape, r=rule: same_chips(c, s, r)


if __name__ == "__main__":
    sys.exit(run_tests({}, cases()))
