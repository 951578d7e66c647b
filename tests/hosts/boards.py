# SPDX-License-Identifier: Apache-2.0
"""What the driver shows of each board: names, identifiers, and which file since when.

The two tables of attributes are those of the driver's documentation: a file exists when the
driver is new enough for its architecture. Formats are in FORMATS; tests check trees with them.
"""
import dataclasses

NEVER = (99,)


@dataclasses.dataclass(frozen=True)
class Board:
    card_type: str
    arch: str  # also the name of its hwmon
    subsystem: int  # PCI subsystem device; the board's number in bits 51..36 of tt_serial
    link: str
    max_temp: int = 75000
    max_mv: int = 950
    max_ma: int = 170000
    max_uw: int = 85000000


def _wormhole(card_type, subsystem, **limits):
    return Board(card_type, "wormhole", subsystem, "16.0 GT/s PCIe", **limits)


def _blackhole(card_type, subsystem):
    return Board(card_type, "blackhole", subsystem, "32.0 GT/s PCIe", 90000, 900, 440000, 300000000)


BOARDS = {b.card_type: b for b in (
    _wormhole("n150", 0x18, max_ma=240000, max_uw=100000000),
    _wormhole("n300", 0x14),
    _wormhole("galaxy-wormhole", 0x35),
    _blackhole("p100a", 0x43),
    _blackhole("p150a", 0x40),
    _blackhole("p150b", 0x41),
    _blackhole("p300a", 0x45),
    _blackhole("galaxy-blackhole", 0x47),
)}
PCI_DEVICE = {"wormhole": 0x401e, "blackhole": 0xb140}
PCI_REVISION = {"wormhole": 1, "blackhole": 0}

# file -> driver release that first has it (Wormhole, Blackhole)
ATTRIBUTES = {
    "tt_aiclk": ((1, 28), (1, 32)),
    "tt_axiclk": ((1, 28), (1, 32)),
    "tt_arcclk": ((1, 28), (1, 32)),
    "tt_serial": ((1, 28), (1, 32)),
    "tt_card_type": ((1, 28), (1, 32)),
    "tt_asic_id": ((2, 3, 0), (2, 1, 0)),
    "tt_fw_bundle_ver": ((1, 29), (1, 32)),
    "tt_m3app_fw_ver": ((1, 28), (1, 32)),
    "tt_m3bl_fw_ver": ((1, 28), NEVER),
    "tt_arc_fw_ver": ((1, 28), NEVER),
    "tt_eth_fw_ver": ((1, 28), NEVER),
    "tt_ttflash_ver": ((1, 28), NEVER),
    "tt_heartbeat": ((2, 7, 0), (2, 7, 0)),
    "tt_therm_trip_count": (NEVER, (2, 7, 0)),
}
FIRMWARE = {
    "wormhole": {"tt_axiclk": 900, "tt_arcclk": 540, "tt_m3app_fw_ver": "5.4.0.0",
                 "tt_m3bl_fw_ver": "129.2.0.0", "tt_arc_fw_ver": "2.34.0.0",
                 "tt_eth_fw_ver": "7.0.0", "tt_ttflash_ver": "0.3.3.2"},
    "blackhole": {"tt_axiclk": 1000, "tt_arcclk": 800, "tt_m3app_fw_ver": "0.22.0.0",
                  "tt_therm_trip_count": 0},
}
# hwmon: file -> release (Wormhole, Blackhole); labels by architecture
HWMON = {
    "temp1_input": ((1, 27), (1, 32)), "temp1_max": ((1, 27), (2, 9, 0)),
    "in0_input": ((1, 27), (1, 32)), "in0_max": ((1, 27), (2, 9, 0)),
    "curr1_input": ((1, 27), (1, 32)), "curr1_max": ((1, 27), (2, 9, 0)),
    "power1_input": ((1, 27), (1, 32)), "power1_max": ((1, 27), (2, 9, 0)),
    "fan1_input": (NEVER, (2, 0, 0)),
}
LABELS = {
    "wormhole": {"temp1_label": "asic1_temp", "in0_label": "vcore1", "curr1_label": "current1",
                 "power1_label": "power1"},
    "blackhole": {"temp1_label": "asic_temp", "in0_label": "vcore", "curr1_label": "current",
                  "power1_label": "power", "fan1_label": "fan_rpm"},
}
COUNTERS = ("slv_posted_wr_data_word_received", "slv_nonposted_wr_data_word_received",
            "slv_rd_data_word_sent", "mst_posted_wr_data_word_sent",
            "mst_nonposted_wr_data_word_sent", "mst_rd_data_word_received")
COUNTERS_SINCE, PIDS_SINCE, BY_ID_SINCE = (2, 0, 0), (2, 5, 0), (2, 6, 0)
# parameter -> (value, release)
PARAMETERS = {
    "max_devices": ("32", ()), "dma_address_bits": ("0", ()), "reset_limit": ("10", ()),
    "auto_reset_timeout": ("10", ()), "power_policy": ("Y", (2, 6, 0)),
    "idle_power_down_grace_ms": ("5000", (2, 9, 0)),
}

# file name -> how a healthy one looks, to its last byte
_VERSION = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\n"
FORMATS = {
    **dict.fromkeys(("tt_aiclk", "tt_axiclk", "tt_arcclk", "tt_heartbeat", "tt_therm_trip_count",
                     "current_link_width", "max_link_width", "irq"), r"\d{1,10}\n"),
    **{name + noc: r"\d{1,10}\n" for name in COUNTERS for noc in "01"},
    **dict.fromkeys(("tt_serial", "tt_asic_id"), r"[0-9A-F]{16}\n"),
    **dict.fromkeys(("tt_fw_bundle_ver", "tt_m3app_fw_ver", "tt_m3bl_fw_ver", "tt_arc_fw_ver",
                     "tt_ttflash_ver"), _VERSION),
    **{name: r"-?\d{1,10}\n" for name in HWMON},
    "tt_card_type": r"(n300|n150|galaxy-(worm|black)hole|p100a?|p150[abc]|p300[abc]|unknown)\n",
    "tt_eth_fw_ver": r"\d{1,3}\.\d{1,2}\.\d{1,4}\n",
    "dev": r"\d+:\d+\n",
    "vendor": r"0x1e52\n", "subsystem_vendor": r"0x1e52\n",
    "subsystem_device": r"0x[0-9a-f]{4}\n", "revision": r"0x[0-9a-f]{2}\n", "class": r"0x120000\n",
    "numa_node": r"(-1|\d+)\n", "local_cpulist": r"\d+(-\d+)?(,\d+(-\d+)?)*\n",
    "current_link_speed": r"\d+\.\d GT/s PCIe\n", "max_link_speed": r"\d+\.\d GT/s PCIe\n",
    "pids": r"(\d+\n)*",
}


def has(since, arch, driver):
    """Does the driver have a file of a (Wormhole, Blackhole) pair of releases?"""
    return driver >= since[arch == "blackhole"]
