"""The results as Markdown, and as a picture."""
from html import escape

ROW, WIDTH, BAR, LEFT = 18, 860, 420, 250


def table(head, rows):
    """The first column is words, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def significant(value):
    """Three digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def with_error(ratio, error):
    return f"{ratio:.3g}" + (f" ± {error:.1g}" if error else "")


def section_table(section):
    results, reference = section.results, section.reference
    percents = (50, 99, 99.9) if section.percentiles else ()
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
        times = [significant(section.results.nanoseconds(name)) for name in ("system", "rsig")]
        rows.append([section.title, *times, with_error(*section.results.ratio("rsig", "system"))])
    return table(["", "system, ns", "rsig, ns", "ratio"], rows)


def verdicts(sections):
    rows = [
        [title, what, with_error(ratio, error), f"{most:g}", verdict(ratio, error, most)]
        for section in sections
        for title, most, (what, ratio, error) in _limits(section)
    ]
    return table(["", "of whom", "ratio", "at most", ""], rows)


def verdict(ratio, error, most):
    if ratio <= most:
        return "held"
    return "even" if ratio - error <= most else "**missed**"


def _limits(section):
    for limit in section.limits:
        for row in limit.rows(section.results):
            yield section.title, limit.most, row


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
