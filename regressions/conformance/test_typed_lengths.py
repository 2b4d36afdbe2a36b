"""Lengths that are not known when a program is compiled: which are equal, and which may be one and were broadcast."""

from __future__ import annotations

import re

import numpy as np
import pytest

import engine
from engine import gradient, hvp
from engine.typed import gradient as compiled

from .oracle import tier

X = np.array([0.3, 0.5, 0.7, 1.1, 1.3])


def items_of_one_list(x, n):
    items, u = [], x
    for _ in range(n):
        items.append(u[2:] * 1.5)
        u = u[:-2]
    return np.sum(items[0] * items[1])


def slices_in_a_list(x, n):
    items = []
    for i in range(n):
        items.append(x[2 * (i % 2) : 3])
    return np.sum(np.exp(items[0]) * items[1] * items[n - 1])


def overwritten_by_another_length(x, n):
    u, v = x, x
    for _ in range(n):
        v = u * 2.0
        u = u[1:] * 1.1
    return np.sum(v[:1] * u)


def shrinks_and_meets_its_past(x, n):
    u, total = x, 0.0
    for _ in range(n):
        w = u
        u = u[1:] * 1.1
        total = total + np.sum(u * w[-1:]) + np.sum(w[:1] * u)
    return total


def another_length_in_each_branch(x, n):
    u, total = x, 0.0
    for _ in range(n):
        if np.sum(u) > 3.0:
            a, b = u[1:], u[:1]
        else:
            a, b = u[:1], u
        total = total + np.sum(a * b * np.sin(a))
        u = u * 0.7
    return total


def bound_in_the_loop_alone(x, n):
    for i in range(n):
        a, b = x[i:], x[4 - i : 5]
    return np.sum(a[:1] * b) + np.sum(a * b[-1:])


def slices_of_the_same_bounds(x, n):
    total = 0.0
    for i in range(n):
        total = total + np.sum(x[i : i + 2] * x[i : i + 2]) + np.sum(x[: i + 1] * x[i : i + 1])
    return total


def rows_and_columns_written(x, n):
    m = n + 1
    out = np.zeros((m, n))
    for i in range(n):
        out[i] = out[i] + x[i] * x[:1]
        out[:, i] += x[:m]
    return np.sum(out * out[:1])


def nested_loops(x, n):
    total = 0.0
    for i in range(n):
        u = x[i:]
        for _ in range(2):
            u = u * x[-1:]
            total = total + np.sum(u * u[:1])
        total = total + np.sum(u * x[:1])
    return total


def axes_moved(x, n):
    a = np.expand_dims(x[:n], 0)
    b = np.transpose(a) * x[:1]
    c = np.moveaxis(a * b, 0, 1)
    return np.sum(c * a) + np.sum(np.swapaxes(b, 0, 1) * c)


def lengths_in_a_list(x, n):
    lengths, u = [], x
    for _ in range(n):
        lengths.append(len(u))
        u = u[1:]
    return np.sum((np.zeros(lengths[1]) + np.ones(lengths[0] - lengths[1]) * x[0]) * x[:1])


def number_bound_in_some_iterations(x, n):
    for i in range(n):
        if x[i] > 0.4:
            best = x[i] * x[0]
    return best * best


def number_bound_by_an_inner_loop(x, n):
    total = 0.0
    for i in range(n):
        for _ in range(i % 2):
            z = x[i] * total
        total = total + x[i]
    return z * z


PROGRAMS = [
    items_of_one_list, slices_in_a_list, overwritten_by_another_length, shrinks_and_meets_its_past,
    another_length_in_each_branch, bound_in_the_loop_alone, slices_of_the_same_bounds, rows_and_columns_written,
    nested_loops, axes_moved, lengths_in_a_list, number_bound_in_some_iterations, number_bound_by_an_inner_loop,
]  # fmt: skip


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_compiled_derivatives_are_those_of_the_other_tier(f, n):
    with tier("traced"):
        expected, second = gradient(f, X, n=n)[0], hvp(lambda x: f(x, n), X, np.ones(5))
    step = 1e-6
    slopes = [(f(X + step * e, n) - f(X - step * e, n)) / (2 * step) for e in np.eye(5)]
    np.testing.assert_allclose(expected, slopes, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(compiled(f, (X,), {"n": n})[1][0], expected, rtol=1e-13)
    np.testing.assert_allclose(hvp(lambda x: f(x, n), X, np.ones(5)), second, rtol=1e-12, atol=1e-13)


def array_bound_in_some_iterations(x, n):
    total = 0.0
    for i in range(n):
        if i == 1:
            y = x[i:] * 2.0
        if i >= 1:
            total = total + np.sum(y * y[:1] * x[:1])
    return total + np.sum(y)


def test_an_array_that_some_iterations_bind_keeps_its_value_in_the_others():
    (found,) = gradient(array_bound_in_some_iterations, X, n=4)
    with tier("traced"):
        (expected,) = gradient(array_bound_in_some_iterations, X, n=4)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def cut_and_bent(x, w):
    u = x[1:] * w[1:]
    return np.sum(np.exp(-u) / (1 + u * u))


def test_equal_lengths_are_not_compared_when_the_gradient_runs():
    text = engine.show(cut_and_bent, X, X)
    assert "reduce_to" not in text and "outline" not in text


def apart(x, y):
    return np.sum((np.exp(x) - y) * np.cos(x))


def test_signs_are_taken_out_of_sums_and_become_subtractions():
    text = engine.show(apart, X, 0.4)
    assert re.search(r"-\w*reduce\(\w+, None\)", text) and not re.search(r"reduce\(-", text)
    found = gradient(apart, X, 0.4)
    np.testing.assert_allclose(found[0], np.exp(X) * np.cos(X) - (np.exp(X) - 0.4) * np.sin(X), rtol=1e-14)
    assert found[1] == pytest.approx(-np.sum(np.cos(X)), rel=1e-14)


# ---- no more than by hand


def squares(x):
    return np.sum(x * x)


def test_a_square_has_one_product_for_its_cotangent():
    assert "2.0 * x" in engine.show(squares, X)
    assert np.array_equal(engine.gradient(squares, X)[0], 2.0 * X)
    assert np.array_equal(engine.jvp(engine.grad(squares), (X,), (X,))[1], 2.0 * X)


def logarithm_of_determinant(a):
    return np.linalg.slogdet(a)[1]


def with_sign(a):
    sign, logarithm = np.linalg.slogdet(a)
    return sign * logarithm


def test_the_sign_of_a_determinant_is_computed_where_it_is_used():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    for f, sign in ((logarithm_of_determinant, 1.0), (with_sign, -1.0)):
        assert ("sign_of_det" in engine.show(f, a)) is (sign < 0)
        assert np.allclose(engine.gradient(f, a)[0], sign * np.linalg.inv(a).T)
    with pytest.raises(np.linalg.LinAlgError):
        engine.gradient(logarithm_of_determinant, np.ones((2, 3)))


def of_the_largest(x):
    return np.max(x) ** 2 + np.sum(x)


def test_places_of_the_largest_are_written_to_once_each():
    x = np.array([1.0, 3.0, 3.0])
    assert "addat" not in engine.show(of_the_largest, x)
    assert np.array_equal(engine.gradient(of_the_largest, x)[0], [1.0, 4.0, 4.0])


def through_slices(x, w):
    y = x[: len(w)] * w
    return np.sum(np.sin(y) * y)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_cotangent_is_spread_where_it_is_smaller(n):
    x, w = np.array([0.5, 1.5, 2.5]), np.arange(1.0, n + 1)
    engine.check_gradient(through_slices, x, w)
    engine.check_gradient(lambda x, w: np.sum((x[:n] + w) @ np.ones((n, 2)) * x[:1]), x, w)
