"""Medians, quantiles and percentiles: of several fractions, by every method, with weights, and without NaNs.

A quantile is made of the two elements of the sorted slice between which its place lies. Where that place is, NumPy says
itself: at the same quantile of the numbers 0, 1, 2, ... So a method that NumPy has needs no formula here, unless the
fraction carries a derivative: the methods that interpolate are lines in it, the others steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .indexing import scatter
from .reductions import real_type
from .registry import composition, constant, rule
from .selection import shared
from .vocabulary import refuse

PARAMETERS = {
    "linear": (1, 1), "interpolated_inverted_cdf": (0, 1), "hazen": (0.5, 0.5), "weibull": (0, 0),
    "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip
"""The methods whose place moves with the fraction, n q + α + q (1 - α - β) - 1, with their α and β."""


# ---- what the program calls
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """np.median."""
    return delivered(summary(a, None, np.median, axis, keepdims), out)


def nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """np.nanmedian."""
    return delivered(summary(a, None, np.nanmedian, axis, keepdims), out)


def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """np.quantile."""
    return delivered(summary(a, q, np.quantile, axis, keepdims, method, weights), out)


def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """np.percentile."""
    return delivered(summary(a, q, np.percentile, axis, keepdims, method, weights), out)


def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """np.nanquantile."""
    return delivered(summary(a, q, np.nanquantile, axis, keepdims, method, weights), out)


def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """np.nanpercentile."""
    return delivered(summary(a, q, np.nanpercentile, axis, keepdims, method, weights), out)


def delivered(value: Any, out: Any) -> Any:
    """The value, in the array that is to hold it, if one is."""
    if out is None:
        return value
    out[...] = value
    return out


composition(np.median, median)
composition(np.nanmedian, nanmedian)
composition(np.quantile, quantile)
composition(np.percentile, percentile)
composition(np.nanquantile, nanquantile)
composition(np.nanpercentile, nanpercentile)


# ---- the primitive
def summary(a: Any, q: Any, kind: Any, axis: Any, kept: bool, method: str = "linear", weights: Any = None) -> Any:
    """What NumPy's function `kind` gives: of `a`, at the fractions `q` unless it is a median."""
    return kind(a, axis=axis, keepdims=kept, **options(q, method, weights))


def options(q: Any, method: str, weights: Any) -> dict:
    """The arguments that say which quantile is meant; NumPy 1 knows no weights."""
    if q is None:
        return {}
    return {"q": q, "method": method} if weights is None else {"q": q, "method": method, "weights": weights}


rule(
    summary,
    selects=True,
    a=lambda d, out, a, q, kind, axis, kept, method="linear", weights=None: to_elements(
        d, a, q, kind, axis, method, weights, False
    ),
    q=lambda d, out, a, q, kind, axis, kept, method="linear", weights=None: to_fractions(
        d, a, q, kind, axis, method, weights
    ),
    compares=True,
    sided={
        "a": lambda d, out, a, q, kind, axis, kept, method="linear", weights=None: to_elements(
            d, a, q, kind, axis, method, weights, True
        )
    },
)


def to_elements(d: Any, a: Any, q: Any, kind: Any, axis: Any, method: str, weights: Any, sided: bool) -> Any:
    """`d` in parts to the elements around each place: each gets more, the nearer it is.

    A slice with a NaN in it, where NaNs count, and one of nothing but NaNs have NaN (convention 5).
    """
    rows = as_rows(a, axis)
    if by_lines(kind, method, weights):
        virtual, last = lines(rows, q, kind, method)
        place = np.where(virtual < 0, 0, np.where(virtual > last, last, virtual)) + np.zeros(len(rows))
    else:
        place = places(rows, q, kind, method, as_rows(weighing(a, axis, weights), axis))
    part = (place - np.floor(place)).astype(real_type(d)).T
    d = np.reshape(d, (-1, len(rows))).T
    ranks = neighbours(place, numbers(rows, kind) - 1)
    parts = np.concatenate([d * (1 - part), d * part], 1)
    return from_rows(spread(parts, rows, ranks, sided) * undecided(rows, kind, d), a, axis)


def to_fractions(d: Any, a: Any, q: Any, kind: Any, axis: Any, method: str, weights: Any) -> Any:
    """How much a quantile grows with its fraction: the slope of the polygon through the sorted elements.

    At a corner of it that is the mean of the slopes to both sides (convention 2), at its ends the one inside (3).
    """
    if not by_lines(kind, method, weights):
        return None
    rows = as_rows(a, axis)
    virtual, last = lines(rows, q, kind, method)
    place = np.clip(virtual, 0, last)
    low, high = np.maximum(np.ceil(place) - 1, 0), np.minimum(np.floor(place) + 1, last)
    inside = (virtual >= 0) & (virtual <= last) & (high > low)
    ends = at_ranks(rows, np.concatenate([low, high]).astype(int).T).T
    fractions = len(place)
    scale = np.where(inside, speed(last, kind, method) / np.where(inside, high - low, 1), 0)
    rise = (ends[fractions:] - ends[:fractions]) * scale.astype(real_type(rows))
    return np.reshape(np.sum(np.reshape(d, (-1, len(rows))) * rise * undecided(rows, kind, 1).T, 1), np.shape(q))


def by_lines(kind: Any, method: str, weights: Any) -> bool:
    """Does the place move with the fraction?"""
    return kind not in (np.median, np.nanmedian) and method in PARAMETERS and weights is None


def speed(last: Any, kind: Any, method: str) -> Any:
    """How fast the place moves with the fraction."""
    alpha, beta = PARAMETERS[method]
    return (last + 2 - alpha - beta) / (100 if kind in (np.percentile, np.nanpercentile) else 1)


def lines(rows: Any, q: Any, kind: Any, method: str) -> tuple:
    """The place of each quantile, which may lie outside of the slice, and that of the last element."""
    last = numbers(rows, kind) - 1
    return np.reshape(q, (-1, 1)) * speed(last, kind, method) + (PARAMETERS[method][0] - 1), last


# ---- slices as rows
def as_rows(a: Any, axis: Any) -> Any:
    """A matrix whose rows are the slices that are reduced; None for None."""
    if a is None:
        return None
    others, axes = split(a, axis)
    moved = np.transpose(a, others + axes)
    shape = np.shape(moved)
    return np.reshape(moved, (int(np.prod(shape[: len(others)])), int(np.prod(shape[len(others) :]))))


def from_rows(rows: Any, a: Any, axis: Any) -> Any:
    """The array with these rows for its slices, of the shape of `a`."""
    others, axes = split(a, axis)
    shape = tuple([np.shape(a)[i] for i in others + axes])
    return np.transpose(np.reshape(rows, shape), tuple(np.argsort(others + axes)))


def split(a: Any, axis: Any) -> tuple:
    """The axes that stay, and those that are reduced."""
    ndim = np.ndim(a)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple([i % ndim for i in axes])
    return tuple([i for i in range(ndim) if i not in axes]), axes


def weighing(a: Any, axis: Any, weights: Any) -> Any:
    """Weights in the shape of `a`: those of one axis alone lie along it."""
    if weights is None or np.shape(weights) == np.shape(a):
        return weights
    if np.ndim(weights) == 1 and not isinstance(axis, tuple | list):
        weights = np.reshape(weights, np.shape(weights) + (1,) * (np.ndim(a) - 1 - axis % np.ndim(a)))
        return np.broadcast_to(weights, np.shape(a))
    return refuse("a quantile with weights of several axes", "weights of the shape of the array")


# ---- places and ranks, which carry no derivative
def places(rows: np.ndarray, q: Any, kind: Any, method: str, weights: np.ndarray | None) -> np.ndarray:
    """Where in its sorted slice each quantile lies: one row a fraction, one column a slice; 0 where there is none."""
    ranks = np.broadcast_to(np.arange(np.shape(rows)[1], dtype=float), np.shape(rows))
    n = numbers(rows, kind)
    if np.ndim(n):
        ranks = np.where(ranks < n[:, None], ranks, np.nan)
    elif weights is None:
        ranks = ranks[:1]
    if weights is not None:
        weights = np.take_along_axis(weights, np.argsort(rows, -1, kind="stable"), -1)
    empty = np.isnan(ranks).all(-1)
    ranks = np.where(empty[:, None], 0.0, ranks)
    place = np.reshape(kind(ranks, axis=-1, **options(q, method, weights)), (-1, len(ranks)))
    return np.broadcast_to(place, (len(place), len(rows)))


def numbers(rows: np.ndarray, kind: Any) -> Any:
    """How many elements of each slice count."""
    if kind in (np.nanmedian, np.nanquantile, np.nanpercentile) and np.isnan(rows).any():
        return np.maximum(np.sum(~np.isnan(rows), -1), 1)
    return np.shape(rows)[1]


def undecided(rows: np.ndarray, kind: Any, d: Any) -> np.ndarray:
    """One for each slice, NaN for those whose value is NaN, unless nothing looks at it."""
    absent = np.isnan(rows)
    lost = absent.all(-1) if kind in (np.nanmedian, np.nanquantile, np.nanpercentile) else absent.any(-1)
    lost = lost & np.any(np.not_equal(d, 0), -1)
    return np.where(lost, np.nan, 1).astype(real_type(rows))[:, None]


def neighbours(place: np.ndarray, last: Any) -> np.ndarray:
    """The ranks around each place, those below before those above."""
    below = np.floor(place).astype(int)
    return np.concatenate([below, np.minimum(below + 1, last)]).T


constant(places, numbers, undecided, neighbours)


# ---- elements by rank
def at_ranks(rows: Any, ranks: Any) -> Any:
    """Of each row the elements that stand at these places when it is sorted."""
    return np.take_along_axis(np.partition(rows, np.unique(ranks), -1), ranks, -1)


rule(
    at_ranks,
    selects=True,
    rows=lambda d, out, rows, ranks: spread(d, rows, ranks, False),
    compares=True,
    sided={"rows": lambda d, out, rows, ranks: spread(d, rows, ranks, True)},
)


def spread(d: Any, rows: Any, ranks: Any, sided: bool) -> Any:
    """Zeros in the shape of `rows`, with `d` added to the elements of these ranks; those that tie share (convention 2).

    `sided`: it all goes to the one that a stable sort puts there.
    """
    if sided:
        chosen = np.take_along_axis(np.argsort(rows, -1, kind="stable"), ranks, -1)
        return scatter(d, rows, (np.arange(len(rows))[:, None], chosen))
    values = at_ranks(rows, ranks)
    result, absent = np.zeros_like(rows), np.isnan(rows)
    for k in range(np.shape(ranks)[1]):
        value = values[:, k : k + 1]
        result = result + shared(d[:, k : k + 1], (rows == value) | (absent & np.isnan(value)), -1)
    return result
