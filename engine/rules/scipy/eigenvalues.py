"""scipy.linalg: eigenvalues, of general, symmetric and banded matrices, all of them or some."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from ..eigen import (
    adjoint,
    check_phase,
    eig_pullback,
    eigh_pullback,
    in_order_of,
    on_diagonal_of,
    reciprocal_gap,
    unseen,
)
from ..registry import constant, rule
from ..vocabulary import refuse

# ---- eigenvalues
rule(
    sl.eigh,
    a=lambda d, out, a, b=None, *, lower=True, eigvals_only=False, type=1, check_finite=True, subset_by_index=None,
    subset_by_value=None, driver=None: of_symmetric(
        whole_spectrum(d, out, a, b, lower, eigvals_only, subset_by_index, subset_by_value, type), b
    )[0],
    b=lambda d, out, a, b=None, *, lower=True, eigvals_only=False, type=1, check_finite=True, subset_by_index=None,
    subset_by_value=None, driver=None: of_symmetric(
        whole_spectrum(d, out, a, b, lower, eigvals_only, subset_by_index, subset_by_value, type), b
    )[1],
    careful=lambda looked, d, out, a, b=None, *, lower=True, eigvals_only=False, type=1, check_finite=True,
    subset_by_index=None, subset_by_value=None, driver=None: of_symmetric(
        whole_spectrum(d, out, a, b, lower, eigvals_only, subset_by_index, subset_by_value, type), b,
        hidden_pairs(looked, a, eigvals_only, subset_by_index, subset_by_value),
    )[0],
)  # fmt: skip
rule(
    sl.eigvalsh,
    a=lambda d, out, a, b=None, *, lower=True, type=1, check_finite=True, subset_by_index=None, subset_by_value=None,
    driver=None: of_symmetric(
        whole_spectrum(d, out, a, b, lower, True, subset_by_index, subset_by_value, type), b
    )[0],
    b=lambda d, out, a, b=None, *, lower=True, type=1, check_finite=True, subset_by_index=None, subset_by_value=None,
    driver=None: of_symmetric(
        whole_spectrum(d, out, a, b, lower, True, subset_by_index, subset_by_value, type), b
    )[1],
)  # fmt: skip


def whole_spectrum(
    d: Any, out: Any, a: Any, b: Any, lower: bool, values_only: bool, by_index: Any, by_value: Any, type: int
) -> tuple:
    """All eigenvalues and eigenvectors, and their cotangents: nothing for those that were not asked for."""
    if type != 1:
        refuse("scipy.linalg.eigh of the types 2 and 3", "type 1 of the matrices multiplied out")
    if not values_only and by_index is None and by_value is None:
        return d, out
    every = sl.eigh(a, b, lower=lower)
    start = by_index[0] if by_index is not None else 0 if by_value is None else below(every[0], by_value)
    return among_all(d, out, every, start, values_only)


def below(w: np.ndarray, interval: Any) -> int:
    """How many of the eigenvalues are before a half-open interval."""
    return int(np.sum(w <= interval[0]))


def among_all(d: Any, out: Any, every: tuple, start: int, values_only: bool) -> tuple:
    """The cotangents of some eigenvalues and eigenvectors, the first of them at `start`, among those of all."""
    w, v = every
    stop = start + np.shape(out if values_only else out[0])[-1]
    w_bar = d if values_only else d[0]
    if w_bar is not None:
        w_bar = np.concatenate([np.zeros_like(w[..., :start]), w_bar, np.zeros_like(w[..., stop:])], -1)
    if values_only:
        return (w_bar, None), (w, v)
    v = np.concatenate([v[..., :start], out[1], v[..., stop:]], -1)
    v_bar = d[1]
    if v_bar is not None:
        v_bar = np.concatenate([np.zeros_like(v[..., :start]), v_bar, np.zeros_like(v[..., stop:])], -1)
    return (w_bar, v_bar), (w, v)


def of_symmetric(spectrum: tuple, b: Any, hidden: Any = None) -> tuple:
    """Ā and B̄ of A V = B V diag(w) with Vᴴ B V = 1.

    With M = VᴴV̄ and F as in eigh: Ā = V (diag w̄ + F∘M) Vᴴ and B̄ = -V ((diag w̄ + F∘M) diag w + ½ diag M) Vᴴ, their
    Hermitian parts (convention 7).
    """
    d, out = spectrum
    if b is None:
        return eigh_pullback(d, out, hidden), None
    w, v = out
    middle, lengths = 0.0 if d[0] is None else on_diagonal_of(v, d[0]), 0.0
    if d[1] is not None:
        seen = np.matmul(adjoint(v), d[1])
        check_phase(seen, d[1], "scipy.linalg.eigh")
        middle = middle + reciprocal_gap(w) * seen
        lengths = on_diagonal_of(v, np.real(np.diagonal(seen, 0, -2, -1)) / 2)
    a_bar = np.matmul(np.matmul(v, middle), adjoint(v))
    b_bar = -np.matmul(np.matmul(v, middle * np.expand_dims(w, -2) + lengths), adjoint(v))
    return (a_bar + adjoint(a_bar)) / 2, (b_bar + adjoint(b_bar)) / 2


def hidden_pairs(looked: tuple, a: np.ndarray, values_only: bool, by_index: Any, by_value: Any) -> Any:
    """Which eigenvalues are not looked at, nor their vectors? None: all count."""
    if values_only or by_index is not None or by_value is not None:
        return None
    return unseen(*looked)


GENERALISED = "a generalised eigenvalue problem in scipy.linalg.eig"
SOLVED = "np.linalg.eig(np.linalg.solve(b, a))"

rule(
    sl.eig,
    a=lambda d, out, a, b=None, left=False, right=True, *, check_finite=True, homogeneous_eigvals=False: of_general(
        d, out, a, b, left, right, homogeneous_eigvals
    ),
    b=lambda d, out, a, b=None, left=False, right=True, *, check_finite=True, homogeneous_eigvals=False: refuse(
        GENERALISED, SOLVED
    ),
    careful=lambda looked, d, out, a, b=None, left=False, right=True, *, check_finite=True, homogeneous_eigvals=False: (
        of_general(d, out, a, b, left, right, homogeneous_eigvals, looked)
    ),
)  # fmt: skip
rule(
    sl.eigvals,
    a=lambda d, out, a, b=None, *, check_finite=True, homogeneous_eigvals=False: of_general(
        d, out, a, b, False, False, homogeneous_eigvals
    ),
    b=lambda d, out, a, b=None, *, check_finite=True, homogeneous_eigvals=False: refuse(GENERALISED, SOLVED),
)


def of_general(
    d: Any, out: Any, a: Any, b: Any, left: bool, right: bool, homogeneous: bool, looked: Any = None
) -> Any:  # fmt: skip
    """Of a general matrix, by eigenvalues and right eigenvectors."""
    if b is not None or homogeneous:
        refuse(GENERALISED, SOLVED)
    if left:
        refuse("the left eigenvectors of scipy.linalg.eig", "the right ones of a.conj().T")
    if not right:
        return eig_pullback((d, None), in_order_of(out, np.linalg.eig(a)), a)
    return eig_pullback(d, out, a, None if looked is None else unseen(*looked))


# ---- bands: half of a symmetric matrix, of which each number off the diagonal counts twice
rule(
    sl.eigh_tridiagonal,
    d=lambda bar, out, d, e, eigvals_only=False, *, select="a", select_range=None, check_finite=True, tol=0.0,
    lapack_driver="auto": np.diagonal(of_tridiagonal(bar, out, d, e, eigvals_only, select, select_range)),
    e=lambda bar, out, d, e, eigvals_only=False, *, select="a", select_range=None, check_finite=True, tol=0.0,
    lapack_driver="auto": 2 * np.diagonal(of_tridiagonal(bar, out, d, e, eigvals_only, select, select_range), 1),
)  # fmt: skip
rule(
    sl.eigvalsh_tridiagonal,
    d=lambda bar, out, d, e, *, select="a", select_range=None, check_finite=True, tol=0.0, lapack_driver="auto": (
        np.diagonal(of_tridiagonal(bar, out, d, e, True, select, select_range))
    ),
    e=lambda bar, out, d, e, *, select="a", select_range=None, check_finite=True, tol=0.0, lapack_driver="auto": (
        2 * np.diagonal(of_tridiagonal(bar, out, d, e, True, select, select_range), 1)
    ),
)
rule(
    sl.eig_banded,
    a_band=lambda d, out, a_band, lower=False, eigvals_only=False, *, select="a", select_range=None, max_ev=0,
    check_finite=True: of_band(d, out, a_band, lower, eigvals_only, select, select_range),
)  # fmt: skip
rule(
    sl.eigvals_banded,
    a_band=lambda d, out, a_band, lower=False, *, select="a", select_range=None, check_finite=True: of_band(
        d, out, a_band, lower, True, select, select_range
    ),
)


def of_tridiagonal(bar: Any, out: Any, d: Any, e: Any, values_only: bool, select: Any, which: Any) -> Any:
    """The cotangent of the full symmetric matrix."""
    if select in ALL and not values_only:
        return eigh_pullback(bar, out)
    every = sl.eigh_tridiagonal(d, e)
    return eigh_pullback(*among_all(bar, out, every, first_of(every[0], select, which), values_only))


def of_band(d: Any, out: Any, band: Any, lower: bool, values_only: bool, select: Any, which: Any) -> Any:
    """The band of that cotangent."""
    if select in ALL and not values_only:
        a_bar = eigh_pullback(d, out)
    else:
        every = sl.eig_banded(band, lower)
        a_bar = eigh_pullback(*among_all(d, out, every, first_of(every[0], select, which), values_only))
    row, column = places_in_band(np.shape(band), lower)
    inside = (row >= 0) & (row < np.shape(band)[1])
    values = a_bar[np.where(inside, row, 0), column]
    return np.where(inside, np.where(row == column, np.real(values), 2 * values), 0)


ALL, BY_VALUE = ("a", "all", 0), ("v", "value", 1)


def first_of(w: np.ndarray, select: Any, which: Any) -> int:
    """Which of all eigenvalues is the first that was asked for."""
    return 0 if select in ALL else below(w, which) if select in BY_VALUE else int(min(which))


def places_in_band(shape: tuple, lower: bool) -> tuple:
    """The row and the column, in the full matrix, of each number of a band; a row outside of it for what is unused."""
    place, column = np.indices(shape)
    return column + place - (0 if lower else shape[0] - 1), column


constant(below, first_of, hidden_pairs, places_in_band)
