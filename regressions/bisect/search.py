"""The search for a change, without input or output: a row of revisions and a verdict on each -> where it turned.

The row runs from a revision that is good to one that is bad; what lies between is halved. A revision that cannot be
asked (it does not import, it lacks what the case needs) is stepped over, to the nearest one that can; when only such
revisions are left between the last good and the first bad one, the honest answer is a set. Whatever the row looks
like, the end found is a place where good turns into bad: a row that turns several times has several, and one is found.

The shape of the search, one function with three verdicts, follows cargo-bisect-rustc's `least_satisfying`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

__all__ = ["EndsError", "Found", "Judgement", "bad_end", "first_bad", "good_end", "settled", "steps_left"]


class Judgement(Enum):
    """What is found out about one revision."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "cannot tell"


class EndsError(ValueError):
    """An end of the row is not what it has to be; `position` and `judgement` say which and what it is."""

    def __init__(self, position: int, judgement: Judgement, expected: Judgement) -> None:
        super().__init__(f"revision {position} has to be {expected.value} and is: {judgement.value}")
        self.position = position
        self.judgement = judgement
        self.expected = expected


@dataclass(frozen=True)
class Found:
    """Where good turns into bad: after `good`, at `bad`, and at one of `culprits`, which is `bad` alone if all is well.

    `unknown` are the revisions that could not be asked.
    """

    good: int
    bad: int
    unknown: frozenset[int] = frozenset()

    @property
    def culprits(self) -> range:
        """The revisions any of which may be the first bad one, in the order of the row."""
        return range(self.good + 1, self.bad + 1)

    @property
    def is_sure(self) -> bool:
        """Is it one revision?"""
        return len(self.culprits) == 1


def first_bad(ask: Callable[[int], Judgement], good: int, bad: int) -> Found:
    """The place between two revisions where good turns into bad; both ends are asked first.

    Asks at most log2(bad - good) + 3 times where every revision can be asked, and no revision twice.

    Raises:
        EndsError: the good end is not good, or the bad end not bad.

    >>> first_bad(lambda r: Judgement.BAD if r >= 11 else Judgement.GOOD, 0, 15).culprits
    range(11, 12)
    """
    if not good < bad:
        raise ValueError(f"the good end comes before the bad one, and {good} does not come before {bad}")
    for position, expected in ((bad, Judgement.BAD), (good, Judgement.GOOD)):
        judgement = ask(position)
        if judgement is not expected:
            raise EndsError(position, judgement, expected)
    unknown: set[int] = set()
    while (middle := next_asked(good, bad, unknown)) is not None:
        match ask(middle):
            case Judgement.GOOD:
                good = middle
            case Judgement.BAD:
                bad = middle
            case Judgement.UNKNOWN:
                unknown.add(middle)
    return Found(good, bad, frozenset(unknown))


def next_asked(good: int, bad: int, unknown: set[int] | frozenset[int]) -> int | None:
    """The revision to ask next: the middle of the widest stretch without one that is known to be unaskable.

    Among equals the one nearest to the middle of all. A broken stretch of history is left in a few steps, not walked
    through; it is only gone through, one by one, when nothing else is left between the ends.
    """
    marks = sorted({good, bad} | {position for position in unknown if good < position < bad})
    stretches = [(left, right) for left, right in pairwise(marks) if right - left > 1]
    if not stretches:
        return None
    left, right = max(stretches, key=lambda s: (s[1] - s[0], -abs(s[0] + s[1] - good - bad)))
    return (left + right) // 2


def steps_left(good: int, bad: int) -> int:
    """How many verdicts are still needed where every revision can be asked.

    >>> steps_left(0, 16), steps_left(3, 4)
    (4, 0)
    """
    return (bad - good - 1).bit_length()


def good_end(ask: Callable[[int], Judgement], bad: int, first: int = 0) -> int | None:
    """A good revision before `bad`, found by doubling steps back; None if even the first one is not good.

    Asks at most log2(bad - first) + 2 times where every revision can be asked; one that cannot is passed on its way
    back one by one.

    >>> good_end(lambda r: Judgement.BAD if r >= 11 else Judgement.GOOD, 15)
    8
    """
    return _end(ask, bad, first, -1)


def bad_end(ask: Callable[[int], Judgement], good: int, last: int) -> int | None:
    """A bad revision after `good`, found by doubling steps forward; None if even the last one is not bad."""

    def turned(position: int) -> Judgement:
        return {Judgement.GOOD: Judgement.BAD, Judgement.BAD: Judgement.GOOD}.get(found := ask(position), found)

    return _end(turned, good, last, 1)


def _end(ask: Callable[[int], Judgement], start: int, limit: int, direction: int) -> int | None:
    step, position = 1, start
    while position != limit:
        position = max(position - step, limit) if direction < 0 else min(position + step, limit)
        judgement = ask(position)
        while judgement is Judgement.UNKNOWN and position != limit:
            position += direction
            judgement = ask(position)
        if judgement is Judgement.GOOD:
            return position
        step *= 2
    return None


def settled(ask: Callable[[int], Judgement], agree: int = 1, attempts: int = 9) -> Callable[[int], Judgement]:
    """`ask`, repeated until one judgement leads by `agree`; what never settles in `attempts` is unknown.

    A judgement that cannot be had says so the first time: asking again would not change it.

    >>> answers = iter([Judgement.BAD, Judgement.GOOD, Judgement.BAD, Judgement.BAD])
    >>> settled(lambda r: next(answers), agree=2)(0)
    <Judgement.BAD: 'bad'>
    """

    def asked(position: int) -> Judgement:
        lead = 0
        for _ in range(attempts):
            judgement = ask(position)
            if judgement is Judgement.UNKNOWN:
                return judgement
            lead += 1 if judgement is Judgement.BAD else -1
            if abs(lead) == agree:
                return judgement
        return Judgement.UNKNOWN

    return asked
