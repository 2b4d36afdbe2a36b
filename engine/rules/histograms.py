"""Histograms: counts are steps in the data and linear in the weights; edges that nobody gave move with the extremes.

So a histogram of weights has a derivative, and so has a density whose bins follow the smallest and the largest number.
What is counted where is NumPy's own business: the values are its values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition, constant, rule
from .vocabulary import rebased


# ---- one dimension
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> tuple:
    """Counts, or sums of weights, and the edges of the bins."""
    edges = histogram_bin_edges(a, bins, range, weights)
    counts = counted(np.ravel(a), bins, range, None if weights is None else np.ravel(weights))
    if density:
        return counts / np.diff(edges) / np.sum(counts), edges
    return counts, edges


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges: as they are given, or between the extremes, in a number of steps that does not depend on them."""
    found = edges_of(a, bins, range, weights)
    if np.ndim(bins) == 1:
        return np.asarray(bins)
    return found if range is not None else spaced(np.ravel(a), found)


def spaced(a: Any, found: np.ndarray) -> Any:
    """The edges that NumPy found, moving with the extremes of `a`: bins of one number are half a step to each side."""
    if np.size(a) == 0:
        return found
    low, high = np.min(a), np.max(a)
    middle = 0.5 if np.equal(low, high) else 0.0
    steps = np.linspace(0.0, 1.0, len(found))
    return rebased(found, (low - middle) * (1 - steps) + (high + middle) * steps)


def counted(a: np.ndarray, bins: Any, range: Any, weights: Any) -> np.ndarray:
    """np.histogram's counts."""
    return np.histogram(a, bins, range, weights=weights)[0]


rule(
    counted,
    selects=True,
    weights=lambda d, out, a, bins, range, weights: from_bins(d, places(a, edges_of(a, bins, range, None))),
)


def from_bins(d: Any, place: np.ndarray) -> Any:
    """For each number the entry of its bin, zero for those outside."""
    return np.where(place >= 0, d[place], 0)


def places(a: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The number of each element's bin, -1 outside; the last bin has its upper edge."""
    place = np.searchsorted(edges, a, "right") - 1
    place = np.where(a == edges[-1], len(edges) - 2, place)
    return np.where(place < len(edges) - 1, place, -1)


def edges_of(a: np.ndarray, bins: Any, range: Any, weights: Any) -> np.ndarray:
    """np.histogram's edges."""
    return np.histogram_bin_edges(a, bins, range, weights)


# ---- several dimensions
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> tuple:
    """Counts, or sums of weights, in boxes, and the edges along each axis."""
    sample = np.atleast_2d(sample).T if np.ndim(sample) != 2 or isinstance(sample, list | tuple) else np.asarray(sample)
    counts = counted_in_boxes(sample, bins, range, weights)
    found = box_edges(sample, bins, range)
    edges = [
        spaced(sample[:, i], edge) if follows(bins, range, i) else given(bins, i, edge) for i, edge in enumerate(found)
    ]
    if density:
        counts = counts / np.sum(counts)
        for i, edge in enumerate(edges):
            counts = counts / np.reshape(np.diff(edge), [-1 if i == j else 1 for j in np.arange(len(edges))])
    return counts, tuple(edges)


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple:  # fmt: skip
    """Counts, or sums of weights, in rectangles, and the edges along both axes."""
    if not isinstance(bins, int) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, edges = histogramdd(np.stack([x, y], 1), bins, range, density, weights)
    return counts, edges[0], edges[1]


def follows(bins: Any, range: Any, i: int) -> bool:
    """Do the edges along this axis follow the data: has nobody given them, nor their range?"""
    own = bins if isinstance(bins, int) else bins[i]
    return np.ndim(own) == 0 and (range is None or range[i] is None)


def given(bins: Any, i: int, found: np.ndarray) -> Any:
    """The edges along an axis that the program gives, or NumPy's between the ends that it gives."""
    own = bins[i] if isinstance(bins, list | tuple) else found
    return np.asarray(own) if np.ndim(own) == 1 else found


def counted_in_boxes(points: np.ndarray, bins: Any, range: Any, weights: Any) -> np.ndarray:
    """np.histogramdd's counts."""
    return np.histogramdd(points, bins, range, weights=weights)[0]


rule(
    counted_in_boxes,
    selects=True,
    weights=lambda d, out, points, bins, range, weights: from_bins(
        np.ravel(d), boxes(points, box_edges(points, bins, range), np.shape(out))
    ),
)


def box_edges(sample: np.ndarray, bins: Any, range: Any) -> tuple:
    """np.histogramdd's edges."""
    return tuple(np.histogramdd(sample, bins, range)[1])


def boxes(sample: np.ndarray, edges: tuple, shape: tuple) -> np.ndarray:
    """The flat number of each point's box, -1 outside."""
    along = [places(sample[:, i], edge) for i, edge in enumerate(edges)]
    inside = np.all([place >= 0 for place in along], 0)
    return np.where(inside, np.ravel_multi_index([np.where(inside, place, 0) for place in along], shape), -1)


constant(places, edges_of, box_edges, boxes, follows)
composition(np.histogram, histogram)
composition(np.histogram_bin_edges, histogram_bin_edges)
composition(np.histogramdd, histogramdd)
composition(np.histogram2d, histogram2d)
