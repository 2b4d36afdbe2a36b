"""Compiled pullbacks: called several times, after the arguments were written to, with cotangents of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

from engine import CotangentMismatchError, gradient, jacobian, pullback, vjp
from engine.typed import NotTyped
from engine.typed import pullback as compiled

from .oracle import difference, tier
from .test_typed_forward import VALUES, X, leaves


def seed_of(value, rng):
    if isinstance(value, tuple):
        return tuple([seed_of(item, rng) for item in value])
    return rng.standard_normal(value.shape) if isinstance(value, np.ndarray) else type(value)(rng.standard_normal())


def never():
    raise AssertionError("the other tier was asked")


@pytest.mark.parametrize("program", VALUES, ids=lambda f: f.__name__)
def test_pullbacks_called_twice(program):
    value, back = compiled(program, (X,), {}, never)
    with tier("traced"):
        _, expected = pullback(program, X)
    rng = np.random.default_rng(1)
    for _ in range(2):
        d = seed_of(value, rng)
        (found,), (wanted,) = back(d), expected(d)
        np.testing.assert_allclose(np.zeros(4) if found is None else found, wanted, rtol=1e-10, atol=1e-12)

        direction = rng.standard_normal(4)

        def weighed(t, d=d, direction=direction):
            return sum(np.sum(a * b) for a, b in zip(leaves(program(X + t * direction)), leaves(d), strict=True))

        np.testing.assert_allclose(found @ direction, difference(weighed), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_the_other_branch_would_have_saved_is_not_copied(sign):
    def branches(x, y):
        a, b = np.array(x), x * y
        if y[-1] > 0.0:
            b[2] = np.tanh(a[-1])
            a[1:] *= np.tanh(x[0])
        else:
            a[::2] = x[:2]
        a[2:] *= np.sin(y[1:-1])
        return np.sum(a * y) + np.sum(b * y)

    x, y = sign * X, sign * X[::-1].copy()
    _, back = compiled(branches, (x, y), {}, never)
    with tier("traced"):
        _, expected = pullback(branches, x, y)
    for found, wanted in zip(back(1.0), expected(1.0), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10)


def test_arguments_written_to_before_the_pullback_count_as_they_were():
    def product(x, y):
        rows = []
        for i in range(2):
            rows.append(x[i:])
        return rows[0][1:] * rows[1] * y[1:]

    x, y = X.copy(), X.copy()
    value, back = compiled(product, (x, y), {}, never)
    before = back(np.ones(3))
    x[:], y[:], value[:] = 0.0, 0.0, 0.0
    for a, b in zip(back(np.ones(3)), before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.any(a)


def test_the_other_tier_is_asked_about_the_arrays_as_they_were():
    scale = np.array([2.0, 0.0, 3.0, 1.0])
    x = X.copy()
    _, back = pullback(lambda x: np.where(scale > 0, np.sqrt(x * scale), 0.0), x)
    x[:], scale[:] = 5.0, 7.0
    (found,) = back(np.ones(4))
    np.testing.assert_allclose(found, np.array([1.0, 0.0, 1.5, 0.5]) / np.sqrt(np.array([3.0, 1.0, 10.5, 4.0])))
    assert np.all(x == 5.0) and np.all(scale == 7.0)


def test_gradients_are_owned_by_nobody_else():
    _, back = compiled(lambda x: x, (X.copy(),), {}, never)
    d = np.ones(4)
    (first,) = back(d)
    assert not np.shares_memory(first, d)


@pytest.mark.parametrize("d", [1, np.arange(4), np.float32([1, 2, 3, 4])], ids=repr)
def test_cotangents_of_other_kinds_are_answered_as_by_the_other_tier(d):
    function = (lambda x: x * 2.0) if np.ndim(d) else (lambda x: np.sum(x * 2.0))
    _, back = pullback(function, X)
    with tier("traced"):
        _, expected = pullback(function, X)
        wanted = expected(d)
    np.testing.assert_array_equal(back(d)[0], wanted[0])


def test_a_cotangent_of_another_shape_is_refused_by_name():
    _, back = pullback(lambda x: x * 2.0, X)
    with pytest.raises(CotangentMismatchError, match=r"shape \(4,\)"):
        back(np.ones(3))


def test_a_pullback_inside_a_differentiated_function():
    _, back = vjp(lambda x: x**3, X)
    (found,) = gradient(lambda d: np.sum(back(d)[0] * X), np.ones(4))
    np.testing.assert_allclose(found, 3 * X**3)


def test_rows_of_a_compiled_jacobian():
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            y[i] = x[i] * x[i + 1]
        return y

    expected = np.zeros((3, 4))
    for i in range(3):
        expected[i, i], expected[i, i + 1] = X[i + 1], X[i]
    np.testing.assert_allclose(jacobian(f)(X), expected)


def test_one_value_twice_in_a_result_is_for_the_other_tier():
    def twice(x):
        y = x * x
        return y, y

    with pytest.raises(NotTyped):
        compiled(twice, (X,), {}, never)
    _, back = pullback(twice, X)
    np.testing.assert_allclose(back((np.ones(4), np.ones(4)))[0], 4 * X)


@pytest.mark.parametrize("where", ["typed", "traced"])
def test_a_list_that_a_primitive_returns_has_cotangents(where):
    with tier(where):
        _, back = pullback(lambda x: np.split(x, 2), X)
    np.testing.assert_array_equal(back([np.ones(2), np.full(2, 2.0)])[0], [1.0, 1.0, 2.0, 2.0])
