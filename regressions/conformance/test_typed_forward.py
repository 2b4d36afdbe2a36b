"""Forward mode compiled: tangents against differences and against the other tier, Hessians times vectors too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import CotangentMismatchError, grad, gradient, hvp, jvp, rules
from engine.typed import NotTyped, derived, forget

from .oracle import difference, tier

X, V = np.array([1.5, 2.1, 3.5, 4.0]), np.array([0.3, -1.0, 0.7, 0.2])


class Programs(list):
    def append(self, program):
        super().append(program)
        return program


VALUES, LOSSES = Programs(), Programs()


@VALUES.append
def square(x):
    return x * x


@VALUES.append
def sine(x):
    return np.sin(x) * x + np.sum(x)


@VALUES.append
def stored(x):
    y = np.zeros(4)
    for i in range(4):
        y[i] = x[i] * x[i - 1]
    return y


@VALUES.append
def recurrence(x):
    s = 0.0
    for i in range(4):
        s = s * 0.5 + np.sin(x[i]) * s + x[i]
    return s


@VALUES.append
def structure(x):
    return (x @ x, x * 2, (np.outer(x, x), np.max(x)))


@VALUES.append
def stacked_rows(x):
    rows = []
    h = x
    for _ in range(3):
        h = np.tanh(h * x)
        rows.append(h)
    return np.stack(rows)


@VALUES.append
def branch_and_stencil(x):
    if x[0] > 1:
        y = x * 2
    else:
        y = x * x
    u = y.copy()
    u[1:-1] += y[2:] * y[:-2]
    return u


@VALUES.append
def selected(x):
    return np.sum(np.where(x > 2, x * x, np.sqrt(x)))


@VALUES.append
def linear_algebra(x):
    A = np.diag(x) + 0.1 * np.outer(x, x)
    return np.linalg.solve(A, x), np.linalg.inv(A), np.linalg.slogdet(A)[1]


@VALUES.append
def shapes(x):
    return np.concatenate([x[1:], x[:2] * x[2:]]), x.reshape(2, 2).T @ x[:2], np.mean(x), np.var(x)


@VALUES.append
def counted_loop(x):
    n = 0
    while x[0] * 1.5**n < 20.0:
        n += 1
    return x * 1.5**n


@VALUES.append
def inner_gradient(x):
    return grad(lambda y: np.sum(y**3 * x))(x)


@VALUES.append
def inner_pushforward(x):
    return jvp(lambda y: y**3 * x, (x,), (x * 2,))[1]


@VALUES.append
def list_of_floats(x):
    steps = []
    for i in range(4):
        steps.append(math.sin(float(x[i])))
    return sum(steps) * steps[1]


@VALUES.append
def complex_buffer_begun_with_real_numbers(x):
    w = np.zeros(4, complex)
    w += x
    w[1] = x[0] * 1j * x[1]
    return (w * w.conj()).real


@LOSSES.append
def cubes(x):
    return np.sum(x**3)


@LOSSES.append
def log_sum_exp(x):
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + top


@LOSSES.append
def recurrence_loss(x):
    return recurrence(x)


@LOSSES.append
def stacked_loss(x):
    return np.sum(stacked_rows(x) ** 2)


@LOSSES.append
def stencil_loss(x):
    return np.sum(branch_and_stencil(x) ** 3)


@LOSSES.append
def stored_loss(x):
    return np.sum(stored(x) ** 2)


@LOSSES.append
def solved(x):
    return np.sum(np.linalg.solve(np.diag(x) + 0.1, x))


@LOSSES.append
def nested(x):
    return inner_gradient(x) @ x


def leaves(value):
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("program", VALUES, ids=lambda f: f.__name__)
def test_pushforwards(program):
    value, tangent = derived(jvp, program, (X,), (V,))
    with tier("traced"):
        expected_value, expected = jvp(program, (X,), (V,))
    slopes = leaves(program(X))
    for i, (v, t, w, u) in enumerate(zip(*map(leaves, (value, tangent, expected_value, expected)), strict=True)):
        assert (type(v), type(t)) == (type(w), type(u))
        np.testing.assert_allclose(v, slopes[i], rtol=1e-13)
        np.testing.assert_allclose(t, u, rtol=1e-11, atol=1e-13)
        for place in np.ndindex(np.shape(v)):
            slope = difference(lambda s, i=i, place=place: np.asarray(leaves(program(X + s * V))[i])[place])
            np.testing.assert_allclose(np.asarray(t)[place], slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_hessians_times_vectors(loss):
    found = derived(hvp, loss, X, V)
    expected = [difference(lambda s, i=i: gradient(loss, X + s * V)[0][i]) for i in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    with tier("traced"):
        np.testing.assert_allclose(found, hvp(loss, X, V), rtol=1e-9)


def test_another_rule_for_a_linear_function_is_obeyed():
    def total(x):
        return np.sum(x) * 2.0

    with rules.replaced(np.sum, a=lambda d, out, a, axis=None: np.full(np.shape(a), 5.0 * d)):
        assert jvp(total, (np.ones(3),), (np.ones(3),))[1] == 30.0
    assert jvp(total, (np.ones(3),), (np.ones(3),))[1] == 6.0


def test_a_tie_below_two_derivatives_is_for_the_other_tier():
    tied = np.array([1.0, 2.0, 2.0])
    forget()
    derived(hvp, log_sum_exp, np.array([1.0, 2.0, 3.0]), np.ones(3))
    with pytest.raises(NotTyped, match="a tie"):
        derived(hvp, log_sum_exp, tied, np.ones(3))
    with tier("traced"):
        expected = hvp(log_sum_exp, tied, np.ones(3))
    np.testing.assert_allclose(hvp(log_sum_exp, tied, np.ones(3)), expected, rtol=1e-12)


def test_a_tangent_has_the_shape_of_its_primal():
    with pytest.raises(NotTyped):
        derived(jvp, square, (X,), (np.ones(3),))
    with pytest.raises(CotangentMismatchError, match="shape"):
        jvp(square, (X,), (np.ones(3),))


def test_what_is_returned_is_owned_by_nobody_else():
    x, v = X.copy(), V.copy()
    value, tangent = jvp(lambda x: x, (x,), (v,))
    assert not np.shares_memory(tangent, v)


def test_a_gradient_of_a_loop_that_pushes_forward():
    def descended(x):
        for _ in range(5):
            x = x - 0.1 * jvp(lambda y: np.sum(np.sin(y) * y), (x,), (np.ones(4),))[1] * x
        return np.sum(x)

    (found,) = gradient(descended, X)
    with tier("traced"):
        (expected,) = gradient(descended, X)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, initial=5.0),
        lambda x: np.add.reduce(x, initial=5.0),
        lambda x: np.sum(x * x, 0, None, None, False, 5.0),
    ],
    ids=["sum", "reduce", "positional"],
)
def test_a_sum_that_begins_at_a_number(f):
    value, along = jvp(f, (X,), (V,))
    assert value == pytest.approx(f(X))
    assert along == pytest.approx(difference(lambda t: f(X + t * V)), rel=1e-8)


def test_the_tangent_of_a_complex_is_one():
    def f(z, s):
        return z**3 / (1 + z) * s

    (z, s), (u, v) = (0.5 + 0.8j, 1.2 - 0.3j), (1.0 + 2.0j, 0.5j)
    value, along = derived(jvp, f, (z, s), (u, v))
    assert type(value) is type(along) is complex
    for part in (np.real, np.imag):
        assert part(along) == pytest.approx(difference(lambda t, part=part: part(f(z + t * u, s + t * v))), rel=1e-8)

    def squared_tangent(z):
        along = jvp(lambda w: w * w * w, (z,), (u,))[1]
        return along.real**2 + along.imag**2

    (found,) = gradient(squared_tangent, z)
    expected = [difference(lambda t, one=one: abs(3 * (z + t * one) ** 2 * u) ** 2) for one in (1.0, 1j)]
    assert [found.real, found.imag] == pytest.approx(expected, rel=1e-8)
