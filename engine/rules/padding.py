"""np.pad in all its modes.

Where the border repeats elements, or is constant, NumPy pads and the pullback gathers what went to each element. Where
it is computed (ramps, statistics, odd reflections) the pad is the concatenation that NumPy makes, axis by axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .indexing import scatter
from .registry import composition, rule
from .vocabulary import refuse, whole_axis

COPIES = ("edge", "reflect", "symmetric", "wrap")
STATISTICS: dict[str, Callable] = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}


def pad(
    array: Any, pad_width: Any, mode: Any = "constant", *, stat_length: Any = None, constant_values: Any = 0,
    end_values: Any = 0, reflect_type: str = "even",
) -> Any:  # fmt: skip
    """np.pad."""
    array = np.asarray(array)
    pairs = pad_pairs(array, pad_width)
    if not isinstance(mode, str):
        return padded_by(mode, array, pairs, {})
    if mode == "linear_ramp":
        return ramped(array, pairs, np.broadcast_to(end_values, (np.ndim(array), 2)))
    if mode in STATISTICS:
        return with_statistics(array, pairs, STATISTICS[mode], stat_length)
    if mode in ("reflect", "symmetric") and reflect_type == "odd":
        return reflected_oddly(array, pairs, 1 if mode == "reflect" else 0, mode)
    return padded(array, pairs, mode, constant_values)


composition(np.pad, pad)


def pad_pairs(array: Any, pad_width: Any) -> list:
    """(before, after) for each axis."""
    if isinstance(pad_width, dict):
        given = {axis % np.ndim(array): width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(given.get(axis, 0), 2).tolist() for axis in range(np.ndim(array))]
    return [tuple(pair) for pair in np.broadcast_to(pad_width, (np.ndim(array), 2)).tolist()]


# ---- borders that are constant or repeat elements
def padded(array: Any, pairs: Any, mode: str, constant_values: Any) -> Any:
    """np.pad with its keyword in place."""
    if mode == "constant":
        return np.pad(array, pairs or 0, mode, constant_values=constant_values)
    return np.pad(array, pairs or 0, mode)


rule(
    padded,
    selects=True,
    array=lambda d, out, array, pairs, mode, constant_values: unpadded(d, array, pairs, mode),
    constant_values=lambda d, out, array, pairs, mode, constant_values: borders(d, array, pairs, constant_values),
)


def unpadded(d: Any, array: Any, pairs: Any, mode: str) -> Any:
    """The inner part of `d`, plus, where the border repeats elements, what belongs to them."""
    if mode not in COPIES:
        return d[inner(array, pairs, 0)]
    for axis, (before, after) in enumerate(pairs):
        if before + after > 0:
            n = np.shape(array)[axis]
            source = np.pad(np.arange(n), (before, after), mode)
            d = add_borders(d, axis, before, before + n, np.delete(source, slice(before, before + n)))
    return d


def add_borders(d: Any, axis: int, start: int, stop: int, source: Any) -> Any:
    """The part of `d` from `start` to `stop`, plus each element outside at the place it was copied from."""
    core = chunk(d, axis, start, stop)
    outside = np.concatenate([chunk(d, axis, 0, start), chunk(d, axis, stop, np.shape(d)[axis])], axis)
    return core + scatter(outside, core, whole_axis(source, axis, np.ndim(d)))


def inner(array: Any, pairs: Any, first: int) -> tuple:
    """The index of the original elements along the axes from `first` on, and of everything along those before."""
    inside = [slice(before, before + n) for (before, _), n in zip(pairs, np.shape(array), strict=True)]
    return (slice(None),) * first + tuple(inside[first:])


def borders(d: Any, array: Any, pairs: Any, constant_values: Any) -> Any:
    """The sum of `d` over each part of the border; a corner belongs to the last of its axes, which NumPy fills last."""
    if np.ndim(constant_values) == 0:
        return np.sum(d) - np.sum(d[inner(array, pairs, 0)])
    sums = []
    for axis, (before, _) in enumerate(pairs):
        part = d[inner(array, pairs, axis + 1)]
        stop = before + np.shape(array)[axis]
        ends = [part[whole_axis(side, axis, np.ndim(d))] for side in (slice(0, before), slice(stop, None))]
        sums.append(np.stack([np.sum(ends[0]), np.sum(ends[1])]))
    return np.stack(sums)


# ---- borders that are computed
def joined(left: Any, array: Any, right: Any, axis: int) -> Any:
    """The array between its borders."""
    return np.concatenate([left, array, right], axis)


def chunk(array: Any, axis: int, start: int, stop: int) -> Any:
    """The elements from `start` to `stop` along an axis."""
    return array[whole_axis(slice(start, stop), axis, np.ndim(array))]


def spread(one: Any, axis: int, width: int) -> Any:
    """A slice of length one, repeated along its axis."""
    shape = list(np.shape(one))
    shape[axis] = width
    return np.broadcast_to(one, shape)


def ramped(array: Any, pairs: list, ends: Any) -> Any:
    """Straight lines from the edges to the end values."""
    for axis, (before, after) in enumerate(pairs):
        n = np.shape(array)[axis]
        first, last = (np.squeeze(chunk(array, axis, i, i + 1), axis) for i in (0, n - 1))
        left = np.linspace(ends[axis, 0], first, before, endpoint=False, axis=axis, dtype=array.dtype)
        right = np.linspace(ends[axis, 1], last, after, endpoint=False, axis=axis, dtype=array.dtype)
        array = joined(left, array, np.flip(right, axis), axis)
    return array


def with_statistics(array: Any, pairs: list, statistic: Callable, stat_length: Any) -> Any:
    """The mean (or median, maximum, minimum) of the elements next to each border, all of them unless a length is given.

    Without a length NumPy takes it once for both sides.
    """
    lengths = np.broadcast_to(-1 if stat_length is None else stat_length, (np.ndim(array), 2)).tolist()
    integral = np.result_type(array).kind in "iu"
    for axis, (before, after) in enumerate(pairs):
        n = np.shape(array)[axis]
        counts = [n if length is None or length < 0 or length > n else length for length in lengths[axis]]
        sides = [chunk(array, axis, 0, counts[0]), chunk(array, axis, n - counts[1], n)]
        values = [statistic(side, axis=axis, keepdims=True) for side in sides]
        if integral:
            values = [np.round(value) for value in values]
        left, right = (np.asarray(value).astype(np.result_type(array)) for value in values)
        array = joined(spread(left, axis, before), array, spread(right, axis, after), axis)
    return array


def reflected_oddly(array: Any, pairs: list, skip: int, mode: str) -> Any:
    """Twice the edge minus the reflection; `skip` is 1 where the edge itself is not reflected."""
    for axis, (before, after) in enumerate(pairs):
        n = np.shape(array)[axis]
        if max(before, after) > n - skip:
            refuse(
                f"np.pad with mode={mode!r} and reflect_type='odd' by {max(before, after)} elements of {n}",
                f"pad in several calls, each by at most {n - skip} elements",
            )
        left = 2 * chunk(array, axis, 0, 1) - np.flip(chunk(array, axis, skip, skip + before), axis)
        right = 2 * chunk(array, axis, n - 1, n) - np.flip(chunk(array, axis, n - skip - after, n - skip), axis)
        array = joined(left, array, right, axis)
    return array


def padded_by(fill: Callable, array: Any, pairs: list, kwargs: dict) -> Any:
    """The user's function fills the borders of each vector in place, one axis after the other."""
    result = np.array(padded(array, pairs, "constant", 0))
    for axis in range(np.ndim(array)):
        view = np.moveaxis(result, axis, -1)
        for place in np.ndindex(np.shape(view)[:-1]):
            fill(view[place], pairs[axis], axis, kwargs)
    return result
