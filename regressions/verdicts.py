"""A case asked of an engine -> one of five verdicts.

right               the answer, the refusal or the growth that the case demands; for an engine of other conventions also
                    an answer that is admissible at a kink
the reported bug    what was reported: the old bug is here
wrong               another answer: something else is broken
error               another exception: something else is broken
cannot be asked     the engine does not claim to be able to do what the case needs
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from . import differences
from .adapters import Adapter, CannotBeAsked
from .case import Case, Growth, Raises, Tolerance
from .compare import Difference, first_difference
from .costs import cost, exponent

__all__ = [
    "Answer",
    "Costs",
    "Failure",
    "NotAsked",
    "Outcome",
    "Run",
    "Verdict",
    "ask",
    "judge",
    "plain_value",
    "run",
]

# A value that the oracles take part in is good to 1e-10 of the program's numbers nearby, twice over to 1e-8.
BY_DIFFERENCES = Tolerance(rtol=1e-7, atol=1e-8, why="differences of differences")


class Verdict(Enum):
    """What a run of a case says about the engine."""

    RIGHT = "right"
    REPORTED = "the reported bug"
    WRONG = "wrong in another way"
    ERROR = "error in another way"
    NOT_ASKED = "cannot be asked"


@dataclass(frozen=True)
class Answer:
    """The engine answered: the value of the program, and one cotangent an argument or parameter."""

    value: Any
    gradient: tuple


@dataclass(frozen=True)
class Failure:
    """The engine raised an exception; `text` is `TypeName: message`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Costs:
    """The engine answered at three sizes: what each took, and what it answered."""

    of: str
    counts: tuple[float, ...]
    answers: tuple[tuple, ...]

    @property
    def exponent(self) -> float:
        """How the cost grows."""
        return exponent(self.counts, self.of)


@dataclass(frozen=True)
class NotAsked:
    """The engine does not claim what the case needs, or does not have it."""

    missing: frozenset[str]


Outcome = Answer | Failure | Costs | NotAsked


@dataclass(frozen=True)
class Run:
    """A case asked of an engine, and judged."""

    verdict: Verdict
    outcome: Outcome
    difference: Difference | None


def run(case: Case, adapter: Adapter) -> Run:
    """Ask and judge, against the program's own value too where that can be had."""
    outcome = ask(case, adapter)
    verdict, difference = judge(case, outcome, _expected_value(case), adapter)
    return Run(verdict, outcome, difference)


def ask(case: Case, adapter: Adapter, at: tuple | None = None) -> Outcome:
    """Run the case on the engine, at arguments of its own, or at these."""
    if not case.needs <= adapter.capabilities:
        return NotAsked(case.needs - adapter.capabilities)
    try:
        with adapter.given(case.rules) if case.rules else nullcontext():
            if isinstance(case.right, Growth):
                return _costs(case, adapter, case.right)
            return Answer(*_asked(case, adapter, case.arguments() if at is None else at))
    except CannotBeAsked as missing:
        return NotAsked(frozenset({str(missing)}))
    except Exception as error:  # whatever an engine raises is its answer, and is judged
        if lack := adapter.lack(error):
            return NotAsked(frozenset({lack}))
        return Failure(adapter.kind_of(error), f"{type(error).__name__}: {error}")


def _asked(case: Case, adapter: Adapter, at: tuple) -> tuple[Any, tuple]:
    if case.asks == "value":
        return None, (adapter.value(case.program, *at),)
    program = partial(case.program, ad=adapter.face) if "nested" in case.needs else case.program
    return adapter.gradient(program, *at) if case.wrt is None else adapter.implicit(program, case.wrt)


def _costs(case: Case, adapter: Adapter, growth: Growth) -> Costs:
    counts, answers = [], []
    for n in growth.sizes:
        answers.append(_asked(case, adapter, case.arguments(n))[1])  # what is compiled is compiled now, and not counted
        counts.append(cost(partial(_asked, case, adapter, case.arguments(n)), growth.of))
    return Costs(growth.of, tuple(counts), tuple(answers))


def plain_value(case: Case, at: tuple | None = None) -> Any:
    """What the program returns when Python runs it; differences serve the derivatives a program takes itself."""
    at = case.arguments() if at is None else at
    return case.program(*at, ad=differences) if "nested" in case.needs else case.program(*at)


def _expected_value(case: Case) -> Any:
    """The program's own value; None where it is what is asked, or where there is no other way to know it."""
    if case.asks == "value" or not isinstance(case.right, tuple) or ("nested" in case.needs and case.no_differences):
        return None
    return plain_value(case)


def judge(
    case: Case, outcome: Outcome, value: Any = None, adapter: Adapter | None = None
) -> tuple[Verdict, Difference | None]:
    """The verdict, and for an answer that is not right the first place where it differs.

    With `value`, the program's own value, an answer is right only if its value is that one too. An adapter says how
    far its conventions differ from the reference engine's.
    """
    match outcome:
        case NotAsked():
            return Verdict.NOT_ASKED, None
        case Failure(kind, text):
            for verdict, meant in ((Verdict.RIGHT, case.right), (Verdict.REPORTED, case.reported)):
                if isinstance(meant, Raises) and meant.matches(kind, text):
                    return verdict, None
            return Verdict.ERROR, None
        case Costs():
            return _judge_costs(case, outcome, adapter)
    difference = None
    if isinstance(case.right, tuple):
        difference = _between(case, outcome.gradient, case.right, adapter)
        if difference is not None and adapter is not None and not adapter.keeps_conventions:
            if any(_between(case, outcome.gradient, other, adapter) is None for other in case.admissible):
                difference = None
        if difference is None and value is not None and case.asks == "gradient":
            tolerance = BY_DIFFERENCES if "nested" in case.needs else case.tolerance
            got = outcome.value if adapter is None else adapter.read(outcome.value, value)
            difference = first_difference(got, value, tolerance, "value")
        if difference is None:
            return Verdict.RIGHT, None
    if isinstance(case.reported, tuple) and _between(case, outcome.gradient, case.reported, adapter) is None:
        return Verdict.REPORTED, difference
    return Verdict.WRONG, difference


def _between(case: Case, got: tuple, expected: tuple, adapter: Adapter | None) -> Difference | None:
    tolerance = case.tolerance
    if adapter is not None:
        got = adapter.read(got, expected)
        if not adapter.keeps_conventions:
            tolerance = replace(tolerance, largest=64)
    return first_difference(got, expected, tolerance, case.asks)


def _judge_costs(case: Case, costs: Costs, adapter: Adapter | None) -> tuple[Verdict, Difference | None]:
    right, reported = case.right, case.reported
    if not isinstance(right, Growth) or not isinstance(reported, Growth) or right.answer is None:
        return Verdict.WRONG, None
    for n, answer in zip(right.sizes, costs.answers, strict=True):
        difference = _between(case, answer, right.answer(n), adapter)
        if difference is not None:
            return Verdict.WRONG, difference
    if right.allows(costs.exponent):
        return Verdict.RIGHT, None
    counted = ", ".join(f"{count:g}" for count in costs.counts)
    difference = Difference(
        costs.of, "growth", f"n ** {right.exponent:g}", f"n ** {costs.exponent:.2f}, {counted} at {right.sizes}"
    )
    return (Verdict.REPORTED if reported.reached_by(costs.exponent) else Verdict.WRONG), difference
