"""Infinities in the data: impossible events at -inf, an infinite score, the logarithm of zero."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import entr, logsumexp

from ..case import case
from ..defects import with_rule
from .unselected_branches import zeros_are_numbers

NO_STEP = "nothing can be added to an infinity"


def proportional(d, out, x, y):
    return d * np.exp(x - out)


by_differences = with_rule(np.logaddexp, x=proportional, y=lambda d, out, x, y: proportional(d, out, y, x))


@case(
    "jax-1624",
    "https://github.com/jax-ml/jax/issues/1624",
    title="the sum of two probabilities that are 0, by their logarithms, has NaN gradients",
    month="2019-11",
    symptom="nan-inf",
    cause="An argument's share is the exponential of its difference from the result, and -inf less -inf is NaN.",
    at=(-np.inf, -np.inf),
    right=(0.5, 0.5),
    admissible=((0.0, 0.0),),
    oracle="definition: convention 2, equals share equally; that nothing depends on what is impossible is argued too",
    no_differences=NO_STEP,
    reported=(float("nan"), float("nan")),
    defect=by_differences,
)
def sum_of_two_impossible_events(x, y):
    return np.logaddexp(x, y)


def share_of_all(d, out, a, axis=None, b=None, keepdims=False, return_sign=False):
    return d * np.exp(a - out)


@case(
    "jax-6811",
    "https://github.com/jax-ml/jax/issues/6811",
    title="logsumexp of entries that are all -inf has a NaN gradient",
    month="2021-05",
    symptom="nan-inf",
    cause="The shares are 0 / 0 when every term of the sum is the exponential of -inf.",
    at=(1.0,),
    right=(0.5,),
    admissible=((0.0,),),
    oracle="definition: convention 2, equals share equally; that it stays -inf whatever x is argues for 0",
    no_differences=NO_STEP,
    reported=(float("nan"),),
    defect=with_rule(logsumexp, a=share_of_all),
)
def logarithm_of_a_sum_of_zeros(x):
    return logsumexp(np.array([-np.inf, -np.inf + x]))


@case(
    "pytorch-31829",
    "https://github.com/pytorch/pytorch/issues/31829",
    title="folding logaddexp over impossible events gives NaN, which spoils all that it is added to",
    month="2020-01",
    symptom="nan-inf",
    cause="The gradient is the exponential of the entries less the result: of -inf less -inf. Recursions over "
    "sequences start from such entries.",
    at=(np.array([-np.inf, -np.inf]),),
    right=(np.array([0.5, 0.5]),),
    admissible=((np.zeros(2),),),
    oracle="definition: convention 2, equals share equally; zeros, -inf being the neutral element, are argued for too",
    no_differences=NO_STEP,
    reported=(np.full(2, np.nan),),
    defect=with_rule(
        np.logaddexp.reduce,
        array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=-np.inf, where=True: (
            d * np.exp(array - out)
        ),
    ),
)
def fold_of_impossible_events(x):
    return np.logaddexp.reduce(x)


@case(
    "pytorch-49724",
    "https://github.com/pytorch/pytorch/issues/49724",
    title="nested logaddexp: NaN from the inner sum, of which nothing reaches the finite result",
    month="2020-12",
    symptom="nan-inf",
    cause="The inner sum of two impossible events has the weights NaN, and its cotangent, which is zero, does not make "
    "them vanish; bracketed the other way there is no such sum.",
    at=(np.array([-np.inf, -np.inf, 2.0]),),
    right=(np.array([0.0, 0.0, 1.0]),),
    oracle="definition: the shares in the sum, which only the last entry has a part in",
    no_differences=NO_STEP,
    reported=(np.array([np.nan, np.nan, 1.0]),),
    defect=by_differences,
)
def possible_event_added_last(x):
    return np.logaddexp(np.logaddexp(x[0], x[1]), x[2])


@case(
    "nnlib-206",
    "https://github.com/FluxML/NNlib.jl/issues/206",
    title="softmax with an infinite score is NaN",
    month="2020-06",
    symptom="nan-inf",
    cause="The largest score is taken away from all, and infinity less infinity is NaN. A mask that puts 1 in its "
    "place leaves the NaN in the gradient.",
    at=(np.array([np.inf, 1.0]),),
    right=(np.zeros(2),),
    oracle="definition: the limit of both slopes as the score grows",
    no_differences=NO_STEP,
    reported=(np.array([np.nan, 0.0]),),
    defect=zeros_are_numbers,
)
def weight_of_an_infinite_score(x):
    largest = np.max(x)
    with np.errstate(invalid="ignore"):
        powers = np.where(x == largest, 1.0, np.exp(x - largest))
    return np.sum(np.array([1.0, 2.0]) * (powers / np.sum(powers)))


@case(
    "jax-15709",
    "https://github.com/jax-ml/jax/issues/15709",
    title="the slope of the entropy -x log x at 0 is NaN, not infinite",
    month="2023-04",
    symptom="nan-inf",
    cause="It is the derivative of x log y in both arguments, added up where they are the same: the one by y is x / y, "
    "which is 0 / 0.",
    at=(0.0,),
    right=(math.inf,),
    oracle="closed form: -log x - 1, by its limit from inside (convention 3)",
    no_differences="to the left of 0 the function is -inf",
    reported=(float("nan"),),
    defect=with_rule(entr, x=lambda d, out, x: -d * (np.log(x) + np.divide(x, x))),
)
def entropy_of_an_impossible_event(p):
    return entr(p)
