"""Norms of vectors and matrices: zero at the origin, and equal shares to all that tie for a largest (convention 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .eigen import adjoint, coincide, rounding
from .elementwise import direction, over
from .registry import composition, constant, rule
from .vocabulary import expand, is_moving, refuse

WRITTEN_OUT = "write it out, np.sum(np.abs(x) ** p) ** (1 / p)"


# ---- what the program calls: norms that compare are made of what compares, so that they see ties as it does
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm: of the whole array, of vectors along an axis, or of matrices in two axes."""
    if ord is None or ord == "fro" or ord == "f":
        return size(x, ord, axis, keepdims, np.linalg.norm)
    x = np.asarray(x)
    if isinstance(axis, tuple) and len(axis) == 2 or axis is None and np.ndim(x) == 2:
        return of_matrices(x, ord, (0, 1) if axis is None else axis, keepdims)
    return of_vectors(x, ord, axis, keepdims, np.linalg.norm)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """np.linalg.vector_norm."""
    return of_vectors(np.asarray(x), ord, axis, keepdims, np.linalg.vector_norm)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """np.linalg.matrix_norm."""
    return norm(x, ord, (-2, -1), keepdims)


composition(np.linalg.norm, norm)
if hasattr(np.linalg, "vector_norm"):
    composition(np.linalg.vector_norm, vector_norm)
    composition(np.linalg.matrix_norm, matrix_norm)


def of_vectors(x: Any, ord: Any, axis: Any, keepdims: bool, kind: Any) -> Any:
    """The sum of the moduli (1), the largest (inf) or smallest (-inf) of them, or a norm that does not compare."""
    if ord == np.inf and is_inexact(x):
        return np.max(np.abs(x), axis=axis, keepdims=keepdims, initial=0)
    if ord == -np.inf and is_inexact(x):
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 1 and stays(ord) and is_inexact(x):
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    return size(x, ord, axis, keepdims, kind)


def of_matrices(x: Any, ord: Any, axes: tuple, keepdims: bool) -> Any:
    """The largest column sum (1) or row sum (inf), negative: the smallest; or a norm of the singular values."""
    if isinstance(ord, str) or not (abs(ord) == np.inf or abs(ord) == 1 and stays(ord)) or not is_inexact(x):
        return spectral_size(x, ord, axes, keepdims)
    rows, columns = axes[0] % np.ndim(x), axes[1] % np.ndim(x)
    along, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = np.sum(np.abs(x), axis=along, keepdims=keepdims)
    other = other if keepdims or other < along else other - 1
    if ord < 0:
        return np.min(sums, axis=other, keepdims=keepdims)
    return np.max(sums, axis=other, keepdims=keepdims, initial=0)


def is_inexact(x: Any) -> bool:
    """Has `x` no whole numbers, whose norm would be one?"""
    return np.iscomplexobj(x) or np.result_type(x).kind == "f"


def stays(ord: Any) -> bool:
    """Is this order no number that moves?"""
    return isinstance(ord, int) or not is_moving(ord)


# ---- norms that do not compare
def size(x: Any, ord: Any, axis: Any, keepdims: bool, kind: Any) -> Any:
    """The root of a sum of powers, by NumPy's function `kind`."""
    return kind(x, ord=ord, axis=axis, keepdims=keepdims)


rule(
    size,
    x=lambda d, out, x, ord, axis, keepdims, kind: size_pullback(
        expand(d, axis, keepdims), expand(out, axis, keepdims), x, ord
    ),
    ord=lambda d, out, x, ord, axis, keepdims, kind: refuse("a norm by its order", WRITTEN_OUT),
)


def size_pullback(d: Any, out: Any, x: Any, ord: Any) -> Any:
    """(|x| / out)^(ord - 1) times the direction of x."""
    if ord is None or ord == 2 or ord == "fro" or ord == "f":
        return d * over(x, out)
    if ord == 0:
        return np.zeros_like(x)
    length = np.abs(x)
    nonzero = length != 0
    share = np.where(nonzero, over(np.where(nonzero, length, 1), out) ** (ord - 1), 0)
    return d * direction(x, length) * share


def spectral_size(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    """The largest singular value (2), the smallest (-2), or their sum (nuc)."""
    return np.linalg.norm(x, ord, axes, keepdims)


rule(
    spectral_size,
    x=lambda d, out, x, ord, axes, keepdims: spectral_pullback(expand(d, axes, keepdims), x, ord, axes),
    ord=lambda d, out, x, ord, axes, keepdims: refuse("a norm by its order", WRITTEN_OUT),
)


def spectral_pullback(d: Any, x: Any, ord: Any, axes: tuple) -> Any:
    """U w Vᴴ, where w are the slopes of the norm by the singular values."""
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
