"""The results as Markdown, and as a picture."""
from html import escape

from rounds import PERCENTS
from sections import BESIDE_A_THREAD

ROW, WIDTH, BAR, LEFT = 18, 860, 420, 250


def table(head, rows):
    """The first column is words, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def significant(value, digits=3):
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:#.{digits}g}"


def with_error(ratio, error):
    digit = f"{error:.0f}" if error >= 1 else f"{error:.1g}"
    return significant(ratio, 4) + (f" ± {digit}" if error else "")


def section_table(section):
    results, reference = section.results, section.reference
    percents = PERCENTS if section.percentiles else ()
    head = ["", "ns", f"of {reference}'s", *(f"p{percent:g}, ns" for percent in percents)]
    rows = [
        [
            name,
            significant(results.nanoseconds(name)),
            with_error(*results.ratio(name, reference)) if reference in results else "",
            *(significant(results.percentile(name, percent)) for percent in percents),
        ]
        for name in results.batches
    ]
    return table(head, rows)


def waits_table(sections):
    rows = []
    for section in sections:
        row = [section.title]
        for beside in ("", BESIDE_A_THREAD):
            system, rsig = "system" + beside, "rsig" + beside
            row += [significant(section.results.nanoseconds(name)) for name in (system, rsig)]
            row.append(with_error(*section.results.ratio(rsig, system)))
        rows.append(row)
    return table(["", "alone: system, ns", "rsig, ns", "ratio", "with another thread: system, ns", "rsig, ns", "ratio"], rows)


def targets(rows):
    cells = []
    for row in rows:
        reasons = ", ".join(link(reason) for reason in row.reasons)
        missed = f"**missed**: {reasons}"
        verdict = missed if row.verdict == "missed" else row.verdict
        cells.append([row.title, row.what, with_error(row.ratio, row.error), f"{row.most:g}", verdict])
    return table(["", "of whom", "ratio", "at most", ""], cells)


def link(heading):
    return f"[{heading}](#{heading.replace(' ', '-')})"


def reasons(texts, rows):
    """Those of the rows that are missed, with how far these are. `texts` by heading."""
    missed = [row for row in rows if row.verdict == "missed" and row.reasons]
    parts = []
    for heading, text in texts.items():
        if any(heading in row.reasons for row in missed):
            ratios = [row.ratio for row in missed if row.reasons[-1] == heading]
            parts += [f"### {heading}", *([span(ratios)] if ratios else []), text]
    return "\n\n".join(parts)


def span(ratios):
    least, most = significant(min(ratios), 4), significant(max(ratios), 4)
    return f"Ratio: {least}" if least == most else f"Ratios: {least} to {most}"


def svg(sections):
    """For each section its contenders' times as bars, the fastest first."""
    parts, y = [], 0
    for section in sections:
        results = section.results
        y += 2 * ROW
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(section.title)}, ns</text>')
        names = sorted(results.batches, key=results.nanoseconds)
        longest = results.nanoseconds(names[-1])
        for name in names:
            y += ROW
            value = results.nanoseconds(name)
            color = "#c0392b" if name.startswith("rsig") else "#8a97a5"
            width = max(1, BAR * value / longest)
            parts.append(
                f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{LEFT}" y="{y - 12}" width="{width:.1f}" height="{ROW - 4}" fill="{color}"/>'
                f'<text x="{LEFT + width + 6:.1f}" y="{y}">{significant(value)}</text>'
            )
    height = y + ROW
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">'
    background = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    return "\n".join([start, background, *parts, "</svg>", ""])
