"""Functions of NumPy in compiled programs: several results, partial derivatives that are called, shapes by numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from engine import gradient, pullback
from engine.typed import NotTyped
from engine.typed import gradient as compiled

from .oracle import difference, tier

X = np.array([0.7, -1.2, 0.4, 0.9, 1.6, -0.3])
M = np.array([[2.0, 0.3, 0.1, 0.4], [0.2, 3.0, 0.5, 0.1], [0.6, 0.2, 4.0, 0.3], [0.1, 0.7, 0.2, 5.0]])
PROGRAMS = []


def at(*args):
    def add(f):
        PROGRAMS.append((f, args))
        return f

    return add


@at(X)
def split_in_three(x):
    a, b, c = np.split(x, 3)
    return np.sum(a * b) + np.sum(np.sin(c))


@at(X)
def one_part_is_not_looked_at(x):
    parts = np.split(x, 3)
    return np.sum(parts[0] ** 2) * parts[2][1]


@at(X[:2])
def parts_shorter_than_where_they_are_cut(x):
    a, b, c = np.split(x, [1, 3])
    return np.sum(a * b) + np.sum(np.sin(b + x)) + np.sum(c)


@at(X)
def split_and_joined(x):
    return np.sum(np.concatenate(np.array_split(x, 2)[::-1]) * x)


@at(M)
def eigenvalues_and_vectors(a):
    w, v = np.linalg.eigh(a + a.T)
    return w[0] * w[1] + np.sum(v**2 * w)


@at(M)
def fields_of_a_result(a):
    found = np.linalg.eigh(a @ a.T)
    return np.sum(np.log(found.eigenvalues)) + np.sum((found.eigenvectors * found[0]) ** 2)


@at(M[:3])
def singular_values_in_a_loop(a):
    s = 0.0
    for i in range(2):
        u, w, vh = np.linalg.svd(a + i, full_matrices=False)
        if w[0] > 1.0:
            s = s + np.sum(u[:, 0] ** 2 * w) + w[1] * w[2] + vh[0, 0] ** 2
    return s


@at(M)
def orthogonal_factor(a):
    q, r = np.linalg.qr(a)
    return np.sum(np.sin(q) * r)


@at(X[:3], X[3:])
def a_grid(x, y):
    u, v = np.meshgrid(x, y, indexing="ij")
    return np.sum(np.sin(u * v) + u)


@at(M)
def some_entries_of_a_sum(a):
    mask = a > 0.25
    rows = np.sum(a * a, axis=1, where=mask) + np.max(a, axis=1, where=mask, initial=0.0)
    return np.prod(a, where=mask) + np.mean(np.sin(rows), where=rows > 9.0)


@at(M[:2], X[:4])
def contraction(a, x):
    return np.sum(np.einsum("ij,j->i", a, x) ** 2) + np.einsum("ij,ij->", a, a)


@at(2.3, 0.4)
def quotient_and_remainder(x, y):
    q, r = np.divmod(x, y)
    return q * x + r * y


@at(X[:2], 0.3)
def slopes_that_are_called(x, y):
    return np.sum(special.eval_legendre(3, x * 0.5)) + special.gammainc(3, y) + special.hyp1f1(1.5, 2.5, y)


@at(np.array([[0.3], [0.8]]), X[:3])
def called_slopes_are_summed_over_what_was_broadcast(a, x):
    return np.sum(special.betainc(2.0, 3.0, a * np.abs(x) * 0.3) * x)


@pytest.mark.parametrize("f, args", PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_compiled(f, args):
    value, found = compiled(f, args, {})
    assert value == pytest.approx(f(*args), rel=1e-12)
    with tier("traced"):
        expected = gradient(f, *args)
    for i, (d, wanted, x) in enumerate(zip(found, expected, args, strict=True)):
        np.testing.assert_allclose(d, wanted, rtol=1e-9, atol=1e-11)
        direction = np.random.default_rng(i).standard_normal(np.shape(x))

        def moved(t, i=i, direction=direction):
            return f(*[a + t * direction if i == k else a for k, a in enumerate(args)])

        assert np.sum(d * direction) == pytest.approx(difference(moved), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("scalar", [2.0, np.float64(2.0), np.array(2.0)], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("swapped", [False, True])
def test_dot_with_a_number_in_any_form(scalar, swapped):
    weights = np.arange(6.0).reshape(2, 3)

    def f(x, s):
        return np.sum(weights * (np.dot(s, x) if swapped else np.dot(x, s)))

    x = 1.0 + weights
    for d, wanted in zip(compiled(f, (x, scalar), {})[1], (2.0 * weights, np.sum(weights * x)), strict=True):
        np.testing.assert_allclose(d, wanted)


@pytest.mark.parametrize("f", [lambda x: np.sum(np.unique_values(x) * 2.0), lambda x: np.sum(np.unique(x)[1:])])
def test_a_length_that_the_numbers_decide_is_right(f):
    if not hasattr(np, "unique_values"):
        pytest.skip("NumPy 2 brought it")
    x = np.array([3.0, 1.0, 3.0, 2.0])
    with tier("traced"):
        expected = gradient(f, x)
    np.testing.assert_array_equal(gradient(f, x)[0], expected[0])


def test_repeated_eigenvalues_whose_vectors_nobody_looks_at():
    def f(a):
        w, v = np.linalg.eigh(a)
        return w[0] + v[2, 2] ** 2

    a = np.diag([1.0, 1.0, 3.0])
    with tier("traced"):
        expected = gradient(f, a)
    np.testing.assert_allclose(gradient(f, a)[0], expected[0])


def test_a_write_to_a_part_is_seen_in_the_whole():
    def f(x):
        y = x * 2.0
        a, b = np.split(y, 2)
        a[0] = 5.0 * x[1]
        return np.sum(y * y) + b[0]

    with pytest.raises(NotTyped):
        compiled(f, (X,), {})
    direction = np.cos(np.arange(6.0))
    assert gradient(f, X)[0] @ direction == pytest.approx(difference(lambda t: f(X + t * direction)), rel=1e-6)


def test_parts_written_to_before_the_pullback_count_as_they_were():
    def f(x):
        a, b = np.split(x, 2)
        return np.sin(a) * b

    x = X.copy()
    _, back = pullback(f, x)
    before = back(np.ones(3))[0]
    x[:] = 0.0
    np.testing.assert_array_equal(back(np.ones(3))[0], before)
    np.testing.assert_allclose(before, np.concatenate([np.cos(X[:3]) * X[3:], np.sin(X[:3])]))


def test_entries_that_are_left_out_may_have_no_slope():
    x = np.array([1.0, 0.0, 4.0])
    np.testing.assert_allclose(gradient(lambda x: np.sum(np.sqrt(x), where=x > 0.0), x)[0], [0.5, 0.0, 0.25])
