"""Digits lost by a rule where the function loses none: differences of nearly equal numbers, far out and near zero."""

from __future__ import annotations

import math
import operator

import mpmath
import numpy as np
from scipy.special import expit, i0, i0e, i1e, log_softmax, softmax

from ..case import case
from ..defects import on_traced_tier, with_rule
from ..defects.orders import with_new_rule

# -- one less what is one to rounding ----------------------------------------------------------------------------------


@case(
    "jax-767",
    "https://github.com/jax-ml/jax/pull/767",
    title="the slope of tanh is 0 beyond 19, where there are 280 more powers of ten",
    month="2019-05",
    symptom="missing-gradient",
    cause="1 / cosh² overflowed, so that the slope was written 1 - tanh², of which nothing is left once tanh has been "
    "rounded to 1.",
    at=(20.0,),
    right=(4 * math.exp(-40.0),),
    oracle="mpmath: of tanh",
    exact=lambda x: mpmath.tanh(x),
    reported=(0.0,),
    defect=with_rule(np.tanh, x=lambda d, out, x: d * (1 - out * out)),
)
def saturated_tanh(x):
    return np.tanh(x)


@case(
    "jax-39794",
    "https://github.com/jax-ml/jax/issues/39794",
    title="the slope of exp(x) - 1 is 0 at -40",
    month="2026-08",
    symptom="missing-gradient",
    cause="The rule finds the exponential again by adding 1 to the result, which has been rounded to -1.",
    at=(-40.0,),
    right=(math.exp(-40.0),),
    oracle="mpmath: of expm1",
    exact=lambda x: mpmath.expm1(x),
    reported=(0.0,),
    defect=with_rule(np.expm1, x=lambda d, out, x: d * (out + 1)),
)
def exponential_less_one(x):
    return np.expm1(x)


@case(
    "jax-40342",
    "https://github.com/jax-ml/jax/issues/40342",
    title="the slope of a sigmoid, an even function, is right at -40 and 0 at 40",
    month="2026-09",
    symptom="missing-gradient",
    cause="s (1 - s) has no digits left where s has been rounded to 1; s times the sigmoid of -x has them all.",
    at=(np.array([-40.0, 40.0]),),
    right=(np.full(2, 4.248354255291589e-18),),
    oracle="mpmath: of 1 / (1 + exp(-x))",
    exact=lambda x: sum(1 / (1 + mpmath.exp(-v)) for v in x),
    reported=(np.array([4.248354255291589e-18, 0.0]),),
    defect=with_rule(expit, x=lambda d, out, x: d * out * (1 - out)),
)
def sigmoids_on_both_sides(x):
    return np.sum(expit(x))


NEARLY_ALL = 37.42994775023705


@case(
    "jax-40384",
    "https://github.com/jax-ml/jax/issues/40384",
    title="of two slopes of a log-softmax that must cancel, one is 0",
    month="2026-09",
    symptom="missing-gradient",
    cause="The rule subtracts the share of an entry from 1, and the share has been rounded to 1; the other share, "
    "which is that difference, is there to be used.",
    at=(np.array([NEARLY_ALL, 0.0]),),
    right=(np.array([1.0, -1.0]) / (1 + math.exp(NEARLY_ALL)),),
    oracle="mpmath: of the logarithm of the share",
    exact=lambda z: z[0] - mpmath.log(mpmath.exp(z[0]) + mpmath.exp(z[1])),
    reported=(np.array([0.0, -1.0 / (1 + math.exp(NEARLY_ALL))]),),
    defect=with_rule(log_softmax, x=lambda d, out, x, axis=None: d - np.exp(out) * np.sum(d)),
)
def log_probability_of_a_certain_class(z):
    return log_softmax(z)[0]


@case(
    "jax-40386",
    "https://github.com/jax-ml/jax/issues/40386",
    title="of two slopes of a softmax that must cancel, one is 0",
    month="2026-09",
    symptom="missing-gradient",
    cause="The mean of the cotangents is subtracted from each; of the entry that has nearly the whole weight the "
    "cotangent is that mean, and what they differ by is lost.",
    at=(np.array([NEARLY_ALL, 0.0]),),
    right=(np.array([1.0, -1.0]) / (1 + math.exp(NEARLY_ALL)),),
    oracle="mpmath: of the share",
    exact=lambda z: mpmath.exp(z[0]) / (mpmath.exp(z[0]) + mpmath.exp(z[1])),
    reported=(np.array([0.0, -1.0 / (1 + math.exp(NEARLY_ALL))]),),
    defect=with_rule(softmax, x=lambda d, out, x, axis=None: out * (d - np.sum(d * out))),
)
def probability_of_a_certain_class(z):
    return softmax(z)[0]


@case(
    "tensorflow-126635",
    "https://github.com/tensorflow/tensorflow/issues/126635",
    title="the second derivative of softplus is 0 where it is 5.6e-17",
    month="2026-09",
    symptom="missing-gradient",
    cause="It is computed as s (1 - s) from a sigmoid s that has been rounded to 1.",
    needs=("nested",),
    at=(NEARLY_ALL,),
    right=(math.exp(NEARLY_ALL) / (1 + math.exp(NEARLY_ALL)) ** 2,),
    oracle="closed form: s (1 - s), with 1 - s written as the sigmoid of -x",
    reported=(0.0,),
    asks="value",
    defect=with_rule(
        np.logaddexp, x=lambda d, out, x, y: d * np.exp(x - out), y=lambda d, out, x, y: d * np.exp(y - out)
    ),
)
def curvature_of_softplus(x, *, ad):
    return ad.grad(ad.grad(lambda u: np.logaddexp(u, 0.0)))(x)


def cross_entropy(x):
    """Of the sigmoid of x, for the target 0."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def by_the_probability(d, out, x):
    p = 1 / (1 + np.exp(-x))
    return d * p * (1 - p) / (1 - p + 2.2e-16)


@case(
    "flux-914",
    "https://github.com/FluxML/Flux.jl/issues/914",
    title="a confident wrong prediction has the gradient 0, not 1",
    month="2019-11",
    symptom="missing-gradient",
    cause="The cross entropy is taken of a probability that has been rounded to 1: the slope of the sigmoid is then 0, "
    "and what was added inside the logarithm keeps 0 / 0 from being seen.",
    at=(50.0,),
    right=(1.0,),
    oracle="closed form: the sigmoid of x",
    reported=(0.0,),
    defect=with_new_rule(cross_entropy, x=by_the_probability),
)
def cross_entropy_of_a_wrong_prediction(x):
    return cross_entropy(x)


# -- two terms of a rule that cancel -----------------------------------------------------------------------------------


@case(
    "jax-39797",
    "https://github.com/jax-ml/jax/issues/39797",
    title="the slope of the Bessel function i0 is 0 at 1e-300, where it is 5e-301",
    month="2026-08",
    symptom="missing-gradient",
    cause="i0 is written exp|x| times a scaled function; the slopes of the two factors are 1 and -1 near zero, and "
    "their sum has lost i1.",
    at=(1e-300,),
    right=(5e-301,),
    oracle="closed form: x / 2, the series of i1 to its first term",
    reported=(0.0,),
    defect=with_rule(
        i0, x=lambda d, out, x: d * np.exp(np.abs(x)) * (np.sign(x) * i0e(x) + (i1e(x) - np.sign(x) * i0e(x)))
    ),
)
def bessel_function_next_to_zero(x):
    return i0(x)


HUGE, RADIUS = 1.65163625e38, 0.31


@case(
    "jax-15588",
    "https://github.com/jax-ml/jax/issues/15588",
    title="a huge constant times 1 - r / r, which is 0, has a gradient of 1e22",
    month="2023-04",
    symptom="wrong-value",
    cause="The quotient is differentiated as 1 / y - x / y², and the two roundings do not cancel; written with the "
    "quotient itself, as (1 - x / y) / y, they do.",
    at=(RADIUS,),
    right=(0.0,),
    oracle="closed form: the function is 0",
    reported=(-HUGE / RADIUS + HUGE * RADIUS / RADIUS**2,),
    defect=on_traced_tier(
        with_rule(operator.truediv, x=lambda d, out, x, y: d / y, y=lambda d, out, x, y: -d * x / y**2)
    ),
)
def huge_multiple_of_nothing(r):
    return HUGE * (1.0 - r / r)


# -- squares that are subtracted from squares --------------------------------------------------------------------------


def distance(a, b):
    return np.sqrt(np.sum((a - b) ** 2))


def apart(a, b):
    """The same, from squared lengths and an inner product."""
    return np.sqrt(np.sum(a**2) + np.sum(b**2) - 2 * np.sum(a * b))


@case(
    "zygote-609",
    "https://github.com/FluxML/Zygote.jl/pull/609",
    title="distances of nearly equal points: the root of a negative number in the gradient",
    month="2020-04",
    symptom="nan-inf",
    cause="The rule for all distances computed them once more as |a|² + |b|² - 2ab, which rounding makes negative when "
    "two points are close to each other and far from the origin.",
    at=(np.array([[997.0, 2000.0], [997.0 + 1e-6, 2000.0]]),),
    right=(np.array([[-1.0, 0.0], [1.0, 0.0]]),),
    oracle="closed form: the unit vector between the points",
    no_differences="they step over the kink where the points are the same",
    reported=(np.full((2, 2), np.nan),),
    defect=with_new_rule(
        distance, a=lambda d, out, a, b: d * (a - b) / apart(a, b), b=lambda d, out, a, b: d * (b - a) / apart(a, b)
    ),
)
def distances_of_all_pairs(points):
    total = 0.0
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            total = total + distance(points[i], points[j])
    return total


WEIGHTS = np.array([0.0, 1.0, 3.0], np.float32)
FEATURES = np.array([1001.0, 1001.0 + 1 / 64, 1001.0 + 2 / 64], np.float32)
EPSILON = np.float32(1e-5)


def normalised(x):
    centred = x - np.mean(x)
    return centred / np.sqrt(np.mean(centred**2) + EPSILON)


def normalised_exactly(x):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return [(v - mean) / mpmath.sqrt(variance + float(EPSILON)) for v in x]


def with_the_variance_in_one_pass(d, out, x):
    variance = np.mean(x * x) - np.mean(x) ** 2
    return (d - np.mean(d) - out * np.mean(out * d)) / np.sqrt(variance + EPSILON)


@case(
    "equinox-314",
    "https://github.com/patrick-kidger/equinox/pull/314",
    title="layer norm of features with a large mean: rounding makes the variance negative",
    month="2023-04",
    symptom="nan-inf",
    cause="The variance is computed as the mean of squares less the square of the mean; both are a million here, and "
    "their difference in single precision is less than minus the small constant in the root.",
    at=(FEATURES,),
    right=(np.array([6.0744233, -25.3604298, 19.2860069], np.float32),),
    oracle="mpmath: with the variance as the mean square of what is left without the mean",
    exact=lambda x: mpmath.fdot(WEIGHTS.tolist(), normalised_exactly(x)),
    reported=(np.full(3, np.nan, np.float32),),
    defect=with_new_rule(normalised, x=with_the_variance_in_one_pass),
)
def layer_norm_far_from_zero(x):
    return np.sum(WEIGHTS * normalised(x))


TINY = np.array([1e-23, 2e-23, 1e-23, 2e-23], np.float32)
RISING = np.arange(4, dtype=np.float32)


def over_the_deviation(d, out, a):
    centred = a - np.mean(a)
    return d * (centred / (len(a) * out) - np.mean(centred / (len(a) * out)))


@case(
    "flux-2421",
    "https://github.com/FluxML/Flux.jl/pull/2421",
    title="layer norm of features that are nearly all the same is NaN in single precision",
    month="2024-04",
    symptom="nan-inf",
    cause="The squares of the small differences underflow, so that the deviation is 0, and its rule divides by it; the "
    "small constant stands outside of the root, where it cannot help.",
    at=(TINY,),
    right=((RISING - np.float32(1.5)) / np.float32(1e-3),),
    oracle="closed form: weights less their mean, over the small constant; what the deviation adds is 1e-14 of it",
    no_differences="all the features are within one step of each other, where the deviation has its kink",
    reported=(np.full(4, np.nan, np.float32),),
    defect=with_rule(np.std, a=over_the_deviation),
)
def layer_norm_of_a_constant(x):
    return np.sum(RISING * (x - np.mean(x)) / (np.std(x) + np.float32(1e-3)))
