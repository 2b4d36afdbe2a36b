"""Eigenvalues and eigenvectors, and what may be said where eigenvalues are equal or eigenvectors turn freely.

Notation: M = VᴴV̄, how the cotangent of the eigenvectors looks from the eigenvectors; its antihermitian part says how a
loss answers to turning two of them into each other (convention 8), or one of them in phase (convention 9).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition, constant, rule
from .vocabulary import conj, refuse

# ---- symmetric and Hermitian matrices (convention 7)
rule(
    np.linalg.eigh,
    a=lambda d, out, a, UPLO="L": eigh_pullback(d, out),
    careful=lambda looked, d, out, a, UPLO="L": eigh_pullback(d, out, unseen(*looked)),
)
rule(np.linalg.eigvalsh, a=lambda d, out, a, UPLO="L": eigh_pullback((d, None), np.linalg.eigh(a, UPLO)))


def eigh_pullback(d: Any, out: Any, hidden: Any = None) -> Any:
    """Ā = V (diag w̄ + F ∘ (M - Mᴴ) / 2) Vᴴ, F_ij = 1 / (w_j - w_i) off the diagonal.

    Eigenvalues alone need no F, so that repeated ones do no harm; nor do pairs that are not looked at (`hidden`).
    Source: M. Giles, Extended collection of matrix derivative results, 2008, section 3.1; its symmetric part.
    """
    w, v = out
    middle = 0.0 if d[0] is None else on_diagonal_of(v, d[0])
    if d[1] is not None:
        seen = np.matmul(adjoint(v), d[1])
        check_phase(seen, d[1], "np.linalg.eigh")
        turning = reciprocal_gap(w) * (seen - adjoint(seen)) / 2
        if hidden is not None:
            turning = np.where(both(hidden), 0, turning)
        middle = middle + cleared(turning, indifferent(w, seen, d[0]))
    return np.matmul(np.matmul(v, middle), adjoint(v))


# ---- general matrices
rule(
    np.linalg.eig,
    a=lambda d, out, a: eig_pullback(d, out, a),
    careful=lambda looked, d, out, a: eig_pullback(d, out, a, unseen(*looked)),
)
rule(np.linalg.eigvals, a=lambda d, out, a: eig_pullback((d, None), in_order_of(out, np.linalg.eig(a)), a))


def eig_pullback(d: Any, out: Any, a: Any, hidden: Any = None) -> Any:
    """Ā = V⁻ᴴ (diag w̄ + F ∘ (M - VᴴV diag(Re M))) Vᴴ, F_ij = 1 / conj(w_j - w_i) off the diagonal.

    The second term in the brackets keeps the length of each eigenvector, which NumPy makes 1. A matrix without a basis
    of eigenvectors has no derivative: NaN.
    Source: C. Boeddeker et al., arXiv:1701.00392, eq. 4.77, for eigenvectors of length 1.
    """
    w, v = out
    middle = 0.0 if d[0] is None else on_diagonal_of(v, d[0])
    if d[1] is not None:
        v_bar = d[1] if np.iscomplexobj(a) else np.where(stays_real(v), np.real(d[1]), d[1])
        seen = np.matmul(adjoint(v), v_bar)
        check_phase(seen, v_bar, "np.linalg.eig")
        lengths = np.expand_dims(np.real(np.diagonal(seen, 0, -2, -1)), -2)
        moved = conj(reciprocal_gap(w)) * (seen - np.matmul(adjoint(v), v) * lengths)
        middle = middle + (moved if hidden is None else np.where(np.expand_dims(hidden, -2), 0, moved))
    return np.matmul(adjoint(np.linalg.inv(v + nan_if_defective(w, v, a))), np.matmul(middle, adjoint(v)))


def stays_real(v: np.ndarray) -> np.ndarray:
    """Which eigenvectors of a real matrix have no phase to turn in? From NumPy 2.5 on they are complex numbers too."""
    return np.all(np.imag(v) == 0, -2, keepdims=True)


def in_order_of(values: Any, found: Any) -> tuple:
    """Eigenvalues and eigenvectors in the order of `values`: LAPACK may find them in another one without vectors."""
    w, v = found
    order = matching(values, w)
    return np.take_along_axis(w, order, -1), np.take_along_axis(v, np.expand_dims(order, -2), -1)


def matching(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """For each of the values, the place of the one in `w` that is it: the nearest that is not taken yet."""
    distances = np.abs(np.expand_dims(values, -1) - np.expand_dims(w, -2))
    order = np.empty(np.shape(w), int)
    for stack in np.ndindex(np.shape(w)[:-1]):
        free = distances[stack].copy()
        for i in range(len(free)):
            order[stack][i] = np.argmin(free[i])
            free[:, order[stack][i]] = np.inf
    return order


def as_real_where_it_is(w: Any, t: Any) -> Any:
    """Eigenvalues as real numbers if all are, and the matrix is: by this NumPy's own polynomials keep roots real."""
    return np.real(w) if not np.iscomplexobj(t) and np.all(np.imag(w) == 0) else w


if hasattr(np.linalg, "_linalg") and hasattr(np.linalg._linalg, "_to_real_if_imag_zero"):
    composition(np.linalg._linalg._to_real_if_imag_zero, as_real_where_it_is)


# ---- equal values (convention 8)
def reciprocal_gap(w: Any) -> Any:
    """1 / (w_j - w_i) off the diagonal, 0 on it, NaN where two values are equal."""
    n = np.shape(w)[-1]
    equal = coincide(w)
    gap = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    return np.where(np.eye(n, dtype=bool), 0, np.where(equal, np.nan, 1 / np.where(equal, 1, gap)))


def rounding(w: np.ndarray) -> np.ndarray:
    """The size of the rounding errors in the values that a factorisation finds."""
    return np.shape(w)[-1] * np.finfo(w.dtype).eps * np.max(np.abs(w), -1, keepdims=True, initial=0)


def coincide(w: np.ndarray) -> np.ndarray:
    """Which two of the values are equal up to the rounding of the factorisation that found them?"""
    return np.abs(np.expand_dims(w, -2) - np.expand_dims(w, -1)) <= np.expand_dims(rounding(w), -1)


def indifferent(w: np.ndarray, seen: np.ndarray, w_bar: np.ndarray | None) -> np.ndarray:
    """Which pairs of equal values may have their term, zero over zero, replaced by zero? (convention 8)

    The loss does not answer to turning the pair, its cotangents of the two values are the same, and it does look at the
    two vectors: then it is a function of the space they span, alone. A loss whose cotangents are all zero there may be
    one that looks elsewhere, or V f(w) Vᴴ at a zero of f, whose term is f' and not zero: NaN.
    """
    scale = 1e3 * np.shape(w)[-1] * np.finfo(w.dtype).eps
    small = scale * np.max(np.abs(seen), (-2, -1), keepdims=True, initial=0)
    own = np.real(np.diagonal(seen, 0, -2, -1))
    differ = np.abs(np.expand_dims(own, -2) - np.expand_dims(own, -1)) > small
    even = (np.abs(seen + adjoint(seen)) <= small) & (np.abs(np.expand_dims(own, -1)) > small)
    found = coincide(w) & (np.abs(seen - adjoint(seen)) <= small) & (differ | even)
    if w_bar is not None:
        apart = np.abs(np.expand_dims(w_bar, -2) - np.expand_dims(w_bar, -1))
        found = found & (apart <= scale * np.max(np.abs(w_bar), -1, initial=0)[..., None, None])
    return found & ~np.eye(np.shape(w)[-1], dtype=bool)


def unseen(values: np.ndarray | None, *vectors: np.ndarray | None) -> np.ndarray:
    """Which values are not looked at, nor the vectors in their columns? From masks of the entries that are.

    >>> unseen(np.array([True, False]), np.array([[True, False], [False, False]]))
    array([False,  True])
    """
    given = [~values] if values is not None else []
    return np.logical_and.reduce(given + [~np.any(v, -2) for v in vectors if v is not None])


def both(unseen: np.ndarray) -> np.ndarray:
    """Of which pairs are both not looked at?"""
    return np.expand_dims(unseen, -1) & np.expand_dims(unseen, -2)


def cleared(x: Any, mask: Any) -> Any:
    """`x`, zero where `mask` holds: there the value is known, and its derivative is not."""
    return np.where(mask, 0, x)


rule(cleared, x=lambda d, out, x, mask: np.where(mask, np.nan, 1).astype(np.real(d).dtype) * d)


# ---- vectors that turn in phase (convention 9)
def check_phase(seen: np.ndarray, v_bar: np.ndarray, name: str) -> None:
    """Refuse a loss that answers to the phase of a complex vector, which is not the matrix's but LAPACK's choice.

    Raises:
        DifferentiationError: Im diag M is not zero.
    """
    if np.iscomplexobj(seen):
        turned = np.abs(np.imag(np.diagonal(seen, 0, -2, -1)))
        size = np.max(np.abs(v_bar), (-2, -1), initial=0)
        if np.any(turned > np.sqrt(np.finfo(seen.dtype).eps) * np.expand_dims(size, -1)):
            refuse(
                f"a loss that depends on the phase of complex vectors from {name}: any phase is as good, and which one "
                "comes out is an accident",
                "let the loss depend on what no phase changes, such as np.abs(v) ** 2 or v v^H, or fix the phase in "
                "the program: v * np.exp(-1j * np.angle(v[0]))",
            )


def nan_if_defective(w: np.ndarray, v: np.ndarray, a: np.ndarray) -> np.ndarray:
    """NaN for matrices without a basis of eigenvectors, as far as rounding lets it be seen, else zero.

    A rounding error E of `a` moves a value by up to κ |E|, κ being the length of its row of V⁻¹. In a Jordan block it
    splits equal values just so far apart that this is their distance: κ is beyond ε^-½, and derivatives are noise.
    Source: J. Wilkinson, The Algebraic Eigenvalue Problem, 1965, chapter 2.
    """
    n, eps = np.shape(v)[-1], np.finfo(v.dtype).eps
    s = np.linalg.svd(v, compute_uv=False)
    singular = np.min(s, -1, initial=np.inf) <= np.max(s, -1, initial=0) * eps
    basis = np.where(singular[..., None, None], np.eye(n), v)
    moves = np.linalg.norm(np.linalg.inv(basis), axis=-1)
    error = 100 * n * eps * np.linalg.norm(a, axis=(-2, -1))[..., None] * moves
    near = np.abs(np.expand_dims(w, -2) - np.expand_dims(w, -1)) <= np.expand_dims(error, -1)
    split = np.any(near & ~np.eye(n, dtype=bool), -1) & (moves > eps**-0.5 / 32)
    return np.where(singular | np.any(split, -1), np.nan, 0.0).astype(s.dtype)[..., None, None]


constant(stays_real, matching, unseen, both, rounding, coincide, indifferent, check_phase, nan_if_defective)


# ---- words
def adjoint(a: Any) -> Any:
    """The conjugate transpose of matrices in the last two axes."""
    return np.swapaxes(conj(a), -1, -2)


def on_diagonal_of(matrix: Any, values: Any) -> Any:
    """Square matrices with these diagonals, of the dtype of `matrix`."""
    return np.expand_dims(values, -2) * np.eye(np.shape(values)[-1], dtype=np.result_type(matrix))
