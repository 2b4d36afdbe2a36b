"""The passes of an engine as places to search along, and the statements of a pass: which of them breaks a gradient?

The row of passes begins with nothing: the traced tier alone. Then comes the typed tier without its optimisations, then
each of those in the order in which they run. Inside a pass the places are the statements of the core that it changes:
at place k it may change the first k of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

from .answer import Result, Search
from .axis import Axis, CannotAsk, HistoryError, NothingBetween, NothingWrong, Question, Where, put
from .questions import OfCase

__all__ = ["Passes", "Statements", "blamed"]

NOTHING, TYPED = "no pass", "typed"
ALL = 10**9  # more statements than any program has


class Passes(Axis):
    """The passes of the engine that is asked as `where` says; what is seen is kept under `kept`, if anywhere.

    Raises:
        HistoryError: the engine does not say what passes it has.
    """

    noun, plural = "pass", "passes"

    def __init__(self, where: Where, kept: str = "") -> None:
        self.base, self.kept = where, kept
        try:
            answer = put({"passes": True}, where)
        except CannotAsk as reason:
            answer = {"unusable": str(reason)}
        if "unusable" in answer:
            raise HistoryError(f"this engine's passes cannot be switched off: {answer['unusable']}")
        self.names: list[str] = answer["passes"]

    def row(self, good: str | None, bad: str | None) -> list[str]:
        return [NOTHING, *self.names]

    def off(self, place: str) -> list[str]:
        """The passes that are off at a place: those behind it."""
        return self.names[self.row(None, None).index(place) :]

    def where(self, place: str) -> Where:
        return Where(self.base.python, self.base.folders, {"off": self.off(place)})

    def key(self, place: str) -> str:
        return self.kept and f"{self.kept}-{place.replace(' ', '-')}"

    def title(self, place: str) -> str:
        return "" if place == NOTHING else "and those before it"


class Statements(Axis):
    """The statements that one pass of the engine changes in a program."""

    noun, plural = "statement", "statements"

    def __init__(self, passes: Passes, culprit: str, count: int) -> None:
        self.passes, self.culprit, self.count = passes, culprit, count

    def row(self, good: str | None, bad: str | None) -> list[str]:
        return [str(k) for k in range(self.count + 1)]

    def where(self, place: str) -> Where:
        base = self.passes.base
        request = {"off": self.passes.off(self.culprit), "limit": [self.culprit, int(place)]}
        return Where(base.python, base.folders, request)

    def key(self, place: str) -> str:
        return self.passes.kept and f"{self.passes.key(self.culprit)}-{place}"


def blamed(
    question: Question, passes: Passes, store: Path, say: Callable[[str], None]
) -> tuple[Result | None, list[str]]:
    """The pass that is to blame, None if it is none of them; and more in words, as lines of a report.

    Raises:
        HistoryError: all is well with every pass, or it cannot be asked.
    """
    search = Search(passes, question, store, say)
    try:
        found = search.run(NOTHING)
    except NothingBetween:
        lines = ["no pass: it is the same without any, in the rules or in what every program goes through"]
        if isinstance(question, OfCase):
            lines.append(f"  which operation: python -m regressions isolate {question.name}")
        return None, lines
    except NothingWrong:
        raise HistoryError(f"{question.name} is good with every pass on: there is nothing to find") from None
    culprit = found.culprits[-1]
    if not found.is_sure:
        return found, [f"one of the passes {', '.join(found.culprits)}"]
    if culprit == TYPED:
        return found, ["the typed tier, without any of its optimisations"]
    return found, [f"the pass {culprit}", *statement(question, passes, culprit, store, say)]


def statement(question: Question, passes: Passes, culprit: str, store: Path, say: Callable[[str], None]) -> list[str]:
    """Which of the statements that it changes the pass gets wrong, in words; nothing where that cannot be told."""
    try:
        count = question.see(Statements(passes, culprit, ALL).where(str(ALL)))["steps"]
        if count == 0:  # it does not ask
            return []
        spoiled = copy.copy(question)
        spoiled.any_failure = True  # some of the changes may make some of the damage
        search = Search(Statements(passes, culprit, count), spoiled, store, say)
        k = search.run("0").culprits[-1]
    except (CannotAsk, HistoryError):  # an engine that cannot limit its passes, or that fails only on several changes
        return []
    return [f"  at the {ordinal(int(k))} of the {count} statements that it changes: {search.seen[k][-1]['last']}"]


def ordinal(number: int) -> str:
    """
    >>> ordinal(1), ordinal(2), ordinal(11), ordinal(23)
    ('1st', '2nd', '11th', '23rd')
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
