"""A network with one hidden layer and a squared loss, on flat arguments: matrix products with little between them."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import Size, Workload, rng


def loss(w1, b1, w2, b2, x, y):
    h = np.tanh(x @ w1 + b1)
    r = h @ w2 + b2 - y
    return np.mean(r * r)


def loss_gradient(w1, b1, w2, b2, x, y):
    h = np.tanh(x @ w1 + b1)
    r_bar = (h @ w2 + b2 - y) * (2 / y.size)
    z_bar = (r_bar @ w2.T) * (1 - h * h)
    return x.T @ z_bar, z_bar.sum(axis=0), h.T @ r_bar, r_bar.sum(axis=0)


def arguments(batch, width):
    """A batch of `batch` rows through width-width-1."""
    draw = rng().standard_normal
    w1, w2 = draw((width, width)) / width**0.5, draw((width, 1)) / width**0.5
    b1, b2 = 0.1 * draw(width), 0.1 * draw(1)
    return (w1, b1, w2, b2), {"x": draw((batch, width)), "y": draw((batch, 1))}


WORKLOAD = Workload(
    "mlp",
    loss,
    loss_gradient,
    (
        Size("32x64-64-1", lambda: arguments(32, 64), target=1.2),
        Size("256x512-512-1", lambda: arguments(256, 512), target=1.05),
    ),
)
