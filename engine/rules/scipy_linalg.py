"""scipy.linalg: systems, determinants, functions of a matrix, structured matrices; and what is refused, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from .decompositions import cholesky_pullback
from .eigen import adjoint
from .linalg import det_pullback
from .registry import composition, constant, existing, refused, rule
from .vocabulary import refuse

# ---- systems and determinants
rule(
    sl.inv,
    a=lambda d, out, a, *, check_finite=True: -np.matmul(adjoint(out), np.matmul(d, adjoint(out))),
)
rule(sl.det, a=lambda d, out, a, *, check_finite=True: det_pullback(d, out, a))
rule(
    sl.solve,
    a=lambda d, out, a, b, *, check_finite=True: system_pullback(d, out, a, b)[0],
    b=lambda d, out, a, b, *, check_finite=True: system_pullback(d, out, a, b)[1],
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


def system_pullback(d: Any, out: Any, a: Any, b: Any) -> tuple:
    """b̄ = a⁻ᴴ d and ā = -b̄ xᴴ."""
    if np.ndim(a) > 2:
        refuse("a function of scipy.linalg of a stack of matrices", "call numpy.linalg.solve")
    b_bar = np.linalg.solve(adjoint(a), d)
    if np.ndim(b) == 1:
        return -np.reshape(b_bar, (-1, 1)) * np.reshape(np.conj(out), (1, -1)), b_bar
    return -np.matmul(b_bar, adjoint(out)), b_bar


def triangular_pullback(d: Any, out: Any, a: Any, b: Any, trans: Any, lower: bool, unit_diagonal: bool) -> tuple:
    """Likewise for the triangle of `a` that is read, or its transpose."""
    if np.ndim(a) > 2:
        refuse("a function of scipy.linalg of a stack of matrices", "call numpy.linalg.solve of np.tril or np.triu")
    k = 1 if unit_diagonal else 0
    triangle = np.tril(a, -k) if lower else np.triu(a, k)
    if unit_diagonal:
        triangle = triangle + np.eye(np.shape(a)[0], dtype=np.result_type(a))
    turned = np.transpose(triangle) if trans in (1, "T") else adjoint(triangle) if trans in (2, "C") else triangle
    a_bar, b_bar = system_pullback(d, out, turned, b)
    a_bar = np.transpose(a_bar) if trans in (1, "T") else adjoint(a_bar) if trans in (2, "C") else a_bar
    return (np.tril(a_bar, -k) if lower else np.triu(a_bar, k)), b_bar


def singular_values_pullback(d: Any, a: Any) -> Any:
    """Ā = U diag(d) Vᴴ."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.matmul(u * np.expand_dims(d, -2), vh)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """The norm."""
    return np.linalg.norm(a, ord, axis, keepdims)


rule(sl.svdvals, a=lambda d, out, a, overwrite_a=False, check_finite=True: singular_values_pullback(d, a))
composition(sl.norm, norm)

# ---- functions of a matrix, given by a power series with real coefficients
rule(sl.expm, A=lambda d, out, A: frechet_adjoint(sl.expm, d, A))
rule(sl.logm, A=lambda d, out, A: frechet_adjoint(sl.logm, d, A))
rule(sl.sqrtm, A=lambda d, out, A: frechet_adjoint(sl.sqrtm, d, A))
rule(sl.cosm, A=lambda d, out, A: frechet_adjoint(sl.cosm, d, A))
rule(sl.sinm, A=lambda d, out, A: frechet_adjoint(sl.sinm, d, A))
rule(sl.coshm, A=lambda d, out, A: frechet_adjoint(sl.coshm, d, A))
rule(sl.sinhm, A=lambda d, out, A: frechet_adjoint(sl.sinhm, d, A))


def frechet_adjoint(function: Any, d: Any, a: Any) -> Any:
    """The derivative of f at Aᴴ in the direction d: the corner of f([[Aᴴ, d], [0, Aᴴ]]).

    Source: N. Higham, Functions of Matrices, 2008, theorem 3.6.
    """
    n, turned = np.shape(a)[-1], adjoint(a)
    upper = np.concatenate([turned, d], -1)
    lower = np.concatenate([0 * turned, turned], -1)
    return function(np.concatenate([upper, lower], -2))[..., :n, n:]


# ---- structured matrices
def toeplitz(c: Any, r: Any = None) -> Any:
    """Constant along diagonals: the first column and the first row."""
    if np.ndim(c) > 1 or np.ndim(r) > 1:
        refuse("scipy.linalg.toeplitz of a stack of columns", "call it for each")
    column = np.ravel(c)
    row = np.conj(column) if r is None else np.ravel(r)
    values = np.concatenate([np.flip(column), row[1:]])
    return values[np.size(column) - 1 - np.arange(np.size(column))[:, None] + np.arange(np.size(row))[None, :]]


def block_diag(*arrs: Any) -> Any:
    """The matrices along the diagonal."""
    if any(np.ndim(a) > 2 for a in arrs):
        refuse("scipy.linalg.block_diag of stacks of matrices", "call it for each")
    blocks = [np.atleast_2d(a) for a in arrs]
    widths = [np.shape(block)[1] for block in blocks]
    rows = []
    for i, block in enumerate(blocks):
        rows.append(np.pad(block, ((0, 0), (sum(widths[:i]), sum(widths[i + 1 :])))))
    return np.concatenate(rows, 0)


composition(sl.toeplitz, toeplitz)
composition(sl.block_diag, block_diag)

constant(
    *existing(
        sl,
        "bandwidth dft find_best_blas_type get_blas_funcs get_lapack_funcs hadamard helmert hilbert"
        " invhilbert invpascal ishermitian issymmetric pascal",
    ),
    reason="it depends on sizes only",
)
refused(
    *existing(
        sl,
        "svd qr eig eigh eigvals eigvalsh eig_banded eigh_tridiagonal eigvals_banded eigvalsh_tridiagonal"
        " lu_factor lu lu_solve cho_factor cho_solve ldl pinv pinvh lstsq cho_solve_banded cholesky_banded"
        " solve_banded solveh_banded solve_circulant solve_toeplitz matmul_toeplitz signm tanm tanhm funm kron"
        " fractional_matrix_power",
    ),
    reason="SciPy's variants of this function (orders, drivers, packed storage) have no rule",
    way_out="numpy.linalg has a rule for the plain form (svd, qr, eig, eigh, pinv, lstsq, solve of the full matrix)",
)
refused(
    *existing(
        sl,
        "cdf2rdf clarkson_woodruff_transform companion convolution_matrix cossin diagsvd expm_cond"
        " expm_frechet circulant fiedler fiedler_companion hankel hessenberg khatri_rao leslie matrix_balance"
        " null_space ordqz orth orthogonal_procrustes polar qr_delete qr_insert qr_multiply qr_update qz rq"
        " rsf2csf schur solve_continuous_are solve_continuous_lyapunov solve_discrete_are"
        " solve_discrete_lyapunov solve_lyapunov solve_sylvester subspace_angles",
    ),
    reason="no formula for its derivative is stated",
    way_out="build from numpy.linalg, or give a helper of your own a rule, engine.rule(helper, ...)",
)
