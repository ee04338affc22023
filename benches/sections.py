"""What is measured, and what is to hold of it."""
from dataclasses import dataclass, field

from rounds import median

LOOPS = ["libev", "libevent", "libuv", "GLib"]
ACCEPTORS = ["signalfd + epoll", "sd-event"]
ITERATORS = ["signal-hook iterator", "signal-hook iterator-siginfo"]


@dataclass
class Limit:
    """`name` takes at most `most` times as long as each of `others`, of those that are here."""

    name: str
    others: list
    most: float

    def rows(self, results):
        """What it is about, the ratio, its error; the worst of the others only."""
        others = [other for other in self.others if other in results]
        if self.name in results and others:
            worst = max(others, key=lambda other: results.ratio(self.name, other)[0])
            yield f"{self.name} / {worst}", *results.ratio(self.name, worst)


@dataclass
class Percentile(Limit):
    """The same of a percentile of all single values."""

    percent: float = 50

    def rows(self, results):
        others = [other for other in self.others if other in results]
        if self.name in results and others:
            best = min(others, key=lambda other: results.percentile(other, self.percent))
            ratio, error = results.percentile_ratio(self.name, best, self.percent)
            yield f"{self.name} / {best}, p{self.percent:g}", ratio, error


@dataclass
class EachFurther(Limit):
    """What each of the channels after the first adds, as a part of `others`."""

    def rows(self, results):
        for few, many in ((1, 8), (1, 64)):
            ratios = [
                (round[f"channels: {many}"] - round[f"channels: {few}"]) / (many - few) / round[self.others[0]]
                for round in results.rounds
            ]
            yield f"each of {few + 1} to {many} channels / {self.others[0]}", *median(ratios)


@dataclass
class Section:
    title: str
    text: str
    contenders: dict  # name: the command's words, the first of which is a program's name
    reference: str
    limits: list
    batch: int = None  # operations; None: what a millisecond allows
    percentiles: bool = False
    chart: bool = False
    results: object = field(default=None, repr=False)


def each(names, measure):
    return {name: [name, measure] for name in names}


def replies(names):
    return {name: ["sender", "by_signal", name, "reply"] for name in names}


def wait(name, measure, sent=None):
    """One of waits.c in both its builds."""
    sender = ["sender", sent] if sent else []
    contenders = {who: [*sender, f"{who} waits", measure] for who in ("rsig", "system")}
    return Section(name, "", contenders, "system", [Limit("rsig", ["system"], 1.03)], 100 if sent else None)


SECTIONS = [
    Section(
        "A raised signal, to its deferred handler",
        "raise(), then what the program does to run the handler. sigaction's handler runs in signal "
        "context, and may do nothing of use there.",
        each(
            ["sigaction", "rsig_pump", "rsig_tripped", "rsig_tripped_flags", "signal-hook flag"]
            + ["sigaction in Rust", "CPython"],
            "one",
        ),
        "sigaction",
        [
            Limit("rsig_pump", ["sigaction"], 1.03),
            Limit("rsig_pump", ["signal-hook flag", "CPython"], 1),
        ],
        chart=True,
    ),
    Section(
        "A raised signal, to a callback of an event loop",
        "raise(), then an iteration of the loop, which may sleep, until the callback has run. GLib's "
        "signals go through a thread of its own.",
        each(["rsig_fd + epoll", "rsig_syscall(epoll)", *LOOPS], "one"),
        "libev",
        [Limit("rsig_fd + epoll", LOOPS, 1), Limit("rsig_syscall(epoll)", LOOPS, 1)],
        chart=True,
    ),
    Section(
        "A raised signal that is blocked, accepted",
        "raise(), then the wait; no signal frame.",
        each(["sigtimedwait", "sigwait", "signalfd", "rsig_dispatch", *ACCEPTORS], "one"),
        "sigtimedwait",
        [Limit("rsig_dispatch", ["sigtimedwait"], 1.10), Limit("rsig_dispatch", ACCEPTORS, 1)],
        chart=True,
    ),
    Section(
        "A raised signal, to one of many listeners",
        "raise(), then the listener's record is read. signal-hook's plain iterator has numbers only, the "
        "other one siginfo.",
        each(["sigaction", "rsig_channel", "rsig_channel + epoll", *ITERATORS], "one"),
        "sigaction",
        [Limit("rsig_channel", ITERATORS, 1)],
        chart=True,
    ),
    Section(
        "Delivery with so many channels",
        "raise(), then rsig_pump(); each channel gets a copy of the record. Reading them is not measured.",
        {"sigaction": ["sigaction", "one"]}
        | {f"channels: {n}": ["channels", f"channels_{n}"] for n in (0, 1, 8, 64)},
        "sigaction",
        [EachFurther("", ["sigaction"], 0.03)],
    ),
    Section(
        "A burst of 1,000 real-time signals",
        "1,000 times raise(), then all are handled. libev tells of them once, GLib knows no real-time "
        "signals.",
        each(
            ["sigaction", "rsig_pump", "rsig_channel", "signal-hook flag", "CPython", *ITERATORS]
            + ["rsig_fd + epoll", "rsig_syscall(epoll)", "libev", "libevent", "libuv"]
            + ["sigtimedwait", "signalfd", "rsig_dispatch", *ACCEPTORS],
            "burst",
        ),
        "sigaction",
        [
            Limit("rsig_pump", ["sigaction"], 1.03),
            Limit("rsig_pump", ["signal-hook flag", "CPython"], 1),
            Limit("rsig_fd + epoll", ["libev", "libevent", "libuv"], 1),
            Limit("rsig_channel", ITERATORS, 1),
            Limit("rsig_dispatch", ["sigtimedwait"], 1.10),
            Limit("rsig_dispatch", ACCEPTORS, 1),
        ],
        batch=1,
    ),
    Section(
        "A signal from another process, to the reply",
        "Another process sends it when the receiver sleeps, and waits for the byte that the handler "
        "writes. Both on the same processor: kill(), a switch to the receiver, write(), a switch back.",
        replies(
            ["sigaction", "sigwait", "sigtimedwait", "signalfd", "rsig_pump", "rsig_dispatch", "rsig_fd + epoll"]
            + ["rsig_syscall(epoll)", "rsig_channel", *LOOPS, *ACCEPTORS, *ITERATORS, "CPython"]
        ),
        "sigaction",
        [
            limit
            for percent in (50, 99, 99.9)
            for limit in (
                Percentile("rsig_pump", ["CPython"], 1, percent),
                Percentile("rsig_fd + epoll", LOOPS, 1, percent),
                Percentile("rsig_syscall(epoll)", LOOPS, 1, percent),
                Percentile("rsig_dispatch", ACCEPTORS, 1, percent),
                Percentile("rsig_channel", ITERATORS, 1, percent),
            )
        ],
        batch=100,
        percentiles=True,
        chart=True,
    ),
    Section(
        "A look when nothing is pending",
        "",
        each(
            ["rsig_pump", "rsig_tripped", "rsig_tripped_flags", "signal-hook flag", "rsig_channel", *ITERATORS]
            + ["rsig_fd + epoll", "rsig_syscall(epoll)", *LOOPS, "rsig_dispatch", "sigtimedwait", *ACCEPTORS],
            "idle",
        ),
        "libev",
        [
            Limit("rsig_pump", ["libev"], 0.01),
            Limit("rsig_tripped_flags", ["signal-hook flag"], 1.03),
            Limit("rsig_channel", ITERATORS, 1),
            Limit("rsig_fd + epoll", LOOPS, 1),
            Limit("rsig_dispatch", ["sigtimedwait"], 1.10),
            Limit("rsig_dispatch", ACCEPTORS, 1),
        ],
        chart=True,
    ),
    Section(
        "From nothing to a watched signal, and back",
        "rsig_init(), rsig_signal(), rsig_fini(), or a loop, a watcher, and their end. For signal-hook and GLib "
        "a part of the work is done once and stays for ever (handler, thread), and CPython's is two signal.signal().",
        each(
            ["sigaction", "rsig_pump", "rsig_fd + epoll", "rsig_channel", *LOOPS, "sd-event"]
            + ["signal-hook flag", *ITERATORS, "CPython"],
            "init",
        ),
        "libev",
        [
            Limit("rsig_fd + epoll", ["libev", "libevent", "libuv", "sd-event"], 1),
            Limit("rsig_channel", ITERATORS, 1),
        ],
    ),
    Section(
        "A process, from its start to its end",
        "An empty program, linked with nothing, or with a library that it does not call.",
        {"nothing": ["start", "process", "empty"]}
        | {
            name: ["start", "process", f"empty {name}"]
            for name in ["rsig", *LOOPS, "sd-event", "signal-hook", "CPython"]
        },
        "nothing",
        [Limit("rsig", [*LOOPS, "sd-event", "CPython"], 1)],
        batch=2,
    ),
]

# In one table: each wait against the system's own.
WAITS = [
    wait("sigwait, pending", "sigwait_ready"),
    wait("sigwait, asleep", "sigwait_asleep", "by_signal"),
    wait("sigwaitinfo, pending", "sigwaitinfo_ready"),
    wait("sigwaitinfo, asleep", "sigwaitinfo_asleep", "by_signal"),
    wait("sigtimedwait, pending", "sigtimedwait_ready"),
    wait("sigtimedwait, asleep", "sigtimedwait_asleep", "by_signal"),
    wait("sigsuspend, pending (pause)", "pause_ready"),
    wait("sigsuspend, asleep (pause)", "pause_asleep", "by_signal"),
    wait("ppoll, ready", "poll_ready"),
    wait("ppoll, nothing and no time", "poll_look"),
    wait("ppoll, asleep", "poll_asleep", "by_byte"),
    wait("read, ready", "read_ready"),
    wait("read, asleep", "read_asleep", "by_byte"),
    wait("write, ready", "write_ready"),
    wait("nanosleep, 0", "sleep_ready"),
    wait("nanosleep, 20 µs", "sleep_asleep"),
    wait("syscall, getppid", "syscall_ready"),
    wait("open and close", "open_ready"),
    wait("send and recv, ready", "send_recv_ready"),
    wait("connect and accept, ready", "connect_accept_ready"),
    wait("waitpid, WNOHANG", "waitpid_ready"),
]
