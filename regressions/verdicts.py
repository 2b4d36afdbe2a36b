"""A case asked of an engine -> one of five verdicts.

right               the answer, or the refusal, that the case demands
the reported bug    what was reported: the old bug is here
wrong               another answer: something else is broken
error               another exception: something else is broken
cannot be asked     the engine does not claim to be able to do what the case needs
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from .adapters import Adapter
from .case import Case, Raises
from .compare import Difference, first_difference

__all__ = ["Answer", "Failure", "NotAsked", "Outcome", "Verdict", "ask", "judge", "plain_value"]


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
class NotAsked:
    """The engine does not claim what the case needs."""

    missing: frozenset[str]


Outcome = Answer | Failure | NotAsked


def ask(case: Case, adapter: Adapter, at: tuple | None = None) -> Outcome:
    """Run the case on the engine, at arguments of its own, or at these."""
    missing = case.needs - adapter.capabilities
    if missing:
        return NotAsked(missing)
    at = copy.deepcopy(case.at) if at is None else at
    program = partial(case.program, ad=adapter.face) if "nested" in case.needs else case.program
    try:
        if case.rules:
            with adapter.given(case.rules):
                return Answer(*_asked(case, adapter, program, at))
        return Answer(*_asked(case, adapter, program, at))
    except Exception as error:  # whatever an engine raises is its answer, and is judged
        return Failure(adapter.kind_of(error), f"{type(error).__name__}: {error}")


def _asked(case: Case, adapter: Adapter, program: Any, at: tuple) -> tuple[Any, tuple]:
    if case.asks == "value":
        value = program(*at)
        return None, (value,)
    return adapter.gradient(program, *at) if case.wrt is None else adapter.implicit(program, case.wrt)


def plain_value(case: Case, ad: Any, at: tuple | None = None) -> Any:
    """What the program returns when Python runs it; `ad` serves the derivatives a program takes itself."""
    at = copy.deepcopy(case.at) if at is None else at
    return case.program(*at, ad=ad) if "nested" in case.needs else case.program(*at)


def judge(case: Case, outcome: Outcome, value: Any = None) -> tuple[Verdict, Difference | None]:
    """The verdict, and for an answer that is not right the first place where it differs.

    With `value`, the program's own value, an answer is right only if its value is that one too.
    """
    match outcome:
        case NotAsked():
            return Verdict.NOT_ASKED, None
        case Failure(kind, text):
            for verdict, meant in ((Verdict.RIGHT, case.right), (Verdict.REPORTED, case.reported)):
                if isinstance(meant, Raises) and meant.matches(kind, text):
                    return verdict, None
            return Verdict.ERROR, None
    difference = None
    if not isinstance(case.right, Raises):
        difference = first_difference(outcome.gradient, case.right, case.tolerance)
        if difference is None and value is not None and case.asks == "gradient":
            difference = first_difference(outcome.value, value, case.tolerance, "value")
        if difference is None:
            return Verdict.RIGHT, None
    reported = case.reported
    if not isinstance(reported, Raises) and first_difference(outcome.gradient, reported, case.tolerance) is None:
        return Verdict.REPORTED, difference
    return Verdict.WRONG, difference
