"""Second derivatives at zeros, ties and far out: guards and shortcuts that are right for the first derivative only."""

from __future__ import annotations

import math
import operator

import mpmath
import numpy as np
from scipy.linalg import expm
from scipy.special import log_ndtr, ndtr

from engine import stop_gradient
from engine.rules.products import matmul_left, matmul_right

from ..case import Tolerance, case
from ..defects import with_rule
from ..defects.orders import rows_look_at_each_other, ties_share_at_every_order, with_new_rule
from ..defects.state import overwritten_values_are_looked_at, together

FORM = np.array([[1.0, 4.0, 7.0], [2.0, 5.0, 8.0], [3.0, 6.0, 9.0]])


def unless_zero(bar, factor):
    return bar if np.any(factor != 0) else stop_gradient(bar)


@case(
    "forwarddiff-551",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/551",
    title="the Hessian of a quadratic form is zero at the origin",
    month="2021-10",
    symptom="missing-gradient",
    cause="The product skips a column whose factor equals zero, and asks the value alone: that the factor moves is not "
    "seen.",
    needs=("nested",),
    at=(np.zeros(3),),
    right=(FORM + FORM.T,),
    oracle="closed form: H + Hᵀ",
    reported=(np.zeros((3, 3)),),
    asks="value",
    defect=with_rule(
        operator.matmul,
        a=lambda d, out, a, b, /: unless_zero(matmul_left(d, a, b), b),
        b=lambda d, out, a, b, /: unless_zero(matmul_right(d, a, b), a),
    ),
)
def hessian_of_a_quadratic_form_at_the_origin(x, *, ad):
    return ad.hessian(lambda u: u @ FORM @ u)(x)


def slope_with_one_guard(x):
    return np.where(x == 0, 0.0, (np.cos(np.pi * x) - np.sinc(x)) / x)


@case(
    "pytorch-196703",
    "https://github.com/pytorch/pytorch/issues/196703",
    title="the second derivative of sinc is NaN at 0, where the first one had been mended",
    month="2026-09",
    symptom="nan-inf",
    cause="The mended rule selects 0 in the place of 0 / 0, and the derivative of the quotient that is not selected "
    "is NaN all the same.",
    needs=("nested", "forward"),
    at=(-0.5,),
    right=(35.56404073668897,),
    oracle="mpmath: differences with 50 digits",
    reported=(float("nan"),),
    defect=together(
        with_rule(np.sinc, x=lambda d, out, x: d * slope_with_one_guard(x)), overwritten_values_are_looked_at
    ),
)
def slope_of_three_sincs(t, *, ad):
    def weighted(t):
        y = np.sinc(np.array([t, 2 * t + 1, -t / 2 + 2]))
        return 2 * y[0] - 3 * y[1] + 5 * y[2]

    return float(ad.jvp(weighted, (t,), (1.0,))[1])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def slope_in_single_precision(x):
    power = np.exp(-np.float32(x))
    return power / (1 + power) ** 2


@case(
    "jax-1227",
    "https://github.com/jax-ml/jax/pull/1227",
    title="the second derivative of a sigmoid is NaN far to the left",
    month="2019-08",
    symptom="nan-inf",
    cause="exp(100) is infinite in single precision, and the second derivative of the quotient multiplies it by 0; a "
    "sigmoid that knows its own slope has no such product.",
    needs=("nested",),
    at=(-100.0,),
    right=(3.720075976020836e-44,),
    oracle="mpmath: of s (1 - s)",
    reported=(float("nan"),),
    asks="value",
    exact=lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2,
    defect=with_new_rule(sigmoid, x=lambda d, out, x: d * slope_in_single_precision(x)),
)
def second_derivative_of_a_sigmoid(x, *, ad):
    return ad.grad(ad.grad(sigmoid))(x)


FAR = np.array([[-798.0], [1600.0]]) - np.array([[-401.0, 803.0, -1599.0]])


RATES = np.array([[1.0], [-2.0]]) - np.array([[0.5, -1.0, 2.0]])


FACTORS = np.array([[1.0, 2.0, -1.0], [3.0, -2.0, 4.0]])


@case(
    "pytorch-196704",
    "https://github.com/pytorch/pytorch/issues/196704",
    title="the second derivative of logaddexp is NaN for arguments that are far apart",
    month="2026-09",
    symptom="nan-inf",
    cause="The weight of an argument is written 1 / (1 + exp(other - self)); the exponential overflows, which the "
    "first derivative survives and the second, infinity over infinity, does not.",
    needs=("nested",),
    at=(-800.0,),
    right=(float(np.sum(FACTORS * RATES**2 * np.exp(-np.abs(FAR)))),),
    oracle="closed form: Σ w s (1 - s) r², of which one share is 1 to rounding and the other exp(-distance)",
    reported=(float("nan"),),
    asks="value",
    defect=with_rule(
        np.logaddexp,
        x=lambda d, out, x, y: d / (1 + np.exp(y - x)),
        y=lambda d, out, x, y: d / (1 + np.exp(x - y)),
    ),
)
def second_derivative_of_sums_of_far_powers(t, *, ad):
    def weighted(t):
        x = np.array([[t + 2], [-2 * t]])
        y = np.array([[t / 2 - 1, 3 - t, 2 * t + 1]])
        return np.sum(np.logaddexp(x, y) * FACTORS)

    return ad.grad(ad.grad(weighted))(t)


def running(x):
    return np.logaddexp.accumulate(x[::-1])[::-1]


@case(
    "tensorflow-127243",
    "https://github.com/tensorflow/tensorflow/issues/127243",
    title="the second derivative of a running log-sum-exp is NaN",
    month="2026-09",
    symptom="nan-inf",
    cause="The rule takes logarithms of the positive and of the negative part of the cotangent, each with zeros that a "
    "selection hides; the derivative of the hidden logarithms is infinite.",
    needs=("nested", "forward"),
    at=(-40.0,),
    right=(12 * math.exp(-80.0),),
    oracle="closed form: 3 · 4 exp(2t), all else being smaller by exp(-40)",
    reported=(float("nan"),),
    asks="value",
    no_defect="forward mode runs a pullback where no cotangent is zero, and the logarithms stay finite",
)
def second_derivative_of_a_running_sum_of_powers(t, *, ad):
    def weighted(t):
        y = running(np.array([t, -t, 2 * t]))
        return 3 * y[0] + y[1] + y[2]

    return float(ad.jvp(lambda t: ad.jvp(weighted, (t,), (1.0,))[1], (t,), (1.0,))[1])


@case(
    "jax-12033",
    "https://github.com/jax-ml/jax/issues/12033",
    title="the mixed second derivative of x ** y is wrong at y = 0",
    month="2022-08",
    symptom="wrong-value",
    cause="To keep y x^(y-1) finite the rule puts the exponent 1 in the place of y - 1 at y = 0, which does not change "
    "the value, since it is multiplied by 0, but its derivative in y.",
    needs=("nested",),
    at=(np.array([4.0, 0.0]),),
    right=(np.array([[0.0, 0.25], [0.25, math.log(4.0) ** 2]]),),
    oracle="closed form: 1 / x and log(x)² at y = 0",
    reported=(np.array([[0.0, 4.0], [0.25, math.log(4.0) ** 2]]),),
    asks="value",
    defect=with_rule(
        operator.pow,
        x=lambda d, out, x, y: d * y * x ** np.where(y == 0, 1.0, y - 1),
        y=lambda d, out, x, y: d * out * np.log(x),
    ),
)
def hessian_of_a_power_at_exponent_zero(v, *, ad):
    return ad.hessian(lambda u: u[0] ** u[1])(v)


@case(
    "jax-14149",
    "https://github.com/jax-ml/jax/issues/14149",
    title="one output that is NaN makes all rows of the Jacobian NaN in reverse mode",
    month="2023-01",
    symptom="nan-inf",
    cause="For the other rows the cotangent of the bad output is 0, and 0 times its NaN slope is added to what they "
    "get.",
    needs=("nested",),
    at=(np.array([-1.0, -2.0, -3.0]),),
    right=(np.array([[1 / 3] * 3, [-2 / 3, -4 / 3, -2.0], [np.nan] * 3]),),
    oracle="closed form: 1/3 and 2x/3; the root of a negative number has no slope",
    reported=(np.full((3, 3), np.nan),),
    asks="value",
    no_differences="the third output has none",
    defect=rows_look_at_each_other,
)
def jacobian_with_one_output_that_is_nan(x, *, ad):
    with np.errstate(invalid="ignore"):
        return ad.jacobian(lambda u: np.array([np.mean(u), np.mean(u**2), np.mean(np.sqrt(u))]))(x)


BASES = np.array([1.0, 2.0, np.nan])


@case(
    "jax-4900",
    "https://github.com/jax-ml/jax/issues/4900",
    title="one base that is NaN makes the second derivatives of all powers NaN",
    month="2020-11",
    symptom="nan-inf",
    cause="The powers share an exponent, whose cotangent is the sum over all of them, 0 times NaN for the bad one "
    "included.",
    needs=("nested",),
    at=(1.0,),
    right=(np.array([0.0, 2 * math.log(2.0) ** 2, np.nan]),),
    oracle="closed form: b log(b)²",
    reported=(np.full(3, np.nan),),
    asks="value",
    no_differences="the third output has none",
    defect=rows_look_at_each_other,
)
def second_derivatives_of_powers_of_given_bases(t, *, ad):
    return ad.jacobian(ad.jacobian(lambda t: BASES**t))(t)


def by_region(x):
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return np.where(x < -10.0, -x - 1 / x, density / ndtr(x))


@case(
    "jax-694",
    "https://github.com/jax-ml/jax/issues/694",
    title="the second derivative of the logarithm of the normal distribution is NaN in the left tail",
    month="2019-05",
    symptom="nan-inf",
    cause="The function is put together of a formula for each region, and where one is selected the derivative of the "
    "other, of the logarithm of a probability that is 0, is NaN.",
    needs=("nested",),
    at=(-40.0,),
    right=(-0.9993773316214086,),
    oracle="mpmath: -h (h + x), h the density over the probability, with 50 digits",
    reported=(float("nan"),),
    asks="value",
    tolerance=Tolerance(rtol=1e-9, why="h and x are 40, and their sum is a fortieth: four digits cancel"),
    defect=together(with_rule(log_ndtr, x=lambda d, out, x: d * by_region(x)), overwritten_values_are_looked_at),
)
def second_derivative_of_a_log_probability(x, *, ad):
    return ad.grad(ad.grad(log_ndtr))(x)


@case(
    "tensorflow-127224",
    "https://github.com/tensorflow/tensorflow/issues/127224",
    title="the second derivative of a matrix exponential is wrong by eight orders of magnitude",
    month="2026-09",
    symptom="wrong-value",
    cause="The exponential is differentiated through its Padé approximation, whose coefficients are not normalised: "
    "terms of higher order cancel to nothing but rounding.",
    needs=("nested", "forward"),
    at=(0.7,),
    right=(2 * math.exp(0.7) * math.cos(1.0),),
    oracle="closed form: a turn by one radian, times exp(t)",
    reported=(357356221.18,),
    no_defect="the rule here is that of the exponential of a block matrix, in which no approximation is differentiated",
)
def slope_of_a_turning_exponential(t, *, ad):
    def total(t):
        return np.sum(expm(t * np.eye(2) + np.array([[0.0, -1.0], [1.0, 0.0]])))

    return float(ad.jvp(total, (t,), (1.0,))[1])


def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)


@case(
    "tensorflow-124830",
    "https://github.com/tensorflow/tensorflow/issues/124830",
    title="the second derivative of elu is 0 just to the left of zero",
    month="2026-08",
    symptom="missing-gradient",
    cause="Which branch was taken is read off the sign of the output, which for a tiny negative input has been rounded "
    "to zero.",
    needs=("nested",),
    at=(-1e-300,),
    right=(1.0,),
    oracle="closed form: exp(x)",
    reported=(0.0,),
    asks="value",
    no_differences="they step across the kink",
    defect=with_new_rule(elu, x=lambda d, out, x: d * np.where(out < 0, np.exp(x), 1.0)),
)
def second_derivative_of_elu_close_to_zero(x, *, ad):
    return ad.grad(ad.grad(elu))(x)


@case(
    "jax-34353",
    "https://github.com/jax-ml/jax/issues/34353",
    title="the Hessian of a function that sorts its two arguments is wrong where they are equal",
    month="2026-01",
    symptom="wrong-value",
    cause="At a tie each argument gets half of the cotangent of the smaller and of the larger one: right for the first "
    "derivative, while the second mixes the three second derivatives behind it.",
    needs=("nested",),
    at=(np.array([1.0, 1.0]),),
    right=(np.array([[0.0, 1.0], [1.0, 0.0]]),),
    oracle="closed form: the product of the smaller and the larger one is that of both",
    reported=(np.full((2, 2), 0.5),),
    asks="value",
    defect=ties_share_at_every_order,
)
def hessian_of_the_smaller_times_the_larger(v, *, ad):
    return ad.hessian(lambda u: np.minimum(u[0], u[1]) * np.maximum(u[0], u[1]))(v)
