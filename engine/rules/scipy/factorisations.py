"""scipy.linalg: factorisations, by the formulas of numpy.linalg's; its own are LU, the polar form, bases of spaces.

A pullback is that of the form SciPy gives (economic, pivoted, packed); what a gauge decides is as convention 9 has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from ..decompositions import (
    check_turning,
    cholesky_pullback,
    nan_if_deficient,
    qr_pullback,
    svd_pullback,
    thin_svd_pullback,
)
from ..eigen import (
    adjoint,
    on_diagonal_of,
    rounding,
)
from ..leastsquares import between, lstsq_matrix_pullback, lstsq_right_pullback, pinv_pullback
from ..registry import composition, constant, rule
from ..vocabulary import filled, rebased, refuse

# ---- singular values, QR
rule(
    sl.svd,
    a=lambda d, out, a, full_matrices=True, compute_uv=True, *, check_finite=True, lapack_driver="gesdd": svd_pullback(
        d, out, a, full_matrices, compute_uv, False
    ),
    careful=lambda looked, d, out, a, full_matrices=True, compute_uv=True, *, check_finite=True, lapack_driver="": (
        svd_pullback(d, out, a, full_matrices, compute_uv, False, looked)
    ),
)
rule(
    sl.qr,
    a=lambda d, out, a, *, lwork=None, mode="full", pivoting=False, check_finite=True: pivoted_qr_pullback(
        d, out, a, mode, pivoting
    ),
)
rule(sl.rq, a=lambda d, out, a, *, lwork=None, mode="full", check_finite=True: rq_pullback(d, out, a, mode))

NUMPYS = {"full": "complete", "economic": "reduced", "r": "complete"}
"""SciPy's modes of qr and NumPy's."""


def pivoted_qr_pullback(d: Any, out: Any, a: Any, mode: str, pivoting: bool) -> Any:
    """That of the QR form of the columns in the order of their pivots."""
    if mode == "raw":
        refuse("scipy.linalg.qr in the mode 'raw'", "take q and r, mode='economic'")
    columns = out[-1] if pivoting else np.arange(np.shape(a)[-1])
    ordered = np.take(a, columns, -1) if np.ndim(columns) == 1 else refuse(
        "scipy.linalg.qr of a stack of matrices with pivots", "call it for each"
    )  # fmt: skip
    if mode == "r":
        q, d = sl.qr(ordered)[0], (None, d[0])
        out = (q, out[0])
    ordered_bar = qr_pullback(d[:2], out[:2], ordered, NUMPYS[mode])
    return np.take(ordered_bar, np.argsort(columns), -1)


def rq_pullback(d: Any, out: Any, a: Any, mode: str) -> Any:
    """A = R Q turned round: the rows of Aᴴ in the opposite order are (Qᴴ J) (J Rᴴ J), a QR form."""
    if mode == "r":
        d, out = (d, None), (out, sl.rq(a)[1])
    r, q = out
    r_bar, q_bar = d
    turned = adjoint(a[::-1])
    of_q = None if q_bar is None else adjoint(q_bar)[:, ::-1]
    of_r = None if r_bar is None else adjoint(r_bar)[::-1, ::-1]
    whole = "reduced" if mode == "economic" else "complete"
    bar = qr_pullback((of_q, of_r), (adjoint(q)[:, ::-1], adjoint(r)[::-1, ::-1]), turned, whole)
    return adjoint(bar)[::-1]


# ---- LU
rule(
    sl.lu,
    a=lambda d, out, a, permute_l=False, *, check_finite=True, p_indices=False: lu_pullback(d, out, a, permute_l),
)
rule(sl.lu_factor, a=lambda d, out, a, *, check_finite=True: packed_lu_pullback(d[0], out))


def lu_pullback(d: Any, out: Any, a: Any, permute_l: bool) -> Any:
    """The rows of the cotangent of P⁻¹ A = L U back in the order of A; P is a step."""
    order = sl.lu(a, p_indices=True)[0]
    low, up = (rows(out[0], np.argsort(order, -1)), out[1]) if permute_l else out[1:]
    l_bar, u_bar = d if permute_l else d[1:]
    l_bar = np.zeros_like(low) if l_bar is None else rows(l_bar, np.argsort(order, -1)) if permute_l else l_bar
    return rows(factors_pullback(l_bar, np.zeros_like(up) if u_bar is None else u_bar, low, up), order)


def rows(matrix: Any, order: Any) -> Any:
    """The rows of a matrix, or of each of a stack, in this order."""
    return np.take_along_axis(matrix, np.expand_dims(order, -1), -2)


def factors_pullback(l_bar: Any, u_bar: Any, low: Any, up: Any) -> Any:
    """Ā = L⁻ᴴ (tril(LᴴL̄, -1) + triu(ŪUᴴ)) U⁻ᴴ; rows below a square, and columns beside it, are A₂ U⁻¹ and L⁻¹ A₂.

    A zero on the diagonal of U has no derivative: NaN.
    """
    m, n = np.shape(low)[-2], np.shape(up)[-1]
    k = min(m, n)
    square = up[..., :k] + nan_if_deficient(up[..., :k])
    below, beside = l_bar[..., k:, :], u_bar[..., k:]
    l_bar, u_bar, corner = l_bar[..., :k, :], u_bar[..., :k], low[..., :k, :]
    if m > n:
        below = adjoint(np.linalg.solve(square, adjoint(below)))
        u_bar = u_bar - np.matmul(adjoint(low[..., k:, :]), below)
    if m < n:
        beside = np.linalg.solve(adjoint(corner), beside)
        l_bar = l_bar - np.matmul(beside, adjoint(up[..., k:]))
    inner = np.tril(np.matmul(adjoint(corner), l_bar), -1) + np.triu(np.matmul(u_bar, adjoint(square)))
    a_bar = adjoint(np.linalg.solve(square, adjoint(np.linalg.solve(adjoint(corner), inner))))
    return np.concatenate([a_bar, below], -2) if m > n else np.concatenate([a_bar, beside], -1) if m < n else a_bar


def packed_lu_pullback(d: Any, out: Any) -> Any:
    """Likewise of both factors in one matrix."""
    if d is None:
        return None
    lu, pivots = out
    m, n = np.shape(lu)[-2:]
    k = min(m, n)
    low = np.tril(lu[..., :k], -1) + np.eye(m, k, dtype=lu.dtype)
    order = np.argsort(order_of(pivots, m), -1)
    return rows(factors_pullback(np.tril(d[..., :k], -1), np.triu(d[..., :k, :]), low, np.triu(lu[..., :k, :])), order)


def order_of(pivots: np.ndarray, m: int) -> np.ndarray:
    """Where the rows of L U come from: the exchanges of LAPACK, one after the other."""
    order = np.broadcast_to(np.arange(m), (*np.shape(pivots)[:-1], m)).copy()
    for place in np.ndindex(np.shape(pivots)[:-1]):
        for i, j in enumerate(pivots[place]):
            order[place][[i, j]] = order[place][[j, i]]
    return order


def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, *, check_finite: bool = True) -> Any:
    """The system of a matrix, its transpose (1) or its adjoint (2), from its packed LU form."""
    lu, pivots = lu_and_piv
    order, found = order_of(pivots, len(lu)), found_by_lu(lu, pivots, b, trans)
    if trans == 0:
        y = sl.solve_triangular(lu, b[order], lower=True, unit_diagonal=True)
        return rebased(found, sl.solve_triangular(lu, y))
    kind = "T" if trans == 1 else "C"
    z = sl.solve_triangular(lu, sl.solve_triangular(lu, b, kind), kind, lower=True, unit_diagonal=True)
    return rebased(found, z[np.argsort(order)])


def found_by_lu(lu: np.ndarray, pivots: np.ndarray, b: np.ndarray, trans: int) -> np.ndarray:
    """SciPy's value of lu_solve."""
    return sl.lu_solve((lu, pivots), b, trans)


composition(sl.lu_solve, lu_solve)

# ---- Cholesky
rule(sl.cho_factor, a=lambda d, out, a, lower=False, *, check_finite=True: packed_cholesky_pullback(d[0], out, lower))


LEAVES_THE_REST = bool(sl.cho_factor(np.array([[1.0, 0.5], [0.5, 1.0]]))[0][1, 0] == 0.5)
"""Does a packed factor hold, across the diagonal, what the matrix held there? Later releases clear it."""


def packed_cholesky_pullback(d: Any, out: Any, lower: bool) -> Any:
    """That of the triangle, and what this SciPy puts on the other side of the diagonal."""
    if d is None:
        return None
    c = out[0]
    if lower:
        a_bar, rest = cholesky_pullback(np.tril(d), np.tril(c)), np.triu(d, 1)
    else:
        a_bar, rest = cholesky_pullback(adjoint(np.triu(d)), adjoint(np.triu(c))), np.tril(d, -1)
    return a_bar + rest if LEAVES_THE_REST else a_bar


def cho_solve(c_and_lower: Any, b: Any, *, check_finite: bool = True) -> Any:
    """The system of a matrix from its Cholesky factor."""
    c, lower = c_and_lower
    first, second = (0, "C") if lower else ("C", 0)
    x = sl.solve_triangular(c, sl.solve_triangular(c, b, first, lower=lower), second, lower=lower)
    return rebased(found_solution(c, lower, b), x)


def found_solution(c: np.ndarray, lower: bool, b: np.ndarray) -> np.ndarray:
    """SciPy's value of cho_solve."""
    return sl.cho_solve((c, lower), b)


composition(sl.cho_solve, cho_solve)

# ---- pseudo-inverses and least squares
rule(
    sl.pinv,
    a=lambda d, out, a, *, atol=None, rtol=None, return_rank=False, check_finite=True: pinv_pullback(
        d[0] if return_rank else d, out[0] if return_rank else out, a, False
    ),
)
rule(
    sl.pinvh,
    a=lambda d, out, a, *, atol=None, rtol=None, lower=True, return_rank=False, check_finite=True: pinv_pullback(
        d[0] if return_rank else d, out[0] if return_rank else out, from_triangle(a, lower), True
    ),
)
rule(
    sl.lstsq,
    a=lambda d, out, a, b, cond=None, *, check_finite=True, lapack_driver=None: lstsq_matrix_pullback(
        *as_of_numpy(d, out, a), a, b
    ),
    b=lambda d, out, a, b, cond=None, *, check_finite=True, lapack_driver=None: np.reshape(
        lstsq_right_pullback(*as_of_numpy(d, out, a), a, b), np.shape(b)
    ),
)


def from_triangle(a: Any, lower: bool) -> Any:
    """The Hermitian matrix of which one triangle is read."""
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    return half + adjoint(half) + on_diagonal_of(a, np.real(np.diagonal(a, 0, -2, -1)))


def as_of_numpy(d: Any, out: Any, a: Any) -> tuple:
    """The cotangents and results as numpy.linalg.lstsq has them.

    The driver gelsy finds no singular values, and some releases give complex sums of squares.
    """
    x, squares, rank, s = out
    if np.ndim(a) != 2:
        refuse("scipy.linalg.lstsq of a stack of matrices", "call it for each")
    values = np.linalg.svd(a, compute_uv=False) if s is None else s
    of_squares = None if d[1] is None else np.real(np.atleast_1d(d[1]))
    return (d[0], of_squares, None, d[3]), (x, np.real(np.atleast_1d(squares)), rank, values)


# ---- the polar form
rule(sl.polar, a=lambda d, out, a, side="right": polar_pullback(filled(d, out), out, a, side))


def polar_pullback(d: Any, out: Any, a: Any, side: str) -> Any:
    """Of A = U P; A = P U is the adjoint of it. Of a wide A, whose P = Uᴴ A has no full rank, by A = P' U."""
    (u, p), (u_bar, p_bar) = out, d
    if side == "left":
        turned = polar_pullback((adjoint(u_bar), p_bar), (adjoint(u), p), adjoint(a), "right")
        return adjoint(turned)
    if np.shape(a)[-2] >= np.shape(a)[-1]:
        return tall_polar_pullback(u_bar, p_bar, u, p)
    p_bar = (p_bar + adjoint(p_bar)) / 2
    moved = u_bar + np.matmul(a, p_bar)
    other = np.matmul(a, adjoint(u))
    bar = tall_polar_pullback(adjoint(moved), np.zeros_like(other), adjoint(u), (other + adjoint(other)) / 2)
    return adjoint(bar) + np.matmul(u, p_bar)


def tall_polar_pullback(u_bar: Any, p_bar: Any, u: Any, p: Any) -> Any:
    """Ā = U (P̄ + 2 T(K)) + (1 - U Uᴴ) Ū P⁻¹, K the antihermitian part of UᴴŪ - P̄P and T the inverse of X -> XP + PX.

    From dA = dU P + U dP: X = UᴴdA has XP-free part X - Xᴴ = ΩP + PΩ with Ω = UᴴdU. Without full rank: NaN.
    """
    p_bar = (p_bar + adjoint(p_bar)) / 2
    s, v = np.linalg.eigh(p)
    k = np.matmul(adjoint(u), u_bar) - np.matmul(p_bar, p)
    turned = np.matmul(adjoint(v), np.matmul((k - adjoint(k)) / 2, v))
    total = np.expand_dims(s, -1) + np.expand_dims(s, -2)
    turned = turned / np.where(total <= np.expand_dims(rounding(s), -1), np.nan, total)
    inner = p_bar + 2 * np.matmul(v, np.matmul(turned, adjoint(v)))
    outer = u_bar - np.matmul(u, np.matmul(adjoint(u), u_bar))
    return np.matmul(u, inner) + adjoint(np.linalg.solve(p + nan_if_flat(s), adjoint(outer)))


def nan_if_flat(s: np.ndarray) -> np.ndarray:
    """NaN for matrices of which one of these eigenvalues is zero up to rounding, else zero."""
    flat = np.min(np.abs(s), -1, keepdims=True, initial=np.inf) <= rounding(s)
    return np.where(flat, np.nan, 0.0).astype(s.dtype)[..., None]


def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> tuple:
    """The orthogonal matrix that takes A nearest to B, and the sum of the singular values of AᴴB."""
    product, found = np.matmul(adjoint(A), B), found_procrustes(A, B)
    return rebased(found[0], sl.polar(product)[0]), rebased(found[1], np.sum(sl.svdvals(product)))


def found_procrustes(a: np.ndarray, b: np.ndarray) -> tuple:
    """SciPy's values of orthogonal_procrustes."""
    return sl.orthogonal_procrustes(a, b)


composition(sl.orthogonal_procrustes, orthogonal_procrustes)

# ---- bases of spaces
rule(sl.orth, A=lambda d, out, A, rcond=None: orth_pullback(d, out, A))
rule(
    sl.null_space,
    A=lambda d, out, A, rcond=None, *, check_finite=True, lapack_driver="gesdd": null_space_pullback(d, out, A),
)


def orth_pullback(d: Any, out: Any, a: Any) -> Any:
    """That of the left singular vectors, at the rank that is found."""
    u, s, vh = sl.svd(a, full_matrices=False)
    rank = np.shape(out)[-1]
    return thin_svd_pullback(d, None, None, u[..., :rank], s[..., :rank], vh[..., :rank, :])


def null_space_pullback(d: Any, out: Any, a: Any) -> Any:
    """Ā = -(A⁺)ᴴ N̄ Nᴴ, for a loss that looks at the space alone: its basis turns freely (convention 9)."""
    check_turning(np.matmul(adjoint(out), d), "the vectors of scipy.linalg.null_space")
    rank = np.shape(a)[-1] - np.shape(out)[-1]
    inverse = np.linalg.pinv(a, between(rank, np.linalg.svd(a, compute_uv=False)))
    return -np.matmul(adjoint(inverse), np.matmul(d, adjoint(out)))


def subspace_angles(A: Any, B: Any) -> Any:
    """The angles between two spaces: small ones by their sines, large ones by their cosines, as SciPy has it."""
    qa, qb = sl.orth(A), sl.orth(B)
    product = np.matmul(adjoint(qa), qb)
    cosines = sl.svdvals(product)
    wide = np.shape(qa)[1] >= np.shape(qb)[1]
    rest = qb - np.matmul(qa, product) if wide else qa - np.matmul(qb, adjoint(product))
    sines = np.arcsin(np.clip(sl.svdvals(rest), -1.0, 1.0))
    return np.where(cosines**2 >= 0.5, sines, np.arccos(np.clip(np.flip(cosines), -1.0, 1.0)))


composition(sl.subspace_angles, subspace_angles)
constant(order_of, found_by_lu, nan_if_flat, found_solution, found_procrustes)
