"""Inverses, systems, determinants and powers of matrices.

Complex operands: a pullback multiplies by the conjugate (convention 1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .eigen import adjoint
from .registry import composition, constant, rule
from .triangular import solved
from .vocabulary import conj

# ---- inverses and systems
rule(np.linalg.inv, a=lambda d, out, a: -np.matmul(adjoint(out), np.matmul(d, adjoint(out))))
rule(
    np.linalg.solve,
    a=lambda d, out, a, b: solve_pullback(d, out, a, b)[0],
    b=lambda d, out, a, b: solve_pullback(d, out, a, b)[1],
)

NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"
"""It takes b of one dimension less than a for a stack of vectors, and a complex matrix has a complex condition."""


def solve_pullback(d: Any, out: Any, a: Any, b: Any) -> tuple:
    """b̄ = a⁻ᴴ d and ā = -b̄ xᴴ."""
    vector = np.ndim(b) == 1 or (NUMPY_1 and np.ndim(b) == np.ndim(a) - 1)
    if vector:
        b_bar = solved(adjoint(a), np.expand_dims(d, -1))
        return -np.matmul(b_bar, np.expand_dims(conj(out), -2)), b_bar[..., 0]
    b_bar = solved(adjoint(a), d)
    return -np.matmul(b_bar, adjoint(out)), b_bar


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """x with tensordot(a, x, ndim(x)) = b: one system, after `axes` of `a` have moved to its end."""
    if axes is not None:
        kept = [i for i in range(np.ndim(a)) if i not in axes]
        a = np.transpose(a, kept + list(axes))
    shape = np.shape(a)[np.ndim(b) :]
    size = math.prod(shape)
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, size)), np.ravel(b)), shape)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of the map that tensordot makes of `a`, its first `ind` axes being those of the values."""
    shape = np.shape(a)
    inverse = np.linalg.inv(np.reshape(a, (math.prod(shape[:ind]), -1)))
    return np.reshape(inverse, shape[ind:] + shape[:ind])


composition(np.linalg.tensorsolve, tensorsolve)
composition(np.linalg.tensorinv, tensorinv)

# ---- determinants
rule(np.linalg.det, a=lambda d, out, a: det_pullback(d, out, a))
rule(np.linalg.slogdet, a=lambda d, out, a: slogdet_pullback(d, out, a))


def det_pullback(d: Any, out: Any, a: Any) -> Any:
    """d times the cofactors: det(a) a⁻ᵀ, which is of no use where the determinant is zero."""
    if np.all(out != 0):
        return np.expand_dims(d * conj(out), (-1, -2)) * adjoint(np.linalg.inv(a))
    return np.expand_dims(d, (-1, -2)) * conj(minors(a) if np.shape(a)[-1] <= 6 else by_singular_values(a))


def minors(a: Any) -> Any:
    """The cofactors one by one, of a small matrix."""
    n = np.shape(a)[-1]
    rest = [[i for i in range(n) if i != k] for k in range(n)]
    rows = [
        np.stack([(-1) ** (i + j) * np.linalg.det(a[..., rest[i], :][..., :, rest[j]]) for j in range(n)], -1)
        for i in range(n)
    ]
    return np.stack(rows, -2)


def by_singular_values(a: Any) -> Any:
    """The cofactors as det(U) det(Vᴴ) conj(U diag(Π_{k≠i} s_k) Vᴴ)."""
    u, s, vh = np.linalg.svd(a)
    n = np.shape(s)[-1]
    others = np.prod(np.where(np.eye(n, dtype=bool), 1, np.expand_dims(s, -2)), -1)
    turn = np.linalg.det(u) * np.linalg.det(vh)
    return np.expand_dims(turn, (-1, -2)) * conj(np.matmul(u * np.expand_dims(others, -2), vh))


def slogdet_pullback(d: Any, out: Any, a: Any) -> Any:
    """log det a = log|det a| + i arg; its derivative is a⁻¹, and a complex sign moves with the argument.

    A singular matrix has none: NaN.
    """
    along = np.zeros_like(out[1]) if d[1] is None else d[1]
    if np.iscomplexobj(out[0]) and d[0] is not None:
        along = along + 1j * np.real(np.conj(1j * out[0]) * d[0])
    singular = np.expand_dims(np.where(out[0] == 0, np.nan, 0).astype(a.dtype), (-1, -2))
    return np.expand_dims(along, (-1, -2)) * adjoint(np.linalg.inv(a + singular))


def cond(x: Any, p: Any = None) -> Any:
    """The largest singular value over the smallest, or the norms of `x` and of its inverse."""
    if p is None or p == 2 or p == -2:
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    product = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))
    return product.astype(x.dtype) if NUMPY_1 else product


composition(np.linalg.cond, cond)


# ---- powers
def matrix_power(a: Any, n: int) -> Any:
    """a to the power n by repeated squaring."""
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return np.zeros_like(a) + np.eye(np.shape(a)[-1], dtype=np.result_type(a))
    if n == 1:
        return a
    half = matrix_power(a, n // 2)
    square = np.matmul(half, half)
    return np.matmul(square, a) if n % 2 else square


composition(np.linalg.matrix_power, matrix_power)
# ---- no derivative: ranks
constant(np.linalg.matrix_rank)
