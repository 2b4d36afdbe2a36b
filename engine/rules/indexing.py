"""Reading elements: every index NumPy accepts, and the functions that take, select and order elements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..tangents import unbroadcast
from .registry import composition, constant, rule
from .selection import as_mask, evened, left_by_delete, only, placed, sorting
from .vocabulary import whole_axis

rule(operator.getitem, selects=True, a=lambda d, out, a, index, /: scatter(d, a, index))


def scatter(d: Any, a: Any, index: Any) -> np.ndarray:
    """Zeros in the shape of `a`, with `d` added at `index`; an element that is named twice receives both.

    >>> scatter(np.array([1.0, 2.0, 4.0]), np.zeros(3), [0, 2, 2])
    array([1., 0., 6.])
    """
    if np.result_type(d) == np.float16:  # in which 2048 and 1 are 2048: added up in single
        return scatter(d.astype(np.float32), a, index).astype(np.float16)
    result = np.zeros(np.shape(a), np.result_type(d))
    if isinstance(index, tuple) and len(index) == 1:
        index = list(index[0]) if isinstance(index[0], tuple) else index[0]
    if isinstance(index, np.ndarray) and index.dtype == bool and index.ndim > 0:  # by numbers, which is faster
        result.reshape(index.size, *result.shape[index.ndim :])[np.flatnonzero(index)] = d
    elif not may_repeat(index):
        result[index] = d
    elif np.ndim(a) == 1 or 8 * np.size(d) < result.size:
        np.add.at(result, index, d)
    else:
        add_many(result, index, d)
    return result


def add_many(zeros: np.ndarray, index: Any, d: Any) -> None:
    """np.add.at(zeros, index, d), which is slow unless the places are those of a vector.

    Of slices along one axis the last of each name is written, and only those before it are added.
    """
    parts = index if isinstance(index, tuple) else (index,)
    numbers = [axis for axis, part in enumerate(parts) if is_numbers(part)]
    if len(numbers) == len(parts) == zeros.ndim:
        places = np.ravel_multi_index(tuple([np.asarray(part) for part in parts]), zeros.shape, mode="wrap")
    else:
        if len(numbers) == 1 and all(isinstance(part, slice) and part == slice(None) for part in parts[: numbers[0]]):
            axis, where = numbers[0], np.asarray(parts[-1])
            if where.ndim == 1 and axis == len(parts) - 1:
                last = np.zeros(zeros.shape[axis], np.intp)
                last[where] = np.arange(len(where))
                seen = last[where] == np.arange(len(where))
                zeros[whole_axis(where[seen], axis, zeros.ndim)] = np.compress(seen, d, axis)
                index, d = whole_axis(where[~seen], axis, zeros.ndim), np.compress(~seen, d, axis)
        places = np.arange(zeros.size).reshape(zeros.shape)[index]
    np.add.at(zeros.reshape(-1), places.ravel(), np.broadcast_to(d, places.shape).ravel())


def may_repeat(index: Any) -> bool:
    """Can `index` name an element more than once: is there an array or list of integers in it?"""
    if isinstance(index, tuple):
        return any(may_repeat(list(part) if isinstance(part, tuple) else part) for part in index)
    if isinstance(index, list):
        index = np.asarray(index)
    return isinstance(index, np.ndarray) and index.dtype.kind in "iu" and index.ndim > 0


rule(scatter, moves=True, d=lambda e, out, d, a, index: e[index])

# ---- taking
rule(np.take, selects=True, a=lambda d, out, a, indices, axis=None, *, mode="raise": untaken(d, a, indices, axis, mode))
rule(
    np.take_along_axis, selects=True,
    arr=lambda d, out, arr, indices, axis=-1: scatter(d, arr, along(arr, indices, axis)) if axis is not None
    else np.reshape(scatter(d, np.ravel(arr), indices), np.shape(arr)),
)  # fmt: skip


def untaken(d: Any, a: Any, indices: Any, axis: int | None, mode: Any) -> Any:
    """What np.take took, put back; `mode` is settled by taking from the positions themselves."""
    if axis is None:
        return np.reshape(untaken(d, np.ravel(a), indices, 0, mode), np.shape(a))
    positions = np.asarray(indices) if mode == "raise" else np.take(np.arange(np.shape(a)[axis]), indices, mode=mode)
    return scatter(d, a, whole_axis(positions, axis, np.ndim(a)))


def is_numbers(index: Any) -> bool:
    """Is it a number of an element, or an array or list of them?"""
    return not isinstance(index, bool | slice | None) and index is not ... and np.asarray(index).dtype.kind in "iu"


def along(arr: Any, indices: Any, axis: int) -> tuple:
    """The index that take_along_axis stands for: `indices` along `axis`, each position itself along the others."""
    shape = np.shape(arr)
    grid = np.ogrid[tuple([slice(n) for n in shape])]
    return tuple([indices if i == axis % len(shape) else g for i, g in enumerate(grid)])


rule(
    np.compress,
    selects=True,
    a=lambda d, out, condition, a, axis=None: uncompressed(d, condition, a, axis),
)
rule(np.extract, selects=True, arr=lambda d, out, condition, arr: uncompressed(d, np.ravel(condition), arr, None))


def uncompressed(d: Any, condition: Any, a: Any, axis: int | None) -> Any:
    """Zeros where elements, or slices, did not hold the condition, which may be shorter than the axis."""
    if axis is None:
        return np.reshape(uncompressed(d, condition, np.ravel(a), 0), np.shape(a))
    return scatter(d, a, whole_axis(as_mask(condition, np.shape(a)[axis]), axis, np.ndim(a)))


# ---- choosing
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each element the first choice whose condition holds."""
    result = default
    for i in range(len(condlist) - 1, -1, -1):
        result = np.where(condlist[i], choicelist[i], result)
    return result


rule(
    np.choose,
    selects=True,
    choices=lambda d, out, a, choices, mode="raise": unchosen(
        d, np.take(np.arange(len(choices)), a, mode=mode), choices
    ),
)


def unchosen(d: Any, numbers: Any, choices: Any) -> Any:
    """`d` for each choice where it was taken."""
    parts = [unbroadcast(only(d, numbers == i), np.shape(choices[i])) for i in range(len(choices))]
    if isinstance(choices, np.ndarray):
        return np.stack(parts)
    return tuple(parts) if isinstance(choices, tuple) else parts


composition(np.select, select)

# ---- leaving out and putting in
rule(np.delete, selects=True, arr=lambda d, out, arr, obj, axis=None: undeleted(d, arr, obj, axis))
rule(
    np.insert,
    moves=True,
    arr=lambda d, out, arr, obj, values, axis=None: kept_of_insert(d, arr, obj, axis),
    values=lambda d, out, arr, obj, values, axis=None: new_of_insert(d, arr, obj, axis),
)


rule(np.trim_zeros, selects=True, filt=lambda d, out, filt, trim="fb", axis=None: untrimmed(d, filt, trim))


def untrimmed(d: Any, filt: Any, trim: str) -> Any:
    """Zeros where elements were cut off, at the front up to the first element that is not zero."""
    found = np.argwhere(filt)
    if len(found) == 0:
        return np.zeros_like(filt)
    first = np.min(found, axis=0).tolist() if "f" in trim.lower() else [0] * np.ndim(filt)
    starts = [s if n < whole else 0 for s, n, whole in zip(first, np.shape(d), np.shape(filt), strict=True)]
    return scatter(d, filt, tuple([slice(s, s + n) for s, n in zip(starts, np.shape(d), strict=True)]))


def undeleted(d: Any, arr: Any, obj: Any, axis: int | None) -> Any:
    """Zeros where elements were left out."""
    if axis is None:
        return np.reshape(undeleted(d, np.ravel(arr), obj, 0), np.shape(arr))
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        return np.insert(d, obj % np.shape(arr)[axis], 0, axis)
    return scatter(d, arr, whole_axis(left_by_delete(np.shape(arr)[axis], obj), axis, np.ndim(arr)))


def origins(d: Any, arr: Any, obj: Any, axis: int) -> np.ndarray:
    """For each place along `axis` after np.insert: the place it came from, or -1 - k for the k-th new one."""
    length = np.shape(arr)[axis]
    return np.insert(np.arange(length), obj, -1 - np.arange(np.shape(d)[axis] - length))


def kept_of_insert(d: Any, arr: Any, obj: Any, axis: int | None) -> Any:
    """The part of the cotangent that belongs to the old elements."""
    if axis is None:
        return np.reshape(kept_of_insert(d, np.ravel(arr), obj, 0), np.shape(arr))
    return np.take(d, np.flatnonzero(origins(d, arr, obj, axis) >= 0), axis)


def new_of_insert(d: Any, arr: Any, obj: Any, axis: int | None) -> Any:
    """The part that belongs to the new ones; for a single position NumPy lays their first axis along `axis`."""
    if axis is None:
        return new_of_insert(d, np.ravel(arr), obj, 0)
    source = origins(d, arr, obj, axis)
    new = np.flatnonzero(source < 0)
    part = np.take(d, new[np.argsort(-source[new])], axis)
    return np.moveaxis(part, axis, 0) if np.ndim(obj) == 0 else part


# ---- ordering
rule(
    np.sort,
    selects=True,
    a=lambda d, out, a, axis=-1, kind=None, order=None, *, stable=None: unsorted(d, out, a, axis),
    compares=True,
    sided={"a": lambda d, out, a, axis=-1, kind=None, order=None, *, stable=None: unsorted(d, out, a, axis, True)},
)
rule(
    np.partition,
    selects=True,
    a=lambda d, out, a, kth, axis=-1, kind="introselect", order=None: unpartitioned(d, out, a, axis),
    compares="arguments",
    sided={"a": lambda d, out, a, kth, axis=-1, kind="introselect", order=None: unpartitioned(d, out, a, axis, True)},
)
rule(
    np.unique,
    selects=True,
    ar=lambda d, out, ar, return_index=False, return_inverse=False, return_counts=False: ununique(
        d[0] if isinstance(out, tuple) else d, ar
    ),
)


def unsorted(d: Any, out: Any, a: Any, axis: int | None, sided: bool = False) -> Any:
    """The cotangent of sorted values in the order of `a`; those that tie share (convention 2), or keep their order."""
    if axis is None:
        return np.reshape(unsorted(d, out, np.ravel(a), 0, sided), np.shape(a))
    return placed(d if sided else evened(d, out, axis), sorting(a, out, axis), axis)


def unpartitioned(d: Any, out: Any, a: Any, axis: int | None, sided: bool = False) -> Any:
    """The k-th smallest of `a` went to where the k-th smallest of `out` is, among equals the first one."""
    if axis is None:
        return np.reshape(unpartitioned(d, out, np.ravel(a), 0, sided), np.shape(a))
    values = np.sort(out, axis)
    ordered, order = np.take_along_axis(d, sorting(out, values, axis), axis), sorting(a, values, axis)
    return placed(ordered if sided else evened(ordered, np.take_along_axis(a, order, axis), axis), order, axis)


def ununique(d: Any, ar: Any) -> Any:
    """Elements that are equal share the cotangent of their value equally (convention 2)."""
    _, inverse, counts = np.unique(ar, return_inverse=True, return_counts=True)
    return np.reshape(np.take(d / counts.astype(np.result_type(d)), inverse), np.shape(ar))


# ---- counting with weights
rule(np.bincount, weights=lambda d, out, x, /, weights=None, minlength=0: d[x])

# ---- no derivative: positions and truth values
constant(
    np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero, np.searchsorted,
    np.nanargmax, np.nanargmin, np.count_nonzero, np.lexsort, np.digitize, np.all, np.any, np.isin,
)  # fmt: skip
