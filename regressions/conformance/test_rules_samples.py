"""Rules of Python's module `statistics`."""

import math
import statistics
from collections import Counter

import numpy as np
import pytest

from engine import gradient, jvp
from engine.errors import DifferentiationError
from engine.rules import samples

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import row, row_tests

DATA = [0.4, 1.9, 1.2, 3.3]
V = np.array(DATA)

ROWS = [
    *[row(f, data) for f in (statistics.mean, statistics.pstdev, statistics.pvariance, statistics.stdev,
                             statistics.variance, statistics.harmonic_mean)
      for data in (DATA, DATA[:2])],
    *[row(f, [0.7]) for f in (statistics.mean, statistics.harmonic_mean)],
    *[row(f, DATA, 1.1) for f in (statistics.pstdev, statistics.pvariance, statistics.stdev, statistics.variance)],
    row(statistics.harmonic_mean, DATA, [1.0, 2.0, 0.5, 3.0]),
    row(statistics.mode, [0.4]),
    row(statistics.multimode, DATA),
    *[row(statistics.median_grouped, data, *interval) for data in (DATA, DATA[:3]) for interval in ((), (2.0,))],
    row(samples.mean_of, *DATA),
    *[row(f, centre, *DATA) for f in (samples.variance_of, samples.pvariance_of, samples.stdev_of, samples.pstdev_of)
      for centre in (None, 1.1)],
    row(samples.harmonic_mean_of, 4, *DATA),
    row(samples.harmonic_mean_of, 2, *DATA),
    row(statistics._normal_dist_inv_cdf, 0.3, 0.4, 1.9),
    row(statistics._normal_dist_inv_cdf, 0.8, -0.4, 0.2),
]  # fmt: skip

test_pullback, test_composition, _no_arrays, test_gradient, test_second_order = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(V)
def averages_of_every_kind(x):
    items = [x[0], x[1] * 2, 3.0]
    total = statistics.mean(items) ** 2 + statistics.fmean(items) ** 3 + statistics.geometric_mean(items)
    total = total + statistics.harmonic_mean(items, weights=[1, 2, 3]) + statistics.mean(v * v for v in x)
    return total + statistics.fmean([x[0], x[1]], weights=[x[2], x[3]]) ** 2 + statistics.mean(x) ** 2


@PROGRAMS.at(V)
def medians_and_quantiles(x):
    total = statistics.median([x[0], x[1], x[2]]) ** 2 + statistics.median(list(x)) ** 2
    total = total + statistics.median_low(x) ** 2 + statistics.median_high(list(x)) ** 3
    return total + statistics.quantiles(list(x), n=5, method="inclusive")[1] ** 2 + statistics.quantiles(x, n=4)[2]


@PROGRAMS.at(V)
def the_most_common(x):
    return statistics.mode([x[0], x[1], x[0] * 1.0, x[2]]) ** 2 + statistics.multimode([x[1], x[2]])[1] ** 2


@PROGRAMS.at(V)
def two_variables(x):
    first, second = [x[0], x[1], x[2]], [1.0, x[3], x[0]]
    slope, intercept = statistics.linear_regression(first, second)
    return slope * intercept + statistics.covariance(first, second) + statistics.correlation(first, second)


@PROGRAMS.at(V)
def deviations_about_a_given_mean(x):
    items = [x[0], x[1], x[2]]
    return statistics.variance(items, xbar=x[3]) + statistics.pvariance(items, x[0]) + statistics.stdev(items, x[1])


@PROGRAMS.at(V)
def normal_distributions(x):
    a, b = statistics.NormalDist(x[0], x[1]), statistics.NormalDist(x[2], x[3])
    total = a.pdf(x[2]) + a.cdf(x[3]) * a.inv_cdf(0.3) + a.zscore(x[2]) ** 2 + a.overlap(b) + b.quantiles(4)[0]
    both = a * x[3] + b
    return total + both.mean * both.variance + statistics.NormalDist.from_samples([x[0], x[1], x[2] * 2]).stdev


test_program, test_program_gradient, test_reverse, test_forward, test_program_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_deviation_of_nothing_has_no_slope(tier_name):
    with tier(tier_name):
        assert gradient(statistics.pstdev, [2.0, 2.0]) == ([0.0, 0.0],)


def test_a_single_zero_decides_a_harmonic_mean():
    assert gradient(statistics.harmonic_mean, [0.0, 2.0, 3.0]) == ([3.0, 0.0, 0.0],)
    (got,) = gradient(statistics.harmonic_mean, [0.0, 0.0, 3.0])
    assert math.isnan(got[0]) and math.isnan(got[1]) and got[2] == 0.0


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_keys_of_a_counter_of_active_numbers_are_not_read_back(tier_name):
    with tier(tier_name), pytest.raises(DifferentiationError):
        gradient(lambda x: Counter([x, x, 2 * x]).most_common(1)[0][0] ** 2, 3.0)


def test_values_are_the_modules_own():
    data, seen = [0.1] * 10, []

    def total(items):
        seen.append((statistics.mean(items), statistics.stdev([*items, 0.3]), statistics.harmonic_mean(items)))
        return seen[-1][0]

    gradient(total, data)
    assert seen == [(statistics.mean(data), statistics.stdev([*data, 0.3]), statistics.harmonic_mean(data))]


def test_jvp_of_polar_coordinates():
    import cmath

    z, v = 0.6 - 0.4j, 0.3 + 0.2j
    radius, angle = cmath.polar(z)
    moved = [abs(z + s * 1e-6 * v) * cmath.phase(z + s * 1e-6 * v) for s in (1, -1)]
    assert jvp(lambda w: cmath.polar(w)[0] * cmath.polar(w)[1], (z,), (v,))[1] == pytest.approx(
        (moved[0] - moved[1]) / 2e-6, rel=1e-7)  # fmt: skip
