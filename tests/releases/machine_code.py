# SPDX-License-Identifier: Apache-2.0
"""Reads from small x86-64 functions which fields of an object they use.

An accessor such as page_size() is one or two loads. We follow a function from its start
along the path on which no branch is taken, keep for each register what is known of it (an
argument, or a word loaded through one), and note every access through such a register. The
walk ends at the first call or at an instruction it does not know; what an accessor has to
tell comes before that.
"""
from typing import NamedTuple

# the System V calling convention: where a method finds its object and its arguments
ARGUMENTS = {7: "this", 6: "arg1", 2: "arg2", 1: "arg3", 8: "arg4", 9: "arg5"}
FIRST = 7


class Access(NamedTuple):
    kind: str  # load, store, compare or address
    path: tuple  # offsets from `this`: (0x10, 0x48) is at 0x48 of what the word at 0x10 points to
    bytes: int
    value: str  # for a store: the argument that is stored, "" for anything else


class Unknown(Exception):
    pass


class Walk:
    """accesses: in order. passed: what the function gives to the function it calls, as a path."""

    def __init__(self, code):
        self.code, self.at = code, 0
        self.registers = {number: (name,) for number, name in ARGUMENTS.items()}
        self.accesses = []
        self.passed = None
        try:
            while self.at < len(code) and self.step():
                pass
        except (Unknown, IndexError):
            pass

    def byte(self):
        value = self.code[self.at]
        self.at += 1
        return value

    def number(self, size):
        value = int.from_bytes(self.code[self.at:self.at + size], "little", signed=True)
        self.at += size
        return value

    def operands(self, rex):
        """A ModRM byte and what follows: (register, other register or None, memory or None).

        Memory is (base register, offset); base None where it is not that simple.
        """
        modrm = self.byte()
        mode, low, high = modrm >> 6, modrm & 7, (rex & 1) << 3
        register = (modrm >> 3 & 7) | (rex & 4) << 1
        if mode == 3:
            return register, low | high, None
        base = low | high
        if low == 4:
            sib = self.byte()
            low = sib & 7
            base = low | high if (sib >> 3 & 7 | (rex & 2) << 2) == 4 else None
        if mode == 0 and low == 5:  # no base register
            self.number(4)
            return register, None, (None, 0)
        return register, None, (base, self.number((0, 1, 4)[mode]))

    def path(self, memory):
        known = self.registers.get(memory[0]) if memory else None
        return known[1:] + (memory[1],) if known and known[0] == "this" else None

    def note(self, kind, memory, size, value=""):
        path = self.path(memory)
        if path is not None:
            self.accesses.append(Access(kind, path, size, value))

    def know(self, register, value=None):
        self.registers[register] = value

    def step(self):
        """One instruction; false where the walk ends."""
        rex, op = 0, self.byte()
        size = 2 if op == 0x66 else 4
        if size == 2:
            op = self.byte()
        if op & 0xF0 == 0x40:
            rex, op = op, self.byte()
            size = 8 if rex & 8 else size
        if op in (0xC4, 0xC5):
            self.vector(op)
        elif op == 0x0F:
            self.two_bytes(rex)
        elif op & 0xF8 == 0x50:  # push
            pass
        elif op & 0xF8 == 0x58:  # pop
            self.know(op & 7 | (rex & 1) << 3)
        elif op & 0xF0 == 0x70:  # a branch on a condition: not taken
            self.number(1)
        elif op in (0xE8, 0xE9):  # a call, or a jump in its place
            self.passed = self.registers.get(FIRST)
            return False
        elif op == 0xC3:
            return False
        elif op & 0xF8 == 0xB8:  # a constant into a register
            self.number(size)
            self.know(op & 7 | (rex & 1) << 3)
        else:
            self.one_byte(op, 1 if op in (0x80, 0x84, 0x88, 0x8A, 0xC6, 0xF6) else size, rex)
        return True

    def one_byte(self, op, size, rex):
        register, other, memory = self.operands(rex)
        if op in (0x8A, 0x8B):  # load
            if other is not None:
                self.know(register, self.registers.get(other))
            else:
                path = self.path(memory)
                self.note("load", memory, size)
                self.know(register, ("this", *path) if path and size == 8 else None)
        elif op == 0x8D:  # lea
            self.note("address", memory, 8)
            self.know(register)
        elif op in (0x88, 0x89):  # store
            value = self.registers.get(register)
            if other is not None:
                self.know(other, value)
            else:
                self.note("store", memory, size, value[0] if value and len(value) == 1 else "")
        elif op in (0xC6, 0xC7):  # store a constant
            self.note("store", memory, size)
            self.number(min(size, 4))
        elif op in (0x80, 0x81, 0x83):  # compute with a constant; 7 is cmp
            self.note("compare", memory, size)
            self.number(1 if op != 0x81 else min(size, 4))
            if register & 7 != 7 and other is not None:
                self.know(other)
        elif op in (0xF6, 0xF7) and register & 7 == 0:  # test with a constant
            self.note("compare", memory, size)
            self.number(min(size, 4))
        elif op in (0x84, 0x85, 0x39, 0x3B):  # test, cmp
            self.note("compare", memory, size)
        elif op in (0x09, 0x21, 0x29, 0x31) and other is not None:  # or, and, sub, xor
            self.know(other)
        else:
            raise Unknown

    def two_bytes(self, rex):
        op = self.byte()
        if op & 0xF0 == 0x80:  # a branch on a condition: not taken
            self.number(4)
            return
        register, other, memory = self.operands(rex)
        if op in (0xB6, 0xB7):  # load a byte or two, zeros in front
            self.note("load", memory, 1 if op == 0xB6 else 2)
            self.know(register)
        elif op & 0xF0 == 0x40:  # conditional move
            self.know(register)
        elif op & 0xF0 == 0x90:  # condition into a byte
            self.know(other)
        elif op != 0x1F:  # a long nop
            raise Unknown

    def vector(self, prefix):
        """AVX moves and xor: they only have to be stepped over, and their stores noted."""
        bits = self.byte()
        rex = 0 if bits & 0x80 else 4
        if prefix == 0xC4:
            if bits & 0x1F != 1:
                raise Unknown
            rex |= (0 if bits & 0x40 else 2) | (0 if bits & 0x20 else 1)
            self.byte()
        op = self.byte()
        if op not in (0x10, 0x11, 0x28, 0x29, 0x57, 0x6F, 0x7F, 0xEF):
            raise Unknown
        _, _, memory = self.operands(rex)
        if op in (0x11, 0x29, 0x7F):
            self.note("store", memory, 16)
