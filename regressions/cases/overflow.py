"""Rules that go through a number too large for its dtype, for a derivative that is of ordinary size."""

from __future__ import annotations

import math
import operator

import numpy as np
from scipy.special import expit, log_softmax, softmax

from ..case import case
from ..defects import on_traced_tier, with_rule
from ..defects.orders import with_new_rule
from ..defects.state import together
from .unselected_branches import zeros_are_numbers

# -- exponentials ------------------------------------------------------------------------------------------------------


@case(
    "jax-540",
    "https://github.com/jax-ml/jax/pull/540",
    title="a sigmoid far to the left has the slope NaN",
    month="2019-03",
    symptom="nan-inf",
    cause="The formula is differentiated as it is written: exp(-x) is infinite, and the quotient rule divides it by "
    "its own square.",
    at=(np.array([-800.0, -1.0]),),
    right=(np.array([0.0, math.e / (1 + math.e) ** 2]),),
    oracle="closed form: s (1 - s), at -800 less than the smallest number",
    reported=(np.array([np.nan, math.e / (1 + math.e) ** 2]),),
    defect=with_rule(expit, x=lambda d, out, x: d * np.exp(-x) / (1 + np.exp(-x)) ** 2),
)
def sigmoid_far_to_the_left(x):
    return np.sum(expit(x))


def logistic(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


LARGEST = 709.783  # the exponential of it is infinite


@case(
    "nnlib-78",
    "https://github.com/FluxML/NNlib.jl/issues/78",
    title="the logistic function at the threshold of overflow has the slope NaN",
    month="2018-11",
    symptom="nan-inf",
    cause="1 / (1 + exp(-x)) is finite where exp(-x) overflows, and its derivative in forward mode, exp(-x) over the "
    "square of 1 + exp(-x), is infinity over infinity.",
    at=(-LARGEST,),
    right=(math.exp(-LARGEST),),
    oracle="closed form: s (1 - s), where 1 - s is 1 to rounding",
    reported=(float("nan"),),
    defect=with_new_rule(logistic, x=lambda d, out, x: d * np.exp(-x) / (1 + np.exp(-x)) ** 2),
)
def logistic_function_at_the_threshold(x):
    return logistic(x)


ONE_HOT = np.array([1.0, 0.0, 0.0])


@case(
    "nnlib-68",
    "https://github.com/FluxML/NNlib.jl/issues/68",
    title="the gradient of a log-softmax is NaN for inputs that are far apart",
    month="2018-09",
    symptom="nan-inf",
    cause="The pullback was written as that of softmax at the cotangent over the softmax; that underflows to 0, and "
    "the quotient is infinite or 0 / 0.",
    at=(np.array([-431.0, 279.0, 427.0]),),
    right=(np.array([-1.0, math.exp(-148.0), 1.0]),),
    oracle="closed form: softmax less the target",
    reported=(np.full(3, np.nan),),
    defect=with_rule(
        log_softmax,
        x=lambda d, out, x, axis=None: np.exp(out) * (d / np.exp(out) - np.sum(d / np.exp(out) * np.exp(out))),
    ),
)
def cross_entropy_of_inputs_far_apart(x):
    return -np.sum(ONE_HOT * log_softmax(x))


def by_exponentials(d, out, x, axis=None):
    powers = np.exp(x)
    return powers / np.sum(powers) * (d - np.sum(d * powers) / np.sum(powers))


@case(
    "nnlib-68",
    "https://github.com/FluxML/NNlib.jl/issues/68",
    title="the gradient of the sum of a softmax is not 0 for large inputs",
    month="2018-09",
    symptom="nan-inf",
    cause="The pullback exponentiates the inputs once more, without taking their maximum away as the function does.",
    at=(np.array([-1047.0, -981.0, 1891.0]),),
    right=(np.zeros(3),),
    oracle="closed form: the sum is 1",
    reported=(np.full(3, np.nan),),
    defect=with_rule(softmax, x=by_exponentials),
)
def sum_of_a_softmax(x):
    return np.sum(softmax(x))


@case(
    "forwarddiff-745",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/745",
    title="a function that has overflowed has NaN in the place of infinite slopes",
    month="2025-04",
    symptom="nan-inf",
    cause="Every slope is carried along for every variable, and the infinite one is multiplied by the zero of the "
    "variables that it does not belong to.",
    at=(np.array([1.0, -1e3]),),
    right=(np.array([np.inf, -np.inf]),),
    oracle="closed form: exp(-y) and -x exp(-y), both beyond the largest number",
    no_differences="the function is infinite here and nearby",
    reported=(np.full(2, np.nan),),
    defect=on_traced_tier(
        with_rule(operator.mul, x=lambda d, out, x, y: d * y + 0 * out, y=lambda d, out, x, y: d * x + 0 * out)
    ),
)
def product_that_overflows(v):
    with np.errstate(over="ignore"):
        return v[0] * np.exp(-v[1])


# -- squares and reciprocals -------------------------------------------------------------------------------------------


def by_the_reciprocal(d, side, y, x):
    return d * side * np.reciprocal(x * x + y * y)


@case(
    "pytorch-193040",
    "https://github.com/pytorch/pytorch/issues/193040",
    title="the slopes of an angle near the origin are infinite in half precision",
    month="2026-08",
    symptom="nan-inf",
    cause="The reciprocal of the squared length is computed first, and overflows; the quotient of a side and the "
    "squared length would not.",
    at=(np.float16(2e-3), np.float16(2e-3)),
    right=(np.float16(249.8), np.float16(-249.8)),
    oracle="closed form: x / (x² + y²) and -y / (x² + y²), at the half-precision number next to 0.002",
    no_differences="a step larger than the numbers goes around the origin",
    reported=(np.float16(np.inf), np.float16(-np.inf)),
    defect=with_rule(
        np.arctan2,
        y=lambda d, out, y, x: by_the_reciprocal(d, x, y, x),
        x=lambda d, out, y, x: by_the_reciprocal(d, -y, y, x),
    ),
)
def angle_near_the_origin(y, x):
    return np.arctan2(y, x)


FLOOR = np.float32(1e-20)


@case(
    "forwarddiff-287",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/287",
    title="the logarithm of a guarded reciprocal has the slope NaN in single precision",
    month="2018-01",
    symptom="nan-inf",
    cause="The slope of the reciprocal of 1e-20 overflows and is multiplied by the zero of the bound, which is a "
    "constant.",
    at=(np.float32(0.0),),
    right=(np.float32(0.0),),
    oracle="closed form: the bound is taken",
    no_differences="in double precision a step goes past the bound",
    reported=(np.float32(np.nan),),
    defect=together(
        zeros_are_numbers,
        with_rule(np.maximum, x=lambda d, out, x, y: d * (x > y), y=lambda d, out, x, y: d * (y > x)),
    ),
)
def logarithm_of_a_guarded_reciprocal(x):
    return np.log(np.float32(1) / np.maximum(FLOOR, x))


@case(
    "mlx-3668",
    "https://github.com/ml-explore/mlx/issues/3668",
    title="lengths with a lower bound: NaN at the origin, where the bound is taken",
    month="2026-06",
    symptom="nan-inf",
    cause="The rule of the root divides a cotangent that is zero by a root that is zero.",
    at=(np.array([[0.0, 0.0], [3.0, 4.0]]),),
    right=(np.array([[0.0, 0.0], [0.6, 0.8]]),),
    oracle="closed form: the direction of what is longer than the bound",
    reported=(np.array([[np.nan, np.nan], [0.6, 0.8]]),),
    defect=zeros_are_numbers,
)
def lengths_with_a_lower_bound(points):
    return np.sum(np.maximum(np.sqrt(points[:, 0] ** 2 + points[:, 1] ** 2), 1e-10))


HALFWAY = 15.75 / 16.5 - 0.5 * 15.25 * 6 / 16.5**2  # the derivative of x (15 + x²) / (15 + 6x²) at 1/2


@case(
    "nnlib-408",
    "https://github.com/FluxML/NNlib.jl/pull/408",
    title="a rational approximation of tanh is NaN for large inputs, and so is its slope",
    month="2022-05",
    symptom="nan-inf",
    cause="Numerator and denominator both overflow. The guard that replaces their quotient leaves it in the gradient, "
    "where its NaN is multiplied by zero.",
    at=(np.array([1e200, -1e200, 0.5]),),
    right=(np.array([0.0, 0.0, HALFWAY]),),
    oracle="closed form: the derivative of the quotient where that is taken",
    reported=(np.array([np.nan, np.nan, HALFWAY]),),
    defect=zeros_are_numbers,
)
def rational_tanh(x):
    with np.errstate(over="ignore", invalid="ignore"):
        square = x * x
        near = x * (15 + square) / (15 + 6 * square)
    return np.sum(np.where(np.abs(x) > 20, np.sign(x), near))
