"""A sequence of numbers beside an array, or in the place of one, is the array of them, of whatever kind it is."""

from __future__ import annotations

import math
import operator
from collections import UserList, deque, namedtuple
from contextlib import nullcontext

import numpy as np
import pytest

from engine import errors, gradient, jvp, switches
from regressions import oracles

X = np.array([2.0, 3.0])
Pair = namedtuple("Pair", "first second")


class Row(list):
    """A list of a class of its own."""


class Fixed(tuple):
    """A tuple of a class of its own."""


SEQUENCES = {
    "list": lambda a, b: [a, b],
    "tuple": lambda a, b: (a, b),
    "list of a class": lambda a, b: Row([a, b]),
    "tuple of a class": lambda a, b: Fixed((a, b)),
    "named tuple": lambda a, b: Pair(a, b),
    "lists in a list": lambda a, b: [[a], [b]],
    "list in a tuple": lambda a, b: ([a, b],),
    "tuple in a list": lambda a, b: [(a, b)],
    "named tuple in a list": lambda a, b: [Pair(a, b)],
    "deque": lambda a, b: deque([a, b]),
    "deque in a list": lambda a, b: [deque([a, b])],
}


def stored(x, sequence):
    y = np.zeros(np.shape(sequence))
    y[...] = sequence
    return y


def added_in_place(x, sequence):
    y = np.zeros(np.shape(sequence))
    y += sequence
    return y


def placed(x, sequence):
    y = np.ones(4) * x[0]
    np.place(y, [1, 0, 2, 0], np.ravel(sequence))
    return y


USES = {
    "mul": lambda x, s: x * s,
    "reflected sub": lambda x, s: s - x,
    "pow": lambda x, s: (0.1 * x) ** s,
    "np.multiply": lambda x, s: np.multiply(x, s),
    "np.add": lambda x, s: np.add(1.0, s),
    "np.exp": lambda x, s: np.exp(s),
    "np.maximum": lambda x, s: np.maximum(s, 2.5),
    "np.where": lambda x, s: np.where(x > 2.5, s, 0.0),
    "np.clip": lambda x, s: np.clip(s, 0.0, 5.0),
    "np.sum": lambda x, s: np.sum(s),
    "np.sum along an axis": lambda x, s: np.sum(s, axis=0),
    "np.sum by keyword": lambda x, s: np.sum(a=s),
    "np.prod": lambda x, s: np.prod(s),
    "np.max": lambda x, s: np.max(s),
    "np.mean": lambda x, s: np.mean(s),
    "np.linalg.norm": lambda x, s: np.linalg.norm(s),
    "np.dot": lambda x, s: np.dot(s, 2.0),
    "np.outer": lambda x, s: np.outer(x, s),
    "np.reshape": lambda x, s: np.reshape(s, -1),
    "np.take": lambda x, s: np.take(s, [0, 1, 1]),
    "np.array": lambda x, s: np.array(s),
    "np.array with a dtype": lambda x, s: np.array(s, np.float64),
    "np.stack": lambda x, s: np.stack(s),
    "np.concatenate": lambda x, s: np.concatenate([np.ravel(s), x]),
    "np.average by weights": lambda x, s: np.average(np.arange(2.0).reshape(np.shape(s)), weights=s),
    "np.add.reduce": lambda x, s: np.add.reduce(s),
    "np.multiply.outer": lambda x, s: np.multiply.outer(s, x),
    "math.fsum": lambda x, s: math.fsum(np.ravel(s)) if np.ndim(s) > 1 else math.fsum(s),
    "np.place": placed,
    "store": stored,
    "in place": added_in_place,
}


TIERS = [pytest.param(nullcontext, id="both tiers"), pytest.param(lambda: switches.off("typed"), id="traced tier")]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", SEQUENCES)
def test_sequence_is_the_array_of_its_items(kind, use, tier):
    make, apply = SEQUENCES[kind], USES[use]

    def program(x):
        return np.sum(apply(x, make(x[0], x[1] * x[1])) ** 2)

    (right,) = oracles.central_differences(program, X)
    with tier():
        (found,) = gradient(program, X)
    np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("use", ["mul", "reflected sub", "np.exp", "np.sum", "store"])
def test_sequence_of_an_unknown_class_is_refused(use):
    with pytest.raises(errors.DifferentiationError):
        gradient(lambda x: np.sum(USES[use](x, UserList([x[0], x[1]]))), X)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.sum(np.array(operator.add([x[0]], [x[1], x[0]])) ** 2),
        lambda x: np.sum(np.array(operator.mul([x[0]], 2)) ** 2),
        lambda x: np.sum(np.array(operator.add((x[0],), (x[1],))) ** 2),
        lambda x: np.sum(operator.add([x[0], x[1]], x) * operator.mul(x, (x[1], x[0]))),
    ],
    ids=["add of lists", "mul of a list", "add of tuples", "beside an array"],
)
def test_operator_as_a_function_means_what_the_operator_means(program, tier):
    with tier():
        (found,) = gradient(program, X)
    np.testing.assert_allclose(found, oracles.central_differences(program, X)[0], rtol=1e-7)


@pytest.mark.parametrize("operand", [1.0, 2.5])
@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul])
def test_what_python_refuses_of_lists_is_refused_by_python(operate, operand):
    with pytest.raises(TypeError):
        gradient(lambda x: np.sum(operate([x[0], x[1]], operand)), X)


def merged(a, b):
    """Two sorted lists as one."""
    out = []
    while a and b:
        out.append(a.pop(0) if a[0] < b[0] else b.pop(0))
    return out + a + b


def test_lists_that_shrink_decide_when_a_loop_ends():
    def f(x):
        a, b = [x[0], x[1]], [x[2], x[3], x[4]]
        return sum(value * (i + 1) for i, value in enumerate(merged(a, b)))

    x = np.array([1.0, 4.0, 2.0, 3.0, 5.0])
    for tier in (nullcontext(), switches.off("typed")):
        with tier:
            np.testing.assert_array_equal(gradient(f, x)[0], [1.0, 4.0, 2.0, 3.0, 5.0])
            np.testing.assert_array_equal(jvp(f, (x,), (np.ones(5),))[1], 15.0)
