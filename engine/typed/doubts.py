"""Instances that ask the other tier where their own answer is in doubt, or where something was raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tangents import Tangent, has_nan
from .types import Doubtful, NotTyped

MISS = type("Miss", (), {"__repr__": lambda self: "MISS"})()
FLOATING = (ArithmeticError, RuntimeWarning)
"""What floats raise that NumPy's numbers need not. Whose it is, the program's or only its derivative's, the traced tier
tells."""


def handling(instance: Callable) -> Callable:
    """The instance of a program with an except clause: the other tier says what is done with what is raised."""

    def asked(f: Any, args: tuple, kwargs: dict) -> Any:
        try:
            return instance(f, args, kwargs)
        except (*FLOATING, NotTyped):
            raise
        except Exception as error:
            raise NotTyped(f"{error!r}, which the program may handle") from error

    return asked


def doubting(instance: Callable) -> Callable:
    """The instance of a program that leaves entries out: a NaN in its gradient may belong to such an entry.

    Which it is the traced tier finds out (convention 4), and which floating-point warnings are the program's own. What
    is typed is pure, so it may run once more.
    """

    def asked(f: Any, args: tuple, kwargs: dict) -> Any:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                result = instance(f, args, kwargs)
        except FLOATING as error:
            raise Doubtful(str(error)) from error
        if result is not MISS and has_nan(result[1]):
            raise Doubtful("a NaN that may belong to an entry that is not looked at")
        return result

    return asked


def reading(instance: Callable) -> Callable:
    """The instance of a program that may not read some argument: which zero stands for None the traced tier knows."""

    def asked(f: Any, args: tuple, kwargs: dict) -> Any:
        result = instance(f, args, kwargs)
        if result is not MISS and has_zeros(result[1]):
            raise NotTyped("a zero that may stand for no dependence")
        return result

    return asked


def has_zeros(gradients: Any) -> bool:
    """Is there a number 0 among these gradients, or an array of nothing else? Most begin with another number."""
    kind = type(gradients)
    if kind is np.ndarray:
        return not (gradients.size and (gradients.item(0) or gradients.any()))
    if isinstance(gradients, tuple | list):
        if set(map(type, gradients)) == {float}:
            return 0.0 in gradients
        return any(map(has_zeros, gradients))
    if kind is dict:
        return any(map(has_zeros, gradients.values()))
    if kind is Tangent:
        return any(map(has_zeros, gradients._fields().values()))
    return gradients is not None and not np.any(gradients)
