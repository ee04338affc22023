"""Measures contenders in turn, a batch of each in every round, so that what the machine does meanwhile meets all alike."""
import functools
import itertools
import random
import statistics
import subprocess

BATCH = 1e6  # nanoseconds
PROCESSES = 3  # of each contender: where its memory lies makes a difference, too
RESAMPLES = 200
PERCENTS = (50, 99, 99.9)


class Child:
    """A process that answers as bench.h says."""

    def __init__(self, command, batch):
        self.command = command
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self.batch = batch or self._calibrate()

    def measure(self):
        """Nanoseconds of an operation, in rising order: each of the batch, or their average as the one value."""
        return sorted(self._ask(self.batch))

    def _calibrate(self):
        """How many operations are a batch."""
        count = 1
        for _ in range(3):
            count = max(1, min(10_000_000, int(BATCH / max(self._ask(count)[0], 0.1))))
        return count

    def _ask(self, count):
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
        children = {name: [Child(command, batch) for _ in range(PROCESSES)] for name, command in commands.items()}
        self.batches = {name: [] for name in children}
        order, chance = list(children), random.Random(1)
        for round in range(rounds):
            chance.shuffle(order)
            for name in order:
                self.batches[name].append(children[name][round % PROCESSES].measure())
        for child in itertools.chain.from_iterable(children.values()):
            child.end()
        self.medians = {name: [statistics.median(batch) for batch in batches] for name, batches in self.batches.items()}
        # All rounds, and what these rounds could have been: drawn from them, each as often as it happens.
        every = range(rounds)
        self.samples = [tuple(every), *(tuple(chance.choices(every, k=rounds)) for _ in range(RESAMPLES))]

    def __contains__(self, name):
        return name in self.batches

    def nanoseconds(self, name):
        return statistics.median(self.medians[name])

    def ratio(self, name, other):
        """The median of the rounds' ratios, and its error."""
        return self.median([mine / theirs for mine, theirs in zip(self.medians[name], self.medians[other])])

    def median(self, values):
        """Of one value for each round, and its error."""
        return self._with_error(lambda rounds: statistics.median(values[round] for round in rounds))

    def percentile(self, name, percent):
        return self._percentiles(name, self.samples[0])[percent]

    def percentile_ratio(self, name, other, percent):
        """Of the two percentiles, and its error."""
        return self._with_error(
            lambda rounds: self._percentiles(name, rounds)[percent] / self._percentiles(other, rounds)[percent]
        )

    @functools.cache
    def _percentiles(self, name, rounds):
        """Of all single values of these rounds."""
        values = sorted(itertools.chain.from_iterable(self.batches[name][round] for round in rounds))
        return {percent: values[int(len(values) * percent / 100)] for percent in PERCENTS}

    def _with_error(self, statistic):
        """Of all rounds, and how far at most, 19 times out of 20, that of other such rounds is from it (a bootstrap)."""
        value, *others = map(statistic, self.samples)
        return value, sorted(abs(other - value) for other in others)[int(0.95 * RESAMPLES)]
