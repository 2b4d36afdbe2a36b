"""Products of matrices and linear algebra. Complex operands: a pullback multiplies by the conjugate (convention 1)."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .indexing import scatter
from .registry import composition, constant, rule, vjp_of
from .vocabulary import conj, filled, refuse

# ---- products
rule(
    (operator.matmul, np.matmul),
    a=lambda d, out, a, b, /: matmul_left(d, a, conj(b)),
    b=lambda d, out, a, b, /: matmul_right(d, conj(a), b),
)
rule(np.dot, a=lambda d, out, a, b: dot_left(d, a, conj(b)), b=lambda d, out, a, b: dot_right(d, conj(a), b))
rule(
    np.vdot,
    a=lambda d, out, a, b, /: np.reshape(np.conj(d) * np.ravel(b), np.shape(a)),
    b=lambda d, out, a, b, /: np.reshape(d * np.ravel(a), np.shape(b)),
)


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
    kept = (*range(np.ndim(b) - 2), np.ndim(b) - 1)
    return np.tensordot(d, b, (tuple(range(np.ndim(a) - 1, np.ndim(d))), kept))


def dot_right(d: Any, a: Any, b: Any) -> Any:
    """b̄ of np.dot."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * d
    leading = tuple(range(np.ndim(a) - 1))
    moved = np.tensordot(a, d, (leading, leading))  # the contracted axis first, then the rest of b's axes
    return moved if np.ndim(b) < 3 else np.moveaxis(moved, 0, -2)


def inner(a: Any, b: Any, /) -> Any:
    """The sum of products over the last axis of both."""
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, (-1, -1))


def outer(a: Any, b: Any) -> Any:
    """All products of an element of `a` with one of `b`."""
    return np.reshape(np.ravel(a), (-1, 1)) * np.reshape(np.ravel(b), (1, -1))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over `axes` of `a` and of `b`, as one product of matrices."""
    if isinstance(axes, int | np.integer):
        left, right = tuple(range(np.ndim(a) - axes, np.ndim(a))), tuple(range(axes))
    else:
        left, right = [tuple(side) if isinstance(side, tuple | list) else (side,) for side in axes]
    left, right = tuple([i % np.ndim(a) for i in left]), tuple([i % np.ndim(b) for i in right])
    rows = tuple([i for i in range(np.ndim(a)) if i not in left])
    columns = tuple([i for i in range(np.ndim(b)) if i not in right])
    row_shape, column_shape = [np.shape(a)[i] for i in rows], [np.shape(b)[i] for i in columns]
    summed = math.prod([np.shape(a)[i] for i in left])
    matrix = np.reshape(np.transpose(a, rows + left), (math.prod(row_shape), summed))
    other = np.reshape(np.transpose(b, right + columns), (summed, math.prod(column_shape)))
    return np.reshape(np.dot(matrix, other), row_shape + column_shape)


def kron(a: Any, b: Any) -> Any:
    """Each element of `a` times all of `b`, laid out in blocks."""
    ndim = max(np.ndim(a), np.ndim(b))
    left, right = (1,) * (ndim - np.ndim(a)) + np.shape(a), (1,) * (ndim - np.ndim(b)) + np.shape(b)
    blocks = np.reshape(a, [n for m in left for n in (m, 1)]) * np.reshape(b, [n for m in right for n in (1, m)])
    return np.reshape(blocks, [m * n for m, n in zip(left, right, strict=True)])


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors along an axis; a missing third component is 0."""
    if axis is not None:
        axisa = axisb = axisc = axis
    u, v = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    third = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    if np.shape(u)[-1] == 2 and np.shape(v)[-1] == 2:
        return third
    u2 = u[..., 2] if np.shape(u)[-1] == 3 else 0.0
    v2 = v[..., 2] if np.shape(v)[-1] == 3 else 0.0
    first, second = u[..., 1] * v2 - u2 * v[..., 1], u2 * v[..., 0] - u[..., 0] * v2
    return np.moveaxis(np.stack([first, second, third], -1), -1, axisc)


def multi_dot(arrays: Any) -> Any:
    """The product of many matrices, from the left."""
    product = arrays[0]
    for factor in arrays[1:]:
        product = np.dot(product, factor)
    return product


def matrix_power(a: Any, n: int) -> Any:
    """a to the power n by repeated squaring."""
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return 0 * a + np.eye(np.shape(a)[-1], dtype=np.result_type(a))
    if n == 1:
        return a
    half = matrix_power(a, n // 2)
    square = np.matmul(half, half)
    return np.matmul(square, a) if n % 2 else square


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1)


composition(np.inner, inner)
composition(np.outer, outer)
composition(np.tensordot, tensordot)
composition(np.kron, kron)
composition(np.cross, cross)
composition(np.linalg.multi_dot, multi_dot)
composition(np.linalg.matrix_power, matrix_power)
composition(np.trace, trace)


@vjp_of(np.einsum)
def einsum(d: Any, out: Any, subscripts: str, *operands: Any, optimize: Any = False) -> tuple:
    """Each operand's cotangent is an einsum itself: of `d` and the other operands, into the labels of this one."""
    if not isinstance(subscripts, str):
        refuse("np.einsum with lists of labels", "give the labels as a string, 'ij,jk->ik'")
    terms, result = explicit(subscripts, [np.ndim(x) for x in operands])
    cotangents: list = [None]  # of the subscripts
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        others = [conj(y) for i, y in enumerate(operands) if i != k]
        inputs = [result] + [t for i, t in enumerate(terms) if i != k]
        unique = "".join(dict.fromkeys(term))
        reached = "".join([label for label in unique if any(label in t for t in inputs)])
        c = np.einsum(",".join(inputs) + "->" + reached, d, *others, optimize=optimize)
        sizes = dict(zip(term, np.shape(x), strict=True))
        if reached != unique:  # labels summed over in this operand alone
            c = np.reshape(c, [sizes[label] if label in reached else 1 for label in unique])
            c = np.broadcast_to(c, [sizes[label] for label in unique])
        cotangents.append(c if unique == term else on_repeated(c, x, unique, term))
    return tuple(cotangents)


def explicit(subscripts: str, ndims: list) -> tuple[list, str]:
    """The labels of each operand and of the result, with letters of their own for what `...` stands for.

    >>> explicit("...i,i", [3, 1])
    (['ABi', 'i'], 'AB')
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    widths = [ndim - len(term) + 3 if "..." in term else 0 for term, ndim in zip(inputs.split(","), ndims, strict=True)]
    letters = "".join(free[: max(widths)])
    terms = [
        term.replace("...", letters[len(letters) - w :]) for term, w in zip(inputs.split(","), widths, strict=True)
    ]
    if arrow:
        return terms, output.replace("...", letters)
    named = "".join(terms)
    return terms, letters + "".join(sorted([c for c in set(named) if named.count(c) == 1 and c not in letters]))


def on_repeated(c: Any, x: Any, unique: str, term: str) -> Any:
    """`c`, labelled `unique`, where the repeated labels of `term` read the operand `x`; zeros elsewhere."""
    grid = np.ix_(*[np.arange(n) for n in np.shape(c)])
    return scatter(c, x, tuple([grid[unique.index(label)] for label in term]))


# ---- inverses and systems
rule(np.linalg.inv, a=lambda d, out, a: -np.matmul(adjoint(out), np.matmul(d, adjoint(out))))
rule(
    np.linalg.solve,
    a=lambda d, out, a, b: solve_pullback(d, out, a, b)[0],
    b=lambda d, out, a, b: solve_pullback(d, out, a, b)[1],
)
rule(np.linalg.pinv, a=lambda d, out, a, rcond=None, hermitian=False: pinv_pullback(d, out, a))

STACKS_OF_VECTORS = (
    np.lib.NumpyVersion(np.__version__) < "2.0.0"
)  # does solve take b of one dimension less for vectors?


def adjoint(a: Any) -> Any:
    """The conjugate transpose of matrices in the last two axes."""
    return np.swapaxes(conj(a), -1, -2)


def solve_pullback(d: Any, out: Any, a: Any, b: Any) -> tuple:
    """b̄ = a⁻ᴴ d and ā = -b̄ xᴴ."""
    vector = np.ndim(b) == 1 or (STACKS_OF_VECTORS and np.ndim(b) == np.ndim(a) - 1)
    if vector:
        b_bar = np.linalg.solve(adjoint(a), np.expand_dims(d, -1))
        return -np.matmul(b_bar, np.expand_dims(conj(out), -2)), b_bar[..., 0]
    b_bar = np.linalg.solve(adjoint(a), d)
    return -np.matmul(b_bar, adjoint(out)), b_bar


def pinv_pullback(d: Any, out: Any, a: Any) -> Any:
    """ā from the derivative of the pseudo-inverse at constant rank.

    Source: G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973), eq. 4.12.
    """
    p, d = adjoint(out), adjoint(d)
    rows, columns = np.shape(a)[-2:]
    left = np.eye(rows, dtype=np.result_type(a)) - np.matmul(a, out)
    right = np.eye(columns, dtype=np.result_type(a)) - np.matmul(out, a)
    inside = np.matmul(np.matmul(p, adjoint(d)), p)
    return np.matmul(np.matmul(left, d), np.matmul(out, p)) + np.matmul(np.matmul(p, out), np.matmul(d, right)) - inside


# ---- determinants
rule(np.linalg.det, a=lambda d, out, a: det_pullback(d, out, a))
rule(np.linalg.slogdet, a=lambda d, out, a: slogdet_pullback(d, out, a))


def det_pullback(d: Any, out: Any, a: Any) -> Any:
    """d times the cofactors: det(a) a⁻ᵀ, or the minors one by one where the determinant is zero."""
    if np.all(np.isfinite(out) & (out != 0)):
        return np.expand_dims(d * conj(out), (-1, -2)) * adjoint(np.linalg.inv(a))
    n = np.shape(a)[-1]
    rest = [[i for i in range(n) if i != k] for k in range(n)]
    rows = [
        np.stack([(-1) ** (i + j) * np.linalg.det(a[..., rest[i], :][..., :, rest[j]]) for j in range(n)], -1)
        for i in range(n)
    ]
    return np.expand_dims(d, (-1, -2)) * conj(np.stack(rows, -2))


def slogdet_pullback(d: Any, out: Any, a: Any) -> Any:
    """log det a = log|det a| + i arg; its derivative is a⁻¹, and a complex sign moves with the argument."""
    along = np.zeros_like(out[1]) if d[1] is None else d[1]
    if np.iscomplexobj(out[0]) and d[0] is not None:
        along = along + 1j * np.real(np.conj(1j * out[0]) * d[0])
    return np.expand_dims(along, (-1, -2)) * adjoint(np.linalg.inv(a))


# ---- factorisations (of a symmetric or Hermitian matrix: convention 7)
rule(np.linalg.cholesky, a=lambda d, out, a, /: cholesky_pullback(d, out))
rule(np.linalg.eigh, a=lambda d, out, a, UPLO="L": eigh_pullback(d, out))
rule(np.linalg.eigvalsh, a=lambda d, out, a, UPLO="L": eigh_pullback((d, None), np.linalg.eigh(a, UPLO)))
rule(
    np.linalg.svd,
    a=lambda d, out, a, full_matrices=True, compute_uv=True, hermitian=False: svd_pullback(
        d, out, a, full_matrices, compute_uv
    ),
)
rule(np.linalg.qr, a=lambda d, out, a, mode="reduced": qr_pullback(d, out, mode))


def cholesky_pullback(d: Any, out: Any) -> Any:
    """Ā = ½(S + Sᴴ), S = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹; Φ keeps the lower triangle and halves its diagonal.

    Source: I. Murray, arXiv:1602.07527, eq. 10, with conjugates for a complex L, whose diagonal is real.
    """
    phi = half_lower(np.matmul(adjoint(out), np.tril(d)))
    half = np.linalg.solve(adjoint(out), phi)
    s = adjoint(np.linalg.solve(adjoint(out), adjoint(half)))
    return (s + adjoint(s)) / 2


def half_lower(x: Any) -> Any:
    """The lower triangle, with half of (the real part of) the diagonal."""
    n = np.shape(x)[-1]
    diagonal = np.real(np.diagonal(x, 0, -2, -1)) / 2
    return np.tril(x, -1) + np.expand_dims(diagonal, -1) * np.eye(n, dtype=np.result_type(x))


def eigh_pullback(d: Any, out: Any) -> Any:
    """Ā = V (diag w̄ + F ∘ VᴴV̄) Vᴴ, F_ij = 1 / (w_j - w_i) off the diagonal, made Hermitian (convention 7).

    Eigenvalues alone need no F, so that repeated ones do no harm. Eigenvectors of equal eigenvalues have no derivative.
    Source: M. Giles, Extended collection of matrix derivative results, 2008, section 3.1.
    """
    w, v = out
    middle = 0.0 if d[0] is None else on_diagonal_of(v, d[0])
    if d[1] is not None:
        middle = middle + reciprocal_gap(w) * np.matmul(adjoint(v), d[1])
    a_bar = np.matmul(np.matmul(v, middle), adjoint(v))
    return (a_bar + adjoint(a_bar)) / 2


def on_diagonal_of(matrix: Any, values: Any) -> Any:
    """Square matrices with these diagonals, of the dtype of `matrix`."""
    return np.expand_dims(values, -2) * np.eye(np.shape(values)[-1], dtype=np.result_type(matrix))


def reciprocal_gap(w: Any) -> Any:
    """1 / (w_j - w_i) off the diagonal, 0 on it, NaN where two values are equal (convention 8)."""
    n = np.shape(w)[-1]
    equal = coincide(w)
    gap = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    return np.where(np.eye(n, dtype=bool), 0, np.where(equal, np.nan, 1 / np.where(equal, 1, gap)))


def coincide(w: Any) -> Any:
    """Which two of the values are equal up to the rounding of the factorisation that found them?"""
    rounding = np.shape(w)[-1] * np.finfo(w.dtype).eps * np.max(np.abs(w), -1, keepdims=True, initial=0)
    return np.abs(np.expand_dims(w, -2) - np.expand_dims(w, -1)) <= np.expand_dims(rounding, -1)


constant(coincide)


def svd_pullback(d: Any, out: Any, a: Any, full_matrices: bool, compute_uv: bool) -> Any:
    """Ā = U (diag s̄ + (J + Jᴴ) S + S (K + Kᴴ)) Vᴴ, and the parts of Ū and V̄ outside the ranges of U and V.

    J = F ∘ UᴴŪ, K = F ∘ VᴴV̄, F_ij = 1 / (s_j² - s_i²) off the diagonal. Singular values alone need no F.
    A complex U and V are fixed up to a common phase a column; a loss that does not see it is differentiated rightly.
    Source: J. Townsend, Differentiating the singular value decomposition, 2016; for the phases Z.-Q. Wan and
    S.-X. Zhang, arXiv:1909.02659.
    """
    if not compute_uv:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return np.matmul(u * np.expand_dims(d, -2), vh)
    (u, s, vh), (d_u, d_s, d_vh) = out, d
    rank = np.shape(s)[-1]
    if full_matrices and np.shape(a)[-1] != np.shape(a)[-2] and not (d_u is None and d_vh is None):
        refuse("np.linalg.svd(full_matrices=True) of a matrix that is not square", "pass full_matrices=False")
    u, vh = u[..., :rank], vh[..., :rank, :]
    v = adjoint(vh)
    middle = 0.0 if d_s is None else on_diagonal_of(u, d_s)
    if d_u is None and d_vh is None:
        return np.matmul(np.matmul(u, middle), vh)
    f = reciprocal_gap(s * s)
    inverse = np.expand_dims(1 / np.where(s == 0, np.nan, s), -2)
    column, a_bar = np.expand_dims(s, -2), 0.0
    if d_u is not None:
        inside = np.matmul(adjoint(u), d_u)
        j = f * inside
        middle = middle + (j + adjoint(j)) * column + 1j * on_diagonal_of(u, phase(inside)) * inverse
        a_bar = a_bar + np.matmul((d_u - np.matmul(u, inside)) * inverse, vh)
    if d_vh is not None:
        d_v = adjoint(d_vh)
        inside = np.matmul(vh, d_v)
        k = f * inside
        middle = middle + np.swapaxes(column, -1, -2) * (k + adjoint(k))
        a_bar = a_bar + np.matmul(u, adjoint((d_v - np.matmul(v, inside)) * inverse))
    return a_bar + np.matmul(np.matmul(u, middle), vh)


def phase(inside: Any) -> Any:
    """The imaginary part of the diagonal: how a cotangent turns each column's phase."""
    return np.imag(np.diagonal(inside, 0, -2, -1))


def qr_pullback(d: Any, out: Any, mode: str) -> Any:
    """Ā = (Q̄ + Q C) R⁻ᴴ, C the Hermitian matrix with the lower triangle of R R̄ᴴ - Q̄ᴴ Q.

    Source: H.-J. Liao, J.-G. Liu, L. Wang and T. Xiang, arXiv:1903.09650, eq. 3.
    """
    if mode != "reduced" or np.shape(out[1])[-1] != np.shape(out[1])[-2]:
        refuse("np.linalg.qr in another mode than 'reduced', or of a matrix wider than high", "factor its transpose")
    q, r = out
    q_bar, r_bar = filled(d, out)
    m = np.matmul(r, adjoint(r_bar)) - np.matmul(adjoint(q_bar), q)
    c = 2 * half_lower(m) - np.tril(m, -1)
    c = c + adjoint(np.tril(m, -1))
    return adjoint(np.linalg.solve(r, adjoint(q_bar + np.matmul(q, c))))


# ---- no derivative: ranks
constant(np.linalg.matrix_rank)
