"""scipy.linalg: matrices made of a few numbers, and Cholesky factors of bands. All are compositions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from ..registry import composition, constant, existing
from ..vocabulary import conj, rebased


# ---- constant along diagonals
def toeplitz(c: Any, r: Any = None) -> Any:
    """Constant along diagonals: the first column and the first row."""
    column = np.ravel(c)
    row = np.conj(column) if r is None else np.ravel(r)
    values = np.concatenate([np.flip(column), row[1:]])
    return values[np.size(column) - 1 - np.arange(np.size(column))[:, None] + np.arange(np.size(row))[None, :]]


def hankel(c: Any, r: Any = None) -> Any:
    """Constant along the other diagonals: the first column and the last row."""
    column = np.ravel(c)
    row = np.zeros_like(column) if r is None else np.ravel(r)
    values = np.concatenate([column, row[1:]])
    return values[np.arange(np.size(column))[:, None] + np.arange(np.size(row))[None, :]]


def circulant(c: Any) -> Any:
    """Each column the one before it, a place further down."""
    n = np.shape(np.atleast_1d(c))[-1]
    return np.atleast_1d(c)[..., (np.arange(n)[:, None] - np.arange(n)[None, :]) % n]


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix whose product with a vector of length n is np.convolve(a, vector, mode)."""
    if n <= 0 or np.size(a) == 0 or mode not in ("full", "valid", "same"):
        return sl.convolution_matrix(a, n, mode)  # it complains
    whole = toeplitz(np.pad(a, (0, n - 1)), np.pad(a[:1], (0, n - 1)))
    trim = 0 if mode == "full" else min(n, len(a)) - 1
    before = trim // 2 if mode == "same" else trim
    after = trim - before if mode == "same" else trim
    return whole[before : len(whole) - after]


composition(sl.toeplitz, toeplitz)
composition(sl.hankel, hankel)
composition(sl.circulant, circulant)
composition(sl.convolution_matrix, convolution_matrix)


# ---- of polynomials and populations
def companion(a: Any) -> Any:
    """The matrix whose eigenvalues are the roots of a polynomial."""
    a = np.atleast_1d(a)
    n = np.shape(a)[-1] - 1
    first = np.expand_dims(-a[..., 1:] / (1.0 * a[..., :1]), -2)
    below = np.broadcast_to(np.eye(n - 1, n, dtype=np.result_type(first)), (*np.shape(first)[:-2], n - 1, n))
    return np.concatenate([first, below], -2)


def leslie(f: Any, s: Any) -> Any:
    """Fecundities in the first row, survival below the diagonal."""
    f, s = np.atleast_1d(f), np.atleast_1d(s)
    below = np.concatenate([np.diag(s), np.zeros((len(s), 1), np.result_type(s))], 1)
    return np.concatenate([np.reshape(f, (1, -1)), below])


def fiedler(a: Any) -> Any:
    """The distances of numbers."""
    a = np.atleast_1d(a)
    return np.abs(np.expand_dims(a, -1) - np.expand_dims(a, -2))


def fiedler_companion(a: Any) -> Any:
    """The companion matrix with five diagonals."""
    a = np.atleast_1d(a)
    n = np.size(a) - 1
    if n < 2:
        return np.reshape(-(a / a[0])[1:], (1, 1)) if n == 1 else np.zeros(0, np.result_type(a))
    a = a / a[0]
    c = np.zeros((n, n), np.result_type(a))
    c[np.arange(3, n, 2), np.arange(1, n - 2, 2)] = 1.0
    c[np.arange(2, n, 2), np.arange(1, n - 1, 2)] = -a[3::2]
    c[np.arange(0, n - 2, 2), np.arange(2, n, 2)] = 1.0
    c[np.arange(0, n - 1, 2), np.arange(1, n, 2)] = -a[2::2]
    c[0, 0] = -a[1]
    c[1, 0] = 1.0
    return c


composition(sl.companion, companion)
composition(sl.leslie, leslie)
composition(sl.fiedler, fiedler)
composition(sl.fiedler_companion, fiedler_companion)


# ---- of blocks and products
def block_diag(*arrs: Any) -> Any:
    """The matrices along the diagonal."""
    blocks = [np.atleast_2d(a) for a in arrs]
    widths = [np.shape(block)[-1] for block in blocks]
    rows = []
    for i, block in enumerate(blocks):
        around = ((0, 0),) * (np.ndim(block) - 1) + ((sum(widths[:i]), sum(widths[i + 1 :])),)
        rows.append(np.pad(block, around))
    return np.concatenate(rows, -2)


def khatri_rao(a: Any, b: Any) -> Any:
    """The Kronecker products of the columns."""
    product = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(product, (*np.shape(product)[:-3], -1, np.shape(product)[-1]))


def diagsvd(s: Any, M: int, N: int) -> Any:
    """Singular values on the diagonal of a matrix of this shape."""
    return np.pad(np.diag(s), ((0, M - len(s)), (0, N - len(s))))


composition(sl.block_diag, block_diag)
composition(sl.khatri_rao, khatri_rao)
composition(sl.diagsvd, diagsvd)
# Names that older releases of SciPy have, and NumPy too.
for _old in existing(sl, "kron"):
    composition(_old, lambda a, b: np.kron(a, b))
for _old in existing(sl, "tril"):
    composition(_old, lambda m, k=0: np.tril(m, k))
for _old in existing(sl, "triu"):
    composition(_old, lambda m, k=0: np.triu(m, k))
constant(*existing(sl, "tri"), reason="it depends on sizes only")


# ---- Cholesky factors of bands
def cholesky_banded(ab: Any, *, lower: bool = False, check_finite: bool = True) -> Any:
    """The band of the factor of the matrix whose band this is."""
    factor = sl.cholesky(of_band(ab, lower), lower=lower)
    return rebased(found_factor(ab, lower), band_of(factor, ab, lower))


def cho_solve_banded(cb_and_lower: Any, b: Any, *, check_finite: bool = True) -> Any:
    """The system of a matrix from the band of its Cholesky factor."""
    band, lower = cb_and_lower
    return rebased(found_solution(band, lower, b), sl.cho_solve((triangle_of(band, lower), lower), b))


def found_factor(ab: np.ndarray, lower: bool) -> np.ndarray:
    """SciPy's value of cholesky_banded."""
    return sl.cholesky_banded(ab, lower=lower)


def found_solution(band: np.ndarray, lower: bool, b: np.ndarray) -> np.ndarray:
    """SciPy's value of cho_solve_banded."""
    return sl.cho_solve_banded((band, lower), b)


constant(found_factor, found_solution)


def places(width: int, n: int, lower: bool) -> tuple:
    """Row and column of each number of a band, and whether it is one."""
    k, j = np.arange(width + 1)[:, None], np.arange(n)[None, :]
    i = j + k if lower else j + k - width
    return np.clip(i, 0, n - 1), np.broadcast_to(j, np.shape(i)), (i >= 0) & (i < n)


def triangle_of(ab: Any, lower: bool) -> Any:
    """The triangular matrix of a band."""
    n = np.shape(ab)[1]
    i, j, inside = places(len(ab) - 1, n, lower)
    full = np.zeros((n, n), np.result_type(ab))
    full[i[inside], j[inside]] = ab[inside]
    return full


def of_band(ab: Any, lower: bool) -> Any:
    """The Hermitian matrix of half a band."""
    half = triangle_of(ab, lower)
    return half + conj(half.T) - np.diag(np.diagonal(half))


def band_of(matrix: Any, ab: Any, lower: bool) -> Any:
    """Half the band of a matrix; where there is no place for a number, that of `ab` stays."""
    i, j, inside = places(len(ab) - 1, len(matrix), lower)
    return np.where(inside, matrix[i, j], ab)


composition(sl.cholesky_banded, cholesky_banded)
composition(sl.cho_solve_banded, cho_solve_banded)
