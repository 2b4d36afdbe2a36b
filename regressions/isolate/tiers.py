"""Which pass of the typed tier is wrong, for a program that is right on the other tier: asked in this process.

Here a defect may have been put back, which is in no other process; the commands of `bisect` ask in processes of their
own, and keep what they saw.
"""

from __future__ import annotations

from collections.abc import Callable

from engine import switches

from ..bisect.passes import ALL, TYPED, ordinal
from ..bisect.search import EndsError, Judgement, first_bad

__all__ = ["blamed"]


def blamed(fails: Callable[[], bool]) -> list[str]:
    """The first pass with which it fails, and at which statement, as lines of a report."""
    names = [TYPED, *switches.PASSES]
    rows = [(names[i], names[i + 1 :]) for i in range(len(names))]
    culprit, later = next(((name, off) for name, off in rows if _fails(fails, off)), (None, []))
    if culprit is None:
        return ["the passes of the typed tier together"]
    if culprit == TYPED:
        return ["the typed tier, without any of its optimisations"]
    return [f"the pass {culprit}", *_statement(fails, culprit, later)]


def _fails(fails: Callable[[], bool], off: list[str]) -> bool:
    with switches.off(*off):
        return fails()


def _statement(fails: Callable[[], bool], culprit: str, off: list[str]) -> list[str]:
    last = {}

    def ask(count: int) -> Judgement:
        with switches.off(*off), switches.limited(culprit, count) as limit:
            judgement = Judgement.BAD if fails() else Judgement.GOOD
        last[count] = limit
        return judgement

    ask(ALL)
    count = last[ALL].asked
    try:
        k = first_bad(ask, 0, count).bad if count else 0
    except EndsError:  # several changes do it together
        return []
    return [f"  at the {ordinal(k)} of the {count} statements that it changes: {last[k].last}"] if k else []
