"""scipy.linalg: systems, determinants, functions of a matrix, structured matrices; and what is refused, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from ..decompositions import cholesky_pullback
from ..eigen import adjoint
from ..linalg import det_pullback
from ..registry import composition, constant, existing, refused, rule
from ..vocabulary import conj, rebased

# ---- systems and determinants
rule(
    sl.inv,
    a=lambda d, out, a, *, check_finite=True, assume_a=None, lower=False: as_meant(
        -np.matmul(adjoint(out), np.matmul(d, adjoint(out))), assume_a, lower
    ),
)
rule(sl.det, a=lambda d, out, a, *, check_finite=True: det_pullback(d, out, a))
rule(
    sl.solve,
    a=lambda d, out, a, b, lower=False, *, check_finite=True, assume_a=None, transposed=False: as_meant(
        transposed_pullback(d, out, meant(a, assume_a, lower), b, transposed)[0], assume_a, lower
    ),
    b=lambda d, out, a, b, lower=False, *, check_finite=True, assume_a=None, transposed=False: transposed_pullback(
        d, out, meant(a, assume_a, lower), b, transposed
    )[1],
)
rule(
    sl.solve_triangular,
    a=lambda d, out, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True: triangular_pullback(
        d, out, a, b, trans, lower, unit_diagonal
    )[0],
    b=lambda d, out, a, b, trans=0, lower=False, unit_diagonal=False, *, check_finite=True: triangular_pullback(
        d, out, a, b, trans, lower, unit_diagonal
    )[1],
)
rule(
    sl.cholesky,
    a=lambda d, out, a, lower=False, *, check_finite=True: (
        cholesky_pullback(d, out) if lower else cholesky_pullback(adjoint(d), adjoint(out))
    ),
)

SYMMETRIC = ("sym", "symmetric")
HERMITIAN = ("her", "hermitian", "pos", "positive definite")


def meant(a: Any, assume_a: Any, lower: bool) -> Any:
    """The matrix that SciPy takes `a` for: what it does not read counts for nothing."""
    if assume_a in SYMMETRIC or assume_a in HERMITIAN:
        half = np.tril(a, -1) if lower else np.triu(a, 1)
        other = np.swapaxes(half, -1, -2) if assume_a in SYMMETRIC else adjoint(half)
        return half + other + np.triu(np.tril(a))
    return within(a, assume_a)


def within(a: Any, assume_a: Any) -> Any:
    """The part of a matrix that its kind leaves."""
    if assume_a == "upper triangular":
        return np.triu(a)
    if assume_a == "lower triangular":
        return np.tril(a)
    if assume_a == "diagonal":
        return np.triu(np.tril(a))
    return np.triu(np.tril(a, 1), -1) if assume_a == "tridiagonal" else a


def as_meant(a_bar: Any, assume_a: Any, lower: bool) -> Any:
    """The cotangent of a matrix of this kind: symmetric for a symmetric one (convention 7)."""
    if assume_a in SYMMETRIC:
        return (a_bar + np.swapaxes(a_bar, -1, -2)) / 2
    return (a_bar + adjoint(a_bar)) / 2 if assume_a in HERMITIAN else within(a_bar, assume_a)


def system_pullback(d: Any, out: Any, a: Any, b: Any) -> tuple:
    """b̄ = a⁻ᴴ d and ā = -b̄ xᴴ."""
    if np.ndim(b) == 1:
        b_bar = np.linalg.solve(adjoint(a), np.expand_dims(d, -1))
        return -np.matmul(b_bar, np.expand_dims(conj(out), -2)), b_bar[..., 0]
    b_bar = np.linalg.solve(adjoint(a), d)
    return -np.matmul(b_bar, adjoint(out)), b_bar


def transposed_pullback(d: Any, out: Any, a: Any, b: Any, transposed: bool) -> tuple:
    """Likewise of aᵀ x = b, where that is asked for."""
    if not transposed:
        return system_pullback(d, out, a, b)
    turned_bar, b_bar = system_pullback(d, out, np.swapaxes(a, -1, -2), b)
    return np.swapaxes(turned_bar, -1, -2), b_bar


def triangular_pullback(d: Any, out: Any, a: Any, b: Any, trans: Any, lower: bool, unit_diagonal: bool) -> tuple:
    """Likewise for the triangle of `a` that is read, or its transpose."""
    k = 1 if unit_diagonal else 0
    triangle = np.tril(a, -k) if lower else np.triu(a, k)
    if unit_diagonal:
        triangle = triangle + np.eye(np.shape(a)[-1], dtype=np.result_type(a))
    a_bar, b_bar = system_pullback(d, out, turned(triangle, trans), b)
    a_bar = turned(a_bar, trans)
    return (np.tril(a_bar, -k) if lower else np.triu(a_bar, k)), b_bar


def turned(a: Any, trans: Any) -> Any:
    """The matrix, its transpose or its adjoint, as SciPy's `trans` says."""
    return np.swapaxes(a, -1, -2) if trans in (1, "T") else adjoint(a) if trans in (2, "C") else a


def singular_values_pullback(d: Any, a: Any) -> Any:
    """Ā = U diag(d) Vᴴ."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.matmul(u * np.expand_dims(d, -2), vh)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """The norm."""
    return np.linalg.norm(a, ord, axis, keepdims)


rule(sl.svdvals, a=lambda d, out, a, *, check_finite=True: singular_values_pullback(d, a))
composition(sl.norm, norm)

# ---- functions of a matrix, given by a power series with real coefficients
rule(sl.expm, A=lambda d, out, A: frechet_adjoint(sl.expm, d, A))
rule(sl.logm, A=lambda d, out, A: frechet_adjoint(sl.logm, d, A))
rule(sl.sqrtm, A=lambda d, out, A: root_pullback(d, out, A))
rule(sl.cosm, A=lambda d, out, A: frechet_adjoint(sl.cosm, d, A))
rule(sl.sinm, A=lambda d, out, A: frechet_adjoint(sl.sinm, d, A))
rule(sl.coshm, A=lambda d, out, A: frechet_adjoint(sl.coshm, d, A))
rule(sl.sinhm, A=lambda d, out, A: frechet_adjoint(sl.sinhm, d, A))
rule(sl.tanm, A=lambda d, out, A: frechet_adjoint(sl.tanm, d, A))
rule(sl.tanhm, A=lambda d, out, A: frechet_adjoint(sl.tanhm, d, A))
rule(sl.signm, A=lambda d, out, A: frechet_adjoint(sl.signm, d, A))
rule(
    sl.fractional_matrix_power,
    A=lambda d, out, A, t: frechet_adjoint(lambda a: sl.fractional_matrix_power(a, t), d, A),
    t=lambda d, out, A, t: np.sum(np.real(np.conj(d) * np.matmul(sl.logm(A), out))),
)


def root_pullback(d: Any, out: Any, a: Any) -> Any:
    """S with Xᴴ S + S Xᴴ = d, from X dX + dX X = dA; some releases of SciPy give the root in long double precision."""
    kind = np.result_type(a, np.complex64) if np.iscomplexobj(out) else np.result_type(a)
    turned = adjoint(out).astype(kind)
    return sl.solve_sylvester(turned, turned, d.astype(kind))


def frechet_adjoint(function: Any, d: Any, a: Any) -> Any:
    """The derivative of f at Aᴴ in the direction d: the corner of f([[Aᴴ, d], [0, Aᴴ]]).

    Source: N. Higham, Functions of Matrices, 2008, theorem 3.6.
    """
    n, turned = np.shape(a)[-1], adjoint(a)
    upper = np.concatenate([turned, d], -1)
    lower = np.concatenate([0 * turned, turned], -1)
    return function(np.concatenate([upper, lower], -2))[..., :n, n:]


def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    """The exponential of A, and its derivative in the direction E."""
    n, found = np.shape(A)[-1], found_frechet(A, E, method)
    whole = sl.expm(np.concatenate([np.concatenate([A, E], -1), np.concatenate([np.zeros_like(A), A], -1)], -2))
    derivative = rebased(found[1], whole[:n, n:])
    return (rebased(found[0], whole[:n, :n]), derivative) if compute_expm else derivative


def found_frechet(a: np.ndarray, e: np.ndarray, method: Any) -> tuple:
    """SciPy's value of expm_frechet."""
    return sl.expm_frechet(a, e, method)


constant(found_frechet)
composition(sl.expm_frechet, expm_frechet)

constant(
    *existing(
        sl,
        "bandwidth dft find_best_blas_type get_blas_funcs get_lapack_funcs hadamard helmert hilbert"
        " invhilbert invpascal ishermitian issymmetric pascal",
    ),
    reason="it depends on sizes only",
)
refused(
    *existing(sl, "schur rsf2csf cdf2rdf hessenberg qz ordqz"),
    reason="its basis is any of a family, which LAPACK picks by the order of its steps (convention 9)",
    way_out="what does not depend on the basis: eigvals, expm, logm, sqrtm, solve_sylvester",
)
refused(
    *existing(sl, "cossin ldl"),
    reason="which pivots, signs and blocks come out is an accident of rounding (convention 9)",
    way_out="svd of a block, solve with assume_a='sym', or cholesky",
)
refused(
    *existing(sl, "qr_delete qr_insert qr_update qr_multiply"),
    reason="it takes up a factorisation half way, where its signs are free (convention 9)",
    way_out="q, r = qr(a) of the matrix as it now is, and q @ c",
)
refused(
    *existing(sl, "matrix_balance expm_cond clarkson_woodruff_transform"),
    reason="it is made of powers of two, estimates or random signs, which are steps",
    way_out="engine.stop_gradient(a), if its steps are to count as constant",
)
refused(
    *existing(sl, "funm"),
    reason="it calls its function from code that is out of sight",
    way_out="expm, logm, sqrtm, cosm and their kin, or w, v = eig(a) and (v * f(w)) @ inv(v)",
)
