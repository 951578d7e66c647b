# SPDX-License-Identifier: Apache-2.0
"""How UMD makes a chip's unique id from the numbers on its board.

The id depends on whether an Ethernet link was up when the program started, so one chip has
several possible ids. They are also the names of TT-Metal's files in /dev/shm, in decimal.
"""
ON_PCI, BEHIND_LINK = 2, 3


def wormhole_linked(serial, place):
    """n300, or an n150 with a cable: place is ON_PCI or BEHIND_LINK."""
    return place << 32 | (serial >> 4) & 0xF0000000 | serial & 0x0FFFFFFF


def wormhole_alone(serial):
    return serial


def blackhole_linked(serial, location=0):
    """p150 with a cable, p300: location is the chip's place on its board."""
    return serial << 5 | location & 0x1F


def blackhole_alone(asic_id):
    return asic_id
