"""Wrong answers made from the right one: each that differs from it must be rejected, or the case proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from .case import Case, Growth, Raises
from .verdicts import Answer, Costs, Failure, Outcome

__all__ = ["ALTERATIONS", "encoded", "sabotaged"]

ALTERATIONS: dict[str, Callable[[Any], Any]] = {
    "zero": lambda x: np.zeros_like(x) if isinstance(x, np.ndarray) else type(x)(0),
    "double": lambda x: type(x)(2 * x) if not isinstance(x, np.ndarray) else 2 * x,
    "NaN": lambda x: np.full_like(x, np.nan) if isinstance(x, np.ndarray) else type(x)(float("nan")),
    "transpose": lambda x: x.T if isinstance(x, np.ndarray) else x,
    "wrong dtype": lambda x: _narrow(x),
    "nothing": lambda x: None,
}


def sabotaged(case: Case) -> Iterator[tuple[str, Outcome]]:
    """(name, outcome) for each saboteur that answers something else than the case demands."""
    right = case.right
    if isinstance(right, Raises):
        yield "an answer", Answer(None, (0.0,))
        yield "no gradient", Answer(None, tuple(None for _ in case.wrt or case.arguments()))
        yield "another exception", Failure("crash", "RuntimeError: internal error")
    elif isinstance(right, Growth):
        yield from _sabotaged_growth(right)
    else:
        for name, answer in _sabotaged_answers(right):
            yield name, Answer(None, answer)
    yield "an exception", Failure("crash", "RuntimeError: internal error")
    yield "the reported bug", _reported(case)


def _sabotaged_growth(right: Growth) -> Iterator[tuple[str, Outcome]]:
    assert right.answer is not None
    answers = tuple(right.answer(n) for n in right.sizes)
    yield "one power of n more", Costs(right.of, _counts(right, right.exponent + 1), answers)
    yield "exponential growth", Costs(right.of, _counts(right, np.inf), answers)
    for name, answer in _sabotaged_answers(answers[-1]):
        yield name, Costs(right.of, _counts(right, 0), (*answers[:-1], answer))


def _counts(growth: Growth, exponent: float) -> tuple[float, ...]:
    """What would be counted if the cost grew with this exponent."""
    return tuple(1e4 * (2.0**n if np.isinf(exponent) else n**exponent) for n in growth.sizes)


def _sabotaged_answers(right: tuple) -> Iterator[tuple[str, tuple]]:
    for name, alter in ALTERATIONS.items():
        answer = _altered(right, alter)
        if encoded(answer) != encoded(right):
            yield name, answer
    yield "one cotangent too many", (*right, None)
    if len(right) > 1:
        yield "one cotangent missing", right[:-1]


def _reported(case: Case) -> Outcome:
    right, reported = case.right, case.reported
    if isinstance(reported, Raises):
        return Failure(reported.kind, reported.text)
    if isinstance(reported, Growth):
        assert isinstance(right, Growth) and right.answer is not None
        return Costs(right.of, _counts(right, reported.exponent), tuple(map(right.answer, right.sizes)))
    return Answer(None, reported)


def _narrow(x: Any) -> Any:
    other: Any = {"f": np.float32, "c": np.complex64}.get(np.asarray(x).dtype.kind, np.float64)
    if np.asarray(x).dtype == other:
        other = {np.float32: np.float64, np.complex64: np.complex128}[other]
    return x.astype(other) if isinstance(x, np.ndarray) else other(x)


def _altered(x: Any, alter: Callable[[Any], Any]) -> Any:
    if x is None:
        return None
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[_altered(part, alter) for part in x])
    if isinstance(x, tuple | list):
        return type(x)(_altered(part, alter) for part in x)
    if isinstance(x, dict):
        return {key: _altered(part, alter) for key, part in x.items()}
    if isinstance(x, SimpleNamespace):
        return SimpleNamespace(**{name: _altered(part, alter) for name, part in vars(x).items()})
    if isinstance(x, bool | int | str):  # in the value of a program: there is one way to be wrong
        return not x if isinstance(x, bool) else x + 1 if isinstance(x, int) else f"not {x}"
    return alter(x)


def encoded(x: Any) -> Any:
    """An exact picture of an answer or of arguments, type by type and bit by bit: what `compare` is held against."""
    if x is None or isinstance(x, str | FunctionType | type) or (callable(x) and not hasattr(x, "__dict__")):
        return x
    if isinstance(x, Costs):
        return encoded(x.answers)  # of the counts, only the growth is the same in every run
    if isinstance(x, dict):
        return type(x), tuple((key, encoded(part)) for key, part in x.items())
    if isinstance(x, tuple | list):
        return type(x), tuple(encoded(part) for part in x)
    if isinstance(x, np.ndarray | np.generic | float | complex | int):
        array = np.asarray(x)
        padded = array.dtype.char in "gG"  # extended precision has bytes that belong to no number
        return type(x), array.dtype.str, array.shape, repr(list(array.flat)) if padded else array.tobytes()
    return type(x), encoded(vars(x))
