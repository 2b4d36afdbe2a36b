"""The scalar loop with its body in a function of its own: what a call costs."""

from __future__ import annotations

import math

from benchmarks.workloads.scalar_loop import ITERATIONS, loss_gradient
from benchmarks.workloads.workload import Size, Workload


def step(x, a):
    return math.sin(x) * a + x / 2


def loss(x, a):
    for _ in range(ITERATIONS):
        x = step(x, a)
    return x


WORKLOAD = Workload("scalar_loop_helper", loss, loss_gradient, (Size("100", lambda: ((0.7, 1.93), {})),))
