"""Rules of operators and elementwise functions: shapes, broadcasting both ways, dtypes, complex, special points."""

import math
import operator

import numpy as np
import pytest

from engine import grad, gradient, pullback
from engine.rules import lookup
from engine.rules.elementwise import clipped

from . import oracle
from .rule_rows import Row, projected, pulled_back, row, row_tests

RNG = np.random.default_rng(7)


def away_from_integers(low, high, shape):
    """Random numbers with no kink of a step function, no zero and no tie nearby."""
    return np.floor(RNG.uniform(low, high, shape)) + RNG.uniform(0.2, 0.8, shape)


ANY = away_from_integers(-3, 3, (2, 3))
UNIT = RNG.uniform(0.1, 0.8, (2, 3)) * RNG.choice([-1, 1], (2, 3))
POSITIVE = RNG.uniform(0.3, 3, (2, 3))
ABOVE_ONE = RNG.uniform(1.3, 3, (2, 3))
COMPLEX = RNG.uniform(0.3, 1.2, (2, 3)) * np.exp(1j * RNG.uniform(-2.5, 2.5, (2, 3)))

UNARY = {
    ANY.tobytes(): (ANY, (
        operator.neg, np.negative, operator.pos, np.positive, np.square, np.exp, np.expm1, np.exp2, np.sin, np.cos,
        np.tan, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.degrees, np.radians, np.rad2deg, np.deg2rad,
        np.sinc, abs, operator.abs, np.absolute, np.fabs, np.cbrt, np.reciprocal, np.conjugate, np.real,
        np.nan_to_num, np.modf, np.frexp, np.float64,
    )),
    UNIT.tobytes(): (UNIT, (np.arcsin, np.arccos, np.arctanh)),
    POSITIVE.tobytes(): (POSITIVE, (np.sqrt, np.log, np.log1p, np.log2, np.log10)),
    ABOVE_ONE.tobytes(): (ABOVE_ONE, (np.arccosh,)),
}  # fmt: skip
HOLOMORPHIC = (
    operator.neg, np.negative, operator.pos, np.positive, np.square, np.exp, np.expm1, np.exp2, np.sin, np.cos, np.tan,
    np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arcsin, np.arccos, np.arctanh, np.arccosh, np.sqrt, np.log,
    np.log1p, np.log2, np.log10, np.reciprocal, np.complex128,
)  # fmt: skip
OF_COMPLEX = (abs, np.absolute, np.conjugate, np.real, np.imag, np.angle)

BINARY = (
    operator.add, np.add, operator.sub, np.subtract, operator.mul, np.multiply, operator.truediv, np.divide,
    operator.mod, np.remainder, np.fmod, np.divmod, np.hypot, np.arctan2, np.logaddexp, np.logaddexp2, np.maximum,
    np.minimum, np.fmax, np.fmin, np.copysign,
)  # fmt: skip
POWERS = (operator.pow, np.power, np.float_power, pow)
FACTOR = np.array([1.7, -0.6, 2.3])
COLUMN = np.array([[1.1], [-1.9]])
COMPLEX_FACTOR = np.array([1.7 - 0.5j, -0.6 + 1j, 2.3j])

ROWS = [
    *[row(f, x) for x, functions in UNARY.values() for f in functions],
    *[row(f, x) for x, functions in UNARY.values() for f in functions for x in (x[0, :1].reshape(()), x[:1, ::-2].T)],
    *[row(f, x[:0]) for x, functions in UNARY.values() for f in functions],
    *[row(f, float(x[0, 0])) for x, functions in UNARY.values() for f in functions],
    *[row(f, z) for f in (*HOLOMORPHIC, *OF_COMPLEX) for z in (COMPLEX, complex(COMPLEX[0, 0]))],
    *[row(f, ANY, y) for f in BINARY for y in (FACTOR, 1.3)],
    *[row(f, x, COLUMN) for f in BINARY for x in (FACTOR[::-1], np.array(0.7))],
    *[row(f, 1.3, COLUMN, single=f is not np.copysign) for f in BINARY],
    *[row(f, 1.3, -0.7) for f in BINARY],
    *[row(f, np.ones((0, 3)), FACTOR, zero=True) for f in BINARY],
    *[
        row(f, x, y)
        for f in (operator.add, operator.sub, operator.mul, operator.truediv)
        for x, y in ((COMPLEX, COMPLEX_FACTOR), (COMPLEX, FACTOR), (COLUMN, COMPLEX_FACTOR), (1.3, 0.4 - 2j))
    ],
    *[row(f, POSITIVE, y) for f in POWERS for y in (2, 3, 0.5, -1.3, FACTOR, COLUMN)],
    *[row(f, ANY, y, zero=y == 0) for f in POWERS for y in (0, 1, 2, 3, -2)],
    *[row(f, x, ABOVE_ONE) for f in POWERS for x in (2, 1.7, np.array(1.3))],
    *[row(f, 1.3, y) for f in POWERS for y in (2, 2.7, 0.4)],
    *[row(f, -1.3, 3) for f in POWERS],
    *[row(operator.pow, COMPLEX, y) for y in (2, 0.5, 1.3 - 0.4j, COMPLEX_FACTOR)],
    row(operator.pow, 0.4 + 0.3j, 1.2),
    row(operator.pow, np.array([1, 2, 3]), FACTOR),
    row(np.clip, ANY, -1.0, 1.0),
    row(np.clip, ANY, ANY + np.array([-1.0, 0.5, -1.0]), ANY + np.array([2.0, 3.0, -0.7])),
    row(clipped, ANY, -1.0, FACTOR),
    row(clipped, 0.7, -1.0, 1.5),
    row(np.clip, ANY, None, FACTOR),
    row(np.clip, ANY, np.array([-1.0, 0.1, -2.0]), None),
    row(np.where, ANY > 0, ANY, FACTOR),
    row(np.where, FACTOR > 0, 1.3, COLUMN),
    row(np.where, ANY > 0, COMPLEX, FACTOR),
    row(np.ldexp, ANY, np.array([1, -2, 3])),
    row(np.nextafter, ANY, FACTOR, smooth=False),
    row(np.unwrap, np.array([0.3, 3.0, 6.5, 1.0])),
    row(np.unwrap, np.array([0.3, 1.0, 2.9, 1.0]), period=1.7),
    row(np.angle, COMPLEX, deg=True),
    row(np.sinc, np.array([0.0, 1e-5, 0.1, 0.159, 0.16, 1.0, -0.3])),
    row(np.sign, COMPLEX, zero=np.lib.NumpyVersion(np.__version__) < "2.0.0"),  # a step of the real part, in NumPy 1
    row(np.heaviside, np.array([0, 1, -2]), FACTOR),
    row(np.nan_to_num, np.array([np.nan, 1.0, np.inf, -np.inf]), True, 0.7, 1.3, -0.4),
]

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


# -- special points: the conventions of engine/rules/__init__.py, by number --------------------------------------------

INF, NAN = np.inf, np.nan
POINTS = [
    # 2: ties share, lengths have slope zero at the origin
    (np.maximum, (2.0, 2.0), 1.0, (0.5, 0.5)),
    (np.minimum, (np.array([1.0, 2.0]), 2.0), np.ones(2), ([1.0, 0.5], 0.5)),
    (np.fmax, (np.array([NAN, 1.0, 2.0]), 1.0), np.ones(3), ([0.0, 0.5, 1.0], 1.5)),
    (np.fmin, (np.array([NAN, 1.0, 2.0]), NAN), np.ones(3), ([1.0, 1.0, 1.0], 1.0)),
    (np.absolute, (np.array([-1.0, 0.0, 3.0]),), np.ones(3), ([-1.0, 0.0, 1.0],)),
    (np.absolute, (np.array([3 + 4j, 0j, -1]),), np.ones(3), ([0.6 + 0.8j, 0, -1],)),
    (np.fabs, (0.0,), 1.0, (0.0,)),
    (np.hypot, (0.0, 0.0), 1.0, (0.0, 0.0)),
    (np.arctan2, (0.0, 0.0), 1.0, (0.0, 0.0)),
    (np.angle, (np.array([0j, 2j]),), np.ones(2), ([0, -0.5],)),
    (np.copysign, (0.0, -1.0), 1.0, (0.0, None)),
    (np.logaddexp, (1.0, 1.0), 1.0, (0.5, 0.5)),
    (np.logaddexp, (1.5, -INF), 1.0, (1.0, 0.0)),
    (np.logaddexp, (-INF, -INF), 1.0, (0.5, 0.5)),
    (np.logaddexp, (INF, 1.0), 1.0, (1.0, 0.0)),
    (np.logaddexp2, (-INF, -INF), 1.0, (0.5, 0.5)),
    (np.sinc, (0.0,), 1.0, (0.0,)),
    # far out, where 1 - tanh² and expm1 + 1 have no digits left
    (np.tanh, (np.array([20.0, -1000.0]),), np.ones(2), ([4 * math.exp(-40.0), 0.0],)),
    (np.expm1, (np.array([-40.0, 1.0]),), np.ones(2), ([math.exp(-40.0), math.e],)),
    # 3: limits from inside the domain
    (np.sqrt, (np.array([0.0, 4.0]),), np.ones(2), ([INF, 0.25],)),
    (np.cbrt, (0.0,), 1.0, (INF,)),
    (np.log, (np.array([0.0]),), np.ones(1), ([INF],)),
    (np.arcsin, (np.array([1.0]),), np.ones(1), ([INF],)),
    *[
        (power, args, 1.0, partials)
        for power in (operator.pow, np.power, pow)
        for args, partials in (
            ((0.0, 0.0), (0.0, 0.0)),
            ((0.0, 0.5), (INF, 0.0)),
            ((0.0, 1.0), (1.0, 0.0)),
            ((0.0, 1.5), (0.0, 0.0)),
            ((0.0, 2), (0.0, None)),
            ((-2.0, 3.0), (12.0, NAN)),
        )
    ],
    (np.power, (np.zeros(5), np.array([0.0, 0.5, 1.0, 1.5, 2.0])), np.ones(5), ([0.0, INF, 1.0, 0.0, 0.0], [0.0] * 5)),
    (np.power, (np.array([0.0, -2.0, 3.0]), 0), np.ones(3), ([0.0, 0.0, 0.0], None)),
    (np.power, (np.array([0.0, 1.0]), np.pi), np.ones(2), ([0.0, np.pi], 0.0)),
    (operator.pow, (1e-200, 0.5), 1.0, (0.5e100, 1e-100 * math.log(1e-200))),
    (operator.pow, (1e-300, -0.5), 1.0, (-INF, 1e150 * math.log(1e-300))),
    # 4: a zero cotangent is not strong
    (np.sqrt, (np.array([0.0, 4.0]),), np.array([0.0, 1.0]), ([NAN, 0.25],)),
    (np.exp, (np.array([1e4, 0.0]),), np.array([0.0, 1.0]), ([NAN, 1.0],)),
    (np.log, (np.array([0.0, -1.0]),), np.array([0.0, 0.0]), ([NAN, 0.0],)),
    (np.divide, (3.0, np.array([2.0, 0.0])), np.array([1.0, 0.0]), (NAN, [-0.75, NAN])),
    (np.divide, (np.array([1.0, -1.0]), 0.0), np.ones(2), ([INF, INF], NAN)),
    (operator.truediv, (np.array([1.0, 2.0]), 0.0), np.ones(2), ([INF, INF], -INF)),
    (np.nan_to_num, (np.array([NAN, INF, 2.0]),), np.ones(3), ([0.0, 0.0, 1.0],)),
    # 5: NaN stays
    (np.sin, (np.array([NAN]),), np.ones(1), ([NAN],)),
    (np.sqrt, (-1.0,), 1.0, (NAN,)),
]


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("function, unit", [(np.logaddexp, 1.0), (np.logaddexp2, math.log(2.0))])
def test_shares_of_a_logaddexp_have_all_their_digits_at_second_order(function, unit, tier_name):
    def slope(x, y):
        return gradient(lambda u: function(u, y), x)[0]

    with oracle.tier(tier_name):
        for distance in (50.0, 400.0):
            share = math.exp(-unit * distance)
            for x, y in ((distance, 0.0), (0.0, distance)):
                assert gradient(slope, x, y) == pytest.approx((unit * share, -unit * share), rel=1e-12, abs=0.0)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("function", [np.tanh, math.tanh])
def test_slopes_of_tanh_have_all_their_digits_at_every_order(function, tier_name):
    slope, curvature = grad(function), grad(grad(function))
    with oracle.tier(tier_name):
        for x in (20.0, 300.0):
            decay = 4 * math.exp(-2 * x)
            orders = slope(x), curvature(x), grad(curvature)(x)
            assert orders == pytest.approx((decay, -2 * decay, 4 * decay), rel=1e-12, abs=0.0)
        assert (slope(1e-300), curvature(1e-300), grad(curvature)(1e-300)) == (1.0, -2e-300, -2.0)
        assert (slope(-1000.0), curvature(-1000.0)) == (0.0, 0.0)


@pytest.mark.parametrize("function, args, d, expected", POINTS)
def test_special_points_follow_the_conventions(function, args, d, expected):
    with np.errstate(all="ignore"):
        got = projected(pulled_back(Row(function, args), d), args)
    assert_partials(got, expected)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("function, args, d, expected", POINTS)
def test_special_points_through_the_engine(function, args, d, expected, tier_name):
    places = [i for i, x in enumerate(args) if not isinstance(x, int)]

    def program(*active):
        return function(*[active[places.index(i)] if i in places else x for i, x in enumerate(args)])

    with oracle.tier(tier_name), np.errstate(all="ignore"):
        _, back = pullback(program, *[args[i] for i in places])
        got = back(d)
    assert_partials(got, [expected[i] for i in places])


def assert_partials(got, expected):
    for cotangent, partial in zip(got, expected, strict=True):
        assert (cotangent is None) == (partial is None)
        if partial is not None:
            np.testing.assert_allclose(cotangent, partial, rtol=1e-14)


CONVERSIONS = (np.float16, np.float32, np.longdouble, np.complex64, np.clongdouble)


@pytest.mark.parametrize("kind", CONVERSIONS)
@pytest.mark.parametrize("x", [0.7, np.float64(0.7), np.array([0.7, 1.3])], ids=["float", "float64", "array"])
def test_a_conversion_gives_the_cotangent_back_in_the_kind_of_its_argument(kind, x):
    case = Row(kind, (x,))
    d = kind(np.ones(np.shape(x)) * 1.5)
    (got,) = projected(pulled_back(case, d), case.args)
    assert type(got) is type(x) and np.result_type(got) == np.float64
    np.testing.assert_array_equal(got, 1.5 * np.ones(np.shape(x)))


def test_sign_of_a_real_number_is_a_step():
    assert lookup(np.sign).pullbacks["x"](1.0, 1.0, 2.0) is None
