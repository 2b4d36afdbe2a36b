"""Ways out of compiled loops and functions: return, raise, exceptions that the program handles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import gradient
from engine.typed import NotTyped
from engine.typed import gradient as compiled

from .oracle import difference, tier

PROGRAMS = []


def at(*points):
    def add(f):
        PROGRAMS.extend((f, x) for x in points)
        return f

    return add


@at(0.7, 3.0)
def endless(x):
    while True:
        x = x * 0.5
        if x < 0.1:
            return math.sin(x)


@at(0.7, 0.9)
def endless_with_two_ways_out(x):
    n = 0
    while True:
        n += 1
        for j in range(3):
            x = x * 0.8
            if x < 0.1:
                return math.sin(x) + j
        if n > 2:
            return x * x


@at(0.7, 2.5, 1.3)
def endless_in_a_branch(x):
    if x > 2:
        return x * x
    elif x > 0:
        while True:
            x = x * 2.0
            if x > 3:
                return x
            if x > 2.5:
                return x * 3
    raise ValueError("negative")


@at(0.7, 0.9)
def endless_left_by_break_or_return(x):
    s = 0.0
    while True:
        s = s + x
        x = x * x
        if x < 0.01:
            break
        if s > 1.6:
            return s * x
    return s


@at(0.7)
def endless_left_from_a_try_alone(x):
    n = 0
    while True:
        try:
            x = x * (2.0 + n)
            n += 1
            if n > 2:
                return x * x
        except ValueError:
            n = 1


@at(0.7, 1.5, 2.5)
def first_that_fits_or_an_error(x):
    for v in (1.0, 2.0, 3.0):
        if x < v:
            return x * v
    raise ValueError("too large")


@at(0.7)
def steps_or_an_error(x):
    for i in range(1000):
        x = x * 0.9
        if x < 0.2:
            return x * i
    raise RuntimeError(f"no answer for {x}")


@at(0.7)
def the_end_is_not_reached(x):
    for _ in range(100):
        x = x * 0.8
        if x < 0.2:
            return math.exp(x)


@at(0.7, -0.7)
def a_computed_error(x):
    if x < -1:
        raise ValueError(f"{x} is too small")
    assert x < 1, f"{x} is too large"
    return x**3


@at(0.7, -0.7)
def handled(x):
    try:
        y = math.log(x)
    except ValueError:
        y = 2.0 * x
    return y * x


@at(0.7, -0.7)
def handled_with_else_and_finally(x):
    y = x
    try:
        z = math.sqrt(x)
    except ValueError as error:
        z = x * (2 + len(error.args))
    else:
        y = z * z * x
    finally:
        z = z * 3.0
    return y * z


@at(0.7, -0.7)
def raised_and_handled(x):
    total = 0.0
    for i in range(4):
        try:
            if x < 0:
                raise KeyError(i)
            total = total + x * i
        except KeyError:
            total = total - x * x
    return total


@at(0.7)
def deleted(x):
    y = x * x
    z = y * 2.0
    del y
    for y in (1.0, 2.0):
        z = z * y
    return z


@pytest.mark.parametrize("f, x", PROGRAMS, ids=[f"{f.__name__}-{x}" for f, x in PROGRAMS])
def test_as_differences_and_the_other_tier(f, x):
    with tier("traced"):
        expected = gradient(f, x)
    assert gradient(f, x) == pytest.approx(expected, rel=1e-13)
    assert expected[0] == pytest.approx(difference(lambda t: f(x + t)), rel=1e-7)


COMPILED = [f for f in dict.fromkeys(f for f, _ in PROGRAMS) if f is not endless_left_from_a_try_alone]


@pytest.mark.parametrize("f", COMPILED, ids=lambda f: f.__name__)
def test_compiled(f):
    with tier("traced"):
        expected = gradient(f, 0.7)
    assert compiled(f, (0.7,), {}) == (pytest.approx(f(0.7), rel=1e-14), pytest.approx(expected, rel=1e-13))


@pytest.mark.parametrize(
    "f, x, error, says",
    [
        (endless_in_a_branch, -1.0, ValueError, "negative"),
        (first_that_fits_or_an_error, 9.0, ValueError, "too large"),
        (steps_or_an_error, 1e200, RuntimeError, "no answer for"),
        (a_computed_error, -2.0, ValueError, "-2.0 is too small"),
        (a_computed_error, 2.0, AssertionError, "2.0 is too large"),
        (the_end_is_not_reached, 1e200, TypeError, "returned None"),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_errors_are_the_programs_own(f, x, error, says):
    gradient(f, 0.7)
    for _ in range(2):
        with pytest.raises(error, match=says):
            gradient(f, x)


def test_an_exception_that_no_clause_handles_is_raised():
    def f(x):
        try:
            return math.log(x)
        except KeyError:
            return 0.0

    assert gradient(f, 0.5) == (2.0,)
    with pytest.raises(ValueError, match="math domain error|expected a positive input"):
        gradient(f, -0.5)


def test_an_exception_of_a_caller_is_not_handled_by_the_callee():
    def careful(x):
        try:
            return math.sqrt(x)
        except ValueError:
            return 0.0

    def f(x):
        return careful(x) + math.log(x - 1.0)

    assert gradient(f, 4.0)[0] == pytest.approx(0.25 + 1 / 3)
    with pytest.raises(ValueError, match="math domain error|expected a positive input"):
        gradient(f, 0.5)


def test_a_finally_around_a_return_is_left_to_the_other_tier():
    def f(x):
        try:
            return x * x
        finally:
            x = 0.0

    with pytest.raises(NotTyped):
        compiled(f, (3.0,), {})
    assert gradient(f, 3.0) == (6.0,)


def test_arrays_written_to_before_an_exception_is_handled():
    def f(x):
        y = np.zeros(3)
        try:
            y[0] = x[0]
            y[1] = math.log(x[1])
            y[2] = x[2]
        except ValueError:
            y[1] = x[2] * 5.0
        return np.sum(y * y)

    for x in (np.array([1.0, 2.0, 3.0]), np.array([1.0, -2.0, 3.0])):
        with tier("traced"):
            expected = gradient(f, x)
        np.testing.assert_allclose(gradient(f, x)[0], expected[0], rtol=1e-14)
