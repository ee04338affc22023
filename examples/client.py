#!/usr/bin/env python3
"""rsig from another language, through nothing but its C ABI: here Python's ctypes.

    python3 client.py [path of librsig.so.0]

Python has a signal module of its own, with handlers of its own: its default for Ctrl-C is one. rsig
displaces only what the program gives to rsig_signal(), and rsig_fini() puts that back.
"""

import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_void_p
from ctypes import c_int32, c_int64, c_uint32, c_uint64

ERROR_HANDLER = -5


class SigInfo(ctypes.Structure):
    _fields_ = [
        ("signo", c_int32), ("code", c_int32), ("error", c_int32), ("pid", c_int32),
        ("uid", c_uint32), ("status", c_int32), ("band", c_int64),
        ("value_int", c_int32), ("overrun", c_int32), ("value_ptr", c_uint64),
        ("count", c_uint32), ("fd", c_int32), ("reserved", c_uint32 * 18),
    ]


HANDLER = ctypes.CFUNCTYPE(c_int, c_int, POINTER(SigInfo), c_void_p)


class Action(ctypes.Structure):
    _fields_ = [("handler", c_void_p), ("arg", c_void_p)]


def load(path):
    lib = ctypes.CDLL(path, use_errno=True)
    for name, result, *arguments in [
        ("rsig_version", c_char_p),
        ("rsig_error_message", c_char_p),
        ("rsig_init", c_int, c_uint32),
        ("rsig_fini", c_int),
        ("rsig_constant", c_int, c_char_p, POINTER(c_int)),
        ("rsig_signame", c_char_p, c_int),
        # The handler as an address: it may also be 0, 1 or 2, for RSIG_DFL, RSIG_IGN, RSIG_FOREIGN.
        ("rsig_signal", c_int, c_int, c_void_p, c_void_p, POINTER(Action)),
        ("rsig_raise_signal", c_int, c_int),
        ("rsig_raised", c_int, POINTER(c_int)),
        ("rsig_setitimer", c_int, c_int, c_double, c_double, c_void_p),
        ("rsig_pause", c_int),
    ]:
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class Signals:
    """The little that makes the C functions feel at home: exceptions, in both directions."""

    def __init__(self, path):
        self.lib = load(path)
        self.callbacks = {}  # ctypes' callbacks must outlive their registration
        self.exception = None

    def check(self, result):
        if result >= 0:
            return result
        exception, self.exception = self.exception, None
        if result == ERROR_HANDLER and exception:
            raise exception
        if result == ERROR_HANDLER:
            signum = c_int()
            value = self.lib.rsig_raised(byref(signum))
            raise KeyboardInterrupt(f"{self.name(signum.value)}: {value}")
        raise OSError(ctypes.get_errno(), self.lib.rsig_error_message().decode())

    def constant(self, name):
        value = c_int()
        self.check(self.lib.rsig_constant(name.encode(), byref(value)))
        return value.value

    def name(self, signum):
        return self.lib.rsig_signame(signum).decode()

    def handle(self, signum, handler):
        """handler(signum, info) runs on the main thread; an exception reaches whoever pumps."""

        def callback(signum, info, _arg):
            try:
                handler(signum, info.contents)
                return 0
            except BaseException as exception:  # ctypes would print it and return 0
                self.exception = exception
                return 1

        callback = HANDLER(callback)
        self.restore(signum, Action(ctypes.cast(callback, c_void_p)))
        self.callbacks[signum] = callback

    def restore(self, signum, action):
        """Registers an action of C's; returns the one before."""
        old = Action()
        self.check(self.lib.rsig_signal(signum, action.handler, action.arg, byref(old)))
        return old


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else ctypes.util.find_library("rsig") or "librsig.so.0"
    signals = Signals(path)
    lib, check = signals.lib, signals.check
    print("version   ", lib.rsig_version().decode())
    check(lib.rsig_init(0))

    SIGINT, SIGUSR1, SIGALRM, SIGKILL, ITIMER_REAL = map(
        signals.constant, ["SIGINT", "SIGUSR1", "SIGALRM", "SIGKILL", "ITIMER_REAL"]
    )
    print(f"constants  SIGINT is {SIGINT}, ITIMER_REAL is {ITIMER_REAL}")

    def tell(signum, info):
        print(f"handler    {signals.name(signum)}, deliveries: {info.count}")

    signals.handle(SIGUSR1, tell)
    check(lib.rsig_raise_signal(SIGUSR1))

    def refuse(signum, info):
        raise TimeoutError(f"{signals.name(signum)} ends the wait")

    signals.handle(SIGALRM, refuse)
    check(lib.rsig_setitimer(ITIMER_REAL, 0.01, 0, None))
    try:
        check(lib.rsig_pause())
    except TimeoutError as error:
        print("timer     ", error)

    try:
        signals.handle(SIGKILL, tell)
    except OSError as error:
        print("error     ", error)

    # Ctrl-C was Python's until here (or ignored, as the parent may have it); now it is rsig's.
    default = Action(ctypes.cast(lib.rsig_default_int_handler, c_void_p))
    python = signals.restore(SIGINT, default)
    try:
        os.kill(os.getpid(), SIGINT)
        check(lib.rsig_pump())
    except KeyboardInterrupt as interrupt:
        print("Ctrl-C    ", interrupt)

    check(lib.rsig_fini())
    if python.handler == 1:
        print("fini       Ctrl-C is ignored again")
        return
    try:
        os.kill(os.getpid(), SIGINT)
    except KeyboardInterrupt:
        print("fini       Ctrl-C is Python's again")


if __name__ == "__main__":
    main()
