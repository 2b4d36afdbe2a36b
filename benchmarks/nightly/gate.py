"""What the figures of a night mean: results of commits, oldest first -> what grew or shrank, where, and what is unsure.

Three kinds of figures. Counters are the same in every run: one that is larger than at the commit before is a
regression. Ratios of two times move by a few per cent: one above SUSPECT times the middle of the last few before the
night is a suspect, to be measured again before anything is said of it. Wall time is charted, and not even that when the
controls say that the machine was busy. Nothing here reads, runs or prints anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from regressions.costs import NOISE_BYTES

__all__ = [
    "BUSY", "CONTROLS", "EARLIER", "SUSPECT", "WALL", "Change", "Measured", "Night", "Series", "Slowdown", "Suspect",
    "busy_controls", "changes", "failures", "glances", "suspects",
]  # fmt: skip

Series = tuple[str, str]
"""A benchmark, by asv's name, and its parameter: a workload, a program, a control."""

COUNTERS: Mapping[str, float] = {
    "calls.Calls.track_calls": 0,
    "calls.Calls.track_instructions": 0,
    "code.Code.track_statements": 0,
    "code.Code.track_names_saved": 0,
    "memory.Memory.track_kept_bytes": 0,
    "memory.Memory.track_peak_bytes": NOISE_BYTES,
    "growth.Growth.track_exponent_of_instructions": 0.2,
    "growth.Growth.track_exponent_of_peak_bytes": 0.2,
    "verdicts.Verdicts.track_cases_not_right": 0,
}
"""What is counted, and how much more of each is none: bytes of NumPy's own, the rounding of an exponent."""

RATIOS = ("ratios.Ratios.track_over_hand", "ratios.Ratios.track_over_primal")
CONTROLS = "controls.Controls.track_seconds"
WALL = "times."
"""How the names of benchmarks of wall time begin."""

SUSPECT = 1.05
FASTER = 1.1  # nobody measures again what became faster: less than this may be chance
EARLIER = 5
BUSY = 1.5  # a control that took so many times what it once did


@dataclass(frozen=True)
class Measured:
    """What asv found of one commit: a figure, None for one that failed, not a number for one that does not apply.

    What was not measured is not there. `problem` says why a commit has no figures: its engine does not import.
    """

    commit: str
    values: Mapping[Series, float | None]
    problem: str | None = None

    def value(self, series: Series) -> float | None:
        """The figure, if there is one."""
        found = self.values.get(series)
        return found if found is not None and math.isfinite(found) else None

    @property
    def has_figures(self) -> bool:
        """Is there anything to go by?"""
        return any(self.value(series) is not None for series in self.values)


@dataclass(frozen=True)
class Change:
    """A counter that took `before` at `good`, and `after` from one of `culprits` on: one, if all could be asked."""

    series: Series
    before: float
    after: float
    good: str
    culprits: tuple[str, ...]

    @property
    def factor(self) -> float:
        """How many times more; infinite, from nothing."""
        return self.after / self.before if self.before else math.inf


@dataclass(frozen=True)
class Suspect:
    """A workload whose ratio was `before`, the middle of earlier ones, and is `after` at one look."""

    workload: str
    before: float
    after: float

    @property
    def factor(self) -> float:
        """How many times more."""
        return self.after / self.before


@dataclass(frozen=True)
class Slowdown:
    """A workload that took `factor` times as much `by` time from `culprits` on, measured in turns with `good`."""

    workload: str
    by: str  # or by a counter, which bisecting finds first
    factor: float
    rounds: int
    good: str
    culprits: tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """All that is to be said. The last commit judged before comes first in `measured`, if there is one."""

    measured: Sequence[Measured]
    changes: Sequence[Change] = ()
    suspects: Sequence[Suspect] = ()
    slowdowns: Sequence[Slowdown] = ()
    glances: Sequence[Suspect] = ()  # faster, at one look
    unsettled: Mapping[str, str] = field(default_factory=dict)  # workloads whose time is not clear, and why
    failures: Sequence[Series] = ()
    busy: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # commits, and by how much which control
    is_first: bool = False

    @property
    def new(self) -> Sequence[Measured]:
        """The commits that are judged."""
        return self.measured if self.is_first else self.measured[1:]

    @property
    def risen(self) -> list[Change]:
        """Counters that grew."""
        return [change for change in self.changes if change.after > change.before]

    @property
    def status(self) -> int:
        """1 a regression, 3 a benchmark failed, 5 too busy to tell, 4 nothing measured, 0 nothing to report.

        What is certain comes first: a regression stands, whatever else failed; what failed has no answer, whatever
        the others say; times that are not clear leave the counters as they are.
        """
        if self.risen or self.slowdowns:
            return 1
        if self.failures:
            return 3
        if self.unsettled:
            return 5
        return 0 if not self.new or any(one.has_figures for one in self.new) else 4


def changes(measured: Sequence[Measured]) -> list[Change]:
    """Counters that are not what they were at the commit before, the largest growth first.

    A growth that a later commit of the night has undone is none, and neither is what undoes it.

    >>> calls = ("calls.Calls.track_calls", "mlp")
    >>> night = [Measured(name, {calls: value}) for name, value in [("a", 40.0), ("b", float("nan")), ("c", 50.0)]]
    >>> changes(night)
    [Change(series=('calls.Calls.track_calls', 'mlp'), before=40.0, after=50.0, good='a', culprits=('b', 'c'))]
    """
    every = dict.fromkeys(series for one in measured for series in one.values if series[0] in COUNTERS)
    found = [change for series in every for change in _changes_of(series, measured)]
    return sorted(found, key=lambda change: (-change.factor, change.before - change.after))


def _changes_of(series: Series, measured: Sequence[Measured]) -> Iterator[Change]:
    slack = COUNTERS[series[0]]
    known = [(i, value) for i, one in enumerate(measured) if (value := one.value(series)) is not None]
    reference = known[0][1] if known else 0.0
    for place, (i, value) in enumerate(known):
        if abs(value - reference) > slack:
            before, rest = ([figure for _, figure in part] for part in (known[:place], known[place:]))
            stands = min(rest) > reference + slack if value > reference else max(rest) < min(before) - slack
            good = known[place - 1][0]
            culprits = tuple(one.commit for one in measured[good + 1 : i + 1])
            if stands:
                yield Change(series, reference, value, measured[good].commit, culprits)
            reference = value


def suspects(earlier: Sequence[Measured], new: Sequence[Measured]) -> list[Suspect]:
    """Workloads whose ratio may have grown over the night, one suspicion each, the worst first."""
    found = [look for look in _looks(earlier, new) if look.factor > SUSPECT]
    return sorted({look.workload: look for look in sorted(found, key=_factor)}.values(), key=_factor, reverse=True)


def glances(earlier: Sequence[Measured], new: Sequence[Measured]) -> list[Suspect]:
    """Workloads that look faster over the night, the best first."""
    found = [look for look in _looks(earlier, new) if look.factor < 1 / FASTER]
    return sorted({look.workload: look for look in sorted(found, key=_factor, reverse=True)}.values(), key=_factor)


def _factor(look: Suspect) -> float:
    return look.factor


def _looks(earlier: Sequence[Measured], new: Sequence[Measured]) -> Iterator[Suspect]:
    """The newest ratio of each workload beside those before the night, where there are both."""
    for series in dict.fromkeys(series for one in new for series in one.values if series[0] in RATIOS):
        before, after = (
            [value for one in row if (value := one.value(series)) is not None and value > 0] for row in (earlier, new)
        )
        if before and after:
            yield Suspect(series[1], median(before[-EARLIER:]), after[-1])


def failures(new: Sequence[Measured]) -> list[Series]:
    """Benchmarks that failed at the newest commit whose engine imports: of those there is no answer."""
    asked = [one for one in new if one.problem is None]
    return [series for series, value in asked[-1].values.items() if value is None] if asked else []


def busy_controls(earlier: Iterable[Measured], one: Measured) -> dict[str, float]:
    """How many times as long as ever before each control took, where that is BUSY times or more.

    They have nothing to do with the engine: what changes them is the machine.
    """
    history = list(earlier)
    found = {}
    for series in one.values:
        known = [value for other in history if (value := other.value(series)) is not None]
        now = one.value(series)
        if series[0] == CONTROLS and known and now is not None and now >= BUSY * min(known):
            found[series[1]] = now / min(known)
    return found
