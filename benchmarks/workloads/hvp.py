"""The Hessian of a logistic regression times a vector: a derivative of a derivative, without the Hessian."""

from __future__ import annotations

import numpy as np

import engine
from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(w, x, y):
    return np.mean(np.logaddexp(0.0, -y * (x @ w)))


def hessian_vector_product(w, x, y, v):
    return (engine.hvp(lambda w: loss(w, x, y), w, v),)


def by_hand(w, x, y, v):
    """Labels of one or minus one: their squares drop out."""
    p = 1 / (1 + np.exp(-(x @ w)))
    return (x.T @ (p * (1 - p) * (x @ v) / len(y)),)


def primal(w, x, y, v):
    return loss(w, x, y)


def arguments(n, d):
    draw = rng()
    x, y = draw.standard_normal((n, d)), draw.integers(0, 2, n) * 2.0 - 1.0
    return (draw.standard_normal(d),), {"x": x, "y": y, "v": draw.standard_normal(d)}


GAP = (
    "At small size: rounds of calls on arrays of fifty numbers, primal and tangent of each step, where by "
    "hand four products do. It would take algebra across steps."
)

WORKLOAD = Workload(
    "hvp",
    primal,
    by_hand,
    (
        Size("50x5", lambda: arguments(50, 5)),
        Size("20000x200", lambda: arguments(20_000, 200), target=LARGE),
    ),
    derivative=hessian_vector_product,
    gap=GAP,
)
