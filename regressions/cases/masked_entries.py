"""Entries that a mask, a maximum or a window leaves out of a reduction, and that come back in its gradient."""

from __future__ import annotations

import numpy as np

from ..case import case
from ..defects.orders import with_new_rule
from ..defects.state import overwritten_values_are_looked_at as left_out_counts_as_zero

FIRST_ALONE = np.array([True, False])


@case(
    "jax-23842",
    "https://github.com/jax-ml/jax/issues/23842",
    title="log(sum(exp)) with a mask has a NaN gradient for a large entry that is masked",
    month="2024-09",
    symptom="nan-inf",
    cause="The mask went into the sum and not into the exponential, which overflows; its infinite slope meets the "
    "mask's zero.",
    at=(np.array([0.0, 1000.0]),),
    right=(np.array([1.0, 0.0]),),
    oracle="closed form: the function is the first entry",
    reported=(np.array([1.0, np.nan]),),
    defect=left_out_counts_as_zero,
)
def masked_log_sum_exp(a):
    with np.errstate(over="ignore"):
        return np.log(np.sum(np.where(FIRST_ALONE, np.exp(a), 0.0)))


@case(
    "jax-19490",
    "https://github.com/jax-ml/jax/issues/19490",
    title="softmax with a mask has a NaN gradient when a masked logit is huge",
    month="2024-01",
    symptom="nan-inf",
    cause="The largest logit that is not masked is subtracted from all of them, and the exponential of the masked one "
    "overflows; that NaN reaches the others through the maximum.",
    at=(np.array([36.0, 10000.0]),),
    right=(np.array([0.0, 0.0]),),
    oracle="closed form: the share of the only logit is 1",
    reported=(np.array([np.nan, np.nan]),),
    defect=left_out_counts_as_zero,
)
def masked_softmax(x):
    with np.errstate(over="ignore"):
        largest = np.max(np.where(FIRST_ALONE, x, -np.inf))
        powers = np.where(FIRST_ALONE, np.exp(x - largest), 0.0)
    return powers[0] / np.sum(powers)


CENTRE = np.array([0.25, 0.5, 0.04])


@case(
    "jax-13600",
    "https://github.com/jax-ml/jax/issues/13600",
    title="the maximum of two finite values has a NaN gradient, each of them alone a finite one",
    month="2022-12",
    symptom="nan-inf",
    cause="The maximum sends zeros to the value that loses, and one of its slopes is infinite; an index, which does "
    "not visit it, gives the right answer.",
    at=(CENTRE,),
    right=(np.ones(3),),
    oracle="closed form: the sum is the larger one all around",
    reported=(np.full(3, np.nan),),
    defect=left_out_counts_as_zero,
)
def larger_of_a_sum_and_a_distance(x):
    return np.max(np.array([np.sum(x), np.sqrt(np.sum((x - CENTRE) ** 2))]))


@case(
    "forwarddiff-603",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/603",
    title="a maximum that its constant wins is NaN if the slope of the other is infinite",
    month="2022-10",
    symptom="nan-inf",
    cause="The maximum was differentiated as a sum of both slopes with the weights 1 and 0, and 0 times infinity is "
    "NaN.",
    at=(0.0,),
    right=(0.0,),
    oracle="closed form: the constant wins by a distance of 1",
    no_differences="the root does not exist to the left of zero",
    reported=(float("nan"),),
    defect=left_out_counts_as_zero,
)
def constant_above_a_falling_root(x):
    return np.maximum(-np.sqrt(x) - 1.0, 0.0)


def spread_out(x):
    dilated = np.full(2 * len(x) - 1, -np.inf)
    dilated[::2] = x
    return dilated


@case(
    "jax-8606",
    "https://github.com/jax-ml/jax/pull/8606",
    title="pooling an input with gaps has its own entries for a gradient",
    month="2021-11",
    symptom="wrong-value",
    cause="The pullback of the gaps took every second entry of the input, where it was to take those of the cotangent.",
    needs="mutation",
    at=(np.array([1.0, 3.0, 2.0]),),
    right=(np.array([0.0, 111.0, 0.0]),),
    oracle="closed form: the 3 wins all three windows",
    reported=(np.array([1.0, 3.0, 2.0]),),
    defect=with_new_rule(spread_out, x=lambda d, out, x: out[::2]),
)
def pooled_with_gaps(x):
    dilated = spread_out(x)
    pooled = np.array([np.max(dilated[i : i + 3]) for i in range(3)])
    return np.sum(pooled * np.array([1.0, 10.0, 100.0]))
