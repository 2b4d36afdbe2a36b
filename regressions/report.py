"""What is printed about a case: its card, the verdict of a run, and the summary of many."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .case import Case, Growth, Raises
from .sources import program_text
from .verdicts import Answer, Costs, Failure, NotAsked, Verdict

if TYPE_CHECKING:
    from .records import Record

__all__ = ["card", "described", "engine_summary", "failure", "summary"]

HEADLINES = {
    Verdict.RIGHT: "right",
    Verdict.REPORTED: "the bug of {} is back",
    Verdict.WRONG: "fails in another way than {}: another answer",
    Verdict.ERROR: "fails in another way than {}: another exception",
    Verdict.NOT_ASKED: "cannot be asked",
}


def card(case: Case) -> str:
    """All about a case, then its program and where it is evaluated."""
    rows = [
        ("title", case.title),
        ("threads", "\n".join(case.threads)),
        ("month", case.month),
        ("topic", case.topic),
        ("symptom", case.symptom),
        ("cause", textwrap.fill(case.cause, 100)),
        ("needs", ", ".join(sorted(case.needs)) or "nothing special"),
        ("right", f"{described(case.right)}   ({case.oracle})"),
        ("reported", described(case.reported)),
        ("defect", "bites" if case.defect else f"none: {case.no_defect}"),
    ]
    return "\n".join([case.id, *(f"{name:8}  {_indented(text, 10)}" for name, text in rows), "", program_text(case)])


def _indented(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * width)


def failure(case: Case, record: Record, expected: str = "") -> str:
    """Why a run of a case did not give what it had to; `expected` is the case's right answer unless said otherwise."""
    lines = [
        f"{case.id}: {HEADLINES[Verdict(record.verdict)].format(case.tracker_id)}   [{record.on}]",
        f"  {case.title}",
        *(f"  {thread}" for thread in case.threads),
        f"  expected  {_indented(expected or record.expected or described(case.right), 12)}",
        f"  got       {_indented(record.got, 12)}",
        *([f"  first difference at {record.difference}"] if record.difference else []),
        *(f"  {name:8}  python -m regressions {command}" for name, command in _commands(case, record)),
    ]
    return "\n".join(lines)


def _commands(case: Case, record: Record) -> Iterator[tuple[str, str]]:
    """What to do next, by what it is good for."""
    ours = record.asked == "reference"
    yield "again", f"run {case.id}" + ("" if ours else f" --engine {record.asked}")
    yield "show", f"show {case.id}"
    if ours:
        yield "bisect", f"bisect {case.id}"
        yield "isolate", f"isolate {case.id}"
    elif ":" not in record.asked:
        yield "script", f"script {case.id} --engine {record.asked}"


def described(x: Any) -> str:
    """An answer, an exception or an outcome, in a few lines at most."""
    match x:
        case Raises(kind, text):
            return f"{kind} exception" + (f" matching {text!r}" if text else "")
        case Answer(_, gradient):
            return described(gradient)
        case Failure(kind, text):
            return f"{kind} exception, {text}"
        case NotAsked(missing):
            return f"needs {', '.join(sorted(missing))}"
        case Growth(of, exponent):
            return f"{of} grow " + ("exponentially" if math.isinf(exponent) else f"like n ** {exponent:g}")
        case Costs(of, counts):
            return f"{of} grow like n ** {x.exponent:.2f}: {', '.join(f'{count:g}' for count in counts)} at n, 2n, 4n"
    with np.printoptions(precision=6, threshold=40, linewidth=100):
        return str(x).replace("namespace(", "fields(")


def summary(cases: Collection[Case], bitten: Collection[str] | None) -> list[str]:
    """The closing lines of a run over `cases`; `bitten` are the ids whose defect was put back and showed."""
    threads = {thread for case in cases for thread in case.threads}
    trackers = set().union(*(case.trackers for case in cases))
    topics = Counter(case.topic for case in cases)
    with_defect = [case for case in cases if case.defect]
    without = Counter(case.no_defect for case in cases if not case.defect)
    lines = [
        f"{len(cases)} cases from {len(threads)} threads of {len(trackers)} trackers "
        f"({', '.join(sorted(trackers))}) in {len(topics)} topics: "
        + ", ".join(f"{topic} {count}" for topic, count in sorted(topics.items())),
        f"{len(with_defect)} carry a defect"
        + (", not put back in this run (--bite does)" if bitten is None else f", {len(bitten)} of them bit")
        + (f"; {sum(without.values())} carry none:" if without else ""),
    ]
    lines += [f"  {count} because {reason}" for reason, count in without.most_common()]
    return lines


def engine_summary(cases: Collection[Case], engine: str, verdicts: Counter[str]) -> list[str]:
    """The closing lines of a run over `cases` on another engine."""
    counts = [f"{verdicts[verdict.value]} {verdict.value}" for verdict in Verdict if verdicts[verdict.value]]
    threads = {thread for case in cases for thread in case.threads}
    return [f"{len(cases)} cases from {len(threads)} threads on {engine}: " + ", ".join(counts)]
