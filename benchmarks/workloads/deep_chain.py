"""Operations in a chain, each on the result of the one before: depth, with next to no arithmetic."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import Size, Workload, rng


def loss(x, a, steps):
    """Three operations a step, of a flow that takes one unit of time however many there are."""
    rate = a / steps
    for _ in range(steps):
        x = x + rate * np.sin(x)
    return np.sum(x)


def loss_gradient(x, a, steps):
    rate = a / steps
    saved = []
    for _ in range(steps):
        saved.append(x)
        x = x + rate * np.sin(x)
    x_bar, rate_bar = np.ones_like(x), np.zeros_like(rate)
    for x in reversed(saved):
        rate_bar += x_bar * np.sin(x)
        x_bar += x_bar * rate * np.cos(x)
    return x_bar, rate_bar / steps


def arguments(steps):
    draw = rng().random
    return (1.0 + draw(4), 0.5 + draw(4)), {"steps": steps}


WORKLOAD = Workload(
    "deep_chain",
    loss,
    loss_gradient,
    (Size("102 operations", lambda: arguments(34)), Size("100002 operations", lambda: arguments(33_334))),
)
