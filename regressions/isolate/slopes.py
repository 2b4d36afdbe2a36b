"""The derivative of a program that may only be called, along one direction: how fast it changes, and between what.

Differences extrapolated to step zero, with smaller and smaller first steps until they settle; the slopes to both sides
at a kink or at the edge of what the program is defined on; and the complex step, which is exact where the program is
analytic, and is believed where the differences say about the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..oracles import Unsettled, extrapolated, parts, replaced

__all__ = ["Slope", "inner", "is_number", "leaves", "moved_along", "random_direction", "slope"]

TINY = 1e-100  # numbers that no step is small beside
SCALES = (1.0, 2.0**-5, 2.0**-10)  # of the first step; smaller ones lose more to rounding than they gain


@dataclass(frozen=True)
class Slope:
    """All that a derivative along a direction may be, from `low` to `high`; how much of it is trusted, relatively, and
    below which `floor` it is as good as nothing."""

    low: float
    high: float
    trusted: float
    floor: float = 1e-10

    def along(self, direction: Any) -> str:
        """It in words.

        >>> Slope(2.0, 2.0, 0.0).along(1.0), Slope(-1.0, 1.0, 0.0).along(np.ones(2))
        ('2', 'anything from -1 to 1 along a random direction')
        """
        shown = f"anything from {self.low:.9g} to {self.high:.9g}" if self.is_kink else f"{self.middle:.9g}"
        return shown + (" along a random direction" if np.ndim(direction) else "")

    @property
    def is_kink(self) -> bool:
        """Are there several?"""
        return self.high > self.low

    @property
    def middle(self) -> float:
        """The derivative itself, where it is one number."""
        return (self.low + self.high) / 2

    def allows(self, got: float, size: float = 0.0, digits: float = 0.0) -> bool:
        """May a derivative that was computed some other way, of terms as large as `size`, be this one?

        >>> Slope(2.0, 2.0, 1e-6).allows(2.0000001), Slope(2.0, 2.0, 1e-6).allows(2.1), Slope(0.0, 1.0, 0.0).allows(0.5)
        (True, False, True)
        """
        room = max(self.trusted, digits) * max(abs(self.low), abs(self.high), abs(got), size) + self.floor
        return self.low - room <= got <= self.high + room


def slope(
    along: Callable[[Any], Any],
    size: float = 1.0,
    analytic: Callable[[complex], Any] | None = None,
    alone: bool = False,
) -> Any:
    """The slope at 0 of a function of a step, None where it has none that can be found.

    `size` is how large the numbers are that move; `analytic` the same function of an imaginary step. One number that
    goes through one operation `alone` meets no others that it could cancel with: a tiny slope of it is one.

    >>> slope(lambda h: (3 + h) ** 2).middle.__round__(6), slope(abs).low.__round__(6), slope(np.cbrt)
    (6.0, -1.0, None)
    """

    def safely(h: float) -> float:
        with np.errstate(all="ignore"):
            value = along(h)
        return float(np.real(value))

    start = safely(0.0)
    if not np.isfinite(start) or 0 < size < TINY:
        return None
    central = _limit(lambda h: (safely(h) - safely(-h)) / (2 * h), size)
    right = _limit(lambda h: (safely(h) - start) / h, size, order=1)
    left = _limit(lambda h: (start - safely(-h)) / h, size, order=1)
    if left is not None and right is not None and abs(left - right) > 1e-4 * max(1.0, abs(left), abs(right)):
        return Slope(min(left, right), max(left, right), 1e-5)
    found = central if central is not None else right if right is not None else left
    if found is None:
        return None
    if analytic is not None:
        with suppress(Exception), np.errstate(all="ignore"):  # a program that does not take complex numbers
            exact = float(analytic(1e-100j)) / 1e-100
            if abs(exact - found) <= 1e-5 * max(1.0, abs(found)):
                beside = float(analytic(1e-9 * size + 1e-100j)) / 1e-100
                is_rounding = abs(exact - beside) > 1e-5 * abs(exact) or abs(exact) < 1e-200  # the step underflows
                return Slope(exact, exact, 1e-9, 1e-10 if is_rounding or not alone else 0.0)
    return Slope(found, found, 1e-5)


def _limit(quotient: Callable[[float], float], size: float, order: int = 2) -> float | None:
    for scale in SCALES:
        with suppress(Unsettled, FloatingPointError, ZeroDivisionError, OverflowError), np.errstate(all="ignore"):
            found = extrapolated(lambda h, scale=scale: quotient(h * scale), size, order=order)  # type: ignore[misc]
            if np.isfinite(found):
                return float(found)
    return None


def is_number(x: Any) -> bool:
    """Can a derivative belong to it: a float, a complex number, an array of either?"""
    return isinstance(x, float | complex | np.inexact) or (isinstance(x, np.ndarray) and x.dtype.kind in "fc")


def leaves(x: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """The numbers and arrays in a structure, with the keys that lead to each.

    >>> list(leaves((1.0, {"n": 2, "w": 3.0})))
    [((0,), 1.0), ((1, 'w'), 3.0)]
    """
    if is_number(x):
        yield path, x
    elif not isinstance(x, str | bytes | int | np.ndarray | np.generic):
        for key, part in parts(x):
            yield from leaves(part, (*path, key))


def random_direction(like: Any, generator: np.random.Generator) -> Any:
    """Numbers without a relation to each other, none of them small, in the form of an array; 1 for one real number."""
    if np.ndim(like) == 0 and not np.iscomplexobj(like):
        return np.ones(()) if isinstance(like, np.ndarray) else 1.0
    drawn = generator.uniform(0.5, 1.5, np.shape(like)) * generator.choice([-1.0, 1.0], np.shape(like))
    if np.iscomplexobj(like):
        drawn = drawn * np.exp(1j * generator.uniform(0, 2 * np.pi, np.shape(like)))
    return drawn if isinstance(like, np.ndarray) else drawn[()]


def moved_along(x: Any, path: tuple, direction: Any, step: complex) -> Any:
    """`x` with the number or array at `path` moved by a step along a direction; half and single precision widened."""
    leaf: Any = x
    for key in path:
        leaf = leaf[key] if isinstance(leaf, tuple | list | dict) else vars(leaf)[key]
    wide = np.result_type(np.asarray(leaf).dtype, np.float64)
    moved = np.asarray(leaf, wide) + step * direction
    return replaced(x, path, moved if isinstance(leaf, np.ndarray) else moved[()])


def inner(d: Any, value: Any) -> Any:
    """Re <d, value>, over the structure of `d`; what has no cotangent, or a zero one, is not looked at."""
    if d is None:
        return 0.0
    if isinstance(d, tuple | list):
        return sum(inner(*pair) for pair in zip(d, value, strict=True))
    if isinstance(d, dict):
        return sum(inner(part, value[key]) for key, part in d.items())
    if hasattr(d, "__dict__") and not isinstance(d, np.ndarray | np.generic):
        return sum(inner(part, vars(value)[key]) for key, part in parts(d))
    d, value = np.asarray(d), np.asarray(value)
    d, value = np.broadcast_arrays(d, value)
    terms = np.conj(d[d != 0]) * value[d != 0]
    return np.sum(terms) if np.iscomplexobj(value) and not np.iscomplexobj(d) else np.sum(np.real(terms))
