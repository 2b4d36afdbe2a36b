"""The `where` trap: lengths of vectors, some of them zero and not looked at; and the same without such a vector.

A gradient that has met the trap is asked again with care; what that costs is the ratio of the second size.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(x, w):
    length = np.sqrt(np.sum(x * x, axis=1))
    return np.sum(w * np.where(length > 0.5, length, 0.5))


def loss_gradient(x, w):
    length = np.sqrt(np.sum(x * x, axis=1))
    inside = length > 0.5
    return (np.where(inside, w / np.where(inside, length, 1.0), 0.0)[:, np.newaxis] * x,)


def arguments(n, zeros):
    x = rng().standard_normal((n, 3))
    x[:zeros] = 0.0
    return (x,), {"w": rng(1).standard_normal(n)}


GAP = (
    "Where the unselected branch is singular the gradient is asked twice, the second time on the traced "
    "tier with counts of what is looked at (convention 4). It would take a compiled second pass."
)

WORKLOAD = Workload(
    "masked_lengths",
    loss,
    loss_gradient,
    (
        Size("100x3", lambda: arguments(100, 0)),
        Size("100x3, trap", lambda: arguments(100, 1)),
        Size("100000x3", lambda: arguments(100_000, 0), target=LARGE),
        Size("100000x3, trap", lambda: arguments(100_000, 1), target=LARGE),
    ),
    gap=GAP,
)
