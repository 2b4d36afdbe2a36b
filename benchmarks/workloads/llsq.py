"""A polynomial fitted to the sign function by least squares: a tall matrix of constants, made anew each time."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def primal(x, n):
    t = np.linspace(-1.0, 1.0, n)
    r = np.sign(t) - np.vander(t, len(x), increasing=True) @ x
    return 0.5 * np.dot(r, r)


def gradient(x, n):
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, len(x), increasing=True)
    return (powers.T @ (powers @ x - np.sign(t)),)


def arguments(n, m):
    return (rng().random(m),), {"n": n}


GAP = (
    "At small size: the square is pulled back from both sides, r/2 + r/2, where by hand it is r; three "
    "calls of some ten."
)

WORKLOAD = Workload(
    "llsq",
    primal,
    gradient,
    (
        Size("16x4", lambda: arguments(16, 4)),
        Size("1024x128", lambda: arguments(1024, 128)),
        Size("16392x128", lambda: arguments(16_392, 128), target=LARGE),
    ),
    gap=GAP,
)
