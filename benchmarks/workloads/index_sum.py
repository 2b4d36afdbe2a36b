"""A sum over neighbours, one element at a time: each access must add to one buffer, not make an array of its own."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += x[i] * x[i + 1]
    return total


def loss_gradient(x):
    """Element by element too: the question is what indexing costs, not what a slice would save."""
    x_bar = np.zeros_like(x)
    for i in range(len(x) - 1):
        x_bar[i] += x[i + 1]
        x_bar[i + 1] += x[i]
    return (x_bar,)


def arguments(n):
    return (rng().standard_normal(n),), {}


WORKLOAD = Workload(
    "index_sum",
    loss,
    loss_gradient,
    (
        Size("100", lambda: arguments(100)),
        Size("10000", lambda: arguments(10_000), target=LARGE),
    ),
)
