"""np.pad in all its modes.

NumPy pads one axis after the other; the pullback takes the borders off again, the last axis first, and gives what they
got to the elements that they were made of. Medians, odd reflections and functions of
the user are followed as NumPy computes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .indexing import scatter
from .reductions import extreme
from .registry import composition, rule
from .selection import WORDS
from .vocabulary import refuse, whole_axis

COPIES = ("edge", "reflect", "symmetric", "wrap")
EXTREMES = {"maximum": np.max, "minimum": np.min}


def pad(
    array: Any, pad_width: Any, mode: Any = "constant", *, stat_length: Any = None, constant_values: Any = 0,
    end_values: Any = 0, reflect_type: str = "even",
) -> Any:  # fmt: skip
    """np.pad."""
    if not isinstance(mode, str):
        array = np.asarray(array)
        return padded_by(mode, array, pad_pairs(array, pad_width), {})
    if mode == "median":
        array = np.asarray(array)
        return with_medians(array, pad_pairs(array, pad_width), stat_length)
    if reflect_type == "odd" and mode in ("reflect", "symmetric"):
        array = np.asarray(array)
        return reflected_oddly(array, pad_pairs(array, pad_width), 1 if mode == "reflect" else 0, mode)
    return padded(array, pad_width, mode, constant_values, end_values, stat_length)


composition(np.pad, pad)


def padded(
    array: Any, pad_width: Any, mode: str, constant_values: Any = 0, end_values: Any = 0, stat_length: Any = None
) -> Any:
    """np.pad, its keywords by position; each mode takes its own of them."""
    own = {
        "constant": {"constant_values": constant_values}, "linear_ramp": {"end_values": end_values},
        "maximum": {"stat_length": stat_length}, "minimum": {"stat_length": stat_length},
        "mean": {"stat_length": stat_length},
    }  # fmt: skip
    return np.pad(array, pad_width or 0, mode, **own.get(mode, {}))  # type: ignore[call-overload]


rule(
    padded,
    selects=True,
    array=lambda d, out, array, pad_width, mode, constant_values=0, end_values=0, stat_length=None: unpadded(
        d, out, array, pad_width, mode, stat_length
    ),
    constant_values=lambda d, out, array, pad_width, mode, constant_values=0, end_values=0, stat_length=None: borders(
        d, array, pad_pairs(array, pad_width), constant_values
    ),
    end_values=lambda d, out, array, pad_width, mode, constant_values=0, end_values=0, stat_length=None: ends(
        d, out, array, pad_pairs(array, pad_width)
    ),
    compares=True,
    sided={
        "array": lambda d, out, array, pad_width, mode, constant_values=0, end_values=0, stat_length=None: unpadded(
            d, out, array, pad_width, mode, stat_length, "last" if mode == "maximum" else "first"
        )
    },
)


def pad_pairs(array: Any, pad_width: Any) -> list:
    """(before, after) for each axis."""
    if isinstance(pad_width, dict):
        given = {axis % np.ndim(array): width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(given.get(axis, 0), 2).tolist() for axis in range(np.ndim(array))]
    return [tuple(pair) for pair in np.broadcast_to(pad_width or 0, (np.ndim(array), 2)).tolist()]


def unpadded(d: Any, out: Any, array: Any, pad_width: Any, mode: str, stat_length: Any, side: Any = None) -> Any:
    """The inner part of `d`, and what the borders of each axis give back to it."""
    pairs = pad_pairs(array, pad_width)
    if mode in ("constant", "empty"):
        return d[inner(array, pairs, 0)]
    lengths = np.broadcast_to(-1 if stat_length is None else stat_length, (np.ndim(array), 2)).tolist()
    for axis in range(np.ndim(array) - 1, -1, -1):
        (before, after), n = pairs[axis], np.shape(array)[axis]
        if before + after == 0:
            continue
        if mode in COPIES:
            d = folded(d, axis, before, n, mode)
            continue
        left, core = chunk(d, axis, 0, before), chunk(d, axis, before, before + n)
        right = chunk(d, axis, before + n, before + n + after)
        if mode == "linear_ramp":
            d = core + scatter(by_edges(left, right, axis), core, whole_axis([0, n - 1], axis, np.ndim(d)))
        else:
            near = [n if length is None or length < 0 or length > n else length for length in lengths[axis]]
            own = chunk(out[inner(array, pairs, axis + 1)], axis, before, before + n)
            for border, start, count in ((left, 0, near[0]), (right, n - near[1], near[1])):
                total = np.sum(border, axis, keepdims=True)
                if mode == "mean":
                    part = np.broadcast_to(total / count, np.shape(chunk(core, axis, 0, count)))
                else:
                    seen = chunk(own, axis, start, start + count)
                    part = extreme(total, EXTREMES[mode](seen, axis, keepdims=True), seen, axis, True, side=side)
                core = core + (part if count == n else scatter(part, core, index_of(axis, start, count, np.ndim(d))))
            d = core
    return d


def by_edges(left: Any, right: Any, axis: int) -> Any:
    """What straight lines to the edges give back to them: more, the nearer."""
    return np.concatenate(
        [np.sum(left * steps(left, axis, False), axis, keepdims=True),
         np.sum(right * steps(right, axis, True), axis, keepdims=True)], axis,
    )  # fmt: skip


def steps(border: Any, axis: int, falling: bool) -> Any:
    """0, 1/n, ..., (n - 1)/n along an axis, or the same backwards."""
    n = np.shape(border)[axis]
    weights = (np.arange(n) / max(n, 1)).astype(np.result_type(border))
    return np.reshape(weights[::-1] if falling else weights, [-1 if i == axis else 1 for i in range(np.ndim(border))])


def ends(d: Any, out: Any, array: Any, pairs: list) -> Any:
    """The cotangents of the end values of ramps: what `by_edges` leaves of each border."""
    sums = []
    for axis, (before, after) in enumerate(pairs):
        whole = out[inner(array, pairs, axis + 1)]  # the array when its axes up to this one had been padded
        part = unpadded(d, out, whole, [(0, 0)] * (axis + 1) + pairs[axis + 1 :], "linear_ramp", None)
        n = np.shape(part)[axis]
        left, right = chunk(part, axis, 0, before), chunk(part, axis, n - after, n)
        sums.append(
            np.stack([np.sum(left * (1 - steps(left, axis, False))), np.sum(right * (1 - steps(right, axis, True)))])
        )
    return np.stack(sums)


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


def index_of(axis: int, start: int, count: int, ndim: int) -> tuple:
    """The index of `count` elements from `start` on along an axis."""
    return whole_axis(slice(start, start + count), axis, ndim)


def chunk(array: Any, axis: int, start: int, stop: int) -> Any:
    """The elements from `start` to `stop` along an axis."""
    return array[whole_axis(slice(start, stop), axis, np.ndim(array))]


# ---- borders that repeat elements
def folded(d: Any, axis: int, before: int, n: int, mode: str) -> Any:
    """The n elements of `d` from `before` on along an axis, each with those outside that np.pad copies it to."""
    core, end = chunk(d, axis, before, before + n), np.shape(d)[axis]
    outside = np.concatenate([chunk(d, axis, 0, before), chunk(d, axis, before + n, end)], axis)
    source = np.delete(np.pad(np.arange(n), (before, end - n - before), mode), slice(before, before + n))  # type: ignore[call-overload]
    return core + scatter(outside, core, whole_axis(source, axis, np.ndim(d)))


def unfolded(e: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """np.pad along one axis."""
    return np.pad(e, [(before, after) if i == axis else (0, 0) for i in range(np.ndim(e))], mode)


rule(
    folded,
    moves=True,
    d=lambda e, out, d, axis, before, n, mode: unfolded(e, axis, before, np.shape(d)[axis] - n - before, mode),
)
rule(
    unfolded,
    moves=True,
    e=lambda d, out, e, axis, before, after, mode: folded(d, axis, before, np.shape(e)[axis], mode),
)

WORDS.update({padded, folded, unfolded})


# ---- borders that are followed as they are computed
def with_medians(array: Any, pairs: list, stat_length: Any) -> Any:
    """The median of the elements next to each border, all of them unless a length is given."""
    lengths = np.broadcast_to(-1 if stat_length is None else stat_length, (np.ndim(array), 2)).tolist()
    for axis, widths in enumerate(pairs):
        n = np.shape(array)[axis]
        near = [n if length is None or length < 0 or length > n else length for length in lengths[axis]]
        parts = [array]
        for side, width, count in zip((0, n), widths, near, strict=True):
            seen = chunk(array, axis, 0, count) if side == 0 else chunk(array, axis, n - count, n)
            value = np.median(seen, axis=axis, keepdims=True).astype(np.result_type(array))
            shape = [width if i == axis else m for i, m in enumerate(np.shape(value))]
            border = np.broadcast_to(value, shape)
            parts = [border, *parts] if side == 0 else [*parts, border]
        array = np.concatenate(parts, axis)
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
        array = np.concatenate([left, array, right], axis)
    return array


def padded_by(fill: Callable, array: Any, pairs: list, kwargs: dict) -> Any:
    """The user's function fills the borders of each vector in place, one axis after the other."""
    result = np.array(padded(array, pairs, "constant"))
    for axis in range(np.ndim(array)):
        view = np.moveaxis(result, axis, -1)
        for place in np.ndindex(np.shape(view)[:-1]):
            fill(view[place], pairs[axis], axis, kwargs)
    return result
