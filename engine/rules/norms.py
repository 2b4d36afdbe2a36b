"""Norms of vectors and matrices: zero at the origin, and equal shares to all that tie for a largest (convention 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .eigen import adjoint, coincide, rounding
from .elementwise import direction, over
from .reductions import outermost
from .registry import constant, rule
from .selection import shared
from .vocabulary import expand, refuse

WRITTEN_OUT = "write it out, np.sum(np.abs(x) ** p) ** (1 / p)"

rule(
    np.linalg.norm,
    x=lambda d, out, x, ord=None, axis=None, keepdims=False: norm_pullback(d, out, x, ord, axis, keepdims),
    sided={
        "x": lambda d, out, x, ord=None, axis=None, keepdims=False: norm_pullback(
            d, out, x, ord, axis, keepdims, sided=True
        )
    },
    ord=lambda d, out, x, ord=None, axis=None, keepdims=False: refuse("np.linalg.norm by its order", WRITTEN_OUT),
)
if hasattr(np.linalg, "vector_norm"):
    rule(
        np.linalg.vector_norm,
        x=lambda d, out, x, /, *, axis=None, keepdims=False, ord=2: vector_norm_pullback(
            expand(d, axis, keepdims), expand(out, axis, keepdims), x, ord, axis
        ),
        sided={
            "x": lambda d, out, x, /, *, axis=None, keepdims=False, ord=2: vector_norm_pullback(
                expand(d, axis, keepdims), expand(out, axis, keepdims), x, ord, axis, sided=True
            )
        },
        ord=lambda d, out, x, /, *, axis=None, keepdims=False, ord=2: refuse(
            "np.linalg.vector_norm by its order", WRITTEN_OUT
        ),
    )
    rule(
        np.linalg.matrix_norm,
        x=lambda d, out, x, /, *, keepdims=False, ord="fro": norm_pullback(d, out, x, ord, (-2, -1), keepdims),
        sided={
            "x": lambda d, out, x, /, *, keepdims=False, ord="fro": norm_pullback(
                d, out, x, ord, (-2, -1), keepdims, sided=True
            )
        },
    )


def norm_pullback(d: Any, out: Any, x: Any, ord: Any, axis: Any, keepdims: bool, sided: bool = False) -> Any:
    """np.linalg.norm: of the whole array, of vectors along an axis, or of matrices in two axes."""
    d, out = expand(d, axis, keepdims), expand(out, axis, keepdims)
    if ord is None or ord == "fro" or ord == "f":
        return d * over(x, out)
    if isinstance(axis, tuple | list) and len(axis) == 2 or axis is None and np.ndim(x) == 2:
        return matrix_norm_pullback(d, out, x, ord, (0, 1) if axis is None else tuple(axis), sided)
    return vector_norm_pullback(d, out, x, ord, axis, sided)


def vector_norm_pullback(d: Any, out: Any, x: Any, ord: Any, axis: Any, sided: bool = False) -> Any:
    """(|x| / out)^(ord - 1) times the direction of x."""
    if ord == 2:
        return d * over(x, out)
    size = np.abs(x)
    if ord == np.inf or ord == -np.inf:
        return shared(d, winners(size == out, axis, ord, sided), axis) * direction(x, size, sided)
    if ord == 0:
        return np.zeros_like(x)
    towards = d * direction(x, size, sided)
    if ord == 1:
        return towards
    nonzero = size != 0
    return towards * np.where(nonzero, over(np.where(nonzero, size, 1), out) ** (ord - 1), 0)


def winners(equal: Any, axis: Any, ord: Any, sided: bool) -> Any:
    """Those that are the largest, or for a negative order the smallest: all that tie, or the one that it falls to."""
    return outermost(equal, axis, "last" if ord > 0 else "first") if sided else equal


def matrix_norm_pullback(d: Any, out: Any, x: Any, ord: Any, axes: tuple, sided: bool = False) -> Any:
    """The largest column sum (1), row sum (inf), singular value (2), or their sum (nuc); -1, -inf, -2: the smallest."""
    if ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes
        summed, other = (rows, columns) if ord in (1, -1) else (columns, rows)
        size = np.abs(x)
        equal = np.sum(size, axis=summed, keepdims=True) == out
        return shared(d, winners(equal, other, ord, sided), other) * direction(x, size, sided)
    matrices = np.moveaxis(x, axes, (-2, -1))
    if ord == "nuc":
        return d * np.moveaxis(orthogonal_factor(matrices), (-2, -1), axes)
    u, s, vh = np.linalg.svd(matrices, full_matrices=False)
    weights = np.expand_dims(singular_weights(s, ord), -2)
    return d * np.moveaxis(np.matmul(u * weights, vh), (-2, -1), axes)


def orthogonal_factor(x: Any) -> Any:
    """U Vᴴ, without the vectors of singular values that are zero: the gradient of their sum."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.matmul(u * np.expand_dims(singular_weights(s, "nuc"), -2), vh)


rule(orthogonal_factor, x=lambda d, out, x: orthogonal_pullback(d, np.linalg.svd(x, full_matrices=False)))


def orthogonal_pullback(d: Any, factors: Any) -> Any:
    """U ((K - Kᴴ) / (s_i + s_j)) Vᴴ with K = Uᴴ d V, and the parts outside the ranges of U and V, divided by s.

    Only sums of singular values stand below, no gaps: equal ones are as good as others, and at zero there is none, NaN.
    """
    u, s, vh = factors
    v, uh = adjoint(vh), adjoint(u)
    k = np.matmul(uh, np.matmul(d, v))
    total = np.expand_dims(s, -1) + np.expand_dims(s, -2)
    flat = np.expand_dims(rounding(s), -1)
    inner = np.matmul(u, np.matmul((k - adjoint(k)) / np.where(total <= flat, np.nan, total), vh))
    inverse = np.expand_dims(1 / np.where(s <= rounding(s), np.nan, s), -2)
    left = np.matmul((np.matmul(d, v) - np.matmul(u, k)) * inverse, vh)
    right = np.matmul(u, adjoint((np.matmul(adjoint(d), u) - np.matmul(v, adjoint(k))) * inverse))
    return inner + left + right


def singular_weights(s: np.ndarray, ord: Any) -> np.ndarray:
    """The gradient of a norm by the singular values: 0 for zeros, equal shares to those that tie for the largest."""
    positive = s > rounding(s)
    if ord == "nuc":
        return positive.astype(s.dtype)
    chosen = (coincide(s)[..., 0 if ord == 2 else -1, :] & positive).astype(s.dtype)
    return over(chosen, np.sum(chosen, -1, keepdims=True))


constant(singular_weights)
