"""Sequences of numbers in equal steps or ratios: the derivative by their bounds, each weighted by where a point lies.

A point of linspace is (1 - t) start + t stop, with t from 0 to 1; of logspace and geomspace it is the exponent that is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import rule, vjp_of
from .vocabulary import conj


@vjp_of(np.arange)
def arange(d: Any, out: Any, *args: Any, dtype: Any = None, device: Any = None, like: Any = None) -> tuple:
    """start + i step; `stop` decides about the length only."""
    start, step = np.sum(d), np.sum(d * np.arange(np.size(out), dtype=np.result_type(d)))
    return ((None,), (start, None), (start, None, step))[len(args) - 1]


def weights(like: Any, num: int, endpoint: bool, axis: int) -> Any:
    """t, from 0 to 1, along `axis` of an array with the dimensions and the dtype of `like`."""
    t = (np.arange(num) / max(num - 1 if endpoint else num, 1)).astype(np.result_type(like))
    shape = [1] * np.ndim(like)
    shape[axis] = num
    return np.reshape(t, shape)


rule(
    np.linspace,
    start=lambda d, out, start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None:
    by_bound(d, num, endpoint, retstep, axis, -1),
    stop=lambda d, out, start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None:
    by_bound(d, num, endpoint, retstep, axis, 1),
)  # fmt: skip


def by_bound(d: Any, num: int, endpoint: bool, retstep: bool, axis: int, sign: int) -> Any:
    """The cotangent of `stop` (sign 1) or `start` (-1) of linspace, from those of the points and of the step."""
    points, step = d if retstep else (d, None)
    result = None
    if points is not None:
        t = weights(points, num, endpoint, axis)
        result = np.sum(points * (t if sign > 0 else 1 - t), axis)
    if step is not None:
        parts = num - 1 if endpoint else num
        share = np.multiply(step, sign / parts if parts > 0 else np.nan)  # a single point: the step is NaN
        result = share if result is None else result + share
    return result


rule(
    np.logspace,
    start=lambda d, out, start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.sum(
        d * conj(out * log_of(base, out, axis) * (1 - weights(out, num, endpoint, axis))), axis),
    stop=lambda d, out, start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.sum(
        d * conj(out * log_of(base, out, axis) * weights(out, num, endpoint, axis)), axis),
    base=lambda d, out, start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.sum(
        d * conj(out / beside(base, out, axis) * exponents(out, start, stop, num, endpoint, axis)), axis),
)  # fmt: skip

rule(
    np.geomspace,
    start=lambda d, out, start, stop, num=50, endpoint=True, dtype=None, axis=0: np.sum(
        d * conj(out / beside(start, out, axis) * (1 - weights(out, num, endpoint, axis))), axis),
    stop=lambda d, out, start, stop, num=50, endpoint=True, dtype=None, axis=0: np.sum(
        d * conj(out / beside(stop, out, axis) * weights(out, num, endpoint, axis)), axis),
)  # fmt: skip


def beside(bound: Any, out: Any, axis: int) -> Any:
    """A bound with the axis of the points, of length one: it broadcasts over them."""
    if np.ndim(bound) == 0:
        return bound
    shape = list(np.shape(out))
    del shape[axis]
    return np.expand_dims(np.broadcast_to(bound, shape), axis)


def log_of(base: Any, out: Any, axis: int) -> Any:
    """The logarithm of the base, in the precision of the points."""
    return np.log(np.asarray(beside(base, out, axis)).astype(np.result_type(out)))


def exponents(out: Any, start: Any, stop: Any, num: int, endpoint: bool, axis: int) -> Any:
    """The exponents of logspace."""
    t = weights(out, num, endpoint, axis)
    return beside(start, out, axis) * (1 - t) + beside(stop, out, axis) * t
