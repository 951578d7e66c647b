#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is the stand-in what it claims to be? Without any hook.

    check_standin.py DIRECTORY      where the libraries and standin-app were built

A test of the hook is worth as much as the thing it runs on. Checked are, for every generation:
calls that a hook steps into are bound by JUMP_SLOT and virtual ones by name in the vtable's right
slot; names that a generation must not have are absent; the binding is lazy. And for random
histories: the allocator's figures are those of a naive sum over the buffers, blocks tile their
region, and no two of them overlap.
"""
import json
import pathlib
import re
import subprocess
import sys

BANKS = {"dram": 12, "l1": 64, "l1_small": 64, "trace": 12}
ALIGNMENT = {"dram": 32, "l1": 16, "l1_small": 16, "trace": 32}

METAL = "_ZN2tt8tt_metal"
CONST = "_ZNK2tt8tt_metal"
SPAN = "St4spanIKjLm18446744073709551615EE"
NEW = (66, 70, 79, 98, 99)
OLD = (60, 62, 64)
ALL = OLD + NEW

# name, generations that call it through the PLT; in all others it must not be exported
CALLED = (
    (METAL + "12GraphTracker14track_allocateEPKNS0_6BufferE", ALL),
    (METAL + "12GraphTracker16track_deallocateEPNS0_6BufferE", ALL),
    (METAL + "12GraphTracker13hook_allocateEPKNS0_6BufferE", ALL),
    (METAL + "12GraphTracker15hook_deallocateEPNS0_6BufferE", ALL),
    (METAL + "12GraphTracker17track_allocate_cbERK12CoreRangeSetmmbPKNS0_7IDeviceE", (60, 62)),
    (METAL + "12GraphTracker17track_allocate_cbERKNS0_12CoreRangeSetEmmbPKNS0_7IDeviceE",
     (64,) + NEW),
    (METAL + "9Allocator15allocate_bufferEPNS0_6BufferE", OLD),
    (METAL + "9Allocator17deallocate_bufferEPNS0_6BufferE", OLD),
    (METAL + "13AllocatorImpl15allocate_bufferEPNS0_6BufferE", NEW),
    (METAL + "13AllocatorImpl17deallocate_bufferEPNS0_6BufferE", NEW),
    (METAL + "13AllocatorImpl18deallocate_buffersEv", NEW),
    (METAL + "11distributed14MeshDeviceImpl10close_implEPNS1_10MeshDeviceE", NEW),
    (METAL + "11distributed14MeshDeviceImpl15initialize_implEPNS1_10MeshDeviceEhmmm" + SPAN + "b",
     NEW),
    (METAL + "6Buffer13allocate_implEv", (60, 62, 64, 66, 70, 98, 99)),
    (METAL + "6Buffer19mark_as_deallocatedEv", (60, 62, 64, 66, 70, 98, 99)),
    (METAL + "10BufferImpl13allocate_implERNS0_6BufferE", (79,)),
    (METAL + "6DeviceD1Ev", ALL),
    (METAL + "6Device5closeEv", ALL),
    (METAL + "6BufferD1Ev", ALL),
    (METAL + "11distributed10MeshDeviceD1Ev", ALL),
)
# exported, whether or not anything inside calls it; in all others absent
EXPORTED = (
    (METAL + "12GraphTracker19track_deallocate_cbEPKNS0_7IDeviceE", ALL),
    (CONST + "12GraphTracker10is_enabledEv", ALL),
    *((CONST + "6Buffer" + name + "Ev", ALL) for name in (
        "7address", "9page_size", "9num_pages", "13num_dev_pages", "12aligned_size",
        "17aligned_page_size", "21aligned_size_per_bank", "5is_l1", "7is_dram", "12is_allocated",
        "9num_cores")),
    *((CONST + "6Buffer" + name + "Ev", (79,)) for name in (
        "4impl", "4size", "11buffer_type", "13buffer_layout", "6device", "9unique_id")),
    (CONST + "6Buffer9allocatorEv", NEW),
    (METAL + "6BufferC1EPNS0_7IDeviceEmmNS0_10BufferTypeERKNS0_18BufferShardingArgsESt8optionalIb"
     "ES8_IN4ttsl10StrongTypeIhNS0_14SubDeviceIdTagEEEEbNS1_7PrivateE",
     (60, 62, 64, 66, 70, 98, 99)),
    (METAL + "6BufferC1ENS0_10BufferImplE", (79,)),
    *((CONST + "9Allocator" + name, ALL) for name in (
        "14get_statisticsERKNS0_10BufferTypeE", "13get_num_banksERKNS0_10BufferTypeE",
        "13get_bank_sizeERKNS0_10BufferTypeE", "23get_base_allocator_addrERKNS0_10HalMemTypeE")),
    *((CONST + "13AllocatorImpl" + name, NEW) for name in (
        "14get_statisticsERKNS0_10BufferTypeE", "13get_num_banksERKNS0_10BufferTypeE",
        "13get_bank_sizeERKNS0_10BufferTypeE", "23get_base_allocator_addrERKNS0_10HalMemTypeE",
        "30get_lowest_occupied_l1_addressEj", "25get_num_allocated_buffersEv",
        "13get_alignmentENS0_10BufferTypeE", "10get_configEv")),
    (CONST + "9Allocator30get_lowest_occupied_l1_addressEj", OLD),
    *((CONST + "11distributed10MeshDevice" + name + "Ev", ALL) for name in (
        "2id", "11get_devices", "11num_devices", "15get_parent_mesh",
        "30compute_with_storage_grid_size")),
    (CONST + "11distributed10MeshDevice14allocator_implEv", NEW),
    (CONST + "6Device14allocator_implEv", NEW),
    (METAL + "12MetalContext8instanceEv", (66,)),
    (METAL + "12MetalContext8instanceEN4ttsl10StrongTypeIiNS0_12ContextIdTagEEE",
     (70, 79, 98, 99)),
    (METAL + "12MetalContext11get_clusterEv", NEW),
    ("_ZNK2tt7Cluster16get_cluster_descEv", (70, 79, 98, 99)),
    ("_ZNK12CoreRangeSet9num_coresEv", (60, 62)),
    ("_ZNK2tt8tt_metal12CoreRangeSet9num_coresEv", (64,) + NEW),
    (METAL + "11distributed10MeshDevice10initializeEhmmm" + SPAN + "b", (62, 64) + NEW),
    (METAL + "6Device10initializeEhmmmN4ttsl4SpanIKjLm18446744073709551615EEEb", (60,)),
    (METAL + "6Device10initializeEhmmm" + SPAN + "b", (62, 64) + NEW),
)
UMD = ["_ZNK2tt3umd17ClusterDescriptor" + name + "Ev" for name in (
    "19get_chip_unique_ids", "19get_chips_with_mmio", "17get_chip_pci_bdfsB5cxx11")]

# slots of the vtable that stay (method of the class, slot), and those that move
FIXED = (("D1Ev", 0), ("D0Ev", 1), ("4archEv", 2), ("2idEv", 3), ("8build_idEv", 4),
         ("14is_initializedEv", 6), ("17num_dram_channelsEv", 7), ("16l1_size_per_coreEv", 8),
         ("21dram_size_per_channelEv", 9))
MOVING = {  # grid, allocator, allocator_impl, initialize, close
    60: (27, 30, None, 53, 59), 62: (27, 30, None, 47, 53), 64: (27, 30, None, 45, 51),
    66: (27, 30, 32, 47, 53), 70: (19, 22, 24, 37, 38), 79: (20, 23, 25, 38, 39),
    98: (19, 22, 24, 37, 38), 99: (19, 22, 24, 37, 38)}
CLASSES = ("N2tt8tt_metal6DeviceE", "N2tt8tt_metal11distributed10MeshDeviceE")

# variant of 79: what it must lack
VARIANTS = {
    "nostatistics": [CONST + "13AllocatorImpl14get_statisticsERKNS0_10BufferTypeE",
                     CONST + "9Allocator14get_statisticsERKNS0_10BufferTypeE"],
    "noimplstatistics": [CONST + "13AllocatorImpl14get_statisticsERKNS0_10BufferTypeE"],
    "nouniqueids": ["_ZNK2tt7Cluster16get_cluster_descEv"],
    "nofailures": [METAL + "13AllocatorImpl15allocate_bufferEPNS0_6BufferE"],
}

faults = []


def expect(good, text):
    if not good:
        faults.append(text)


class Library:
    """What readelf says of a library."""

    def __init__(self, path):
        self.path = path
        self.dynamic = self.readelf("-dlW")
        self.symbols = {}  # name -> address of what is defined and visible
        for line in self.readelf("--dyn-syms", "-W").splitlines():
            parts = line.split()
            if len(parts) >= 8 and parts[0][:-1].isdigit() and parts[6] not in ("UND", "Ndx"):
                self.symbols[parts[7]] = int(parts[1], 16)
        self.called, self.pointers = set(), {}
        for line in self.readelf("-rW").splitlines():
            parts = line.split()
            if len(parts) < 5:
                continue
            if parts[2].startswith("R_X86_64_JUMP_SLO"):
                self.called.add(parts[4])
            elif parts[2] == "R_X86_64_64":
                self.pointers[int(parts[0], 16)] = parts[4]

    def readelf(self, *arguments):
        done = subprocess.run(["readelf", *arguments, str(self.path)], capture_output=True,
                              text=True, check=True)
        return done.stdout

    def slot(self, class_name, number):
        """The name in a vtable's slot, behind the two words of its head."""
        return self.pointers.get(self.symbols["_ZTV" + class_name] + 16 + 8 * number)


def check_binding(library, what):
    expect("BIND_NOW" not in library.dynamic and " NOW" not in library.dynamic,
           f"{what}: not lazy")
    expect("SYMBOLIC" not in library.dynamic, f"{what}: linked with -Bsymbolic")
    expect("GNU_RELRO" in library.dynamic, f"{what}: no RELRO")
    soname = re.search(r"SONAME.*\[(.*)\]", library.dynamic)
    expect(soname and soname.group(1) == library.path.name, f"{what}: SONAME {soname}")


def check_names(library, generation, lacking=()):
    for name, generations in CALLED:
        there = generation in generations and name not in lacking
        expect((name in library.symbols) == there, f"{generation}: {name} exported: {not there}")
        expect(not there or name in library.called, f"{generation}: no JUMP_SLOT for {name}")
    for name, generations in EXPORTED:
        there = generation in generations and name not in lacking
        expect((name in library.symbols) == there, f"{generation}: {name} exported: {not there}")
    told = METAL + "12GraphTracker19track_deallocate_cbEPKNS0_7IDeviceE"
    expect((told in library.called) == (generation >= 70), f"{generation}: calls {told}")
    needs_umd = "libtt-umd.so.0" in library.dynamic
    expect(needs_umd == (generation >= 70), f"{generation}: needs libtt-umd.so.0: {needs_umd}")


def check_vtables(library, generation):
    grid, allocator, impl, initialize, close = MOVING[generation]
    moving = [("30compute_with_storage_grid_sizeEv", grid), ("9allocatorEv", allocator),
              ("5closeEv", close), ("10initializeE", initialize)]
    if impl:
        moving.append(("14allocator_implEv", impl))
    for class_name in CLASSES:
        for method, slot in (*FIXED, *moving):
            found = library.slot(class_name, slot) or "nothing"
            stem = class_name[1:-1]
            expect(re.match(f"_ZNK?{stem}{re.escape(method)}", found),
                   f"{generation}: slot {slot} of {class_name} is {found}, not {method}")


class App:
    def __init__(self, directory, library):
        self.process = subprocess.Popen([str(directory / "standin-app"), str(library)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.answer()["pid"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"standin-app ended: {self.process.wait()}")
        return json.loads(line)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.communicate(timeout=60)
        return self.process.returncode


def naive_bank_bytes(buffer):
    """Pages shared out over banks or cores, each on its own aligned stretch."""
    step = ALIGNMENT[buffer["type"]]
    shares = buffer["cores"] or BANKS[buffer["type"]]
    pages = -(-buffer["size"] // buffer["page_size"])
    return -(-pages // shares) * (-(-buffer["page_size"] // step) * step)


def check_memory(app, mesh, what):
    figures = app("stats", mesh)
    live = [b for b in app("list")["buffers"] if b["mesh"] == mesh and b["allocated"]]
    for kind, memory in figures.items():
        mine = sorted([b["address"], naive_bank_bytes(b)] for b in live if b["type"] == kind)
        where = f"{what}: {kind}"
        expect(mine == memory["blocks"], f"{where}: buffers are not the taken blocks")
        expect(sum(size for _, size in mine) == memory["allocated_bytes"], f"{where}: sum")
        blocks = app("blocks", mesh, kind)["blocks"]
        at, previous = memory["base"], None
        for address, size, state in blocks:
            expect(address == at, f"{where}: a hole or overlap at {address}")
            expect(size > 0 and (state, previous) != ("free", "free"), f"{where}: not merged")
            at, previous = address + size, state
        free = [size for _, size, state in blocks if state == "free"]
        expect(at == memory["base"] + memory["size_bytes"], f"{where}: end of the region")
        expect(sum(free) == memory["free_bytes"], f"{where}: free")
        expect(max(free, default=0) == memory["largest_free_bytes"], f"{where}: largest free")
        expect(memory["allocated_bytes"] + memory["free_bytes"] == memory["size_bytes"],
               f"{where}: taken + free")
    return figures


def check_directions(app):
    """DRAM and TRACE from below, L1 and L1_SMALL from above, L1_SMALL at the very top."""
    figures = app("stats", 0)
    for kind, cores in (("dram", 0), ("trace", 0), ("l1", 0), ("l1_small", 1)):
        memory = figures[kind]
        address = app("alloc", 0, kind, 2048, 2048, cores)["address"]
        below = kind in ("dram", "trace")
        expect(address == memory["base"] + (0 if below else memory["size_bytes"] - 2048),
               f"{kind}: first buffer at {address}")
    small, dram, trace = figures["l1_small"], figures["dram"], figures["trace"]
    expect(small["base"] + small["size_bytes"] == 1499136, "L1_SMALL ends where L1 ends")
    expect(figures["l1"]["base"] + figures["l1"]["size_bytes"] == small["base"], "L1 below it")
    expect(dram["base"] + dram["size_bytes"] == trace["base"], "TRACE above DRAM")
    expect(trace["base"] + trace["size_bytes"] == 1 << 30, "TRACE ends where DRAM ends")


def check_events(app, what):
    """What raises an event and what does not."""
    def counts():
        c = app("events")
        return c["track_allocate"], c["track_deallocate"]

    start = counts()
    app("view", 0)
    expect("Out of Memory" in app("fail", 0, "l1")["error"], f"{what}: fail")
    expect(app("validate", 0)["code"] == -1, f"{what}: validate")
    expect(counts() == start, f"{what}: views and failures raise events")
    app("capture", 0, 4096)
    expect(counts() == (start[0] + 1, start[1]), f"{what}: a capture raises one")
    app("capture", "begin")
    made = app("alloc", 0, "l1", 4096, 2048)
    expect(made["address"] == 0, f"{what}: a captured buffer has an address")
    app("free", made["buffer"])
    app("capture", "end")
    expect(counts() == (start[0] + 2, start[1] + 1), f"{what}: free in a capture")


def check_histories(directory, path, what):
    app = App(directory, path)
    app("open", 1, 16384, 1 << 20)
    check_directions(app)
    check_events(app, what)
    for seed in range(3):
        app("random", 0, 2000, seed)
        check_memory(app, 0, f"{what} seed {seed}")
    app("threads", 0, 1500, 4)
    check_memory(app, 0, what + " threads")
    app("submesh", 0, 0)
    app("random", 1, 500, 9)
    check_memory(app, 1, what + " submesh")
    check_memory(app, 0, what + " beside it")
    before = app("events")
    app("close", 1)
    closed = app("close", 0)
    expect(closed["left"] > 0 and app("events") == before, f"{what}: close raises events")
    app("open", "0,2:77,1", 0, 0)
    app("random", 2, 500, 4)
    app("freeall")
    figures = check_memory(app, 2, what + " all freed")
    expect(all(m["allocated_bytes"] == 0 for m in figures.values()), f"{what}: something is left")
    expect(figures["l1_small"]["banks"] == 0, f"{what}: no L1_SMALL asked for")
    expect(app.end() == 0, f"{what}: its end")


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    directory = pathlib.Path(sys.argv[1]).resolve()
    libraries = [(f"gen{g}", g, []) for g in ALL]
    libraries += [(name, 79, lacking) for name, lacking in VARIANTS.items()]
    umd = Library(directory / "umd" / "libtt-umd.so.0")
    check_binding(umd, "umd")
    expect(set(UMD) <= set(umd.symbols), "umd: a name is missing")
    for folder, generation, lacking in libraries:
        before = len(faults)
        path = directory / folder / ("_ttnncpp.so" if generation == 60 else "libtt_metal.so")
        library = Library(path)
        check_binding(library, folder)
        check_names(library, generation, lacking)
        check_vtables(library, generation)
        try:
            check_histories(directory, path, folder)
        except (AssertionError, BrokenPipeError) as error:
            faults.append(f"{folder}: {error}")
        print("ok" if len(faults) == before else "not ok", folder, flush=True)
    for fault in faults[:50]:
        print("  " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
