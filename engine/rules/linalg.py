"""Products of matrices and linear algebra. Complex operands: a pullback multiplies by the conjugate (convention 1)."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .registry import rule
from .vocabulary import conj

rule(
    (operator.matmul, np.matmul),
    a=lambda d, out, a, b, /: matmul_left(d, a, conj(b)),
    b=lambda d, out, a, b, /: matmul_right(d, conj(a), b),
)
rule(np.dot, a=lambda d, out, a, b: dot_left(d, a, conj(b)), b=lambda d, out, a, b: dot_right(d, conj(a), b))


def matmul_left(d: Any, a: Any, b: Any) -> Any:
    """ā = d bᵀ, each operand of one dimension standing for the row or column that matmul takes it for."""
    if np.ndim(b) == 1:
        return np.expand_dims(d, -1) * b
    if np.ndim(a) == 1:
        return np.matmul(b, np.expand_dims(d, -1))[..., 0]
    return np.matmul(d, np.swapaxes(b, -1, -2))


def matmul_right(d: Any, a: Any, b: Any) -> Any:
    """b̄ = aᵀ d, likewise."""
    if np.ndim(a) == 1:
        return a * d if np.ndim(b) == 1 else np.expand_dims(a, -1) * np.expand_dims(d, -2)
    if np.ndim(b) == 1:
        return np.matmul(np.expand_dims(d, -2), a)[..., 0, :]
    if np.ndim(b) == 2 and np.ndim(a) > 2:  # one product, instead of one a batch entry and their sum
        return np.matmul(np.reshape(a, (-1, np.shape(a)[-1])).T, np.reshape(d, (-1, np.shape(d)[-1])))
    return np.matmul(np.swapaxes(a, -1, -2), d)


def dot_left(d: Any, a: Any, b: Any) -> Any:
    """ā of np.dot: as matmul up to two dimensions; beyond, a contraction over all axes of b but the last but one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d * b
    if np.ndim(b) == 1:
        return np.expand_dims(d, -1) * b
    if np.ndim(b) == 2:
        return np.dot(d, b.T)
    kept = tuple(range(np.ndim(b) - 2)) + (np.ndim(b) - 1,)
    return np.tensordot(d, b, (tuple(range(np.ndim(a) - 1, np.ndim(d))), kept))


def dot_right(d: Any, a: Any, b: Any) -> Any:
    """b̄ of np.dot."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * d
    leading = tuple(range(np.ndim(a) - 1))
    moved = np.tensordot(a, d, (leading, leading))  # the contracted axis first, then the rest of b's axes
    return moved if np.ndim(b) < 3 else np.moveaxis(moved, 0, -2)
