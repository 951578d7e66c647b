# SPDX-License-Identifier: Apache-2.0
"""ttmem: device memory of Tenstorrent accelerators.

Of the machine: snapshot(), processes(), buffers().
Of this process, which must be seen by the hook (the wheel does that by itself; else `ttmem run`):
memory_allocated(), max_memory_allocated(), reset_peak(), memory_stats(), own_buffers(),
`with peak() as p:`, `with tag("kv-cache"):`, explain(error).

All sizes are bytes. Nothing here opens a device, prints, or changes what the program does.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# What is where: nothing is imported before it is used, so that the programs start at once.
_HOMES = {
    "_native": ["TtmemError"],
    "_snapshot": ["Buffer", "Device", "Memory", "Process", "Site", "Snapshot", "buffers",
                  "processes", "snapshot"],
    "_own": ["Peak", "is_recorded", "last_event", "max_memory_allocated", "memory_allocated",
             "memory_stats", "own_buffers", "peak", "reset_peak", "tag"],
    "_explain": ["Explanation", "explain"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)

if TYPE_CHECKING:  # the names again, for those who check types
    from ._explain import Explanation as Explanation
    from ._explain import explain as explain
    from ._native import TtmemError as TtmemError
    from ._own import Peak as Peak
    from ._own import is_recorded as is_recorded
    from ._own import last_event as last_event
    from ._own import max_memory_allocated as max_memory_allocated
    from ._own import memory_allocated as memory_allocated
    from ._own import memory_stats as memory_stats
    from ._own import own_buffers as own_buffers
    from ._own import peak as peak
    from ._own import reset_peak as reset_peak
    from ._own import tag as tag
    from ._snapshot import Buffer as Buffer
    from ._snapshot import Device as Device
    from ._snapshot import Memory as Memory
    from ._snapshot import Process as Process
    from ._snapshot import Site as Site
    from ._snapshot import Snapshot as Snapshot
    from ._snapshot import buffers as buffers
    from ._snapshot import processes as processes
    from ._snapshot import snapshot as snapshot


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module("." + _HOME_OF[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> Any:
    return sorted(set(globals()) | set(__all__))
