"""Functions that call themselves, compiled: against differences, and against the other tier."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import gradient
from engine.typed import gradient as compiled

from .oracle import difference, tier

X = np.array([0.7, 1.2, 0.4, 0.9])


def check(f, *args, **kwargs):
    """The compiled gradient is the other tier's, and that of differences along one direction."""
    value, found = compiled(f, args, kwargs)
    with tier("traced"):
        expected = gradient(f, *args, **kwargs)
    assert value == pytest.approx(f(*args, **kwargs), rel=1e-12)
    along, slope = [], 0.0
    for i, (d, wanted, x) in enumerate(zip(found, expected, args, strict=True)):
        if wanted is None:
            assert d is None or not np.any(d)
            along.append(np.zeros_like(x) if np.ndim(x) else 0.0)
            continue
        np.testing.assert_allclose(d, wanted, rtol=1e-11, atol=1e-13)
        direction = np.random.default_rng(i).standard_normal(np.shape(x))
        along.append(direction)
        slope += np.sum(d * direction)

    def moved(t):
        return f(*[x + t * v if np.any(v) else x for x, v in zip(args, along, strict=True)], **kwargs)

    assert slope == pytest.approx(difference(moved), rel=1e-6, abs=1e-7)
    return found


# ---- unrolled: where it ends is decided by ints and shapes


def minors(a):
    """The determinant along the first row; of one dimension more at each level."""
    m = a.shape[-1]
    if m == 1:
        return a[..., 0, 0]
    columns = np.arange(m - 1) + (np.arange(m - 1) >= np.arange(m)[:, None])
    below = minors(np.moveaxis(a[..., 1:, :][..., columns], -2, -3))
    return np.sum((1.0 - 2.0 * (np.arange(m) % 2)) * a[..., 0, :] * below, axis=-1)


def determinant(a, n):
    return minors(a.reshape(n, n))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_arrays_of_more_dimensions_at_each_level(n):
    a = np.random.default_rng(n).random(n * n) + np.eye(n).ravel()
    (found,) = check(determinant, a, n=n)
    matrix = a.reshape(n, n)
    np.testing.assert_allclose(found.reshape(n, n), np.linalg.det(matrix) * np.linalg.inv(matrix).T, rtol=1e-10)


def test_another_size_is_another_instance():
    for n in (3, 2, 3, 4, 2):
        a = np.random.default_rng(n).random(n * n) + np.eye(n).ravel()
        with tier("traced"):
            expected = gradient(determinant, a, n=n)
        np.testing.assert_allclose(gradient(determinant, a, n=n)[0], expected[0], rtol=1e-12)


def nested(tree, x):
    """A sum over a tree of tuples, whose structure decides where it ends."""
    if isinstance(tree, tuple):
        return sum(nested(branch, x * 0.5) for branch in tree)
    return tree * x


def test_a_structure_decides_where_it_ends():
    check(lambda a, b, x: nested((a, (b, a * b), b), x), 1.3, 0.4, 2.0)


def composed(f, g):
    return lambda x: f(g(x))


def test_functions_that_are_called_inside_each_other_but_end():
    def twice(f):
        return lambda x: f(f(x))

    check(lambda x: twice(twice(lambda y: math.sin(y) + y))(x), 0.3)
    check(lambda x: composed(composed(math.sin, math.exp), composed(math.cos, math.tanh))(x), 0.3)
