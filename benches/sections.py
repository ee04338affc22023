"""What is measured, and what is to hold of it."""
from dataclasses import dataclass, field

from rounds import PERCENTS

DEFERRED = 1.03  # beside a plain handler
ACCEPTED = 1.10  # beside a plain sigtimedwait(2)
BESIDE_A_THREAD = " with another thread"
LOOPS = ["libev", "libevent", "libuv", "GLib"]
ACCEPTORS = ["signalfd + epoll", "sd-event"]
ITERATORS = ["signal-hook iterator", "signal-hook iterator-siginfo"]


@dataclass
class Row:
    """What is to hold, and what was measured."""

    title: str
    what: str
    ratio: float
    error: float
    most: float
    reasons: list

    @property
    def verdict(self):
        """Within the error of the limit there is none."""
        if abs(self.ratio - self.most) <= self.error:
            return "even"
        return "held" if self.ratio <= self.most else "missed"


@dataclass
class Limit:
    """`name` takes at most `most` times as long as each of `others`, of those that are here. `reasons`: those of missed.md, where it is
    missed."""

    name: str
    others: list
    most: float
    reasons: list = ()

    def ratios(self, results):
        """What it is about, the ratio, its error; the worst of the others only."""
        others = [other for other in self.others if other in results]
        if self.name in results and others:
            worst = max(others, key=lambda other: results.ratio(self.name, other)[0])
            yield f"{self.name} / {worst}", *results.ratio(self.name, worst)


@dataclass
class Percentile(Limit):
    """The same of a percentile of all single values."""

    percent: float = 50

    def ratios(self, results):
        others = [other for other in self.others if other in results]
        if self.name in results and others:
            best = min(others, key=lambda other: results.percentile(other, self.percent))
            ratio, error = results.percentile_ratio(self.name, best, self.percent)
            yield f"{self.name} / {best}, p{self.percent:g}", ratio, error


@dataclass
class EachFurther(Limit):
    """What each of the channels after the first adds, as a part of `others`."""

    def ratios(self, results):
        for few, many in ((1, 8), (1, 64)):
            of_few, of_many, whole = (
                results.medians[name] for name in (f"{few} {self.name}", f"{many} {self.name}", self.others[0])
            )
            each = [(many_ - few_) / (many - few) / one for few_, many_, one in zip(of_few, of_many, whole)]
            yield f"each of {few + 1} to {many} {self.name} / {self.others[0]}", *results.median(each)


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

    def rows(self):
        for limit in self.limits:
            for what, ratio, error in limit.ratios(self.results):
                yield Row(self.title, what, ratio, error, limit.most, limit.reasons)


def each(names, measure):
    return {name: [name, measure] for name in names}


def replies(names):
    return {name: ["sender", "by_signal", name, "reply"] for name in names}


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
            Limit("rsig_pump", ["sigaction"], DEFERRED, ["a record of each"]),
            Limit("rsig_pump", ["signal-hook flag"], 1, ["a record of each"]),
            Limit("rsig_pump", ["CPython"], 1),
        ],
        chart=True,
    ),
    Section(
        "A raised signal, to a callback of an event loop",
        "raise(), then an iteration of the loop, which may sleep, until the callback has run. GLib's "
        "signals go through a thread of its own. `sigaction + eventfd` is a plain handler that writes an eventfd.",
        each(["sigaction + eventfd", "rsig_fd + epoll", "rsig_syscall(epoll)", *LOOPS], "one"),
        "libev",
        [
            Limit("rsig_fd + epoll", ["sigaction + eventfd"], DEFERRED, ["a record of each"]),
            Limit("rsig_fd + epoll", LOOPS, 1, ["a descriptor"]),
            Limit("rsig_syscall(epoll)", LOOPS, 1),
        ],
        chart=True,
    ),
    Section(
        "A raised signal that is blocked, accepted",
        "raise(), then the wait; no signal frame.",
        each(["sigtimedwait", "sigwait", "signalfd", "rsig_dispatch", *ACCEPTORS], "one"),
        "sigtimedwait",
        [
            Limit("rsig_dispatch", ["sigtimedwait"], ACCEPTED, ["a handler of what is accepted"]),
            Limit("rsig_dispatch", ["sigwait"], ACCEPTED, ["a handler of what is accepted"]),
            Limit("rsig_dispatch", ["signalfd"], 1, ["a handler of what is accepted"]),
            Limit("rsig_dispatch", ACCEPTORS, 1),
        ],
        chart=True,
    ),
    Section(
        "A raised signal, to one of many listeners",
        "raise(), then the listener's record is read. signal-hook's plain iterator has numbers only, the "
        "other one siginfo. Both write to a pipe and read it, as `rsig_channel + epoll` does to a descriptor.",
        each(["sigaction", "rsig_channel", "rsig_channel + epoll", *ITERATORS], "one"),
        "sigaction",
        [Limit("rsig_channel", ITERATORS, 1), Limit("rsig_channel + epoll", ITERATORS, 1)],
        chart=True,
    ),
    Section(
        "Delivery with so many channels",
        "raise(), then rsig_pump(); each channel gets a copy of the record. Reading them is not measured. A descriptor is one that "
        "rsig_channel_fd() has been asked for, and each delivery finds it unreadable.",
        {"sigaction": ["sigaction", "one"]}
        | {f"{n} channels without a descriptor": ["channels", f"channels_{n}"] for n in (0, 1, 8, 64)}
        | {f"{n} channels with a descriptor": ["channels", f"channels_{n}_fd"] for n in (1, 8, 64)},
        "sigaction",
        [
            EachFurther("channels without a descriptor", ["sigaction"], 0.03),
            EachFurther("channels with a descriptor", ["sigaction"], 0.03, ["a write to each descriptor"]),
        ],
    ),
    Section(
        "A burst of 1,000 real-time signals",
        "1,000 times raise(), then all are handled. Not all are heard of: libev's callback, signal-hook's flag and its plain "
        "iterator merge them into one, and the iterator with siginfo keeps five. GLib knows no real-time signals.",
        each(
            ["sigaction", "rsig_pump", "rsig_channel", "signal-hook flag", "CPython", *ITERATORS]
            + ["rsig_fd + epoll", "rsig_syscall(epoll)", "libev", "libevent", "libuv"]
            + ["sigtimedwait", "sigwait", "signalfd", "rsig_dispatch", *ACCEPTORS],
            "burst",
        ),
        "sigaction",
        [
            Limit("rsig_pump", ["sigaction"], DEFERRED, ["a record of each"]),
            Limit("rsig_pump", ["signal-hook flag"], 1, ["a record of each"]),
            Limit("rsig_pump", ["CPython"], 1),
            Limit("rsig_fd + epoll", ["libev", "libevent", "libuv"], 1, ["a record of each"]),
            Limit("rsig_syscall(epoll)", ["libev", "libevent", "libuv"], 1, ["a record of each"]),
            Limit("rsig_channel", ITERATORS, 1),
            Limit("rsig_dispatch", ["sigtimedwait"], ACCEPTED, ["a handler of what is accepted"]),
            Limit("rsig_dispatch", ["sigwait"], ACCEPTED, ["a handler of what is accepted"]),
            Limit("rsig_dispatch", ["signalfd"], 1, ["one at a time"]),
            Limit("rsig_dispatch", ACCEPTORS, 1, ["one at a time"]),
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
            Percentile(name, others, most, reasons if percent == 50 else ["what comes between"], percent)
            for percent in PERCENTS
            for name, others, most, reasons in (
                ("rsig_pump", ["sigaction"], DEFERRED, ["a sleep without a race"]),
                ("rsig_pump", ["CPython"], 1, []),
                ("rsig_fd + epoll", LOOPS, 1, []),
                ("rsig_syscall(epoll)", LOOPS, 1, []),
                ("rsig_dispatch", ["sigtimedwait"], ACCEPTED, ["a handler of what is accepted"]),
                ("rsig_dispatch", ["sigwait"], ACCEPTED, ["a handler of what is accepted"]),
                ("rsig_dispatch", ["signalfd"], 1, ["a handler of what is accepted"]),
                ("rsig_dispatch", ACCEPTORS, 1, []),
                ("rsig_channel", ITERATORS, 1, []),
            )
        ],
        batch=300,
        percentiles=True,
        chart=True,
    ),
    Section(
        "A look when nothing is pending",
        "`a function that does nothing` is one of the same library: what it costs to call any.",
        each(
            ["rsig_pump", "rsig_pump (static)", "a function that does nothing", "rsig_tripped", "rsig_tripped_flags"]
            + ["signal-hook flag", "rsig_channel", *ITERATORS, "rsig_fd + epoll", "rsig_syscall(epoll)", *LOOPS]
            + ["rsig_dispatch", "sigtimedwait", *ACCEPTORS],
            "idle",
        ),
        "libev",
        [
            Limit("rsig_pump", ["libev"], 0.01, ["a call into a shared library"]),
            Limit("rsig_pump (static)", ["libev"], 0.01),
            Limit("rsig_tripped_flags", ["signal-hook flag"], 1.03),
            Limit("rsig_channel", ITERATORS, 1),
            Limit("rsig_fd + epoll", LOOPS, 1),
            Limit("rsig_syscall(epoll)", LOOPS, 1, ["work around a call"]),
            Limit("rsig_dispatch", ["sigtimedwait"], ACCEPTED, ["work around a call"]),
            Limit("rsig_dispatch", ACCEPTORS, 1, ["another system call"]),
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
            Limit("rsig_pump", ["signal-hook flag"], 1, ["all put back"]),
            Limit("rsig_pump", ["CPython"], 1, ["all put back"]),
            Limit("rsig_fd + epoll", ["GLib"], 1, ["all put back"]),
            Limit("rsig_fd + epoll", ["libev", "libevent", "libuv", "sd-event"], 1, ["all put back"]),
            Limit("rsig_channel", ITERATORS, 1, ["all put back"]),
        ],
    ),
    Section(
        "A handler set and put back",
        "rsig_signal() twice, in a library that is initialised; sigaction() twice; a watcher that starts and stops in a loop that "
        "is there; a flag that is registered and unregistered.",
        {"rsig_signal": ["rsig_pump", "set"]}
        | each(["sigaction", "signal-hook flag", "CPython"], "init")
        | each([*LOOPS, "sd-event"], "set"),
        "sigaction",
        [
            Limit("rsig_signal", ["sigaction"], DEFERRED, ["others asked first"]),
            Limit("rsig_signal", ["signal-hook flag"], 1, ["others asked first"]),
            Limit("rsig_signal", ["CPython"], 1, ["others asked first"]),
            Limit("rsig_signal", [*LOOPS, "sd-event"], 1, ["others asked first"]),
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
        [Limit("rsig", [*LOOPS, "sd-event", "CPython"], 1, ["a library more"])],
        batch=2,
    ),
]


def wait(name, measure, sent=None, reasons=(), more=("another thread",)):
    """One of waits.c in both its builds, in a process with one thread and in one with two, where there are more reasons."""
    sender = ["sender", sent] if sent else []
    contenders, limits = {}, []
    for beside, threads in (("", []), (BESIDE_A_THREAD, ["thread"])):
        contenders |= {who + beside: [*sender, f"{who} waits", measure, *threads] for who in ("rsig", "system")}
        limits.append(Limit("rsig" + beside, ["system" + beside], 1.03, [*reasons, *(more if threads else ())]))
    return Section(name, "", contenders, "system", limits, 100 if sent else None)


# In one table: each wait against the system's own.
WAITS_TEXT = (
    "In a process with one thread, and in one with another that sleeps and has all signals blocked. Asleep is from another process's "
    "byte or signal to the reply. For waitpid, accept, connect and recv a child does what ends the wait when it gets the byte: that is a "
    "part of both times. The two that wait for a handler or a channel are told in brackets."
)
WAITS = [
    wait("sigwait, pending", "sigwait_ready", reasons=["work around a call"], more=[]),
    wait("sigwait, asleep", "sigwait_asleep", "by_signal", ["a look first"]),
    wait("sigwaitinfo, pending", "sigwaitinfo_ready", reasons=["work around a call"], more=[]),
    wait("sigwaitinfo, asleep", "sigwaitinfo_asleep", "by_signal", ["a look first"]),
    wait("sigtimedwait, pending", "sigtimedwait_ready", reasons=["work around a call"], more=[]),
    wait("sigtimedwait, asleep", "sigtimedwait_asleep", "by_signal", ["a look first"]),
    wait("sigsuspend, pending (rsig_pause)", "pause_ready", more=[]),
    wait("sigsuspend, asleep (rsig_pause)", "pause_asleep", "by_signal", ["a sleep without a race"]),
    wait("sigsuspend, pending (rsig_wait)", "wait_ready", more=[]),
    wait("sigsuspend, asleep (rsig_wait)", "wait_asleep", "by_signal", ["a sleep without a race"]),
    wait("read of a signalfd, pending (rsig_channel_wait)", "hear_ready", reasons=["a signal that is not blocked"], more=[]),
    wait("read of a signalfd, asleep (rsig_channel_wait)", "hear_asleep", "by_signal", ["a signal that is not blocked"]),
    wait("ppoll, ready", "poll_ready", reasons=["work around a call"]),
    wait("ppoll, nothing and no time", "poll_look", reasons=["work around a call"]),
    wait("ppoll, asleep", "poll_asleep", "by_byte"),
    wait("read, ready", "read_ready", reasons=["work around a call"]),
    wait("read, asleep", "read_asleep", "by_byte"),
    wait("write, ready", "write_ready", reasons=["work around a call"]),
    wait("nanosleep, 0", "sleep_ready", reasons=["work around a call"]),
    wait("nanosleep, 20 µs", "sleep_asleep"),
    wait("syscall, getppid", "syscall_ready", reasons=["work around a call"]),
    wait("open and close", "open_ready", reasons=["work around a call"]),
    wait("send and recv, ready", "send_recv_ready", reasons=["work around a call"]),
    wait("recv, asleep", "recv_asleep", "by_byte"),
    wait("connect and accept, ready", "connect_accept_ready", reasons=["work around a call"]),
    wait("connect, asleep", "connect_asleep", "by_byte"),
    wait("accept, asleep", "accept_asleep", "by_byte"),
    wait("waitpid, WNOHANG", "waitpid_ready", reasons=["work around a call"]),
    wait("waitpid, asleep", "waitpid_asleep", "by_byte"),
]
