"""Mistakes about the shapes and places of cotangents, put back into the reference engine: broadcasts, joins, indexing.

Made as those in `defects` are. All are mistakes of the tier that records; the other one is off for as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from engine import tangents
from engine.rules import registry
from engine.traced import items, runtime, structure, tape
from engine.traced.levels import live, plain
from engine.traced.primitives import is_active

from . import Defect
from .state import in_runtime, traced

__all__ = [
    "comparison_fails",
    "fail",
    "fails_on_the_way_back",
    "followed_as",
    "handed_on_as_they_are",
    "has_truth_values",
    "lists_of_constants_fail",
    "only_new_axes_are_summed",
    "parts_overwrite",
    "pullback_fails",
    "scalars_stay_scalars",
    "stays_broadcast",
    "summed_by",
    "truth_values_need_a_cotangent",
]


def fail(error: Exception) -> NoReturn:
    """`raise error`, where an expression is asked for."""
    raise error


def summed_by(wrong: Callable[[Any, tuple], Any]) -> Defect:
    """The cotangent d of what was broadcast from a shape becomes `wrong(d, shape)`."""
    return traced(tangents, "unbroadcast", wrong)


stays_broadcast = summed_by(lambda d, shape: np.broadcast_to(d, np.broadcast_shapes(np.shape(d), shape)))
"""Nothing is summed: the cotangent has the shape that the value was broadcast to."""


def _without_leading_axes(d: Any, shape: tuple) -> Any:
    return np.sum(d, axis=tuple(range(np.ndim(d) - len(shape))))


only_new_axes_are_summed = summed_by(_without_leading_axes)
"""The axes that broadcasting has put in front are summed, those of length one that it has stretched are not."""

scalars_stay_scalars = traced(structure, "of_its_kind", lambda d, value: d)
"""What NumPy returns where an array has no axes left, a scalar, is handed on as it is."""

_apply = tape.Sweep.apply


def pullback_fails(error: Exception, when: Callable[[tape.Operation], bool]) -> Defect:
    """The way back ends in this error at the first operation for which `when(operation)` holds."""

    def refuse(sweep: Any, operation: tape.Operation, d: Any) -> None:
        if when(operation):
            raise error
        _apply(sweep, operation, d)

    return traced(tape.Sweep, "apply", refuse)


def _put(sweep: Any, node: Any, like: np.ndarray, index: Any, d: Any) -> None:
    bar = sweep.bars.setdefault(node, np.zeros_like(like))
    sweep.owned.add(node)
    bar[index] = np.where(d == 0, bar[index], d)


parts_overwrite = traced(tape.Sweep, "add_at", _put)
"""What has been read from an array puts its cotangent where it was read, and adds it to nothing."""

handed_on_as_they_are = traced(tape, "_projected", lambda bar, arg, primal, place: bar)
"""What a rule returns for an argument is not made to fit it."""


def followed_as(primal: Callable, function: Callable) -> Defect:
    """Calls of this function are followed through another one, in Python."""

    @contextmanager
    def defect() -> Iterator[None]:
        with registry.scope(), registry.removed(primal):
            registry.composition(primal, function)
            yield

    return defect


def has_truth_values(operation: tape.Operation) -> bool:
    """Is an operand of the operation a truth value, or an array of them?"""
    return any(np.asarray(plain(a)).dtype == bool for a in operation.args)


truth_values_need_a_cotangent = pullback_fails(TypeError("'NoneType' object is not iterable"), has_truth_values)
"""The pullback of a broadcast unpacks a cotangent for every operand, and a mask has none."""


class _Failing:
    """An entry of the tape at which the way back ends."""

    selects = False

    def __init__(self, error: Exception) -> None:
        self.error = error

    def reverse(self, sweep: Any) -> None:
        raise self.error


def fails_on_the_way_back(function: Callable, error: Exception) -> Callable:
    """The function on plain values, which leaves something behind that has no pullback."""

    def recorded(*args: Any) -> Any:
        for level in live.levels:
            level.tape.append(_Failing(error))
        return function(*map(plain, args))

    return recorded


def comparison_fails(label: str, error: Exception) -> Defect:
    """The way back ends in this error where the program has compared what carries a derivative: "gt", "eq", ..."""
    return in_runtime(label, fails_on_the_way_back(runtime.RUNTIME[label], error))


def lists_of_constants_fail(error: Exception) -> Defect:
    """The way back ends in this error where the program has made a list in which nothing carries a derivative."""
    made_of_constants = fails_on_the_way_back(lambda made: made, error)

    def created(made: Any, pairs: Iterable[tuple[Any, Any]]) -> Any:
        pairs = list(pairs)
        return _created(made, pairs) if any(is_active(value) for _, value in pairs) else made_of_constants(made)

    return traced(items, "created", created)


_created = items.created
