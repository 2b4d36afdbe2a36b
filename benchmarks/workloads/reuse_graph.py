"""Every value is used several times over: 3**n paths lead through n steps, and each edge must be walked once."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(x, y, steps):
    for _ in range(steps):
        s = np.tanh(x + y)
        x, y = s * x - y, s + 0.5 * x
    return np.sum(x * y)


def loss_gradient(x, y, steps):
    saved = []
    for _ in range(steps):
        s = np.tanh(x + y)
        saved.append((x, s))
        x, y = s * x - y, s + 0.5 * x
    x_bar, y_bar = y, x
    for x, s in reversed(saved):
        t_bar = (x_bar * x + y_bar) * (1 - s * s)
        x_bar, y_bar = t_bar + x_bar * s + 0.5 * y_bar, t_bar - x_bar
    return x_bar, y_bar


def arguments(n, steps):
    draw = rng().standard_normal
    return (draw(n), draw(n)), {"steps": steps}


GAP = (
    "The argument of tanh is saved beside its value: the slope asks for it where tanh is flat (|x| > 19), "
    "which 1 - tanh(x)^2 has no digits for, and looks for such places in a pass of its own. It is the "
    "price of being right there."
)

WORKLOAD = Workload(
    "reuse_graph",
    loss,
    loss_gradient,
    (
        Size("n=10,steps=30", lambda: arguments(10, 30)),
        Size("n=100000,steps=30", lambda: arguments(100_000, 30), target=LARGE),
    ),
    gap=GAP,
)
