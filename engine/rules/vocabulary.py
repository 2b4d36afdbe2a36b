"""The words that rules are written with: small functions, ordinary Python in the language the engine differentiates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DifferentiationError
from .registry import rule

__all__ = [
    "all_different", "conj", "count", "expand", "filled", "is_moving", "orders", "quotient", "rebased", "refuse",
    "whole_axis",
]  # fmt: skip


def quotient(a: float, b: float) -> float:
    """a / b for Python floats as IEEE has it: an infinity for a non-zero number over zero, NaN for zero over zero."""
    if b != 0:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def conj(x: Any) -> Any:
    """The complex conjugate; a real `x` itself, without a copy."""
    return np.conj(x) if np.iscomplexobj(x) else x


def expand(d: Any, axis: Any, keepdims: bool = False) -> Any:
    """The cotangent of a reduction with the reduced axes back, of length one: it broadcasts over the operand."""
    return d if axis is None or keepdims else np.expand_dims(d, axis)


def count(a: Any, axis: Any) -> int:
    """How many elements of `a` each result of a reduction over `axis` is made of."""
    if axis is None:
        return np.size(a)
    shape = np.shape(a)
    if isinstance(axis, tuple):
        return math.prod([shape[i] for i in axis])
    return shape[axis]


def filled(d: Any, out: Any) -> list:
    """The cotangents of several results, with zeros for those that nothing depends on."""
    return [np.zeros_like(o) if c is None else c for c, o in zip(d, out, strict=True)]


def rebased(found: Any, moving: Any) -> Any:
    """The value `found`, that of the library to the last digit, which moves as `moving` does, that of a composition."""
    return found


rule(rebased, moves=True, moving=lambda d, out, found, moving: d)


def is_moving(x: Any) -> bool:
    """Is a derivative by x being taken? To a program that runs as it is nothing moves; the traced tier knows better."""
    return False


def orders() -> int:
    """How many derivatives are being taken, one of the other? The traced tier knows, as above."""
    return 0


def all_different(like: Any) -> Any:
    """A cotangent in which no entry is the mean of others: where those that tie share, it shows."""
    return (np.arange(1, np.size(like) + 1) ** 0.7123).reshape(np.shape(like)) if isinstance(like, np.ndarray) else 1.0


def whole_axis(index: Any, axis: int, ndim: int) -> tuple:
    """The index that applies `index` along `axis` and takes everything along the others."""
    axis = axis % ndim
    return (slice(None),) * axis + (index,)


def refuse(what: str, way_out: str) -> None:
    """Say that a rule does not cover `what`.

    Raises:
        DifferentiationError: always.
    """
    raise DifferentiationError(f"Can't differentiate {what}: its rule does not cover it. Way out: {way_out}.")
