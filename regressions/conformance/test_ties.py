"""Ties at second order: whatever puts two equal numbers in order, the smaller times the larger is their product; and
where numbers only touch, there is no kink: second derivatives are those of the one that is taken on both sides."""

import math
import random
import statistics
from collections.abc import Callable

import numpy as np
import pytest

from engine import DifferentiationError, Params, checkpoint, grad, gradient, hessian, hvp, jvp

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
    "maximum from two sides": lambda v: np.maximum(v[0], v[1]) * np.minimum(v[1], v[0]),
    "maximum from the other side": lambda v: np.maximum(v[1], v[0]) * np.minimum(v[1], v[0]),
    "builtin from two sides": lambda v: max(v[1], v[0]) * min(v[0], v[1]),
    "maximum": lambda v: np.maximum(v[0], v[1]) * np.minimum(v[0], v[1]),
    "fmax": lambda v: np.fmax(v[0], v[1]) * np.fmin(v[0], v[1]),
    "clip": lambda v: np.clip(v[0], None, v[1]) * np.clip(v[0], v[1], None),
    "where": lambda v: np.where(v[0] < v[1], v[0], v[1]) * np.where(v[0] < v[1], v[1], v[0]),
    "builtin": lambda v: max(v) * min(v),
    "sort": lambda v: np.prod(np.sort(v)),
    "sort and maximum": lambda v: np.sort(v[::-1])[0] * np.maximum(v[0], v[1]),
    "from two sides": lambda v: np.sort(v[::-1])[0] * np.sort(v)[1],
    "initial": lambda v: np.max(v[:1], initial=1.5) * np.min(v[:1], initial=1.5) / 1.5 * v[1],
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


def in_an_array(x):
    squares = np.zeros(3)
    for i in range(3):
        squares[i] = (i + 1) * x * x
    squares[1:] = np.maximum(squares[1:], -squares[:2])
    squares[0] = np.abs(-squares[1])
    return squares[0]


def sorted_in_place(x):
    both = np.stack([x**2, -(x**2)])
    both.sort()
    return both[1]


TOUCHING = {
    "modulus": (lambda x: np.abs(-(x**2)), 2.0),
    "modulus from above": (lambda x: np.abs(0.0 - x**2), 2.0),
    "fabs": (lambda x: math.fabs(-x * x), 2.0),
    "copysign": (lambda x: np.copysign(-x * x, -1.0), -2.0),
    "maximum": (lambda x: np.maximum(x**2, 0.0), 2.0),
    "maximum, turned round": (lambda x: np.maximum(0.0, x**2), 2.0),
    "maximum of nothing": (lambda x: np.maximum(-(x**2), 0.0), 0.0),
    "maximum of nothing, turned round": (lambda x: np.maximum(0.0, -(x**2)), 0.0),
    "minimum": (lambda x: np.minimum(x**2, 3 * x**2), 2.0),
    "minimum, turned round": (lambda x: np.minimum(3 * x**2, x**2), 2.0),
    "fmax": (lambda x: np.fmax(-(x**2), x**2), 2.0),
    "fmin": (lambda x: np.fmin(-(x**2), x**2), -2.0),
    "builtin max": (lambda x: max(-(x**2), 0.0, x**2), 2.0),
    "builtin min": (lambda x: min(3 * x**2, x**2), 2.0),
    "max": (lambda x: np.max(np.stack([x**2, -(x**2), 3 * x**2])), 6.0),
    "min": (lambda x: np.min(np.stack([x**2, -(x**2), 3 * x**2])), -2.0),
    "accumulate": (lambda x: np.maximum.accumulate(np.stack([x**2, 3 * x**2, -(x**2)]))[2], 6.0),
    "clip": (lambda x: np.clip(x**2, 0.0, None), 2.0),
    "sort": (lambda x: np.sort(np.stack([x**2, -(x**2)]))[1], 2.0),
    "sort of many": (lambda x: np.sort(np.stack([3 * x**2, -(x**2), x**2, 0 * x]))[1:3] @ np.array([10.0, 1.0]), 2.0),
    "sort in place": (sorted_in_place, 2.0),
    "partition": (lambda x: np.partition(np.stack([0 * x, 3 * x**2, -(x**2), x**2]), 2)[2], 2.0),
    "sorted": (lambda x: sorted([3 * x**2, x**2, -(x**2)])[1], 2.0),
    "sorted backwards": (lambda x: sorted([-(x**2), x**2, 3 * x**2], reverse=True)[1], 2.0),
    "median": (lambda x: np.median(np.stack([3 * x**2, x**2, -(x**2)])), 2.0),
    "median of four": (lambda x: np.median(np.stack([5 * x**2, 3 * x**2, x**2, -(x**2)])), 4.0),
    "statistics": (lambda x: statistics.median([3 * x**2, x**2, -(x**2)]), 2.0),
    "quantile": (lambda x: np.quantile(np.stack([3 * x**2, x**2, -(x**2)]), 0.75), 4.0),
    "percentile": (lambda x: np.nanpercentile(np.stack([x**2, -(x**2), x + np.nan]), 100), 2.0),
    "quantile with its fraction": (lambda x: np.quantile(np.stack([3 * x**2, x**2, -(x**2)]), 0.75 + 0 * x), 4.0),
    "initial": (lambda x: np.max(np.stack([x**2, -(x**2)]), initial=0.0), 2.0),
    "initial is larger": (lambda x: np.max(np.stack([-3 * x**2, -(x**2)]), initial=0.0), 0.0),
    "least, and initial": (lambda x: np.minimum.reduce(np.stack([x**2, -3 * x**2]), initial=0.0), -6.0),
    "initial and where=": (
        lambda x: np.max(np.stack([x**2, 3 * x**2]), initial=0.0, where=np.array([True, False])),
        2.0,
    ),
    "norm": (lambda x: np.linalg.norm(np.stack([1 + x**2, 1 - x**2]), np.inf), 2.0),
    "least norm": (lambda x: np.linalg.norm(np.stack([1 + x**2, 1 - x**2]), -np.inf), -2.0),
    "norm of moduli": (lambda x: np.linalg.norm(np.stack([0.0 - x**2, 3 * x**2]), 1), 8.0),
    "norm of a matrix": (lambda x: np.linalg.norm(np.diag(np.stack([1 + x**2, 3 * x**2 - 1])), 1), 2.0),
    "rows of a matrix": (lambda x: np.linalg.norm(np.stack([[x**2, x**2], [x**2 / 2, -(x**2)]]), np.inf), 4.0),
    "norm of complex numbers": (lambda x: np.linalg.norm(np.stack([1j * (1 + x**2), 1 - x**2 + 0j]), np.inf), 2.0),
    "complex numbers": (lambda x: np.real(np.max(np.stack([x**2 * (1 + 1j), -(x**2) * (1 + 1j)]))), 2.0),
    "complex numbers with equal real parts": (
        lambda x: np.imag(np.sort(np.stack([1 + x**2 * 1j, 1 - 1j * x**2]))[1]),
        2.0,
    ),
    "border": (lambda x: np.pad(np.stack([x**2, -(x**2)]), 1, "maximum")[0], 2.0),
    "one above the other": (lambda x: np.maximum(np.abs(-(x**2)), 0.5 * x**2), 2.0),
    "one inside the other": (lambda x: np.abs(np.minimum(-(x**2), 0.0)), 2.0),
    "a list": (lambda x: sum([max(a, 0.0) for a in [x * x, -x * x, 2 * x * x]]), 6.0),
    "writes": (in_an_array, 4.0),
    "checkpoint": (checkpoint(lambda x: np.maximum(x * x, 0.0)), 2.0),
    "elsewhere": (lambda x: np.maximum(2 * (x + 1), (x + 1) ** 2 + 1), 2.0),
    "a sine": (lambda x: np.minimum(np.cos(x), 1.0), -1.0),
}
DERIVATIVES_OF_DERIVATIVES = {
    "hvp": lambda f: hvp(f, 0.0, 1.0),
    "hvp backwards": lambda f: -hvp(f, 0.0, -1.0),
    "hessian": lambda f: hessian(f)(0.0),
    "grad of grad": lambda f: grad(grad(f))(0.0),
    "jvp of jvp": lambda f: jvp(lambda x: jvp(f, (x,), (1.0,))[1], (0.0,), (1.0,))[1],
    "grad of jvp": lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1])(0.0),
    "of another argument": lambda f: gradient(lambda p: gradient(f, 2 * p)[0], 0.0)[0] / 2,
}


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("how", DERIVATIVES_OF_DERIVATIVES)
@pytest.mark.parametrize("name", TOUCHING)
def test_where_numbers_touch_the_second_derivative_is_that_of_the_one_taken(name: str, how: str, tier_name: str):
    f, expected = TOUCHING[name]
    with tier(tier_name):
        assert DERIVATIVES_OF_DERIVATIVES[how](f) == expected


@pytest.mark.parametrize("x", [-1e-3, 1e-3])
@pytest.mark.parametrize("name", TOUCHING)
def test_next_to_the_point_it_is_the_same(name: str, x: float):
    """The table itself, against the function's own differences next to 0."""
    f, expected = TOUCHING[name]
    h = 2e-4
    assert (f(x + h) - 2 * f(x) + f(x - h)) / h**2 == pytest.approx(expected, abs=1e-5)


def test_some_cross_and_some_touch():
    """Each entry for itself: where numbers cross, the mean of the slopes is multiplied with what moves (0 for |x|)."""
    h = hessian(lambda v: np.sum(np.abs(np.stack([v[0] + v[0] ** 2, v[1] ** 2, -(v[2] ** 2)]))))(np.zeros(3))
    assert h.tolist() == np.diag([0.0, 2.0, 2.0]).tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_many_variables_touch_at_once(dtype: type):
    h = hessian(lambda v: np.maximum(v @ v, -(v @ v)) + np.max(np.stack([-v[1] * v[1], v[2] ** 2])))(np.zeros(3, dtype))
    assert h.dtype == dtype and h.tolist() == np.diag([2.0, 2.0, 4.0]).tolist()


def test_fields_of_a_structure_touch():
    h = hvp(lambda p: np.sum(np.maximum(p["w"] ** 2, 0.0)) + abs(-p["b"] ** 2), {"w": np.zeros(2), "b": 0.0},
            {"w": np.ones(2), "b": 1.0})  # fmt: skip
    assert h["w"].tolist() == [2.0, 2.0] and h["b"] == 2.0


def test_a_third_derivative_where_numbers_touch():
    assert grad(grad(grad(lambda x: np.maximum(x**2, 0.0) * x)))(0.0) == 6.0


TWO_VARIABLES = {
    "maximum": lambda s, w: np.maximum((s + w) ** 2, 0.0),
    "turned round": lambda s, w: np.maximum(0.0, (s + w) ** 2),
    "sort": lambda s, w: np.sort(np.stack([(s + w) ** 2, -3 * (s + w) ** 2]))[1],
    "abs": lambda s, w: np.abs(0.0 - (s + w) ** 2),
}


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("name", TWO_VARIABLES)
def test_two_variables_of_which_one_alone_is_seen(name: str, tier_name: str):
    f, p = TWO_VARIABLES[name], np.zeros(1)
    with tier(tier_name):
        for mixed in (
            lambda: grad(lambda s: grad(lambda w: f(s, w))(0.0))(0.0),
            lambda: grad(grad(f, 0), 1)(0.0, 0.0),
            lambda: jvp(lambda s: jvp(lambda w: f(s, w), (0.0,), (1.0,))[1], (0.0,), (1.0,)),
            lambda: grad(lambda s: gradient(lambda: f(s, p[0]), Params([p]))[p][0])(0.0),
        ):
            with pytest.raises(DifferentiationError, match=r"only touch(.|\n)*test_ties.py:\d+(.|\n)*hessian"):
                mixed()


def test_two_variables_that_are_seen_both():
    f, p = TWO_VARIABLES["sort"], np.zeros(2)
    assert hessian(lambda v: f(v[0], v[1]))(np.zeros(2)).tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert grad(lambda s: grad(lambda w: f(s, w))(3 * s))(0.0) == 8.0
    assert grad(lambda s: grad(lambda v: f(s, v[0] + v[1]))((3 * s, 0.0))[0])(0.0) == 8.0

    def slope():
        return gradient(lambda: f(p[0], p[1]), Params([p]))[p][1]

    assert gradient(slope, Params([p]))[p].tolist() == [2.0, 2.0]


def test_numbers_that_touch_by_one_variable_and_cross_by_the_other():
    """A layer that begins with zeros, and the slope of what it makes: half of it counts, as at any kink."""
    x = np.array([0.3, -0.7])

    def by_input(w):
        return np.sum(gradient(lambda x: np.sum(np.maximum(w @ x, 0.0)), x)[0])

    assert grad(by_input)(np.zeros((2, 2))).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_numbers_that_are_the_same_are_not_refused():
    assert grad(lambda s: grad(lambda w: np.maximum((s + w) ** 2, (w + s) ** 2))(0.0))(0.0) == 2.0


def random_tree(rng: random.Random, depth: int) -> Callable:
    """A function of s, homogeneous of first degree, in which numbers touch where s is 0."""
    if depth == 0 or rng.random() < 0.15:
        c = rng.choice([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0])
        return lambda s: c * s
    a, b = random_tree(rng, depth - 1), random_tree(rng, depth - 1)
    return rng.choice([
        lambda s: np.maximum(a(s), b(s)),
        lambda s: np.minimum(a(s), b(s)),
        lambda s: np.abs(a(s)) + b(s),
        lambda s: a(s) - np.fmin(b(s), a(s)),
        lambda s: max(a(s), b(s), -s),
        lambda s: np.max(np.stack([a(s), b(s), 0.5 * s])),
        lambda s: np.clip(a(s), b(s), None),
        lambda s: np.minimum.accumulate(np.stack([a(s), b(s)]))[1],
        lambda s: np.sort(np.stack([a(s), b(s), -0.5 * s]))[1],
        lambda s: np.median(np.stack([a(s), b(s), s, 0.5 * s])),
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_made_of_them(seed: int):
    """f(s) is s f(1) for s ≥ 0, so that f(x²) has second derivative 2 f(1), and f(|v|²) the Hessian 2 f(1) I."""
    f = random_tree(random.Random(seed), 3)
    expected = 2 * float(f(1.0))
    assert hvp(lambda x: f(x * x), 0.0, 1.0) == pytest.approx(expected)
    assert jvp(lambda x: jvp(lambda x: f(x * x), (x,), (1.0,))[1], (0.0,), (1.0,))[1] == pytest.approx(expected)
    np.testing.assert_allclose(hessian(lambda v: f(v @ v))(np.zeros(2)), expected * np.eye(2), atol=1e-12)
