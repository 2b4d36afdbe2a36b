"""Views that name elements several times: sliding windows and strides; what goes back is summed over all the places."""

from __future__ import annotations

from typing import Any

import numpy as np

from .indexing import scatter
from .registry import rule
from .vocabulary import refuse

sliding_window_view = np.lib.stride_tricks.sliding_window_view
as_strided = np.lib.stride_tricks.as_strided

rule(
    sliding_window_view,
    selects=True,
    x=lambda d, out, x, window_shape, axis=None, *, subok=False, writeable=False: from_windows(
        d, x, window_shape, axis
    ),
)


def from_windows(d: Any, x: Any, window_shape: Any, axis: Any) -> np.ndarray:
    """Zeros in the shape of `x`, with the windows of `d` added where they were taken: one addition a place in a window.

    >>> from_windows(np.ones((3, 2)), np.zeros(4), 2, None)
    array([1., 2., 2., 1.])
    """
    window = tuple(window_shape) if np.ndim(window_shape) else (window_shape,)
    ndim = np.ndim(x)
    axes = range(ndim) if axis is None else tuple(axis) if np.ndim(axis) else (axis,)
    result = np.zeros(np.shape(x), np.result_type(d))
    counts = np.shape(d)[:ndim]
    for offsets in np.ndindex(window):
        starts = [0] * ndim
        for a, offset in zip(axes, offsets, strict=True):
            starts[a] += offset
        where = tuple([slice(s, s + n) for s, n in zip(starts, counts, strict=True)])
        result[where] += d[(..., *offsets)]
    return result


rule(
    from_windows,
    moves=True,
    d=lambda e, out, d, x, window_shape, axis: sliding_window_view(e, window_shape, axis),
)

rule(
    as_strided,
    selects=True,
    x=lambda d, out, x, shape=None, strides=None, subok=False, writeable=True: np.reshape(
        scatter(d, np.ravel(x), element_numbers(x, shape, strides)), np.shape(x)
    ),
)


def offsets(shape: Any, strides: Any) -> np.ndarray:
    """How many bytes behind the first element each one lies."""
    result = np.zeros(shape, np.intp)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        result = result + np.reshape(np.arange(n) * stride, [-1] + [1] * (len(shape) - axis - 1))
    return result


def element_numbers(x: Any, shape: Any, strides: Any) -> np.ndarray:
    """For each element of as_strided(x, shape, strides) the number of the element of `x` that it is."""
    shape = np.shape(x) if shape is None else shape
    wanted = offsets(shape if np.ndim(shape) else (shape,), x.strides if strides is None else strides)
    own = np.ravel(offsets(np.shape(x), x.strides))
    order = np.argsort(own, kind="stable")
    places = np.minimum(np.searchsorted(own[order], wanted), len(own) - 1)
    if np.any(own[order][places] != wanted):
        refuse("np.lib.stride_tricks.as_strided beyond the elements of its argument", "take a view of the whole array")
    return order[places]
