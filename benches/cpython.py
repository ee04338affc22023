"""CPython's signal, with the measures of peer.h and the protocol of bench.h: cpython.py MEASURE."""
import os
import signal
import sys
import time

BURST = 1000
handled = 0
replies = False


def reply():
    os.write(1, b"\0")


def on_signal(signum, frame):
    global handled
    handled += 1
    if replies:
        reply()


def answer(operation, each):
    """`operation` takes how often it is to be done; `each` is how many signals one handles."""
    global handled
    for line in sys.stdin:
        n = int(line)
        handled = 0
        start = time.perf_counter_ns()
        operation(n)
        took = time.perf_counter_ns() - start
        assert handled == n * each, handled
        print(f"{took / n:.2f}", flush=True)


def one(n):
    for _ in range(n):
        signal.raise_signal(signal.SIGUSR1)


def burst(n):
    for _ in range(n * BURST):
        signal.raise_signal(signal.SIGRTMIN + 1)


def init(n):
    for _ in range(n):
        signal.signal(signal.SIGUSR1, on_signal)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def main():
    global replies
    measure = sys.argv[1]
    if measure == "init":
        return answer(init, 0)
    signal.signal(signal.SIGUSR1, on_signal)
    signal.signal(signal.SIGRTMIN + 1, on_signal)
    if measure == "one":
        answer(one, 1)
    elif measure == "burst":
        answer(burst, BURST)
    elif measure == "reply":
        replies = True
        reply()
        while True:
            signal.pause()
    else:
        raise SystemExit(f"no such measure: {measure}")


main()
