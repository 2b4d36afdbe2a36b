"""Pseudo-inverses and least squares: the derivative at constant rank.

A matrix of deficient rank is treated as NumPy treats it, whose cutoff calls its smallest singular values zero: as long
as they stay below it, the rank does not change. Singular values that are not zero and cut off all the same are dropped
with their vectors, and the rule says how that answers to a change of the matrix, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .decompositions import singular_values_pullback
from .eigen import adjoint, rounding
from .registry import constant, rule

rule(
    np.linalg.pinv,
    a=lambda d, out, a, rcond=None, hermitian=False, *, rtol=None: pinv_pullback(d, out, a, hermitian),
)
rule(
    np.linalg.lstsq,
    a=lambda d, out, a, b, rcond=None: lstsq_matrix_pullback(d, out, a, b),
    b=lambda d, out, a, b, rcond=None: np.reshape(lstsq_right_pullback(d, out, a, b), np.shape(b)),
)


def pinv_pullback(d: Any, out: Any, a: Any, hermitian: bool) -> Any:
    """ā; of a matrix that counts as Hermitian its Hermitian part (convention 7)."""
    a_bar = cut_pullback(d, out, a) if cuts(a, out) else constant_rank_pullback(d, out, a)
    return (a_bar + adjoint(a_bar)) / 2 if hermitian else a_bar


def constant_rank_pullback(d: Any, p: Any, a: Any) -> Any:
    """ā = -pᴴ d pᴴ + (1 - a p) dᴴ p pᴴ + pᴴ p dᴴ (1 - p a), p the pseudo-inverse.

    Source: G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973), eq. 4.12.
    """
    ph, dh = adjoint(p), adjoint(d)
    left, right = np.matmul(np.matmul(dh, p), ph), np.matmul(ph, np.matmul(p, dh))
    inside = np.matmul(np.matmul(ph, d), ph)
    return left - np.matmul(a, np.matmul(p, left)) + right - np.matmul(np.matmul(right, p), a) - inside


def cuts(a: np.ndarray, p: np.ndarray) -> bool:
    """Has the cutoff dropped a part of `a` that is more than rounding: is a p a different from a?"""
    dropped = a - np.matmul(np.matmul(a, p), a)
    s = np.linalg.svd(a, compute_uv=False)
    return bool(np.any(np.max(np.abs(dropped), (-2, -1), initial=0) > 1e3 * rounding(s)[..., 0]))


def cut_pullback(d: Any, p: Any, a: Any) -> Any:
    """The same where singular values t > 0 are cut off: what they and the kept ones s exchange as `a` changes.

    With Y = Vᴴ d U, ā = U Ē Vᴴ and the parts outside the ranges of U and V; Ē is -Y_ij / s_i s_j between two kept
    values, (conj(Y_ji) + t/s Y_ij) / (s² - t²) between a kept one and one cut off, and 0 between two cut off.
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    kept = is_kept(p, u, s, vh)
    columns, rows = np.expand_dims(kept, -2), np.expand_dims(kept, -1)
    row, column = np.expand_dims(s, -1), np.expand_dims(s, -2)
    large, small = np.where(columns, column, row), np.where(columns, row, column)
    both, mixed = columns & rows, columns != rows
    y = np.matmul(vh, np.matmul(d, u))
    inside = np.where(both, -y / np.where(both, row * column, 1), 0)
    safe = np.where(mixed, large, 1)
    across = np.where(mixed, (adjoint(y) + y * (small / safe)) / np.where(mixed, large**2 - small**2, 1), 0)
    weights = np.expand_dims(np.where(kept, 1 / np.where(kept, s, 1), 0) ** 2, -2)
    v, uh, dh = adjoint(vh), adjoint(u), adjoint(d)
    left = np.matmul(np.matmul(dh, v) * weights, vh)
    right = np.matmul(u * weights, np.matmul(uh, dh))
    outside = left - np.matmul(u, np.matmul(uh, left)) + right - np.matmul(np.matmul(right, v), vh)
    return np.matmul(np.matmul(u, inside + across), vh) + outside


def is_kept(p: np.ndarray, u: np.ndarray, s: np.ndarray, vh: np.ndarray) -> np.ndarray:
    """Which singular values of a matrix its pseudo-inverse `p` inverts."""
    return np.abs(np.sum(np.matmul(vh, p) * np.swapaxes(u, -1, -2), -1)) * s > 0.5


def lstsq_right_pullback(d: Any, out: Any, a: Any, b: Any) -> Any:
    """b̄ = pᴴ x̄, p the pseudo-inverse, and 2 r where the sums of squares of r = b - a x are looked at."""
    x, squares, rank, s = out
    right, x = columns(b), columns(x)
    b_bar = np.zeros_like(right)
    if d[0] is not None:
        b_bar = b_bar + np.matmul(adjoint(np.linalg.pinv(a, between(rank, s))), np.reshape(d[0], np.shape(x)))
    if d[1] is not None and np.size(squares):
        b_bar = b_bar + 2 * d[1] * (right - np.matmul(a, x))
    return b_bar


def lstsq_matrix_pullback(d: Any, out: Any, a: Any, b: Any) -> Any:
    """ā = r zᴴ + w (x̄ - aᴴ b̄)ᴴ - b̄ xᴴ, with b̄ = pᴴ x̄, z = p b̄ and w = pᴴ x: that of p b, at constant rank.

    Where singular values that are not zero are cut off, it is that of p, applied to b.
    """
    x, squares, rank, s = out
    right, x = columns(b), columns(x)
    residual = right - np.matmul(a, x)
    a_bar = np.zeros_like(a)
    if d[0] is not None:
        x_bar, p = np.reshape(d[0], np.shape(x)), np.linalg.pinv(a, between(rank, s))
        if drops(rank, s):
            a_bar = a_bar + cut_pullback(np.matmul(x_bar, adjoint(right)), p, a)
        else:
            b_bar = np.matmul(adjoint(p), x_bar)
            outside = np.matmul(np.matmul(adjoint(p), x), adjoint(x_bar - np.matmul(adjoint(a), b_bar)))
            a_bar = a_bar + np.matmul(residual, adjoint(np.matmul(p, b_bar))) + outside
            a_bar = a_bar - np.matmul(b_bar, adjoint(x))
    if d[1] is not None and np.size(squares):
        a_bar = a_bar - np.matmul(2 * d[1] * residual, adjoint(x))
    if d[3] is not None:
        a_bar = a_bar + singular_values_pullback(d[3], np.linalg.svd(a, full_matrices=False))
    return a_bar


def columns(x: Any) -> Any:
    """A vector as a matrix of one column."""
    return np.expand_dims(x, -1) if np.ndim(x) == 1 else x


def drops(rank: int, s: np.ndarray) -> bool:
    """Has the cutoff dropped a singular value that is more than rounding?"""
    return rank < len(s) and bool(s[rank] > 1e3 * rounding(s)[..., 0])


def between(rank: int, s: np.ndarray) -> float:
    """A cutoff, relative to the largest singular value, that keeps `rank` of them."""
    return 1.0 if rank == 0 else 0.0 if rank == len(s) else float((s[rank - 1] + s[rank]) / (2 * s[0]))


constant(cuts, drops, is_kept, between)
