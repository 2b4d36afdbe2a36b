"""Functions that move elements about without changing them: shapes, joins, splits, copies, and ndarray's methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import rule
from .vocabulary import whole_axis

rule(np.reshape, a=lambda d, out, a, /, shape=None, order="C": np.reshape(d, np.shape(a), order=order))
rule(np.ravel, a=lambda d, out, a, order="C": np.reshape(d, np.shape(a), order=order))
rule(np.transpose, a=lambda d, out, a, axes=None: np.transpose(d) if axes is None else np.transpose(d, inverse(axes)))


def inverse(axes: Any) -> tuple:
    """The permutation that undoes `axes`."""
    return tuple(np.argsort([axis % len(axes) for axis in axes]))


rule(np.concatenate, arrays=lambda d, out, arrays, /, axis=0: pieces(d, arrays, axis))
rule(np.stack, arrays=lambda d, out, arrays, axis=0: like(arrays, unstacked(d, axis)))


def pieces(d: Any, arrays: Any, axis: Any) -> Any:
    """The cotangent of a concatenation, cut where the arrays meet."""
    if axis is None:
        flat = pieces(d, [np.ravel(a) for a in arrays], 0)
        return like(arrays, [np.reshape(p, np.shape(a)) for p, a in zip(flat, arrays, strict=True)])
    result, start = [], 0
    for a in arrays:
        stop = start + np.shape(a)[axis]
        result.append(d[whole_axis(slice(start, stop), axis, np.ndim(d))])
        start = stop
    return like(arrays, result)


def unstacked(d: Any, axis: int) -> list:
    """The slices of `d` along `axis`."""
    return [d[whole_axis(i, axis, np.ndim(d))] for i in range(np.shape(d)[axis])]


def like(arrays: Any, cotangents: list) -> Any:
    """One cotangent an array, in a sequence of the kind that `arrays` is."""
    if isinstance(arrays, np.ndarray):
        return np.stack(cotangents)
    return tuple(cotangents) if isinstance(arrays, tuple) else cotangents
