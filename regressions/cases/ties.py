"""Ties: which of those that are equally large, or equally small, gets the cotangent, and how much of it."""

from __future__ import annotations

import numpy as np

from engine.rules.scalars import standing_largest

from ..case import case
from ..defects import on_traced_tier, with_rule
from ..defects.state import together

# Each entry that equals the result gets the whole cotangent.
whole_to_each = {"a": lambda d, out, a: d * (a == out)}
whole_to_both = {"x": lambda d, out, x, y, /: d * (x == out), "y": lambda d, out, x, y, /: d * (y == out)}


@case(
    "autograd-138",
    "https://github.com/HIPS/autograd/issues/138",
    title="the maximum of an array that holds the same variable twice has twice its derivative",
    month="2016-08",
    symptom="wrong-value",
    cause="Every position that is equal to the maximum got the whole cotangent; the mask was not divided by their "
    "number.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([0.0, 1.0]),),
    oracle="closed form: it is the maximum of x",
    reported=(np.array([0.0, 2.0]),),
    defect=with_rule(np.max, **whole_to_each),
)
def maximum_of_everything_twice(x):
    return np.max(np.concatenate([x, x]))


@case(
    "autograd-141",
    "https://github.com/HIPS/autograd/pull/141",
    "https://github.com/Theano/Theano/issues/6470",
    title="the larger of a number and itself has derivative 2",
    month="2016-08",
    symptom="wrong-value",
    cause="Both arguments equal the result, and each got the whole cotangent.",
    at=(2.0,),
    right=(2.0,),
    oracle="closed form: both terms are x",
    reported=(4.0,),
    defect=together(with_rule(np.maximum, **whole_to_both), with_rule(np.minimum, **whole_to_both)),
)
def larger_and_smaller_of_equals(x):
    return np.maximum(x, x) + np.minimum(x, 2.0 * x - x)


@case(
    "casadi-2043",
    "https://github.com/casadi/casadi/issues/2043",
    title="two entries that tie for the largest get the whole cotangent each",
    month="2017-07",
    symptom="wrong-value",
    cause="The rule that was proposed looks the entries up that equal the maximum, and adds the cotangent to all of "
    "them; together they must get it once.",
    at=(np.array([2.0, 2.0, 1.0]),),
    right=(np.array([0.5, 0.5, 1.0]),),
    admissible=((np.array([1.0, 0.0, 1.0]),), (np.array([0.0, 1.0, 1.0]),)),
    oracle="definition: equal parts to those that tie, by convention 2; whatever they get, it sums to 1",
    reported=(np.array([1.0, 1.0, 1.0]),),
    defect=with_rule(np.max, **whole_to_each),
)
def largest_and_smallest_entry(x):
    return np.max(x) + np.min(x)


@case(
    "pytorch-43519",
    "https://github.com/pytorch/pytorch/pull/43519",
    title="the maximum of all entries sends the whole gradient to the first that ties",
    month="2020-08",
    symptom="wrong-value",
    cause="The rule looked one index up, where the maximum along an axis and the elementwise one treat equals alike.",
    at=(np.array([1.0, 3.0, 3.0]),),
    right=(np.array([0.0, 0.5, 0.5]),),
    oracle="definition: equal parts to those that tie, by convention 2; the mean of both slopes",
    reported=(np.array([0.0, 1.0, 0.0]),),
    defect=with_rule(np.max, a=lambda d, out, a: d * (np.arange(a.size) == np.argmax(a))),
)
def largest_of_three(x):
    return np.max(x)


@case(
    "pytorch-56734",
    "https://github.com/pytorch/pytorch/issues/56734",
    title="of two arrays that are equal in an entry, the first takes the whole gradient of the larger one",
    month="2021-04",
    symptom="wrong-value",
    cause="The masks of the two operands were >= and <, so that the order of the arguments decides.",
    at=(np.array([1.0, 2.0]), np.array([1.0, 0.0])),
    right=(np.array([0.5, 1.0]), np.array([0.5, 0.0])),
    oracle="definition: half each at a tie, by convention 2; the mean of both slopes",
    reported=(np.array([1.0, 1.0]), np.array([0.0, 0.0])),
    defect=with_rule(np.maximum, x=lambda d, out, x, y, /: d * (x >= y), y=lambda d, out, x, y, /: d * (x < y)),
)
def larger_entries_of_two_arrays(a, b):
    return np.sum(np.maximum(a, b))


THIRDS = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0]]) / 3
ONE_OF_THREE = [np.zeros((3, 3)) for _ in range(3)]
ONE_OF_THREE[0][0, 0], ONE_OF_THREE[1][0, 2], ONE_OF_THREE[2][2, 2] = 1.0, 1.0, -1.0


@case(
    "pytorch-41779",
    "https://github.com/pytorch/pytorch/issues/41779",
    title="the infinity norm sends the whole gradient to each of three entries that tie",
    month="2020-07",
    symptom="wrong-value",
    cause="The mask of the entries whose modulus is the norm was not divided by their number, so that the result is "
    "no subgradient.",
    at=(np.array([[9.0, 2.0, 9.0], [-2.0, -3.0, -4.0], [7.0, 8.0, -9.0]]),),
    right=(THIRDS,),
    admissible=tuple((one,) for one in ONE_OF_THREE),
    oracle="definition: the sign in equal parts to those that tie, by convention 2",
    reported=(3 * THIRDS,),
    defect=with_rule(np.linalg.norm, x=lambda d, out, x, ord=None: d * np.sign(x) * (np.abs(x) == out)),
)
def largest_modulus_of_a_matrix(x):
    return np.linalg.norm(x.ravel(), np.inf)


@case(
    "theano-633",
    "https://github.com/Theano/Theano/issues/633",
    title="a number clipped at itself is a constant",
    month="2012-05",
    symptom="missing-gradient",
    cause="The bounds of a clip counted as constants, and a value that equals its bound as clipped.",
    at=(5.0,),
    right=(1.0,),
    oracle="closed form: the first term is x, the second the constant 2",
    reported=(0.0,),
    defect=with_rule(np.clip, a=lambda d, out, a, a_min, a_max: np.where((a_min < a) & (a < a_max), d, 0.0)),
)
def clipped_at_itself(x):
    return np.clip(x, 0.0, x) + np.clip(2.0, x - 10.0, x)


@case(
    "zygote-208",
    "https://github.com/FluxML/Zygote.jl/issues/208",
    title="scaled to the unit interval, the largest entry has the gradient of any other",
    month="2019-05",
    symptom="wrong-value",
    cause="The pullback of the maximum gave nothing for a cotangent below a small number, to save work, and so for "
    "every negative one.",
    at=(np.array([0.3, 0.9, 0.1, 0.5]),),
    right=(np.array([1.25, -0.9375, -1.5625, 1.25]),),
    oracle="closed form: 1/r for all, less Σ(a - min)/r² for the largest, and for the smallest 4/r less that",
    reported=(np.array([1.25, 1.25, -1.5625, 1.25]),),
    defect=with_rule(np.max, a=lambda d, out, a: np.where(d <= 1e-8, 0.0, d * (a == out))),
)
def scaled_to_the_unit_interval(a):
    return np.sum((a - np.min(a)) / (np.max(a) - np.min(a)))


@case(
    "tensorflow-118673",
    "https://github.com/tensorflow/tensorflow/issues/118673",
    title="the maximum of data with a NaN has a gradient of clean zeros",
    month="2026-05",
    symptom="nan-inf",
    cause="No entry equals a maximum that is NaN, so that the mask is empty, and the division by the number of ties "
    "was left out for it.",
    at=(np.array([1.0, 2.0, np.nan]),),
    right=(np.full(3, np.nan),),
    oracle="definition: a NaN that decides a slice shows in its gradient, convention 5",
    no_differences="the value is NaN",
    reported=(np.zeros(3),),
    defect=with_rule(np.max, a=lambda d, out, a: d * (a == out)),
)
def maximum_of_data_with_a_gap(x):
    return np.max(x)


@case(
    "zygote-657",
    "https://github.com/FluxML/Zygote.jl/pull/657",
    title="log(exp x + exp y), written with max() and abs(), has slopes 0 and 1 where x = y",
    month="2020-05",
    symptom="wrong-value",
    cause="A tie in max() went to the last argument, and the modulus beside it, which would make up for that, has "
    "slope 0 there.",
    at=(5.0, 5.0),
    right=(0.5, 0.5),
    oracle="closed form: exp x / (exp x + exp y); the function is smooth",
    reported=(0.0, 1.0),
    defect=on_traced_tier(
        with_rule(
            standing_largest,
            best=lambda d, out, best, item, ties: 0.0,
            item=lambda d, out, best, item, ties: d,
        )
    ),
)
def logarithm_of_a_sum_by_the_builtins(x, y):
    return max(x, y) + np.log1p(np.exp(-abs(x - y)))


@case(
    "enzyme-2393",
    "https://github.com/EnzymeAD/Enzyme/issues/2393",
    title="log(exp x + exp y) of two equal numbers: all of the gradient goes to one",
    month="2025-07",
    symptom="wrong-value",
    cause="The maximum gives the whole cotangent to one of two equals while the modulus has slope 0: two conventions "
    "that do not fit each other, though what they make up is smooth.",
    at=(1.0, 1.0),
    right=(0.5, 0.5),
    oracle="closed form: exp x / (exp x + exp y)",
    reported=(1.0, 0.0),
    defect=with_rule(np.maximum, x=lambda d, out, x, y, /: d * (x >= y), y=lambda d, out, x, y, /: d * (x < y)),
)
def logarithm_of_a_sum_in_parts(x, y):
    m = np.maximum(x, y)
    return m + np.log1p(np.exp(-np.abs(x - y)))
