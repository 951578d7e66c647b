# SPDX-License-Identifier: Apache-2.0
"""Imported by ttmem.pth at the start of each Python of a venv: makes ttnn's processes visible.

All it does then is to put a finder in front. When ttnn._ttnn is asked for, that lets the others
find and load it, and brings the hook in right after: before any device can be open, so that
nothing is missed. Programs without ttnn pay for one short module.

What runs here runs in everybody's interpreter: it never raises, prints nothing and imports
nothing that is not there already.

PYTEST_DONT_REWRITE: pytest would, as a package with a plugin owns this file, and warn in each run
that it cannot.
"""
import os
import sys

_TARGET = "ttnn._ttnn"
_HOOK = "libttmem-hook.so"


def _load_hook():
    """Whoever came in another way (ttmem run, ttmem attach) is seen already."""
    import ctypes

    try:
        ctypes.CDLL(_HOOK, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
        return
    except OSError:
        pass
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "ttmem", "lib", "ttmem", _HOOK)
    if os.path.exists(path):
        attach = getattr(ctypes.CDLL(path), "ttmem_hook_attach", None)
        if attach:
            attach.argtypes, attach.restype = [ctypes.c_char_p], ctypes.c_int
            attach(b"python")


class _Finder:
    """Waits for one name; asking for its spec alone does not count as an import."""

    def find_spec(self, name, path=None, target=None):
        if name != _TARGET:
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                break
        else:
            return None
        try:
            self._follow(spec.loader)
        except Exception:  # a loader that takes no attributes: then ttnn goes unseen
            pass
        return spec

    def _follow(self, loader):
        load = loader.exec_module

        def exec_module(module):
            load(module)
            try:
                del loader.exec_module
                sys.meta_path.remove(self)
                _load_hook()
            except Exception:
                pass

        loader.exec_module = exec_module


def _start():
    if os.environ.get("TTMEM") != "off":
        sys.meta_path.insert(0, _Finder())


try:
    _start()
except Exception:
    pass
