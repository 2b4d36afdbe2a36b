"""A recurrence kept in a list that grows: state that has an identity, and is read back through it."""

from __future__ import annotations

import math
from math import cos, sin

from benchmarks.workloads.workload import Size, Workload, rng


def loss(xs, a):
    ys = [0.0]
    for x in xs:
        ys.append(math.sin(x) * a + ys[-1] / 2)
    total = 0.0
    for y in ys:
        total += y * y
    return total


def loss_gradient(xs, a):
    y, ys = 0.0, []
    for x in xs:
        y = sin(x) * a + y / 2
        ys.append(y)
    y_bar, a_bar, xs_bar = 0.0, 0.0, []
    for x, y in zip(reversed(xs), reversed(ys), strict=True):
        y_bar += 2 * y
        a_bar += y_bar * sin(x)
        xs_bar.append(y_bar * a * cos(x))
        y_bar /= 2
    xs_bar.reverse()
    return xs_bar, a_bar


def arguments(n):
    return (rng().standard_normal(n).tolist(), 1.1), {}


GAP = (
    "The cotangent of a list is a list, built and popped as the list was, and two loops are reversed "
    "where by hand one does. It would take seeing that an append and a read of the last are a carried "
    "value, and fusing loops."
)

WORKLOAD = Workload("list_appends", loss, loss_gradient, (Size("1000", lambda: arguments(1000)),), gap=GAP)
