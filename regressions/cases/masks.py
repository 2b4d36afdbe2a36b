"""Truth values among operands: masks made by comparing, counted, subtracted, multiplied by. They have no cotangent."""

from __future__ import annotations

import operator

import numpy as np

from engine.traced import operators

from ..case import Raises, case
from ..defects.shapes import comparison_fails, has_truth_values, pullback_fails, truth_values_need_a_cotangent
from ..defects.state import in_runtime, with_procedure

TARGET = np.array([1.2, 0.0, 0.1, 1.0])


@case(
    "flux-1128",
    "https://github.com/FluxML/Flux.jl/issues/1128",
    title="the Huber loss, written with a mask, raises in the pullback",
    month="2020-04",
    symptom="raises",
    cause="A comparison inside a broadcast has no cotangent, and the pullback of the broadcast unpacked one for each "
    "of its operands.",
    at=(np.array([1.0, -2.0, 0.3, 5.0]),),
    right=(np.array([-0.05, -0.25, 0.05, 0.25]),),
    oracle="closed form: the error over n where it is below 1, else its sign over n",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=truth_values_need_a_cotangent,
)
def huber_loss(estimate):
    error = np.abs(estimate - TARGET)
    small = error < 1.0
    return np.mean(0.5 * error**2 * small + (error - 0.5) * ~small)


@case(
    "tracker-42",
    "https://github.com/FluxML/Tracker.jl/issues/42",
    title="adding an array of truth values raises",
    month="2019-07",
    symptom="raises",
    cause="Every operand of the broadcast was made a dual number, whatever its type, and there is no dual number of a "
    "truth value.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.ones(3),),
    oracle="closed form: a sum of the entries",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=truth_values_need_a_cotangent,
)
def truth_values_added(x):
    return np.sum(x + np.array([True, False, True]))


@case(
    "zygote-1086",
    "https://github.com/FluxML/Zygote.jl/issues/1086",
    title="subtracting an array of truth values raises",
    month="2021-09",
    symptom="raises",
    cause="The rule negates what the other operand gets once it has been summed; for truth values that is nothing, "
    "and there is no minus of nothing.",
    at=(np.array([0.3, -0.4, 1.2]),),
    right=(np.ones(3),),
    oracle="closed form: the masks are constants",
    reported=Raises("crash", "TypeError: bad operand type for unary -: 'NoneType'"),
    defect=pullback_fails(
        TypeError("bad operand type for unary -: 'NoneType'"),
        lambda made: made.rule.primal is operator.sub and has_truth_values(made),
    ),
)
def truth_values_subtracted(x):
    return np.sum(x - (x > 0)) + np.sum(1 - 1.0 * (x > 0))


@case(
    "zygote-724",
    "https://github.com/FluxML/Zygote.jl/issues/724",
    title="comparing with the maxima of the columns raises, with the maximum of all it does not",
    month="2020-07",
    symptom="raises",
    cause="The comparison has no cotangent; where its operands were broadcast, the helper that undoes broadcasting "
    "asked that nothing for its size.",
    at=(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.5]]),),
    right=(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]),),
    oracle="closed form: the mask",
    reported=Raises("crash", "AttributeError: 'NoneType' object has no attribute 'shape'"),
    defect=comparison_fails("eq", AttributeError("'NoneType' object has no attribute 'shape'")),
)
def sum_of_the_maxima_of_columns(x):
    return np.sum(x * (x == np.max(x, axis=0, keepdims=True)))


@case(
    "zygote-1027",
    "https://github.com/FluxML/Zygote.jl/issues/1027",
    "https://github.com/FluxML/Zygote.jl/issues/678",
    title="dividing by the number of entries above a threshold raises",
    month="2020-06",
    symptom="raises",
    cause="The pullback of a comparison returned one nothing for all arguments together, in the place of one nothing "
    "for each of them.",
    at=(np.array([2.5, 3.5, 4.5]),),
    right=(np.array([9.375, 18.375, 30.375]),),
    oracle="closed form: 3x² / 2, two entries are above the threshold",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=comparison_fails("gt", TypeError("'NoneType' object is not iterable")),
)
def cubes_over_the_number_of_large_entries(x):
    return np.sum(x**3) / np.sum(x > 3)


def counting_ties(a, b):
    return operators.COMPARE["ge"](a, b)


@case(
    "zygote-1597",
    "https://github.com/FluxML/Zygote.jl/issues/1597",
    "https://github.com/FluxML/Zygote.jl/pull/1624",
    title="entries equal to the threshold are counted as above it while differentiating",
    month="2025-11",
    symptom="wrong-value",
    cause="The comparison was evaluated on dual numbers, which order equal values by their derivatives, so that 3 + "
    "1ε > 3 is true; the value of the loss changes too.",
    at=(np.array([1.0, 3.0, 4.0, 5.0]),),
    right=(np.array([1.0, 3.0, 4.0, 5.0]),),
    oracle="closed form: 2x / 2, two entries are above the threshold",
    reported=(np.array([2.0, 6.0, 8.0, 10.0]) / 3,),
    no_differences="the number of entries jumps at the one that equals the threshold",
    defect=in_runtime("gt", counting_ties),
)
def squares_over_the_number_of_large_entries(x):
    return np.sum(x**2) / np.sum(x > 3)


def not_iterable(*args, **kwargs):
    raise TypeError("'NoneType' object is not iterable")


@case(
    "flux-900",
    "https://github.com/FluxML/Flux.jl/issues/900",
    title="bounding by the machine epsilon of the array's own type raises",
    month="2019-10",
    symptom="raises",
    cause="The look-up of the epsilon has no derivative, and inside a broadcast the pullback expected a cotangent "
    "from it for each entry.",
    at=(np.array([0.5, 2.0, -1.0]),),
    right=(np.array([2.0, 0.5, 0.0]),),
    oracle="closed form: 1 / x above the epsilon, 0 below",
    reported=Raises("crash", "TypeError: 'NoneType' object is not iterable"),
    defect=with_procedure(np.finfo, not_iterable),
)
def logarithm_bounded_below_by_epsilon(x):
    return np.sum(np.log(np.maximum(np.finfo(x.dtype).eps, x)))
