#!/usr/bin/env python3
"""Builds and measures rsig and its peers: bench.py STAGE FOLDER, or `make bench`. See docs/bench.md, which it writes."""
import os
import platform
import sys
import time
from pathlib import Path

import report
from programs import HERE, Programs, output
from rounds import Results
from sections import SECTIONS, WAITS

ROUNDS = int(os.environ.get("ROUNDS") or 201)
ENOUGH = 101  # rounds, to be kept in docs/


def say(text):
    print(text, file=sys.stderr, flush=True)


def command_of(commands, words):
    """With the names of programs replaced by their commands; None if one of them is missing."""
    parts = [commands.get(word, [word]) for word in words]
    return None if None in parts else [word for part in parts for word in part]


def measure(section, commands):
    say(f"  {section.title}")
    wanted = {name: command_of(commands, words) for name, words in section.contenders.items()}
    here = {name: command for name, command in wanted.items() if command}
    section.results = Results(here, ROUNDS, section.batch)


def sizes(programs):
    rows = []
    for name in programs.versions:
        file = programs.file_of(name)
        size, needed = programs.size_of(file)
        others = [library for library in needed if library.split(".so")[0] not in ("libc", "ld-linux-x86-64")]
        rows.append([name, file.name, f"{size:,}", ", ".join(others) or "none"])
    text = "signal-hook's is an empty program with it."
    return text + "\n\n" + report.table(["", "file", "bytes, stripped", "needs besides libc"], rows)


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def machine(programs, cpu, load):
    compiler = (output("cc", "--version") or "").splitlines()[0]
    versions = ", ".join(f"{name} {version}" for name, version in programs.versions.items())
    missing = ", ".join(f"{name} ({why})" for name, why in programs.missing.items())
    return [
        f"- {processor()}, {os.cpu_count()} processors; Linux {platform.release()}; {' '.join(platform.libc_ver())}",
        f"- {compiler}; {output('rustc', '--version')}",
        f"- {versions}",
        *([f"- Missing, so skipped: {missing}"] if missing else []),
        f"- {ROUNDS} rounds, all on processor {cpu}; load at the beginning {load:.2f}; {time.strftime('%Y-%m-%d')}",
    ]


def document(programs, about):
    everything = [*SECTIONS, *WAITS]
    parts = [
        (HERE / "bench.md").read_text().rstrip(),
        "\n".join(about),
        "![The times as bars](bench.svg)",
        "## Targets",
        report.verdicts(everything),
        (HERE / "missed.md").read_text().rstrip(),
        "## Sizes",
        sizes(programs),
    ]
    for section in SECTIONS:
        parts += [f"## {section.title}", section.text, report.section_table(section)]
    parts += ["## Waits, against the system's own", report.waits_table(WAITS)]
    return "\n\n".join(part for part in parts if part) + "\n"


def main():
    stage, folder = sys.argv[1:]
    load = os.getloadavg()[0]
    say("building")
    programs = Programs(stage, folder)
    for name, why in programs.missing.items():
        say(f"skipped: {name}: {why}")
    # Children inherit it. The last one, as the first often has the devices' interrupts.
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    say(f"measuring, {ROUNDS} rounds")
    for section in [*SECTIONS, *WAITS]:
        measure(section, programs.commands)
    text = document(programs, machine(programs, cpu, load))
    docs = HERE.parent / "docs" if ROUNDS >= ENOUGH else Path(folder)
    docs.mkdir(exist_ok=True)
    (docs / "bench.md").write_text(text)
    (docs / "bench.svg").write_text(report.svg([section for section in SECTIONS if section.chart]))
    print(text)
    say(f"written: {docs}/bench.md, {docs}/bench.svg")


main()
