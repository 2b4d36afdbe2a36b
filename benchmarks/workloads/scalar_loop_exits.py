"""The scalar loop left by `break`, by `return` or at its end, with iterations cut short by `continue`."""

from __future__ import annotations

import math
from math import cos, sin

from benchmarks.workloads.workload import Size, Workload

ITERATIONS = 100


def loss(x, a, limit):
    total = 0.0
    for _ in range(ITERATIONS):
        if abs(x) > 2.0:
            x = x / 4
            continue
        x = math.sin(x) * a + x / 2
        total = total + x
        if total > limit:
            break
        if total < -limit:
            return total * a
    return total


def loss_gradient(x, a, limit):
    """The values of x alone tell which way each iteration went."""
    saved = []
    x_bar, a_bar, total_bar = 0.0, 0.0, 1.0
    total = 0.0
    for _ in range(ITERATIONS):
        saved.append(x)
        if abs(x) > 2.0:
            x = x / 4
            continue
        x = sin(x) * a + x / 2
        total += x
        if total > limit:
            break
        if total < -limit:
            a_bar, total_bar = total, a
            break
    for x in reversed(saved):
        if abs(x) > 2.0:
            x_bar /= 4
        else:
            x_bar += total_bar
            a_bar += x_bar * sin(x)
            x_bar *= a * cos(x) + 0.5
    return x_bar, a_bar


GAP = (
    "How a loop is left goes through flags, `returns` and its like, in either direction; by hand it is a "
    "break and the saved values tell the way. It would take exits as a node of their own in the core."
)

WORKLOAD = Workload(
    "scalar_loop_exits",
    loss,
    loss_gradient,
    (
        Size("break", lambda: ((0.7, 2.1), {"limit": 145.0})),
        Size("return", lambda: ((-0.7, 2.1), {"limit": 145.0})),
        Size("100", lambda: ((0.7, 2.1), {"limit": 1000.0})),
    ),
    gap=GAP,
)
