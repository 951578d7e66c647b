# SPDX-License-Identifier: Apache-2.0
"""The released wheels of ttnn, of which only the libraries with TT-Metal in them are kept.

A wheel takes 25 to 110 MB and is deleted as soon as its libraries are out; those stay in
the cache directory, one folder per release, so that a second run downloads nothing.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

RELEASES = (
    "0.60.1", "0.62.0", "0.62.2", "0.63.0", "0.64.0", "0.64.5", "0.65.1", "0.66.0",
    "0.67.4", "0.68.0", "0.69.0", "0.70.1", "0.71.2", "0.72.0", "0.73.1", "0.74.0",
    "0.75.0", "0.76.0", "0.77.0", "0.78.0", "0.79.0", "0.80.0", "0.81.1",
)

# The Python a wheel is for does not matter to us: the libraries below are the same in all.
WHEEL = ("--only-binary=:all:", "--implementation=cp", "--python-version=3.10", "--abi=cp310",
         "--platform=manylinux_2_34_x86_64")

# TT-Metal, the operations on top of it (with TT-Metal inside in 0.60), and the driver below it,
# which had another name before 0.70.
LIBRARIES = ("libtt_metal.so", "_ttnncpp.so", "libdevice.so", "libtt-umd.so")


def download(version, directory):
    """The wheel of a release, fetched with pip into a directory of its own."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                    "--no-cache-dir", "--disable-pip-version-check", *WHEEL,
                    "--dest", str(directory), "ttnn==" + version], check=True)
    wheel, = pathlib.Path(directory).glob("ttnn-*.whl")
    return wheel


def extract(wheel, directory):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, base = name.rpartition("/")
            if folder.endswith("build/lib") and base in LIBRARIES:
                with archive.open(name) as source, open(directory / base, "wb") as target:
                    shutil.copyfileobj(source, target)


def libraries(version, cache):
    """Paths of the libraries that a release has; downloads them when they are not there."""
    home = pathlib.Path(cache) / version
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=version + ".") as scratch:
            wheel = download(version, scratch)
            out = pathlib.Path(scratch) / "lib"
            out.mkdir()
            extract(wheel, out)
            try:
                out.rename(home)  # whole or not at all; the wheel goes with the scratch directory
            except OSError:
                if not home.exists():  # else somebody else was faster
                    raise
    return [home / name for name in LIBRARIES if (home / name).exists()]
