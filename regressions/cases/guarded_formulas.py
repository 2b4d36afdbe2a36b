"""Formulas with a guard: where, select and masks that keep them from the points at which they break down."""

from __future__ import annotations

import numpy as np

from engine.traced.levels import plain

from ..case import case
from ..defects import with_rule
from ..defects.state import overwritten_values_are_looked_at as left_out_counts_as_zero
from ..defects.state import with_procedure


@case(
    "pytorch-36923",
    "https://github.com/pytorch/pytorch/issues/36923",
    title="a value that is NaN in the branch left out makes the gradient NaN",
    month="2020-04",
    symptom="nan-inf",
    cause="The division by the threshold has an infinite slope when that is zero; the zero cotangent of the branch "
    "that was left out is multiplied by it.",
    at=(np.float64(1.0),),
    right=(np.float64(1.0),),
    oracle="closed form: x itself is selected",
    reported=(np.float64(np.nan),),
    defect=left_out_counts_as_zero,
)
def soft_threshold_of_zero(x):
    threshold = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x >= threshold, x, threshold * np.divide(x, threshold))


TARGETS = np.array([1.0, np.nan, 3.0])


@case(
    "pytorch-89543",
    "https://github.com/pytorch/pytorch/issues/89543",
    title="missing targets, masked after squaring the error, give NaN gradients",
    month="2022-11",
    symptom="nan-inf",
    cause="The squared error of a missing target has the slope NaN, and the zero cotangent that the mask gives it does "
    "not make it vanish.",
    at=(np.array([2.0, 2.0, 5.0]),),
    right=(np.array([2.0, 0.0, 4.0]),),
    oracle="closed form: 2 (x - y) where there is a target",
    reported=(np.array([2.0, np.nan, 4.0]),),
    defect=left_out_counts_as_zero,
)
def squared_error_without_missing_targets(x):
    return np.sum(np.where(np.isnan(TARGETS), 0.0, (x - TARGETS) ** 2))


@case(
    "tinygrad-12409",
    "https://github.com/tinygrad/tinygrad/issues/12409",
    title="a root at zero that where() leaves out gives NaN",
    month="2025-10",
    symptom="nan-inf",
    cause="The slope of the root is infinite at zero, and is multiplied by the zero cotangent of the branch left out.",
    at=(np.array([0.0, 4.0]),),
    right=(np.array([0.0, 3.0]),),
    oracle="closed form: 3/2 of the root of x; at zero the constant is selected",
    no_differences="the root does not exist to the left of zero",
    reported=(np.array([np.nan, 3.0]),),
    defect=left_out_counts_as_zero,
)
def power_three_halves_by_a_root(x):
    return np.sum(np.where(x == 0, 0.0, x * np.sqrt(x)))


@case(
    "tensorflow-22048",
    "https://github.com/tensorflow/tensorflow/issues/22048",
    title="clipping a vector by its norm has a NaN gradient at zero, where it changes nothing",
    month="2018-09",
    symptom="nan-inf",
    cause="The branch left out divides by the norm: its slope is zero over zero, and that of the root in the norm "
    "infinite.",
    at=(np.zeros(3),),
    right=(np.array([1.0, 2.0, 3.0]),),
    oracle="closed form: the identity while the norm is below the limit",
    reported=(np.full(3, np.nan),),
    defect=left_out_counts_as_zero,
)
def clip_by_norm(a):
    norm = np.sqrt(np.sum(a * a))
    with np.errstate(invalid="ignore"):
        clipped = np.where(norm > 1.0, np.divide(a, norm), a)
    return np.sum(np.array([1.0, 2.0, 3.0]) * clipped)


@case(
    "jax-5658",
    "https://github.com/jax-ml/jax/pull/5658",
    title="a branch on each row, vectorised into a selection, brings NaN gradients back",
    month="2021-02",
    symptom="nan-inf",
    cause="Vectorising a conditional turned it into a selection among branches that all run; the root then runs on the "
    "rows that were kept away from it.",
    at=(np.array([1.0, -0.5, 2.0]),),
    right=(np.array([1.0, 0.0, 0.5]),),
    oracle="closed form: 1/x where x is positive",
    reported=(np.array([1.0, np.nan, 0.5]),),
    defect=left_out_counts_as_zero,
)
def logarithm_of_the_positive_rows(xs):
    with np.errstate(invalid="ignore"):
        rows = np.where(xs > 0, np.sqrt(xs) ** 2, 1.0)
        return np.sum(np.where(xs > 0, np.log(rows), 0.0))


@case(
    "casadi-1878",
    "https://github.com/casadi/casadi/issues/1878",
    title="the second derivative is NaN where the condition keeps the argument away from the root",
    month="2016-10",
    symptom="nan-inf",
    cause="A conditional multiplied the derivative of each branch by its truth value, 0 or 1, and the root of a number "
    "below zero is NaN; this was mended for the first derivative and not for the second.",
    needs=("nested",),
    at=(np.array([-3.0, 4.0]),),
    right=(np.array([0.0, -1 / 32]),),
    oracle="closed form: the second derivative of the root, -1/4 of x to the power -3/2, where x is positive",
    reported=(np.array([np.nan, -1 / 32]),),
    asks="value",
    defect=left_out_counts_as_zero,
)
def curvature_of_a_guarded_root(x, *, ad):
    def guarded(x):
        with np.errstate(invalid="ignore"):
            return np.sum(np.where(x > 0, x**0.5, 0.0 * x))

    return ad.grad(lambda x: np.sum(ad.grad(guarded)(x)))(x)


@case(
    "taichi-7115",
    "https://github.com/taichi-dev/taichi/issues/7115",
    title="a branch flattened to a selection: not taken, it still makes the gradient NaN",
    month="2023-01",
    symptom="nan-inf",
    cause="To save a jump the branch was turned into a selection; the division in it is then also differentiated where "
    "its divisor is zero, and zero times infinity follows.",
    at=(np.array([0.25, -0.25]),),
    right=(np.array([1.0, 2.0]),),
    oracle="closed form: the weights; the condition is false, and the impulse nothing",
    reported=(np.array([np.nan, np.nan]),),
    defect=left_out_counts_as_zero,
)
def velocity_after_a_contact_out_of_reach(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        impulse = np.where(x[0] < 0.06, 0.5 * x * (1.0 / np.sum(x)), 0.0)
    return np.sum((x + impulse) * np.array([1.0, 2.0]))


def packed(conditions, choices):
    return np.select([plain(c) for c in conditions], [plain(c) for c in choices])


@case(
    "autograd-36",
    "https://github.com/HIPS/autograd/issues/36",
    title="select() among numbers has a gradient of zero",
    month="2015-07",
    symptom="missing-gradient",
    cause="The selected value, an object that carries a derivative, was packed into an array of objects, and such an "
    "array counts as a constant.",
    at=(np.array([3.0, 2.0]),),
    right=(np.array([np.log(2.0), 1.5]),),
    oracle="closed form: of x0 log x1, which is selected",
    reported=(None,),
    defect=with_procedure(np.select, packed),
)
def select_among_numbers(x):
    return np.select([x[0] > 5.0, True], [x[0] ** 2, x[0] * np.log(x[1])])


@case(
    "mxnet-17893",
    "https://github.com/apache/mxnet/issues/17893",
    title="where() with a number for its third argument sends the cotangent to the other entries",
    month="2020-03",
    symptom="wrong-value",
    cause="The variant for a number in the place of the second branch was written with the mask inverted.",
    at=(np.array([2.0, 3.0, 4.0]),),
    right=(np.array([1.0, 0.0, 1.0]),),
    oracle="closed form: 1 where b is selected",
    reported=(np.array([0.0, 1.0, 0.0]),),
    defect=with_rule(np.where, x=lambda d, out, condition, x, y: np.where(condition, 0.0, d)),
)
def where_with_a_number(b):
    return np.sum(np.where(np.array([1, 0, 1]), b, -1))
