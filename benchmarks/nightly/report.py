"""What a night has shown, in lines that are read in ten seconds: the answer, then each commit with what it changed."""

from __future__ import annotations

import math
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.nightly.gate import Change, Night, Slowdown

__all__ = ["record", "report"]

SHOWN = 5  # lines a commit


def report(night: Night, title: Callable[[str], str]) -> Iterator[str]:
    """The lines."""
    yield _answer(night)
    groups = {one.culprits for one in night.slowdowns} | {one.culprits for one in night.changes}
    place = {one.commit: i for i, one in enumerate(night.measured)}  # what changes no engine/ is not measured
    for culprits in sorted(groups, key=lambda culprits: (place.get(culprits[-1], len(place)), culprits)):
        yield ""
        yield from _of_commits(night, culprits, title)
    yield from _notes(night)


def _answer(night: Night) -> str:
    since = f"since {night.measured[0].commit[:12]}" if night.measured and not night.is_first else ""
    count = len(night.new)
    commits = f"{count} commit{'s' * (count != 1)} {since}".strip()
    if not count:
        return " ".join(["nothing new: no commit", *since.split(), "changes engine/"])
    match night.status:
        case 1:
            workloads = {change.series[1] for change in night.risen} | {slow.workload for slow in night.slowdowns}
            worst = max([(slow.factor, 0.0) for slow in night.slowdowns] + [(c.factor, c.after) for c in night.risen])
            what = f"{len(workloads)} workload{'s' * (len(workloads) != 1)}"
            return f"REGRESSION: {what} in {commits}, the worst {_times(*worst)}"
        case 3:
            what = f"{len(night.failures)} benchmark{'s have' if len(night.failures) > 1 else ' has'} no figure"
            return f"FAILED: {what} at {night.new[-1].commit[:12]}, in {commits}"
        case 4:
            return f"NOTHING MEASURED: {commits}, and none could be asked"
        case 5:
            return f"TOO BUSY TO TELL: the time of {', '.join(night.unsettled)} is not clear, in {commits}"
    if night.is_first:
        return f"first night: {count} commit measured, which the next are held against"
    return f"no regression in {commits}"


def _of_commits(night: Night, culprits: tuple[str, ...], title: Callable[[str], str]) -> Iterator[str]:
    if len(culprits) > 1:
        yield f"one of {len(culprits)} commits, the others cannot be asked:"
    for commit in culprits:
        yield f"{commit[:12]}  {title(commit)}"
    slow = [one for one in night.slowdowns if one.culprits == culprits]
    counted = [change for change in night.changes if change.culprits == culprits]
    rows = [*map(_timed, slow), *_counted(counted)]
    for row in _aligned(rows[:SHOWN]):
        yield f"  {row}"
    if len(rows) > SHOWN:
        yield f"  and {len(rows) - SHOWN} more, changed by less; --json writes all"
    if command := _command(slow, [change for change in counted if change.after > change.before]):
        yield f"  bisect  {command}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _timed(one: Slowdown) -> tuple[str, ...]:
    sure = f"sure: {one.rounds} rounds in turns with the commit before" if one.by == "time" else "exact"
    return "slower", one.workload, f"{one.by} {_times(one.factor)}", sure


def _counted(changes: Sequence[Change]) -> Iterator[tuple[str, ...]]:
    """One line a workload, beginning with the counter that has changed most."""
    of: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        of["larger" if change.after > change.before else "smaller", change.series[1]].append(change)
    for (word, parameter), found in of.items():
        found.sort(key=lambda change: -abs(math.log(max(change.factor, 1e-9))))
        worst, *others = ((_counter(change), _times(change.factor)) for change in found)
        numbers = f"{found[0].before:g} -> {found[0].after:g}"
        more = "".join(f", {name} {times.removesuffix(' times')}" for name, times in others)
        yield word, parameter or "all cases", f"{worst[0]} {worst[1]} ({numbers}){more}", "exact"


def _counter(change: Change) -> str:
    return change.series[0].rpartition(".")[2].removeprefix("track_").replace("_", " ")


def _times(factor: float, after: float | None = None) -> str:
    if math.isinf(factor):
        return "from nothing" + (f" to {after:g}" if after is not None else "")
    return f"{factor:.2f} times" if abs(factor - 1) >= 0.005 else f"{factor:.4f} times"


def _command(slow: Sequence[Slowdown], risen: Sequence[Change]) -> str | None:
    """What finds the commit again, from both sides of it, for the worst of what has grown."""
    found = [(one.factor, 0.0, one.workload, one.good, one.culprits[-1]) for one in slow]
    found += [(c.factor, c.after, c.series[1], c.good, c.culprits[-1]) for c in risen if ":" in c.series[1]]
    if not found:
        broken = any(c.series[0].endswith("track_cases_not_right") for c in risen)
        return "python -m benchmarks.history.verdicts {}   # which cases, then bisect them" if broken else None
    factor, _, workload, good, bad = max(found)
    words = ["python", "-m", "regressions", "bisect", "--benchmark", workload, "--good", good[:12], "--bad", bad[:12]]
    return shlex.join([*words, "--factor", f"{_threshold(factor):g}"])


def _threshold(factor: float) -> float:
    """A number above 1 that the growth is certain to pass: half of it, on a scale of factors."""
    return 1.2 if math.isinf(factor) or factor > 1.44 else max(math.floor(math.sqrt(factor) * 1e4) / 1e4, 1.00001)


def _notes(night: Night) -> Iterator[str]:
    notes = []
    if night.suspects:
        cleared = len(night.suspects) - len(night.unsettled) - len({one.workload for one in night.slowdowns})
        notes.append(f"ratios: {len(night.suspects)} suspected and measured again in turns, {max(cleared, 0)} cleared")
    for look in night.glances[:SHOWN]:
        notes.append(f"looks faster, at one look: {look.workload}, ratio {look.before:.2f} -> {look.after:.2f}")
    notes += [f"time not clear: {workload}: {why}" for workload, why in night.unsettled.items()]
    newest = next((one.commit[:12] for one in reversed(night.new) if one.problem is None), "")
    for benchmark, parameter in night.failures[:SHOWN]:
        again = f"asv run --show-stderr --dry-run --bench {benchmark} {newest}^!"
        notes.append(f"failed: {benchmark}({parameter}); the error: {again}")
    if len(night.failures) > SHOWN:
        notes.append(f"and {len(night.failures) - SHOWN} more that failed")
    notes += [f"stepped over {one.commit[:12]}: {one.problem}" for one in night.measured if one.problem]
    for commit, controls in night.busy.items():
        worst = max(controls, key=lambda name: controls[name])
        notes.append(f"busy at {commit[:12]}: {worst} took {_times(controls[worst])}; its wall times are dropped")
    if notes:
        yield ""
        yield from notes


def record(night: Night) -> dict[str, Any]:
    """All of it, for other programs."""
    return {
        "status": night.status,
        "commits": [one.commit for one in night.new],
        "stepped over": {one.commit: one.problem for one in night.measured if one.problem},
        "changes": [asdict(change) for change in night.changes],
        "slowdowns": [asdict(one) for one in night.slowdowns],
        "suspects": [asdict(one) for one in night.suspects],
        "looks faster": [asdict(one) for one in night.glances],
        "unsettled": dict(night.unsettled),
        "failures": [list(series) for series in night.failures],
        "busy": {commit: dict(controls) for commit, controls in night.busy.items()},
    }
