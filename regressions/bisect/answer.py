"""A question that is answered badly at one end of an axis and well at the other -> the place where it turned.

The ends are verified first, what cannot be asked is stepped over, and both sides of the answer are asked once more
before it is given; answers that change are asked again until more of them agree. What was seen is kept, so that a
second search only asks those two again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from .axis import Axis, CannotAsk, End, HistoryError, NothingBetween, NothingWrong, Question, Seen, leftovers
from .search import EndsError, Found, Judgement, first_bad, good_end, settled, steps_left

__all__ = ["Notebook", "Result", "Search", "report"]

TURNED = {Judgement.GOOD: Judgement.BAD, Judgement.BAD: Judgement.GOOD, Judgement.UNKNOWN: Judgement.UNKNOWN}
MOST_AGREE = 15  # answers that change even so cannot be relied upon


class Notebook:
    """What was seen at the places of an axis, in the order in which it was seen; kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for leftover in leftovers(folder):
            leftover.unlink(missing_ok=True)

    def read(self, question: Question, place: str) -> list[Seen]:
        """All that was seen at a place so far."""
        file = self._file(question, place)
        return json.loads(file.read_text()) if file.exists() else []

    def add(self, question: Question, place: str, seen: Seen) -> None:
        """Keep this too."""
        file = self._file(question, place)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"partial-{os.getpid()}-{place}"
        partial.write_text(json.dumps([*self.read(question, place), seen]))
        partial.replace(file)

    def _file(self, question: Question, place: str) -> Path:
        return self.folder / hashlib.sha256(question.key().encode()).hexdigest()[:16] / f"{place}.json"


@dataclass(frozen=True)
class Result:
    """Where it turned: the place, or the honest set; what was seen before and after, and what was stepped over, why."""

    search: Search
    culprits: tuple[str, ...]
    before: str
    stepped_over: dict[str, str]

    @property
    def is_sure(self) -> bool:
        """Is it one place?"""
        return len(self.culprits) == 1


class Search:
    """A question, asked along an axis. `say` hears of each answer; with `find_fix` good and bad change their places."""

    def __init__(
        self, axis: Axis, question: Question, store: Path, say: Callable[[str], None] = lambda line: None,
        agree: int = 1, find_fix: bool = False,
    ) -> None:  # fmt: skip
        self.axis, self.question, self.say, self.find_fix = axis, question, say, find_fix
        self.agree = agree
        self.notebook = Notebook(store / "seen")
        self.seen: dict[str, list[Seen]] = {}  # at each place, what its judgement rests on
        self.why: dict[str, str] = {}  # a place cannot be asked
        self.told: set[str] = set()  # places of which `say` has heard
        self.asked = 0

    def run(self, good: str | None = None, bad: str | None = None) -> Result:
        """The place between the two where good turned into bad; without `good`, doubling steps back find one.

        Raises:
            HistoryError: there are no such places, no good one, an end is not what it has to be, or answers change
                without end.
        """
        row = self.axis.row(good, bad)
        self._learn(row[0] if good is not None else None, row[-1])
        if good is None:
            row = row[self._good_end(row, bad) :]
        count, left = len(row) - 1, steps_left(0, len(row) - 1)
        self.say(f"{count} {self.axis.plural if count > 1 else self.axis.noun}, about {left} step{'s' * (left != 1)}")
        while True:
            found, line = self._searched(row)
            changed = self._retested(line[found.good], line[found.bad])
            if changed is None:
                break
            if self.agree >= MOST_AGREE:
                raise HistoryError(f"{changed}, and so on: {self.question.name} is not reproducible there")
            self.agree = 2 * self.agree + 1
            self.say(f"{changed}: asked again until {self.agree} more answers say the same than not")
        culprits = tuple([line[i] for i in found.culprits])
        skipped = {line[i]: self.why.get(line[i], "") for i in sorted(found.unknown)}
        return Result(self, culprits, line[found.good], skipped)

    # -- the ends

    def _learn(self, first: str | None, last: str) -> None:
        ends = [None if place is None else self._end(place) for place in (first, last)]
        good, bad = ends[::-1] if self.find_fix else ends
        try:
            self.question.learn(good, bad)
        except CannotAsk as reason:
            raise HistoryError(f"the ends cannot be compared: {reason}") from None
        self.agree = max(self.agree, self.question.agree)

    def _end(self, place: str) -> End:
        """What is seen at an end, which has to be asked."""
        try:
            seen = (self._kept(place) or [self._ask(place)])[0]
            if "unusable" in seen:
                raise CannotAsk(seen["unusable"])
            return End(self.axis.where(place), seen)
        except CannotAsk as reason:
            raise HistoryError(f"{self.axis.label(place)} is an end and cannot be asked: {reason}") from None

    def _good_end(self, row: list[str], bad: str | None) -> int:
        if self.judgement(row[-1]) is not Judgement.BAD:
            raise self._wrong_end(row[-1], Judgement.BAD)

        def ask(position: int) -> Judgement:
            judgement = self.judgement(row[position])
            self._tell(row[position], judgement, "looking for an end")
            return judgement

        self._tell(row[-1], Judgement.BAD, "looking for an end")
        start = good_end(ask, len(row) - 1)
        if start is None:
            word = "bad" if self.find_fix else "good"
            raise HistoryError(
                f"no {self.axis.noun} before {bad or self.axis.label(row[-1])} is {word} on {self.question.name}: name "
                f"one with --good, if it is on another line{self.axis.hint()}"
            )
        return start

    def _wrong_end(self, place: str, expected: Judgement) -> HistoryError:
        found = self.judgement(place)
        word, said = (self._meant(j).value for j in (expected, found))
        kind = {Judgement.BAD: NothingBetween, Judgement.GOOD: NothingWrong}.get(found, HistoryError)
        return kind(
            f"{self.question.name} has to be {word} at {self.axis.label(place)} and is: {said}\n"
            f"  {self.text(place)}\n"
            f"  Ways out: {self.question.ways_out}"
        )

    # -- the places

    def _meant(self, judgement: Judgement) -> Judgement:
        return TURNED[judgement] if self.find_fix else judgement

    def _kept(self, place: str) -> list[Seen]:
        key = self.axis.key(place)
        return self.notebook.read(self.question, key) if key else []

    def _ask(self, place: str) -> Seen:
        seen = self.question.see(self.axis.where(place))
        self.asked += 1
        if key := self.axis.key(place):
            self.notebook.add(self.question, key, seen)
        return seen

    def judgement(self, place: str, again: bool = False) -> Judgement:
        """The judgement on a place: from what is kept of it, and what it says now where that does not settle it."""
        kept = iter([] if again else self._kept(place))
        heard = self.seen[place] = []

        def once(_: int) -> Judgement:
            try:
                heard.append(next(kept, {}) or self._ask(place))
            except CannotAsk as reason:
                self.why[place] = str(reason)
                return Judgement.UNKNOWN
            found = self.question.judge(heard[-1])
            if found is Judgement.UNKNOWN:
                self.why[place] = self.question.text(heard)
            return self._meant(found)

        attempts = max(self.question.attempts, 6 * self.agree)
        judgement = settled(once, self.agree, attempts)(0)
        if judgement is Judgement.UNKNOWN and len(heard) == attempts:
            self.why[place] = f"not clear after {attempts} answers: {self.question.text(heard)}"
        return judgement

    def text(self, place: str) -> str:
        """What was seen at a place, for people."""
        return self.question.text(self.seen[place]) if self.seen[place] else self.why[place]

    # -- the search

    def _watched(self, row: list[str]) -> Callable[[int], Judgement]:
        """The judgement on the places of a row, reported with the number of steps that are left."""
        good, bad = 0, len(row) - 1

        def ask(position: int) -> Judgement:
            nonlocal good, bad
            judgement = self.judgement(row[position])
            good = position if judgement is Judgement.GOOD else good
            bad = position if judgement is Judgement.BAD else bad
            left = steps_left(good, bad)
            self._tell(row[position], judgement, f"about {left} step{'s' * (left != 1)} left")
            return judgement

        return ask

    def _tell(self, place: str, judgement: Judgement, progress: str) -> None:
        """Say what was found out about a place, once."""
        if place not in self.told:
            self.told.add(place)
            about = self.why[place].splitlines()[0] if judgement is Judgement.UNKNOWN else self.axis.title(place)
            word = self._meant(judgement).value
            self.say(f"  {self.axis.label(place):18}  {word:11}  {progress:18}  {about}".rstrip())

    def _searched(self, row: list[str]) -> tuple[Found, list[str]]:
        """Along the row; and when the culprit is made of several places, along those."""
        try:
            found = first_bad(self._watched(row), 0, len(row) - 1)
        except EndsError as error:
            raise self._wrong_end(row[error.position], error.expected) from None
        while found.is_sure and (inside := self.axis.inside(row[found.bad], self.judgement)):
            row = inside
            found = first_bad(self._watched(row), 0, len(row) - 1)
            if found.bad == len(row) - 1:
                break  # what the branch held is good: it is the merge itself
        return found, row

    def _retested(self, *sides: str) -> str | None:
        """Ask both sides of the answer again, from the start; what has changed, in words."""
        for place in sides:
            before = self.judgement(place)
            after = self.judgement(place, again=True)
            if after is not before:
                return f"{self.axis.label(place)} was {self._meant(before).value} and is now {self._meant(after).value}"
        return None


def report(result: Result, inside: list[str] | None = None) -> str:
    """What was found, ready to be pasted into a report; `inside` are lines on what in the culprit it was."""
    search, axis, question = result.search, result.search.axis, result.search.question
    word = "mended" if search.find_fix else "broke"
    last = result.culprits[-1]
    if result.is_sure:
        lines = [f"{axis.label(last)} {word} {question.name}", *(f"  {line}" for line in axis.details(last))]
    else:
        lines = [
            f"one of these {len(result.culprits)} {axis.noun}s {word} {question.name}; the others cannot be asked:"
        ]
        lines += [f"  {axis.label(place)}  {axis.title(place)}".rstrip() for place in result.culprits]
    reasons: dict[str, list[str]] = defaultdict(list)
    for place, why in result.stepped_over.items():
        reasons[why.splitlines()[0]].append(axis.label(place))
    lines += [f"stepped over {', '.join(places)}: {why}" for why, places in reasons.items()]
    lines += [*(inside or []), *(f"  {line}" for line in question.about())]
    for side, place in (("before, at", result.before), ("after, at", last)):
        lines += [f"{side} {axis.label(place)}:", *(f"  {line}" for line in search.text(place).splitlines())]
    return "\n".join(chain(lines))
