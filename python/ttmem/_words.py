# SPDX-License-Identifier: Apache-2.0
"""Figures and strings for people, as the tool writes them."""
from __future__ import annotations

from typing import Optional

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def _scaled(number: int, unit: int, digits: int) -> int:
    """In that unit, with so many digits behind the point and without the point, rounded."""
    whole = 1024 ** unit
    return (number * 10 ** digits + whole // 2) // whole


def size_text(number: Optional[int]) -> str:
    """Bytes in the first unit in which three digits are enough: 999 B, 0.98 KiB, 12.0 GiB."""
    if number is None:
        return "-"
    unit = 0
    while unit < 6 and _scaled(number, unit, 0) >= 1000:
        unit += 1
    if unit == 0:
        return f"{number} B"
    for digits in (2, 1):
        scaled = _scaled(number, unit, digits)
        if scaled < 1000:
            whole, part = divmod(scaled, 10 ** digits)
            return f"{whole}.{part:0{digits}} {_UNITS[unit]}"
    return f"{_scaled(number, unit, 0)} {_UNITS[unit]}"


def count_text(number: Optional[int], noun: str, plural: str = "") -> str:
    """"1 buffer", "2 processes", "an unknown number of buffers"."""
    if number == 1:
        return f"1 {noun}"
    return f"{'an unknown number of' if number is None else number} {plural or noun + 's'}"


def clean(text: str) -> str:
    """Commands and names come from strangers: nothing of them steers a terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
