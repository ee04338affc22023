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
from sections import SECTIONS, WAITS, WAITS_TEXT

ROUNDS = int(os.environ.get("ROUNDS") or 201)
ENOUGH = 101  # rounds, to be kept in docs/
QUIET = 0.5  # load at the beginning, at most, to be kept in docs/


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


def reasons():
    """Those of missed.md, by heading."""
    head, *parts = (HERE / "missed.md").read_text().split("\n### ")
    return head.strip(), {heading: text.strip() for heading, text in (part.split("\n", 1) for part in parts)}


def check_reasons():
    """Before the minutes that it takes to measure."""
    named = {heading for section in [*SECTIONS, *WAITS] for limit in section.limits for heading in limit.reasons}
    if named != reasons()[1].keys():
        sys.exit(f"only one of sections.py and missed.md has these reasons: {sorted(named ^ reasons()[1].keys())}")


def unexplained(rows):
    """What is missed without a reason."""
    for row in rows:
        if row.verdict == "missed" and not row.reasons:
            yield f"missed without a reason: {row.title}: {row.what}: {report.with_error(row.ratio, row.error)}"


def machine(programs, cpu, load):
    commit = output("git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude=*")
    compiler = (output("cc", "--version") or "").splitlines()[0]
    versions = ", ".join(f"{name} {version}" for name, version in programs.versions.items())
    missing = ", ".join(f"{name} ({why})" for name, why in programs.missing.items())
    return [
        f"- {processor()}, {os.cpu_count()} processors; Linux {platform.release()}; {' '.join(platform.libc_ver())}",
        f"- {compiler}; {output('rustc', '--version')}",
        f"- {versions}",
        *([f"- Commit {commit}"] if commit else []),
        *([f"- Missing, so skipped: {missing}"] if missing else []),
        f"- {ROUNDS} rounds, all on processor {cpu}; load at the beginning {load:.2f}; {time.strftime('%Y-%m-%d')}",
    ]


def document(programs, about, rows):
    head, texts = reasons()
    parts = [
        (HERE / "bench.md").read_text().rstrip(),
        "\n".join(about),
        "![The times as bars](bench.svg)",
        "## Targets",
        report.targets(rows),
        head,
        report.reasons(texts, rows),
        "## Sizes",
        sizes(programs),
    ]
    for section in SECTIONS:
        parts += [f"## {section.title}", section.text, report.section_table(section)]
    parts += ["## Waits, against the system's own", WAITS_TEXT, report.waits_table(WAITS)]
    return "\n\n".join(part for part in parts if part) + "\n"


def main():
    stage, folder = sys.argv[1:]
    load = os.getloadavg()[0]
    is_whole = ROUNDS >= ENOUGH
    faults = []
    if is_whole and load > QUIET:
        faults.append(f"the load at the beginning is {load:.2f}, too much for a run to be kept: {QUIET} at most")
        say(faults[0])
    check_reasons()
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
    say("counting")
    rows = [row for section in [*SECTIONS, *WAITS] for row in section.rows()]
    text = document(programs, machine(programs, cpu, load), rows)
    print(text)
    faults += unexplained(rows)
    docs = HERE.parent / "docs" if is_whole and not faults else Path(folder)
    (docs / "bench.md").write_text(text)
    (docs / "bench.svg").write_text(report.svg([section for section in SECTIONS if section.chart]))
    say("\n".join([*faults, f"written: {docs}/bench.md, {docs}/bench.svg"]))


main()
