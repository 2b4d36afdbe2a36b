"""NumPy's functions that call functions of the user, and arrays read and written element by element."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import DifferentiationError, ForeignCallError, MutationError

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import row, row_tests

M = np.array([[0.3, 1.2, -0.7], [1.9, -0.4, 0.8]])
A = np.random.default_rng(37).uniform(0.3, 2, (2, 3, 2))
V = np.array([0.4, 1.3, -0.6, 0.9])
CUBE = np.vectorize(lambda t: t**3, otypes=[float])


def square(t):
    return t * t


ROWS = [
    *[row(np.apply_along_axis, function, axis, x, single=False)
      for function in (np.sum, np.cumsum, np.diag, square) for axis, x in ((0, M), (-1, A), (1, A[:, ::-1]))],
    row(np.apply_along_axis, np.sum, 0, V),
    *[row(np.apply_over_axes, np.sum, A, axes) for axes in (0, -1, (0, 2), [1])],
    *[row(np.piecewise, x, [x < 0, x > 1], functions) for x in (V, M)
      for functions in ([square, np.exp], [square, np.exp, 2.0], [lambda t: -t, 0.0, np.sin])],
    row(np.piecewise, V, V > 0, [square, np.negative]),
    row(np.piecewise, np.array(0.7), [True], [square]),
    row(np.fromfunction, lambda i, j, scale: scale * (i + 2 * j), (3, 2), scale=0.7),
    row(np.resize, M, (2, 2)),
    row(np.resize, M, (3, 5)),
    row(np.resize, V[::-1], 7),
    row(np.resize, np.zeros(0), (2, 2)),
]  # fmt: skip

_no_rules, test_composition, _no_rules, test_row_gradient, test_row_second_order = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(V)
def vectorized_with_a_branch(x):
    return np.sum(np.vectorize(lambda t: t * t if t > 0 else 3 * t)(x) * x)


@PROGRAMS.at(V)
def vectorized_made_before(x):
    return np.sum(CUBE(x) * np.arange(4.0))


@PROGRAMS.at(V)
def vectorized_over_two_broadcast_arguments(x):
    return np.sum(np.vectorize(lambda s, t: s * t + s)(x[:, None], x) * np.arange(16.0).reshape(4, 4))


@PROGRAMS.at(V)
def vectorized_with_an_excluded_keyword(x):
    power = np.vectorize(lambda t, k, scale=1.0: scale * t**k, excluded=["k"])
    return np.sum(power(x, k=3, scale=x))


@PROGRAMS.at(V)
def vectorized_with_a_signature(x):
    dot = np.vectorize(lambda s, t: (np.dot(s, t), s * t), signature="(n),(n)->(),(n)")
    total, product = dot(np.outer(x, x), x)
    return np.sum(total * x) + np.sum(product**2)


@PROGRAMS.at(V)
def vectorized_over_a_captured_value(x):
    scale = x[0] * x[1]
    first, second = np.vectorize(lambda t: (t * scale, t * t))(x)
    return np.sum(first * second)


@PROGRAMS.at(V)
def fromfunction_over_a_captured_value(x):
    return np.sum(np.fromfunction(lambda i, j: x[0] * i + x[1] * j * j, (3, 2)) ** 2)


@PROGRAMS.at(V)
def fromiter_of_a_generator(x):
    return np.sum(np.fromiter((t * t for t in x), float, count=3) * np.arange(3.0))


@PROGRAMS.at(M)
def flat_read_in_every_way(x):
    total = sum([t * t for t in x.flat]) + x.flat[4] ** 3 + np.sum(x.T.flat[1:3] ** 2) + np.sum(x.flat[[0, 0, 5]] ** 2)
    return total + np.sum(np.sin(x.flat) * np.arange(6.0)) + np.max(x.flat) * len(x.flat) + next(x.flat) ** 2


@PROGRAMS.at(M)
def flat_written_in_every_way(x):
    y = np.zeros((3, 2))
    y.flat = x
    y.T.flat[1] = x[0, 0] * x[1, 1]
    y.flat[2:5] = [x[0, 1], x[0, 2]]
    y.flat[[0, 5]] *= 3.0
    return np.sum(y**2 * np.arange(6.0).reshape(3, 2))


@PROGRAMS.at(M)
def elements_by_ndenumerate_ndindex_and_nditer(x):
    total = 0.0
    for (i, j), t in np.ndenumerate(x.T):
        total = total + t * t * (i + 2 * j)
    for place in np.ndindex(x.shape):
        total = total + x[place] ** 3 * place[1]
    for k, t in enumerate(np.nditer(x.T)):
        total = total + t * t * k
    return total


@PROGRAMS.at(V)
def arrays_joined_by_index(x):
    pair = np.c_[x, x * x]
    line = np.r_[x, 0:2, x[0] * 2, 0:1:3j, [x[1], 5.0]]
    rows = np.r_["0,2", x, x * x]
    columns = np.r_["-1,2,0", x, x * 3]
    return np.sum(pair**2 * np.arange(8.0).reshape(4, 2)) + np.sum(line**2) + np.sum(rows**3) + np.sum(
        columns**2 * np.arange(8.0).reshape(4, 2))  # fmt: skip


test_program, test_gradient, test_pullback_of_program, test_pushforward, test_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize("tier_name", TIERS)
def test_vectorize_calls_as_often_as_numpy_does(tier_name):
    for options in ({}, {"otypes": [float]}, {"cache": True}):
        counts = []
        for run in (lambda f, x: f(x), lambda f, x: gradient(f, x)):
            calls = []

            def loss(x, calls=calls, options=options):
                def element(t):
                    calls.append(1)
                    return t * t

                return np.sum(np.vectorize(element, **options)(x))

            with tier(tier_name):
                run(loss, V)
            counts.append(len(calls))
        assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "program, error, words",
    [
        (lambda x: np.sum(np.frompyfunc(lambda t: t * t, 1, 1)(x).astype(float)), ForeignCallError, "np.vectorize"),
        (lambda x: sum([t * t for t in np.nditer(x, flags=["external_loop"])]), MutationError, "np.ndindex"),
        (lambda x: np.sum(np.r_[x[0] : x[1] : 5j]), DifferentiationError, "np.linspace"),
        (lambda x: np.sum(np.mgrid[0 : x[0] : 4j]), DifferentiationError, "np.linspace"),
        (lambda x: np.sum(np.mgrid[slice(0, x[0], 4j)]), DifferentiationError, "np.linspace"),
        (lambda x: np.sum(np.r_["r", x]), DifferentiationError, "np.matrix"),
    ],
)
@pytest.mark.parametrize("tier_name", TIERS)
def test_what_cannot_be_followed_is_refused(program, error, words, tier_name):
    with tier(tier_name), pytest.raises(error, match=words):
        gradient(program, V)
