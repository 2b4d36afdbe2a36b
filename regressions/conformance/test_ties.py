"""Ties at second order: whatever puts two equal numbers in order, the smaller times the larger is their product."""

import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest

from engine import grad, hessian, hvp

from .oracle import TIERS, tier

BOTH = np.array([True, True])


def of_moduli(modulus: Callable) -> Callable:
    """The product of v0 and v1, from their sum and their distance, whose modulus has its kink where they are equal."""
    return lambda v: ((v[0] + v[1]) ** 2 - modulus(v[0] - v[1]) ** 2) / 4


PRODUCTS = {
    "max": lambda v: np.max(v) * np.min(v),
    "method": lambda v: v.max() * v.min(),
    "nanmax": lambda v: np.nanmax(v) * np.nanmin(v),
    "where=": lambda v: np.max(v, where=BOTH, initial=-1.0) * np.min(v, where=BOTH, initial=9.0),
    "reduce": lambda v: np.maximum.reduce(v) * np.fmin.reduce(v),
    "accumulate": lambda v: np.maximum.accumulate(v)[1] * np.minimum.accumulate(v)[1],
    "maximum": lambda v: np.maximum(v[0], v[1]) * np.minimum(v[0], v[1]),
    "fmax": lambda v: np.fmax(v[0], v[1]) * np.fmin(v[0], v[1]),
    "clip": lambda v: np.clip(v[0], None, v[1]) * np.clip(v[0], v[1], None),
    "where": lambda v: np.where(v[0] < v[1], v[0], v[1]) * np.where(v[0] < v[1], v[1], v[0]),
    "builtin": lambda v: max(v) * min(v),
    "sort": lambda v: np.prod(np.sort(v)),
    "sorted": lambda v: math.prod(sorted(v)),
    "partition": lambda v: np.partition(v, 0)[0] * np.partition(v, 1)[1],
    "quantile": lambda v: np.quantile(v, 0.0) * np.percentile(v, 100),
    "infinite norm": lambda v: np.linalg.norm(v, np.inf) * np.linalg.norm(v, -np.inf),
    "matrix norm": lambda v: np.linalg.norm(np.diag(v), 1) * np.linalg.norm(np.diag(v), -1),
    "median": lambda v: 2 * np.median(v) ** 2 - (v[0] ** 2 + v[1] ** 2) / 2,
    "statistics": lambda v: 2 * statistics.median([v[0], v[1]]) ** 2 - (v[0] ** 2 + v[1] ** 2) / 2,
    "abs": of_moduli(np.abs),
    "fabs": of_moduli(math.fabs),
    "copysign": of_moduli(lambda x: np.copysign(x, 1.0)),
    "copysign of math": of_moduli(lambda x: math.copysign(x, 1.0)),
    "norm of one": of_moduli(lambda x: np.linalg.norm(np.array([x]), 1)),
}


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("name", PRODUCTS)
def test_equal_numbers_in_order_have_the_derivatives_of_their_product(name: str, tier_name: str):
    f, v = PRODUCTS[name], np.array([1.5, 1.5])
    with tier(tier_name):
        np.testing.assert_allclose(grad(f)(v), [1.5, 1.5], rtol=1e-14)
        np.testing.assert_allclose(hessian(f)(v), [[0.0, 1.0], [1.0, 0.0]], rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(hvp(f, v, np.array([1.0, 0.0])), [0.0, 1.0], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", ["max", "accumulate", "builtin", "infinite norm", "sort"])
def test_three_that_tie(name: str):
    """The product of the smallest and the largest of three equals, which nobody can tell from the square of one."""
    v = np.array([2.0, 2.0, 2.0])
    both = {
        "accumulate": lambda v: np.maximum.accumulate(v)[2] * np.minimum.accumulate(v)[2],
        "sort": lambda v: np.sort(v)[0] * np.sort(v)[2],
    }.get(name, PRODUCTS[name])
    h = hessian(both)(v)
    np.testing.assert_allclose(h, [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], atol=1e-14)
