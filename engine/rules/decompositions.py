"""Factorisations of matrices: Cholesky, QR and singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .eigen import adjoint, both, check_phase, cleared, indifferent, on_diagonal_of, reciprocal_gap, rounding, unseen
from .registry import constant, rule
from .triangular import cholesky_pullback, half_lower
from .vocabulary import filled, refuse

# ---- Cholesky (convention 7)
rule(
    np.linalg.cholesky,
    a=lambda d, out, a, /, *, upper=False: (
        cholesky_pullback(adjoint(d), adjoint(out)) if upper else cholesky_pullback(d, out)
    ),
)


# ---- QR
rule(np.linalg.qr, a=lambda d, out, a, mode="reduced": qr_pullback(d, out, a, mode))


def qr_pullback(d: Any, out: Any, a: Any, mode: str) -> Any:
    """The pullback of the square factor R₁ and of the orthonormal columns that span the range of `a`.

    A wide a = (a₁ a₂) has R = (R₁ R₂) with R₂ = Qᴴ a₂. The columns that mode="complete" adds turn freely among
    themselves; a loss that does not see it moves them as the range moves: dQ₂ = -Q₁ dQ₁ᴴ Q₂ (convention 9).
    """
    if mode == "raw":
        refuse("np.linalg.qr in the mode 'raw'", "take q and r, mode='reduced'")
    if mode == "r":
        out, d = np.linalg.qr(a), (None, d)
    q, r = out
    q_bar, r_bar = filled(d, out)
    m, n = np.shape(a)[-2:]
    if m < n:
        rest = a[..., m:]
        q_bar = q_bar + np.matmul(rest, adjoint(r_bar[..., m:]))
        square = square_qr_pullback(q_bar, r_bar[..., :m], q, r[..., :m])
        return np.concatenate([square, np.matmul(q, r_bar[..., m:])], -1)
    if np.shape(q)[-1] > n:
        q_bar = without_complement(q, q_bar, n, "the columns that np.linalg.qr adds in the mode 'complete'")
        q, r, r_bar = q[..., :n], r[..., :n, :], r_bar[..., :n, :]
    return square_qr_pullback(q_bar, r_bar, q, r)


def square_qr_pullback(q_bar: Any, r_bar: Any, q: Any, r: Any) -> Any:
    """Ā = (Q̄ + Q C) R⁻ᴴ, C the Hermitian matrix with the lower triangle of R R̄ᴴ - Q̄ᴴ Q.

    Without full rank Q and R have no derivative: NaN.
    Source: H.-J. Liao, J.-G. Liu, L. Wang and T. Xiang, arXiv:1903.09650, eq. 3.
    """
    m = np.matmul(r, adjoint(r_bar)) - np.matmul(adjoint(q_bar), q)
    c = 2 * half_lower(m) - np.tril(m, -1)
    c = c + adjoint(np.tril(m, -1))
    return adjoint(np.linalg.solve(r + nan_if_deficient(r), adjoint(q_bar + np.matmul(q, c))))


def nan_if_deficient(r: np.ndarray) -> np.ndarray:
    """NaN for triangles with a zero (up to rounding) on the diagonal, else zero."""
    diagonal = np.abs(np.diagonal(r, 0, -2, -1))
    deficient = np.any(diagonal <= rounding(diagonal), -1)
    return np.where(deficient, np.nan, 0.0).astype(diagonal.dtype)[..., None, None]


def without_complement(q: Any, q_bar: Any, n: int, name: str) -> Any:
    """The cotangent of the first n columns of a square orthogonal Q, that of the others carried over to them."""
    own, rest = q[..., :n], q[..., n:]
    rest_bar = q_bar[..., n:]
    seen = np.matmul(adjoint(rest), rest_bar)
    check_turning(seen, name)
    return q_bar[..., :n] - np.matmul(rest, np.matmul(adjoint(rest_bar), own))


def check_turning(seen: np.ndarray, name: str) -> None:
    """Refuse a loss that answers to the rotation of vectors which only have to span a space (convention 9).

    Raises:
        DifferentiationError: the antihermitian part of `seen` is not zero.
    """
    turned = np.abs(seen - adjoint(seen))
    size = np.max(np.abs(seen), (-2, -1), keepdims=True, initial=0)
    if np.any(turned > np.sqrt(np.finfo(seen.dtype).eps) * size):
        refuse(
            f"a loss that depends on the rotation of {name}: any basis of their space is as good, and which one comes "
            "out is an accident",
            "leave them out (mode='reduced', full_matrices=False), or let the loss depend on their space alone, q q^H",
        )


# ---- singular values
rule(
    np.linalg.svd,
    a=lambda d, out, a, full_matrices=True, compute_uv=True, hermitian=False: svd_pullback(
        d, out, a, full_matrices, compute_uv, hermitian
    ),
    careful=lambda looked, d, out, a, full_matrices=True, compute_uv=True, hermitian=False: svd_pullback(
        d, out, a, full_matrices, compute_uv, hermitian, looked
    ),
)
if hasattr(np.linalg, "svdvals"):
    rule(np.linalg.svdvals, x=lambda d, out, x, /: singular_values_pullback(d, np.linalg.svd(x, full_matrices=False)))


def svd_pullback(
    d: Any, out: Any, a: Any, full_matrices: bool, compute_uv: bool, hermitian: bool, looked: Any = None
) -> Any:
    """By the singular values alone, or with the vectors; of a Hermitian matrix its Hermitian part (convention 7)."""
    if not compute_uv:
        a_bar = singular_values_pullback(d, np.linalg.svd(a, full_matrices=False, hermitian=hermitian))
    else:
        (u, s, vh), (u_bar, s_bar, vh_bar) = out, d
        rank = np.shape(s)[-1]
        name = "the vectors that np.linalg.svd adds with full_matrices=True"
        if u_bar is not None and np.shape(u)[-1] > rank:
            u_bar = without_complement(u, u_bar, rank, name)
        v_bar = None if vh_bar is None else adjoint(vh_bar)
        if v_bar is not None and np.shape(vh)[-2] > rank:
            v_bar = without_complement(adjoint(vh), v_bar, rank, name)
        hidden = None if looked is None else hidden_triples(looked, rank)
        a_bar = thin_svd_pullback(u_bar, s_bar, v_bar, u[..., :rank], s, vh[..., :rank, :], hidden)
    return (a_bar + adjoint(a_bar)) / 2 if hermitian else a_bar


def hidden_triples(looked: tuple, rank: int) -> np.ndarray:
    """Which singular values are not looked at, nor their vectors?"""
    u, s, vh = looked
    return unseen(
        s, None if u is None else u[..., :rank], None if vh is None else np.swapaxes(vh[..., :rank, :], -1, -2)
    )


def singular_values_pullback(d: Any, factors: Any) -> Any:
    """Ā = U diag(s̄) Vᴴ; a singular value that is zero has its kink there, slope zero (convention 2)."""
    u, s, vh = factors
    return np.matmul(u * np.expand_dims(cleared(d, s <= rounding(s)), -2), vh)


def thin_svd_pullback(u_bar: Any, s_bar: Any, v_bar: Any, u: Any, s: Any, vh: Any, hidden: Any = None) -> Any:
    """Ā = U (diag s̄ + G) Vᴴ, and the parts of Ū and V̄ outside the ranges of U and V, divided by s.

    With A = UᴴŪ - ŪᴴU and B = VᴴV̄ - V̄ᴴV, G_ij = (A + B)_ij / 2(s_j - s_i) + (A - B)_ij / 2(s_i + s_j). The first
    term, without diagonal, answers to turning both vectors of two pairs alike: only there do equal values count
    (convention 8). The diagonal of the second answers to the phases of complex vectors. Pairs and values that are not
    looked at (`hidden`) have no part in it.
    Source: J. Townsend, Differentiating the singular value decomposition, 2016, with its 1 / (s_j² - s_i²) in partial
    fractions; for the phases Z.-Q. Wan and S.-X. Zhang, arXiv:1909.02659.
    """
    middle = 0.0 if s_bar is None else on_diagonal_of(u, s_bar)
    if u_bar is None and v_bar is None:
        return np.matmul(np.matmul(u, middle), vh)
    v = adjoint(vh)
    seen_u = 0.0 if u_bar is None else np.matmul(adjoint(u), u_bar)
    seen_v = 0.0 if v_bar is None else np.matmul(vh, v_bar)
    seen = seen_u + seen_v
    check_phase(seen, u_bar if v_bar is None else v_bar, "np.linalg.svd")
    together, against = reciprocal_gap(s) * (seen - adjoint(seen)) / 2, seen_u - seen_v
    against = reciprocal_sum(s, np.iscomplexobj(u)) * (against - adjoint(against)) / 2
    inverse = 1 / np.where(s == 0, np.nan, s)
    if hidden is not None:
        together, against = np.where(both(hidden), 0, together), np.where(both(hidden), 0, against)
        inverse = np.where(hidden, 0, inverse)
    middle = middle + cleared(together, indifferent(s, seen, s_bar)) + against
    a_bar, inverse = np.matmul(np.matmul(u, middle), vh), np.expand_dims(inverse, -2)
    if u_bar is not None and np.shape(u)[-2] > np.shape(u)[-1]:
        a_bar = a_bar + np.matmul((u_bar - np.matmul(u, seen_u)) * inverse, vh)
    if v_bar is not None and np.shape(v)[-2] > np.shape(v)[-1]:
        a_bar = a_bar + np.matmul(u, adjoint((v_bar - np.matmul(v, seen_v)) * inverse))
    return a_bar


def reciprocal_sum(s: Any, diagonal: bool) -> Any:
    """1 / (s_i + s_j), NaN where both are zero; without the diagonal where it has nothing to do (real vectors)."""
    total = np.expand_dims(s, -2) + np.expand_dims(s, -1)
    inverse = 1 / np.where(total == 0, np.nan, total)
    return inverse if diagonal else np.where(np.eye(np.shape(s)[-1], dtype=bool), 0, inverse)


constant(nan_if_deficient, check_turning, hidden_triples)
