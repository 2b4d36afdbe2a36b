"""scipy.special, fourth part: by arguments that no closed form is known for, orders and shapes, by differences.

The functions are analytic in these arguments, and SciPy computes them to nearly the last digit. Central differences of
eighth order, in steps of a sixty-fourth of 1 or of the way to the nearest singularity, lose three or four digits of it.
A derivative of such a derivative is the same difference of the derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..registry import constant
from ..vocabulary import refuse

WEIGHTS = ((1, 8 / 5), (2, -4 / 5), (3, 8 / 35), (4, -1 / 35))
"""Of the slopes between x - kh and x + kh; they cancel the powers of h up to the sixth."""

ALL = (-np.inf, np.inf)


def by_differences(function: Any, position: int, domain: tuple, *args: Any) -> Any:
    """The partial derivative of a ufunc by the argument at this position, analytic inside of its domain."""
    x = np.asarray(args[position])
    if np.iscomplexobj(x):
        refuse(f"scipy.special.{function.__name__} by a complex argument", "keep it real, or constant")
    exact = x.astype(float)
    h = step(exact, domain)
    total = 0.0
    for k, weight in WEIGHTS:
        up, down = exact + k * h, exact - k * h
        rise = at(function, position, up, args) - at(function, position, down, args)
        total = total + weight * rise / (up - down)
    return total.astype(kind_of(total, args))


def between_poles(x: Any) -> tuple:
    """The interval around x without a whole number that is not positive."""
    below = np.less(x, 0)
    return np.where(below, np.floor(x), 0), np.where(below, np.ceil(x), np.inf)


def at(function: Any, position: int, x: Any, args: tuple) -> Any:
    """The function with another value of one argument."""
    return function(*args[:position], x, *args[position + 1 :])


def step(x: np.ndarray, domain: tuple) -> np.ndarray:
    """A power of two, so that rounding of x ± kh is small: at most 1/64, or that part of the way to the border."""
    room = np.minimum(np.minimum(x - domain[0], domain[1] - x), 1.0)
    return np.exp2(np.floor(np.log2(np.where(room > 0, room, np.nan))) - 6)


def like(out: Any, partial: Any) -> Any:
    """A partial derivative in the precision of the result."""
    return np.asarray(partial).astype(np.result_type(out))


def kind_of(total: np.ndarray, args: tuple) -> Any:
    """Single precision, if all arguments that have a precision are in it."""
    kinds = [a.dtype for a in args if isinstance(a, np.ndarray | np.generic) and a.dtype.kind in "fc"]
    single = bool(kinds) and all(kind.char in "efF" for kind in kinds)
    return (np.complex64 if np.iscomplexobj(total) else np.float32) if single else total.dtype


constant(step, kind_of, between_poles)
