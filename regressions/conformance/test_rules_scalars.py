"""Rules of `math`, `cmath` and the conversions, at Python numbers."""

import cmath
import math
import operator

import mpmath
import numpy as np
import pytest

from engine import grad, gradient, hessian
from engine.rules import composed, is_constant, lookup, methods
from engine.rules.scalars import digamma, part_of, standing_largest, standing_smallest

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import Row, row, row_tests

ANYWHERE = (
    math.sin, math.cos, math.tan, math.atan, math.sinh, math.cosh, math.tanh, math.asinh, math.exp, math.expm1,
    math.erf, math.erfc, math.fabs, math.degrees, math.radians, cmath.exp, cmath.sin,
)  # fmt: skip
POSITIVE = (math.log1p, math.log2, math.log10, math.log, math.sqrt, math.gamma, math.lgamma)
HOLOMORPHIC = (
    cmath.exp, cmath.sin, cmath.cos, cmath.tan, cmath.sinh, cmath.cosh, cmath.tanh, cmath.asin, cmath.acos, cmath.atan,
    cmath.asinh, cmath.acosh, cmath.atanh, cmath.log, cmath.log10, cmath.sqrt,
)  # fmt: skip


def numpys_own(x):
    """The same number, NumPy's."""
    return np.complex128(x) if isinstance(x, complex) else np.float64(x)


ROWS = [
    *[row(f, x) for f in ANYWHERE for x in (0.7, -1.2)],
    *[row(f, x) for f in POSITIVE for x in (0.8, 3.7)],
    *[row(f, x) for f in (math.asin, math.acos, math.atanh) for x in (0.3, -0.6)],
    *[row(f, -2.3) for f in (math.gamma, math.lgamma)],
    *[row(f, z) for f in HOLOMORPHIC for z in (0.4 + 0.3j, -0.5 - 1.2j)],
    row(math.acosh, 1.9),
    row(math.log, 2.3, 10),
    row(math.log, 2.3, 3.1),
    row(cmath.log, 2.3 + 1j, 3.1 - 0.5j),
    row(math.copysign, 0.7, -1.3),
    row(math.copysign, -0.7, -1.3),
    row(math.atan2, 0.7, -1.3),
    row(math.hypot, 0.7),
    row(math.hypot, 0.7, -1.3),
    row(math.hypot, 0.7, -1.3, 2.0, 0.0),
    row(math.dist, (0.7, -1.3), (0.2, 1.0)),
    row(math.fmod, 7.3, 2.0),
    row(math.fmod, -7.3, 2.0),
    row(math.remainder, 7.3, 2.0),
    row(math.ldexp, 0.7, -3),
    row(math.nextafter, 0.7, 1.0, smooth=False),
    row(math.modf, 7.3),
    row(math.modf, -7.3),
    row(math.frexp, 7.3),
    row(math.pow, 1.3, 2.7),
    row(math.pow, 1.3, -0.4),
    row(math.pow, 0.4, 0.0),
    row(math.fsum, np.array([0.4, 1.3, -0.2])),
    row(part_of, 0.7, 1.3),
    row(standing_largest, 0.7, 0.4, 1),
    row(standing_smallest, 0.4, 0.7, 1),
    row(math.prod, [0.4, 1.3, -0.2]),
    row(math.prod, [0.4, 0.0, -0.2, 1.0], start=2.0),
    row(float, 0.7),
    row(float, np.float64(0.7)),
    row(complex, 0.7),
    row(complex, 0.7, -1.3),
    row(cmath.rect, 0.7, -1.3),
    row(cmath.phase, 0.7 - 1.3j),
    *[row(part, 0.7 - 1.3j) for part in (methods.real_part, methods.imaginary_part, methods.conjugate)],
    row(cmath.polar, -0.7 - 1.3j),
    *[row(f, x) for f in (math.cbrt, math.exp2) for x in (0.7, 1.9)],
    *([row(math.fma, 0.7, 1.3, -0.2)] if hasattr(math, "fma") else []),
    *([row(math.sumprod, np.array([0.4, 1.3]), np.array([2.0, -1.0]))] if hasattr(math, "sumprod") else []),
]

# The same functions of NumPy's numbers: results are Python's, cotangents are NumPy's.
ROWS += [
    Row(case.function, tuple([numpys_own(x) for x in case.args]), case.kwargs, case.smooth, single=False)
    for case in ROWS
    if all(isinstance(x, float | complex) for x in case.args) and case.function not in (float, complex)
]

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("x", [1e-8, 0.3, 0.5, 1.0, 4.25, 9.99, 10.0, 55.5, 1e6, -0.5, -3.3, -20.7])
def test_digamma_agrees_with_mpmath(x):
    exact = float(mpmath.digamma(x))
    assert abs(digamma(x) - exact) <= 4e-15 * max(1.0, abs(exact), abs(math.pi / math.tan(math.pi * x)))


@pytest.mark.parametrize(
    "function, args, partials",
    [
        (math.sqrt, (0.0,), (math.inf,)),
        (math.cbrt, (0.0,), (math.inf,)),
        (math.asin, (1.0,), (math.inf,)),
        (math.acos, (-1.0,), (-math.inf,)),
        (math.acosh, (1.0,), (math.inf,)),
        (math.fabs, (0.0,), (0.0,)),
        (math.copysign, (0.0, -1.0), (0.0,)),
        (math.atan2, (0.0, 0.0), (0.0, 0.0)),
        (math.atan2, (1e-300, 1e-300), (5e299, -5e299)),
        (math.pow, (0.0, 2.0), (0.0, 0.0)),
        (math.pow, (0.0, 1.0), (1.0, 0.0)),
        (math.pow, (0.0, 0.5), (math.inf, 0.0)),
        (math.pow, (0.0, 0.0), (0.0, 0.0)),
        (math.pow, (-2.0, 3.0), (12.0, math.nan)),
        (math.pow, (1e-200, 0.5), (0.5e100, 1e-100 * math.log(1e-200))),
    ],
)
def test_special_points_follow_the_conventions(function, args, partials):
    rule, out = lookup(function), function(*args)
    got = [partial(out, *args) for partial in rule.partials if partial is not None]
    got += [pullback(1.0, out, *args) for pullback in rule.pullbacks.values()]
    np.testing.assert_allclose(got, partials, rtol=1e-12)


def test_hypot_is_zero_at_the_origin():
    assert lookup(math.hypot).whole(1.0, 0.0, 0.0, 0.0) == (0.0, 0.0)


PROGRAMS = Table()


@PROGRAMS.at(0.7, 1.3)
def operands_by_keyword(x, y):
    return pow(base=x, exp=2) + pow(x, exp=y) + abs(complex(real=x, imag=y)) ** 2 + abs(complex(x, imag=y))


@PROGRAMS.at(0.7, 1.3)
def functions_of_the_module_operator(x, y):
    joined = operator.concat([x], [y])
    joined = operator.iconcat(joined, [x * y])
    wave = operator.call(math.sin, x) if hasattr(operator, "call") else math.sin(x)
    return joined[0] * joined[2] ** 2 * operator.countOf(joined, y) + wave * operator.indexOf(joined, y)


@PROGRAMS.at(0.7, 1.3)
def sequences_given_to_math(x, y):
    total = math.fsum([x, x * y, 1]) + math.fsum(v * x for v in range(4)) + math.fsum(np.array([x, y]) * x)
    total = total + math.prod([x, y, 2.0], start=x) + math.prod(v + x for v in range(3))
    return total + math.dist((v for v in (x, y)), [1.0, x * 2]) + math.hypot(x, y, 3.0)


test_program, test_program_gradient, test_reverse, test_forward, test_program_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize("name", sorted({*dir(math), *dir(cmath)}))
def test_every_function_of_math_and_cmath_is_in_the_table(name):
    for module in (math, cmath):
        function = getattr(module, name, None)
        if callable(function) and not name.startswith("_"):
            assert lookup(function) or composed(function) or is_constant(function)


@pytest.mark.parametrize("tier_name", TIERS)
def test_floats_that_tie_for_the_largest_or_smallest_share(tier_name):
    with tier(tier_name):
        assert gradient(lambda a, b, c: 6 * max(a, b, c) - min(c, b, a), 1.0, 1.0, 1.0) == pytest.approx((5 / 3,) * 3)
        assert gradient(lambda xs: max(xs) * min(xs), np.array([1.0, 3.0, 3.0]))[0].tolist() == [3.0, 0.5, 0.5]
        assert gradient(lambda x: max(x, 0.0), 0.0) == (0.5,)


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_smaller_times_the_larger_of_equals_has_the_hessian_of_a_product(tier_name):
    with tier(tier_name):
        h = hessian(lambda v: min(v[0], v[1]) * max(v[0], v[1]))(np.ones(2))
    assert h.tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("tier_name", TIERS)
def test_second_derivatives_at_kinks(tier_name):
    with tier(tier_name):
        assert grad(grad(lambda x: math.fabs(x) ** 2))(0.0) == 2.0
        assert np.all(np.isnan(hessian(lambda v: math.hypot(v[0], v[1]))(np.zeros(2))))
