"""A determinant by expansion of minors, all minors of one order at once: n! products, and recursion."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def other_columns(m):
    """For each of m columns the m - 1 others."""
    column = np.arange(m - 1)
    return column + (column >= np.arange(m)[:, np.newaxis])


def alternating(m):
    return 1.0 - 2.0 * (np.arange(m) % 2)


def determinants(a):
    """Of matrices (..., m, m), along the first row."""
    m = a.shape[-1]
    if m == 1:
        return a[..., 0, 0]
    minors = np.moveaxis(a[..., 1:, :][..., other_columns(m)], -2, -3)
    return np.sum(alternating(m) * a[..., 0, :] * determinants(minors), axis=-1)


def primal(a, ell):
    return determinants(a.reshape(ell, ell))


def determinants_pullback(a):
    """The determinants, and the function from their cotangents to that of a."""
    m = a.shape[-1]
    if m == 1:
        return a[..., 0, 0], lambda d: d[..., np.newaxis, np.newaxis]
    columns, signed = other_columns(m), alternating(m) * a[..., 0, :]
    below, below_pullback = determinants_pullback(np.moveaxis(a[..., 1:, :][..., columns], -2, -3))

    def pullback(d):
        d = d[..., np.newaxis]
        minors_bar = below_pullback(d * signed)
        a_bar = np.zeros_like(a)
        a_bar[..., 0, :] = d * alternating(m) * below
        for j in range(m):
            a_bar[..., 1:, columns[j]] += minors_bar[..., j, :, :]
        return a_bar

    return np.sum(signed * below, axis=-1), pullback


def gradient(a, ell):
    _, pullback = determinants_pullback(a.reshape(ell, ell))
    return (pullback(np.ones(())).ravel(),)


def arguments(ell):
    return (rng().random(ell * ell),), {"ell": ell}


GAP = "The recursion is unrolled, and each minor is gathered and scattered by itself, where by hand it is in place."

WORKLOAD = Workload(
    "det",
    primal,
    gradient,
    (
        Size("4", lambda: arguments(4)),
        Size("6", lambda: arguments(6)),
        Size("9", lambda: arguments(9), target=LARGE),
    ),
    gap=GAP,
)
