"""None for an argument that was not read on the way that the run took, on both tiers; zero for one that was."""

import numpy as np
import pytest

from engine import grad, gradient, pullback, value_and_gradient

from .oracle import TIERS, tier


def power(x, n=0):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y


def power_by_while(x, n=0):
    y = 1.0
    while n > 0:
        y = y * x
        n -= 1
    return y


def product(x):
    y = 1.0
    for v in x:
        y = y * v
    return y


def last(x, n=0):
    y = x
    for i in range(n):
        y = 2.0 * i
    return y


def chosen(x, t):
    y = 1.0
    if t > 0:
        y = x * 2
    return y + t


def either(x, t):
    if t > 0:
        y = x * 2
    else:
        y = x * 0.0
    return y + t


def carried(x, y, n=0):
    for _ in range(n):
        x, y = y, 0.0
    return x


EMPTY, ONES = np.zeros(0), np.ones(2)
ANSWERS = [
    (power, (2.0,), {}, (None,)),
    (power, (2.0,), {"n": 2}, (4.0,)),
    (power, (0.0,), {"n": 2}, (0.0,)),
    (power_by_while, (2.0,), {}, (None,)),
    (power_by_while, (0.0,), {"n": 3}, (0.0,)),
    (product, (EMPTY,), {}, (None,)),
    (product, ([],), {}, (None,)),
    (product, ([1.0, 3.0],), {}, ([3.0, 1.0],)),
    (last, (2.0,), {}, (1.0,)),
    (last, (2.0,), {"n": 1}, (None,)),
    (chosen, (2.0, 1.0), {}, (2.0, 1.0)),
    (chosen, (2.0, -1.0), {}, (None, 1.0)),
    (either, (2.0, -1.0), {}, (0.0, 1.0)),
    (carried, (2.0, 3.0), {}, (1.0, None)),
    (carried, (2.0, 3.0), {"n": 1}, (None, 1.0)),
    (carried, (2.0, 3.0), {"n": 2}, (None, None)),
]
NAMES = [f"{f.__name__}-{i}" for i, (f, *_) in enumerate(ANSWERS)]


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(("f", "args", "kwargs", "expected"), ANSWERS, ids=NAMES)
def test_none_where_nothing_was_read(f, args, kwargs, expected, tier_name: str):
    with tier(tier_name):
        assert gradient(f, *args, **kwargs) == expected
        assert value_and_gradient(f, *args, **kwargs) == (f(*args, **kwargs), expected)
        assert pullback(f, *args, **kwargs)[1](1.0) == expected


@pytest.mark.parametrize("tier_name", TIERS)
def test_an_array_that_is_summed_is_read_though_it_is_empty(tier_name: str):
    with tier(tier_name):
        assert gradient(np.sum, EMPTY)[0].shape == (0,)
        assert gradient(lambda x: np.sum(x * 0.0), ONES)[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_other_family_has_zeros(tier_name: str):
    with tier(tier_name):
        assert grad(power)(2.0) == 0.0
        assert grad(product)(ONES).tolist() == [1.0, 1.0] and grad(product)(EMPTY).shape == (0,)


def guarded_by_none(x, n=0):
    (d,) = gradient(lambda z: power(z, n=n), x)
    return 3.0 * x if d is None else d * x


@pytest.mark.parametrize("tier_name", TIERS)
def test_none_inside_a_differentiated_function(tier_name: str):
    with tier(tier_name):
        assert gradient(guarded_by_none, 2.0) == (3.0,)
        assert gradient(guarded_by_none, 2.0, n=2) == (8.0,)
        assert gradient(guarded_by_none, 0.0, n=2) == (0.0,)
        assert grad(lambda x: grad(power)(x) + x * x)(3.0) == 6.0
