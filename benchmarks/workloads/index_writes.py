"""A recursive filter, one element at a time: each value is written into an array and read back from it."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import Size, Workload, rng


def loss(x, a, b):
    y = np.zeros(len(x))
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = a * y[i - 1] + b * x[i] * x[i - 1]
    return np.sum(y * y)


def loss_gradient(x, a, b):
    """Element by element too: the question is what indexing costs."""
    y = np.zeros(len(x))
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = a * y[i - 1] + b * x[i] * x[i - 1]
    x_bar, a_bar, b_bar, y_bar = np.zeros_like(x), 0.0, 0.0, 0.0
    for i in range(len(x) - 1, 0, -1):
        before, here = x[i - 1], x[i]
        y_bar = 2 * y[i] + a * y_bar
        a_bar += y_bar * y[i - 1]
        b_bar += y_bar * here * before
        x_bar[i] += y_bar * b * before
        x_bar[i - 1] += y_bar * b * here
    x_bar[0] += 2 * y[0] + a * y_bar
    return x_bar, float(a_bar), float(b_bar)


def arguments(n):
    return (rng().standard_normal(n), 0.9, 0.5), {}


WORKLOAD = Workload(
    "index_writes",
    loss,
    loss_gradient,
    (Size("100", lambda: arguments(100)), Size("10000", lambda: arguments(10_000))),
)
