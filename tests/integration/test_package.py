#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What comes beside the programs says the same as they do, and a package of all of it works.

Man pages and completions are made of `ttmem --print-options`; here they are read by man(1) and
by the shells. TTMEM_CHROOT=1 also installs the package into a new Debian, which takes over a
minute and downloads one.
"""
import functools
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parents[1] / "packaging")]

from listing import ALONE, Listing
from testing import BUILD, ROOT, TTMEMD, Skip, equal, run_tests, ttmem

MADE = BUILD / "packaging"
PAGES = ("ttmem.1", "ttmem-attach.1", "ttmem-growth.1", "ttmem-sites.1", "ttmemd.8", "libttmem.3",
         "ttmem-region.7")


def need(program):
    if not shutil.which(program):
        raise Skip(f"no {program} here")


def rendered(page):
    """A page as somebody reads it, without its typography; standard error must stay empty."""
    path = MADE / page
    if not path.exists():
        raise Skip("no man pages: no scdoc when the build was configured")
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-P", "cat", "-l", str(path)],
                          capture_output=True, text=True, check=True, timeout=240,
                          env={**os.environ, "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""})
    equal(done.stderr, "", page)
    return re.sub("[\u2010\u2011\u2212]", "-", done.stdout)


def test_listing():
    """--help and the listing show the same options, and what it lists as values is accepted."""
    listing = Listing(ttmem("--print-options").stdout)
    for name in [ALONE, *(c.name for c in listing.commands if c.name != "help")]:
        said = set(re.findall(r"(?m)^  (?:-\w, |    )?(--[\w-]+)", ttmem(*filter(None, [name]),
                                                                       "--help").stdout))
        listed = {option.long for option in listing.all_options_of(name)}
        equal(listed - {"--version"}, said, name)
    values = 0
    for option in listing.options:
        for value in option.values:
            # what follows is never reached when the value is refused
            done = ttmem(*filter(None, [option.command]), f"{option.long}={value}", "--help")
            equal(done.stdout.startswith("usage: "), True, option.long)
            values += 1
        if option.values:
            done = ttmem(*filter(None, [option.command]), f"{option.long}=nonsense", "--help",
                         check=False)
            equal(done.returncode, 2, f"{option.long}=nonsense")
    equal(values > 10, True, "values were tried")


def test_pages_render():
    """man(1) and mandoc(1) have nothing to say about the pages."""
    need("man")
    for page in PAGES:
        equal(len(rendered(page).splitlines()) > 50, True, page)
    need("mandoc")
    for page in PAGES:
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(MADE / page)],
                              capture_output=True, text=True, timeout=240)
        equal((done.returncode, done.stdout), (0, ""), page)


def test_page_of_ttmem():
    """Every option, command and exit code of the tool is in ttmem(1), under its heading."""
    need("man")
    text = rendered("ttmem.1")
    part = {m[1]: m[2] for m in re.finditer(r"(?ms)^([A-Z ]+)\n(.*?)(?=^[A-Z]|\Z)", text)}
    listing = Listing(ttmem("--print-options").stdout)
    commands = dict(re.findall(r"(?ms)^   (\S+)$\n(.*?)(?=^   \S|\Z)", part["COMMANDS"]))
    equal(list(commands), [command.name for command in listing.commands])
    for option in listing.options:
        where = commands.get(option.command, part["OPTIONS"])
        equal(re.search(rf"(?m){option.long}(?![\w-])", where) is not None, True,
              f"{option.command} {option.long}")
    header = (ROOT / "src/tool/exit_codes.h").read_text()
    equal(re.findall(r"(?m)^       (\d+)$", part["EXIT STATUS"]),
          re.findall(r"EXIT_\w+ = (\d+)", header))


def test_page_of_ttmemd():
    """The options of the server are written twice, by hand: they must be the same."""
    need("man")
    text = rendered("ttmemd.8")
    wanted = subprocess.run([str(TTMEMD), "--help"], capture_output=True, text=True, check=True)
    equal(sorted(re.findall(r"(?m)^       (?:-\w, )?(--[\w-]+)", text)),
          sorted(re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", wanted.stdout)))


def test_page_of_library():
    """Every function of the header is in libttmem(3), with what it returns."""
    need("man")
    text = rendered("libttmem.3")
    header = (ROOT / "include/ttmem/ttmem.h").read_text()
    names = set(re.findall(r"\b(ttmem[A-Z]\w+)\(", header))
    equal(len(names) > 20, True, f"{len(names)} functions")
    for name in names:
        equal(re.search(rf"(?m)^       .*{name}\(", text) is not None, True, name)


def test_page_of_region():
    """Every row of every table of docs/region.md arrives in ttmem-region(7)."""
    need("man")
    text = rendered("ttmem-region.7")
    rows = 0
    for line in (ROOT / "docs/region.md").read_text().splitlines():
        if not line.startswith("| ") or "`" not in line:
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        # the last one may be broken into lines
        pattern = r"\s+".join(map(re.escape, filter(None, cells[:-1])))
        first = cells[-1].split(" ")[0]
        equal(re.search(rf"(?m)^ +{pattern}\s+{re.escape(first)}", text) is not None, True, line)
        rows += 1
    equal(rows > 150, True, f"{rows} rows")
    headings = re.findall(r"(?m)^##+ (.*)$", (ROOT / "docs/region.md").read_text())
    for heading in headings:
        equal(heading.replace("`", "").lower() in text.lower(), True, heading)


# What is typed, up to the cursor, and what is then offered.
COMPLETIONS = {
    "ttmem b": ["buffers"],
    "ttmem --fo": ["--format"],
    "ttmem buffers --sort ": ["address", "age", "bank", "pid", "size", "slot"],
    "ttmem buffers --ty": ["--type"],
    "ttmem buffers -t L1": ["L1", "L1_SMALL"],
    "ttmem env --do": ["--docker"],
    "ttmem help ad": ["adopt"],
    # of another command
    "ttmem env --so": [],
    "ttmem run --doc": [],
}
WITH_EQUALS = {"ttmem --format=": ["csv", "json", "jsonl", "table"], "ttmem buffers --format=j": ["json"]}


def bash_words(line):
    """As readline splits them: "=" is a word of its own."""
    words = re.findall(r"=|[^\s=]+", line)
    return words + [""] if line.endswith((" ", "=")) else words


def bash_completes(line):
    words = bash_words(line)
    if line.endswith("="):
        words = words[:-1]  # readline's current word is the "=" then
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ttmem; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", str(MADE / "ttmem"), *words],
                          capture_output=True, text=True, timeout=240)
    equal((done.returncode, done.stderr), (0, ""), line)
    return sorted(set(done.stdout.split()))


def test_bash():
    need("bash")
    for line, wanted in {**COMPLETIONS, **WITH_EQUALS}.items():
        equal(bash_completes(line), wanted, line)
    equal("bash" in bash_completes("ttmem run -- bas"), True)
    equal("bash" in bash_completes("ttmem run --report=file bas"), True)
    with tempfile.TemporaryDirectory() as there:
        (pathlib.Path(there) / "report.txt").touch()
        equal(bash_completes(f"ttmem run --report={there}/rep"), [f"{there}/report.txt"])
        equal(bash_completes(f"ttmem run -- cat --x {there}/rep"), [f"{there}/report.txt"])
    listing = Listing(ttmem("--print-options").stdout)
    for name in [ALONE, *(command.name for command in listing.commands)]:
        equal(bash_completes(f"ttmem {name} --".replace("  ", " ")),
              sorted(option.long for option in listing.all_options_of(name)), name)


def test_fish():
    need("fish")
    with tempfile.TemporaryDirectory() as home:
        def completes(line):
            done = subprocess.run(
                ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                 str(MADE / "ttmem.fish"), line], capture_output=True, text=True, timeout=240,
                env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home})
            equal(done.stderr, "", line)
            return sorted({row.split("\t")[0].split("=")[-1] for row in done.stdout.splitlines()})

        for line, wanted in {**COMPLETIONS, **WITH_EQUALS}.items():
            equal(completes(line), wanted, line)
        equal("bash" in completes("ttmem run -- bas"), True)
        equal(completes("ttmem run --report -- ttmem b"), ["buffers"])
        equal("--report" in completes("ttmem run cat --re"), False)
        listing = Listing(ttmem("--print-options").stdout)
        for name in [ALONE, *(command.name for command in listing.commands)]:
            equal(completes(f"ttmem {name} --".replace("  ", " ")),
                  sorted(option.long for option in listing.all_options_of(name)), name)


class Zsh:
    """An interactive zsh on a terminal; what its completion would add goes to a file."""

    SETUP = """
        PS1='READY> '; unsetopt beep auto_list auto_menu list_ambiguous
        fpath=("$MADE" $fpath); autoload -Uz compinit; compinit -u -D
        compadd() {
            local -a found; local -A given; local i
            for ((i = 1; i <= $#; i++)); do
                [[ ${argv[i]} == -[OAD] ]] && { builtin compadd "$@"; return }
            done
            builtin compadd -O found "$@"
            (($#found)) && print -rl -- "${found[@]}" >> "$FOUND"
            builtin compadd "$@"
        }
        offer() { : > "$FOUND"; zle complete-word; print END >> "$FOUND"; zle kill-buffer }
        zle -N offer; bindkey '^T' offer; print SET UP
    """

    def __init__(self, directory):
        self.found = pathlib.Path(directory) / "found"
        (pathlib.Path(directory) / ".zshrc").write_text(self.SETUP)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"ZDOTDIR": directory, "HOME": directory, "MADE": str(MADE),
                               "FOUND": str(self.found), "TERM": "dumb", "LC_ALL": "C.UTF-8"})
            os.execlp("zsh", "zsh", "-d", "-i")
        self.wait(lambda seen: "READY>" in seen)

    def wait(self, done, seconds=240):
        seen, end = "", time.monotonic() + seconds
        while not done(seen):
            if time.monotonic() > end:
                raise AssertionError("zsh does not answer: " + seen[-400:])
            if select.select([self.terminal], [], [], 0.05)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")

    def completes(self, line):
        self.found.unlink(missing_ok=True)
        os.write(self.terminal, (line + "\x14").encode())
        self.wait(lambda _: self.found.exists() and self.found.read_text().endswith("END\n"))
        return sorted({word.rstrip("=") for word in self.found.read_text().split("\n")
                       if word and word != "END"})

    def close(self):
        os.write(self.terminal, b"\x15exit\r")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def test_zsh():
    need("zsh")
    with tempfile.TemporaryDirectory() as there:
        shell = Zsh(there)
        try:
            for line, wanted in {**COMPLETIONS, **WITH_EQUALS}.items():
                equal(shell.completes(line), wanted, line)
            equal("bash" in shell.completes("ttmem run -- bas"), True, "ttmem run -- bas")
            equal(shell.completes("ttmem run --report -- ttmem b"), ["buffers"])
            equal("--report" in shell.completes("ttmem run cat --re"), False)
            listing = Listing(ttmem("--print-options").stdout)
            for name in [ALONE, *(command.name for command in listing.commands)]:
                equal(shell.completes(f"ttmem {name} --".replace("  ", " ")),
                      sorted(option.long for option in listing.all_options_of(name)), name)
        finally:
            shell.close()


@functools.cache
def package():
    """The package of this checkout; lintian's warnings end its making."""
    if os.environ.get("TTMEM_SANITIZED"):
        raise Skip("the package has no sanitizers, and the same build is tested without them")
    for program in ("dpkg-buildpackage", "dh", "lintian", "git"):
        need(program)
    made = subprocess.run([str(ROOT / "packaging/deb")], capture_output=True, text=True,
                          timeout=900, env={**os.environ, "BUILD": str(BUILD)})
    equal(made.returncode, 0, made.stderr[-600:])
    return pathlib.Path(made.stdout.strip())


def version():
    return re.search(r"(?m)^  version: '(.*)',$", (ROOT / "meson.build").read_text())[1]


def field(name):
    return subprocess.run(["dpkg-deb", "-f", str(package()), name], capture_output=True,
                          text=True, check=True).stdout.strip()


CONTENTS = """
    lib/systemd/system/ttmemd.service lib/systemd/system/ttmemd.socket
    usr/bin/ttmem usr/bin/ttmemd usr/lib/ttmem/libttmem-hook.so usr/lib/sysusers.d/ttmem.conf
    usr/share/bash-completion/completions/ttmem usr/share/zsh/vendor-completions/_ttmem
    usr/share/fish/vendor_completions.d/ttmem.fish
    usr/share/man/man1/ttmem.1.gz usr/share/man/man1/ttmem-attach.1.gz
    usr/share/man/man1/ttmem-growth.1.gz usr/share/man/man1/ttmem-sites.1.gz
    usr/share/man/man7/ttmem-region.7.gz
    usr/share/man/man8/ttmemd.8.gz
    usr/share/doc/ttmem/copyright usr/share/doc/ttmem/README.md.gz usr/share/doc/ttmem/api.md.gz
    usr/share/doc/ttmem/changelog.gz
""".split()


LIBRARY_CONTENTS = """
    usr/lib/*/libttmem.so.0 usr/lib/*/libttmem.so usr/lib/*/pkgconfig/ttmem.pc
    usr/include/ttmem/ttmem.h usr/share/man/man3/libttmem.3.gz
    usr/share/doc/libttmem0/copyright usr/share/doc/libttmem-dev/examples/query.c
""".split()


def test_package():
    """All that belongs together is in it, under its licences, and works where it is unpacked."""
    equal((field("Version"), field("Package")), (version(), "ttmem"))
    needs = field("Depends")
    for library in ("libc6", "libmicrohttpd12"):
        equal(library in needs, True, needs)
    with tempfile.TemporaryDirectory() as there:
        root = pathlib.Path(there)
        subprocess.run(["dpkg-deb", "-x", str(package()), there], check=True)
        for path in CONTENTS:
            equal((root / path).is_file(), True, path)
        for package_of in ("libttmem0", "libttmem-dev"):
            beside = next(package().parent.glob(f"{package_of}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(beside), there], check=True)
        for path in LIBRARY_CONTENTS:
            equal(len(list(root.glob(path))), 1, path)
        licences = (root / "usr/share/doc/ttmem/copyright").read_text()
        equal("YaoYuan" in licences and "Apache-2.0" in licences, True, "both licences")
        unit = (root / "lib/systemd/system/ttmemd.service").read_text()
        started = re.search(r"(?m)^ExecStart=(\S+)", unit)[1]
        equal(os.access(root / started.lstrip("/"), os.X_OK), True, started)

        def said(*command):
            env = {k: v for k, v in os.environ.items() if k not in ("TTMEM_HOOK", "LD_PRELOAD")}
            return subprocess.run([str(root / command[0]), *command[1:]], capture_output=True,
                                  text=True, check=True, timeout=240, env=env).stdout

        equal(said("usr/bin/ttmem", "--version"), f"ttmem {version()}\n")
        equal(said("usr/bin/ttmemd", "--version"), f"ttmemd {version()}\n")
        equal(said("usr/bin/ttmem", "run", "--", "sh", "-c", "echo $LD_PRELOAD").strip(),
              str((root / "usr/lib/ttmem/libttmem-hook.so").resolve()))


def mirror():
    """Where this machine gets Debian from, and which one: "http://.../debian", "bookworm"."""
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)",
         "Created-By: Packages"], capture_output=True, text=True, timeout=240).stdout
    for line in known.splitlines():
        uri, _, rest = line.partition(" ")
        codename, origin, component = rest.split(" ")[:3]
        if (origin, component) == ("Debian", "main") and re.fullmatch(r"\w+", codename):
            return uri, codename
    raise Skip("no mirror of Debian is configured here")


class Chroot:
    """A new, minimal Debian in a directory."""

    def __init__(self, directory):
        self.root = pathlib.Path(directory)
        uri, codename = mirror()
        made = subprocess.run(["debootstrap", "--variant=minbase", codename, directory, uri],
                              capture_output=True, text=True, timeout=900)
        if made.returncode != 0 and not (self.root / "usr/bin/dpkg").exists():
            raise Skip("debootstrap cannot get or unpack a Debian: " + made.stdout[-200:])
        equal(made.returncode, 0, made.stdout[-400:])
        # it reaches the mirror as this machine does
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        apt = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True)
        (self.root / "etc/apt/apt.conf.d/90acquire").write_text(apt.stdout)

    def run(self, *command):
        """With a /proc of its own: nobody else is on that machine. Gives standard output."""
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root / 'proc'}",
             "chroot", str(self.root), *command], capture_output=True, text=True, timeout=240,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                 "LC_ALL": "C.UTF-8"})
        equal(done.returncode, 0, f"{command}: {done.stderr[-400:]}")
        return done.stdout


def test_package_installs():
    """apt installs it on a new machine, it runs there, and purge leaves nothing of it."""
    if not os.environ.get("TTMEM_CHROOT"):
        raise Skip("takes over a minute and downloads a Debian; TTMEM_CHROOT=1 runs it")
    need("debootstrap")
    if os.geteuid() != 0:
        raise Skip("only root can make a chroot")
    with tempfile.TemporaryDirectory() as there:
        machine = Chroot(there)

        def traces():
            return machine.run("find", "/usr", "/lib/systemd", "/etc", "-name", "*ttmem*").split()

        equal(traces(), [], "before")
        shutil.copy(package(), machine.root / "ttmem.deb")
        machine.run("apt-get", "update", "-qq")
        machine.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/ttmem.deb")
        equal(machine.run("ttmem", "--version"), f"ttmem {version()}\n")
        picture = machine.run("ttmem")
        equal("0 devices, 0 processes" in picture and "none has one" in picture, True, picture)
        equal(machine.run("ttmemd", "--help").startswith("usage: ttmemd"), True)
        equal(machine.run("ttmem", "run", "--", "sh", "-c", "echo $LD_PRELOAD"),
              "/usr/lib/ttmem/libttmem-hook.so\n")
        equal(machine.run("getent", "passwd", "ttmem").split(":")[0], "ttmem")
        for unit in ("ttmemd.service", "ttmemd.socket"):
            equal(machine.run("systemctl", "is-enabled", unit), "enabled\n", unit)
        machine.run("systemd-analyze", "verify", "--man=no", "ttmemd.service", "ttmemd.socket")
        machine.run("apt-get", "purge", "-y", "-qq", "ttmem")
        equal(traces(), [], "after purge")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
