#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmem run and env: the program must not notice that somebody stood in front of it."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from testing import BUILD, HOOK, TTMEM, equal, run_tests, ttmem, wait_until

REPORT = ("--report=/dev/null",)
MODES = ((), REPORT)


def run(*arguments, mode=(), **more):
    return subprocess.run([str(TTMEM), "run", *mode, "--", *arguments], capture_output=True,
                          text=True, timeout=240, **more)


def start(*arguments, mode=REPORT):
    return subprocess.Popen([str(TTMEM), "run", *mode, "--", *arguments], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def test_exit_codes():
    """Scripts look at them; 126 and 127 are the shell's."""
    for mode in MODES:
        equal(run("sh", "-c", "exit 7", mode=mode).returncode, 7, f"{mode} exit 7")
        equal(run("no-such-command", mode=mode).returncode, 127, f"{mode} no command")
        equal(run("/etc/passwd", mode=mode).returncode, 126, f"{mode} not executable")
        equal(run("sh", "-c", "kill -TERM $$", mode=mode).returncode, -signal.SIGTERM,
              f"{mode} death by signal is passed on as one")
    equal(subprocess.run([str(TTMEM), "run"], stderr=subprocess.DEVNULL).returncode, 2)
    equal(subprocess.run([str(TTMEM), "run", "--nonsense", "true"],
                         stderr=subprocess.DEVNULL).returncode, 2)


def test_preload_is_appended():
    """What the user preloads keeps its place; a ttmem inside a ttmem adds nothing."""
    shell = ["sh", "-c", "echo $LD_PRELOAD"]
    env = {**os.environ, "LD_PRELOAD": "libc.so.6"}
    equal(run(*shell, env=env).stdout, f"libc.so.6:{HOOK}\n")
    env.pop("LD_PRELOAD")
    equal(run(*shell, env=env).stdout, f"{HOOK}\n")
    equal(run(str(TTMEM), "run", "--", *shell, env=env).stdout, f"{HOOK}\n")


def test_hook_that_cannot_be_used():
    """A path that LD_PRELOAD cannot carry would be silently ignored by the loader."""
    with tempfile.TemporaryDirectory(prefix="a b") as blank:
        pathlib.Path(blank, "hook.so").write_bytes(HOOK.read_bytes())
        for path, word in ((f"{blank}/hook.so", "blank"), ("/nowhere/hook.so", "No such file"),
                           ("/tmp", "hook")):
            done = run("true", env={**os.environ, "TTMEM_HOOK": path})
            equal(done.returncode, 125, path)
            if word not in done.stderr or path not in done.stderr:
                raise AssertionError(done.stderr)


def test_relative_hook():
    """The program may change its directory before it starts children."""
    done = run("sh", "-c", "echo $LD_PRELOAD", cwd=HOOK.parent,
               env={**os.environ, "TTMEM_HOOK": HOOK.name})
    equal(done.stdout, f"{HOOK}\n")


def test_signal_dispositions():
    """Ignored and blocked signals are inherited; the program must get them as they were."""
    look = ["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"]
    for action in (signal.SIG_IGN, signal.SIG_DFL):
        def prepare(action=action):
            for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP):
                signal.signal(number, action)
        want = subprocess.run(look, preexec_fn=prepare, restore_signals=False,
                              capture_output=True, text=True).stdout
        for mode in MODES:
            got = run(*look, mode=mode, preexec_fn=prepare, restore_signals=False).stdout
            equal(got, want, f"{mode} {action}")


PROGRAM = """
import signal, sys, time
for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGWINCH", "SIGALRM"):
    signal.signal(getattr(signal, name), lambda number, _: print(signal.Signals(number).name, flush=True))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print("up", flush=True)
while True:
    time.sleep(0.05)
"""


def test_signals_are_passed_on():
    """Supervisors signal the process that they started."""
    process = start(sys.executable, "-c", PROGRAM)
    equal(process.stdout.readline(), "up\n")
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGWINCH", "SIGALRM"):
        process.send_signal(getattr(signal, name))
        equal(process.stdout.readline(), name + "\n")
    process.send_signal(signal.SIGTERM)
    equal(process.wait(240), 9)


def test_job_control():
    """Ctrl-Z stops both, fg goes on with both."""
    process = start(sys.executable, "-c", PROGRAM)
    equal(process.stdout.readline(), "up\n")
    process.send_signal(signal.SIGTSTP)
    wait_until("stopped", lambda: state_of(process.pid) == "T")
    process.send_signal(signal.SIGCONT)
    wait_until("running", lambda: state_of(process.pid) == "S")
    process.send_signal(signal.SIGUSR1)
    equal(process.stdout.readline(), "SIGUSR1\n")
    process.send_signal(signal.SIGTERM)
    equal(process.wait(240), 9)


def test_killed_parent():
    """kill -9 of what was started must not leave the program behind."""
    process = start("sleep", "100")
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    child = wait_until("child", lambda: children.read_text().split())[0]
    wait_until("exec", lambda: "sleep" in pathlib.Path(f"/proc/{child}/comm").read_text())
    process.kill()
    process.wait()
    wait_until("end of the child", lambda: state_of(child) in ("gone", "Z"))


def test_no_core_of_our_own():
    """A crash of the program is one crash, not two."""
    with tempfile.TemporaryDirectory() as directory:
        done = run("sh", "-c", "ulimit -c 0; kill -ABRT $$", mode=REPORT, cwd=directory)
        equal(done.returncode, -signal.SIGABRT)
        equal(os.listdir(directory), [])


def test_report_file():
    """A report that cannot be written is said before the program runs."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "report")
        done = run("true", mode=(f"--report={path}",))
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""))
        if not path.read_text().startswith("ttmem report"):
            raise AssertionError(path.read_text())
        done = run("touch", f"{directory}/ran", mode=(f"--report={directory}/no/report",))
        equal(done.returncode, 125)
        equal(pathlib.Path(directory, "ran").exists(), False, "nothing was started")
        equal(run("true", mode=("--report",)).stderr.split("\n")[0], "ttmem report")


def test_report_of_one_that_moved_last():
    """Killed after its table went to another file and before that came here: the old one is told."""
    for again, buffers in (("", 2), ("hello\n", 3)):
        commands = ("many\t1\t2\t1\t4096\n" "lose\tchange\n" + again + "many\t3\t1\t1\t4096\n")
        done = subprocess.run([str(TTMEM), "run", "--report", str(BUILD / "tests/writer/writer")],
                              input=commands, capture_output=True, text=True)
        equal(done.stdout.count("ok\n"), commands.count("\n"), done.stdout)
        equal(done.stderr.count("process "), 1, done.stderr)
        equal(f"buffers never freed: {buffers} at the end" in done.stderr, True, done.stderr)


def test_report_takes_no_word_of_the_command():
    """`ttmem run --report 7z x` starts 7z."""
    done = subprocess.run([str(TTMEM), "run", "--report", "7-no-such-command"],
                          capture_output=True, text=True)
    equal(done.returncode, 127)


def test_env():
    """The lines must do the same as ttmem run, with and without something preloaded."""
    for quoted in ('eval "$(%s env)"', "eval $(%s env)"):
        line = quoted % TTMEM + "; echo $LD_PRELOAD"
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        done = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True)
        equal((done.stdout, done.stderr), (f"{HOOK}\n", ""), line)
        env["LD_PRELOAD"] = "libc.so.6"
        done = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True)
        equal(done.stdout, f"libc.so.6:{HOOK}\n", line)
    fish = ttmem("env", "--shell=fish").stdout
    if not fish.startswith("set -gx LD_PRELOAD (string join : $LD_PRELOAD '"):
        raise AssertionError(fish)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
