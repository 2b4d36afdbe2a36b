"""What a night has shown, in lines that are read in ten seconds: the answer, then each commit with what it changed."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.gate import Change, Night, Slowdown

__all__ = ["record", "report"]

SHOWN = 5  # lines a commit


def report(night: Night, title: Callable[[str], str]) -> Iterator[str]:
    """The lines."""
    yield _answer(night)
    groups = dict.fromkeys(one.culprits for one in (*night.slowdowns, *night.changes))
    place = {one.commit: i for i, one in enumerate(night.measured)}
    for culprits in sorted(groups, key=lambda culprits: place.get(culprits[-1], len(place))):
        yield ""
        yield from _of_commits(night, culprits, title)
    yield from _notes(night)


def _answer(night: Night) -> str:
    since = f"since {night.measured[0].commit[:12]}" if night.measured and not night.is_first else ""
    count = len(night.new)
    commits = f"{count} commit{'s' * (count != 1)} {since}".strip()
    if not count:
        return f"nothing new: no commit {since} changes engine/".replace("  ", " ")
    match night.status:
        case 1:
            workloads = {change.series[1] for change in night.risen} | {slow.workload for slow in night.slowdowns}
            factors = [change.factor for change in night.risen] + [slow.factor for slow in night.slowdowns]
            what = f"{len(workloads)} workload{'s' * (len(workloads) != 1)}"
            return f"REGRESSION: {what} in {commits}, the worst {_times(max(factors))}"
        case 3:
            return f"FAILED: {len(night.failures)} benchmarks have no figure at {night.new[-1].commit[:12]}"
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
    rows = [
        (f"slower  {one.workload}", f"{one.by} {_times(one.factor)}", _sure(one)) for one in slow
    ] + [_row(change) for change in night.changes if change.culprits == culprits]  # fmt: skip
    width = max(len(row[0]) for row in rows[:SHOWN])
    middle = max(len(row[1]) for row in rows[:SHOWN])
    for what, how_much, sure in rows[:SHOWN]:
        yield f"  {what:{width}}  {how_much:{middle}}  {sure}"
    if len(rows) > SHOWN:
        yield f"  and {len(rows) - SHOWN} more, by less: --json has them"
    if command := _command(slow, [change for change in night.risen if change.culprits == culprits]):
        yield f"  bisect  {command}"


def _sure(one: Slowdown) -> str:
    return f"sure: {one.rounds} rounds in turns with the commit before" if one.by == "time" else "exact"


def _row(change: Change) -> tuple[str, str, str]:
    benchmark, parameter = change.series
    method = benchmark.rpartition(".")[2]
    name = method.removeprefix("track_").replace("_", " ")
    word = "larger" if change.after > change.before else "smaller"
    numbers = f"{change.before:g} -> {change.after:g}"
    return f"{word:7} {parameter}".rstrip(), f"{name} {_times(change.factor)} ({numbers})", "exact"


def _times(factor: float) -> str:
    if math.isinf(factor):
        return "from nothing"
    return f"{factor:.2f} times" if abs(factor - 1) >= 0.005 else f"{factor:.4f} times"


def _command(slow: Sequence[Slowdown], risen: Sequence[Change]) -> str | None:
    """What finds the commit again, from both sides of it, for the worst of what has grown."""
    found = [(one.factor, one.workload, one.good, one.culprits[-1]) for one in slow]
    found += [(c.factor, c.series[1], c.good, c.culprits[-1]) for c in risen if ":" in c.series[1]]
    if not found:
        broken = any(c.series[0].endswith("track_cases_not_right") for c in risen)
        return "python -m benchmarks.history.verdicts {}   # which cases, then bisect them" if broken else None
    factor, workload, good, bad = max(found)
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
    for benchmark, parameter in night.failures[:SHOWN]:
        notes.append(f"failed: {benchmark}({parameter}); again: asv run --show-stderr --bench {benchmark} HEAD^!")
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
