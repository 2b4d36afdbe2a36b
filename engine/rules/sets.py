"""Arrays as sets of numbers, and as what they look like: sorted complex numbers, reals in a complex array, pairs.

Which numbers are equal is a matter of values; those that are picked carry their derivatives with them, and equals share
(convention 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition, constant, existing, rule


# ---- sets
def union1d(ar1: Any, ar2: Any) -> Any:
    """The numbers in either array, sorted."""
    return np.unique(np.concatenate([np.ravel(ar1), np.ravel(ar2)]))


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The numbers in the first array that are not in the second."""
    own = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return own[np.isin(own, ar2, invert=True)]


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The numbers in one of the arrays and not in the other, sorted."""
    if not assume_unique:
        ar1, ar2 = np.unique(ar1), np.unique(ar2)
    both = np.sort(np.concatenate([np.ravel(ar1), np.ravel(ar2)]))
    new = np.concatenate([[True], np.not_equal(both[1:], both[:-1]), [True]])
    return both[(new[1:] & new[:-1])[: np.size(both)]]


def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The numbers in both arrays, sorted; as NumPy has it, those of the first one."""
    first, second = common_places(ar1, ar2, assume_unique)
    common = np.ravel(ar1)[first]
    return (common, first, second) if return_indices else common


def common_places(ar1: np.ndarray, ar2: np.ndarray, assume_unique: bool) -> tuple:
    """Where the numbers in both arrays stand."""
    return np.intersect1d(ar1, ar2, assume_unique, True)[1:]


constant(common_places)
composition(np.union1d, union1d)
composition(np.setdiff1d, setdiff1d)
composition(np.setxor1d, setxor1d)
composition(np.intersect1d, intersect1d)

for _unique in existing(np, "unique_values unique_counts unique_inverse unique_all"):
    rule(
        _unique,
        selects=True,
        x=lambda d, out, x: (
            to_equals(d, out, x) if isinstance(out, np.ndarray) else to_equals(d[0], out[0], x)
        ),
    )  # fmt: skip


def to_equals(d: Any, values: np.ndarray, x: Any) -> Any:
    """The cotangent of each value, in equal parts to the elements that have it."""
    if d is None:
        return None
    place, counts = matches(values, x)
    return np.reshape(np.take(d / counts.astype(np.result_type(d)), place), np.shape(x))


def matches(values: np.ndarray, x: np.ndarray) -> tuple:
    """For each element the place of its value, for each value the number of its elements."""
    order = np.argsort(values)
    place = order[np.minimum(np.searchsorted(values[order], np.ravel(x)), len(order) - 1)] if np.size(x) else np.zeros(
        0, int
    )  # fmt: skip
    return place, np.bincount(place, minlength=len(values))


constant(matches)


# ---- complex numbers
def sort_complex(a: Any) -> Any:
    """Sorted by the real part, then by the imaginary one; always complex."""
    ordered = np.sort(a)
    return ordered if np.iscomplexobj(ordered) else ordered.astype(complex)


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real parts, where all imaginary ones are no more than rounding."""
    a = np.asanyarray(a)
    return np.real(a) if np.iscomplexobj(a) and is_close(a, tol) else a


def is_close(a: np.ndarray, tol: float) -> bool:
    """Does NumPy take these complex numbers for real ones?"""
    return not np.iscomplexobj(np.real_if_close(a, tol))


constant(is_close)
composition(np.sort_complex, sort_complex)
composition(np.real_if_close, real_if_close)
if getattr(np, "row_stack", np.vstack) is not np.vstack:
    composition(np.row_stack, lambda tup, *, dtype=None, casting="same_kind": np.vstack(tup, dtype=dtype))


# ---- the same memory, as pairs of real numbers or as complex ones
def as_pairs(a: Any) -> Any:
    """The real and the imaginary parts of complex numbers, side by side along the last axis."""
    return a.view(np.real(a).dtype)


def as_complex(a: Any) -> Any:
    """The complex numbers that pairs of real ones along the last axis are."""
    return a.view(np.result_type(a, np.complex64))


# Of a real loss the cotangent of x + iy is the pair of those of x and y (convention 1).
rule(as_pairs, moves=True, a=lambda d, out, a: d[..., 0::2] + 1j * d[..., 1::2])
rule(as_complex, a=lambda d, out, a: side_by_side(np.real(d), np.imag(d)))


def side_by_side(x: Any, y: Any) -> Any:
    """Two arrays in turns along the last axis."""
    return np.reshape(np.stack([x, y], -1), (*np.shape(x)[:-1], -1))
