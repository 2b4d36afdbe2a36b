"""x to the power y: at a base of zero or below it, where the exponent is constant, zero, or whole."""

from __future__ import annotations

import math
import operator

import numpy as np

from ..case import Raises, case
from ..defects import on_traced_tier, with_rule, without_rule


def by_base(x, y):
    return y * np.power(x, y - 1.0)


def log_of_any_base(d, out, x, y):
    return d * out * np.log(x)


# -- the derivative by the exponent ------------------------------------------------------------------------------------


@case(
    "autograd-149",
    "https://github.com/HIPS/autograd/issues/149",
    "https://github.com/Theano/Theano/issues/1780",
    "https://github.com/pytorch/pytorch/issues/27134",
    title="powers of 0 have the slope NaN in their exponent",
    month="2014-03",
    symptom="nan-inf",
    cause="The slope of x^y in y is x^y log x, which is 0 times -inf at x = 0; but 0^y is 0 for all y nearby.",
    at=(np.array([2.0, 1.0]),),
    right=(np.array([0.0, 2 * math.log(2.0)]),),
    oracle="closed form: 0 for the base 0, 2^y log 2 for the base 2",
    reported=(np.array([np.nan, 2 * math.log(2.0)]),),
    defect=with_rule(operator.pow, x=lambda d, out, x, y: d * by_base(x, y), y=log_of_any_base),
)
def powers_of_zero_and_two(exponents):
    return np.sum(np.array([0.0, 2.0]) ** exponents)


@case(
    "uncertainties-293",
    "https://github.com/lmfit/uncertainties/issues/293",
    title="a power of a negative number raises, though only its slope in the base is wanted",
    month="2025-03",
    symptom="raises",
    cause="Both slopes are computed with the functions of `math`, and the logarithm of a negative number is an "
    "error there; the other slope is lost with it.",
    at=(-2.0, 3.0),
    right=(12.0, math.nan),
    oracle="closed form: 3x², and no real derivative in the exponent (convention 3)",
    no_differences="powers of -2 near the third are complex",
    reported=Raises("crash", "ValueError"),
    defect=with_rule(
        operator.pow, x=lambda d, out, x, y: d * y * x ** (y - 1), y=lambda d, out, x, y: d * out * math.log(x)
    ),
)
def power_of_a_negative_number(x, y):
    return x**y


def with_the_exponents_slope(d, out, x, y):
    slopes = y * x ** (y - 1), out * math.log(x)
    return d * slopes[0]


@case(
    "zygote-511",
    "https://github.com/FluxML/Zygote.jl/issues/511",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/49",
    title="a whole power of a negative number raises: logarithm of a negative number",
    month="2017-02",
    symptom="raises",
    cause="The rule computes the slope in the exponent too, which is a constant of the program, and takes the "
    "logarithm of the base for it.",
    at=(0.0, 0.0),
    right=(-32.0, 0.0),
    oracle="closed form: 4 (a - 2)³ + 2 (a - 2b), and -4 (a - 2b)",
    reported=Raises("crash", "ValueError"),
    defect=on_traced_tier(
        with_rule(operator.pow, x=with_the_exponents_slope, y=lambda d, out, x, y: d * out * math.log(x))
    ),
)
def fourth_power_of_a_negative_difference(a, b):
    return (a - 2) ** 4 + (a - 2 * b) ** 2


def with_logarithms_of_all(d, out, x, y):
    with np.errstate(invalid="raise"):
        slopes = by_base(x, y), out * np.log(x)
    return d * slopes[0]


EXPONENTS = np.array([2.0, 3.0])


@case(
    "tinygrad-155",
    "https://github.com/tinygrad/tinygrad/issues/155",
    title="an array to constant powers takes the logarithm of its negative entries, and warns",
    month="2020-12",
    symptom="raises",
    cause="The slopes by both operands are computed unconditionally. For the exponent NaN comes out, of which NumPy "
    "warns, and where warnings are errors that is the end.",
    at=(np.array([-2.0, 3.0]),),
    right=(np.array([-4.0, 27.0]),),
    oracle="closed form: y x^(y - 1)",
    reported=Raises("crash", "FloatingPointError: invalid value encountered in log"),
    defect=on_traced_tier(with_rule(operator.pow, x=with_logarithms_of_all, y=log_of_any_base)),
)
def array_to_constant_powers(x):
    return np.sum(x**EXPONENTS)


@case(
    "taichi-482",
    "https://github.com/taichi-dev/taichi/pull/482",
    title="a power has no derivative at all",
    month="2020-02",
    symptom="raises",
    cause="There was no rule for powers; the one that was added has to leave the logarithm of a negative base out "
    "where the exponent is constant.",
    needs=("refusal",),
    at=(np.array([2.0, 0.5, -1.5]),),
    right=(np.array([0.5 * 2.0**-0.5, 2.0**0.5 * math.log(2.0), 6.75]),),
    oracle="closed form: y x^(y - 1), x^y log x and 3z²",
    reported=Raises("foreign-call", "pow"),
    defect=without_rule(operator.pow),
)
def power_and_cube(v):
    return v[0] ** v[1] + v[2] ** 3


# -- to the power of zero ----------------------------------------------------------------------------------------------


@case(
    "theano-2995",
    "https://github.com/Theano/Theano/issues/2995",
    "https://github.com/jax-ml/jax/issues/14397",
    title="x⁰ at zero has the slope NaN",
    month="2015-06",
    symptom="nan-inf",
    cause="The rule for any exponent is used for the exponent 0, and 0 times 0⁻¹ is NaN. An optimiser that folds "
    "0 times anything, or a special case for constants, hides it in some programs.",
    at=(0.0,),
    right=(3.0,),
    oracle="closed form: of 1 + 3x",
    reported=(math.nan,),
    defect=with_rule(operator.pow, x=lambda d, out, x, y: d * by_base(x, y), y=log_of_any_base),
)
def power_of_zero_beside_a_line(x):
    return x**0 + 3.0 * x


@case(
    "jax-12409",
    "https://github.com/jax-ml/jax/issues/12409",
    title="the fractional part of a whole number, to the power 0.0, has the slope NaN",
    month="2022-09",
    symptom="nan-inf",
    cause="0 times 0⁻¹: the exponent is a float, and in the plane of base and exponent the slope has no limit there. "
    "Along the base, which is what is asked for, the power is 1.",
    at=(np.array([1.0]),),
    right=(np.array([0.0]),),
    oracle="closed form: x⁰ is the constant 1 (convention 3)",
    reported=(np.array([np.nan]),),
    defect=on_traced_tier(with_rule(np.power, x=lambda d, out, x, y: d * by_base(x, y), y=log_of_any_base)),
)
def fractional_part_to_no_power(v):
    return np.sum(np.power(v - np.floor(v), np.array([0.0])))


@case(
    "jax-17995",
    "https://github.com/jax-ml/jax/issues/17995",
    title="the slope of 1 + z, written z ** arange(2), is 2",
    month="2023-10",
    symptom="wrong-value",
    cause="A mend of 0 to the power of 0 selects 1 in the place of y x^(y - 1) where y is 0, the value of the power "
    "and not its slope.",
    at=(3.14,),
    right=(1.0,),
    oracle="closed form: of 1 + z",
    reported=(2.0,),
    defect=with_rule(
        operator.pow, x=lambda d, out, x, y: d * np.where(y == 0, 1.0, y * np.power(x, y - 1.0)), y=log_of_any_base
    ),
)
def sum_of_a_polynomials_powers(z):
    return np.sum(z ** np.arange(2))


def unchanged_where_flat(d, out, x, y):
    return d if y == 0 else d * y * x ** (y - 1)


@case(
    "jax-5466",
    "https://github.com/jax-ml/jax/pull/5466",
    title="an array to the power of 0 hands its cotangent on",
    month="2021-01",
    symptom="wrong-value",
    cause="The special case of the rule for the exponent 0 returned what came in, where nothing goes through.",
    at=(np.array([2.0, -1.0]),),
    right=(np.array([1.0, 1.0]),),
    oracle="closed form: of 1 + x",
    reported=(np.array([2.0, 2.0]),),
    defect=on_traced_tier(with_rule(operator.pow, x=unchanged_where_flat, y=log_of_any_base)),
)
def array_to_no_power_added_to_itself(x):
    return np.sum(x**0 + x)
