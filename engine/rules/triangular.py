"""Triangular matrices: systems of them, and the pullback of Cholesky's factor, a block after the other.

NumPy has no solver for them, and its general one does three times the work, most of it where BLAS is slow. In blocks
nearly all is done by products of matrices. Each function is linear in its cotangent (or right hand side) and has a rule
of its own, so that it need not be differentiable itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .eigen import adjoint
from .registry import rule
from .selection import WORDS

BLOCK = 64
"""Rows at a time; a general solver takes smaller systems as fast."""


# ---- systems
def solved(a: Any, b: Any) -> Any:
    """a⁻¹ b for matrices of right hand sides: np.linalg.solve, by substitution where blocks of `a` are zero."""
    n = np.shape(a)[-1]
    if n > 2 * BLOCK and np.ndim(a) == np.ndim(b) == 2:
        starts = range(0, n, BLOCK)
        if not any(np.any(a[i : i + BLOCK, i + BLOCK :]) for i in starts):
            return substituted(a, b, [(slice(i, i + BLOCK), slice(i)) for i in starts])
        if not any(np.any(a[i : i + BLOCK, :i]) for i in reversed(starts)):
            return substituted(a, b, [(slice(i, i + BLOCK), slice(i + BLOCK, n)) for i in reversed(starts)])
    return np.linalg.solve(a, b)


def substituted(a: np.ndarray, b: np.ndarray, steps: list) -> np.ndarray:
    """The same, step by step: each has the rows that it solves for, and those that are solved."""
    x = np.empty(b.shape, np.result_type(a, b))
    for rows, known in steps:
        x[rows] = np.linalg.solve(a[rows, rows], b[rows] - a[rows, known] @ x[known])
    return x


rule(
    solved,
    a=lambda d, out, a, b: -np.matmul(solved(adjoint(a), d), adjoint(out)),
    b=lambda d, out, a, b: solved(adjoint(a), d),
)


# ---- Cholesky's factor (convention 7)
def cholesky_pullback(d: Any, factor: Any) -> Any:
    """Ā = ½(S + Sᴴ), S = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹, of A = L Lᴴ. Only the lower triangle of the cotangent `d` is read.

    Source: I. Murray, arXiv:1602.07527, eq. 10, and by blocks section 4.2, with conjugates for a complex L, whose
    diagonal is real. What is computed by blocks is the lower triangle of 2Ā, with half its diagonal.
    """
    n = np.shape(factor)[-1]
    if n <= BLOCK:
        s = unsymmetric(np.tril(d), factor)
        return (s + adjoint(s)) / 2
    bar = np.tril(d)
    for end in range(n, 0, -BLOCK):
        start = max(end - BLOCK, 0)
        left, here, below = slice(start), slice(start, end), slice(end, n)
        square, rows = factor[..., here, here], factor[..., here, left]
        if end < n:
            column = bar[..., below, here] @ np.linalg.inv(square)
            bar[..., below, here] = column
            bar[..., below, left] -= column @ rows
            bar[..., here, here] -= np.tril(adjoint(column) @ factor[..., below, here])
            bar[..., here, left] -= adjoint(column) @ factor[..., below, left]
        s = unsymmetric(bar[..., here, here], square)
        both = s + adjoint(s)
        bar[..., here, left] -= both @ rows
        bar[..., here, here] = half_lower(both)
    return (bar + adjoint(bar)) / 2


def unsymmetric(d: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """L⁻ᴴ Φ(Lᴴ L̄) L⁻¹, of a lower triangle L̄."""
    inverse = np.linalg.inv(factor)
    return adjoint(inverse) @ half_lower(adjoint(factor) @ d) @ inverse


def half_lower(x: Any) -> Any:
    """Φ: the lower triangle, with half of (the real part of) the diagonal."""
    lower = np.tril(x)
    diagonal = np.einsum("...ii->...i", lower)
    diagonal[...] = np.real(diagonal) / 2
    return lower


def whitened(e: Any, factor: Any) -> Any:
    """Φ(L⁻¹ E L⁻ᴴ), of the Hermitian part E of `e`."""
    half = solved(factor, (e + adjoint(e)) / 2)
    return half_lower(adjoint(solved(factor, adjoint(half))))


rule(half_lower, x=lambda d, out, x: half_lower(d))
rule(
    cholesky_pullback,
    d=lambda e, out, d, factor: np.tril(np.matmul(factor, whitened(e, factor))),
    factor=lambda e, out, d, factor: np.tril(
        np.matmul(np.tril(d), adjoint(whitened(e, factor))) - adjoint(solved(factor, np.matmul(e + adjoint(e), out)))
    ),
)
WORDS.update({solved, cholesky_pullback, half_lower})
