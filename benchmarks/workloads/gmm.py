"""The log posterior of a mixture of Gaussians with a Wishart prior: batched products of small matrices."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def lower_triangle(d):
    """Rows and columns of the entries below the diagonal, column by column."""
    columns, rows = np.triu_indices(d, 1)
    return rows, columns


def factors(q, lower):
    """The factors of the precision matrices: exp(q) on the diagonal, `lower` below it."""
    k, d = q.shape
    factor = np.zeros((k, d, d))
    factor[:, np.arange(d), np.arange(d)] = np.exp(q)
    rows, columns = lower_triangle(d)
    factor[:, rows, columns] = lower
    return factor


def log_normaliser(n, d, k, m, gamma):
    """What depends on no parameter: of the Gaussians, and of the Wishart distribution."""
    freedom = d + m + 1
    log_gammas = sum(math.lgamma((freedom - j) / 2) for j in range(d))
    log_multigamma = d * (d - 1) / 4 * math.log(math.pi) + log_gammas
    wishart = freedom * d * (math.log(gamma) - 0.5 * math.log(2)) - log_multigamma
    return k * wishart - n * d * 0.5 * math.log(2 * math.pi)


def log_sum_exp(x):
    """Down the first axis."""
    top = np.max(x, axis=0)
    return np.log(np.sum(np.exp(x - top), axis=0)) + top


def objective(alpha, mu, q, lower, x, m, gamma):
    n, d = x.shape
    factor = factors(q, lower)
    z = (x - mu[:, np.newaxis]) @ np.swapaxes(factor, 1, 2)
    log_det = np.sum(q, axis=1)
    terms = (alpha + log_det)[:, np.newaxis] - 0.5 * np.sum(z * z, axis=2)
    likelihood = np.sum(log_sum_exp(terms)) - n * log_sum_exp(alpha)
    prior = m * np.sum(log_det) - 0.5 * gamma**2 * np.sum(factor * factor)
    return likelihood + prior + log_normaliser(n, d, len(alpha), m, gamma)


def objective_gradient(alpha, mu, q, lower, x, m, gamma):
    n, d = x.shape
    factor = factors(q, lower)
    centred = x - mu[:, np.newaxis]
    z = centred @ np.swapaxes(factor, 1, 2)
    terms = (alpha + np.sum(q, axis=1))[:, np.newaxis] - 0.5 * np.sum(z * z, axis=2)
    share = np.exp(terms - np.max(terms, axis=0))
    share /= np.sum(share, axis=0)
    weight = np.exp(alpha - np.max(alpha))
    total = np.sum(share, axis=1)
    z *= share[:, :, np.newaxis]  # from here on minus the cotangent of z
    factor_bar = np.swapaxes(z, 1, 2) @ centred
    factor_bar += gamma**2 * factor
    rows, columns = lower_triangle(d)
    diagonal = np.arange(d)
    return (
        total - (n / np.sum(weight)) * weight,
        (np.sum(z, axis=1)[:, np.newaxis] @ factor)[:, 0],
        (total + m)[:, np.newaxis] - factor_bar[:, diagonal, diagonal] * factor[:, diagonal, diagonal],
        -factor_bar[:, rows, columns],
    )


def arguments(d, k, n):
    draw = rng()
    x = draw.normal(size=(n, d))
    alpha, mu = draw.normal(size=k), draw.random((k, d))
    q, lower = draw.normal(size=(k, d)), draw.normal(size=(k, d * (d - 1) // 2))
    return (alpha, mu, q, lower), {"x": x, "m": 0, "gamma": 1.0}


GAP = (
    "The largest of the terms is differentiated although what flows through it cancels, which asks who "
    "ties; z is scaled, then doubled, in new arrays, where by hand it is done in place. It would take "
    "proving that logsumexp's shift does not matter, and writing in place."
)

WORKLOAD = Workload(
    "gmm",
    objective,
    objective_gradient,
    (
        Size("d=2,k=3,n=10", lambda: arguments(2, 3, 10)),
        Size("d=2,k=25,n=1000", lambda: arguments(2, 25, 1000)),
        Size("d=32,k=25,n=1000", lambda: arguments(32, 25, 1000), target=LARGE),
    ),
    gap=GAP,
)
