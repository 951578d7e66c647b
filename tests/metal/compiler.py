#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the device compiler of TT-Metal, so that operations get programs without it.

TT-Metal compiles and links every kernel by calling riscv-tt-elf-g++ and then loads the ELF
file. On a mock cluster nobody runs that code; it only has to be a file that the loader takes.
So every kernel becomes the same kilobyte: a return and then nothing. There are four calls:

    --version                       names the toolchain that built the firmware in the wheel,
                                    which is then used as it is
    -x c++-header ... -o FILE.gch   an empty file will do
    -c ... -o FILE.o -MF FILE.d     an empty file, and a make rule without sources
    -T SCRIPT ... -o FILE.elf       the ELF file: text where the script or the firmware puts it

install.py copies this file into the wheel; it stands alone and uses nothing but Python.
"""
import os
import pathlib
import re
import struct
import sys

TEXT_BYTES, DATA_BYTES = 1024, 16
RETURN, NOP = struct.pack("<I", 0x00008067), struct.pack("<I", 0x00000013)
# Where text and data of firmware go when nothing says so.
TEXT_ADDRESS, DATA_ADDRESS = 0x8000, 0xFFB00000
ABSOLUTE = 0xFFF1


def value_of(arguments, option):
    """The last value of an option, joined to it or standing apart."""
    value = None
    for at, argument in enumerate(arguments):
        if argument == option and at + 1 < len(arguments):
            value = arguments[at + 1]
        elif argument.startswith(option) and len(option) == 2 and len(argument) > 2:
            value = argument[2:]
    return value


def write(path, data):
    """Whole or not at all: TT-Metal compiles in several processes."""
    scratch = f"{path}.{os.getpid()}"
    pathlib.Path(scratch).write_bytes(data)
    os.replace(scratch, path)


def firmware_symbols(path):
    """Symbols of a 32-bit ELF file: {name: value}."""
    data = pathlib.Path(path).read_bytes()
    at, = struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 46)
    sections = [struct.unpack_from("<10I", data, at + i * size) for i in range(count)]
    out = {}
    for section in sections:
        if section[1] == 2:  # SHT_SYMTAB
            strings = sections[section[6]][4]
            for name, value, *_ in struct.iter_unpack(
                    "<IIIBBH", data[section[4]:section[4] + section[5]]):
                start = strings + name
                out[data[start:data.index(b"\0", start)].decode()] = value
    return out


def section_address(script, name, symbols, default):
    """`.text ADDRESS :` of a linker script, where the address is a number or a symbol."""
    found = re.search(rf"^\s*\.{name}\s+(\w+)\s*:", script, re.M)
    if not found:
        return default
    word = found.group(1)
    if word in symbols:
        return symbols[word]
    return int(word, 0) if word[0].isdigit() else default


def elf(text_at, data_at, data_load_at, symbols):
    """A 32-bit RISC-V executable of two segments, with the relocation table that is asked for."""
    text = RETURN + NOP * (TEXT_BYTES // 4 - 1)
    strings, table = b"\0", bytes(16)
    for name, value in symbols.items():
        table += struct.pack("<IIIBBH", len(strings), value & 0xFFFFFFFF, 0, 0x10, 0, ABSOLUTE)
        strings += name.encode() + b"\0"
    # name, type, flags, address, content, link, info, entry size
    sections = [
        (".text", 1, 6, text_at, text, 0, 0, 0),
        (".data", 1, 3, data_at, bytes(DATA_BYTES), 0, 0, 0),
        (".rela.text", 4, 0x40, 0, struct.pack("<IIi", text_at, 0, 0), 4, 1, 12),
        (".symtab", 2, 0, 0, table, 5, 1, 16),
        (".strtab", 3, 0, 0, strings, 0, 0, 0),
    ]
    names = b"\0" + b"".join(s[0].encode() + b"\0" for s in sections) + b".shstrtab\0"
    sections.append((".shstrtab", 3, 0, 0, names, 0, 0, 0))

    body, offsets = b"", []
    start = 52 + 2 * 32
    for section in sections:
        offsets.append(start + len(body))
        body += section[4] + bytes(-len(section[4]) % 4)
    headers = bytes(40)
    for (name, kind, flags, address, content, link, info, entry), offset in zip(sections, offsets):
        headers += struct.pack("<10I", names.index(b"\0" + name.encode() + b"\0") + 1, kind, flags,
                               address, offset, len(content), link, info, 4, entry)
    segments = b"".join(struct.pack("<8I", 1, offset, address, load, size, size, flags, 4)
                        for offset, address, load, size, flags in (
                            (offsets[0], text_at, text_at, TEXT_BYTES, 5),
                            (offsets[1], data_at, data_load_at, DATA_BYTES, 6)))
    head = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, text_at, 52, start + len(body), 0, 52, 32, 2, 40,
        len(sections) + 1, len(sections))
    return head + segments + body + headers


def link(arguments, output):
    script_path = pathlib.Path(value_of(arguments, "-T") or "")
    script = script_path.read_text() if script_path.is_file() else ""
    symbols = {}
    for argument in arguments:
        if argument.startswith("-Wl,--just-symbols="):
            symbols.update(firmware_symbols(argument.partition("=")[2]))
    text_at = section_address(script, "text", symbols, TEXT_ADDRESS)
    data_at = section_address(script, "data", symbols, DATA_ADDRESS)
    text_end, data_end = text_at + TEXT_BYTES, data_at + DATA_BYTES
    firmware = script_path.name.startswith("firmware")
    own = {"_start": text_at, "__kernel_text_start": text_at, "__kernel_data_lma": text_end,
           "__ldm_data_start": data_at, "__ldm_data_end": data_end, "__ldm_bss_start": data_end,
           "__ldm_bss_end": data_end, "__stack_base": data_end}
    if firmware:  # what kernels are linked against
        own.update(__fw_export_text_end=text_end, __fw_export_ldm_end=data_end)
    write(output, elf(text_at, data_at, data_at if firmware else text_end, own))
    os.chmod(output, 0o755)


def toolchain():
    """The compiler's name as it stands in the firmware that came with the wheel."""
    package = pathlib.Path(__file__).resolve().parents[4]
    for firmware in sorted(package.glob("tt_metal/pre-compiled/*/brisc/brisc.elf")):
        found = re.search(rb"GCC: (\([^\0]*\) [0-9.]+)", firmware.read_bytes())
        if found:
            return found.group(1).decode()
    return "(stand-in) 15.1.0"


def main(arguments):
    output = value_of(arguments, "-o")
    if "--version" in arguments:
        print("riscv-tt-elf-g++", toolchain())
    elif not output:
        print("stand-in compiler: nothing to write", file=sys.stderr)
        return 1
    elif "-c" in arguments or value_of(arguments, "-x") == "c++-header":
        write(output, b"")
        rule = value_of(arguments, "-MF")
        if rule:
            write(rule, (output.replace(" ", "\\ ") + ":\n").encode())
    else:
        link(arguments, output)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
