"""Python's module `statistics`, whose sums are exact fractions: the derivatives of means, deviations and quantiles.

What the module computes in floats (fmean, covariance, correlation, linear_regression, median, quantiles, the methods of
NormalDist) is Python like the user's and needs no rule. Values are the module's own, to the last digit.
"""

from __future__ import annotations

import math
import statistics
from typing import Any

from .registry import composition, rule, vjp_of


# ---- the mean
def mean_of(*data: Any) -> Any:
    """statistics.mean of these numbers."""
    return statistics.mean(data)


@vjp_of(mean_of)
def mean_vjp(d: Any, out: Any, *data: Any) -> tuple:
    """Equal shares."""
    return (d / len(data),) * len(data)


composition(statistics.mean, lambda data: mean_of(*data))


# ---- deviations: `centre` is the mean that the user gives, or None
def variance_of(centre: Any, *data: Any) -> Any:
    """statistics.variance of these numbers."""
    return statistics.variance(data, centre)


def pvariance_of(centre: Any, *data: Any) -> Any:
    """statistics.pvariance of these numbers."""
    return statistics.pvariance(data, centre)


def stdev_of(centre: Any, *data: Any) -> Any:
    """statistics.stdev of these numbers."""
    return statistics.stdev(data, centre)


def pstdev_of(centre: Any, *data: Any) -> Any:
    """statistics.pstdev of these numbers."""
    return statistics.pstdev(data, centre)


def of_squares(d: Any, centre: Any, data: tuple, parts: int) -> tuple:
    """The cotangents of sum (x - centre)² / parts; around their own mean its movement cancels."""
    middle = math.fsum(data) / len(data) if centre is None else centre
    bars = [d * (2 * (x - middle) / parts) for x in data]
    return (None if centre is None else -sum(bars), *bars)


def by_square(d: Any, out: Any) -> Any:
    """The cotangent of a square from that of its root `out`; a deviation of zero has gradient zero (convention 2)."""
    return d / (2 * out) if out != 0 else 0.0 * d


@vjp_of(variance_of)
def variance_vjp(d: Any, out: Any, centre: Any, *data: Any) -> tuple:
    """By the n - 1 of a sample."""
    return of_squares(d, centre, data, len(data) - 1)


@vjp_of(pvariance_of)
def pvariance_vjp(d: Any, out: Any, centre: Any, *data: Any) -> tuple:
    """By the n of a population."""
    return of_squares(d, centre, data, len(data))


@vjp_of(stdev_of)
def stdev_vjp(d: Any, out: Any, centre: Any, *data: Any) -> tuple:
    """The root of the variance of a sample."""
    return of_squares(by_square(d, out), centre, data, len(data) - 1)


@vjp_of(pstdev_of)
def pstdev_vjp(d: Any, out: Any, centre: Any, *data: Any) -> tuple:
    """The root of the variance of a population."""
    return of_squares(by_square(d, out), centre, data, len(data))


composition(statistics.variance, lambda data, xbar=None: variance_of(xbar, *data))
composition(statistics.pvariance, lambda data, mu=None: pvariance_of(mu, *data))
composition(statistics.stdev, lambda data, xbar=None: stdev_of(xbar, *data))
composition(statistics.pstdev, lambda data, mu=None: pstdev_of(mu, *data))


# ---- the harmonic mean
def harmonic_mean_of(n: int, *numbers: Any) -> Any:
    """statistics.harmonic_mean of the first n numbers, with the others, if any, for weights; 0.0 for its 0."""
    return statistics.harmonic_mean(numbers[:n], numbers[n:] or None) or 0.0


@vjp_of(harmonic_mean_of)
def harmonic_mean_vjp(d: Any, out: Any, n: int, *numbers: Any) -> tuple:
    """W / Q with W = sum w and Q = sum w/x. A single zero among the data decides alone: its slope is W / w."""
    data, weights = numbers[:n], numbers[n:] or (1.0,) * n
    total = sum(weights)
    if out == 0:
        several = sum([x == 0 for x in data]) > 1
        slopes = [0.0 if x != 0 else math.nan if several else total / w for x, w in zip(data, weights, strict=True)]
        bars = [d * slope for slope in slopes]
        return (None, *bars, *([0.0 * d] * len(numbers[n:])))
    q = total / out
    bars = [d * (out / q * (w / (x * x))) for x, w in zip(data, weights, strict=True)]
    by_weight = [d * ((1 - out / x) / q) for x in data] if len(numbers) > n else []
    return (None, *bars, *by_weight)


def harmonic_mean(data: Any, weights: Any = None) -> Any:
    """statistics.harmonic_mean."""
    data = list(data)
    if weights is None:
        return harmonic_mean_of(len(data), *data)
    weights = list(weights)
    if len(weights) != len(data):
        raise statistics.StatisticsError("Number of weights does not match data size")
    return harmonic_mean_of(len(data), *data, *weights)


composition(statistics.harmonic_mean, harmonic_mean)


# ---- the most common element, the middle of a class
def mode(data: Any) -> Any:
    """The first of the elements that occur most often."""
    found = most_common(data)
    if not found:
        raise statistics.StatisticsError("no mode for empty data")
    return found[0]


def most_common(data: Any) -> list:
    """The elements that occur most often, each once, the first of its equals."""
    values = list(data)
    counts = [sum([other == value for other in values]) for value in values]
    most = max(counts, default=0)
    return [v for i, v in enumerate(values) if counts[i] == most and all(v != earlier for earlier in values[:i])]


def median_grouped(data: Any, interval: Any = 1.0) -> Any:
    """The median of data in classes of a width, taken to be spread evenly within its class."""
    values = sorted(data)
    n = len(values)
    if n == 0:
        raise statistics.StatisticsError("no median for empty data")
    middle = values[n // 2]
    below = sum([v < middle for v in values])
    equal = sum([v == middle for v in values])
    return middle - interval / 2 + interval * (n / 2 - below) / equal


composition(statistics.mode, mode)
composition(statistics.multimode, most_common)
composition(statistics.median_grouped, median_grouped)


# ---- normal distributions
def from_samples(cls: Any, data: Any) -> Any:
    """NormalDist.from_samples."""
    values = list(data)
    return cls(mean_of(*values), stdev_of(None, *values))


composition(statistics.NormalDist.from_samples.__func__, from_samples)
rule(
    statistics._normal_dist_inv_cdf,
    p=lambda d, out, p, mu, sigma: d * (sigma * math.sqrt(2 * math.pi) * math.exp(((out - mu) / sigma) ** 2 / 2)),
    mu=lambda d, out, p, mu, sigma: d,
    sigma=lambda d, out, p, mu, sigma: d * ((out - mu) / sigma),
)
