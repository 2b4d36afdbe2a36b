"""Heat that spreads along a rod, written over the old temperatures at each step: an update in place by slices."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(start, conductivity, steps):
    u = start.copy()
    for _ in range(steps):
        u[1:-1] += conductivity[1:-1] * (u[:-2] - 2 * u[1:-1] + u[2:])
    return np.sum(u * u)


def loss_gradient(start, conductivity, steps):
    u, inner = start.copy(), conductivity[1:-1]
    curvatures = []
    for _ in range(steps):
        curvature = u[:-2] - 2 * u[1:-1] + u[2:]
        curvatures.append(curvature)
        u[1:-1] += inner * curvature
    u_bar, conductivity_bar = 2 * u, np.zeros_like(conductivity)
    for curvature in reversed(curvatures):
        conductivity_bar[1:-1] += u_bar[1:-1] * curvature
        flow = u_bar[1:-1] * inner
        u_bar[1:-1] -= 2 * flow
        u_bar[:-2] += flow
        u_bar[2:] += flow
    return u_bar, conductivity_bar


def arguments(n, steps):
    draw = rng().random
    return (draw(n), 0.4 * draw(n)), {"steps": steps}


WORKLOAD = Workload(
    "stencil",
    loss,
    loss_gradient,
    (
        Size("n=20,steps=20", lambda: arguments(20, 20)),
        Size("n=100000,steps=50", lambda: arguments(100_000, 50), target=LARGE),
    ),
)
