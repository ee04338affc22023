"""rsig in a Python process, whose own signal module, asyncio and faulthandler have their handlers too.

Without arguments it lists its cases, with a name it runs that one.
"""

import asyncio
import ctypes
import faulthandler
import os
import signal
import subprocess
import sys
import threading

rsig = ctypes.CDLL("librsig.so.0")
rsig.rsig_error_message.restype = ctypes.c_char_p


class Info(ctypes.Structure):
    _fields_ = [
        ("signo", ctypes.c_int32), ("code", ctypes.c_int32), ("error", ctypes.c_int32), ("pid", ctypes.c_int32),
        ("uid", ctypes.c_uint32), ("status", ctypes.c_int32), ("band", ctypes.c_int64),
        ("value_int", ctypes.c_int32), ("overrun", ctypes.c_int32), ("value_ptr", ctypes.c_uint64),
        ("count", ctypes.c_uint32), ("reserved", ctypes.c_uint32 * 19),
    ]


class Action(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("arg", ctypes.c_void_p)]


HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(Info), ctypes.c_void_p)
FOREIGN = 2
CASES = {}
seen = []  # who was called, in order


def case(function):
    CASES[function.__name__] = function
    return function


def ok(result):
    assert result >= 0, (result, rsig.rsig_error_message())
    return result


def init():
    ok(rsig.rsig_init(0))


def python_handler(signum, frame):
    seen.append("python")


@HANDLER
def rsig_handler(signum, info, arg):
    assert info.contents.pid == os.getpid()
    seen.append("rsig")
    return 0


def set_handler(signum):
    old = Action()
    ok(rsig.rsig_signal(signum, rsig_handler, None, ctypes.byref(old)))
    return old


def restore(signum, action):
    handler, arg = ctypes.c_void_p(action.handler), ctypes.c_void_p(action.arg)
    ok(rsig.rsig_signal(signum, handler, arg, None))


def what_rsig_sees(signum):
    now = Action()
    ok(rsig.rsig_getsignal(signum, ctypes.byref(now)))
    return now.handler


class Channel:
    def __init__(self, *signums):
        self.pointer = ctypes.c_void_p()
        bits = sum(1 << (signum - 1) for signum in signums)
        ok(rsig.rsig_channel_open(ctypes.c_uint64(bits), 64, ctypes.byref(self.pointer)))

    def read(self):
        infos = (Info * 64)()
        count = ok(rsig.rsig_channel_read(self.pointer, infos, ctypes.c_size_t(64)))
        return [info.signo for info in infos[:count]]

    def fd(self):
        return ok(rsig.rsig_channel_fd(self.pointer))

    def close(self):
        ok(rsig.rsig_channel_close(self.pointer))


def send(signum):
    """Python's handler has run when this returns, if it heard."""
    os.kill(os.getpid(), signum)


def check(*expected):
    ok(rsig.rsig_pump())
    assert sorted(seen) == sorted(expected), seen
    seen.clear()


@case
def beneath_a_handler():
    """Python's handler is displaced by rsig_signal, and put back by the old action and by rsig_fini."""
    signal.signal(signal.SIGUSR1, python_handler)
    init()
    old = set_handler(signal.SIGUSR1)
    assert old.handler == FOREIGN
    send(signal.SIGUSR1)
    check("rsig")
    restore(signal.SIGUSR1, old)
    send(signal.SIGUSR1)
    check("python")
    set_handler(signal.SIGUSR1)
    ok(rsig.rsig_fini())
    send(signal.SIGUSR1)
    assert seen == ["python"]


@case
def beneath_a_channel():
    """Python's handler and a channel both hear."""
    signal.signal(signal.SIGUSR1, python_handler)
    init()
    channel = Channel(signal.SIGUSR1)
    for _ in range(3):
        send(signal.SIGUSR1)
        check("python")
        assert channel.read() == [signal.SIGUSR1]
    channel.close()
    send(signal.SIGUSR1)
    check("python")


@case
def above_a_handler():
    """signal.signal() takes the signal from rsig, which knows it; a channel over it hears beside it."""
    init()
    set_handler(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, python_handler)
    assert what_rsig_sees(signal.SIGUSR1) == FOREIGN
    send(signal.SIGUSR1)
    check("python")
    channel = Channel(signal.SIGUSR1)
    send(signal.SIGUSR1)
    check("python")
    assert channel.read() == [signal.SIGUSR1]
    ok(rsig.rsig_fini())
    send(signal.SIGUSR1)
    assert seen == ["python"]


@case
def above_a_channel():
    """signal.signal() over a channel has the signal alone, until another channel is opened: then all hear."""
    init()
    first = Channel(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, python_handler)
    send(signal.SIGUSR1)
    check("python")
    assert first.read() == []
    second = Channel(signal.SIGUSR1)
    send(signal.SIGUSR1)
    check("python")
    assert first.read() == second.read() == [signal.SIGUSR1]


@case
def keyboard_interrupt():
    """rsig_init leaves SIGINT to Python; a channel hears beside it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    init()
    assert what_rsig_sees(signal.SIGINT) == FOREIGN
    channel = Channel(signal.SIGINT)
    for _ in range(3):
        try:
            send(signal.SIGINT)
            raise AssertionError("no KeyboardInterrupt")
        except KeyboardInterrupt:
            pass
        assert channel.read() == [signal.SIGINT]


@case
def wakeup_fd():
    """Python's own wakeup fd gets its byte, and the system call that Python sleeps in its EINTR, with a channel open."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    signal.signal(signal.SIGUSR1, python_handler)
    init()
    channel = Channel(signal.SIGUSR1)
    send(signal.SIGUSR1)
    assert os.read(read, 64) == bytes([signal.SIGUSR1])
    assert channel.read() == [signal.SIGUSR1]


@case
def asyncio_loop():
    """loop.add_signal_handler() before a channel, whose descriptor the same loop watches: both are called."""
    init()
    done = {"loop": 0, "channel": 0}

    async def main():
        loop = asyncio.get_running_loop()
        both = asyncio.Event()

        def note(who):
            done[who] += 1
            if all(done.values()):
                both.set()

        loop.add_signal_handler(signal.SIGUSR1, note, "loop")
        channel = Channel(signal.SIGUSR1)

        def readable():
            for _ in channel.read():
                note("channel")

        loop.add_reader(channel.fd(), readable)
        # On a thread, so that the loop has to be woken up.
        sender = threading.Thread(target=send, args=(signal.SIGUSR1,))
        sender.start()
        await both.wait()
        sender.join()
        loop.remove_reader(channel.fd())
        channel.close()
        loop.remove_signal_handler(signal.SIGUSR1)

    asyncio.run(main())
    assert done == {"loop": 1, "channel": 1}, done


def in_child(*arguments):
    return subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True)


ORDERS = {
    "channel after": lambda: (faulthandler.enable(), init(), Channel(signal.SIGSEGV)),
    "handler after": lambda: (faulthandler.enable(), init(), set_handler(signal.SIGSEGV)),
    "channel before": lambda: (init(), Channel(signal.SIGSEGV), faulthandler.enable()),
    "handler before": lambda: (init(), set_handler(signal.SIGSEGV), faulthandler.enable()),
}


def fault(order):
    keep = ORDERS[order]()
    ctypes.string_at(8)
    raise AssertionError(keep)


@case
def fault_handler():
    """faulthandler writes its traceback, and the process dies of the fault."""
    for order in ORDERS:
        result = in_child("fault", order)
        assert result.returncode == -signal.SIGSEGV, (order, result)
        assert result.stderr.count("Fatal Python error: Segmentation fault") == 1, (order, result)
        assert "in fault" in result.stderr, (order, result)


@case
def fault_handler_on_demand():
    """faulthandler.register() and a channel hear both; with chain=True rsig's handler beneath it does too."""
    init()
    read, write = os.pipe()
    text = os.fdopen(read)
    faulthandler.register(signal.SIGUSR1, os.fdopen(write, "w"), all_threads=False)
    channel = Channel(signal.SIGUSR1)
    send(signal.SIGUSR1)
    assert "most recent call first" in text.readline()
    assert channel.read() == [signal.SIGUSR1]
    channel.close()
    faulthandler.unregister(signal.SIGUSR1)

    set_handler(signal.SIGUSR2)
    faulthandler.register(signal.SIGUSR2, sys.stderr, all_threads=False, chain=True)
    for _ in range(3):
        send(signal.SIGUSR2)
        check("rsig")


@case
def children():
    """subprocess and multi-threaded waits go on while a channel hears of each child."""
    init()
    channel = Channel(signal.SIGCHLD)
    for _ in range(3):
        assert subprocess.run(["false"]).returncode == 1
    heard = channel.read()
    assert heard and set(heard) == {signal.SIGCHLD}


@case
def no_default_of_pythons():
    """SIGPIPE, which Python ignores, stays ignored, and a broken pipe an exception."""
    init()
    read, write = os.pipe()
    os.close(read)
    try:
        os.write(write, b"x")
        raise AssertionError("no BrokenPipeError")
    except BrokenPipeError:
        pass
    ok(rsig.rsig_fini())
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN


if len(sys.argv) == 1:
    print(*CASES, sep="\n")
elif sys.argv[1] == "fault":
    fault(sys.argv[2])
else:
    CASES[sys.argv[1]]()
