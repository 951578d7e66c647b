# SPDX-License-Identifier: Apache-2.0
"""A program on a mock cluster: the environment it needs, and a talk with it line by line."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def make_scratch():
    """A directory for what the program writes; its own to delete."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="ttmem-mock."))
    for name in ("home", "cache", "logs"):
        (scratch / name).mkdir()
    return scratch


def environment(scratch, cluster, slow):
    """cluster: one of clusters/, or the path of another description."""
    description = HERE / "clusters" / (cluster + ".yaml")
    if not description.exists():
        description = pathlib.Path(cluster).absolute()
    env = dict(os.environ)
    env.update(
        TT_METAL_MOCK_CLUSTER_DESC_PATH=str(description),
        # the name of the cache is appended as text, so the slash counts
        TT_METAL_CACHE=str(scratch / "cache") + "/",
        TT_METAL_LOGS_PATH=str(scratch / "logs") + "/",
        HOME=str(scratch / "home"),
        TT_LOGGER_LEVEL="fatal", LOGURU_LEVEL="ERROR", PYTHONDONTWRITEBYTECODE="1",
        # else Open MPI leaves a segment in /dev/shm for good
        OMPI_MCA_btl="self")
    if slow:
        env["TT_METAL_SLOW_DISPATCH_MODE"] = "1"
    return env


class Mock:
    """One running program of tests/metal/programs.

    It prints a line of JSON at each pause and goes on when it gets a line. Its caches and
    its home directory are thrown away at the end.
    """

    def __init__(self, python, program, *args, cluster="n150", slow=False, prefix=(), env=None):
        self.scratch = make_scratch()
        command = [*prefix, str(python), str(HERE / "programs" / program), *map(str, args)]
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, cwd=self.scratch / "logs",
                env={**environment(self.scratch, cluster, slow), **(env or {})})
        except OSError:
            shutil.rmtree(self.scratch)
            raise

    def pauses(self):
        """Each pause's document; the program goes on when the next one is asked for."""
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            yield json.loads(line)
            try:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass

    def end(self):
        """Waits; gives (exit code, stderr) and removes the scratch directory."""
        out, err = self.process.communicate(timeout=240)
        del out
        shutil.rmtree(self.scratch, ignore_errors=True)
        return self.process.returncode, err

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        shutil.rmtree(self.scratch, ignore_errors=True)
