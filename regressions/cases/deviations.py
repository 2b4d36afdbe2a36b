"""Variances and standard deviations: of what is constant, of what has gaps, about a mean that is given."""

from __future__ import annotations

import numpy as np

from engine.rules.vocabulary import expand

from ..case import Raises, case
from ..defects import with_rule
from ..defects.orders import with_new_rule

# The slope of a root is divided by the root, which is zero where nothing deviates.
deviation_divides_by_itself = with_rule(
    np.std,
    a=lambda d, out, a, axis=None, *, keepdims=False: (
        expand(d, axis, keepdims)
        * (a - np.mean(a, axis, keepdims=True))
        / (expand(out, axis, keepdims) * (a.size / out.size))
    ),
)


@case(
    "flux-2096",
    "https://github.com/FluxML/Flux.jl/issues/2096",
    title="normalising columns that are constant gives a NaN gradient",
    month="2022-11",
    symptom="nan-inf",
    cause="The rule divides by the deviation, which is zero; the layer's small number is added to the result, too late "
    "to help.",
    at=(np.ones((3, 3)),),
    right=(np.zeros((3, 3)),),
    oracle="closed form: deviations from the mean of equal cosines; the deviation itself has slope 0 by convention 2",
    no_differences="the columns are constant at one point only, and within 1e-5 of it the function turns around",
    reported=(np.full((3, 3), np.nan),),
    defect=deviation_divides_by_itself,
)
def waves_of_normalised_columns(x):
    normalised = (x - np.mean(x, axis=0, keepdims=True)) / (np.std(x, axis=0, keepdims=True) + 1e-5)
    return np.sum(np.sin(normalised))


@case(
    "tensorflow-56830",
    "https://github.com/tensorflow/tensorflow/issues/56830",
    title="the standard deviation of a single element has a NaN gradient",
    month="2022-07",
    symptom="nan-inf",
    cause="The deviation of one number is always 0, and its rule divides by it.",
    at=(np.array([-0.83151082]),),
    right=(np.array([0.0]),),
    oracle="closed form: the function is 0",
    reported=(np.array([np.nan]),),
    defect=deviation_divides_by_itself,
)
def deviation_of_one_number(x):
    return np.std(x)


TABLE = np.array([[1.0, 2.0, 4.0], [0.0, 3.0, 1.0]])
OFF_THE_COLUMN = TABLE - np.mean(TABLE, axis=0)


@case(
    "flux-320",
    "https://github.com/FluxML/Flux.jl/issues/320",
    title="deviations over n - 1, and variances over several axes, have no rule",
    month="2018-07",
    symptom="raises",
    cause="The rules of variance and deviation knew the default arguments only.",
    at=(TABLE,),
    right=(OFF_THE_COLUMN / np.std(TABLE, axis=0, ddof=1) + 2 * (TABLE - np.mean(TABLE)) / 5,),
    oracle="closed form: (x - column mean) / ((m - 1) std) and 2 (x - mean) / (n - 1)",
    reported=Raises("foreign-call", "std"),
    defect=with_rule(np.std, a=lambda d, out, a, axis=None: d * (a - np.mean(a, axis)) / (len(a) * out)),
)
def deviations_of_columns_and_variance_of_all(x):
    return np.sum(np.std(x, axis=0, ddof=1)) + np.var(x, axis=(0, 1), ddof=1)


def variance(x, mean=None):
    middle = np.mean(x) if mean is None else mean
    return np.sum((x - middle) ** 2) / (len(x) - 1)


def about_a_constant(d, out, x, mean=None):
    return d * 2 * (x - (np.mean(x) if mean is None else mean)) / (len(x) - 1)


@case(
    "zygote-446",
    "https://github.com/FluxML/Zygote.jl/issues/446",
    title="the variance about a mean given by keyword loses what comes through the mean",
    month="2020-01",
    symptom="wrong-value",
    cause="Keyword arguments of a function that has a rule get no cotangent.",
    at=(np.array([1.0, 2.0, 4.0]),),
    right=(np.array([-3.0, 0.0, 2.0]),),
    oracle="closed form: 2 (x - m) / (n - 1), and for the first, which m is twice of, -2 for the sum of these besides",
    reported=(np.array([-1.0, 0.0, 2.0]),),
    defect=with_new_rule(variance, x=about_a_constant),
)
def variance_about_twice_the_first(x):
    return variance(x, mean=2.0 * x[0])


def masked_after_squaring(d, out, a):
    residual = a - np.nanmean(a)
    slope = np.where(np.isnan(a), 0.0, d) * 2 * residual / np.sum(~np.isnan(a))
    return slope - np.mean(slope)


@case(
    "jax-8128",
    "https://github.com/jax-ml/jax/issues/8128",
    title="one NaN among the data makes the gradient of nanvar NaN everywhere",
    month="2021-10",
    symptom="nan-inf",
    cause="The mask came after the square, so that its zero met a NaN in the pullback, and the mean couples one entry "
    "to all.",
    at=(np.array([np.nan, 1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([0.0, -0.75, -0.25, 0.25, 0.75]),),
    oracle="closed form: 2 (x - mean) / n for what is there, nothing for what is not",
    reported=(np.full(5, np.nan),),
    defect=with_rule(np.nanvar, a=masked_after_squaring),
)
def variance_of_what_is_there(x):
    return np.nanvar(x)
