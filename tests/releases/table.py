# SPDX-License-Identifier: Apache-2.0
"""The two files that hold what was found: src/metal/builds.c for the programs, table.txt for us."""
import pathlib

import sources

BUILDS = sources.ROOT / "src" / "metal" / "builds.c"
TABLE = pathlib.Path(__file__).resolve().parent / "table.txt"

BUILDS_HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
#include "metal/builds.h"

#include <string.h>

/* Written by tests/releases/check_releases.py from the released wheels; checked by make releases. */
static const struct metal_build builds[] = {
"""

BUILDS_TAIL = """\
};

const struct metal_build *metal_build_find(const uint8_t *id, size_t bytes)
{
	for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++)
		if (bytes == sizeof builds[i].build_id &&
		    memcmp(builds[i].build_id, id, bytes) == 0)
			return &builds[i];
	return NULL;
}
"""

TABLE_HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# What the released wheels of TT-Metal export of what we use, and where their objects keep it.
# Written by check_releases.py --write from the files of the releases; nothing was run.
# A range means: the same in every release checked between its ends.
"""


def builds(releases):
    out = BUILDS_HEAD
    for release in releases:
        octets = [f"0x{b:02x}" for b in release.build_id]
        layout = "METAL_BUFFER_PIMPL" if release.pimpl else "METAL_BUFFER_FIELDS"
        described = release.exports("_ZNK2tt7Cluster16get_cluster_descEv")
        offset = 0 if described else release.cluster_description() or 0
        out += "\t{{%s,\n\t  %s},\n\t \"%s\", %s, 0x%02x},\n" % (
            ", ".join(octets[:10]), ", ".join(octets[10:]), release.version, layout, offset)
    return out + BUILDS_TAIL


def ranges(releases, value):
    """Neighbours of the same value put together: ["0.60.1..0.64.5 value", ...]; "" is left out."""
    runs = []
    for release in releases:
        now = value(release)
        if runs and runs[-1][2] == now:
            runs[-1][1] = release.version
        else:
            runs.append([release.version, release.version, now])
    return [(first if first == last else f"{first}..{last}") + " " + now
            for first, last, now in runs if now]


def spelling(release, names):
    for number, name in enumerate(names):
        if release.exports(name):
            return "yes" if len(names) == 1 else ("first spelling", "older spelling")[number > 0]
    return ""


def hexadecimal(number):
    return "not seen" if number is None else hex(number)


def table(releases, handlers, symbols, fields, slots):
    out = [TABLE_HEAD]

    def section(title, rows):
        out.append("\n" + title + "\n")
        for name, found in rows:
            out.append("  %-24s %s\n" % (name, "; ".join(found) or "in none"))

    section(f"releases: {len(releases)}", [(r.version, [r.build_id.hex()]) for r in releases])
    section("handlers, and through what the calls come", [
        (name, ranges(releases, lambda r, n=names[0]: r.binding(n)))
        for name, names in handlers.items()])
    section("functions we call", [
        (name, ranges(releases, lambda r, n=names: spelling(r, n)))
        for name, names in symbols.items()])
    section("fields of Buffer; from 0.79.0 on of what its pointer at 0x10 leads to", [
        (name, ranges(releases, lambda r, n=name: hexadecimal(r.field(n)))) for name in fields])
    section("slots of a device's vtable", [
        (name, ranges(releases, lambda r, n=name: ", ".join(
            sorted({str(slot) for (_, ours), slot in r.slots.items() if ours == n}))))
        for name in slots])
    section("cluster description in tt::Cluster, where no function gives it", [
        ("offset", ranges(releases, lambda r: "" if r.exports(
            "_ZNK2tt7Cluster16get_cluster_descEv") else hexadecimal(r.cluster_description())))])
    return "".join(out)
