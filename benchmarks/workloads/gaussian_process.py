"""The evidence of a Gaussian process: a matrix of covariances, its Cholesky factor, two triangular systems."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def covariance(log_length, log_scale, x):
    """A Gaussian of distances, with a length scale for each dimension."""
    z = x * np.exp(-log_length)
    square = np.sum(z * z, axis=1)
    distances = square[:, np.newaxis] + square - 2 * z @ z.T
    return np.exp(2 * log_scale - 0.5 * distances)


def loss(log_length, log_scale, log_noise, x, y):
    """Minus the logarithm of the probability of y."""
    n = len(y)
    factor = np.linalg.cholesky(covariance(log_length, log_scale, x) + np.exp(2 * log_noise) * np.eye(n))
    half = np.linalg.solve(factor, y)
    return 0.5 * half @ half + np.sum(np.log(np.diag(factor))) + 0.5 * n * math.log(2 * math.pi)


def loss_gradient(log_length, log_scale, log_noise, x, y):
    """One inverse serves the determinant and the quadratic form; the factor is not even needed."""
    z = x * np.exp(-log_length)
    square = np.sum(z * z, axis=1)
    k = np.exp(2 * log_scale - 0.5 * (square[:, np.newaxis] + square - 2 * z @ z.T))
    noise = math.exp(2 * log_noise)
    inverse = np.linalg.inv(k + noise * np.eye(len(y)))
    alpha = inverse @ y
    total_bar = 0.5 * (inverse - np.outer(alpha, alpha))
    log_noise_bar = 2 * noise * np.trace(total_bar)
    total_bar *= k
    # distances_bar is -total_bar / 2, and the distances of one dimension are squares of differences
    sums = total_bar.sum(axis=0)
    log_length_bar = 2 * (np.einsum("i,ij,ij->j", sums, z, z) - np.einsum("ij,ij->j", z, total_bar @ z))
    return log_length_bar, float(2 * sums.sum()), float(log_noise_bar)


def arguments(n, d):
    draw = rng()
    x = draw.standard_normal((n, d))
    y = np.sin(x.sum(axis=1)) + 0.1 * draw.standard_normal(n)
    return (0.1 * draw.standard_normal(d), 0.2, -1.0), {"x": x, "y": y}


GAP = (
    "At small size: a solve, a triangular solve and a pullback of Cholesky by inverses where by hand one "
    "inverse is all; at large size nothing is lost."
)

WORKLOAD = Workload(
    "gaussian_process",
    loss,
    loss_gradient,
    (
        Size("n=10,d=2", lambda: arguments(10, 2)),
        Size("n=1000,d=8", lambda: arguments(1000, 8), target=LARGE),
    ),
    gap=GAP,
)
