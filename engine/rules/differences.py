"""Differences of neighbours, in one pass there and one back: np.diff and np.ediff1d."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition, rule
from .vocabulary import whole_axis

SIGNS = (-1.0, 1.0)
"""How an element enters the difference after it, and that before it.

They are arguments of the primitives, so that who asks which elements are looked at (convention 4) can have both
positive: what comes back from two differences is subtracted, and counts must not cancel."""


def neighbours(a: Any, signs: tuple, axis: int) -> Any:
    """The sums of two neighbours along an axis, each with its sign."""
    if signs == SIGNS:
        return np.diff(a, axis=axis)
    ndim = np.ndim(a)
    return signs[0] * a[whole_axis(slice(-1), axis, ndim)] + signs[1] * a[whole_axis(slice(1, None), axis, ndim)]


def given_back(d: Any, a: Any, signs: tuple, axis: int) -> Any:
    """The cotangent of what has the shape of `a` from that of the sums of neighbours."""
    ndim, result = np.ndim(d), np.empty(np.shape(a), d.dtype)
    first, last = whole_axis(slice(1), axis, ndim), whole_axis(slice(-1, None), axis, ndim)
    until, since = whole_axis(slice(-1), axis, ndim), whole_axis(slice(1, None), axis, ndim)
    if np.shape(a)[axis] < 2:
        result[...] = 0
    elif signs == SIGNS:
        np.negative(d[first], out=result[first])
        np.subtract(d[until], d[since], out=result[whole_axis(slice(1, -1), axis, ndim)])
        result[last] = d[last]
    else:
        result[last] = 0
        np.multiply(d, signs[0], out=result[until])
        result[since] += signs[1] * d
    return result


rule(neighbours, mixes=True, a=lambda d, out, a, signs, axis: given_back(d, a, signs, axis))
rule(given_back, mixes=True, d=lambda e, out, d, a, signs, axis: neighbours(e, signs, axis))


def diff(a: Any, n: int = 1, axis: int = -1, *, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along `axis`, n times."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if n == 0:
        return a  # and nothing is put around it
    edge = [1 if i == axis % np.ndim(a) else length for i, length in enumerate(np.shape(a))]
    parts = [np.broadcast_to(e, edge) if np.ndim(e) == 0 else e for e in (prepend, a, append) if e is not None]
    a = np.concatenate(parts, axis) if len(parts) > 1 else np.asarray(a)
    if n == 1:
        return neighbours(a, SIGNS, axis)
    for _ in range(n):
        a = neighbours(a, SIGNS, axis)
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of the flattened array, between what is put around them."""
    flat = np.ravel(ary)
    parts = [neighbours(flat, SIGNS, 0)]
    if to_begin is not None:
        parts = [np.ravel(to_begin), *parts]
    if to_end is not None:
        parts = [*parts, np.ravel(to_end)]
    return np.concatenate(parts, dtype=np.result_type(flat)) if len(parts) > 1 else parts[0]


composition(np.diff, diff)
composition(np.ediff1d, ediff1d)
