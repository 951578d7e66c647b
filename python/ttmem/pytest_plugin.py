# SPDX-License-Identifier: Apache-2.0
"""Limits and leaks of device memory, test by test.

    @pytest.mark.ttmem_limit(dram="2 GiB", l1_per_core="600 KiB")
    def test_model(): ...

The peak of the test itself (not of its fixtures) must stay within. l1_per_core is what buffers
take of the L1 of one core, L1_SMALL included; others are sums over all banks and chips. Sizes are
bytes, or a number with KiB, MiB, GiB.

With --ttmem-leaks a test fails when buffers that it allocated itself live on after its teardown.
"""
from __future__ import annotations

import gc
import re
import warnings
from typing import Any, Dict, Generator, Union

import pytest

import ttmem

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_LIMITS = ("dram", "l1", "l1_small", "trace", "l1_per_core")
_NAMED_MAX = 5


def parse_size(size: Union[int, str]) -> int:
    """Bytes of 4096, "600 KiB" or "1.5 GiB"."""
    if isinstance(size, int):
        return size
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", size)
    if not found or found.group(2).upper() not in _UNITS:
        raise ValueError(f"not a size: {size!r} (bytes, or a number with KiB, MiB, GiB)")
    return int(float(found.group(1)) * _UNITS[found.group(2).upper()])


def _show(size: int) -> str:
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.2f} {unit} ({size} bytes)"
    return f"{size} bytes"


def _place(buffer: Any) -> str:
    """What it is and where it comes from: ", ttnn.empty [kv-cache] at /srv/model.py:88 (load)"."""
    what = " ".join(filter(None, (buffer.op, buffer.tag and f"[{buffer.tag}]")))
    where = buffer.site_file or ""
    if where and buffer.site_line:
        where += f":{buffer.site_line}"
    if buffer.site_function:
        where += f" ({buffer.site_function})" if where else buffer.site_function
    words = " at ".join(filter(None, (what, where)))
    return f", {words}" if words else ""


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("ttmem", "device memory")
    group.addoption("--ttmem-leaks", action="store_true",
                    help="fail a test whose own buffers live on after it")


def pytest_configure(config: Any) -> None:
    config.addinivalue_line(
        "markers", "ttmem_limit(dram=, l1=, l1_small=, trace=, l1_per_core=): the most device "
                   "memory that the test may occupy at once (ttmem)")


def _limits_of(item: Any) -> Dict[str, int]:
    limits: Dict[str, int] = {}
    for mark in item.iter_markers("ttmem_limit"):
        unknown = set(mark.kwargs) - set(_LIMITS)
        if unknown or mark.args:
            raise pytest.UsageError(f"ttmem_limit takes {', '.join(_LIMITS)}, not "
                                    + ", ".join(sorted(unknown) or map(str, mark.args)))
        for name, size in mark.kwargs.items():  # the closest mark comes first
            limits.setdefault(name, parse_size(size))
    return limits


def _fail(outcome: Any, text: str) -> None:
    """Makes it the outcome of the hook: pluggy warns of wrappers that raise, from 1.1 on."""
    try:
        pytest.fail(text, pytrace=False)
    except pytest.fail.Exception as error:
        if not hasattr(outcome, "force_exception"):
            raise
        outcome.force_exception(error)


def _check(limits: Dict[str, int], peak: Any, outcome: Any) -> None:
    for name, limit in limits.items():
        used = (peak.bytes_per_bank("l1") + peak.bytes_per_bank("l1_small")
                if name == "l1_per_core" else peak.bytes(name))
        if used > limit:
            bound = "" if peak.is_exact else " at most, as several allocators share a chip,"
            return _fail(outcome, f"ttmem_limit: {name} peaked at{bound} {_show(used)}, "
                                  f"over the limit of {_show(limit)}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None, Any, None]:
    limits = _limits_of(item)
    watch_leaks = item.config.getoption("--ttmem-leaks")
    if not limits and not watch_leaks:
        yield
        return
    first = ttmem.last_event() if watch_leaks else 0
    with ttmem.peak() as peak:
        outcome = yield
    failed = outcome.excinfo is not None
    # a traceback keeps the test's variables alive
    item._ttmem_span = None if failed or not watch_leaks else (first, ttmem.last_event())
    if failed or not limits:
        return
    if not ttmem.is_recorded():
        warnings.warn(f"ttmem_limit of {item.nodeid} was not checked: this process keeps no "
                      "table (no device was opened, or the hook is not loaded)", stacklevel=1)
        return
    _check(limits, peak, outcome)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: Any) -> Generator[None, Any, None]:
    outcome = yield
    span = getattr(item, "_ttmem_span", None)
    if not span or outcome.excinfo is not None or span[0] == span[1]:
        return
    gc.collect()
    left = [b for b in ttmem.own_buffers() if span[0] < b.event <= span[1]]
    if not left:
        return
    left.sort(key=lambda b: -b.requested_bytes)
    lines = [f"  {b.requested_bytes} bytes of {b.type} at {b.address:#x}{_place(b)}"
             for b in left[:_NAMED_MAX]]
    if len(left) > _NAMED_MAX:
        lines.append(f"  and {len(left) - _NAMED_MAX} more")
    count = "a buffer" if len(left) == 1 else f"{len(left)} buffers"
    _fail(outcome, f"ttmem: {count} of this test {'lives' if len(left) == 1 else 'live'} on after "
                   f"it ({sum(b.requested_bytes for b in left)} bytes):\n" + "\n".join(lines))
