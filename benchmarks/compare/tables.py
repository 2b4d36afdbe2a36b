"""A comparison as text: a row for each workload and size, or a row a workload, which is what the README has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Ratio
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from benchmarks.compare.contest import Row

__all__ = ["between", "brief", "described", "duration", "markdown", "placed", "report", "rounded", "spread"]

LEGEND = """\
gradient: least time of a call. / primal, / by hand, NAME / ours: ratio of least times, and half its range over thirds
of the rounds. > 1.3: above what is aimed at. flat: over our own gradient of the same program on plain arrays.
first: the first call, with all that is generated and compiled for it."""


def report(rows: list[Row], machine: dict[str, Any]) -> Iterator[str]:
    """The machine, the table, what it means, and why what has no speed has none."""
    load = machine["load_average"]
    yield described(machine) + (f", load average {load} at the start" if load is not None else "")
    yield ""
    yield from markdown(list(full(rows, others_of(machine))), left=2)
    yield ""
    yield LEGEND
    for row in rows:
        for name, problem in row.problems.items():
            yield f"{row.workload}, {row.size}: {name}: {problem}"
    if missed := dict.fromkeys(row.workload for row in rows if row.missed):
        yield ""
        yield "Above what is aimed at:"
        for workload in missed:
            why = WORKLOADS[workload].gap or "nobody has said why yet, in its `gap`"
            yield from wrap(f"{workload}: {why}", 118, subsequent_indent="    ")


def described(machine: dict[str, Any]) -> str:
    """The date, the processor, the versions."""
    beside = "".join(f", {machine['engines'][name].replace('==', ' ')}" for name in others_of(machine))
    threads = "one thread each" if machine["threads"] == 1 else f"{machine['threads']} threads each"
    return (
        f"{machine['date']}, {machine['processor']}, Python {machine['python']}, NumPy {machine['numpy']}{beside}, "
        f"{threads}, {machine['clock']} clock"
    )


def others_of(machine: dict[str, Any]) -> list[str]:
    return [name for name in machine["engines"] if name != "reference"]


def full(rows: list[Row], others: list[str]) -> Iterator[list[str]]:
    """The titles, and a line for each row."""
    yield [
        *("workload", "size", "gradient", "/ primal", "/ by hand", *(f"{name} / ours" for name in others)),
        *("first", *(f"first, {name}" for name in others)),
    ]
    for row in rows:
        flat = row.ratios.get("reference/flat")
        aimed_at = spread(flat or row.ratios.get("reference/hand")) + (" flat" if flat else "")
        yield [
            row.workload,
            row.size,
            duration(row.seconds.get("reference")),
            spread(row.ratios.get("reference/primal")),
            f"{aimed_at} > {row.target}" if row.missed else aimed_at,
            *(spread(row.ratios.get(f"{name}/reference")) for name in others),
            *(duration(row.first_seconds.get(name)) for name in ("reference", *others)),
        ]


def brief(rows: list[Row], machine: dict[str, Any]) -> Iterator[str]:
    """A row a workload: the ratios at each of its sizes, smallest first."""
    others = others_of(machine)
    keys = ["reference/hand", "reference/primal", *(f"{name}/reference" for name in others)]
    lines = [["workload", "gradient / by hand", "gradient / program", *(f"{name} / gradient" for name in others)]]
    for workload in dict.fromkeys(row.workload for row in rows):
        of_workload = [row for row in rows if row.workload == workload]
        lines.append([workload, *(", ".join(rounded(row.ratios.get(key)) for row in of_workload) for key in keys)])
    yield from markdown(lines, left=1)
    yield ""
    yield described(machine) + "."


def between(name: str) -> re.Pattern[str]:
    """What a text has between the marks of that name."""
    return re.compile(rf"(?<=^<!-- {name} -->\n).*?(?=^<!-- end of {name} -->$)", flags=re.MULTILINE | re.DOTALL)


def placed(text: str, lines: Iterable[str], name: str) -> str:
    """`text` with `lines` between the marks of that name.

    Raises:
        ValueError: there are no such marks.

    >>> placed("<!-- ratios -->\\nold\\n<!-- end of ratios -->\\n", ["new"], "ratios").split("\\n")
    ['<!-- ratios -->', 'new', '<!-- end of ratios -->', '']
    """
    if not between(name).search(text):
        raise ValueError(f"it has no lines <!-- {name} --> and <!-- end of {name} -->")
    return between(name).sub(lambda match: "".join(line + "\n" for line in lines), text, count=1)


def markdown(lines: list[list[str]], left: int) -> Iterator[str]:
    """A table, titles first; all but `left` columns are aligned on the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def row(cells: list[str], right: range) -> str:
        aligned = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "| " + " | ".join(aligned) + " |"

    yield row(lines[0], range(0))
    yield "|" + "|".join("-" * (w + 1) + ("-" if i < left else ":") for i, w in enumerate(widths)) + "|"
    for line in lines[1:]:
        yield row(line, range(left, len(line)))


def duration(seconds: float | None) -> str:
    """
    >>> duration(0.00123), duration(2.5), duration(None)
    ('1.23 ms', '2.5 s', '-')
    """
    if seconds is None:
        return "-"
    scale, unit = next((pair for pair in ((1.0, "s"), (1e-3, "ms")) if seconds >= pair[0]), (1e-6, "us"))
    return f"{seconds / scale:.3g} {unit}"


def spread(ratio: Ratio | None) -> str:
    """
    >>> spread(Ratio(12.34, 12.0, 12.8)), spread(None)
    ('12.3 ±3%', '-')
    """
    if ratio is None:
        return "-"
    return f"{ratio.value:.3g} ±{50 * (ratio.high - ratio.low) / ratio.value:.0f}%"


def rounded(ratio: Ratio | None) -> str:
    """
    >>> [rounded(Ratio(x, x, x)) for x in (0.0123, 0.98, 1.254, 34.4, 1592.0)]
    ['0.012', '0.98', '1.25', '34', '1600']
    """
    if ratio is None:
        return "-"
    digits = 3 if 1 <= ratio.value < 10 else 2
    return f"{float(f'{ratio.value:.{digits}g}'):g}"
