"""Wrong answers made from the right one: each that differs from it must be rejected, or the case proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from .case import Case, Raises
from .verdicts import Answer, Failure, Outcome

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
    if isinstance(case.right, Raises):
        yield "an answer", Answer(None, (0.0,))
        yield "no gradient", Answer(None, tuple(None for _ in case.wrt or case.at))
        yield "another exception", Failure("crash", "RuntimeError: internal error")
    else:
        right = encoded(case.right)
        for name, alter in ALTERATIONS.items():
            answer = _altered(case.right, alter)
            if encoded(answer) != right:
                yield name, Answer(None, answer)
        yield "an exception", Failure("crash", "RuntimeError: internal error")
        yield "one cotangent too many", Answer(None, (*case.right, None))
        if len(case.right) > 1:
            yield "one cotangent missing", Answer(None, case.right[:-1])
    yield "the reported bug", _reported(case.reported)


def _reported(reported: tuple | Raises) -> Outcome:
    return Failure(reported.kind, reported.text) if isinstance(reported, Raises) else Answer(None, reported)


def _narrow(x: Any) -> Any:
    other = {"f": np.float32, "c": np.complex64}[np.asarray(x).dtype.kind]
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
    return alter(x)


def encoded(x: Any) -> Any:
    """An exact picture of an answer or of arguments, type by type and bit by bit: what `compare` is held against."""
    if x is None or isinstance(x, str | FunctionType | type) or (callable(x) and not hasattr(x, "__dict__")):
        return x
    if isinstance(x, dict):
        return type(x), tuple((key, encoded(part)) for key, part in x.items())
    if isinstance(x, tuple | list):
        return type(x), tuple(encoded(part) for part in x)
    if isinstance(x, np.ndarray | np.generic | float | complex | int):
        array = np.asarray(x)
        return type(x), array.dtype.str, array.shape, array.tobytes()
    return type(x), encoded(vars(x))
