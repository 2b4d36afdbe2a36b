"""Two answers -> the first difference between them, by path, or None. It never forgives.

In this order: the structure (kinds, lengths, keys, fields), then for each leaf its type, shape and dtype, the places
of NaN and of the infinities, and last the values, element by element. None is an answer of its own: it is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .case import Between, OneOf, Tolerance

__all__ = ["Difference", "first_difference", "room"]

DEFAULT = Tolerance()
ULPS = 4096


@dataclass(frozen=True)
class Difference:
    """Where two answers part, in what, and what stands on either side."""

    path: str
    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}: expected {self.expected}, got {self.got}"


def first_difference(
    got: Any, expected: Any, tolerance: Tolerance = DEFAULT, path: str = "gradient"
) -> Difference | None:
    """The first place where `got` is not `expected`, or None.

    >>> print(first_difference(([1.0, 2.5],), ([1.0, 2.0],)))
    gradient[0][1]: value: expected 2.0, got 2.5
    >>> print(first_difference((0.0,), (None,)))
    gradient[0]: kind: expected None, got float
    >>> first_difference((1.0,), (1.0,)) is None
    True

    Raises:
        TypeError: what is expected is of a kind that cannot be compared.
    """
    if isinstance(expected, Between | OneOf):
        return _from_a_set(got, expected, tolerance, path)
    if type(got) is not type(expected):
        what = "dtype" if isinstance(got, np.number) and isinstance(expected, np.number) else "kind"
        return Difference(path, what, _kind(expected), _kind(got))
    if expected is None:
        return None
    if isinstance(expected, str):
        return None if got == expected else Difference(path, "text", repr(expected), repr(got))
    ours, theirs = _children(got), _children(expected)
    if ours is None or theirs is None:
        return _between_leaves(got, expected, tolerance, path)
    return _between_children(ours, theirs, tolerance, path)


def _from_a_set(got: Any, expected: Between | OneOf, tolerance: Tolerance, path: str) -> Difference | None:
    """The difference from the nearest admissible value, which is put together element by element."""
    like = expected.low if isinstance(expected, Between) else expected[0]
    if type(got) is not type(like) or np.shape(got) != np.shape(like) or np.any(np.isnan(got)):
        return first_difference(got, like, tolerance, path)
    if isinstance(expected, Between):
        nearest = np.clip(got, expected.low, expected.high)
    else:
        choices = np.array(np.broadcast_arrays(*expected))
        nearest = np.take_along_axis(choices, np.argmin(np.abs(choices - got), axis=0)[None], axis=0)[0]
    nearest = np.asarray(nearest, np.asarray(like).dtype)
    return first_difference(got, nearest if isinstance(like, np.ndarray) else type(like)(nearest), tolerance, path)


def _kind(x: Any) -> str:
    return "None" if x is None else type(x).__name__


def _children(x: Any) -> dict[str, Any] | None:
    """The parts of a structure by what is written after its name to reach them; None for a leaf."""
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return {f".{name}": getattr(x, name) for name in x._fields}
    if isinstance(x, tuple | list):
        return {f"[{i}]": child for i, child in enumerate(x)}
    if isinstance(x, dict):
        return {f"[{key!r}]": child for key, child in x.items()}
    if isinstance(x, SimpleNamespace):
        return {f".{name}": child for name, child in vars(x).items()}
    return None


def _between_children(
    got: dict[str, Any], expected: dict[str, Any], tolerance: Tolerance, path: str
) -> Difference | None:
    if got.keys() != expected.keys():
        return Difference(path, "parts", _listed(expected), _listed(got))
    for step in expected:
        difference = first_difference(got[step], expected[step], tolerance, path + step)
        if difference is not None:
            return difference
    return None


def _listed(children: dict[str, Any]) -> str:
    return f"{len(children)} ({' '.join(children)})" if children else "none"


def _between_leaves(got: Any, expected: Any, tolerance: Tolerance, path: str) -> Difference | None:
    if not isinstance(expected, float | complex | int | np.generic | np.ndarray):
        raise TypeError(
            f"{path}: a {type(expected).__name__} cannot be compared; answers are made of numbers, arrays and text"
        )
    a, b = np.asarray(got), np.asarray(expected)
    if a.shape != b.shape:
        return Difference(path, "shape", str(b.shape), str(a.shape))
    if a.dtype != b.dtype:
        return Difference(path, "dtype", str(b.dtype), str(a.dtype))
    if a.dtype.kind not in "fciub":
        raise TypeError(f"{path}: an array of dtype {a.dtype} cannot be compared")
    for part in ("real", "imag") if a.dtype.kind == "c" else ("real",):
        left, right = getattr(a, part), getattr(b, part)
        for what, test in (("NaN", np.isnan), ("infinity", np.isinf)):
            index = _first(test(left) != test(right))
            if index is not None:
                return _at(index, a, b, f"place of {what}", path)
        index = _first(np.isinf(right) & (left != right))
        if index is not None:
            return _at(index, a, b, "sign of infinity", path)
    index = _first(_outside(a, b, tolerance))
    return None if index is None else _at(index, a, b, "value", path)


def _outside(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Which finite elements of `a` are further from those of `b` than allowed."""
    finite = np.isfinite(b)
    if a.dtype.kind in "iub":
        return finite & (a != b)
    eps = np.finfo(b.dtype).eps
    rtol = room(b.dtype) if tolerance.rtol is None else tolerance.rtol
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    atol = tolerance.atol + tolerance.largest * eps * np.max(np.abs(b), initial=0)
    return finite & ~(np.abs(a - b) <= rtol * np.abs(b) + atol)


def room(dtype: np.dtype) -> float:
    """The default tolerance, relative: for a few hundred roundings, and for no term that was left out.

    4096 units in the last place in double precision. A narrower dtype has not so many to lose: three quarters of its
    digits have to be right.

    >>> [f"{room(np.dtype(dtype)):.0e}" for dtype in (np.float64, np.float32, np.float16)]
    ['9e-13', '6e-06', '6e-03']
    """
    eps = float(np.finfo(dtype).eps)
    return min(ULPS * eps, eps**0.75)


def _first(wrong: np.ndarray) -> tuple[int, ...] | None:
    places = np.argwhere(wrong)
    return tuple(int(i) for i in places[0]) if len(places) else None


def _at(index: tuple[int, ...], a: np.ndarray, b: np.ndarray, what: str, path: str) -> Difference:
    place = path + (f"[{', '.join(map(str, index))}]" if index else "")
    return Difference(place, what, repr(b[index].item()), repr(a[index].item()))
