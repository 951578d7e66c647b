# SPDX-License-Identifier: Apache-2.0
"""A small tree of files as data: path -> bytes, Link, or None for an empty directory.

Paths are relative to the root of the fake machine. The tree is changed in memory and written
once, so that a host can be described as another host with something missing.
"""
import os
import pathlib


class Link(str):
    """The text of a symbolic link."""


def mode_of(path):
    """As the driver, the kernel and UMD leave them; a directory can always be changed."""
    if path.startswith("dev/shm/tt_device_"):
        return 0o600
    if path.startswith("dev/"):
        return 0o666
    return 0o444


class Tree:
    def __init__(self):
        self.entries = {}

    def put(self, path, content):
        """content: bytes, or a text that gets its newline here as attributes do."""
        self.entries[path] = content if isinstance(content, bytes) else f"{content}\n".encode()

    def link(self, path, target):
        """A link to another path of the tree, relative as the kernel makes them."""
        self.entries[path] = Link(os.path.relpath(target, os.path.dirname(path)))

    def link_text(self, path, text):
        self.entries[path] = Link(text)

    def directory(self, path):
        self.entries[path] = None

    def remove(self, path):
        """A file, or a directory with all that is in it; it must have been there."""
        gone = [p for p in self.entries if p == path or p.startswith(path + "/")]
        if not gone:
            raise KeyError(path)
        for p in gone:
            del self.entries[p]

    def below(self, prefix):
        """Paths that start with a text, in order."""
        return sorted(p for p in self.entries if p.startswith(prefix))

    def write(self, root):
        """Into a directory that is empty or not there yet."""
        root = pathlib.Path(root)
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise FileExistsError(f"{root} is not empty")
        made = set()
        for path, content in sorted(self.entries.items()):
            directory = path if content is None else os.path.dirname(path)
            if directory not in made:
                os.makedirs(root / directory, exist_ok=True)
                made.add(directory)
            if isinstance(content, Link):
                os.symlink(content, root / path)
            elif content is not None:
                with open(root / path, "xb", buffering=0) as file:
                    file.write(content)
                    os.fchmod(file.fileno(), mode_of(path))


def replace(root, path, content):
    """Another content for a file of a written tree, in one step, as a new sample would see it."""
    place = pathlib.Path(root) / path
    scratch = place.with_name("." + place.name + ".new")
    scratch.write_bytes(content)
    scratch.chmod(mode_of(path))
    scratch.replace(place)
