"""Runge-Kutta steps of a chain of equations, y0' = x0 and yi' = xi y(i-1): slices written in place, inside a loop."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng

END = 2.0


def slope(x, y):
    z = x.copy()
    z[1:] *= y[:-1]
    return z


def primal(x, s):
    """y at the end, after s steps."""
    h = END / s
    y = np.zeros_like(x)
    for _ in range(s):
        k1 = slope(x, y)
        k2 = slope(x, y + (h / 2) * k1)
        k3 = slope(x, y + (h / 2) * k2)
        k4 = slope(x, y + h * k3)
        y = y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def last(x, s):
    """What GradBench differentiates: it underflows for long chains."""
    return primal(x, s)[-1]


def total(x, s):
    return np.sum(primal(x, s))


def total_gradient(x, s):
    return (pulled_back(x, s, np.ones_like(x)),)


def last_gradient(x, s):
    y_bar = np.zeros_like(x)
    y_bar[-1] = 1.0
    return (pulled_back(x, s, y_bar),)


def pulled_back(x, s, y_bar):
    """The cotangent of x, of that of y at the end."""
    h = END / s
    y = np.zeros_like(x)
    stages = []
    for _ in range(s):
        k1 = slope(x, y)
        y2 = y + (h / 2) * k1
        k2 = slope(x, y2)
        y3 = y + (h / 2) * k2
        k3 = slope(x, y3)
        y4 = y + h * k3
        k4 = slope(x, y4)
        stages.append((y, y2, y3, y4))
        y = y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    x_bar = np.zeros_like(x)

    def slope_pullback(k_bar, y):
        """Adds to x_bar; returns the cotangent of y."""
        x_bar[0] += k_bar[0]
        x_bar[1:] += k_bar[1:] * y[:-1]
        out = np.zeros_like(y)
        np.multiply(k_bar[1:], x[1:], out=out[:-1])
        return out

    for y, y2, y3, y4 in reversed(stages):
        y4_bar = slope_pullback((h / 6) * y_bar, y4)
        y3_bar = slope_pullback((h / 3) * y_bar + h * y4_bar, y3)
        y2_bar = slope_pullback((h / 3) * y_bar + (h / 2) * y3_bar, y2)
        first_bar = slope_pullback((h / 6) * y_bar + (h / 2) * y2_bar, y)
        y_bar = y_bar + y4_bar + y3_bar + y2_bar + first_bar
    return x_bar


def arguments(n, s):
    return (rng().random(n),), {"s": s}


GAP = (
    "A product in place saves a copy of what it overwrites, and its cotangent is cleared before it is "
    "written: three passes for one, four times a step."
)

WORKLOAD = Workload(
    "ode",
    total,
    total_gradient,
    (
        Size("n=10,s=10", lambda: arguments(10, 10)),
        Size("n=1000,s=100", lambda: arguments(1000, 100)),
        Size("n=100000,s=10", lambda: arguments(100_000, 10), target=LARGE),
    ),
    gap=GAP,
)
