"""Engines by cases by releases: one record each, and what changed from one release of an engine to the next.

Records are those of `results`, which keeps them: a second matrix asks only what has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from packaging.version import Version

from ..adapters import adapters_of
from ..case import SYMPTOMS, Case
from ..corpus import TOPICS
from ..environments import Release, compared, installable, release_of
from ..records import Record
from ..report import described
from ..results import ask_all, is_asked_here
from ..sources import program_text
from ..verdicts import Verdict

__all__ = ["Change", "Matrix", "ask", "changes", "columns"]

FAILS = {Verdict.REPORTED.value, Verdict.WRONG.value, Verdict.ERROR.value}
CHANGES = {
    (Verdict.REPORTED.value, Verdict.RIGHT.value): "fixed in",
    (Verdict.RIGHT.value, Verdict.REPORTED.value): "back in",
}


@dataclass(frozen=True)
class Change:
    """A reported bug that was there in one release and not in the next that was asked, or the other way round."""

    kind: str  # "fixed in" or "back in"
    engine: str
    release: str
    before: str  # the release before it of those that could be asked

    def __str__(self) -> str:
        still = "still in" if self.kind == "fixed in" else "not in"
        return f"{self.kind} {self.engine} {self.release}, {still} {self.before}"


def changes(records: Iterable[Record]) -> list[Change]:
    """What changed for one case, from its records, those of an engine from the oldest release to the newest.

    A release that cannot be asked is stepped over: nothing is known of it.

    >>> seen = [("1.0", "the reported bug"), ("1.1", "cannot be asked"), ("1.2", "right")]
    >>> print(*changes(Record("jax-1-f", "abacus", version, verdict, "", "") for version, verdict in seen))
    fixed in abacus 1.2, still in 1.0
    """
    found: list[Change] = []
    last: dict[str, Record] = {}
    for record in records:
        if record.verdict != Verdict.NOT_ASKED.value:
            before = last.get(record.engine)
            if before and (kind := CHANGES.get((before.verdict, record.verdict))):
                found.append(Change(kind, record.engine, record.version, before.version))
            last[record.engine] = record
    return found


@dataclass(frozen=True)
class Matrix:
    """Cases, and what each column answered to them, by id; the releases of an engine stand from oldest to newest."""

    cases: Sequence[Case]
    columns: Sequence[dict[str, Record]]

    @property
    def heads(self) -> list[Record]:
        """A record of each column: its engine, its release, whether it is usable."""
        return [column[self.cases[0].id] for column in self.columns]

    def row(self, case: Case) -> list[Record]:
        """The records of a case."""
        return [column[case.id] for column in self.columns]

    def counts(self) -> list[Counter[str]]:
        """For each column how many cases have which verdict."""
        return [Counter(record.verdict for record in column.values()) for column in self.columns]

    def differing(self) -> list[Case]:
        """The cases about which engines differ, of those that could be asked; what most of them fail comes first."""
        verdicts = {case: [record.verdict for record in self.row(case)] for case in self.cases}
        found = [case for case in self.cases if len({*verdicts[case]} - {Verdict.NOT_ASKED.value}) > 1]
        return sorted(found, key=lambda case: -sum(verdict in FAILS for verdict in verdicts[case]))

    def data(self) -> dict[str, Any]:
        """Everything, as it is written to JSON and into the page."""
        return {
            "verdicts": [verdict.value for verdict in Verdict],
            "topics": {topic: TOPICS[topic] for topic in sorted({case.topic for case in self.cases})},
            "symptoms": {symptom: SYMPTOMS[symptom] for symptom in sorted({case.symptom for case in self.cases})},
            "columns": [
                {
                    "engine": head.engine,
                    "version": head.version,
                    "asked": head.asked,
                    "problem": "" if head.usable else head.got,
                    "counts": {verdict.value: counts[verdict.value] for verdict in Verdict},
                }
                for head, counts in zip(self.heads, self.counts(), strict=True)
            ],
            "cases": [{**_told(case), **_answered(self.row(case))} for case in self.cases],
        }


def _told(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "title": case.title,
        "threads": dict(zip(case.thread_ids, case.threads, strict=True)),
        "trackers": sorted(case.trackers),
        "topic": case.topic,
        "symptom": case.symptom,
        "month": case.month,
        "cause": case.cause,
        "needs": sorted(case.needs),
        "program": program_text(case),
        "right": described(case.right),
        "oracle": case.oracle,
        "admissible": [described(answer) for answer in case.admissible],
        "reported": described(case.reported),
    }


def _answered(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "answers": [{"verdict": r.verdict, "got": r.got, "difference": r.difference} for r in records],
        "changes": [asdict(change) for change in changes(records)],
    }


def columns(engines: Sequence[str] = (), installed: bool = False) -> list[str]:
    """What is to be asked, each as `ask_all` takes it.

    An engine that has releases stands for those that `adapters/releases.toml` compares, unless one is named; without
    any engine all of them, beside the reference engine. With `installed` only what has an environment already.

    >>> columns(["reference", "autograd==1.9.1", "autograd==1.5"])
    ['reference', 'autograd==1.5', 'autograd==1.9.1']

    Raises:
        UnknownEngine, ImportError, ValueError: there is no such engine, no such version, or nothing is installed.
    """
    found: dict[str, list[Release]] = {}
    for engine in engines or ["reference", *installable()]:
        if is_asked_here(engine):
            adapters_of(engine)  # raises now, not when others have been asked for minutes
            found[engine] = []
        else:
            name = engine.partition("==")[0]
            if name not in installable():
                adapters_of(name)  # raises
            found.setdefault(name, []).extend([release_of(engine)] if "==" in engine else compared(name))
    asked = []
    for name, releases in found.items():
        if is_asked_here(name):
            asked.append(name)
        ordered = sorted(set(releases), key=lambda release: Version(release.version))
        asked += [str(release) for release in ordered if release.made or not installed]
    if not asked:
        raise ValueError(f"nothing of {', '.join(engines)} is installed; without --installed it is")
    return asked


def ask(engines: Sequence[str], cases: Sequence[Case], say: Callable[[str], None], fresh: bool = False) -> Matrix:
    """Ask each of `columns` every case; `say` hears of progress."""
    found = []
    for i, engine in enumerate(engines, 1):
        place = f"({i} of {len(engines)}) "
        found.append(ask_all(engine, cases, lambda line, place=place: say(place + line), fresh))  # type: ignore[misc]
    return Matrix(cases, found)
