"""Words that select entries, computed by what NumPy does fastest: the pullbacks of extremes, ties and records.

Each is linear in its first argument and has a rule of its own, so that what it is made of need not be differentiable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import constant, rule
from .vocabulary import whole_axis

BITS = {np.dtype(f"f{n}"): np.dtype(f"i{n}") for n in (2, 4, 8)}
"""A float -> the integer of its size."""

WORDS: set[Callable] = set()
"""The functions of this module that are called, not followed: each has a rule, or no derivative."""


# ---- entries by a mask
def only(d: Any, mask: Any) -> Any:
    """np.where(mask, d, 0). A branch an entry is slow where it cannot be foretold: bits times 0 or 1 take none.

    >>> only(np.array([1.0, np.inf]), np.array([True, False]))
    array([1., 0.])
    """
    bits = BITS.get(getattr(d, "dtype", None))
    if bits is None:
        return np.where(mask, d, 0)
    kept = np.asarray(mask).astype(bits)
    if kept.shape != d.shape:
        return np.multiply(kept, d.view(bits)).view(d.dtype)
    return np.multiply(kept, d.view(bits), out=kept).view(d.dtype)


rule(only, selects=True, d=lambda e, out, d, mask: only(e, mask))


def chosen(d: Any, lost: Any, x: Any, y: Any) -> Any:
    """The cotangent of one of two candidates: none where it lost, half where they tie, all of it where it won."""
    won, tie = only(d, np.logical_not(lost)), np.equal(x, y)
    return np.where(tie, 0.5 * d, won) if tie.any() else won


rule(chosen, selects=True, d=lambda e, out, d, lost, x, y: chosen(e, lost, x, y))


def between(d: Any, a: Any, lower: Any, upper: Any) -> Any:
    """The cotangent of what is kept between two bounds: none outside, half of it at a bound, a quarter at both."""
    inside = only(d, np.logical_not(np.logical_or(np.less(a, lower), np.greater(a, upper))))
    for bound in (lower, upper):
        tie = np.equal(a, bound)
        if np.count_nonzero(tie):
            inside = np.where(tie, 0.5 * inside, inside)
    return inside


rule(between, selects=True, d=lambda e, out, d, a, lower, upper: between(e, a, lower, upper))


# ---- entries of slices
MANY = 2500  # entries, below which it takes longer to find out where the winners stand


def shared(d: Any, winners: Any, axis: Any, others: Any = 0) -> Any:
    """`d` in equal parts to the winners of each slice and `others`; NaN where there is none: the value is NaN.

    Where winners are few among many, they alone are written.
    """
    shape, dtype = np.shape(winners), np.result_type(d)
    if np.size(winners) < MANY or 25 * np.count_nonzero(winners) > np.size(winners):
        number = np.add.reduce(winners, axis=axis, keepdims=True) + others  # whole: half precision counts to 2048 only
        none = number == 0
        if not none.any():
            return only((d / number).astype(dtype), winners)
        return only((d / np.where(none, np.nan, number)).astype(dtype), winners | none)
    places = np.flatnonzero(winners)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    lengths = list(shape)
    for i in axes:
        lengths[i] = 1
    position = np.unravel_index(places, shape)
    slices = tuple([p if n > 1 else np.zeros_like(p) for n, p in zip(lengths, position, strict=True)])
    number = np.bincount(np.ravel_multi_index(slices, lengths), minlength=math.prod(lengths)).reshape(lengths)
    number = number + others
    part = np.broadcast_to((d / np.where(number == 0, np.nan, number)).astype(dtype), lengths)
    result = np.zeros(shape, dtype)
    if np.any(number == 0):
        result += np.where(number == 0, part, 0)
    result[position] = part[slices]
    return result


def gathered(e: Any, winners: Any, axis: Any, others: Any = 0) -> Any:
    """The mean of `e` over the winners of each slice, and `others` that count as zeros."""
    number = np.sum(winners, axis=axis, keepdims=True) + others
    total = np.sum(only(e, winners | (number == 0)), axis=axis, keepdims=True)
    return (total / np.where(number == 0, np.nan, number)).astype(np.result_type(e))


rule(shared, selects=True, d=lambda e, out, d, winners, axis, others=0: gathered(e, winners, axis, others))


# ---- records: the largest (smallest) so far along an axis, and who holds it
def records(out: Any, a: Any, axis: int, side: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the holders of records, slice after slice; their rank in the stretch of a record; what each shares.

    `out` are the accumulated extremes of `a`. A stretch of equal ones begins with a holder; another entry that equals
    them holds the record as well from there on, or takes it over (`side` "last"), or does not ("first"). A NaN is a
    stretch of its own.
    """
    out, a = np.moveaxis(out, axis, -1), np.moveaxis(a, axis, -1)
    length, out, a = out.shape[-1], out.ravel(), a.ravel()
    missing = np.isnan(out)
    holders = np.flatnonzero((a == out) | missing)
    first = (holders % length == 0) | (out[holders] != out[holders - 1])
    number = np.arange(len(holders))
    rank = number - np.maximum.accumulate(np.where(first, number, 0))
    if side is not None:
        holders = holders[first] if side == "first" else holders
        rank = np.zeros_like(holders)
    return holders, rank, np.where(missing[holders], np.nan, rank + 1)


def record_holders(d: Any, extremes: Any, a: Any, axis: int, side: Any = None) -> Any:
    """Each entry of `d` in equal parts to the elements that held the record by then, or to one (convention 2)."""
    moved = np.moveaxis(d, axis, -1)
    result = np.zeros(np.shape(moved), d.dtype)
    if np.size(d) > 0:
        holders, rank, share = records(extremes, a, axis, side)
        parts = (np.add.reduceat(moved.ravel(), holders) / share).astype(d.dtype)
        step = 1
        while step <= np.max(rank):  # to each holder what came after it in its stretch, from the next 1, 2, 4, ...
            parts[:-step] += only(parts[step:], rank[step:] >= step)
            step *= 2
        result.ravel()[holders] = parts
    return np.moveaxis(result, -1, axis)


def held_records(e: Any, extremes: Any, a: Any, axis: int, side: Any = None) -> Any:
    """For each record the mean of `e` over its holders by then."""
    moved = np.moveaxis(e, axis, -1)
    result = np.zeros(np.shape(moved), e.dtype)
    if np.size(e) > 0:
        holders, rank, share = records(extremes, a, axis, side)
        parts = moved.ravel()[holders]
        step = 1
        while step <= np.max(rank):
            parts[step:] += only(parts[:-step], rank[step:] >= step)
            step *= 2
        lengths = np.diff(holders, append=np.size(e))
        result = np.reshape(np.repeat((parts / share).astype(e.dtype), lengths), np.shape(moved))
    return np.moveaxis(result, -1, axis)


rule(
    record_holders,
    selects=True,
    d=lambda e, out, d, extremes, a, axis, side=None: held_records(e, extremes, a, axis, side),
)
rule(
    held_records,
    selects=True,
    e=lambda d, out, e, extremes, a, axis, side=None: record_holders(d, extremes, a, axis, side),
)


# ---- the order of entries
def sorting(a: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    """np.argsort, given the sorted values: equals keep the order they came in; without any, every sort will do."""
    follows = values[whole_axis(slice(1, None), axis, a.ndim)] > values[whole_axis(slice(-1), axis, a.ndim)]
    lines = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    return np.moveaxis(np.argsort(lines, -1, kind=None if np.all(follows) else "stable"), -1, axis)


def placed(d: Any, where: np.ndarray, axis: int) -> Any:
    """The opposite of np.take_along_axis, each place being named once."""
    moved = np.moveaxis(where, axis, -1)
    starts = np.arange(0, moved.size, moved.shape[-1] or 1).reshape(*moved.shape[:-1], 1)
    result = np.empty(moved.size, d.dtype)
    result[(moved + starts).ravel()] = np.moveaxis(d, axis, -1).ravel()
    return np.moveaxis(result.reshape(moved.shape), -1, axis)


rule(placed, moves=True, d=lambda e, out, d, where, axis: np.take_along_axis(e, where, axis))


def evened(d: Any, values: np.ndarray, axis: int) -> Any:
    """`d` with the mean of their entries for those of sorted values that are equal."""
    moved, values = np.moveaxis(d, axis, -1), np.moveaxis(values, axis, -1)
    begins = np.ones(np.shape(values), bool)
    begins[..., 1:] = values[..., 1:] != values[..., :-1]
    if np.all(begins):
        return d
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=begins.size)
    wide = np.result_type(d, np.float32)  # half precision counts to 2048 only
    means = (np.add.reduceat(np.ravel(moved), starts, dtype=wide) / lengths.astype(wide)).astype(d.dtype)
    return np.moveaxis(np.reshape(np.repeat(means, lengths), np.shape(moved)), -1, axis)


rule(evened, selects=True, d=lambda e, out, d, values, axis: evened(e, values, axis))


# ---- diagonals
def on_diagonal(d: Any, a: Any, offset: int, axis1: int, axis2: int) -> Any:
    """Zeros in the shape of `a` but for its diagonal, which is `d`."""
    result = np.zeros(np.shape(a), np.result_type(d))
    moved = np.moveaxis(result, (axis1, axis2), (-2, -1))
    along = np.arange(max(min(moved.shape[-2] + min(offset, 0), moved.shape[-1] - max(offset, 0)), 0))
    moved[..., along + max(-offset, 0), along + max(offset, 0)] = d
    return result


rule(
    on_diagonal,
    moves=True,
    d=lambda e, out, d, a, offset, axis1, axis2: np.diagonal(e, offset, axis1, axis2),
)


# ---- masks
def left_by_delete(length: int, obj: Any) -> np.ndarray:
    """Which elements np.delete leaves?"""
    left = np.ones(length, bool)
    left[obj if isinstance(obj, slice) else np.asarray(obj, None if np.size(obj) else int)] = False
    return left


def as_mask(condition: Any, length: int) -> np.ndarray:
    """The condition of np.compress, which may be shorter than the axis, as a mask of its length."""
    mask = np.zeros(length, bool)
    mask[np.flatnonzero(condition)] = True
    return mask


constant(sorting, left_by_delete, as_mask)
WORDS |= {
    only,
    chosen,
    between,
    shared,
    record_holders,
    held_records,
    placed,
    evened,
    sorting,
    left_by_delete,
    as_mask,
    on_diagonal,
}
