"""Newton's direction for the centroids of clusters: a gradient, and the diagonal of a Hessian that has nothing else."""

from __future__ import annotations

import numpy as np

import engine
from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def cost(centroids, points):
    """The sum of squared distances to the nearest centroid."""
    squares = np.sum(centroids * centroids, axis=1) - 2 * points @ centroids.T
    return np.sum(np.min(squares, axis=1)) + np.sum(points * points)


def direction(centroids, points):
    """Both derivatives in one go: the Hessian is diagonal, and its product with ones is its diagonal."""

    def gradient(c):
        return engine.grad(cost)(c, points)

    slope, diagonal = engine.jvp(gradient, (centroids,), (np.ones_like(centroids),))
    return (slope / diagonal,)


def direction_by_hand(centroids, points):
    squares = np.sum(centroids * centroids, axis=1) - 2 * points @ centroids.T
    nearest = np.argmin(squares, axis=1)
    k = len(centroids)
    sums = np.stack([np.bincount(nearest, x, minlength=k) for x in points.T], axis=1)
    return (centroids - sums / np.bincount(nearest, minlength=k)[:, np.newaxis],)


def arguments(k, n, d):
    """The centroids are points: each has at least one that is nearest to it."""
    points = rng().random((n, d))
    return (points[-k:].copy(),), {"points": points}


GAP = (
    "The minimum is pulled back as an array of shares, dense, and twice, for the diagonal of the Hessian "
    "is a product with ones; by hand a count by index is all. It would take a cotangent of a minimum that "
    "stays an index."
)

WORKLOAD = Workload(
    "kmeans",
    cost,
    direction_by_hand,
    (
        Size("k=3,n=30,d=2", lambda: arguments(3, 30, 2)),
        Size("k=10,n=1000,d=8", lambda: arguments(10, 1000, 8)),
        Size("k=100,n=10000,d=16", lambda: arguments(100, 10_000, 16), target=LARGE),
    ),
    derivative=direction,
    gap=GAP,
)
