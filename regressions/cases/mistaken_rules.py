"""Rules that state another derivative: partials exchanged, a factor too many, the formula of a neighbour."""

from __future__ import annotations

import numpy as np

from ..case import Between, case
from ..defects import with_rule
from ..defects.orders import with_new_rule


@case(
    "autograd-712",
    "https://github.com/HIPS/autograd/pull/712",
    title="np.absolute is NaN at 0 where np.abs is 0",
    month="2025-07",
    symptom="nan-inf",
    cause="Two names of one function had two rules, and the guard against dividing 0 by 0 went into that of the one "
    "only.",
    at=(np.array([-2.0, 0.0, 4.0]),),
    right=(np.array([-2.0, 0.0, 2.0]),),
    admissible=((Between(np.array([-2.0, -2.0, 2.0]), np.array([-2.0, 2.0, 2.0])),),),
    oracle="definition: twice the sign, and 0 at 0 by convention 2",
    reported=(np.array([-2.0, np.nan, 2.0]),),
    defect=with_rule(np.absolute, x=lambda d, out, x, /: d * x / out),
)
def two_names_of_the_absolute_value(x):
    return np.sum(np.absolute(x)) + np.sum(np.abs(x))


@case(
    "chainrules-55",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/55",
    title="the partial derivatives of hypot are exchanged",
    month="2019-06",
    symptom="wrong-value",
    cause="The rule listed y / r before x / r; the test had used equal arguments, for which nobody can tell.",
    at=(3.0, 4.0),
    right=(0.6, 0.8),
    oracle="closed form: x / r and y / r",
    reported=(0.8, 0.6),
    defect=with_rule(np.hypot, x=lambda d, out, x, y: d * y / out, y=lambda d, out, x, y: d * x / out),
)
def length_of_a_hypotenuse(x, y):
    return np.hypot(x, y)


@case(
    "enzyme-2419",
    "https://github.com/EnzymeAD/Enzyme/issues/2419",
    title="the forward derivative of a Euclidean norm is divided by a root of the norm too many",
    month="2025-08",
    symptom="wrong-value",
    cause="The rule takes the square root of the norm, which is a square root already.",
    needs=("nested", "forward"),
    at=(np.array([5.0]),),
    right=(1.0,),
    oracle="closed form: x · dx / |x|",
    reported=(1 / np.sqrt(5.0).item(),),
    asks="value",
    defect=with_rule(
        np.linalg.norm,
        x=lambda d, out, x: d * x / out,
        jvp=lambda tangents, out, x: np.sum(x * tangents[0]) / (out * np.sqrt(out)),
    ),
)
def tangent_of_a_norm(x, *, ad):
    return float(ad.jvp(np.linalg.norm, (x,), (np.ones(1),))[1])


@case(
    "nx-1779",
    "https://github.com/elixir-nx/nx/pull/1779",
    title="the cotangent of clip is squared",
    month="2026-07",
    symptom="wrong-value",
    cause="What was selected by the mask was the cotangent, and it was multiplied by the cotangent; a test with a "
    "plain sum, whose cotangent is 1, cannot see it.",
    at=(np.array([0.5, 2.0, -0.25]),),
    right=(np.array([-1.5, 0.0, 1.0]),),
    oracle="closed form: half the weight inside the bounds, 0 outside",
    reported=(np.array([2.25, 0.0, 1.0]),),
    defect=with_rule(np.clip, a=lambda d, out, a, a_min, a_max: np.where((a > a_min) & (a < a_max), d, 0.0) * d),
)
def weighted_sum_of_clipped_numbers(x):
    return np.sum(np.clip(x, -1.0, 1.0) * np.array([-3.0, 5.0, 2.0])) / 2.0


def log_softmax(x):
    shifted = x - np.max(x)
    return shifted - np.log(np.sum(np.exp(shifted)))


LOGITS, WEIGHTS = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, -1.0])
SHARES = np.exp(LOGITS) / np.sum(np.exp(LOGITS))


@case(
    "nnlib-194",
    "https://github.com/FluxML/NNlib.jl/pull/194",
    title="log-softmax has the gradient of softmax",
    month="2020-04",
    symptom="wrong-value",
    cause="The variant that writes into a given array was copied from that of softmax, formula and all.",
    at=(LOGITS,),
    right=(WEIGHTS - SHARES * np.sum(WEIGHTS),),
    oracle="closed form: c - s Σ c with the shares s",
    reported=(SHARES * (WEIGHTS - SHARES @ WEIGHTS),),
    defect=with_new_rule(log_softmax, x=lambda d, out, x: np.exp(out) * (d - np.sum(np.exp(out) * d))),
)
def weighted_log_probabilities(x):
    return np.dot(WEIGHTS, log_softmax(x))


def decay(y, t, rate):
    return -rate * t * y


STEP, TIMES = 0.01, 0.01 * np.arange(100) + 0.005
FACTORS = 1 - 2.0 * STEP * TIMES
BEFORE = np.concatenate([[1.0], np.cumprod(FACTORS)[:-1]])


def rate_slope(sign):
    """The sum over the steps of λ h ∂f/∂p, with λ carried back at the times `sign` t."""
    back = np.concatenate([np.cumprod((1 - sign * 2.0 * STEP * TIMES)[:0:-1])[::-1], [1.0]])
    return float(np.sum(back * STEP * -sign * TIMES * BEFORE))


@case(
    "jax-2817",
    "https://github.com/jax-ml/jax/pull/2817",
    title="the adjoint of a differential equation evaluates the right-hand side at negative times",
    month="2020-04",
    symptom="wrong-value",
    cause="The adjoint runs backwards and wants the dynamics at the end minus the time that has passed; it was given "
    "minus the time.",
    at=(2.0,),
    right=(rate_slope(1),),
    oracle="closed form: of the product of 1 - p h t, for the method of Euler",
    reported=(rate_slope(-1),),
    defect=with_new_rule(
        decay,
        y=lambda d, out, y, t, rate: d * -rate * -t,
        rate=lambda d, out, y, t, rate: d * t * y,
    ),
)
def decay_at_a_rate_that_grows_with_time(rate):
    y = 1.0
    for k in range(100):
        y = y + STEP * decay(y, STEP * k + 0.005, rate)
    return y
