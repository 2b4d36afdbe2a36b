"""Compiled derivatives of derivatives: Hessians, gradients of gradients, gradients that a program captured."""

from __future__ import annotations

import linecache
import math

import numpy as np
import pytest

from engine import grad, gradient, hessian, jacobian, jvp, traced, value_and_grad, value_and_gradient

from .oracle import STEP, difference, tier

X = np.array([0.3, -0.5, 0.7])
A = np.array([[2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.0, 0.2, 4.0]])


def never(*args, **kwargs):
    raise AssertionError("the other tier was asked")


@pytest.fixture
def compiled(monkeypatch):
    """Nothing runs on the traced tier."""
    monkeypatch.setattr(traced, "pullback", never)


def polynomial(x):
    return x[0] ** 2 * x[1] + x[2] ** 3 * x[0]


def smooth(x):
    return np.sum(np.sin(x) * np.exp(x)) / (1.0 + x @ x)


def quadratic(x):
    return x @ A @ x


def looped(x):
    s = 0.0
    for i in range(3):
        s = s * 0.5 + math.sin(x[i]) * s + x[i] ** 2
    return s


def branched(x):
    y = x * 2.0 if x[0] > 0.0 else x
    return np.sum(y * y * x)


LOSSES = [polynomial, smooth, quadratic, looped, branched]


def second_differences(f, x):
    def slope(i, at):
        return difference(lambda t: f(at + t * np.eye(len(at))[i]))

    def along(i, j):
        return difference(lambda t: slope(i, x + t * np.eye(len(x))[j]), STEP)

    return np.array([[along(i, j) for j in range(len(x))] for i in range(len(x))])


@pytest.mark.parametrize("f", LOSSES, ids=lambda f: f.__name__)
def test_a_hessian_is_compiled(compiled, f):
    for _ in range(2):
        np.testing.assert_allclose(hessian(f)(X), second_differences(f, X), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(hessian(f)(-X), second_differences(f, -X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", LOSSES, ids=lambda f: f.__name__)
def test_a_hessian_is_that_of_the_other_tier(f):
    with tier("traced"):
        expected = hessian(f)(X)
    np.testing.assert_allclose(hessian(f)(X), expected, rtol=1e-12, atol=1e-14)


def test_gradients_of_gradients(compiled):
    assert grad(grad(lambda x: x**5))(2.0) == 160.0
    assert grad(grad(grad(lambda x: x**5)))(2.0) == 240.0
    value, slope = value_and_grad(grad(lambda x: math.sin(x)))(0.5)
    assert (value, slope) == (math.cos(0.5), -math.sin(0.5))
    assert jvp(grad(lambda x: x**4), (2.0,), (1.0,)) == (32.0, 48.0)
    assert gradient(grad(value_and_first), 2.0)[0] == 18.0


def value_and_first(x):
    value, slope = value_and_grad(lambda y: y**3)(x)
    return value + slope  # x^3 + 3 x^2, whose second derivative is 6 x + 6


def test_gradients_of_many_functions_are_kept_apart_though_they_have_one_code(compiled):
    powers = [power(n) for n in range(2, 30)]
    for n, f in enumerate(powers, start=2):
        assert grad(grad(f))(1.0) == n * (n - 1)


def power(n):
    """x ** n, each with code of its own."""
    name, text = f"<power {n}>", f"def f(x):\n    return x ** {n}\n"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {}
    exec(compile(text, name, "exec"), namespace)
    return namespace["f"]


captured = grad(lambda a, b: a * a * b, argnums=(1, 0))
last = grad(lambda a, b: a * b * b, -1)
listed = grad(lambda a, b: a * a * b, argnums=[0, -1])
both_at_once = value_and_grad(lambda a, b: a * b * b, 1)


def test_gradients_that_a_program_captured(compiled):
    assert gradient(lambda x: captured(x, 2.0 * x)[1], 3.0) == (24.0,)  # 2 a b at (x, 2 x) is 4 x^2
    assert gradient(lambda x: last(2.0, x), 3.0) == (4.0,)
    assert gradient(lambda x: listed(x, 3.0)[1], 3.0) == (6.0,)

    def of_both(x):
        value, slope = both_at_once(x, x)
        return value + slope

    assert gradient(of_both, 2.0) == (20.0,)  # x^3 + 2 x^2


def test_a_gradient_counted_from_the_last_argument():
    def program(x):
        return grad(lambda a, b: a * b * b, -1)(2.0, x)

    assert gradient(program, 3.0) == (4.0,)
    with tier("traced"):
        assert gradient(program, 3.0) == (4.0,)


def test_arguments_that_do_not_exist_are_refused_by_both_tiers():
    for name in ("typed", "traced"):
        with tier(name), pytest.raises(TypeError, match="argument 2"):
            gradient(lambda x: grad(lambda a, b: a * b, 2)(x, x), 3.0)


def weighed(x, a, n):
    return x @ a @ x * n


def test_derivatives_by_some_arguments_are_compiled(compiled):
    expected = 3 * (A + A.T)
    np.testing.assert_allclose(grad(weighed)(X, A, 3), expected @ X, rtol=1e-14)
    np.testing.assert_allclose(grad(weighed, 1)(X, A, 3), 3 * np.outer(X, X), rtol=1e-14)
    np.testing.assert_allclose(hessian(weighed)(X, A, 3), expected, rtol=1e-14)
    np.testing.assert_allclose(jacobian(lambda x, a, n: a @ x * n)(X, A, 3), 3 * A, rtol=1e-14)
    found = jacobian(lambda x, a, n: a @ x * n, (1, 0))(X, A, 3)
    np.testing.assert_allclose(found[0], 3 * np.einsum("ik,j->ikj", np.eye(3), X), rtol=1e-14)
    np.testing.assert_allclose(found[1], 3 * A, rtol=1e-14)
    value, (by_a, by_x) = value_and_grad(weighed, (1, 0))(X, A, 3)
    assert value == pytest.approx(weighed(X, A, 3))
    np.testing.assert_allclose(by_a, 3 * np.outer(X, X), rtol=1e-14)
    np.testing.assert_allclose(by_x, expected @ X, rtol=1e-14)


def test_the_same_array_twice_is_two_arguments(compiled):
    np.testing.assert_allclose(grad(lambda x, y: np.sum(x * y))(X, X), X)
    np.testing.assert_allclose(grad(lambda x, y: np.sum(x * y), 1)(X, X), X)
    np.testing.assert_allclose(grad(lambda x, y: np.sum(x * x))(X, X), 2 * X)


def test_a_function_rebound_behind_its_gradient_is_the_new_one():
    scale = 2.0

    def f(x):
        return x * x * scale

    df = grad(f)
    assert grad(df)(1.0) == 4.0
    scale = 5.0
    assert grad(df)(1.0) == 10.0
    assert value_and_gradient(df, 1.0) == (10.0, (10.0,))


def test_a_tie_below_two_derivatives_is_for_the_other_tier():
    def top(x):
        return np.max(x * x)

    tied = np.array([1.0, 1.0])
    with tier("traced"):
        expected = hessian(top)(tied)
    np.testing.assert_array_equal(hessian(top)(tied), expected)
