"""Measures contenders in turn, a batch of each in every round, so that what the machine does meanwhile meets all alike."""
import math
import random
import statistics
import subprocess

BATCH = 1e6  # nanoseconds


class Child:
    """A program that answers as bench.h says."""

    def __init__(self, command):
        self.command = command
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def ask(self, count):
        """Nanoseconds of an operation: the batch's median, or its average as the one value."""
        self.process.stdin.write(f"{count}\n")
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.command)}: ended with {self.process.wait()}")
        return [float(word) for word in line.split()]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Results:
    """What was measured, by contender: for each round the batch's values."""

    def __init__(self, commands, rounds, batch=None):
        children = {name: Child(command) for name, command in commands.items()}
        counts = {name: batch or calibrate(child) for name, child in children.items()}
        self.batches = {name: [] for name in children}
        order, chance = list(children), random.Random(1)
        for _ in range(rounds):
            chance.shuffle(order)
            for name in order:
                self.batches[name].append(children[name].ask(counts[name]))
        for child in children.values():
            child.end()
        names = list(children)
        medians = [[statistics.median(batch) for batch in self.batches[name]] for name in names]
        self.rounds = [dict(zip(names, values)) for values in zip(*medians)]

    def __contains__(self, name):
        return name in self.batches

    def nanoseconds(self, name):
        return statistics.median(values[name] for values in self.rounds)

    def percentile(self, name, percent, first=0, step=1):
        """Of all single values, or of every so many rounds'."""
        values = sorted(value for batch in self.batches[name][first::step] for value in batch)
        return values[min(len(values) - 1, int(len(values) * percent / 100))]

    def percentile_ratio(self, name, other, percent):
        """The median of eight groups of rounds, and its error."""
        groups = min(8, len(self.rounds))
        return median(
            [
                self.percentile(name, percent, group, groups) / self.percentile(other, percent, group, groups)
                for group in range(groups)
            ]
        )

    def ratio(self, name, other):
        """The median of the rounds' ratios, and its error."""
        return median([values[name] / values[other] for values in self.rounds])


def median(values):
    """It, and half of the interval in which 19 out of 20 times that of endless rounds is, however the values are spread."""
    values = sorted(values)
    middle, reach = len(values) // 2, math.isqrt(len(values))
    low, high = values[max(0, middle - reach)], values[min(len(values) - 1, middle + reach)]
    return statistics.median(values), (high - low) / 2


def calibrate(child):
    """How many operations are a batch."""
    count = 1
    for _ in range(3):
        count = max(1, min(10_000_000, int(BATCH / max(child.ask(count)[0], 0.1))))
    return count
