"""A recurrent network: a loop that carries an array and saves one array a step."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(w, u, b, xs):
    h = np.zeros(xs.shape[1:])
    for x in xs:
        h = np.tanh(x @ w + h @ u + b)
    return np.sum(h * h)


def loss_gradient(w, u, b, xs):
    h = np.zeros(xs.shape[1:])
    before = []
    for x in xs:
        before.append(h)
        h = np.tanh(x @ w + h @ u + b)
    w_bar, u_bar, b_bar = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    h_bar = 2 * h
    for x, h_before in zip(reversed(xs), reversed(before), strict=True):
        z_bar = h_bar * (1 - h * h)
        w_bar += x.T @ z_bar
        u_bar += h_before.T @ z_bar
        b_bar += z_bar.sum(axis=0)
        h_bar = z_bar @ u.T
        h = h_before
    return w_bar, u_bar, b_bar


def arguments(steps, width):
    """`steps` inputs of shape (width, width), batch and features alike."""
    draw = rng().standard_normal
    w, u = draw((width, width)) / width**0.5, draw((width, width)) / width**0.5
    return (w, u, 0.1 * draw(width)), {"xs": draw((steps, width, width))}


WORKLOAD = Workload(
    "rnn",
    loss,
    loss_gradient,
    (
        Size("10x4x4", lambda: arguments(10, 4)),
        Size("50x32x32", lambda: arguments(50, 32), target=1.1),
        Size("50x256x256", lambda: arguments(50, 256), target=LARGE),
    ),
)
