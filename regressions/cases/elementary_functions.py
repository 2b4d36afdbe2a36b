"""Functions of one or two numbers whose rule is mistaken, or has a hole: angles, remainders, signs, x log y, sinc."""

from __future__ import annotations

import numpy as np
from scipy.special import xlog1py, xlogy

from ..case import Between, Raises, case
from ..defects import with_rule, without_rule
from ..defects.orders import with_new_rule

# -- arguments in the other order, and roundings in the other direction ------------------------------------------------


@case(
    "jax-625",
    "https://github.com/jax-ml/jax/pull/625",
    title="both slopes of an angle have the wrong sign",
    month="2019-04",
    symptom="wrong-value",
    cause="arctan2 takes y first; the rule has the signs of a function that takes x first.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([0.4, -0.2]),),
    oracle="closed form: x and -y over the squared length",
    reported=(np.array([-0.4, 0.2]),),
    defect=with_rule(
        np.arctan2,
        y=lambda d, out, y, x: -d * x / (x * x + y * y),
        x=lambda d, out, y, x: d * y / (x * x + y * y),
    ),
)
def angle_of_a_vector(v):
    return np.arctan2(v[0], v[1])


@case(
    "mlx-2451",
    "https://github.com/ml-explore/mlx/issues/2451",
    title="the slope of an angle in y is that of another argument, and there is none in x",
    month="2025-08",
    symptom="wrong-value",
    cause="The rule multiplies by the argument it is for, not by the other one, and returns a cotangent for the first "
    "argument only.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([0.4, -0.2]),),
    oracle="closed form: x and -y over the squared length",
    reported=(np.array([0.2, 0.0]),),
    defect=with_rule(np.arctan2, y=lambda d, out, y, x: d * y / (x * x + y * y)),
)
def angle_between_vector_and_axis(v):
    return np.arctan2(v[0], v[1])


@case(
    "jax-11466",
    "https://github.com/jax-ml/jax/issues/11466",
    title="the slope of a remainder in the divisor is off by one for negative dividends",
    month="2022-07",
    symptom="wrong-value",
    cause="It is minus the whole number of times that the divisor goes into the dividend. The remainder of C rounds "
    "that number towards zero, and the rule rounded it down.",
    at=(-19.0, 3.0),
    right=(1.0, 6.0),
    oracle="closed form: x - ny with n = -6",
    reported=(1.0, 7.0),
    defect=with_rule(np.fmod, x=lambda d, out, x, y: d, y=lambda d, out, x, y: -d * np.floor(x / y)),
)
def remainder_with_the_sign_of_the_dividend(x, y):
    return np.fmod(x, y)


PIXELS = np.array([0.0, 1.0, 4.0, 9.0])


def between_pixels(c):
    below = int(np.floor(c))
    above = min(below + 1, len(PIXELS) - 1)
    return PIXELS[below] + (c - below) * (PIXELS[above] - PIXELS[below])


@case(
    "jax-3024",
    "https://github.com/jax-ml/jax/issues/3024",
    title="interpolating an image has the slope 0 at every pixel",
    month="2020-05",
    symptom="missing-gradient",
    cause="The neighbours of a coordinate were found by rounding it down and up; of a whole number both are itself.",
    at=(1.0,),
    right=(3.0,),
    admissible=((Between(1.0, 3.0),),),
    oracle="closed form: to the right the next pixel less this one, which the program computes with; between that and "
    "the slope to the left lies every subgradient (convention 2)",
    reported=(0.0,),
    defect=with_new_rule(between_pixels, c=lambda d, out, c: d * (PIXELS[int(np.ceil(c))] - PIXELS[int(np.floor(c))])),
)
def image_at_a_coordinate(c):
    return between_pixels(c)


# -- at zero -----------------------------------------------------------------------------------------------------------


@case(
    "jax-1722",
    "https://github.com/jax-ml/jax/pull/1722",
    "https://github.com/pytorch/pytorch/issues/53989",
    title="sinc has the slope NaN at 0",
    month="2019-11",
    symptom="nan-inf",
    cause="The derivative (cos πx - sinc x) / x is 0 / 0 there, a singularity that can be removed and was not.",
    at=(np.array([0.0, 0.5, 1.0]),),
    right=(np.array([0.0, -4 / np.pi, -1.0]),),
    oracle="closed form: (cos πx - sinc x) / x, and 0 at 0, where an even function is flat",
    reported=(np.array([np.nan, -4 / np.pi, -1.0]),),
    defect=with_rule(np.sinc, x=lambda d, out, x: d * (np.cos(np.pi * x) - out) / x),
)
def cardinal_sine(x):
    return np.sum(np.sinc(x))


@case(
    "pytorch-80770",
    "https://github.com/pytorch/pytorch/issues/80770",
    title="x log 2 has the slope 0 at x = 0",
    month="2022-07",
    symptom="missing-gradient",
    cause="The function is 0 at x = 0 whatever y is, and the mask that makes it so was copied into its derivative.",
    at=(np.zeros(4),),
    right=(np.full(4, np.log(2.0)),),
    oracle="closed form: log 2, the function being linear in x",
    reported=(np.zeros(4),),
    defect=with_rule(xlogy, x=lambda d, out, x, y: d * xlogy(x != 0, y), y=lambda d, out, x, y: d * x / y),
)
def multiple_of_a_logarithm(x):
    return np.sum(xlogy(x, 2.0))


@case(
    "tensorflow-119476",
    "https://github.com/tensorflow/tensorflow/issues/119476",
    title="x log(1 + y) has the slope 0 at x = 0, as x log y has",
    month="2026-05",
    symptom="wrong-value",
    cause="The derivative by x is masked where x is 0, which is right for 0 log 0 and for nothing else.",
    at=(np.array([0.0, 1.5]),),
    right=(np.full(2, 2 * np.log(2.0)),),
    oracle="closed form: log 2 from each of the two functions",
    reported=(np.array([np.log(2.0), 2 * np.log(2.0)]),),
    defect=with_rule(xlog1py, x=lambda d, out, x, y: d * xlog1py(x != 0, y), y=lambda d, out, x, y: d * x / (1 + y)),
)
def multiples_of_two_logarithms(x):
    return np.sum(xlogy(x, 2.0) + xlog1py(x, 1.0))


# -- no rule -----------------------------------------------------------------------------------------------------------


@case(
    "zygote-1626",
    "https://github.com/FluxML/Zygote.jl/pull/1626",
    title="a number with the sign of another cannot be differentiated",
    month="2026-06",
    symptom="raises",
    cause="It is computed by masking bits, and there was a rule neither for that nor for the function itself.",
    needs=("refusal",),
    at=(-1.4,),
    right=(-1.0,),
    oracle="closed form: sign(x) times the sign asked for, which is 1 - 2",
    reported=Raises("foreign-call", "copysign"),
    defect=without_rule(np.copysign),
)
def numbers_with_given_signs(x):
    return np.copysign(x, -3.0) + 2.0 * np.copysign(x, 5.0)
