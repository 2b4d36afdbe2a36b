"""What is not looked at contributes exactly nothing, at every order; a genuine singularity stays one (convention 4)."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine
from engine import checkpoint, grad, gradient, hessian, hvp, jacobian, jvp, pullback, switches
from engine.rules import registry, rule

from .oracle import TIERS, tier

Z = np.array([0.0, 1.0, 4.0])


def masked_root(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


def masked_log(x):
    return np.sum(np.where(x > 0, np.log(x), 0.0))


def masked_quotient(x):
    return np.sum(np.where(x != 0, np.sin(x) / x, 1.0))


def filtered_power(x):
    return np.sum((x**0.5)[x > 0])


def root_of_the_rest(x):
    return np.sum(np.sqrt(x)[1:])


def stored_over(x):
    y = np.sqrt(x)
    y[x == 0] = 0.0
    return np.sum(y)


def largest_root(x):
    return np.max(np.sqrt(x))


def root_or_bound(x):
    return np.sum(np.maximum(np.sqrt(x), 0.5))


def overflow_not_taken(x):
    return np.sum(np.where(x < 1e3, x**2, np.exp(1e6 * x)))


def roots_one_by_one(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        roots = np.sqrt(x)
        if x[i] > 0:
            out[i] = roots[i]
    return np.sum(out)


def checkpointed_root(x):
    return np.sum(np.where(x > 0, checkpoint(lambda y: np.sqrt(y) * 1.0)(x), 0.0))


def two_masks(x):
    r = np.sqrt(x)
    return np.sum(np.where(x > 0, r, 0.0)) + np.sum(np.where(x > 2, 3.0 * r, 0.0))


ROOTS = (np.array([0.0, 0.5, 0.25]), np.array([0.0, -0.25, -1 / 32]))  # first and second derivative of the root, masked
BIG = np.array([0.0, 1.0, 2000.0])

TRAPS: list[tuple[Callable, np.ndarray, np.ndarray, np.ndarray]] = [
    (masked_root, Z, *ROOTS),
    (masked_log, Z, np.array([0.0, 1.0, 0.25]), np.array([0.0, -1.0, -1 / 16])),
    (
        masked_quotient,
        np.array([0.0, np.pi]),
        np.array([0.0, -1 / np.pi]),
        np.array([0.0, 2 / np.pi**2]),
    ),
    (filtered_power, Z, *ROOTS),
    (root_of_the_rest, Z, *ROOTS),
    (stored_over, Z, *ROOTS),
    (largest_root, Z, np.array([0.0, 0.0, 0.25]), np.array([0.0, 0.0, -1 / 32])),
    (root_or_bound, Z, *ROOTS),
    (overflow_not_taken, np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 4.0]), np.array([2.0, 2.0, 2.0])),
    (roots_one_by_one, Z, *ROOTS),
    (checkpointed_root, Z, *ROOTS),
    (two_masks, Z, np.array([0.0, 0.5, 1.0]), np.array([0.0, -0.25, -1 / 8])),
]
of_each_trap = pytest.mark.parametrize(("f", "x", "first", "second"), TRAPS, ids=[f.__name__ for f, *_ in TRAPS])


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):  # the primals compute what they do not take
        yield


@of_each_trap
def test_first_order(f: Callable, x: np.ndarray, first: np.ndarray, second: np.ndarray):
    np.testing.assert_allclose(gradient(f, x)[0], first, rtol=1e-13)
    np.testing.assert_allclose(pullback(f, x)[1](1.0)[0], first, rtol=1e-13)
    with switches.off("typed"):
        np.testing.assert_allclose(gradient(f, x)[0], first, rtol=1e-13)


@of_each_trap
def test_forward_mode(f: Callable, x: np.ndarray, first: np.ndarray, second: np.ndarray):
    for direction in np.eye(len(x)):
        assert jvp(f, (x,), (direction,))[1] == pytest.approx(first @ direction, rel=1e-13)


@of_each_trap
def test_second_order(f: Callable, x: np.ndarray, first: np.ndarray, second: np.ndarray):
    np.testing.assert_allclose(hessian(f)(x), np.diag(second), rtol=1e-13)
    np.testing.assert_allclose(hvp(f, x, np.ones_like(x)), second, rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda y: np.sum(grad(f)(y)), x)[0], second, rtol=1e-13)


def test_third_order():
    f = grad(lambda x: np.where(x > 0, x**2.5, 0.0))
    assert grad(grad(f))(np.array(0.0)) == 0.0
    assert grad(grad(f))(np.array(4.0)) == pytest.approx(2.5 * 1.5 * 0.5 / 2)


def test_angle_at_a_masked_origin():
    def f(x, y):
        return np.sum(np.where((x != 0) | (y != 0), np.arctan2(y, x), 0.0) * np.array([1.0, 2.0]))

    x_bar, y_bar = gradient(f, np.array([0.0, 3.0]), np.array([0.0, 4.0]))
    np.testing.assert_allclose(x_bar, [0.0, -2 * 4 / 25])
    np.testing.assert_allclose(y_bar, [0.0, 2 * 3 / 25])


def test_rows_that_are_not_taken():
    def f(x):
        n = np.sqrt(np.sum(x**2, axis=1))
        return np.sum(np.where(n > 0.5, n, np.ones_like(n)))

    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(gradient(f, x)[0], [[0.6, 0.8], [0.0, 0.0]])


ROWS = np.array([[0.0, 1.0], [1.0, 4.0]])
TAKEN = np.array([False, True])


@pytest.mark.parametrize(
    ("reduce", "second_row"),
    [
        (lambda r: r @ np.array([1.0, 2.0]), [0.5, 0.5]),
        (lambda r: np.einsum("ij,j->i", r, np.array([1.0, 2.0])), [0.5, 0.5]),
        (lambda r: np.mean(r, axis=1), [0.25, 0.125]),
        (lambda r: np.prod(r, axis=1), [1.0, 0.25]),
        (lambda r: np.linalg.norm(r, axis=1), [1 / np.sqrt(20), 1 / np.sqrt(20)]),
        (lambda r: np.std(r, axis=-1, keepdims=True)[:, 0], [-0.25, 0.125]),
        (lambda r: np.max(r, axis=1), [0.0, 0.25]),
    ],
)
@pytest.mark.parametrize("typed", [True, False])
def test_a_row_that_is_not_taken_is_not_looked_at_through_a_reduction(reduce: Callable, second_row: list, typed: bool):
    with switches.off() if typed else switches.off("typed"):
        (found,) = gradient(lambda x: np.sum(np.where(TAKEN, reduce(np.sqrt(x)), 0.0)), ROWS)
    np.testing.assert_allclose(found, [[0.0, 0.0], second_row], rtol=1e-13)


def test_complex_and_single_precision():
    x = np.array([0.0, 4.0], np.float32)
    (found,) = gradient(masked_root, x)
    assert found.dtype == np.float32 and found.tolist() == [0.0, 0.25]
    (found,) = gradient(lambda z: np.sum(np.real(np.where(z != 0, np.sqrt(z), 0))), np.array([0j, 4 + 0j]))
    np.testing.assert_allclose(found, [0, 0.25])


def test_parameters_found_by_identity():
    w = Z.copy()
    found = engine.gradient(lambda: masked_root(w), engine.Params([w]))
    np.testing.assert_allclose(found[w], ROOTS[0])


def test_rows_of_a_jacobian_do_not_look_at_each_other():
    np.testing.assert_array_equal(jacobian(np.sqrt)(Z), [[np.inf, 0, 0], [0, 0.5, 0], [0, 0, 0.25]])
    base = np.array([1.0, 2.0, np.nan])
    np.testing.assert_allclose(jacobian(jacobian(lambda t: base**t))(1.0), base * np.log(base) ** 2)


SINGULAR: list[tuple[Callable, Any, Any]] = [
    (lambda x: np.sum(np.sqrt(x) ** 2), Z, [np.nan, 1.0, 1.0]),
    (lambda x: np.sum(np.where(x >= 0, np.sqrt(x) ** 2, 0.0)), Z, [np.nan, 1.0, 1.0]),
    (lambda x: np.sum(np.where(x >= 0, np.sqrt(x), 0.0)), Z, [np.inf, 0.5, 0.25]),
    (lambda x: np.sum((0.0 * x) * np.log(x)), Z, [np.nan, 0.0, 0.0]),
    (lambda x: np.sum(np.sqrt(x)[1:]) + np.sum(np.sqrt(x)[:1] ** 2), Z, [np.nan, 0.5, 0.25]),
    (lambda x: np.sum(np.maximum(np.sqrt(x) ** 2, -1.0)), Z, [np.nan, 1.0, 1.0]),
]


@pytest.mark.parametrize(("f", "x", "expected"), SINGULAR)
@pytest.mark.parametrize("typed", [True, False])
def test_a_singularity_that_is_looked_at_stays_one(f: Callable, x: Any, expected: Any, typed: bool):
    with switches.off() if typed else switches.off("typed"):
        np.testing.assert_allclose(gradient(f, x)[0], expected)


def test_opposite_signs_do_not_cancel():
    """Entries are counted, not added up: x - x looks at x."""
    (found,) = gradient(lambda x: np.sum(np.where(x < 9, np.sqrt(x) - np.sqrt(x) ** 1.0, 0.0)), Z)
    assert np.isnan(found[0])


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("difference", [np.diff, np.ediff1d, lambda x: np.diff(x, prepend=x[:1])[1:]])
def test_differences(difference: Callable, tier_name: str):
    """What comes back from two of them is subtracted, and still both have looked."""
    with tier(tier_name):
        x = np.array([0.0, 1.0, 4.0])
        assert grad(lambda x: np.sum(difference(np.sqrt(x))[1:]))(x).tolist() == [0.0, -0.5, 0.25]
        second = hessian(lambda x: np.sum(difference(np.sqrt(x))[1:]))(x)
        np.testing.assert_allclose(second, np.diag([0.0, 0.25, -1 / 32]))
        x = np.array([1.0, 0.0, 4.0])
        found = grad(lambda x: np.sum(difference(np.sqrt(x))) + np.sum(np.where(x > 9, np.sqrt(x), 0.0)))(x)
        np.testing.assert_array_equal(found, [-0.5, np.nan, 0.25])


def test_the_users_arrays_are_left_alone():
    def f(x):
        scratch[:] = np.sqrt(x)
        scratch[x == 0] = 0.0
        return np.sum(scratch)

    scratch = np.ones(3)
    np.testing.assert_allclose(gradient(f, Z)[0], ROOTS[0])
    np.testing.assert_array_equal(scratch, [0.0, 1.0, 2.0])


def test_a_rule_of_ones_own_may_select():
    def first_half(x):
        return x[: len(x) // 2]

    def without(d, out, x):
        return np.concatenate([d, np.zeros(len(x) - len(d))])

    def f(x):
        return np.sum(first_half(np.sqrt(x)))

    x = np.array([1.0, 4.0, 0.0, 0.0])
    with registry.scope():
        rule(first_half, x=without)
        assert np.isnan(gradient(f, x)[0]).tolist() == [False, False, True, True]
    with registry.scope():
        rule(first_half, selects=True, x=without)
        assert gradient(f, x)[0].tolist() == [0.5, 0.25, 0.0, 0.0]


def test_warnings_as_errors_are_the_primals_own():
    with np.errstate(all="raise"):
        np.testing.assert_allclose(gradient(masked_root, Z)[0], ROOTS[0])
        with pytest.raises(FloatingPointError, match="divide by zero encountered in log"):
            gradient(masked_log, Z)


def test_no_warning_of_the_sweep_reaches_the_user():
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(gradient(masked_root, Z)[0], ROOTS[0])
    with np.errstate(all="warn"), pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        gradient(masked_log, Z)


@pytest.mark.parametrize("f", [np.log, np.log2, np.log10, lambda x: np.log1p(x - 1.0), lambda x: np.arctanh(x + 1.0)])
@pytest.mark.parametrize("typed", [True, False])
def test_numpy_at_a_pole_of_a_python_number_is_infinite_and_no_error(f: Callable, typed: bool):
    with switches.off() if typed else switches.off("typed"):
        assert gradient(lambda x: f(x), 0.0) == (np.inf,)


@pytest.mark.parametrize("f", [lambda x: np.where(x > 0, np.sqrt(x), 0.0), lambda x: np.maximum(-np.sqrt(x) - 1, 0.0)])
def test_an_argument_that_is_left_out_altogether_has_zeros_as_where_all_slopes_exist(f: Callable):
    assert gradient(f, 0.0) == (0.0,) == gradient(lambda x: np.where(x > 0, x, 0.0), 0.0)
    with switches.off("typed"):
        assert gradient(f, 0.0) == (0.0,)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("power", [pow, math.pow, np.power, operator.pow, lambda x, y: x**y])
def test_a_power_of_zero_does_not_move_with_its_exponent(power: Callable, tier_name: str):
    """Whatever its cotangent is, also an infinite one: 0^y is the constant 0 (convention 3)."""
    with tier(tier_name):
        assert gradient(lambda y: np.sqrt(power(0.0, y)), 2.0) == (0.0,)
        assert gradient(lambda y: np.sqrt(power(0.0, y)) + power(3.0, y), 2.0) == pytest.approx((9 * np.log(3.0),))
        np.testing.assert_allclose(
            hessian(lambda v: power(v[0], v[1]))(np.array([2.0, 3.0])),
            [[12.0, 4 + 12 * np.log(2.0)], [4 + 12 * np.log(2.0), 8 * np.log(2.0) ** 2]],
            rtol=1e-14,
        )


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_root_that_pow_takes_where_it_is_not_looked_at(tier_name: str):
    with tier(tier_name):
        (d,) = gradient(lambda x: np.sum(np.where(x > 0, pow(x, exp=0.5), 0.0)), Z)
        assert d.tolist() == [0.0, 0.5, 0.25]
