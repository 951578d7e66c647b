# SPDX-License-Identifier: Apache-2.0
"""sites_loop.py LIBRARY DIRECTORY: ns to tell the site of a plain call, then of an operation.

LIBRARY is bench_sites.c; in DIRECTORY something like ttnn is made, whose frames are skipped.
"""
import ctypes
import pathlib
import sys

DECORATORS = """
import dataclasses, typing

@dataclasses.dataclass
class FastOperation:
    python_fully_qualified_name: str
    function: typing.Callable

    def __call__(self, *arguments):
        return self.function(*arguments)
"""
packages = pathlib.Path(sys.argv[2], "site-packages")
(packages / "ttnn").mkdir(parents=True, exist_ok=True)
(packages / "ttnn/__init__.py").write_text("")
(packages / "ttnn/decorators.py").write_text(DECORATORS)
sys.path.insert(0, str(packages))
sys.dont_write_bytecode = True
from ttnn.decorators import FastOperation  # noqa: E402

sites = {}
for kind in (ctypes.PyDLL, ctypes.CDLL):  # with the GIL first: then its frames are compared
    sites[kind] = kind(sys.argv[1]).bench_sites
    sites[kind].restype = ctypes.c_double


def user(function):
    count = 2000
    return function(
        count)


user(sites[ctypes.PyDLL])
print(user(sites[ctypes.CDLL]), user(FastOperation("ttnn.matmul", sites[ctypes.CDLL])))
