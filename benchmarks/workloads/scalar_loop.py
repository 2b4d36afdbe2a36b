"""A hundred iterations on two floats: what is left of an engine's overhead when the arithmetic costs nothing."""

from __future__ import annotations

import math
from math import cos, sin

from benchmarks.workloads.workload import Size, Workload

ITERATIONS = 100


def loss(x, a):
    for _ in range(ITERATIONS):
        x = math.sin(x) * a + x / 2
    return x


def loss_gradient(x, a):
    """Saves x only: computing sin(x) again is cheaper than saving it."""
    saved = []
    for _ in range(ITERATIONS):
        saved.append(x)
        x = sin(x) * a + x / 2
    x_bar, a_bar = 1.0, 0.0
    for x in reversed(saved):
        a_bar += x_bar * sin(x)
        x_bar *= a * cos(x) + 0.5
    return x_bar, a_bar


WORKLOAD = Workload("scalar_loop", loss, loss_gradient, (Size("100", lambda: ((0.7, 1.93), {})),))
