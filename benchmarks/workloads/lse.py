"""The logarithm of a sum of exponentials, kept from overflow by its largest: reductions, and a pass in between."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def primal(x):
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + top


def gradient(x):
    """The softmax: what flows through the largest term cancels."""
    e = np.exp(x - np.max(x))
    return (e / np.sum(e),)


def arguments(n):
    return (rng().random(n),), {}


GAP = (
    "The largest number is differentiated although what flows through it cancels: one more sum and a "
    "search for ties. It would take proving that the shift does not matter."
)

WORKLOAD = Workload(
    "lse",
    primal,
    gradient,
    (
        Size("100", lambda: arguments(100)),
        Size("10000", lambda: arguments(10_000)),
        Size("1000000", lambda: arguments(1_000_000), target=LARGE),
    ),
    gap=GAP,
)
