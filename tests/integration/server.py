# SPDX-License-Identifier: Apache-2.0
"""Drives ttmemd: starts it in a directory of its own, asks it over HTTP, and sends it tables."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from compare import process_of
from standin import App
from testing import PATIENCE_S, TTMEM, TTMEMD, Skip, equal, wait_until


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("ttmem", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        # with a time-out first, a full queue would be an error instead of a moment's wait
        self.sock.connect(self.path)
        self.sock.settimeout(PATIENCE_S)


class Server:
    """One running ttmemd; also asks it."""

    def __init__(self, directory, *options, prefix=(), **more):
        self.directory = pathlib.Path(directory)
        self.options, self.prefix, self.more = options, prefix, more
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [*self.prefix, str(TTMEMD), "--socket-dir", str(self.directory), *self.options],
            stderr=subprocess.PIPE, text=True, **self.more)
        wait_until("the server answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("ttmemd ended: " + self.process.stderr.read())
        with contextlib.suppress(OSError):
            return self.get("/healthz") == {"status": "ok"}

    def request(self, method, target, headers=None):
        connection = Connection(self.directory / "api.sock")
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), json.loads(body) if body else None

    def get(self, target):
        status, _, body = self.request("GET", target)
        equal(status, 200, target)
        return body

    def process_of(self, pid):
        return process_of(self.get("/v1/snapshot"), pid)

    def state_of(self, pid):
        process = self.process_of(pid)
        return process and process["state"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="ttmemd.") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def as_user(uid, command):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]


def need_other_users():
    """Skips where no other user can be played, or where none could reach what was built."""
    if os.geteuid() != 0:
        raise Skip("becoming another user needs root")
    if subprocess.run(as_user(1234, ["test", "-x", str(TTMEM)]), stderr=subprocess.DEVNULL).returncode:
        raise Skip("the build lies where other users cannot reach it")


def app(where, env=None, **more):
    return App(env={"TTMEM_SOCKET_DIR": str(where), **(env or {})}, **more)


SENDER = r"""
import fcntl, os, socket, struct, sys
small, where, count, control, forks = open(sys.argv[1], "rb").read(), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])

def send():
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    fd = os.memfd_create("ttmem", 3)
    os.ftruncate(fd, len(small))
    os.pwrite(fd, small[:0x2000], 0)
    os.pwrite(fd, os.urandom(16), 24)
    fcntl.fcntl(fd, 1033, 7)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(where + "/register.sock")
    socket.send_fds(s, [struct.pack("<QIIQII", 0x004745526d656d74, 1, 0, ticks, 0, 0)], [fd, control])
    s.close()
    os.close(fd)

children = []
for i in range(count):
    if not forks:
        send()
        continue
    children.append(os.fork())
    if children[-1] == 0:
        send()
        sys.stdin.read()
        os._exit(0)
print("sent", *children, flush=True)
sys.stdin.read()
"""


class Senders:
    """Registers tables that are copies of an honest one, without a program behind each."""

    def __init__(self, where, program):
        program("open", 1, 0, 0)
        program("many", 0, 3)
        files = {os.readlink(f).split()[0]: str(f)
                 for f in pathlib.Path(f"/proc/{program.pid}/fd").iterdir()}
        self.where, self.control = where, os.open(files["/memfd:ttmem-control"], os.O_RDWR)
        # a small table: the head's count of slots and the size are made to fit
        small = bytearray(open(files["/memfd:ttmem"], "rb").read()[:0x100000 + 65536])
        struct.pack_into("<Q", small, 16, len(small))
        struct.pack_into("<I", small, 160 + 5 * 16 + 12, 1024)
        # parts that lie behind its end are left out: a reader knows tables without them
        for part in range(16):
            if struct.unpack_from("<Q", small, 160 + 16 * part)[0] >= len(small):
                small[160 + 16 * part:160 + 16 * part + 16] = bytes(16)
        (where / "small").write_bytes(small)
        os.chmod(where / "small", 0o644)

    def start(self, count, forks=False, prefix=()):
        python = "/usr/bin/python3" if prefix else sys.executable
        return subprocess.Popen(
            [*prefix, python, "-c", SENDER, str(self.where / "small"), str(self.where), str(count),
             str(self.control), str(int(forks))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, pass_fds=[self.control], cwd="/")
