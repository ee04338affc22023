"""The programs that are measured: how each is built, and which peer is missing here."""
import os
import shlex
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CC = shlex.split(os.environ.get("CC", "cc")) + "-O2 -Wall -Wextra -Werror -std=gnu11 -pthread".split()
# Debian's, where there is one: another may be built without optimisations.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"


def output(*command):
    """What a command prints, or None where it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


class Library:
    """A library of C's: rsig, or a peer from the system's packages."""

    def __init__(self, name, header, link, package=None):
        self.name, self.header, self.link, self.package = name, header, link, package
        self.cflags = []

    def is_here(self):
        if self.package:
            self.cflags = (output("pkg-config", "--cflags", self.package) or "").split()
        probe = [*CC, *self.cflags, "-E", "-include", self.header, "-x", "c", "/dev/null"]
        return output(*probe) is not None

    def flags(self):
        version = output("pkg-config", "--modversion", self.package) if self.package else None
        return [*self.cflags, f'-DVERSION="{version}"'], ["-Wl,--no-as-needed", self.link]


SYSTEM = None  # needs the C library alone
PEERS = {
    "libev": Library("libev", "ev.h", "-lev"),
    "libevent": Library("libevent", "event2/event.h", "-levent_core", "libevent"),
    "libuv": Library("libuv", "uv.h", "-luv", "libuv"),
    "GLib": Library("GLib", "glib-unix.h", "-lglib-2.0", "glib-2.0"),
    "sd-event": Library("sd-event", "systemd/sd-event.h", "-lsystemd", "libsystemd"),
}
RSIG = Library("rsig", "rsig.h", "-lrsig")
STATIC = Library("rsig (static)", "rsig.h", "-l:librsig.a")

# What is compiled: as whom the tables name it, from which file, with what defined, linked with whom.
C_PROGRAMS = [
    ("sigaction", "sigaction.c", "", SYSTEM),
    ("sigaction + eventfd", "eventfd.c", "", SYSTEM),
    ("sigwait", "sigwait.c", "", SYSTEM),
    ("sigtimedwait", "sigtimedwait.c", "", SYSTEM),
    ("signalfd", "signalfd.c", "", SYSTEM),
    ("signalfd + epoll", "signalfd.c", "IN_EPOLL", SYSTEM),
    ("libev", "libev.c", "", PEERS["libev"]),
    ("libevent", "libevent.c", "", PEERS["libevent"]),
    ("libuv", "libuv.c", "", PEERS["libuv"]),
    ("GLib", "glib.c", "", PEERS["GLib"]),
    ("sd-event", "sd-event.c", "", PEERS["sd-event"]),
    ("rsig_pump", "rsig_pump.c", "", RSIG),
    ("rsig_pump (static)", "rsig_pump.c", "", STATIC),
    ("a function that does nothing", "rsig_pump.c", "NOTHING", RSIG),
    ("rsig_tripped", "rsig_pump.c", "ASKS", RSIG),
    ("rsig_tripped_flags", "rsig_pump.c", "LOADS", RSIG),
    ("rsig_fd + epoll", "rsig_fd.c", "", RSIG),
    ("rsig_syscall(epoll)", "rsig_epoll.c", "", RSIG),
    ("rsig_dispatch", "rsig_dispatch.c", "", RSIG),
    ("rsig_channel", "rsig_channel.c", "", RSIG),
    ("rsig_channel + epoll", "rsig_channel.c", "IN_EPOLL", RSIG),
    ("channels", "channels.c", "", RSIG),
    ("system waits", "waits.c", "", SYSTEM),
    ("rsig waits", "waits.c", "RSIG", RSIG),
    ("sender", "sender.c", "", SYSTEM),
    ("start", "start.c", "", SYSTEM),
    ("empty", "empty.c", "", SYSTEM),
    *((f"empty {library.name}", "empty.c", "", library) for library in [RSIG, *PEERS.values()]),
]


class Programs:
    """Builds all of them into `folder`, with the install of rsig in `stage`."""

    def __init__(self, stage, folder):
        self.stage, self.folder = Path(stage).resolve(), Path(folder).resolve()
        self.commands = {}  # by name; None: missing
        self.missing = {}  # the peers that are not here, and why
        self.versions = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        RSIG.cflags = STATIC.cflags = [f"-I{self.stage}/include"]
        for library in PEERS.values():
            if not library.is_here():
                self.missing[library.name] = f"no {library.header}"
        for name, source, define, library in C_PROGRAMS:
            is_missing = library is not None and library.name in self.missing
            self.commands[name] = None if is_missing else [self._compile(name, source, define, library)]
        for library in [RSIG, *PEERS.values()]:
            if library.name not in self.missing:
                command = self.commands["rsig_pump" if library is RSIG else library.name]
                self.versions[library.name] = output(*command)
        self._signal_hook()
        self._cpython()

    def _compile(self, name, source, define, library):
        program = str(self.folder / name.replace(" ", "-"))
        cflags, link = library.flags() if library else ([], [])
        if library in (RSIG, STATIC):
            link += [f"-L{self.stage}/lib", f"-Wl,-rpath,{self.stage}/lib"]
        define = [f"-D{define}"] if define else []
        subprocess.run([*CC, *define, *cflags, str(HERE / source), "-o", program, *link], check=True)
        return program

    def _signal_hook(self):
        manifest = HERE / "signal-hook/Cargo.toml"
        target = self.folder / "cargo"
        build = [os.environ.get("CARGO", "cargo"), "build", "--release", "--locked", "--quiet"]
        build += ["--manifest-path", str(manifest), "--target-dir", str(target)]
        is_missing = subprocess.run(build, stdin=subprocess.DEVNULL).returncode != 0
        if is_missing:
            self.missing["signal-hook"] = "cargo cannot build it"
        program = str(target / "release/signal-hook")
        names = {f"signal-hook {peer}": peer for peer in ("flag", "iterator", "iterator-siginfo")}
        names |= {"sigaction in Rust": "sigaction", "empty signal-hook": "empty"}
        for name, peer in names.items():
            self.commands[name] = None if is_missing else [program, peer]
        if not is_missing:
            lock = manifest.with_name("Cargo.lock").read_text().split('name = "signal-hook"\nversion = "')[1]
            self.versions["signal-hook"] = lock[: lock.index('"')]

    def _cpython(self):
        self.commands["CPython"] = [PYTHON, "-I", str(HERE / "cpython.py")]
        self.commands["empty CPython"] = [PYTHON, "-I", "-S", "-c", ""]
        self.versions["CPython"] = output(PYTHON, "-I", "-c", "import platform; print(platform.python_version())")

    def file_of(self, name):
        """Where the dynamic linker finds the library of that name; or the program, if it is not in one."""
        program = shutil.which(self.commands[f"empty {name}"][0])
        libraries = {library.name: library.link[2:] for library in [RSIG, *PEERS.values()]} | {"CPython": "python"}
        for line in (output("ldd", program) or "").splitlines():
            words = line.split()
            if name in libraries and words[0].startswith("lib" + libraries[name]):
                return Path(words[2])
        return Path(program).resolve()

    def size_of(self, file):
        """A file's size in bytes without what `strip` takes, and what it needs."""
        stripped = self.folder / "stripped"
        shutil.copyfile(file, stripped)
        subprocess.run(["strip", str(stripped)], check=True)
        dynamic = (output("readelf", "-d", str(stripped)) or "").splitlines()
        needed = [line.split("[")[1].rstrip("]") for line in dynamic if "(NEEDED)" in line]
        return stripped.stat().st_size, needed
